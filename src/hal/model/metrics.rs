//! Power consumption.

use serde::Serialize;

/// Watts and supplies; absent = the BMC does not say.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct PowerMetrics {
    /// Now.
    pub consumed_watts: Option<f64>,
    /// Average over the interval.
    pub average_watts: Option<f64>,
    /// Lowest in the interval.
    pub min_watts: Option<f64>,
    /// Highest in the interval.
    pub max_watts: Option<f64>,
    /// Length of the interval.
    pub interval_minutes: Option<f64>,
    /// Power supplies.
    pub supplies: Vec<PowerSupply>,
}

/// One power supply.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct PowerSupply {
    /// Name as the BMC gives it.
    pub name: String,
    /// `OK`, `Warning`, `Critical`.
    pub health: Option<String>,
    /// `Enabled`, `Absent`, ...
    pub state: Option<String>,
}
