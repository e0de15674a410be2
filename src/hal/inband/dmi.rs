//! SMBIOS structures (DSP0134): as much as tells the machine's UUID, and whether there is a Redfish host interface.

use std::net::{IpAddr, SocketAddr};

/// Type of "System Information".
const SYSTEM: u8 = 1;
/// Type of "Management Controller Host Interface".
pub const HOST_INTERFACE: u8 = 42;
/// More structures than that no machine has.
const MOST: usize = 4096;

/// One structure: its type and the bytes of its formatted part, header included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Structure<'a> {
    /// Type.
    pub kind: u8,
    /// Formatted part.
    pub body: &'a [u8],
}

/// The structures of a table; ends where the table is broken.
pub fn structures(table: &[u8]) -> Vec<Structure<'_>> {
    let mut out = Vec::new();
    let mut rest = table;
    while let [kind, length, ..] = rest {
        let Some((body, strings)) = rest.split_at_checked(usize::from(*length)) else {
            break;
        };
        // Type 127 ends the table; a header alone has 4 bytes.
        if body.len() < 4 || *kind == 127 || out.len() >= MOST {
            break;
        }
        out.push(Structure { kind: *kind, body });
        // The strings end with two zeroes.
        let Some(end) = strings.windows(2).position(|w| w == [0, 0]) else {
            break;
        };
        rest = strings.get(end + 2..).unwrap_or_default();
    }
    out
}

/// Where the Redfish service of a host interface is (DSP0270, "Redfish over IP protocol specific record data"). `None` when
/// the structure does not say it, or is broken.
pub fn redfish_service(structures: &[Structure<'_>]) -> Option<SocketAddr> {
    let interfaces = structures.iter().filter(|s| s.kind == HOST_INTERFACE);
    interfaces.into_iter().find_map(|s| service(s.body))
}

fn service(body: &[u8]) -> Option<SocketAddr> {
    const NETWORK: u8 = 0x40;
    const REDFISH: u8 = 0x04;
    if body.get(4) != Some(&NETWORK) {
        return None;
    }
    let own = usize::from(*body.get(5)?);
    let (count, mut rest) = body.get(6 + own..)?.split_first()?;
    for _ in 0..*count {
        let [kind, length, tail @ ..] = rest else {
            return None;
        };
        let (data, next) = tail.split_at_checked(usize::from(*length))?;
        rest = next;
        if *kind != REDFISH {
            continue;
        }
        let address: [u8; 16] = data.get(52..68)?.try_into().ok()?;
        let port = u16::from_le_bytes(data.get(84..86)?.try_into().ok()?);
        let [a, b, c, d, ..] = address;
        let ip = match data.get(51)? {
            1 => IpAddr::from([a, b, c, d]),
            2 => IpAddr::from(address),
            _ => return None,
        };
        if !ip.is_unspecified() && port != 0 {
            return Some(SocketAddr::new(ip, port));
        }
    }
    None
}

/// The UUID of the system: bytes 8..24, the first three fields little-endian. `None` when it is unset.
pub fn uuid(structures: &[Structure<'_>]) -> Option<String> {
    use crate::hal::model::guid::{Guid, GuidOrder};
    let system = structures.iter().find(|s| s.kind == SYSTEM)?;
    let bytes: [u8; 16] = system.body.get(8..24)?.try_into().ok()?;
    let guid = Guid(bytes);
    (!guid.is_blank()).then(|| guid.to_uuid(GuidOrder::Smbios))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Vec<u8> {
        let mut out = vec![0, 5, 0, 0, 9, b'A', b'M', b'I', 0, 0];
        out.extend([1, 27, 1, 0, 1, 2, 3, 4]);
        out.extend(*b"\x25\x3c\xc4\x37\xfe\x69\x88\x4f\xb6\x9d\x4e\x71\xdc\x40\x70\xd0");
        out.extend([6, 5, 0]);
        out.extend(*b"Acme\0Box\0\0");
        out.extend([42, 4, 2, 0, 0, 0]);
        out.extend([127, 4, 3, 0, 0, 0]);
        out
    }

    #[test]
    fn uuid_and_host_interface_are_found() {
        let table = table();
        let all = structures(&table);
        assert_eq!(all.iter().map(|s| s.kind).collect::<Vec<_>>(), [0, 1, 42]);
        assert_eq!(
            uuid(&all).as_deref(),
            Some("37c43c25-69fe-4f88-b69d-4e71dc4070d0")
        );
    }

    /// A structure of type 42 with a USB card and the service at this address.
    fn host_interface(format: u8, ip: &[u8], port: u16) -> Vec<u8> {
        let mut data = vec![0; 91];
        data[51] = format;
        data[52..52 + ip.len()].copy_from_slice(ip);
        data[84..86].copy_from_slice(&port.to_le_bytes());
        let card = [2, 0x6b, 0x1d, 4, 1, 2, 0, 0];
        let mut out = vec![42, 0, 2, 0, 0x40, card.len() as u8];
        out.extend(card);
        // Another protocol before it.
        out.extend([2, 3, 2, 9, 9, 4, 91]);
        out.extend(data);
        out[1] = out.len() as u8;
        out
    }

    #[test]
    fn the_service_of_a_host_interface() {
        let at = |body: &[u8]| redfish_service(&[Structure { kind: 42, body }]);
        let v4 = host_interface(1, &[169, 254, 0, 17], 443);
        assert_eq!(at(&v4), "169.254.0.17:443".parse().ok());
        let v6 = host_interface(2, &[0xfe; 16], 8443);
        assert_eq!(at(&v6).map(|a| (a.is_ipv6(), a.port())), Some((true, 8443)));
        for unset in [
            host_interface(1, &[0; 4], 443),
            host_interface(1, &[169, 254, 0, 17], 0),
            host_interface(0, &[169, 254, 0, 17], 443),
        ] {
            assert_eq!(at(&unset), None);
        }
        for end in 0..v4.len() - 5 {
            assert_eq!(at(&v4[..end]), None, "{end}");
        }
        let mut serial = v4;
        serial[4] = 7;
        assert_eq!(at(&serial), None);
    }

    #[test]
    fn a_broken_table_ends_early() {
        let table = table();
        for end in 0..table.len() {
            assert!(structures(&table[..end]).len() <= 3);
        }
        assert!(structures(&[1, 0, 0, 0, 1, 0, 0]).is_empty());
        assert!(structures(&[0xff; 100]).is_empty());
    }
}
