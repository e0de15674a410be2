//! Writable properties of the BMC's network interface.

use std::net::Ipv4Addr;

use serde_json::Value;

use super::{Done, read_only, wrong};
use crate::hal::sim::redfish::messages::Message;
use crate::hal::sim::state::Server;

/// Longest host name.
const HOST_NAME: usize = 63;

pub(super) fn set(server: &mut Server, name: &str, value: &Value) -> Done {
    match name {
        "HostName" => {
            let fits = |text: &&str| {
                (1..=HOST_NAME).contains(&text.len())
                    && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            };
            let text = value.as_str().ok_or_else(|| wrong(name, value))?;
            if !fits(&text) {
                return Err(Message::base("PropertyValueFormatError", &[text, name]).about(name));
            }
            server.web.host_name = Some(text.to_owned());
            Ok(())
        }
        "DHCPv4" => {
            let on = value.get("DHCPEnabled").and_then(Value::as_bool);
            server.lan.source = if on.ok_or_else(|| wrong(name, value))? {
                2
            } else {
                1
            };
            Ok(())
        }
        "IPv4Addresses" | "IPv4StaticAddresses" => addresses(server, name, value),
        "VLAN" => {
            let on = value.get("VLANEnable").and_then(Value::as_bool);
            let id = value
                .get("VLANId")
                .map(|id| id.as_u64().filter(|id| *id < 4095));
            if id == Some(None) {
                return Err(wrong("VLAN/VLANId", value));
            }
            let lan = &mut server.lan;
            let id = id.flatten().map_or(lan.vlan & 0x0fff, |id| id as u16);
            let on = on.unwrap_or(lan.vlan & 0x8000 != 0);
            lan.vlan = id | if on { 0x8000 } else { 0 };
            Ok(())
        }
        _ => Err(read_only(name)),
    }
}

fn addresses(server: &mut Server, name: &str, value: &Value) -> Done {
    let Some(first) = value.as_array().and_then(|list| list.first()) else {
        return Err(wrong(name, value));
    };
    let mut parsed = Vec::new();
    for key in ["Address", "SubnetMask", "Gateway"] {
        let address = match first.get(key) {
            None => None,
            Some(text) => {
                let address = text.as_str().and_then(|text| text.parse::<Ipv4Addr>().ok());
                Some(address.ok_or_else(|| wrong(&format!("{name}/0/{key}"), text))?)
            }
        };
        parsed.push(address.map(|address| address.octets()));
    }
    let lan = &mut server.lan;
    if let [address, mask, gateway] = parsed.as_slice() {
        lan.address = address.unwrap_or(lan.address);
        lan.netmask = mask.unwrap_or(lan.netmask);
        lan.gateway = gateway.unwrap_or(lan.gateway);
    }
    lan.source = 1;
    Ok(())
}
