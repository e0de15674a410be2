//! The part of the daemon that finds BMCs and keeps their rows up to date.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, Semaphore};

use crate::hal::Result;
use crate::hal::detect::{Detector, Subject};
use crate::hal::gate::Failures;
use crate::hal::meter;
use crate::hal::model::{Cancel, DriverName, MacAddr};
use crate::inventory::Store;
use crate::inventory::record::{Origin, Record};
use crate::inventory::store::Change;

use super::doors::Doors;
use super::files::{FileState, LeaseFiles, POLL, Watcher};
use super::leases::{Lease, State};
use super::plan::{Known, Looked, Rules, Step, plan};
use super::{look, now, refresh};

/// Addresses that are looked at, at the same time.
const LOOKERS: usize = 512;

/// BMCs that are refreshed at the same time.
const REFRESHERS: usize = 256;

/// The shortest and the longest time after a refresh that failed.
const BACK_OFF: (Duration, Duration) = (Duration::from_mins(1), Duration::from_mins(30));

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

/// When a BMC is refreshed next.
#[derive(Debug, Clone, Copy)]
struct Due {
    at: Instant,
    running: bool,
    failures: u32,
}

#[derive(Debug)]
struct Inner {
    files: Arc<LeaseFiles>,
    looked: BTreeMap<MacAddr, Looked>,
    due: BTreeMap<MacAddr, Due>,
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
    store: Arc<dyn Store>,
    doors: Arc<Doors>,
    /// For the first look: answers within a second.
    quick: Arc<Detector>,
    /// For all others.
    thorough: Arc<Detector>,
    lookers: Arc<Semaphore>,
    refreshers: Arc<Semaphore>,
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
            lookers: Arc::new(Semaphore::new(LOOKERS)),
            refreshers: Arc::new(Semaphore::new(REFRESHERS)),
            inner: Mutex::new(inner),
            wake: Notify::new(),
            other_files: Notify::new(),
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
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

    fn options(&self) -> Arc<Options> {
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
        loop {
            if read || polled.is_none_or(|at| at.elapsed() >= POLL) {
                polled = Some(Instant::now());
                let this = Arc::clone(&self);
                let done = tokio::task::spawn_blocking(move || {
                    // Read outside the lock: a large file takes its time.
                    let mut files = LeaseFiles::clone(&this.inner().files);
                    files.read();
                    this.inner().files = Arc::new(files);
                });
                if done.await.is_err() {
                    log::error!("reading the lease files failed inside");
                }
            }
            if let Err(e) = self.step().await {
                log::error!("{}", e.chain());
            }
            read = tokio::select! {
                () = cancel.cancelled() => return,
                () = watcher.changed() => true,
                () = self.wake.notified() => false,
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
        let mut inner = self.inner();
        inner.looked.remove(&mac);
        inner.due.remove(&mac);
        drop(inner);
        self.wake.notify_one();
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

    async fn step(self: &Arc<Self>) -> Result<()> {
        let rows = self.store.all().await?;
        let options = self.options();
        let steps = {
            let inner = self.inner();
            let mut leases: Vec<Lease> = Vec::new();
            for (_, file) in inner.files.iter() {
                leases.extend(file.leases.iter().cloned());
            }
            leases.extend(options.fixed.iter().map(|(mac, ip)| fixed(*mac, *ip)));
            let mut table = BTreeMap::new();
            for row in &rows {
                if row.origin != Origin::Lease
                    && row.lease.is_none()
                    && let Some(ip) = row.address
                {
                    leases.push(fixed(row.mac, ip));
                }
                let lease = row.lease.as_ref();
                table.insert(
                    row.mac,
                    Known {
                        address: row.address,
                        lease_ends: lease.and_then(|l| l.ends),
                        leased: lease.is_some(),
                        removed: row.removed,
                        stale: lease.is_some_and(|l| l.stale),
                    },
                );
            }
            plan(&leases, &options.rules, &table, &inner.looked, now() / 1000)
        };
        for step in steps {
            self.carry_out(step).await;
        }
        self.refresh_due(&rows);
        Ok(())
    }

    async fn carry_out(self: &Arc<Self>, step: Step) {
        let result = match step {
            Step::Look { mac, ip } => {
                self.look(mac, ip);
                return;
            }
            Step::Lease { lease, moved } => {
                if let Some(old) = moved {
                    log::info!("{}: moved from {old} to {}", lease.mac, lease.ip);
                    self.inner().looked.remove(&lease.mac);
                }
                // A lease without a row gets one when it was looked at.
                match self.store.get(lease.mac).await {
                    Ok(Some(_)) => {
                        self.change(lease.mac, move |row| look::leased(row, &lease))
                            .await
                    }
                    Ok(None) => Ok(()),
                    Err(e) => Err(e),
                }
            }
            Step::Stale { mac } => self.change(mac, look::stale).await,
            Step::Forget { mac } => self.store.remove(mac).await.map(drop),
            Step::Duplicate { ip, macs } => {
                let mut result = Ok(());
                for mac in macs.clone() {
                    let all = macs.clone();
                    if let Ok(Some(_)) = self.store.get(mac).await {
                        result = self
                            .change(mac, move |row| look::duplicate(row, ip, &all))
                            .await;
                    }
                }
                result
            }
        };
        if let Err(e) = result {
            log::error!("{}", e.chain());
        }
    }

    async fn change(
        &self,
        mac: MacAddr,
        edit: impl FnOnce(&mut Record) + Send + 'static,
    ) -> Result<()> {
        let change = Change::of(now(), move |row| {
            edit(row);
            Ok(())
        });
        self.store.update(mac, change).await.map(drop)
    }

    /// Begins to look at an address.
    fn look(self: &Arc<Self>, mac: MacAddr, ip: IpAddr) {
        let first = {
            let mut inner = self.inner();
            let looked = inner.looked.entry(mac).or_default();
            looked.now = true;
            looked.times == 0
        };
        let this = Arc::clone(self);
        tokio::spawn(async move {
            let Ok(_permit) = this.lookers.acquire().await else {
                return;
            };
            let detector = if first { &this.quick } else { &this.thorough };
            let subject = Subject {
                target: ip.to_string(),
                host: ip.to_string(),
                ipmi_port: this.ipmi_port(),
            };
            let found = detector.detect(&subject).await;
            let (before, available) = (this.store.get(mac).await.ok().flatten(), found.available());
            let stable = !first
                && !available.is_empty()
                && before.is_some_and(|row| available.iter().all(|d| row.drivers.contains(d)));
            let (lease, partition) = (this.lease_of(mac), this.options().partition.clone());
            let change = Change::of(now(), move |row| {
                if row.partition.is_none() {
                    row.partition = partition;
                }
                if let Some(lease) = lease {
                    look::leased(row, &lease);
                }
                look::apply(row, ip, &found, !first);
                Ok(())
            });
            if let Err(e) = this.store.update(mac, change.or_create()).await {
                log::error!("{}", e.chain());
            }
            let mut inner = this.inner();
            let looked = inner.looked.entry(mac).or_default();
            looked.now = false;
            looked.at = now() / 1000;
            looked.times = looked.times.saturating_add(1);
            looked.stable = stable;
        });
    }

    fn lease_of(&self, mac: MacAddr) -> Option<Lease> {
        let seconds = now() / 1000;
        let inner = self.inner();
        let leases = inner.files.iter().flat_map(|(_, f)| f.leases.iter());
        leases
            .filter(|l| l.mac == mac && l.is_active(seconds))
            .max_by_key(|l| (l.starts, l.ends.unwrap_or(u64::MAX)))
            .cloned()
    }

    /// Begins the refreshes that are due.
    fn refresh_due(self: &Arc<Self>, rows: &[Arc<Record>]) {
        let now = Instant::now();
        let mut begin = Vec::new();
        {
            let mut inner = self.inner();
            for row in rows {
                let wanted = row.has_credentials()
                    && row.address.is_some()
                    && !row.removed
                    && row.status.refused.is_none()
                    && row.untrusted.is_none()
                    && row.driver() != Some(DriverName::Unmanaged);
                if !wanted {
                    inner.due.remove(&row.mac);
                    continue;
                }
                let due = inner.due.entry(row.mac).or_insert(Due {
                    at: now,
                    running: false,
                    failures: 0,
                });
                if !due.running && due.at <= now {
                    due.running = true;
                    begin.push(Arc::clone(row));
                }
            }
        }
        for row in begin {
            let this = Arc::clone(self);
            tokio::spawn(async move { this.refresh(&row).await });
        }
    }

    async fn refresh(&self, row: &Record) {
        let Ok(_permit) = self.refreshers.acquire().await else {
            return;
        };
        let (mac, begun) = (row.mac, Instant::now());
        let result = async {
            let cx = refresh::context(&format!("refresh {mac}"));
            let bmc = self.doors.open(row, &cx).await?;
            refresh::ask(&bmc, &cx).await
        }
        .await;
        let failed = result.is_err();
        let driver = row.driver().unwrap_or(DriverName::Unmanaged);
        let kind = result.as_ref().err().map(crate::hal::Error::kind);
        meter::note("refresh", driver, begun.elapsed(), kind);
        // Written under the credentials that were used: newer ones have not been refused.
        let (users, at) = ((row.ipmi.user.clone(), row.redfish.user.clone()), now());
        let written = self
            .change(mac, move |row| match result {
                Ok(news) => news.apply(row, at),
                Err(e) => {
                    log::info!("{mac}: {}", e.chain());
                    refresh::note_failure(row, &e, at);
                    if (&row.ipmi.user, &row.redfish.user) != (&users.0, &users.1) {
                        row.status.refused = None;
                    }
                }
            })
            .await;
        if let Err(e) = written {
            log::error!("{}", e.chain());
        }
        let refresh = self.options().refresh;
        let mut inner = self.inner();
        // Not there any more: somebody wants it again at once.
        if let Some(due) = inner.due.get_mut(&mac) {
            due.running = false;
            due.failures = if failed {
                due.failures.saturating_add(1)
            } else {
                0
            };
            let wait = if failed {
                let (least, most) = BACK_OFF;
                (least * 2u32.saturating_pow(due.failures.min(6) - 1)).min(most)
            } else {
                refresh
            };
            // Spread, so that thousands do not come at once.
            due.at = Instant::now() + wait.mul_f64(0.9 + 0.2 * fastrand::f64());
        }
    }
}

/// An address that somebody said: a lease without an end.
fn fixed(mac: MacAddr, ip: IpAddr) -> Lease {
    Lease {
        mac,
        ip,
        state: State::Active,
        starts: None,
        ends: None,
        hostname: None,
    }
}
