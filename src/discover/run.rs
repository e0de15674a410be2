//! The part of the daemon that finds BMCs and keeps their rows up to date.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, Semaphore};

use crate::hal::detect::Detector;
use crate::hal::gate::Failures;
use crate::hal::model::{Cancel, MacAddr};
use crate::inventory::Store;

use super::doors::Doors;
use super::files::{FileState, LeaseFiles, POLL, Watcher};
use super::plan::{Looked, Rules};
use super::upkeep::{Due, Lanes};

/// Addresses that are looked at for the first time, at the same time.
const LOOKERS: usize = 512;

/// Addresses that are looked at again, at the same time. They never keep new ones waiting.
const AGAIN: usize = 256;

/// After a round that somebody wanted it rests, so many times as long as the round took.
const PAUSE: u32 = 4;

/// What is watched and how often.
#[derive(Debug, Clone)]
pub struct Options {
    /// Lease files of DHCP servers.
    pub lease_files: Vec<PathBuf>,
    /// Which leases count.
    pub rules: Rules,
    /// BMCs with fixed addresses.
    pub fixed: Vec<(MacAddr, IpAddr)>,
    /// UDP port of IPMI of rows that name none.
    pub ipmi_port: u16,
    /// Time between two refreshes of a BMC.
    pub refresh: Duration,
    /// Partition of new rows.
    pub partition: Option<String>,
}

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) files: Arc<LeaseFiles>,
    pub(super) looked: BTreeMap<MacAddr, Looked>,
    pub(super) due: BTreeMap<MacAddr, Due>,
}

/// How the daemon is.
#[derive(Debug, Clone, Default)]
pub struct Status {
    /// Lease files, in the order of the configuration.
    pub files: Vec<(PathBuf, FileState)>,
    /// Addresses that are being looked at.
    pub looking: u64,
    /// BMCs that are being refreshed.
    pub refreshing: u64,
    /// BMCs whose refresh is due and has not begun.
    pub waiting: u64,
    /// Failed logins since the start.
    pub failures: Failures,
}

/// Finds BMCs and refreshes them.
#[derive(Debug)]
pub struct Discovery {
    options: RwLock<Arc<Options>>,
    pub(super) store: Arc<dyn Store>,
    pub(super) doors: Arc<Doors>,
    /// For the first look: answers within a second.
    pub(super) quick: Arc<Detector>,
    /// For all others.
    pub(super) thorough: Arc<Detector>,
    pub(super) lookers: Semaphore,
    pub(super) again: Semaphore,
    pub(super) lanes: Lanes,
    inner: Mutex<Inner>,
    wake: Notify,
    other_files: Notify,
}

impl Discovery {
    /// Nothing begins before [`Discovery::run`].
    pub fn new(
        options: Options,
        store: Arc<dyn Store>,
        doors: Arc<Doors>,
        quick: Detector,
        thorough: Detector,
    ) -> Self {
        let inner = Inner {
            files: Arc::new(LeaseFiles::new(&options.lease_files)),
            looked: BTreeMap::new(),
            due: BTreeMap::new(),
        };
        Self {
            options: RwLock::new(Arc::new(options)),
            store,
            doors,
            quick: Arc::new(quick),
            thorough: Arc::new(thorough),
            lookers: Semaphore::new(LOOKERS),
            again: Semaphore::new(AGAIN),
            lanes: Lanes::default(),
            inner: Mutex::new(inner),
            wake: Notify::new(),
            other_files: Notify::new(),
        }
    }

    pub(super) fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The detector for addresses that a caller names.
    pub fn detector(&self) -> &Arc<Detector> {
        &self.thorough
    }

    /// The UDP port of IPMI where none is named.
    pub fn ipmi_port(&self) -> u16 {
        self.options().ipmi_port
    }

    pub(super) fn options(&self) -> Arc<Options> {
        let options = self.options.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&options)
    }

    /// Other lease files, rules, fixed addresses, refreshes and partition from now on. What is known of files that stay
    /// is kept.
    pub fn reconfigure(&self, options: Options) {
        *self.options.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(options);
        self.other_files.notify_one();
    }

    /// Runs until `cancel`.
    pub async fn run(self: Arc<Self>, cancel: Cancel) {
        let mut watcher = Watcher::new(&self.options().lease_files);
        let mut polled: Option<Instant> = None;
        let mut tick = tokio::time::interval(Duration::from_secs(1));
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut read = true;
        // A file that rests, or may have changed unseen, is read again then.
        let mut again: Option<Instant> = None;
        loop {
            let due = again.is_some_and(|at| at <= Instant::now());
            if read || due || polled.is_none_or(|at| at.elapsed() >= POLL) {
                polled = Some(Instant::now());
                let this = Arc::clone(&self);
                let done = tokio::task::spawn_blocking(move || {
                    // Read outside the lock: a large file takes its time.
                    let mut files = LeaseFiles::clone(&this.inner().files);
                    let again = files.read();
                    this.inner().files = Arc::new(files);
                    again
                });
                again = done.await.unwrap_or_else(|_| {
                    log::error!("reading the lease files failed inside");
                    None
                });
            }
            let begun = Instant::now();
            if let Err(e) = self.step().await {
                log::error!("{}", e.chain());
            }
            // It looks at all rows: thousands who want theirs refreshed share a round.
            let pause = Instant::now() + begun.elapsed() * PAUSE;
            let rest = again.unwrap_or_else(|| Instant::now() + POLL);
            read = tokio::select! {
                () = cancel.cancelled() => return,
                () = tokio::time::sleep_until(rest.into()) => true,
                () = watcher.changed() => true,
                () = async {
                    tokio::time::sleep_until(pause.into()).await;
                    self.wake.notified().await;
                } => false,
                () = self.other_files.notified() => {
                    let paths = &self.options().lease_files;
                    watcher = Watcher::new(paths);
                    let mut inner = self.inner();
                    inner.files = Arc::new(inner.files.only(paths));
                    true
                }
                _ = tick.tick() => false,
            };
        }
    }

    /// Looks at a row (again) and refreshes it as soon as possible.
    pub fn soon(&self, mac: MacAddr) {
        self.forget(mac);
        self.wake.notify_one();
    }

    /// What is found there now is of no interest any more.
    pub fn forget(&self, mac: MacAddr) {
        let mut inner = self.inner();
        inner.looked.remove(&mac);
        inner.due.remove(&mac);
    }

    /// How it is.
    pub fn status(&self) -> Status {
        let inner = self.inner();
        let now = Instant::now();
        Status {
            files: inner
                .files
                .iter()
                .map(|(path, state)| (path.to_owned(), state.clone()))
                .collect(),
            looking: inner.looked.values().filter(|l| l.now).count() as u64,
            refreshing: inner.due.values().filter(|d| d.running).count() as u64,
            waiting: inner
                .due
                .values()
                .filter(|d| !d.running && d.at <= now)
                .count() as u64,
            failures: self.doors.failures(),
        }
    }
}
