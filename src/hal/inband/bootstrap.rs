//! The Redfish host interface, where IPMI over LAN is no way: does the BMC give its own host an account?

use super::found::is_answer;
use crate::hal::error::Result;
use crate::hal::ipmi::Exchange;
use crate::hal::ipmi::cmd::CompletionError;
use crate::hal::ipmi::cmd::redfish::{
    BOOTSTRAP_DISABLED, BootstrapCredentials, GetBootstrapCredentials,
};
use crate::hal::ipmi::exchange::run;
use crate::hal::model::Cx;

/// What the BMC says to its own host.
#[derive(Debug, Clone)]
pub enum Bootstrap {
    /// An account, for the host interface alone, until the BMC or the host starts anew.
    Granted(BootstrapCredentials),
    /// It could, and is set not to.
    Disabled,
    /// It cannot.
    Unsupported,
}

impl Bootstrap {
    /// The word of the public JSON.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Granted(_) => "granted",
            Self::Disabled => "disabled",
            Self::Unsupported => "unsupported",
        }
    }
}

/// Asks for an account (Get Bootstrap Account Credentials); the next who asks may get one, too.
pub async fn bootstrap(bmc: &dyn Exchange, cx: &Cx) -> Result<Bootstrap> {
    match run(bmc, cx, &GetBootstrapCredentials { keep: true }).await {
        Ok(credentials) => Ok(Bootstrap::Granted(credentials)),
        Err(error) if CompletionError::find(&error) == Some(BOOTSTRAP_DISABLED) => {
            Ok(Bootstrap::Disabled)
        }
        Err(error) if is_answer(&error) => Ok(Bootstrap::Unsupported),
        Err(error) => Err(error),
    }
}
