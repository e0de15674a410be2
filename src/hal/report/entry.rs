//! One line of the report.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

use crate::hal::error::Kind;
use crate::hal::model::DriverName;

/// What became of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// It was done.
    Works,
    /// This BMC does not have it, or does not say.
    Unsupported,
    /// The BMC wants a licence for it.
    NeedsLicense,
    /// The login or the account's privilege was refused.
    Denied,
    /// It should be there, and did not work.
    Failed,
    /// A change that was only judged, or something that was not reached.
    NotTried,
}

impl Status {
    /// As in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Works => "works",
            Self::Unsupported => "unsupported",
            Self::NeedsLicense => "needs-license",
            Self::Denied => "denied",
            Self::Failed => "failed",
            Self::NotTried => "not-tried",
        }
    }

    /// The status that an error of this kind leads to.
    pub fn of(kind: Kind) -> Self {
        match kind {
            Kind::Unsupported => Self::Unsupported,
            Kind::NeedsLicense => Self::NeedsLicense,
            Kind::Auth | Kind::Privilege => Self::Denied,
            Kind::Cancelled => Self::NotTried,
            _ => Self::Failed,
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One operation on one driver.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Entry {
    /// `power.state`, `info.uuid`, `boot.pxe`, ...
    pub operation: &'static str,
    /// The driver that was asked.
    pub driver: DriverName,
    /// The same with the vendor's overwrite: `dell(redfish)`.
    pub by: String,
    /// What became of it.
    pub status: Status,
    /// What was read; of long lists only how many there are.
    pub value: Value,
    /// Where it was read, or what speaks for a change that was not tried.
    pub evidence: Option<String>,
    /// Another driver says something else.
    pub differs: bool,
    /// Why it does not work.
    pub error: Option<String>,
    /// Milliseconds; a read that fills several entries counts in each.
    pub took_ms: f64,
}

impl Entry {
    /// May it be used: it works, or all that was read speaks for it?
    pub fn serves(&self) -> bool {
        self.status == Status::Works
            || self.status == Status::NotTried && self.error.is_none() && self.evidence.is_some()
    }
}
