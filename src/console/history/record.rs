//! The form of a record: LENGTH (4), KIND (1), milliseconds since 1970 (8), LENGTH bytes, check sum of all that (4);
//! numbers are little-endian. A record that is not whole was torn by a crash.

use std::io::{self, Read};

/// What a file begins with.
pub(super) const MAGIC: &[u8] = b"halbox console 1\n";
/// Longest content.
pub(super) const LONGEST: usize = 64 << 10;
const HEAD: usize = 13;

/// What was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// Characters of the host.
    Data(Vec<u8>),
    /// What happened.
    Words(String),
}

/// A record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// When, in milliseconds since 1970.
    pub at: u64,
    /// What.
    pub what: What,
}

/// What is at some place of a file.
#[derive(Debug)]
pub(super) enum Found {
    /// A record, and how long it is there.
    Record(Record, u64),
    /// The end, or the beginning of a record.
    End,
    /// No record.
    Damaged,
}

impl Record {
    /// Adds it to what is going to be written; too long content is cut into several.
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        let (kind, bytes) = match &self.what {
            What::Data(data) => (0u8, data.as_slice()),
            What::Words(words) => (1, words.as_bytes()),
        };
        for part in bytes.chunks(LONGEST) {
            let start = out.len();
            out.extend((part.len() as u32).to_le_bytes());
            out.push(kind);
            out.extend(self.at.to_le_bytes());
            out.extend(part);
            let sum = check(out.get(start..).unwrap_or_default());
            out.extend(sum.to_le_bytes());
        }
    }

    /// Reads the record that comes next.
    pub(super) fn decode(file: &mut impl Read) -> io::Result<Found> {
        let mut bytes = Vec::with_capacity(256);
        if fill(file, &mut bytes, HEAD)? < HEAD {
            return Ok(Found::End);
        }
        let Some((head, _)) = bytes.split_first_chunk::<HEAD>() else {
            return Ok(Found::End);
        };
        let [a, b, c, d, kind, at @ ..] = *head;
        let length = u32::from_le_bytes([a, b, c, d]) as usize;
        let at = u64::from_le_bytes(at);
        if length > LONGEST || kind > 1 {
            return Ok(Found::Damaged);
        }
        let whole = HEAD + length + 4;
        if fill(file, &mut bytes, whole)? < whole {
            return Ok(Found::End);
        }
        let Some((body, sum)) = bytes.split_last_chunk::<4>() else {
            return Ok(Found::End);
        };
        if check(body) != u32::from_le_bytes(*sum) {
            return Ok(Found::Damaged);
        }
        let content = body.get(HEAD..).unwrap_or_default().to_vec();
        let what = match kind {
            0 => What::Data(content),
            _ => What::Words(String::from_utf8_lossy(&content).into_owned()),
        };
        Ok(Found::Record(Record { at, what }, whole as u64))
    }
}

/// Reads until there are `n` bytes, or the file ends; how many there are.
fn fill(file: &mut impl Read, bytes: &mut Vec<u8>, n: usize) -> io::Result<usize> {
    let want = n.saturating_sub(bytes.len()) as u64;
    file.by_ref().take(want).read_to_end(bytes)?;
    Ok(bytes.len())
}

/// FNV-1a: it tells torn from whole, nothing more.
fn check(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |sum, byte| {
        (sum ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
    })
}
