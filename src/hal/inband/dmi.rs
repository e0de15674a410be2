//! SMBIOS structures (DSP0134): as much as tells the machine's UUID, and whether there is a Redfish host interface.

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
