//! The event log.

use crate::hal::error::Result;
use crate::hal::model::event::LogEntry;
use crate::hal::model::{BoxFuture, Cx, Reading};

/// Reads and clears the event log.
pub trait EventLog: Send + Sync {
    /// All entries, oldest first.
    fn entries<'a>(&'a self, cx: &'a Cx) -> BoxFuture<'a, Result<Reading<Vec<LogEntry>>>>;

    /// Empties the log and waits until the BMC says that it is done.
    fn clear<'a>(&'a self, cx: &'a Cx) -> BoxFuture<'a, Result<Reading<()>>>;
}
