//! What the host boots next.

use crate::hal::error::Result;
use crate::hal::model::boot::BootRequest;
use crate::hal::model::{BootState, BoxFuture, Cx, Reading};

/// Reads and sets the boot override.
pub trait Boot: Send + Sync {
    /// The override that is set now.
    fn state<'a>(&'a self, cx: &'a Cx) -> BoxFuture<'a, Result<Reading<BootState>>>;

    /// Sets an override, reads it back, and returns what stands there. A silent revert is an error that says so.
    fn set<'a>(
        &'a self,
        cx: &'a Cx,
        request: BootRequest,
    ) -> BoxFuture<'a, Result<Reading<BootState>>>;
}
