//! All BMCs of one process: one actor each, over one UDP transport, and one door each to Redfish services.
//!
//! The actor owns the operation: a caller that goes away never leaves a session open. Whoever holds a handle
//! ([`Exchange`]) shares the BMC's one session; when the last handle is dropped the session is closed.
//! Knows nothing of drivers.

mod actor;
pub mod candidates;
mod console;
mod doors;
mod entropy;
mod handle;
mod memory;

use std::collections::HashMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{Semaphore, watch};

use super::error::{Error, Kind, Result};
use super::gate::{Gate, Guard, Rule, name_of};
use super::ipmi::session::Config;
use super::model::Cancel;
use super::recording::{RecordedDoor, Recorder};
use super::redfish::Door;
use super::transport::Lan;
use super::transport::redfish::{self, HttpDoor};
use actor::Actor;
use doors::Doors;

pub use handle::Remote;
pub use memory::{Forgetful, Memory};

/// Unresolved neighbours that Linux bears (gc_thresh2 is 512): more first contacts than that wait.
const FIRST_CONTACTS: usize = 512;

/// How to reach and log in to one BMC over IPMI.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// Its address and port (623 is the standard's).
    pub addr: SocketAddr,
    /// Credentials and protocol choices.
    pub session: Config,
    /// Try the suite that worked before first and refuse a weaker one. Not where an operator named a suite.
    pub pin_suite: bool,
    /// How long an unused session stays open while handles exist.
    pub linger: Duration,
}

/// The BMCs of one process.
pub struct Fleet {
    lan: Arc<Lan>,
    memory: Arc<dyn Memory>,
    /// Hears everything that passes.
    recorder: Option<Arc<Recorder>>,
    /// Stands in front of all logins.
    gate: Option<(Arc<Gate>, Rule)>,
    handles: Mutex<HashMap<SocketAddr, Weak<Remote>>>,
    doors: Doors,
    /// Set once: every actor closes its session and ends.
    stop: Cancel,
    /// Actors that are alive.
    live: Arc<watch::Sender<usize>>,
    /// Places for first contacts.
    contacts: Arc<Semaphore>,
    /// IPMI sessions that are open.
    sessions: Arc<AtomicUsize>,
}

impl Fleet {
    /// A fleet without members that keeps what it learns in `memory`.
    pub fn new(lan: Arc<Lan>, memory: Arc<dyn Memory>) -> Self {
        let contacts = FIRST_CONTACTS.min(lan.capacity());
        Self {
            lan,
            memory,
            recorder: None,
            gate: None,
            handles: Mutex::default(),
            doors: Doors::default(),
            stop: Cancel::new(),
            live: Arc::new(watch::Sender::new(0)),
            contacts: Arc::new(Semaphore::new(contacts)),
            sessions: Arc::default(),
        }
    }

    /// Lets `recorder` hear what passes between this fleet and its BMC. For a fleet of one.
    #[must_use]
    pub fn recorded(mut self, recorder: Arc<Recorder>) -> Self {
        self.recorder = Some(recorder);
        self
    }

    /// Lets every login pass the gate, by this rule.
    #[must_use]
    pub fn gated(mut self, gate: Arc<Gate>, rule: Rule) -> Self {
        self.gate = Some((gate, rule));
        self
    }

    /// What stands in front of the logins of the BMC with this name.
    pub fn guard(&self, bmc: &Arc<str>) -> Option<Guard> {
        let (gate, rule) = self.gate.as_ref()?;
        Some(Guard::new(Arc::clone(gate), *rule, Arc::clone(bmc)))
    }

    /// The handle of one BMC, which the gate knows by its address. See [`Fleet::bmc_named`].
    pub fn bmc(&self, endpoint: &Endpoint) -> Result<Arc<Remote>> {
        self.bmc_named(endpoint, &name_of(endpoint.addr).into())
    }

    /// The handle of one BMC, which the gate knows as `name`. Handles with equal credentials share one session; other credentials get an actor of
    /// their own. Nothing is sent before the first command.
    pub fn bmc_named(&self, endpoint: &Endpoint, name: &Arc<str>) -> Result<Arc<Remote>> {
        let mut handles = self.handles.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(handle) = handles.get(&endpoint.addr).and_then(Weak::upgrade)
            && handle.serves(endpoint)
        {
            return Ok(handle);
        }
        let port = self.lan.open(endpoint.addr)?;
        let handle = Actor::start(self, endpoint, port, self.guard(name))?;
        handles.insert(endpoint.addr, Arc::downgrade(&handle));
        // Dead entries go when they are as many as the living: amortised constant.
        if handles.len() > 2 * (*self.live.borrow() + 8) {
            handles.retain(|_, h| h.strong_count() > 0);
        }
        Ok(handle)
    }

    /// Forgets which SSH host key the BMC with this Redfish service had: somebody trusts it anew.
    pub fn forget_host_key(&self, redfish: SocketAddr) {
        self.doors.forget_host_key(redfish, &*self.memory);
    }

    /// IPMI sessions that are open now.
    pub fn sessions(&self) -> usize {
        self.sessions.load(Ordering::Relaxed)
    }

    /// Redfish services whose connection or session is kept.
    pub fn doors(&self) -> usize {
        self.doors.count()
    }

    /// The door to one Redfish service. One per BMC and login, kept for the next operation; nothing is sent before the
    /// first request. Fails after [`Fleet::shutdown`], and on a URL that cannot be used.
    pub fn redfish(&self, config: redfish::Config) -> Result<Arc<HttpDoor>> {
        if self.stop.is_cancelled() {
            let what = "open a Redfish connection";
            return Err(Error::new(Kind::Cancelled, what).with_source("the program is ending"));
        }
        self.doors.open(config, &*self.memory)
    }

    /// The same door, heard by the recorder where there is one.
    pub fn heard(&self, door: Arc<HttpDoor>) -> Arc<dyn Door> {
        match &self.recorder {
            Some(recorder) => Arc::new(RecordedDoor::new(door, Arc::clone(recorder))),
            None => door,
        }
    }

    /// Closes every session and waits until that is done, but no longer than `patience`.
    /// Returns how many actors were still at it.
    pub async fn shutdown(&self, patience: Duration) -> usize {
        self.stop.cancel();
        let doors = self.doors.close(&*self.memory, patience);
        let (left, actors) = tokio::join!(doors, self.idle(patience));
        left + actors
    }

    /// Waits until no session is open any more (all handles dropped), but no longer than `patience`.
    pub async fn idle(&self, patience: Duration) -> usize {
        let mut live = self.live.subscribe();
        let done = tokio::time::timeout(patience, live.wait_for(|n| *n == 0)).await;
        if done.is_ok() { 0 } else { *self.live.borrow() }
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl fmt::Debug for Fleet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fleet")
            .field("live", &*self.live.borrow())
            .finish_non_exhaustive()
    }
}
