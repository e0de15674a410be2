//! Sensors.

use crate::hal::error::Result;
use crate::hal::model::sensor::SensorValue;
use crate::hal::model::{BoxFuture, Cx, Reading};

/// Reads sensors.
pub trait Sensors: Send + Sync {
    /// Every sensor with its reading. `live_thresholds` asks the BMC for each threshold instead of taking the ones of its records.
    fn sensors<'a>(
        &'a self,
        cx: &'a Cx,
        live_thresholds: bool,
    ) -> BoxFuture<'a, Result<Reading<Vec<SensorValue>>>>;
}
