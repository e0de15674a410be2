//! What speaks for a change that is not tried.

use crate::hal::error::Result;
use crate::hal::model::write::Write;
use crate::hal::model::{BoxFuture, Cx, Reading};

/// Judges changes from what can be read: allowable values, actions, methods, privileges. Changes nothing.
pub trait Evidence: Send + Sync {
    /// In words, why `write` should work. An error says why it would not: `Unsupported`, `NeedsLicense`,
    /// `Privilege`, `Auth`; any other kind means that it could not be judged.
    fn evidence<'a>(&'a self, cx: &'a Cx, write: Write) -> BoxFuture<'a, Result<Reading<String>>>;
}
