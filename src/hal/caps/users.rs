//! Accounts of the BMC.

use crate::hal::error::Result;
use crate::hal::model::user::User;
use crate::hal::model::{BoxFuture, Cx, Reading};

/// Reads accounts.
pub trait Users: Send + Sync {
    /// All accounts that have a name or a privilege.
    fn users<'a>(&'a self, cx: &'a Cx) -> BoxFuture<'a, Result<Reading<Vec<User>>>>;
}
