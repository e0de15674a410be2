//! The BMC's LAN: the interface that owns the dialled address.

use std::sync::Arc;
use std::time::Instant;

use super::{nic, reading, unsupported};
use crate::hal::caps::Network;
use crate::hal::error::Result;
use crate::hal::model::lan::LanInfo;
use crate::hal::model::{BoxFuture, Cx, Reading};
use crate::hal::redfish::{Client, Resource};

/// The BMC's network over Redfish.
pub(super) struct RedfishNetwork(pub(super) Arc<Client>);

fn lan(nic: &Resource, client: &Client) -> LanInfo {
    let entry = nic::ipv4(nic, nic::dialled(client));
    let v4 = |key| entry.and_then(|e| nic::v4(e, key));
    let origin = entry.and_then(|e| e.get("AddressOrigin")?.as_str());
    let vlan = nic.bool("/VLAN/VLANEnable") == Some(true);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to be a VLAN id"
    )]
    let vlan = nic
        .num("/VLAN/VLANId")
        .filter(|id| vlan && (1.0..=4094.0).contains(id))
        .map(|id| id as u16);
    LanInfo {
        channel: None,
        mac: nic::mac(nic),
        ip: v4("Address"),
        netmask: v4("SubnetMask"),
        gateway: v4("Gateway"),
        source: origin.map(|origin| match origin {
            "Static" => "static".to_owned(),
            "DHCP" => "dhcp".to_owned(),
            _ => "other".to_owned(),
        }),
        vlan,
    }
}

impl Network for RedfishNetwork {
    fn lan<'a>(&'a self, cx: &'a Cx) -> BoxFuture<'a, Result<Reading<LanInfo>>> {
        Box::pin(async move {
            let start = Instant::now();
            let manager = self.0.manager(cx).await?;
            let nic = nic::own(&self.0, cx, &manager).await?.ok_or_else(|| {
                let why = format!("{} shows no network interface", manager.path);
                unsupported("lan", why)
            })?;
            let lan = lan(&nic, &self.0);
            Ok(reading(&self.0, start, nic.at("MACAddress"), lan))
        })
    }
}
