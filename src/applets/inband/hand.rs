//! Who has the password when this process is gone: the daemon, which puts it aside before the account is let in, or, without
//! one, whoever reads what we print.

use std::fmt;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use super::document::Document;
use super::options::Options;
use super::register;
use crate::api::client::registration::Registration;
use crate::applets::common::exit::Failure;
use crate::hal::inband::{self, Found, Host, Journal, Keeper, Kept, Machine, Made};
use crate::hal::ipmi::cmd::Privilege;
use crate::hal::model::{BoxFuture, Cx, Secret};
use crate::hal::{Error, Kind, Result};

/// Prints a document.
pub(super) type Print<'a> = &'a (dyn Fn(&Document) -> std::result::Result<(), Failure> + Sync);

/// How far the password came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Where {
    /// Nobody else has it.
    Here,
    /// It is printed.
    Printed,
    /// The daemon has put it aside.
    Daemon,
}

/// One run's keeper.
pub(super) struct Hand<'a> {
    pub(super) options: &'a Options,
    pub(super) daemon: Option<&'a Registration>,
    pub(super) machine: &'a Machine,
    pub(super) found: &'a Found,
    pub(super) journal: &'a Journal<'a>,
    /// What is known so far.
    pub(super) document: Document,
    pub(super) print: Print<'a>,
    pub(super) gone: Mutex<Where>,
}

impl fmt::Debug for Hand<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hand").finish_non_exhaustive()
    }
}

impl Hand<'_> {
    /// How far it came.
    pub(super) fn gone(&self) -> Where {
        *self.gone.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn went(&self, to: Where) {
        *self.gone.lock().unwrap_or_else(PoisonError::into_inner) = to;
    }
}

impl Keeper for Hand<'_> {
    fn keep<'a>(&'a self, cx: &'a Cx, account: Kept<'a>) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            // A rotation that is printed is printed once, when the BMC took it: cut off before, it is asked for again.
            if account.rotates && self.daemon.is_none() {
                return Ok(());
            }
            let mut document = self.document.clone();
            document.made(Made {
                user_id: account.user_id,
                password: Some(account.password.clone()),
                created: true,
                verified: account.verified,
            });
            document.changes = self.journal.writes();
            document.warnings = self.journal.warnings();
            if let Some(daemon) = self.daemon {
                register::put_aside(daemon, cx, self.machine, &document).await?;
                self.went(Where::Daemon);
            } else {
                (self.print)(&document).map_err(|_| {
                    Error::new(
                        Kind::Other,
                        "the document with the password cannot be printed",
                    )
                    .with_hint("the user was not let in; the next run finishes")
                })?;
                self.went(Where::Printed);
            }
            Ok(())
        })
    }

    fn admit<'a>(&'a self, cx: &'a Cx) -> BoxFuture<'a, Result<bool>> {
        Box::pin(async move {
            if !self.machine.host_interface {
                return Ok(false);
            }
            let host = Host::enter(self.journal, cx, self.machine.redfish, |_| ()).await?;
            let admitted = host.admit(self.journal, &self.options.user).await;
            host.leave().await;
            admitted.map(|_| true)
        })
    }

    fn proves(&self) -> bool {
        self.options.verify_lan && self.found.ip.is_some()
    }

    fn login<'a>(
        &'a self,
        cx: &'a Cx,
        password: &'a Secret,
        privilege: Privilege,
    ) -> BoxFuture<'a, Result<bool>> {
        Box::pin(async move {
            let Some(ip) = self.found.ip else {
                return Ok(false);
            };
            let user = &self.options.user;
            match inband::login(cx, IpAddr::V4(ip), user, password, privilege).await {
                Ok(()) => Ok(true),
                Err(error) if matches!(error.kind(), Kind::Unreachable | Kind::Timeout) => {
                    self.journal
                        .warn(format!("not verified over the LAN: {}", error.chain()));
                    Ok(false)
                }
                Err(error) => Err(error.context("logging in over the LAN with the new password")),
            }
        })
    }
}
