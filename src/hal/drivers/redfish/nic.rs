//! The BMC's own network interface among those of its manager.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use super::is_answer;
use crate::hal::error::Result;
use crate::hal::model::{Cx, MacAddr};
use crate::hal::redfish::{Client, Resource};

/// The address of the service that we talk to; `None` when it was dialled by a name.
pub(super) fn dialled(client: &Client) -> Option<IpAddr> {
    let origin = client.door().origin();
    let (_, rest) = origin.split_once("://")?;
    let host = match rest.strip_prefix('[') {
        Some(v6) => v6.split(']').next()?,
        None => rest.split(':').next()?,
    };
    host.parse().ok()
}

/// The interface through which the BMC is managed: the one that owns the dialled address, else the likeliest. `None`
/// where the manager shows none.
pub(super) async fn own(
    client: &Client,
    cx: &Cx,
    manager: &Resource,
) -> Result<Option<Arc<Resource>>> {
    let Some(list) = manager.link("/EthernetInterfaces") else {
        return Ok(None);
    };
    let members = match client.members(cx, &list).await {
        Ok(members) => members,
        Err(error) if is_answer(&error) => {
            log::debug!("{list}: {}", error.chain());
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let nics: Vec<Arc<Resource>> = members.into_iter().flatten().collect();
    Ok(choose(&nics, dialled(client)).cloned())
}

/// See [`own`].
fn choose(nics: &[Arc<Resource>], dialled: Option<IpAddr>) -> Option<&Arc<Resource>> {
    let owner = dialled.and_then(|ip| {
        nics.iter()
            .find(|nic| mac(nic).is_some() && addresses(nic).any(|own| own == ip))
    });
    if owner.is_some() {
        return owner;
    }
    let best = |usable: &dyn Fn(&Resource) -> bool| {
        // The first of the best: `max_by_key` would take the last.
        nics.iter()
            .filter(|nic| is_candidate(nic) && usable(nic))
            .rev()
            .max_by_key(|nic| likelihood(nic))
    };
    let global = |nic: &Resource| mac(nic).is_some_and(|m| m.is_usable() && !m.is_local());
    // Virtual BMCs have nothing but locally administered addresses: one with a way out is better than none.
    best(&global).or_else(|| best(&|nic| gateway(nic).is_some()))
}

/// Not the interface to the host, not switched off, with an address of its own.
fn is_candidate(nic: &Resource) -> bool {
    nic.link("/Links/HostInterface").is_none()
        && nic.bool("/InterfaceEnabled") != Some(false)
        && nic.str("/Status/State") != Some("Disabled")
        && mac(nic).is_some()
}

fn likelihood(nic: &Resource) -> u8 {
    let up = nic
        .str("/LinkStatus")
        .is_none_or(|s| s.eq_ignore_ascii_case("LinkUp"));
    let has_address = addresses(nic).any(|ip| match ip {
        IpAddr::V4(v4) => !v4.is_link_local(),
        IpAddr::V6(_) => false,
    });
    4 * u8::from(gateway(nic).is_some()) + 2 * u8::from(up) + u8::from(has_address)
}

/// The MAC that the interface uses; zeroes and ones are none.
pub(super) fn mac(nic: &Resource) -> Option<MacAddr> {
    ["/MACAddress", "/PermanentMACAddress"]
        .into_iter()
        .filter_map(|pointer| nic.str(pointer)?.trim().parse::<MacAddr>().ok())
        .find(|mac| mac.0 != [0; 6] && mac.0 != [0xff; 6])
}

/// Its addresses in use, both families.
fn addresses(nic: &Resource) -> impl Iterator<Item = IpAddr> {
    ["/IPv4Addresses", "/IPv6Addresses"]
        .into_iter()
        .flat_map(|list| nic.list(list))
        .filter_map(|entry| {
            entry
                .get("Address")?
                .as_str()?
                .trim()
                .parse::<IpAddr>()
                .ok()
        })
        .filter(|ip| !ip.is_unspecified())
}

/// Its first IPv4 entry that is set: address, mask, gateway, origin.
pub(super) fn ipv4(nic: &Resource, dialled: Option<IpAddr>) -> Option<&serde_json::Value> {
    let set: Vec<&serde_json::Value> = nic
        .list("/IPv4Addresses")
        .into_iter()
        .filter(|entry| v4(entry, "Address").is_some())
        .collect();
    let mine = |entry: &&&serde_json::Value| v4(entry, "Address").map(IpAddr::V4) == dialled;
    set.iter().find(mine).or(set.first()).copied()
}

/// An IPv4 address in an entry; zeroes are none.
pub(super) fn v4(entry: &serde_json::Value, key: &str) -> Option<Ipv4Addr> {
    let ip: Ipv4Addr = entry.get(key)?.as_str()?.trim().parse().ok()?;
    (!ip.is_unspecified()).then_some(ip)
}

fn gateway(nic: &Resource) -> Option<Ipv4Addr> {
    nic.list("/IPv4Addresses")
        .into_iter()
        .find_map(|entry| v4(entry, "Gateway"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn nic(json: Value) -> Arc<Resource> {
        Arc::new(Resource {
            path: "/redfish/v1/Managers/1/EthernetInterfaces/1".into(),
            etag: None,
            json,
        })
    }

    fn chosen(nics: &[Value], dialled: &str) -> Option<String> {
        let nics: Vec<_> = nics.iter().cloned().map(nic).collect();
        choose(&nics, dialled.parse().ok())
            .and_then(|n| mac(n))
            .map(|m| m.to_string())
    }

    #[test]
    fn the_owner_of_the_dialled_address_else_the_likeliest() {
        let eth0 = json!({"MACAddress": "3C:6D:66:0E:DB:DC", "InterfaceEnabled": true, "LinkStatus": "LinkUp",
            "IPv4Addresses": [{"Address": "192.168.129.187", "Gateway": "192.168.128.1"}]});
        let shared = json!({"MACAddress": "3c-6d-66-0e-db-dd", "LinkStatus": "LinkDown",
            "IPv4Addresses": [{"Address": "0.0.0.0"}], "IPv6Addresses": [{"Address": "fd00::7"}]});
        let host = json!({"MACAddress": "AC:1F:6B:00:00:01", "Links": {"HostInterface": {"@odata.id": "/redfish/v1/x"}},
            "IPv4Addresses": [{"Address": "169.254.3.254", "Gateway": "169.254.3.254"}]});
        let usb = json!({"MACAddress": "46:D5:FA:9A:BF:1A", "IPv4Addresses": [{"Address": "10.0.1.1", "Gateway": "10.0.1.2"}]});
        let zero = json!({"MACAddress": "00:00:00:00:00:00", "IPv4Addresses": [{"Address": "10.0.0.9", "Gateway": "10.0.0.1"}]});
        let all = [host, zero, usb.clone(), shared, eth0];
        let of_eth0 = Some("3c:6d:66:0e:db:dc".to_owned());
        assert_eq!(chosen(&all, "192.168.129.187"), of_eth0);
        assert_eq!(
            chosen(&all, "fd00::7").as_deref(),
            Some("3c:6d:66:0e:db:dd")
        );
        assert_eq!(chosen(&all, "127.0.0.1"), of_eth0);
        assert_eq!(chosen(&all, "a name"), of_eth0);
        assert_eq!(
            chosen(&[usb], "127.0.0.1").as_deref(),
            Some("46:d5:fa:9a:bf:1a")
        );
        assert_eq!(chosen(&[], "127.0.0.1"), None);
    }
}
