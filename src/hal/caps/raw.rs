//! Any command.

use crate::hal::error::Result;
use crate::hal::model::raw::RawReply;
use crate::hal::model::{BoxFuture, Cx, Reading};

/// Sends any IPMI command.
pub trait Raw: Send + Sync {
    /// Sends one command as it is, never twice, and returns completion code and data. A non-zero code is not an error.
    fn raw<'a>(
        &'a self,
        cx: &'a Cx,
        netfn: u8,
        cmd: u8,
        data: Vec<u8>,
    ) -> BoxFuture<'a, Result<Reading<RawReply>>>;
}
