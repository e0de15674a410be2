//! Which of several passwords a user has, by one IPMI handshake.

use std::sync::Arc;

use super::{Endpoint, Fleet};
use crate::hal::error::Result;
use crate::hal::fleet::Remote;
use crate::hal::ipmi::cmd::app::GetDeviceId;
use crate::hal::ipmi::exchange::run;
use crate::hal::ipmi::session::Refusal;
use crate::hal::model::Cx;

/// What the handshake told.
#[derive(Debug)]
pub enum Fit {
    /// The password with this number (0 is `session.password`, then the alternatives); its session is open as long as
    /// the handle lives, and is the one that [`Fleet::bmc`] gives for this password.
    Right(usize, Arc<Remote>),
    /// The user has none of them. The BMC keeps a half-open slot until it gives the handshake up.
    Wrong,
    /// There is no such user.
    NoUser,
}

/// Asks the BMC of `endpoint`, whose session has the candidates of one user as password and alternatives. An error means
/// that the protocol could not tell.
pub async fn fit(fleet: &Fleet, cx: &Cx, endpoint: &Endpoint) -> Result<Fit> {
    let remote = fleet.bmc(endpoint)?;
    match run(&*remote, cx, &GetDeviceId).await {
        Ok(_) => {
            let which = remote.password().unwrap_or(0);
            Ok(Fit::Right(which, remote))
        }
        Err(error) => match Refusal::find(&error) {
            Some(Refusal::Password) => Ok(Fit::Wrong),
            Some(Refusal::User) => Ok(Fit::NoUser),
            None => Err(error),
        },
    }
}
