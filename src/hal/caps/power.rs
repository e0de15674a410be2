//! Power of the host.

use crate::hal::error::Result;
use crate::hal::model::power::PowerOutcome;
use crate::hal::model::{BoxFuture, Cx, PowerAction, PowerState, Reading};

/// Reads and changes the host's power.
pub trait Power: Send + Sync {
    /// The present state.
    fn state<'a>(&'a self, cx: &'a Cx) -> BoxFuture<'a, Result<Reading<PowerState>>>;

    /// Does `action` and, with `wait`, reads until its goal is reached or the deadline comes.
    ///
    /// On, off and soft are done when already there. Reset and cycle of a host that is off are refused.
    fn set<'a>(
        &'a self,
        cx: &'a Cx,
        action: PowerAction,
        wait: bool,
    ) -> BoxFuture<'a, Result<Reading<PowerOutcome>>>;
}
