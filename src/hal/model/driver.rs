//! The four drivers and how they are spelled.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A driver: how halbox talks to a BMC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum DriverName {
    /// IPMI over LAN or /dev/ipmi0.
    #[serde(rename = "IPMI")]
    Ipmi,
    /// DMTF Redfish.
    Redfish,
    /// Redfish plus Dell's OEM paths.
    #[serde(rename = "iDrac")]
    IDrac,
    /// A machine that nobody drives.
    Unmanaged,
}

impl DriverName {
    /// All drivers, in the order in which they are listed.
    pub const ALL: [DriverName; 4] = [Self::Ipmi, Self::Redfish, Self::IDrac, Self::Unmanaged];

    /// The spelling people see.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ipmi => "IPMI",
            Self::Redfish => "Redfish",
            Self::IDrac => "iDrac",
            Self::Unmanaged => "Unmanaged",
        }
    }
}

impl fmt::Display for DriverName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for DriverName {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|d| d.as_str().eq_ignore_ascii_case(s))
            .ok_or_else(|| format!("'{s}' is no driver; one of IPMI, Redfish, iDrac, Unmanaged"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepted_in_any_case() {
        assert_eq!("ipmi".parse(), Ok(DriverName::Ipmi));
        assert_eq!("IDRAC".parse(), Ok(DriverName::IDrac));
        assert!("snmp".parse::<DriverName>().is_err());
    }
}
