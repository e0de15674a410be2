//! The [`Door`] over HTTP: Basic or session login, one connection, one request in flight per BMC.
//!
//! A request runs in a task of its own: a caller who goes away leaves it to end in order, so that no second request
//! overtakes it and no session is forgotten.

mod login;
mod send;

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use subtle::ConstantTimeEq;
use tokio::sync::{AcquireError, Mutex, Semaphore, SemaphorePermit, watch};

use super::http::{Client, Config as HttpConfig, HttpError, TlsInfo, Trust};
use crate::hal::error::{Error, Kind, Result};
use crate::hal::gate::{Guard, Pass};
use crate::hal::model::{BoxFuture, Cancel, Cx, Priority, Secret};
use crate::hal::redfish::{Answer, Ask, AuthStyle, Door, Learnt, RedfishCell};

/// Threads that wait for BMCs at most, in the whole process: for people, and for refreshes. They are apart, so that BMCs
/// that are slow in a refresh never delay what somebody wants of another one.
const THREADS: (usize, usize) = (64, 64);

/// How long an idle connection, and with it a session, is kept.
const KEEP_IDLE: Duration = Duration::from_secs(15);

/// How long a TCP connection may take.
const CONNECT: Duration = Duration::from_secs(10);

/// How to reach and log in to one BMC.
#[derive(Debug, Clone)]
pub struct Config {
    /// `https://host:port`, no path.
    pub base: String,
    /// Address and port behind it.
    pub address: SocketAddr,
    /// Which certificate is accepted.
    pub trust: Trust,
    /// User name.
    pub user: String,
    /// Password.
    pub password: Secret,
    /// How to log in.
    pub auth: AuthStyle,
    /// What an earlier run learnt.
    pub learnt: Learnt,
    /// How long an idle connection, and with it a session, is kept.
    pub keep_idle: Duration,
    /// How long a TCP connection may take.
    pub connect_within: Duration,
    /// What stands in front of its logins.
    pub guard: Option<Guard>,
}

impl Config {
    /// With defaults for everything but where and who.
    pub fn new(base: impl Into<String>, address: SocketAddr, user: &str, password: Secret) -> Self {
        Self {
            base: base.into(),
            address,
            trust: Trust::default(),
            user: user.to_owned(),
            password,
            auth: AuthStyle::default(),
            learnt: Learnt::default(),
            keep_idle: KEEP_IDLE,
            connect_within: CONNECT,
            guard: None,
        }
    }

    /// Does `other` reach the same service in the same way, with the same login?
    pub fn is_same(&self, other: &Self) -> bool {
        let same_ca = match (&self.trust.ca, &other.trust.ca) {
            (None, None) => true,
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            _ => false,
        };
        let (mine, others) = (self.password.expose(), other.password.expose());
        self.base == other.base
            && self.address == other.address
            && self.user == other.user
            && self.auth == other.auth
            && self.trust.pin == other.trust.pin
            && same_ca
            && bool::from(mine.ct_eq(others))
    }
}

/// A BMC's Redfish service over HTTP. When it is dropped, a session that is open is deleted if a tokio runtime is there.
pub struct HttpDoor {
    inner: Arc<Inner>,
}

struct Inner {
    client: Client,
    user: String,
    password: Secret,
    auth: AuthStyle,
    learnt: RedfishCell,
    keep_idle: Duration,
    /// Number of the request that is in flight, 0 for none.
    serving: std::sync::Mutex<u64>,
    connect_within: Duration,
    guard: Option<Guard>,
    /// Whoever holds it has the one request that is in flight.
    state: Arc<Mutex<State>>,
    /// People who wait for it.
    people: watch::Sender<usize>,
}

/// What changes from request to request.
#[derive(Default)]
struct State {
    session: Option<login::Session>,
    /// When the credentials were refused; they are not sent again for a while.
    refused: Option<(Instant, Arc<str>)>,
    /// The credentials were taken.
    proved: bool,
    /// The gate let us in, and the BMC has not yet shown whether the credentials are right.
    pass: Option<Pass>,
    /// End of the last request.
    last_used: Option<Instant>,
    /// Called off: the read that is running ends.
    cancel: Cancel,
    /// For whom the request is.
    priority: Priority,
    /// Counts requests: an idle timer that sees another number has been overtaken.
    count: u64,
}

impl fmt::Debug for HttpDoor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpDoor")
            .field("client", &self.inner.client)
            .field("user", &self.inner.user)
            .finish_non_exhaustive()
    }
}

fn threads(priority: Priority) -> &'static Semaphore {
    static PEOPLE: OnceLock<Semaphore> = OnceLock::new();
    static REFRESHES: OnceLock<Semaphore> = OnceLock::new();
    match priority {
        Priority::Refresh => REFRESHES.get_or_init(|| Semaphore::new(THREADS.1)),
        Priority::People => PEOPLE.get_or_init(|| Semaphore::new(THREADS.0)),
    }
}

/// Counts one who waits; also when he gives up.
struct Waits<'a>(&'a watch::Sender<usize>);

impl<'a> Waits<'a> {
    fn new(all: &'a watch::Sender<usize>) -> Self {
        all.send_modify(|n| *n += 1);
        Self(all)
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|n| *n = n.saturating_sub(1));
    }
}

impl Inner {
    /// A thread for a request. A refresh that waits for one, with somebody behind it who wants the same BMC, takes one of
    /// people's: it would hold him up otherwise.
    async fn thread(
        &self,
        priority: Priority,
    ) -> std::result::Result<SemaphorePermit<'static>, AcquireError> {
        if priority == Priority::Refresh {
            let mut people = self.people.subscribe();
            tokio::select! {
                thread = threads(Priority::Refresh).acquire() => return thread,
                _ = people.wait_for(|n| *n > 0) => {}
            }
        }
        threads(Priority::People).acquire().await
    }
}

impl HttpDoor {
    /// A door; nothing is sent yet. Fails on a base URL or a trust that cannot be used.
    pub fn new(config: Config) -> Result<Self, HttpError> {
        let http = HttpConfig {
            trust: config.trust,
            keep_idle: config.keep_idle,
            ..HttpConfig::default()
        };
        Ok(Self {
            inner: Arc::new(Inner {
                client: Client::new(&config.base, config.address, &http)?,
                user: config.user,
                password: config.password,
                auth: config.auth,
                learnt: RedfishCell::new(config.learnt),
                keep_idle: config.keep_idle,
                serving: std::sync::Mutex::default(),
                connect_within: config.connect_within,
                guard: config.guard,
                state: Arc::default(),
                people: watch::Sender::new(0),
            }),
        })
    }

    /// What is known of the last TLS connection, also when it was refused.
    pub fn tls(&self) -> Option<TlsInfo> {
        self.inner.client.tls()
    }
}

impl Door for HttpDoor {
    fn ask<'a>(&'a self, cx: &'a Cx, ask: Ask) -> BoxFuture<'a, Result<Answer>> {
        Box::pin(async move {
            let what = ask.to_string();
            let read = ask.method.is_read();
            let gone = || Error::new(Kind::Cancelled, what.clone());
            let late = || {
                Error::new(Kind::Timeout, what.clone())
                    .with_source("other requests to this BMC took all the time")
            };
            let waits = (cx.priority == Priority::People).then(|| Waits::new(&self.inner.people));
            let turn = tokio::select! {
                biased;
                () = cx.cancel.cancelled() => return Err(gone()),
                turn = tokio::time::timeout_at(cx.deadline.into(), Arc::clone(&self.inner.state).lock_owned()) => {
                    turn.map_err(|_| late())?
                }
            };
            drop(waits);
            let inner = Arc::clone(&self.inner);
            let count = turn.count + 1;
            let (deadline, cancel) = (cx.deadline, cx.cancel.clone());
            let mut turn = turn;
            turn.priority = cx.priority;
            let mut job =
                tokio::spawn(async move { inner.serve(turn, ask, deadline, cancel).await });
            let done = if read {
                tokio::select! {
                    done = &mut job => done,
                    () = cx.cancel.cancelled() => {
                        self.inner.abort(count);
                        return Err(gone());
                    }
                }
            } else {
                // A write that has begun is waited for: its fate is worth more than a quick end.
                job.await
            };
            done.unwrap_or_else(|e| Err(Error::new(Kind::Other, what).with_source(e.to_string())))
        })
    }

    fn pause<'a>(&'a self, cx: &'a Cx, time: Duration) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let left = cx.deadline.saturating_duration_since(Instant::now());
            if time >= left {
                return Err(Error::new(Kind::Timeout, "wait for the BMC")
                    .with_source("the time is up before it is ready"));
            }
            tokio::select! {
                () = tokio::time::sleep(time) => Ok(()),
                () = cx.cancel.cancelled() => Err(Error::new(Kind::Cancelled, "wait for the BMC")),
            }
        })
    }

    fn user(&self) -> Option<&str> {
        Some(&self.inner.user)
    }

    fn origin(&self) -> &str {
        self.inner.client.base()
    }

    fn learnt(&self) -> &RedfishCell {
        &self.inner.learnt
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let turn = Arc::clone(&self.inner.state).lock_owned().await;
            let inner = Arc::clone(&self.inner);
            // Its own task: a session is deleted also when the caller does not wait.
            let _ = tokio::spawn(async move { inner.end(turn).await }).await;
        })
    }
}

impl Drop for HttpDoor {
    fn drop(&mut self) {
        let inner = Arc::clone(&self.inner);
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                let turn = Arc::clone(&inner.state).lock_owned().await;
                inner.end(turn).await;
            });
        }
    }
}
