//! Texts that the host told its BMC (§22.14a): the version of its firmware.

use crate::hal::error::Result;
use crate::hal::ipmi::Exchange;
use crate::hal::ipmi::cmd::app::GetSystemInfoParameters;
use crate::hal::ipmi::exchange::run;
use crate::hal::model::Cx;

use super::is_answer;

/// Pieces of a text at most: its length is one byte, and a piece has 14 or 16 bytes.
const MOST_PIECES: u8 = 17;

/// The text `parameter`; `None` when it is empty. A text of which the BMC refuses a later piece ends there.
pub(super) async fn text(bmc: &dyn Exchange, cx: &Cx, parameter: u8) -> Result<Option<String>> {
    let first = run(bmc, cx, &GetSystemInfoParameters::text(parameter, 0)).await?;
    let [_, encoding, length, bytes @ ..] = first.data.as_slice() else {
        return Ok(None);
    };
    let length = usize::from(*length);
    let mut text = bytes.to_vec();
    for set in 1..MOST_PIECES {
        if text.len() >= length {
            break;
        }
        match run(bmc, cx, &GetSystemInfoParameters::text(parameter, set)).await {
            Ok(piece) => match piece.data.split_first() {
                // A BMC that ignores the selector says so: its piece has another number.
                Some((number, bytes)) if *number == set && !bytes.is_empty() => text.extend(bytes),
                _ => break,
            },
            Err(error) if is_answer(&error) => break,
            Err(error) => return Err(error),
        }
    }
    text.truncate(length);
    Ok(decode(encoding & 0x0f, &text))
}

/// Encodings: 0 ASCII and Latin-1, 1 UTF-8, 2 UCS-2. The text ends at its first zero.
fn decode(encoding: u8, bytes: &[u8]) -> Option<String> {
    let text: String = match encoding {
        1 => String::from_utf8_lossy(bytes).into_owned(),
        2 => bytes
            .chunks_exact(2)
            .filter_map(|pair| pair.first_chunk().copied().map(u16::from_le_bytes))
            .map(|unit| char::from_u32(u32::from(unit)).unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect(),
        _ => bytes.iter().map(|byte| char::from(*byte)).collect(),
    };
    let text = text.split('\0').next().unwrap_or_default().trim();
    let shown = !text.is_empty() && !text.chars().any(char::is_control);
    shown.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::scripted::{Scripted, cx};
    use super::*;
    use crate::hal::error::Kind;

    async fn version(steps: &[(&str, &str)]) -> Result<Option<String>, Kind> {
        let bmc = Scripted::in_order(steps);
        let got = text(&*bmc, &cx(), GetSystemInfoParameters::FIRMWARE_VERSION).await;
        bmc.assert_done();
        got.map_err(|e| e.kind())
    }

    const FIRST: (&str, &str) = (
        "06 59 00 01 00 00",
        "00 11 00 00 12 41 42 43 44 45 46 47 48 49 4a 4b 4c 4d 4e",
    );

    #[tokio::test]
    async fn in_pieces() {
        assert_eq!(
            version(&[("06 59 00 01 00 00", "00 11 00 00 03 33 2e 36 ff ff")]).await,
            Ok(Some("3.6".into()))
        );
        let second = ("06 59 00 01 01 00", "00 11 01 4f 50 51 52 00 00");
        assert_eq!(
            version(&[FIRST, second]).await,
            Ok(Some("ABCDEFGHIJKLMNOPQR".into()))
        );
        // The rest is refused, or the first piece comes again.
        for answer in ["c9", "00 11 00 00 12 41", "00 11"] {
            let got = version(&[FIRST, ("06 59 00 01 01 00", answer)]).await;
            assert_eq!(got, Ok(Some("ABCDEFGHIJKLMN".into())), "{answer}");
        }
    }

    #[tokio::test]
    async fn nothing_usable() {
        for answer in [
            "00 11",
            "00 11 00 00",
            "00 11 00 00 00",
            "00 11 00 00 02 00 00",
            "00 11 00 00 02 01 02",
        ] {
            assert_eq!(
                version(&[("06 59 00 01 00 00", answer)]).await,
                Ok(None),
                "{answer}"
            );
        }
        assert_eq!(
            version(&[("06 59 00 01 00 00", "d4")]).await,
            Err(Kind::Privilege)
        );
        assert_eq!(
            version(&[FIRST, ("06 59 00 01 01 00", "timeout")]).await,
            Err(Kind::Timeout)
        );
    }

    /// It says that there are 255 bytes and never sends more than one at a time.
    #[tokio::test]
    async fn endless() {
        let table: Vec<(String, String)> = (0..=255)
            .map(|set| {
                let first = if set == 0 { " 00 ff" } else { "" };
                (
                    format!("06 59 00 01 {set:02x} 00"),
                    format!("00 11 {set:02x}{first} 41"),
                )
            })
            .collect();
        let table: Vec<(&str, &str)> = table
            .iter()
            .map(|(a, b)| (a.as_str(), b.as_str()))
            .collect();
        let bmc = Scripted::answering(&table);
        let got = text(&*bmc, &cx(), 1).await.unwrap();
        assert_eq!(got, Some("A".repeat(usize::from(MOST_PIECES))));
        assert_eq!(bmc.sent().len(), usize::from(MOST_PIECES));
    }

    #[test]
    fn encodings() {
        assert_eq!(decode(1, "é1".as_bytes()).as_deref(), Some("é1"));
        assert_eq!(decode(0, &[0xe9, b'1']).as_deref(), Some("é1"));
        assert_eq!(decode(2, &[b'1', 0, 0xe9, 0, 0]).as_deref(), Some("1é"));
        assert_eq!(decode(1, &[0xff]).as_deref(), Some("\u{fffd}"));
    }
}
