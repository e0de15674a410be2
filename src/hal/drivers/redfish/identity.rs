//! What the machine and its BMC are: System, Manager, Chassis and the BMC's network interface.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use super::{fru_fields, is_answer, nic, reading, text};
use crate::hal::caps::Identity;
use crate::hal::drivers::ipmi::manufacturer;
use crate::hal::error::Result;
use crate::hal::model::info::Info;
use crate::hal::model::{BoxFuture, Cx, Reading};
use crate::hal::redfish::{Client, Resource};

/// Identity over Redfish.
pub(super) struct RedfishIdentity(pub(super) Arc<Client>);

impl RedfishIdentity {
    async fn read(&self, cx: &Cx, system: &Resource) -> Result<Info> {
        let client = &*self.0;
        let chassis = optional(client.chassis(cx).await)?;
        let of_chassis = |pointer: &str| chassis.as_ref().and_then(|c| text(c, pointer));
        let mut info = Info {
            model: text(system, "/Model").or_else(|| of_chassis("/Model")),
            serial: fru_fields::serial(client, system, chassis.as_deref()),
            fru: fru_fields::read(client, cx, system, chassis.as_ref()).await?,
            ..Info::default()
        };
        info.bios.version = text(system, "/BiosVersion");
        info.bios.date = fru_fields::bios_date(system);
        if let Some(uuid) = system.str("/UUID").and_then(uuid) {
            info.uuid_raw = Some(uuid.replace('-', ""));
            info.uuid = Some(uuid);
        }
        let mut maker = info.fru.product_manufacturer.clone();
        if let Some(manager) = optional(client.manager(cx).await)? {
            info.bmc.version = text(&manager, "/FirmwareVersion");
            learn(client, &manager);
            maker = maker.or_else(|| text(&manager, "/Manufacturer"));
            if let Some(nic) = nic::own(client, cx, &manager).await? {
                info.bmc.mac = nic::mac(&nic);
                let dialled = nic::dialled(client);
                let entry = nic::ipv4(&nic, dialled);
                info.bmc.ip = entry.and_then(|e| nic::v4(e, "Address")).map(IpAddr::V4);
            }
        }
        if maker.is_none() || info.model.is_none() {
            // Machines whose FRU nobody wrote: the service root may know.
            if let Some(root) = optional(client.root(cx).await)? {
                maker = maker.or_else(|| text(&root, "/Vendor"));
                info.model = info.model.or_else(|| text(&root, "/Product"));
            }
        }
        let maker = maker.as_deref().map(without_url);
        info.vendor = manufacturer::vendor(None, maker);
        Ok(info)
    }
}

/// Quirks go by generations, which only the manager tells: the next connection knows it.
fn learn(client: &Client, manager: &Resource) {
    client.door().learnt().update(|learnt| {
        if let Some(about) = &mut learnt.about {
            about.manager_model = text(manager, "/Model");
            about.firmware = text(manager, "/FirmwareVersion");
        }
    });
}

/// Some write the address of their pages where their name belongs.
fn without_url(name: &str) -> &str {
    let Some((_, host)) = name.split_once("://") else {
        return name;
    };
    host.strip_prefix("www.").unwrap_or(host)
}

/// A UUID in lower case, as the BMC orders its bytes; blank ones are none.
fn uuid(text: &str) -> Option<String> {
    let text = text.trim().to_ascii_lowercase();
    let digits: Vec<char> = text.chars().filter(|c| *c != '-').collect();
    let blank = digits.iter().all(|c| *c == '0') || digits.iter().all(|c| *c == 'f');
    if digits.len() != 32 || blank || !digits.iter().all(char::is_ascii_hexdigit) {
        return None;
    }
    let part = |from: usize, to: usize| digits.get(from..to).map(|d| d.iter().collect::<String>());
    let parts = [
        part(0, 8),
        part(8, 12),
        part(12, 16),
        part(16, 20),
        part(20, 32),
    ];
    let parts: Option<Vec<String>> = parts.into_iter().collect();
    Some(parts?.join("-"))
}

/// `None` where the BMC answered, but not with that.
fn optional<T>(read: Result<T>) -> Result<Option<T>> {
    match read {
        Ok(value) => Ok(Some(value)),
        Err(error) if is_answer(&error) => {
            log::debug!("info without: {}", error.chain());
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

impl Identity for RedfishIdentity {
    fn info<'a>(&'a self, cx: &'a Cx) -> BoxFuture<'a, Result<Reading<Info>>> {
        Box::pin(async move {
            let start = Instant::now();
            let system = self.0.system(cx).await?;
            let info = self.read(cx, &system).await?;
            Ok(reading(&self.0, start, system.path.clone(), info))
        })
    }
}

#[cfg(test)]
mod tests;
