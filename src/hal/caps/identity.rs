//! What the machine is.

use crate::hal::error::Result;
use crate::hal::model::info::Info;
use crate::hal::model::{BoxFuture, Cx, Reading};

/// Vendor, model, serial, UUID, board, BIOS, BMC.
pub trait Identity: Send + Sync {
    /// Everything that this driver can tell; fields that it cannot are absent.
    fn info<'a>(&'a self, cx: &'a Cx) -> BoxFuture<'a, Result<Reading<Info>>>;
}
