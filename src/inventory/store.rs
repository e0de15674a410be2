//! Where the table is kept: the trait that every store implements.

use std::fmt;
use std::sync::Arc;

use tokio::sync::broadcast;

use crate::hal::Result;
use crate::hal::model::{BoxFuture, MacAddr, Secret};

use super::record::Record;
use super::requests::{Kept, RequestKey};

/// A secret of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Field {
    /// Password for IPMI.
    IpmiPassword,
    /// K_G.
    IpmiKg,
    /// Password for Redfish.
    RedfishPassword,
    /// Password of an account that is being made; gone when the row uses it.
    NextPassword,
    /// Password of the account that the machine is making.
    PendingPassword,
}

impl Field {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::IpmiPassword,
        Self::IpmiKg,
        Self::RedfishPassword,
        Self::NextPassword,
        Self::PendingPassword,
    ];

    /// Its name in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::IpmiPassword => "ipmi.password",
            Self::IpmiKg => "ipmi.kg",
            Self::RedfishPassword => "redfish.password",
            Self::NextPassword => "next.password",
            Self::PendingPassword => "pending.password",
        }
    }
}

/// Changes a record; an error leaves it as it was.
pub type Edit = Box<dyn FnOnce(&mut Record) -> Result<()> + Send>;

/// A change of one row.
pub struct Change {
    /// The wall clock, in milliseconds since 1970.
    pub now: u64,
    /// Make the row when there is none? Otherwise that is refused (`Kind::Config`).
    pub create: bool,
    /// What is changed. It runs on the newest state of the row, one at a time.
    pub edit: Edit,
    /// Secrets to store (`None` = remove), in the same step.
    pub secrets: Vec<(Field, Option<Secret>)>,
}

impl Change {
    /// A change of a row that is there, without secrets.
    pub fn of(now: u64, edit: impl FnOnce(&mut Record) -> Result<()> + Send + 'static) -> Self {
        Self {
            now,
            create: false,
            edit: Box::new(edit),
            secrets: Vec::new(),
        }
    }

    /// The row is made when there is none.
    #[must_use]
    pub fn or_create(mut self) -> Self {
        self.create = true;
        self
    }

    /// Stores (or removes) a secret as well.
    #[must_use]
    pub fn with_secret(mut self, field: Field, secret: Option<Secret>) -> Self {
        self.secrets.push((field, secret));
        self
    }
}

impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Change")
            .field("create", &self.create)
            .field("secrets", &self.secrets.len())
            .finish_non_exhaustive()
    }
}

/// A row has changed.
#[derive(Debug, Clone)]
pub struct Event {
    /// Number of the change; grows over the whole table.
    pub revision: u64,
    /// Whose row.
    pub mac: MacAddr,
    /// As it is now; `None` = it is gone.
    pub record: Option<Arc<Record>>,
}

/// Changes from some revision on: first what has happened already, then what happens.
#[derive(Debug)]
pub struct Watch {
    /// Changes up to now, in their order, one per row.
    pub backlog: Vec<Event>,
    /// The revision that the backlog ends with.
    pub revision: u64,
    /// Changes from now on. One who lags behind watches again, from the last revision that he has seen.
    pub events: broadcast::Receiver<Event>,
}

/// A store of records and secrets. What was acknowledged is on disk.
pub trait Store: Send + Sync + fmt::Debug {
    /// The row of a MAC.
    fn get(&self, mac: MacAddr) -> BoxFuture<'_, Result<Option<Arc<Record>>>>;

    /// All rows, by MAC.
    fn all(&self) -> BoxFuture<'_, Result<Vec<Arc<Record>>>>;

    /// Changes one row; returns it as it is after that. A change that changes nothing bumps no revision.
    fn update(&self, mac: MacAddr, change: Change) -> BoxFuture<'_, Result<Arc<Record>>>;

    /// Removes a row with its secrets. `false`: there was none.
    fn remove(&self, mac: MacAddr) -> BoxFuture<'_, Result<bool>>;

    /// A secret of a row.
    fn secret(&self, mac: MacAddr, field: Field) -> BoxFuture<'_, Result<Option<Secret>>>;

    /// Changes after `revision` (0 = everything). Refused (`Kind::Config`) when it is too long ago to know what was
    /// removed since: list anew.
    fn watch(&self, revision: u64) -> BoxFuture<'_, Result<Watch>>;

    /// What is kept of a request.
    fn request(&self, key: &RequestKey) -> BoxFuture<'_, Result<Option<Kept>>>;

    /// Keeps that a request begins, for [`KEPT`](super::requests::KEPT) from `now` on. Refused (`Kind::Config`) where it
    /// is kept already.
    fn intend(&self, key: RequestKey, digest: [u8; 32], now: u64) -> BoxFuture<'_, Result<()>>;

    /// Keeps what came of a request; `None` forgets it, as nothing was done.
    fn settle(&self, key: RequestKey, outcome: Option<Vec<u8>>) -> BoxFuture<'_, Result<()>>;
}

#[cfg(test)]
pub(super) mod conformance;
