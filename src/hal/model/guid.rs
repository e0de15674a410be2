//! 16-byte machine ids and their three byte orders.

use std::fmt;

use serde::{Serialize, Serializer};

/// The 16 bytes of Get System GUID, as they stood on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Guid(pub [u8; 16]);

/// How a BMC ordered the bytes of its GUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GuidOrder {
    /// As RFC 4122 prints it.
    Rfc4122,
    /// All 16 bytes reversed (IPMI 2.0 §20.8).
    Ipmi,
    /// The first three fields little-endian (SMBIOS 2.6 and later).
    Smbios,
}

impl Guid {
    /// All zeroes or all ones: no usable id.
    pub fn is_blank(self) -> bool {
        self.0 == [0; 16] || self.0 == [0xff; 16]
    }

    /// The bytes in RFC 4122 order, if they were sent in `order`.
    #[must_use]
    pub fn reordered(self, order: GuidOrder) -> [u8; 16] {
        let mut b = self.0;
        match order {
            GuidOrder::Rfc4122 => {}
            GuidOrder::Ipmi => b.reverse(),
            GuidOrder::Smbios => {
                b[0..4].reverse();
                b[4..6].reverse();
                b[6..8].reverse();
            }
        }
        b
    }

    /// The UUID as text, if the bytes were sent in `order`.
    pub fn to_uuid(self, order: GuidOrder) -> String {
        uuid_text(&self.reordered(order))
    }

    /// The order in which these bytes make a plausible UUID: version 1..5, variant 10x, and for
    /// version 1 a time between 1995 and `now_unix` + 1 year. SMBIOS order (what the machine's own
    /// firmware shows) wins when several fit, and also when none does.
    pub fn likely_order(self, now_unix: u64) -> GuidOrder {
        [GuidOrder::Smbios, GuidOrder::Rfc4122, GuidOrder::Ipmi]
            .into_iter()
            .find(|o| plausible(&self.reordered(*o), now_unix))
            .unwrap_or(GuidOrder::Smbios)
    }
}

fn plausible(b: &[u8; 16], now_unix: u64) -> bool {
    let version = b[6] >> 4;
    if !(1..=5).contains(&version) || b[8] & 0xc0 != 0x80 {
        return false;
    }
    if version != 1 {
        return true;
    }
    // 100 ns steps since 1582-10-15; 0x01b21dd213814000 of them lie before 1970.
    let low = u32::from_be_bytes([b[0], b[1], b[2], b[3]]) as u64;
    let mid = u16::from_be_bytes([b[4], b[5]]) as u64;
    let high = (u16::from_be_bytes([b[6], b[7]]) & 0x0fff) as u64;
    let ticks = (high << 48) | (mid << 32) | low;
    let unix = ticks.saturating_sub(0x01b2_1dd2_1381_4000) / 10_000_000;
    (788_918_400..=now_unix.saturating_add(31_536_000)).contains(&unix)
}

fn uuid_text(b: &[u8; 16]) -> String {
    use fmt::Write as _;
    let mut out = String::with_capacity(36);
    for (i, byte) in b.iter().enumerate() {
        if matches!(i, 4 | 6 | 8 | 10) {
            out.push('-');
        }
        let _ = write!(out, "{byte:02x}");
    }
    out
}

impl fmt::Display for Guid {
    /// The raw bytes in wire order, as 32 hex digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

impl fmt::Debug for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Guid {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smbios_order_swaps_three_fields() {
        let uuid = *b"\x37\xc4\x3c\x25\x69\xfe\x4f\x88\xb6\x9d\x4e\x71\xdc\x40\x70\xd0";
        let wire = Guid(*b"\x25\x3c\xc4\x37\xfe\x69\x88\x4f\xb6\x9d\x4e\x71\xdc\x40\x70\xd0");
        assert_eq!(wire.reordered(GuidOrder::Smbios), uuid);
        assert_eq!(wire.likely_order(1_800_000_000), GuidOrder::Smbios);
        assert_eq!(
            wire.to_uuid(GuidOrder::Smbios),
            "37c43c25-69fe-4f88-b69d-4e71dc4070d0"
        );
        assert_eq!(Guid(uuid).likely_order(1_800_000_000), GuidOrder::Rfc4122);
    }
}
