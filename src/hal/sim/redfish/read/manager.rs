//! Manager, its network interfaces and protocols.

use std::net::{Ipv4Addr, Ipv6Addr};

use serde_json::Value;

use super::{Parts, View, when};
use crate::hal::ipmi::time::rfc3339;
use crate::hal::model::json::json;
use crate::hal::sim::redfish::dialect::LogOwner;
use crate::hal::sim::redfish::place::Place;
use crate::hal::sim::redfish::{mac_text, uuid};

/// Values of Manager.Reset.
pub(super) const RESETS: &[&str] = &["GracefulRestart", "ForceRestart"];

/// Version of the firmware, as Get Device ID has it: minor is BCD.
pub(super) fn version(v: &View<'_>) -> String {
    let (major, minor) = v.server.profile.firmware;
    format!("{major}.{minor:02x}")
}

pub(super) fn manager(v: &View<'_>) -> Parts {
    let d = v.d;
    let seconds = i64::from(v.server.clock.seconds(v.now));
    let rest = json!({
        "ManagerType": "BMC",
        "Manufacturer": when(d.maker.is_some(), json!(d.maker)),
        "Model": d.manager_model,
        "FirmwareVersion": format!("{}{}", d.firmware_prefix, version(v)),
        "UUID": uuid(v.server, d),
        "ServiceEntryPointUUID": when(d.root_uuid, json!(uuid(v.server, d))),
        "DateTime": rfc3339(seconds),
        "DateTimeLocalOffset": "+00:00",
        "PowerState": "On",
        "Status": {"State": "Enabled", "Health": "OK"},
        "SerialConsole": {"ServiceEnabled": true, "MaxConcurrentSessions": 1, "ConnectTypesSupported": ["IPMI"]},
        "EthernetInterfaces": v.link(Place::Nics),
        "NetworkProtocol": v.link(Place::NetworkProtocol),
        "LogServices": when(d.log_owner == LogOwner::Manager, v.link(Place::Logs)),
        "Links": {
            "ManagerForServers": v.links(&[Place::System]),
            "ManagerForChassis": v.links(&[Place::Chassis]),
            "Oem": when(d.oem == Some("Dell"), json!({"Dell": {
                "DellLCService": v.link(Place::DellLc),
                "Jobs": v.link(Place::DellJobs),
                "DellAttributes": [v.link(Place::DellAttributes)],
            }})),
        },
        "Actions": {
            "#Manager.Reset": super::system::reset_action(v, Place::ManagerReset, Place::ManagerResetInfo, RESETS),
        },
    });
    let mut rest = rest;
    if let Some(links) = rest.get_mut("Links").and_then(Value::as_object_mut) {
        links.retain(|_, value| value.as_str() != Some(super::ABSENT));
    }
    (
        "Manager.v1_18_0.Manager",
        d.manager.to_owned(),
        "Manager".to_owned(),
        rest,
    )
}

/// The name of the BMC.
pub(super) fn host_name(v: &View<'_>) -> String {
    let set = v.server.web.host_name.clone();
    set.unwrap_or_else(|| format!("bmc-{}", v.server.serial.to_ascii_lowercase()))
}

pub(super) fn nic(v: &View<'_>) -> Parts {
    let lan = &v.server.lan;
    let address = Ipv4Addr::from(lan.address);
    let origin = if lan.source == 2 { "DHCP" } else { "Static" };
    let v4 = json!({
        "Address": address.to_string(),
        "SubnetMask": Ipv4Addr::from(lan.netmask).to_string(),
        "Gateway": Ipv4Addr::from(lan.gateway).to_string(),
        "AddressOrigin": origin,
    });
    let (v6, prefix, used) = lan.static_v6;
    let v6: Vec<Value> = used
        .then(|| {
            json!({
                "Address": Ipv6Addr::from(v6).to_string(), "PrefixLength": prefix,
                "AddressOrigin": "Static", "AddressState": "Preferred",
            })
        })
        .into_iter()
        .collect();
    let rest = json!({
        "Description": "BMC's own network interface",
        "Status": {"State": "Enabled", "Health": "OK"},
        "InterfaceEnabled": true,
        "LinkStatus": "LinkUp",
        "SpeedMbps": 1000,
        "FullDuplex": true,
        "AutoNeg": true,
        "MACAddress": mac_text(lan.mac),
        "PermanentMACAddress": mac_text(lan.mac),
        "HostName": host_name(v),
        "FQDN": format!("{}.example.net", host_name(v)),
        "DHCPv4": {"DHCPEnabled": lan.source == 2},
        "IPv4Addresses": if lan.address == [0; 4] { json!([]) } else { json!([v4]) },
        "IPv4StaticAddresses": if lan.source == 1 && lan.address != [0; 4] {
            json!([{
                "Address": address.to_string(),
                "SubnetMask": Ipv4Addr::from(lan.netmask).to_string(),
                "Gateway": Ipv4Addr::from(lan.gateway).to_string(),
            }])
        } else {
            json!([])
        },
        "IPv6Addresses": v6,
        "NameServers": [],
        "VLAN": {"VLANEnable": lan.vlan & 0x8000 != 0, "VLANId": lan.vlan & 0x0fff},
    });
    (
        "EthernetInterface.v1_10_0.EthernetInterface",
        v.d.nic.to_owned(),
        "Manager Ethernet Interface".to_owned(),
        rest,
    )
}

pub(super) fn host_nic(v: &View<'_>) -> Parts {
    let [id, mac, address] = v.d.host_nic.unwrap_or_default();
    let rest = json!({
        "Description": "Interface to the host",
        "Status": {"State": "Enabled", "Health": "OK"},
        "InterfaceEnabled": true,
        "LinkStatus": "LinkUp",
        "MACAddress": mac,
        "IPv4Addresses": [{"Address": address, "SubnetMask": "255.255.0.0", "Gateway": "0.0.0.0", "AddressOrigin": "Static"}],
        "Links": {"HostInterface": {"@odata.id": format!("{}/HostInterfaces/1", v.uri(Place::Manager))}},
    });
    (
        "EthernetInterface.v1_10_0.EthernetInterface",
        id.to_owned(),
        "Host Interface".to_owned(),
        rest,
    )
}

pub(super) fn network_protocol(v: &View<'_>) -> Parts {
    let rest = json!({
        "HostName": host_name(v),
        "FQDN": format!("{}.example.net", host_name(v)),
        "Status": {"State": "Enabled", "Health": "OK"},
        "HTTP": {"ProtocolEnabled": false, "Port": 80},
        "HTTPS": {"ProtocolEnabled": true, "Port": 443},
        "IPMI": {"ProtocolEnabled": v.server.channel.flags & 7 >= 2, "Port": 623},
        "SSH": {"ProtocolEnabled": false, "Port": 22},
        "SSDP": {"ProtocolEnabled": false, "Port": 1900},
    });
    (
        "ManagerNetworkProtocol.v1_10_0.ManagerNetworkProtocol",
        "NetworkProtocol".to_owned(),
        "Manager Network Protocol".to_owned(),
        rest,
    )
}
