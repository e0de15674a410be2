//! The BMC's network.

use crate::hal::error::Result;
use crate::hal::model::lan::LanInfo;
use crate::hal::model::{BoxFuture, Cx, Reading};

/// Reads the BMC's LAN configuration.
pub trait Network: Send + Sync {
    /// The channel that serves the LAN.
    fn lan<'a>(&'a self, cx: &'a Cx) -> BoxFuture<'a, Result<Reading<LanInfo>>>;
}
