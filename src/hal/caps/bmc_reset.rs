//! Restart of the BMC itself.

use crate::hal::error::Result;
use crate::hal::model::{BoxFuture, Cx, Reading};

/// Restarts the BMC.
pub trait BmcReset: Send + Sync {
    /// Restarts the BMC's firmware; the host keeps running. The answer may never come: that is not an error.
    fn bmc_reset<'a>(&'a self, cx: &'a Cx) -> BoxFuture<'a, Result<Reading<()>>>;
}
