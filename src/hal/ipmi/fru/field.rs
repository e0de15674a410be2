//! Type/length bytes and their fields (§13).

use std::fmt;

use crate::hal::ipmi::text::{self, Encoding};

/// The type/length byte that ends the fields of an area.
pub(super) const END: u8 = 0xc1;

/// Language code of a board or product area (§15).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Language(pub u8);

impl Language {
    /// English: both codes stand for it.
    pub const ENGLISH: Self = Self(0);

    /// 8-bit fields of other languages are UTF-16.
    pub fn is_english(self) -> bool {
        matches!(self.0, 0 | 25)
    }
}

/// One field: bytes and how they are text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// How the bytes are text.
    pub encoding: Encoding,
    /// The bytes, at most 63.
    pub raw: Vec<u8>,
}

impl Field {
    /// 8-bit text, cut after 63 characters.
    pub fn latin1(value: &str) -> Self {
        Self::new(Encoding::Latin1, value)
    }

    /// Text in `encoding`, cut after 63 bytes.
    pub fn new(encoding: Encoding, value: &str) -> Self {
        let mut raw = text::encode(encoding, value);
        raw.truncate(63);
        Self { encoding, raw }
    }

    /// The text without fill; `None` where there is none.
    pub fn text(&self) -> Option<String> {
        let value = text::decode(self.encoding, &self.raw);
        (!value.is_empty()).then_some(value)
    }

    /// From the type/length byte and its bytes.
    pub(super) fn decode(code: u8, raw: &[u8], language: Language) -> Self {
        let encoding = match code >> 6 {
            0 => Encoding::Binary,
            1 => Encoding::BcdPlus,
            2 => Encoding::SixBit,
            _ if language.is_english() || !looks_like_utf16(raw) => Encoding::Latin1,
            _ => Encoding::Utf16,
        };
        Self {
            encoding,
            raw: raw.to_vec(),
        }
    }

    /// Appends type/length byte and bytes. One byte of 8-bit text gets a blank: its code would be the end marker.
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        let kind: u8 = match self.encoding {
            Encoding::Binary => 0,
            Encoding::BcdPlus => 1,
            Encoding::SixBit => 2,
            Encoding::Latin1 | Encoding::Utf16 => 3,
        };
        let raw = self.raw.get(..63).unwrap_or(&self.raw);
        let pad = kind == 3 && raw.len() == 1;
        out.push((kind << 6) | (raw.len() as u8 + u8::from(pad)));
        out.extend(raw);
        if pad {
            out.push(b' ');
        }
    }
}

/// Many BMCs give a language other than English and store ASCII all the same. Pairs of bytes are UTF-16 only when
/// their number is even and they are not all printable ASCII.
fn looks_like_utf16(raw: &[u8]) -> bool {
    raw.len().is_multiple_of(2) && !raw.iter().all(|b| matches!(b, 0x20..=0x7e))
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&text::decode(self.encoding, &self.raw))
    }
}
