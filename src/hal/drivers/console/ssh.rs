//! The serial console over SSH. The vendor's data say at which port, by which command, and how it is left.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use crate::hal::caps::Console;
use crate::hal::error::{Error, Kind, Result};
use crate::hal::gate::Guard;
use crate::hal::model::console::{ConsoleOptions, ConsoleState, ConsoleStream, SshConsole};
use crate::hal::model::{BoxFuture, Cx, Reading, Secret, Source};
use crate::hal::redfish::Client;
use crate::hal::ssh::Settings;
use crate::hal::transport::line::{Dialer, Line, dial_ssh, greet, keep};

/// How to get there.
#[derive(Debug, Clone)]
pub struct SshAccess {
    /// The BMC's Redfish: what was learnt of it keeps the host key.
    pub client: Arc<Client>,
    /// How the vendor does it.
    pub console: SshConsole,
    /// Where.
    pub address: SocketAddr,
    /// Who logs in.
    pub user: String,
    /// With what.
    pub password: Secret,
    /// The fingerprint that the host key has to have, if somebody said one.
    pub host_key: Option<String>,
    /// In front of all logins of the BMC: a password that is wrong elsewhere is wrong here.
    pub guard: Option<Guard>,
    /// In front of this one: who may not use SSH may be right elsewhere.
    pub own_guard: Option<Guard>,
}

pub(super) struct SshDriver(Arc<SshAccess>);

impl SshDriver {
    pub(super) fn new(access: SshAccess) -> Self {
        Self(Arc::new(access))
    }

    fn reading<T>(&self, start: Instant, value: T) -> Reading<T> {
        let access = &self.0;
        let at = match access.console.command {
            Some(command) => format!("ssh {} {command}", access.address),
            None => format!("ssh {}", access.address),
        };
        let mut source = Source::new(access.client.driver(), at);
        source.overwrite = access.client.overwrite();
        Reading {
            value,
            source,
            took: start.elapsed(),
        }
    }
}

impl Console for SshDriver {
    /// Is there an SSH server? Who is on the console it does not tell.
    fn state<'a>(&'a self, cx: &'a Cx) -> BoxFuture<'a, Result<Reading<ConsoleState>>> {
        Box::pin(async move {
            let start = Instant::now();
            in_time(cx, greet(self.0.address)).await?;
            let state = ConsoleState {
                protocol: "SSH",
                capacity: 1,
                open: 0,
            };
            Ok(self.reading(start, state))
        })
    }

    /// Stands when it returns: only so can a BMC whose SSH is off be asked for SOL.
    fn open<'a>(
        &'a self,
        cx: &'a Cx,
        options: ConsoleOptions,
    ) -> BoxFuture<'a, Result<Reading<ConsoleStream>>> {
        Box::pin(async move {
            let start = Instant::now();
            let line = in_time(cx, self.0.dial()).await?;
            let stream = keep(Arc::clone(&self.0) as _, line, options.reconnect);
            Ok(self.reading(start, stream))
        })
    }
}

impl Dialer for SshAccess {
    fn dial(&self) -> BoxFuture<'_, Result<Line>> {
        Box::pin(async move {
            let learnt = self.client.door().learnt();
            let kept = learnt.snapshot().ssh_host_key;
            let settings = Settings {
                user: self.user.clone(),
                password: self.password.clone(),
                command: self.console.command,
                known: self.host_key.clone().or(kept),
            };
            if let Some(guard) = &self.guard {
                guard
                    .enter(&self.user, &self.password, false)
                    .await?
                    .clear();
            }
            let pass = match &self.own_guard {
                Some(guard) => Some(guard.enter(&self.user, &self.password, true).await?),
                None => None,
            };
            let line = dial_ssh(
                self.address,
                settings,
                self.console.leave.as_bytes(),
                self.console.break_keys.map(str::as_bytes),
                |key| learnt.update(|l| l.ssh_host_key = Some(key)),
            )
            .await;
            if let Some(pass) = pass {
                pass.settle(&line);
            }
            line
        })
    }
}

/// Ends with the context.
pub(super) async fn in_time<T>(cx: &Cx, work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::select! {
        done = tokio::time::timeout_at(cx.deadline.into(), work) => done.unwrap_or_else(|_| {
            Err(Error::new(Kind::Timeout, "the console was not open in time"))
        }),
        () = cx.cancel.cancelled() => Err(Error::new(Kind::Cancelled, "interrupted")),
    }
}
