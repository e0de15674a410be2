//! The document that `inband-init` prints.

use std::net::{Ipv4Addr, Ipv6Addr};

use serde::{Serialize, Serializer};

use crate::applets::common::table::{Table, column};
use crate::hal::inband::{Account, Found, Machine, Made, Verified};
use crate::hal::model::guid::GuidOrder;
use crate::hal::model::user::User;
use crate::hal::model::{MacAddr, Secret};

/// The result of a run.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Document {
    pub(super) machine_id: Option<String>,
    pub(super) bmc: Bmc,
    pub(super) ipmi: Ipmi,
    pub(super) created: bool,
    pub(super) verified: &'static str,
    pub(super) registered: bool,
    /// `IPMI`, `Redfish` where IPMI over LAN is no way, or `Unmanaged` for a machine without a BMC.
    pub(super) driver: &'static str,
    /// Commands that changed something (in a rehearsal: would have), without secrets.
    pub(super) changes: Vec<String>,
    pub(super) warnings: Vec<String>,
    pub(super) error: Option<String>,
    /// Where IPMI over LAN is no way and the machine has a Redfish host interface: `granted`, `disabled` or `unsupported`.
    pub(super) bootstrap: Option<&'static str>,
    /// The account of Redfish, where the host interface was the way to make it.
    pub(super) redfish: Option<Redfish>,
}

/// An account of Redfish.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Redfish {
    pub(super) user: String,
    #[serde(serialize_with = "shown")]
    pub(super) password: Option<Secret>,
    pub(super) user_id: Option<String>,
    pub(super) privilege: Option<String>,
}

#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Bmc {
    pub(super) mac: Option<MacAddr>,
    pub(super) ip: Option<Ipv4Addr>,
    pub(super) ip_source: Option<String>,
    pub(super) vendor_id: Option<u32>,
    pub(super) firmware: Option<String>,
    pub(super) product_id: Option<u16>,
    pub(super) vlan: Option<u16>,
    pub(super) ipv6: Option<Ipv6Addr>,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct Ipmi {
    pub(super) user: String,
    #[serde(serialize_with = "shown")]
    pub(super) password: Option<Secret>,
    pub(super) user_id: Option<u8>,
    pub(super) channel: Option<u8>,
    pub(super) privilege: Option<String>,
}

/// The one place where a password is printed: nobody else has it.
#[expect(clippy::ref_option, reason = "serde hands the field over like this")]
fn shown<S: Serializer>(password: &Option<Secret>, s: S) -> Result<S::Ok, S::Error> {
    match password {
        Some(password) => s.serialize_some(&String::from_utf8_lossy(password.expose())),
        None => s.serialize_none(),
    }
}

impl Document {
    /// What is known before the BMC is asked.
    pub(super) fn of(machine: &Machine, user: &str) -> Self {
        Self {
            machine_id: machine.uuid.clone(),
            bmc: Bmc::default(),
            ipmi: Ipmi {
                user: user.to_owned(),
                password: None,
                user_id: None,
                channel: None,
                privilege: None,
            },
            created: false,
            verified: Verified::None.as_str(),
            registered: false,
            driver: "IPMI",
            changes: Vec::new(),
            warnings: Vec::new(),
            error: None,
            bootstrap: None,
            redfish: None,
        }
    }

    /// Adds what was found. Without SMBIOS the BMC's GUID is the machine's id, in its likely order.
    pub(super) fn found(&mut self, found: &Found, now_unix: u64) {
        self.bmc = Bmc {
            mac: found.mac,
            ip: found.ip,
            ip_source: found.ip_source.clone(),
            vendor_id: Some(found.device.manufacturer),
            firmware: Some(found.device.firmware()),
            product_id: Some(found.device.product),
            vlan: found.vlan,
            ipv6: found.ipv6,
        };
        self.ipmi.channel = Some(found.channel);
        if self.machine_id.is_none() {
            let order =
                |guid: crate::hal::model::Guid| -> GuidOrder { guid.likely_order(now_unix) };
            self.machine_id = found.guid.map(|guid| guid.to_uuid(order(guid)));
        }
    }

    /// Adds the account as it stands.
    pub(super) fn account(&mut self, account: Option<&Account>) {
        self.ipmi.user_id = account.map(|a| a.id);
        self.ipmi.privilege = account.map(|a| a.role.to_string());
    }

    /// Adds the account of Redfish as it stands.
    pub(super) fn redfish(&mut self, user: &User, password: Option<Secret>) {
        self.driver = "Redfish";
        self.redfish = Some(Redfish {
            user: user.name.clone(),
            password,
            user_id: Some(user.id.clone()),
            privilege: Some(user.role.to_string()),
        });
    }

    /// Whoever has the password now: it is shown no more.
    pub(super) fn hush(&mut self) {
        self.ipmi.password = None;
        if let Some(redfish) = &mut self.redfish {
            redfish.password = None;
        }
    }

    /// Adds what was made.
    pub(super) fn made(&mut self, made: Made) {
        self.ipmi.user_id = Some(made.user_id);
        self.ipmi.privilege = Some("ADMINISTRATOR".to_owned());
        self.ipmi.password = made.password;
        self.created = made.created;
        self.verified = made.verified.as_str();
    }

    /// For people.
    pub(super) fn table(&self) -> Table {
        let mut table = Table::new(&[
            column("MACHINE ID"),
            column("MAC"),
            column("IP"),
            column("USER"),
            column("ID"),
            column("CREATED"),
            column("VERIFIED"),
            column("REGISTERED"),
        ]);
        let text = |value: Option<String>| value.unwrap_or_default();
        table.row([
            text(self.machine_id.clone()),
            text(self.bmc.mac.map(|m| m.to_string())),
            text(self.bmc.ip.map(|ip| ip.to_string())),
            self.ipmi.user.clone(),
            text(self.ipmi.user_id.map(|id| id.to_string())),
            self.created.to_string(),
            self.verified.to_owned(),
            self.registered.to_string(),
        ]);
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_those_of_the_interface_in_their_order() {
        let mut document = Document::of(&Machine::default(), "metal");
        let json = serde_json::to_value(&document).unwrap();
        let keys: Vec<_> = json.as_object().unwrap().keys().cloned().collect();
        assert_eq!(
            keys[..6],
            [
                "machine_id",
                "bmc",
                "ipmi",
                "created",
                "verified",
                "registered"
            ]
        );
        let keys: Vec<_> = json["bmc"].as_object().unwrap().keys().cloned().collect();
        assert_eq!(
            keys[..5],
            ["mac", "ip", "ip_source", "vendor_id", "firmware"]
        );
        let keys: Vec<_> = json["ipmi"].as_object().unwrap().keys().cloned().collect();
        assert_eq!(
            keys,
            ["user", "password", "user_id", "channel", "privilege"]
        );
        document.ipmi.password = Some(Secret::new("hunter2"));
        assert!(!format!("{document:?}").contains("hunter2"));
        assert_eq!(
            serde_json::to_value(&document).unwrap()["ipmi"]["password"],
            "hunter2"
        );
    }
}
