//! The audit log: who changed what. One record per line, each bound to the one before by a hash, on disk before the
//! caller gets his answer. No secrets go in here.
//!
//! A line is `LENGTH HASH JSON`: LENGTH of the JSON in bytes, HASH = SHA-256(hash of the line before, JSON) in hex. A
//! last line that is not whole was torn by a crash; anything else that does not fit was changed by somebody.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::hal::{Error, Kind, Result};

/// Longest record that is read.
const LONGEST: u64 = 1 << 20;

/// The hash before the first record.
const START: [u8; 32] = [0; 32];

/// What happened.
#[derive(Debug, Clone, Serialize)]
pub struct Entry {
    /// When, in milliseconds since 1970.
    pub at: u64,
    /// Who.
    pub who: String,
    /// What: `power.set cycle`, `update`, …
    pub what: String,
    /// The BMC.
    pub mac: Option<String>,
    /// `begun`, `ok`, or the kind of the error. What is begun and has no second record was interrupted.
    pub result: String,
}

/// An audit log that is open.
pub struct Audit {
    file: File,
    written: Mutex<Written>,
    /// How many records are on disk; held by who waits for the disk, for all that were written before.
    synced: Mutex<u64>,
}

struct Written {
    last: [u8; 32],
    records: u64,
    /// Bytes of whole records.
    bytes: u64,
}

impl fmt::Debug for Audit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Audit").finish_non_exhaustive()
    }
}

/// What a look at a log has shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checked {
    /// Whole records that fit together.
    pub records: u64,
    /// Bytes of a last record that was not finished.
    pub torn: u64,
    last: [u8; 32],
    whole: u64,
}

fn failed(path: &Path) -> impl Fn(io::Error) -> Error {
    move |e| Error::new(Kind::Other, format!("audit log {}", path.display())).with_source(e)
}

/// Checks a log from its first record to its last. `Refused`: it was changed; the record is named.
pub fn verify(path: &Path) -> Result<Checked> {
    let failed = failed(path);
    let mut input = BufReader::new(File::open(path).map_err(&failed)?);
    let mut checked = Checked {
        records: 0,
        torn: 0,
        last: START,
        whole: 0,
    };
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = (&mut input)
            .take(LONGEST)
            .read_until(b'\n', &mut line)
            .map_err(&failed)? as u64;
        if read == 0 {
            return Ok(checked);
        }
        if let Some(hash) = fits(&line, &checked.last) {
            checked.last = hash;
            checked.records += 1;
            checked.whole += read;
            continue;
        }
        let more = input.fill_buf().map_err(&failed)?;
        if more.is_empty() && line.last() != Some(&b'\n') {
            checked.torn = read;
            return Ok(checked);
        }
        return Err(Error::new(
            Kind::Refused,
            format!(
                "audit log {}: record {} was changed, or one before it was taken out",
                path.display(),
                checked.records + 1
            ),
        ));
    }
}

/// The hash of a line that follows on `last`; `None` when it does not.
fn fits(line: &[u8], last: &[u8; 32]) -> Option<[u8; 32]> {
    let line = line.strip_suffix(b"\n")?;
    let text = std::str::from_utf8(line).ok()?;
    let (length, rest) = text.split_once(' ')?;
    let (hash, json) = rest.split_once(' ')?;
    let want = hash_of(last, json.as_bytes());
    (length.parse() == Ok(json.len()) && hash == hex(&want)).then_some(want)
}

fn hash_of(last: &[u8; 32], json: &[u8]) -> [u8; 32] {
    Sha256::new()
        .chain_update(last)
        .chain_update(json)
        .finalize()
        .into()
}

fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes.iter().fold(String::new(), |mut out, b| {
        let _ = write!(out, "{b:02x}");
        out
    })
}

impl Audit {
    /// Opens (or makes) a log. A torn last record is taken off; a log that was changed is refused.
    pub fn open(path: &Path) -> Result<Self> {
        let failed = failed(path);
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .mode(0o600)
            .open(path)
            .map_err(&failed)?;
        let checked = verify(path).map_err(|e| {
            e.with_hint(
                "move it away; halbox begins a new one, and the old one keeps what it shows",
            )
        })?;
        if checked.torn > 0 {
            log::warn!(
                "{}: the last record was not finished (a crash); it is taken off",
                path.display()
            );
            file.set_len(checked.whole).map_err(&failed)?;
        }
        file.seek(SeekFrom::End(0)).map_err(&failed)?;
        Ok(Self {
            file,
            written: Mutex::new(Written {
                last: checked.last,
                records: 0,
                bytes: checked.whole,
            }),
            synced: Mutex::new(0),
        })
    }

    /// Writes a record and waits until it is on disk.
    pub async fn write(self: &Arc<Self>, entry: Entry) -> Result<()> {
        let this = Arc::clone(self);
        let done = tokio::task::spawn_blocking(move || this.append(&entry)).await;
        done.unwrap_or_else(|_| Err(Error::new(Kind::Other, "audit log: writing failed inside")))
    }

    fn append(&self, entry: &Entry) -> Result<()> {
        let failed = |e: io::Error| Error::new(Kind::Other, "audit log: writing").with_source(e);
        let json = serde_json::to_string(entry).map_err(|e| failed(e.into()))?;
        let mine = {
            let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
            let hash = hash_of(&written.last, json.as_bytes());
            let line = format!("{} {} {json}\n", json.len(), hex(&hash));
            if let Err(e) = (&self.file).write_all(line.as_bytes()) {
                // Half a record in the middle would look like tampering.
                let _ = self.file.set_len(written.bytes);
                let _ = (&self.file).seek(SeekFrom::End(0));
                return Err(failed(e));
            }
            written.last = hash;
            written.records += 1;
            written.bytes += line.len() as u64;
            written.records
        };
        // Those that come together wait for the disk once.
        let mut synced = self.synced.lock().unwrap_or_else(PoisonError::into_inner);
        if *synced < mine {
            let written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
            let all = written.records;
            drop(written);
            self.file.sync_data().map_err(failed)?;
            *synced = all;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(what: &str) -> Entry {
        Entry {
            at: 1,
            who: "uid 0".to_owned(),
            what: what.to_owned(),
            mac: None,
            result: "ok".to_owned(),
        }
    }

    #[test]
    fn crashes_and_changes_are_told_apart() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("audit.log");
        for what in ["one", "two", "three"] {
            Audit::open(&path).unwrap().append(&entry(what)).unwrap();
        }
        assert_eq!(verify(&path).unwrap().records, 3);
        let whole = std::fs::read(&path).unwrap();
        // Torn in the middle of the last record: taken off, the rest goes on.
        std::fs::write(&path, &whole[..whole.len() - 5]).unwrap();
        let checked = verify(&path).unwrap();
        assert!(checked.records == 2 && checked.torn > 0);
        Audit::open(&path).unwrap().append(&entry("four")).unwrap();
        assert_eq!(verify(&path).unwrap().records, 3);
        // Changed, or a record taken out: named and refused.
        let changed = String::from_utf8(whole.clone())
            .unwrap()
            .replace("two", "TWO");
        std::fs::write(&path, changed).unwrap();
        assert!(verify(&path).unwrap_err().chain().contains("record 2"));
        let first = whole.iter().position(|b| *b == b'\n').unwrap() + 1;
        std::fs::write(&path, &whole[first..]).unwrap();
        assert!(verify(&path).unwrap_err().chain().contains("record 1"));
        assert!(Audit::open(&path).is_err());
    }
}
