//! The lease files on disk: read when they change, watched by their folders (they are rewritten and renamed).

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io::BufReader;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant, SystemTime};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use tokio::sync::Notify;

use super::leases::{self, Lease};
use crate::hal::model::order::Order;

/// A file whose reading took long is not read again at once.
const REST: u32 = 5;

/// A lease that is no longer in its file counts so much longer: dnsmasq empties its file before it writes it anew.
const GRACE: Duration = Duration::from_secs(3);

/// A file that changed so short ago may have changed again within the same tick of the file system's clock.
const RACY: Duration = Duration::from_millis(50);

/// What Kea's clean-up leaves beside its file, oldest first: a cleaned file that waits to be taken, else what was cleaned
/// before and what it is busy with. The file itself begins anew with every clean-up.
const CLEANED: [&str; 3] = ["completed", "2", "1"];

/// What is known of one lease file.
#[derive(Debug, Clone, Default)]
pub struct FileState {
    /// Whose file it is.
    pub format: leases::Format,
    /// The leases in it.
    pub leases: Arc<[Lease]>,
    /// Lines that could not be read.
    pub bad: u64,
    /// Why the whole file could not be read.
    pub error: Option<String>,
    /// When it was read, in milliseconds since 1970.
    pub read_at: Option<u64>,
    /// What the last reading found.
    fresh: Arc<[Lease]>,
    /// What an earlier one found and the last did not, and when it was missed first.
    missed: Vec<(Lease, Instant)>,
    stamps: Vec<Stamp>,
    again: Option<Instant>,
}

/// What shows that a file has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    size: u64,
    modified: (i64, i64),
}

/// All lease files.
#[derive(Debug, Clone)]
pub struct LeaseFiles {
    files: HashMap<PathBuf, FileState>,
    order: Vec<PathBuf>,
}

impl LeaseFiles {
    /// The files of these paths; they need not exist yet.
    pub fn new(paths: &[PathBuf]) -> Self {
        Self {
            files: paths
                .iter()
                .map(|p| (p.clone(), FileState::default()))
                .collect(),
            order: paths.to_vec(),
        }
    }

    /// These files, with what is known of those that were there before.
    #[must_use]
    pub fn only(&self, paths: &[PathBuf]) -> Self {
        let mut new = Self::new(paths);
        for (path, state) in &mut new.files {
            if let Some(known) = self.files.get(path) {
                state.clone_from(known);
            }
        }
        new
    }

    /// The files in the order of the configuration.
    pub fn iter(&self) -> impl Iterator<Item = (&Path, &FileState)> {
        self.order
            .iter()
            .filter_map(|p| Some((p.as_path(), self.files.get(p)?)))
    }

    /// Reads those that have changed, and tells when to read again though nothing is reported. Blocks: to be called
    /// where that is allowed.
    pub fn read(&mut self) -> Option<Instant> {
        for (path, state) in &mut self.files {
            state.read(path);
        }
        self.files.values().filter_map(|state| state.again).min()
    }
}

impl FileState {
    fn read(&mut self, path: &Path) {
        if self.again.is_some_and(|at| at > Instant::now()) {
            return;
        }
        self.again = None;
        let parts = parts(path);
        let stamps: Vec<Stamp> = parts.iter().filter_map(|p| Stamp::of(p)).collect();
        if stamps.is_empty() || stamps != self.stamps {
            let begun = Instant::now();
            let racy = stamps.iter().any(Stamp::is_racy);
            self.stamps = if racy { Vec::new() } else { stamps };
            match read_all(&parts) {
                Ok(found) => self.take(path, found),
                Err(e) => {
                    let words = e.to_string();
                    if self.error.as_ref() != Some(&words) {
                        log::warn!("{}: {words}", path.display());
                    }
                    // What was read before still counts: a file that is being replaced is back in a moment.
                    self.error = Some(words);
                }
            }
            let rest = begun.elapsed() * REST;
            if racy || rest > RACY {
                self.again = Some(Instant::now() + rest.max(RACY));
            }
        }
        self.miss();
    }

    fn take(&mut self, path: &Path, found: leases::Leases) {
        if found.bad_count > 0 && found.bad_count != self.bad {
            for bad in found.bad.iter().take(5) {
                log::warn!("{}:{}: {}", path.display(), bad.line, bad.why);
            }
        }
        let now = Instant::now();
        // Another word on the same address, or a new lease of the same client, is no absence.
        let macs: HashSet<_> = found.leases.values().map(|l| l.mac).collect();
        let said = |lease: &Lease| {
            found.leases.contains_key(&lease.ip)
                || found.cleared.contains(&lease.ip)
                || macs.contains(&lease.mac)
        };
        self.missed.retain(|(lease, _)| !said(lease));
        let newly = self.fresh.iter().filter(|l| !said(l));
        self.missed.extend(newly.map(|l| (l.clone(), now)));
        self.bad = found.bad_count;
        self.format = found.format;
        self.fresh = found.leases.into_values().collect();
        self.error = None;
        self.read_at = Some(super::now());
        self.leases = self.together();
    }

    /// Forgets what was missed for long enough.
    fn miss(&mut self) {
        if self.missed.is_empty() {
            return;
        }
        let before = self.missed.len();
        self.missed.retain(|(_, since)| since.elapsed() < GRACE);
        if self.missed.len() != before {
            self.leases = self.together();
        }
        if let Some(next) = self.missed.iter().map(|(_, since)| *since + GRACE).min() {
            self.again = Some(self.again.map_or(next, |at| at.min(next)));
        }
    }

    fn together(&self) -> Arc<[Lease]> {
        if self.missed.is_empty() {
            return Arc::clone(&self.fresh);
        }
        let missed = self.missed.iter().map(|(lease, _)| lease);
        self.fresh.iter().chain(missed).cloned().collect()
    }
}

impl Stamp {
    fn of(path: &Path) -> Option<Self> {
        let m = fs::metadata(path).ok()?;
        Some(Self {
            inode: m.ino(),
            size: m.size(),
            modified: (m.mtime(), m.mtime_nsec()),
        })
    }

    fn is_racy(&self) -> bool {
        let (seconds, nanos) = self.modified;
        let at = Duration::new(
            u64::try_from(seconds).unwrap_or(0),
            u32::try_from(nanos).unwrap_or(0),
        );
        SystemTime::UNIX_EPOCH
            .elapsed()
            .is_ok_and(|now| now.saturating_sub(at) < RACY)
    }
}

/// The files that are read as one, the newest last.
fn parts(path: &Path) -> Vec<PathBuf> {
    let beside = |end: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(".");
        name.push(end);
        Some(PathBuf::from(name)).filter(|p| p.is_file())
    };
    let [completed, older, busy] = CLEANED;
    let mut parts = match beside(completed) {
        Some(completed) => vec![completed],
        None => [beside(older), beside(busy)]
            .into_iter()
            .flatten()
            .collect(),
    };
    parts.push(path.to_owned());
    parts
}

/// Files that others than Kea left beside (old logs, copies) do not count.
fn read_all(parts: &[PathBuf]) -> std::io::Result<leases::Leases> {
    let mut all: Option<leases::Leases> = None;
    for (n, part) in parts.iter().enumerate() {
        let last = n + 1 == parts.len();
        let read =
            File::open(part).and_then(|f| leases::parse(BufReader::with_capacity(1 << 17, f)));
        let found = match read {
            Ok(found) => found,
            // In the middle of a clean-up one of them goes.
            Err(_) if !last => continue,
            Err(e) => return Err(e),
        };
        let kea = |l: &leases::Leases| l.format == leases::Format::Kea;
        if !last && !kea(&found) {
            continue;
        }
        match &mut all {
            Some(all) if !last || kea(&found) || found.format == leases::Format::Empty => {
                all.extend(found);
            }
            _ => all = Some(found),
        }
    }
    Ok(all.unwrap_or_default())
}

/// Tells when something happens in the folders of the files. A thread of its own waits for the kernel; it ends when
/// the watcher is dropped.
#[derive(Debug)]
pub struct Watcher {
    changed: Arc<Notify>,
}

/// How often the thread sees whether it is still needed, and whether missing folders have come.
const AWAKE: u16 = 1000;

impl Watcher {
    /// Watches the folders of these files. Where the kernel refuses, only the slow poll is left; that is logged.
    pub fn new(paths: &[PathBuf]) -> Self {
        let mut folders: Vec<PathBuf> = paths
            .iter()
            .map(|p| match p.parent() {
                Some(dir) if !dir.as_os_str().is_empty() => dir.to_owned(),
                _ => PathBuf::from("."),
            })
            .collect();
        folders.order_by(Ord::cmp);
        folders.dedup();
        let changed = Arc::new(Notify::new());
        if folders.is_empty() {
            return Self { changed };
        }
        let begun = Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC)
            .map_err(std::io::Error::from)
            .and_then(|inotify| {
                let told = Arc::downgrade(&changed);
                std::thread::Builder::new()
                    .name("lease files".to_owned())
                    .spawn(move || wait(&inotify, &folders, &told))
            });
        if let Err(e) = begun {
            log::warn!("lease files are only polled: inotify: {e}");
        }
        Self { changed }
    }

    /// Ends when something has happened.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }
}

/// The thread: until nobody wants to know any more.
fn wait(inotify: &Inotify, folders: &[PathBuf], changed: &Weak<Notify>) {
    let flags = AddWatchFlags::IN_MODIFY
        | AddWatchFlags::IN_CLOSE_WRITE
        | AddWatchFlags::IN_MOVED_TO
        | AddWatchFlags::IN_CREATE
        | AddWatchFlags::IN_DELETE_SELF
        | AddWatchFlags::IN_ONLYDIR;
    // Folders that are not there yet, or were replaced.
    let mut missing = folders.to_vec();
    while changed.strong_count() > 0 {
        missing.retain(|dir| inotify.add_watch(dir, flags).is_err());
        let mut fds = [PollFd::new(inotify.as_fd(), PollFlags::POLLIN)];
        let _ = poll(&mut fds, PollTimeout::from(AWAKE));
        let Ok(events) = inotify.read_events() else {
            continue;
        };
        let lost = AddWatchFlags::IN_DELETE_SELF | AddWatchFlags::IN_IGNORED;
        if events.iter().any(|e| e.mask.intersects(lost)) {
            missing = folders.to_vec();
        }
        if let Some(changed) = changed.upgrade() {
            changed.notify_one();
        }
    }
}

/// How long the poll may sleep when nothing is reported.
pub const POLL: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests;
