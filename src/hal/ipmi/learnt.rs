//! What was learnt of one BMC, so that the next command costs less. No secrets in here.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use super::quirks::Quirks;

/// What was learnt of one BMC. Kept between runs by whoever owns the HAL (cache file, table).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Learnt {
    /// Cipher suite of the last login that worked. A weaker one later is refused.
    pub suite: Option<u8>,
    /// Manufacturer id of Get Device ID.
    pub manufacturer: Option<u32>,
    /// Product id of Get Device ID.
    pub product: Option<u16>,
    /// Largest read that the BMC bore, per command.
    pub chunks: Chunks,
    /// The SDR repository, valid for its timestamps.
    pub sdrs: Option<Arc<SdrCache>>,
    /// Requests that may be in flight at once (default 1).
    pub window: Option<u8>,
    /// Number after the last packet of the last serial console.
    pub sol_number: Option<u8>,
    /// Oddities seen, by symptom or by product.
    pub quirks: Quirks,
    /// The slot that accounts of ours customarily have on BMCs of this vendor.
    pub user_slot: Option<u8>,
}

/// Bytes per read that the BMC bore.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Chunks {
    /// Read FRU Data.
    pub fru: Option<u8>,
    /// Get SDR.
    pub sdr: Option<u8>,
    /// Get SEL Entry.
    pub sel: Option<u8>,
}

/// Raw SDRs with the repository's timestamps at which they were read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SdrCache {
    /// Most recent addition (Get SDR Repository Info).
    pub addition: u32,
    /// Most recent erase.
    pub erase: u32,
    /// Record count.
    pub count: u16,
    /// Whole records, header included.
    pub records: Vec<Vec<u8>>,
}

/// A shared, lockable [`Learnt`]. The lock is only held for plain assignments.
#[derive(Debug, Default)]
pub struct LearntCell(Mutex<Learnt>);

impl LearntCell {
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
