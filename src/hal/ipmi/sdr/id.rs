//! Id strings and their type/length byte (§43.15).

use std::fmt;

use crate::hal::ipmi::codec::Reader;
use crate::hal::ipmi::text::{self, Encoding};

/// The name in an SDR.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdString {
    /// How the bytes are text.
    pub encoding: Encoding,
    /// The bytes, at most 31.
    pub raw: Vec<u8>,
}

impl Default for IdString {
    fn default() -> Self {
        Self::latin1("")
    }
}

impl IdString {
    /// The longest name in bytes. The specification wants 16 at most and reserves 31, but BMCs use it.
    pub const MAX: usize = 31;

    /// 8-bit text, cut after 16 characters as the specification wants it.
    pub fn latin1(name: &str) -> Self {
        Self::new(Encoding::Latin1, name)
    }

    /// Text in `encoding`, cut after 16 bytes.
    pub fn new(encoding: Encoding, name: &str) -> Self {
        let mut raw = text::encode(encoding, name);
        raw.truncate(16);
        Self { encoding, raw }
    }

    /// Reads type/length byte and name. A name that says it is longer than the record ends with the record.
    pub(super) fn decode(r: &mut Reader<'_>) -> Self {
        let Some(code) = r.opt_u8() else {
            return Self::default();
        };
        let length = usize::from(code & 0x1f).min(r.remaining());
        let raw = r.bytes("ID string", length).unwrap_or_default();
        let encoding = match code >> 6 {
            // The specification has Unicode here; BMCs that mean ASCII are told by the absence of NULs.
            0 if raw.len() % 2 == 1 || !raw.contains(&0) && raw.is_ascii() => Encoding::Latin1,
            0 => Encoding::Utf16,
            1 => Encoding::BcdPlus,
            2 => Encoding::SixBit,
            _ => Encoding::Latin1,
        };
        Self {
            encoding,
            raw: raw.to_vec(),
        }
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        let kind: u8 = match self.encoding {
            Encoding::Utf16 => 0,
            Encoding::BcdPlus => 1,
            Encoding::SixBit => 2,
            Encoding::Latin1 | Encoding::Binary => 3,
        };
        let raw = self.raw.get(..Self::MAX).unwrap_or(&self.raw);
        out.push((kind << 6) | raw.len() as u8);
        out.extend(raw);
    }
}

impl fmt::Display for IdString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&text::decode(self.encoding, &self.raw))
    }
}
