//! MACs of neighbours: whom this host has talked to on its own networks.

use std::net::IpAddr;

use crate::hal::model::MacAddr;

/// The kernel's table (IPv4).
const TABLE: &str = "/proc/net/arp";

/// The MAC of a neighbour that was just talked to.
pub fn mac_of(address: IpAddr) -> Option<MacAddr> {
    find(&std::fs::read_to_string(TABLE).ok()?, address)
}

/// Columns: address, type, flags, MAC, mask, device; flag 0x2 = the MAC is known.
fn find(table: &str, address: IpAddr) -> Option<MacAddr> {
    table.lines().skip(1).find_map(|line| {
        let mut words = line.split_whitespace();
        let of: IpAddr = words.next()?.parse().ok()?;
        let flags = words.nth(1)?.strip_prefix("0x")?;
        let known = u32::from_str_radix(flags, 16).ok()? & 2 != 0;
        let mac: MacAddr = words.next()?.parse().ok()?;
        (of == address && known && mac.is_usable()).then_some(mac)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_macs_that_are_known() {
        let table = "IP address       HW type     Flags       HW address            Mask     Device\n\
            10.0.0.7         0x1         0x2         ac:1f:6b:00:00:07     *        eth0\n\
            10.0.0.8         0x1         0x0         00:00:00:00:00:00     *        eth0\n\
            broken\n";
        let got = |ip: &str| find(table, ip.parse().unwrap()).map(|m| m.to_string());
        assert_eq!(got("10.0.0.7").as_deref(), Some("ac:1f:6b:00:00:07"));
        assert_eq!((got("10.0.0.8"), got("10.0.0.9")), (None, None));
    }
}
