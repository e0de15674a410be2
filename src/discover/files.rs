//! The lease files on disk: read when they change, watched by their folders (they are rewritten and renamed).

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::BufReader;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use tokio::sync::Notify;

use super::leases::{self, Lease};

/// A file whose reading took long is not read again at once.
const REST: u32 = 5;

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
    stamp: Option<Stamp>,
    rest_until: Option<Instant>,
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

    /// Reads those that have changed. Blocks: to be called where that is allowed.
    pub fn read(&mut self) {
        for (path, state) in &mut self.files {
            if state.rest_until.is_some_and(|t| t > Instant::now()) {
                continue;
            }
            let stamp = fs::metadata(path).ok().map(|m| Stamp {
                inode: m.ino(),
                size: m.size(),
                modified: (m.mtime(), m.mtime_nsec()),
            });
            if stamp.is_some() && stamp == state.stamp {
                continue;
            }
            let begun = Instant::now();
            let read =
                File::open(path).and_then(|f| leases::parse(BufReader::with_capacity(1 << 17, f)));
            state.rest_until = Some(Instant::now() + begun.elapsed() * REST);
            state.stamp = stamp;
            match read {
                Ok(found) => {
                    if found.bad_count > 0 && found.bad_count != state.bad {
                        for bad in found.bad.iter().take(5) {
                            log::warn!("{}:{}: {}", path.display(), bad.line, bad.why);
                        }
                    }
                    state.bad = found.bad_count;
                    state.format = found.format;
                    state.leases = found.leases.into_values().collect();
                    state.error = None;
                    state.read_at = Some(super::now());
                }
                Err(e) => {
                    let words = e.to_string();
                    if state.error.as_ref() != Some(&words) {
                        log::warn!("{}: {words}", path.display());
                    }
                    // What was read before still counts: a file that is being replaced is back in a moment.
                    state.error = Some(words);
                }
            }
        }
    }
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
        folders.sort();
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
