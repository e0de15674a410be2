//! A value and where it came from.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use super::DriverName;

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Source {
    /// The driver that was used.
    pub driver: DriverName,
    /// The vendor overwrite that took part, if any.
    pub overwrite: Option<&'static str>,
    /// Command or path it was read from, e.g. `Get Chassis Status` or `/redfish/v1/Systems/1 PowerState`.
    pub at: String,
}

impl Source {
    /// A value of `driver`, read from `at`, with no overwrite.
    pub fn new(driver: DriverName, at: impl Into<String>) -> Self {
        Self {
            driver,
            overwrite: None,
            at: at.into(),
        }
    }
}

impl fmt::Display for Source {
    /// `redfish`, `supermicro(redfish)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let driver = self.driver.as_str().to_ascii_lowercase();
        match self.overwrite {
            None => f.write_str(&driver),
            Some(vendor) => write!(f, "{vendor}({driver})"),
        }
    }
}

/// A value with its provenance.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reading<T> {
    /// What was read.
    pub value: T,
    /// Where it came from.
    pub source: Source,
    /// How long the read took.
    pub took: Duration,
}

impl<T> Reading<T> {
    /// The same provenance for a value computed from this one.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Reading<U> {
        Reading {
            value: f(self.value),
            source: self.source,
            took: self.took,
        }
    }
}
