//! Power of the host.

use std::fmt;

use serde::Serialize;

/// What the BMC says of the host's power.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PowerState {
    /// Running.
    On,
    /// Not running.
    Off,
    /// On its way up.
    PoweringOn,
    /// On its way down.
    PoweringOff,
    /// The BMC does not say.
    Unknown,
}

impl PowerState {
    /// `ON`, `OFF`, ...
    pub fn as_str(self) -> &'static str {
        match self {
            Self::On => "ON",
            Self::Off => "OFF",
            Self::PoweringOn => "POWERING_ON",
            Self::PoweringOff => "POWERING_OFF",
            Self::Unknown => "UNKNOWN",
        }
    }
}

impl fmt::Display for PowerState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What can be done to the host's power.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PowerAction {
    /// Up; done when already up.
    On,
    /// Hard off; done when already off.
    Off,
    /// Hard reset; refused when off.
    Reset,
    /// Off, then on; refused when off.
    Cycle,
    /// Ask the operating system to shut down; done when already off.
    Soft,
}

impl PowerAction {
    /// The word of the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::On => "on",
            Self::Off => "off",
            Self::Reset => "reset",
            Self::Cycle => "cycle",
            Self::Soft => "soft",
        }
    }

    /// The state that is reached when it worked.
    pub fn goal(self) -> PowerState {
        match self {
            Self::On | Self::Reset | Self::Cycle => PowerState::On,
            Self::Off | Self::Soft => PowerState::Off,
        }
    }
}

/// Was the result of a power action seen?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verified {
    /// The goal was read back.
    Yes,
    /// Not waited for, or not reached in time.
    No,
    /// A reset goes from ON to ON: there is nothing to see.
    NotObservable,
}

/// What a power action led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct PowerOutcome {
    /// The state last read (or the goal, when nothing was read).
    pub state: PowerState,
    /// Was it seen?
    pub verified: Verified,
}
