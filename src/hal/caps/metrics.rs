//! Power consumption.

use crate::hal::error::Result;
use crate::hal::model::metrics::PowerMetrics;
use crate::hal::model::{BoxFuture, Cx, Reading};

/// Reads watts.
pub trait Metrics: Send + Sync {
    /// Watts as the BMC measures them; absent values stay absent. Supplies are left empty.
    fn power_metrics<'a>(&'a self, cx: &'a Cx) -> BoxFuture<'a, Result<Reading<PowerMetrics>>>;
}
