//! The serial console.

use crate::hal::error::Result;
use crate::hal::model::console::{ConsoleOptions, ConsoleState, ConsoleStream};
use crate::hal::model::{BoxFuture, Cx, Reading};

/// Opens the serial console of the host.
pub trait Console: Send + Sync {
    /// Is there a line, and is it free?
    fn state<'a>(&'a self, cx: &'a Cx) -> BoxFuture<'a, Result<Reading<ConsoleState>>>;

    /// Begins to open it. That it stands, or why it cannot, is told by the stream, which outlives the context's
    /// deadline.
    fn open<'a>(
        &'a self,
        cx: &'a Cx,
        options: ConsoleOptions,
    ) -> BoxFuture<'a, Result<Reading<ConsoleStream>>>;
}
