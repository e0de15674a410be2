//! The identify LED.

use crate::hal::error::Result;
use crate::hal::model::{BoxFuture, Cx, LedState, Reading};

/// Reads and switches the identify LED.
pub trait Led: Send + Sync {
    /// The present state; `Unknown` where the BMC does not say.
    fn state<'a>(&'a self, cx: &'a Cx) -> BoxFuture<'a, Result<Reading<LedState>>>;

    /// Switches it on (until switched off) or off.
    fn set<'a>(&'a self, cx: &'a Cx, on: bool) -> BoxFuture<'a, Result<Reading<LedState>>>;
}
