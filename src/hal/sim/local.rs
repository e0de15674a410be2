//! A simulated BMC without sockets and sessions: for tests of drivers.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::handlers::{self, Order};
use super::profile::{Profile, ProfileName};
use super::state::{Clock, Server, Users};
use crate::hal::error::Result;
use crate::hal::ipmi::cmd::{CompletionCode, NetFn, Privilege};
use crate::hal::ipmi::exchange::{Exchange, Request, Response, Target};
use crate::hal::ipmi::learnt::LearntCell;
use crate::hal::ipmi::responder::{Answer, Caller, required};
use crate::hal::model::{BoxFuture, Cx, Secret};
use crate::hal::{Error, Kind};

/// A BMC in this process. Time stands still unless it is [moved](LocalBmc::advance).
#[derive(Debug)]
pub struct LocalBmc {
    inner: Mutex<Inner>,
    learnt: LearntCell,
    privilege: Privilege,
    channel: Option<u8>,
}

#[derive(Debug)]
struct Inner {
    server: Server,
    now: Instant,
    log: Vec<(NetFn, u8)>,
}

impl LocalBmc {
    /// A BMC of that profile with the user `admin`, password `admin`, and a caller who is ADMINISTRATOR.
    pub fn new(name: ProfileName) -> Self {
        let profile = Arc::new(Profile::new(name));
        let users = Users::new(&profile.users, "admin", &Secret::new("admin"));
        let now = Instant::now();
        let clock = Clock {
            origin: now,
            unix: 1_735_689_600,
        };
        let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
        Self {
            inner: Mutex::new(Inner {
                server: Server::new(&profile, 0, address, &users, clock),
                now,
                log: Vec::new(),
            }),
            learnt: LearntCell::default(),
            privilege: Privilege::Administrator,
            channel: None,
        }
    }

    /// The same BMC for its own host: over the system interface.
    #[must_use]
    pub fn from_inside(mut self) -> Self {
        self.channel = Some(0x0f);
        self
    }

    /// The same BMC for a caller with less privilege.
    #[must_use]
    pub fn with_privilege(mut self, privilege: Privilege) -> Self {
        self.privilege = privilege;
        self
    }

    /// Looks at or changes the server.
    pub fn with_state<T>(&self, f: impl FnOnce(&mut Server) -> T) -> T {
        f(&mut self.lock().server)
    }

    /// Lets time pass.
    pub fn advance(&self, by: std::time::Duration) {
        let mut inner = self.lock();
        inner.now += by;
        let now = inner.now;
        inner.server.tick(now);
    }

    /// The commands so far, and forgets them.
    pub fn take_log(&self) -> Vec<(NetFn, u8)> {
        std::mem::take(&mut self.lock().log)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn execute(&self, request: &Request) -> Result<Response> {
        let mut inner = self.lock();
        inner.log.push((request.netfn, request.cmd));
        if request.target != Target::Bmc {
            return Ok(response(Answer::code(
                CompletionCode::DESTINATION_UNAVAILABLE,
            )));
        }
        if required(request.netfn, request.cmd, &request.data) > self.privilege {
            return Ok(response(Answer::code(
                CompletionCode::INSUFFICIENT_PRIVILEGE,
            )));
        }
        let caller = Caller {
            user: 2,
            session: 1,
            privilege: self.privilege,
            channel: (self.channel).unwrap_or(inner.server.profile.sessions.channel),
        };
        let order = Order {
            netfn: request.netfn,
            lun: request.lun,
            cmd: request.cmd,
            data: &request.data,
        };
        let now = inner.now;
        match handlers::execute(&mut inner.server, now, &caller, order) {
            Answer::Silence => Err(Error::new(Kind::Timeout, request.name)),
            answer @ Answer::Reply(..) => Ok(response(answer)),
        }
    }
}

fn response(answer: Answer) -> Response {
    match answer {
        Answer::Reply(code, data) => Response { code, data },
        Answer::Silence => Response {
            code: CompletionCode::NO_RESPONSE,
            data: Vec::new(),
        },
    }
}

impl Exchange for LocalBmc {
    fn exchange<'a>(&'a self, _: &'a Cx, request: Request) -> BoxFuture<'a, Result<Response>> {
        Box::pin(async move { self.execute(&request) })
    }

    fn learnt(&self) -> &LearntCell {
        &self.learnt
    }
}
