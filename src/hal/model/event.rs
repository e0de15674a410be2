//! Entries of the event log.

use serde::Serialize;

/// One entry of the System Event Log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LogEntry {
    /// Record id.
    pub id: String,
    /// RFC 3339 time in UTC; absent where the BMC's clock was not set yet.
    pub time: Option<String>,
    /// The sensor it is about.
    pub sensor: Option<String>,
    /// What happened, in the specification's words.
    pub event: String,
    /// `info`, `warning`, `critical` or `unknown`.
    pub severity: String,
    /// The raw record in hex.
    pub raw: Option<String>,
}
