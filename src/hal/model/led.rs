//! The identify LED.

use std::fmt;

use serde::Serialize;

/// State of the identify LED.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum LedState {
    /// Lit or blinking.
    On,
    /// Dark.
    Off,
    /// The BMC does not say.
    Unknown,
}

impl LedState {
    /// `ON`, `OFF`, `UNKNOWN`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::On => "ON",
            Self::Off => "OFF",
            Self::Unknown => "UNKNOWN",
        }
    }
}

impl fmt::Display for LedState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
