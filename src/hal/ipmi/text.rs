//! The text encodings that FRU fields and SDR id strings share (FRU specification §13, IPMI §43.15).
//!
//! Decoding never fails: what is no text is shown as U+FFFD, so that nothing from a BMC reaches a terminal as a
//! control character.

/// How text is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// No text: shown in hex.
    Binary,
    /// Two digits of `0-9 space - . : , _` per byte, the first one in the high nibble.
    BcdPlus,
    /// Four characters of 0x20..0x5f in three bytes, the first one in the lowest bits.
    SixBit,
    /// One byte per character: ASCII and Latin-1.
    Latin1,
    /// Two bytes per character, low byte first.
    Utf16,
}

const BCD_PLUS: &[u8; 16] = b"0123456789 -.:,_";

/// Decodes `raw`. Text ends at the first NUL (not in binary), and fill at its end (0xff, control characters,
/// blanks) is cut.
pub fn decode(encoding: Encoding, raw: &[u8]) -> String {
    let mut text: String = match encoding {
        Encoding::Binary => return super::codec::hex(raw),
        Encoding::BcdPlus => raw
            .iter()
            .flat_map(|b| [b >> 4, b & 0x0f])
            .filter_map(|digit| BCD_PLUS.get(usize::from(digit)).copied())
            .map(char::from)
            .collect(),
        Encoding::SixBit => six_bit(raw),
        Encoding::Latin1 => raw
            .iter()
            .take_while(|b| **b != 0)
            .map(|b| char::from(*b))
            .collect(),
        Encoding::Utf16 => {
            let units = raw.chunks_exact(2).filter_map(|pair| match pair {
                [low, high] => Some(u16::from_le_bytes([*low, *high])),
                _ => None,
            });
            char::decode_utf16(units.take_while(|u| *u != 0))
                .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
                .collect()
        }
    };
    text.truncate(text.trim_end_matches(is_fill).len());
    if text.chars().any(char::is_control) {
        text = text
            .chars()
            .map(|c| Some(c).filter(|c| !c.is_control()))
            .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect();
    }
    text
}

/// Fill that BMCs leave behind a text: blanks, control characters, and the 0xff and 0xfe of erased memory.
fn is_fill(c: char) -> bool {
    c.is_control() || matches!(c, ' ' | '\u{ff}' | '\u{fe}' | '\u{ffff}')
}

fn six_bit(raw: &[u8]) -> String {
    let mut out = String::with_capacity(raw.len().saturating_mul(4) / 3);
    let (mut bits, mut held) = (0u32, 0u32);
    for byte in raw {
        bits |= u32::from(*byte) << held;
        held += 8;
        while held >= 6 {
            out.push(char::from(0x20 + (bits & 0x3f) as u8));
            bits >>= 6;
            held -= 6;
        }
    }
    out
}

/// Encodes `text`; characters that the encoding has not become `?` (a blank in BCD plus). Binary takes hex.
pub fn encode(encoding: Encoding, text: &str) -> Vec<u8> {
    match encoding {
        Encoding::Binary => from_hex(text),
        Encoding::Latin1 => text
            .chars()
            .map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?'))
            .collect(),
        Encoding::Utf16 => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        Encoding::BcdPlus => {
            let digits: Vec<u8> = text.chars().map(bcd_digit).collect();
            digits
                .chunks(2)
                .map(|pair| match pair {
                    [high, low] => (high << 4) | low,
                    [high, ..] => (high << 4) | 0x0a,
                    [] => 0xaa,
                })
                .collect()
        }
        Encoding::SixBit => {
            let mut out = Vec::new();
            let (mut bits, mut held) = (0u32, 0u32);
            for c in text.chars() {
                let c = c.to_ascii_uppercase();
                let code = u32::from(c).wrapping_sub(0x20);
                bits |= (if code < 0x40 { code } else { 0x1f }) << held;
                held += 6;
                if held >= 8 {
                    out.push(bits as u8);
                    bits >>= 8;
                    held -= 8;
                }
            }
            if held > 0 {
                out.push(bits as u8);
            }
            out
        }
    }
}

fn bcd_digit(c: char) -> u8 {
    BCD_PLUS
        .iter()
        .position(|d| char::from(*d) == c)
        .unwrap_or(0x0a) as u8
}

fn from_hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .chars()
        .filter_map(|c| c.to_digit(16))
        .map(|d| d as u8)
        .collect();
    digits
        .chunks(2)
        .map(|pair| pair.iter().fold(0, |byte, digit| (byte << 4) | digit))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn six_bit_of_the_specification() {
        // §43.15: "IPMI" is 29 dc a6 in packed 6-bit ASCII.
        assert_eq!(decode(Encoding::SixBit, &[0x29, 0xdc, 0xa6]), "IPMI");
        assert_eq!(encode(Encoding::SixBit, "IPMI"), [0x29, 0xdc, 0xa6]);
        // Odd lengths: what does not make six bits is dropped.
        assert_eq!(decode(Encoding::SixBit, &[0x29]), "I");
        assert_eq!(decode(Encoding::SixBit, &[0x29, 0xdc]), "IP");
    }

    #[test]
    fn bcd_plus() {
        assert_eq!(decode(Encoding::BcdPlus, &[0x12, 0xb3, 0xc4]), "12-3.4");
        assert_eq!(encode(Encoding::BcdPlus, "12-3.4"), [0x12, 0xb3, 0xc4]);
        assert_eq!(
            decode(Encoding::BcdPlus, &encode(Encoding::BcdPlus, "123")),
            "123"
        );
    }

    #[test]
    fn fill_is_cut_and_control_characters_do_not_get_through() {
        let latin = |raw: &[u8]| decode(Encoding::Latin1, raw);
        assert_eq!(latin(b"X11DPT-B  \xff\xff"), "X11DPT-B");
        assert_eq!(latin(b"serial\0garbage"), "serial");
        assert_eq!(latin(b"a\x1b[2Jb\x03"), "a\u{fffd}[2Jb");
        assert_eq!(latin(b"M\xfcnchen"), "München");
        assert_eq!(latin(&[0xff; 12]), "");
        assert_eq!(decode(Encoding::Utf16, b"A\0\x2d\x4e\x20\0"), "A\u{4e2d}");
        assert_eq!(decode(Encoding::Utf16, b"\x00\xd8"), "\u{fffd}");
    }

    proptest! {
        #[test]
        fn never_a_control_character(raw: Vec<u8>, which in 0usize..5) {
            use Encoding::{BcdPlus, Binary, Latin1, SixBit, Utf16};
            let all = [Binary, BcdPlus, SixBit, Latin1, Utf16];
            let text = decode(all[which], &raw);
            prop_assert!(!text.chars().any(char::is_control));
        }

        #[test]
        fn round_trip(text in "[A-Z0-9][A-Z0-9 .:-]{0,20}[A-Z0-9]", which in 2usize..5) {
            use Encoding::{Latin1, SixBit, Utf16};
            let encoding = [SixBit, Latin1, Utf16][which - 2];
            prop_assert_eq!(decode(encoding, &encode(encoding, &text)), text);
        }
    }
}
