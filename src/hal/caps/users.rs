//! Accounts of the BMC.

use crate::hal::error::{Error, Kind, Result};
use crate::hal::model::user::{NewUser, User};
use crate::hal::model::{BoxFuture, Cx, Reading, Secret};

/// Reads and changes accounts. Every write is read back; the account that is logged in is never disabled, deleted or
/// lowered.
pub trait Users: Send + Sync {
    /// All accounts that have a name or a privilege.
    fn users<'a>(&'a self, cx: &'a Cx) -> BoxFuture<'a, Result<Reading<Vec<User>>>>;

    /// Makes an account. A name that is there already is refused (`Kind::Refused`); a full table too. A refused
    /// password carries the BMC's words.
    fn create<'a>(&'a self, cx: &'a Cx, user: &'a NewUser) -> BoxFuture<'a, Result<Reading<User>>> {
        let _ = (cx, user);
        unsupported("users.create")
    }

    /// Gives the account `name` another password.
    fn set_password<'a>(
        &'a self,
        cx: &'a Cx,
        name: &'a str,
        password: &'a Secret,
    ) -> BoxFuture<'a, Result<Reading<User>>> {
        let _ = (cx, name, password);
        unsupported("users.set-password")
    }

    /// Lets the account `name` log in, or not.
    fn set_enabled<'a>(
        &'a self,
        cx: &'a Cx,
        name: &'a str,
        enabled: bool,
    ) -> BoxFuture<'a, Result<Reading<User>>> {
        let _ = (cx, name, enabled);
        unsupported("users.set-enabled")
    }

    /// Removes the account `name`.
    fn delete<'a>(&'a self, cx: &'a Cx, name: &'a str) -> BoxFuture<'a, Result<Reading<()>>> {
        let _ = (cx, name);
        unsupported("users.delete")
    }
}

fn unsupported<'a, T: Send + 'a>(operation: &str) -> BoxFuture<'a, Result<Reading<T>>> {
    let error = Error::new(
        Kind::Unsupported,
        format!("{operation}: not with this driver"),
    );
    Box::pin(async move { Err(error) })
}
