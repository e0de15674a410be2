//! What consoles said, on disk: a folder per BMC, files that are rotated, records with time and check sum. Only the
//! daemon's user may read them: hosts say secrets.

mod reader;
mod record;
mod tape;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;

pub use reader::Reader;
pub use record::{Record, What};
use tape::Tape;

use crate::hal::model::MacAddr;
use crate::hal::model::order::Order;
use crate::hal::{Error, Kind, Result};

/// How much is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes per BMC.
    pub each: u64,
    /// Bytes of all BMCs.
    pub all: u64,
}

impl Limits {
    /// Bytes per file: the oldest goes when there is too much.
    fn file(self) -> u64 {
        (self.each / 8).max(4096)
    }
}

/// The history of one BMC.
pub struct History {
    folder: PathBuf,
    limits: Limits,
    tape: Mutex<Option<Tape>>,
    /// It was erased: nothing is written any more.
    erased: AtomicBool,
    pulse: watch::Sender<u64>,
}

impl fmt::Debug for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("History")
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}

impl History {
    /// The history of a BMC below a folder. Nothing is made before something is written.
    pub fn new(folder: &Path, mac: MacAddr, limits: Limits) -> Self {
        Self {
            folder: folder.join(mac.to_string().replace(':', "-")),
            limits,
            tape: Mutex::new(None),
            erased: AtomicBool::new(false),
            pulse: watch::Sender::new(0),
        }
    }

    fn failed(&self) -> impl FnOnce(io::Error) -> Error {
        let what = format!("console history {}", self.folder.display());
        move |e| Error::new(Kind::Other, what).with_source(e)
    }

    /// Adds records. Blocks.
    pub fn append(&self, records: &[Record]) -> Result<()> {
        let mut guard = self.tape.lock().unwrap_or_else(PoisonError::into_inner);
        if self.erased.load(Ordering::Acquire) {
            return Ok(());
        }
        let done = (|| {
            if guard.is_none() {
                *guard = Some(Tape::open(&self.folder, self.limits)?);
            }
            guard.as_mut().map_or(Ok(()), |tape| tape.append(records))
        })();
        if done.is_err() {
            // Looked at anew next time.
            *guard = None;
        }
        drop(guard);
        self.pulse.send_modify(|n| *n += 1);
        done.map_err(self.failed())
    }

    /// Takes all of it away. Blocks.
    pub fn erase(&self) -> Result<()> {
        let mut guard = self.tape.lock().unwrap_or_else(PoisonError::into_inner);
        self.erased.store(true, Ordering::Release);
        *guard = None;
        match std::fs::remove_dir_all(&self.folder) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(self.failed()(e)),
            _ => Ok(()),
        }
    }

    /// Reads it from the oldest record on that is not older than `since` (milliseconds since 1970).
    pub fn reader(&self, since: u64) -> Reader {
        Reader::new(&self.folder, since)
    }

    /// Changes whenever something was added.
    pub fn pulse(&self) -> watch::Receiver<u64> {
        self.pulse.subscribe()
    }
}

/// Takes the oldest files of all BMCs away, until no more than `most` bytes are kept. Blocks.
pub fn sweep(root: &Path, most: u64) -> io::Result<()> {
    let entries = match std::fs::read_dir(root) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    let mut all = Vec::new();
    for folder in entries {
        for (_, path) in files(&folder?.path())? {
            // One that went meanwhile takes no room.
            if let Ok(about) = std::fs::metadata(&path) {
                all.push((about.modified()?, about.len(), path));
            }
        }
    }
    all.sort();
    let mut total: u64 = all.iter().map(|(_, size, _)| size).sum();
    for (_, size, path) in all {
        if total <= most {
            break;
        }
        if std::fs::remove_file(&path).is_ok() {
            total -= size;
        }
    }
    Ok(())
}

/// The files of a folder by number, oldest first; none where there is no folder.
fn files(folder: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(e),
    };
    let mut out = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().and_then(|n| n.to_str());
        let number = name.and_then(|n| n.strip_suffix(".rec")?.parse::<u64>().ok());
        if let Some(number) = number {
            out.push((number, path));
        }
    }
    out.order_by(Ord::cmp);
    Ok(out)
}

fn path_of(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:08}.rec"))
}

#[cfg(test)]
mod tests;
