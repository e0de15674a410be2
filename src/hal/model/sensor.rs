//! Sensors.

use serde::Serialize;

/// One sensor and what it reads.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SensorValue {
    /// Name.
    pub name: String,
    /// Sensor type in the specification's words, e.g. `Temperature`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Reading; absent = none, and the status says why.
    pub value: Option<f64>,
    /// Unit in the specification's words, e.g. `degrees C`.
    pub unit: Option<String>,
    /// `ok`, a threshold state (`upper critical`, ...), discrete states joined by `, `, or why there is no reading.
    pub status: String,
    /// Thresholds that are readable.
    pub thresholds: Thresholds,
}

/// Thresholds of an analog sensor, in the sensor's unit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Thresholds {
    /// Lower non-recoverable.
    pub lower_non_recoverable: Option<f64>,
    /// Lower critical.
    pub lower_critical: Option<f64>,
    /// Lower non-critical.
    pub lower_non_critical: Option<f64>,
    /// Upper non-critical.
    pub upper_non_critical: Option<f64>,
    /// Upper critical.
    pub upper_critical: Option<f64>,
    /// Upper non-recoverable.
    pub upper_non_recoverable: Option<f64>,
}
