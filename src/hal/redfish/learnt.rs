//! What was learnt of one BMC's Redfish service, so that the next operation costs less. No secrets in here.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

/// What was learnt of one BMC. Kept between runs by whoever owns the HAL.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Learnt {
    /// URI of the host's ComputerSystem.
    pub system: Option<String>,
    /// URI of its Manager.
    pub manager: Option<String>,
    /// URI of its Chassis.
    pub chassis: Option<String>,
    /// URI of the collection of sessions.
    pub sessions: Option<String>,
    /// The last login that worked was a session (`true`) or Basic (`false`).
    pub session_login: Option<bool>,
    /// A second request on one connection was answered (`true`) or reset (`false`).
    pub reuse: Option<bool>,
    /// Writes were refused for want of `If-Match`.
    pub if_match: bool,
    /// What the service says of itself and of the machine: quirks go by it.
    pub about: Option<About>,
    /// Host key of its SSH server: `KIND SHA256:…`.
    pub ssh_host_key: Option<String>,
    /// When there was no service at all (seconds since 1970).
    pub absent: Option<u64>,
}

/// What a service says of itself and of the machine, as it came.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct About {
    /// When it was read (seconds since 1970).
    pub at: u64,
    /// Keys of `Oem` in the service root.
    pub oem: Vec<String>,
    /// `Vendor` of the service root.
    pub vendor: Option<String>,
    /// `Product` of the service root.
    pub product: Option<String>,
    /// Organisations in the certificate: the issuer's, then the subject's.
    pub tls: Vec<String>,
    /// `Manufacturer` of the system.
    pub manufacturer: Option<String>,
    /// `Model` of the system.
    pub model: Option<String>,
    /// `Model` of the manager.
    pub manager_model: Option<String>,
    /// `FirmwareVersion` of the manager.
    pub firmware: Option<String>,
}

/// A shared, lockable [`Learnt`]. The lock is only held for plain assignments.
#[derive(Debug, Default)]
pub struct RedfishCell(Mutex<Learnt>);

impl RedfishCell {
    /// Starts from what an earlier run learnt.
    pub fn new(learnt: Learnt) -> Self {
        Self(Mutex::new(learnt))
    }

    /// A copy of the present state.
    pub fn snapshot(&self) -> Learnt {
        self.lock().clone()
    }

    /// Changes the state.
    pub fn update<T>(&self, f: impl FnOnce(&mut Learnt) -> T) -> T {
        f(&mut self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Learnt> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
