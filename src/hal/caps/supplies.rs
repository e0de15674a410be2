//! Power supplies.

use crate::hal::error::Result;
use crate::hal::model::metrics::PowerSupply;
use crate::hal::model::{BoxFuture, Cx, Reading};

/// Reads power supplies.
pub trait Supplies: Send + Sync {
    /// All supplies with health and state.
    fn power_supplies<'a>(&'a self, cx: &'a Cx)
    -> BoxFuture<'a, Result<Reading<Vec<PowerSupply>>>>;
}
