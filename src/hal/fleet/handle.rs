//! The handle of one BMC: submits commands to its actor.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

use subtle::ConstantTimeEq;
use tokio::sync::{mpsc, oneshot};

use super::Endpoint;
use super::console::Serial;
use crate::hal::error::{Error, Kind, Result};
use crate::hal::gate::{Guard, Pass};
use crate::hal::ipmi::cmd::Privilege;
use crate::hal::ipmi::learnt::LearntCell;
use crate::hal::ipmi::session::{Config, Version, WrongKg};
use crate::hal::ipmi::{Exchange, Request, Response};
use crate::hal::model::console::{ConsoleOptions, ConsoleStream};
use crate::hal::model::{BoxFuture, Cx, Priority, Secret};
use crate::hal::recording::Recorder;

/// A command on its way to the actor.
pub(super) struct Job {
    pub(super) token: u64,
    pub(super) request: Request,
    pub(super) deadline: Instant,
    pub(super) priority: Priority,
    pub(super) reply: Reply,
}

/// Who waits for the answer.
pub(super) enum Reply {
    Caller(oneshot::Sender<Result<Response>>),
    /// The console of this BMC.
    Console,
}

/// What the actor is told.
pub(super) enum Message {
    Submit(Box<Job>),
    /// The caller of this token gave up or went away.
    Cancel(u64),
    /// The next operation needs up to this privilege.
    Expect(Privilege),
    /// Open the serial console.
    Console(Box<Serial>),
}

/// No password was proved yet.
pub(super) const NONE: usize = usize::MAX;

/// One BMC of the [`Fleet`](super::Fleet). Dropping the last handle closes its session.
pub struct Remote {
    pub(super) addr: SocketAddr,
    pub(super) config: Config,
    pub(super) learnt: Arc<LearntCell>,
    pub(super) proved: Arc<AtomicUsize>,
    pub(super) recorder: Option<Arc<Recorder>>,
    pub(super) guard: Option<Guard>,
    /// Whoever makes the first login holds it; the others wait for what comes of it.
    pub(super) login: tokio::sync::Mutex<()>,
    pub(super) inbox: mpsc::UnboundedSender<Message>,
    pub(super) next_token: AtomicU64,
}

impl Remote {
    /// The address that it dials.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Which of the passwords is the right one, once a login has shown it: 0 is the first, 1 the first alternative.
    pub fn password(&self) -> Option<usize> {
        Some(self.proved.load(Ordering::Acquire)).filter(|which| *which != NONE)
    }

    /// Would `endpoint` try the same passwords, or the one that was found?
    fn knows(&self, other: &Config) -> bool {
        let mine = &self.config;
        let all = |c: &Config| -> Vec<Secret> {
            std::iter::once(&c.password)
                .chain(&c.alternatives)
                .cloned()
                .collect()
        };
        let (mine, other) = (all(mine), all(other));
        let found = self.password().and_then(|which| mine.get(which));
        match (found, other.as_slice()) {
            (Some(found), [one]) => same(Some(found), Some(one)),
            _ => {
                mine.len() == other.len()
                    && mine.iter().zip(&other).all(|(a, b)| same(Some(a), Some(b)))
            }
        }
    }

    /// Would `endpoint` log in in the same way?
    pub(super) fn serves(&self, endpoint: &Endpoint) -> bool {
        let (mine, other) = (&self.config, &endpoint.session);
        !self.inbox.is_closed()
            && mine.user == other.user
            && mine.version == other.version
            && mine.suites == other.suites
            && mine.privilege == other.privilege
            && self.knows(other)
            && same(mine.kg.as_ref(), other.kg.as_ref())
    }

    fn submit(&self, cx: &Cx, request: Request) -> Waiting<'_> {
        let token = self.next_token.fetch_add(1, Ordering::Relaxed);
        let (reply, answer) = oneshot::channel();
        let asked = self.recorder.is_some().then(|| request.clone());
        let job = Job {
            token,
            request,
            deadline: cx.deadline,
            priority: cx.priority,
            reply: Reply::Caller(reply),
        };
        // A closed inbox drops the job and with it `reply`: the wait below ends with an error.
        let _ = self.inbox.send(Message::Submit(Box::new(job)));
        Waiting {
            remote: self,
            token,
            asked,
            answer: Some(answer),
        }
    }
}

/// How a request came past the gate.
enum Entry<'a> {
    /// There is none, or this connection is known to be let in.
    Known,
    /// This is the first login.
    First {
        pass: Pass,
        _turn: tokio::sync::MutexGuard<'a, ()>,
    },
}

impl Entry<'_> {
    /// Tells the gate what came of it.
    fn settle(self, remote: &Remote, error: Option<&Error>) {
        let refused = error.is_some_and(is_refusal);
        match self {
            Self::First { pass, .. } if refused => pass.failed(),
            Self::First { pass, .. } if remote.password().is_some() => pass.worked(),
            Self::First { pass, .. } => pass.clear(),
            Self::Known if refused => {
                if let (Some(guard), true) = (&remote.guard, remote.password().is_some()) {
                    remote.proved.store(NONE, Ordering::Release);
                    let (user, password) = (remote.name(), &remote.config.password);
                    guard.lost(&user, password, remote.counts());
                }
            }
            Self::Known => {}
        }
    }
}

/// Were user or password refused? Not when only K_G is wrong.
fn is_refusal(error: &Error) -> bool {
    error.kind() == Kind::Auth && !WrongKg::is_in(error)
}

impl Remote {
    /// Passes the gate, if there is one and this connection was not let in before.
    async fn enter(&self, cx: &Cx) -> Result<Entry<'_>> {
        let Some(guard) = &self.guard else {
            return Ok(Entry::Known);
        };
        if self.password().is_some() {
            return Ok(Entry::Known);
        }
        let late = || {
            Error::new(Kind::Timeout, format!("{}: log in", self.addr))
                .with_source("another login to this BMC took all the time")
        };
        let turn = tokio::select! {
            biased;
            () = cx.cancel.cancelled() => {
                return Err(Error::new(Kind::Cancelled, format!("{}: log in", self.addr)));
            }
            turn = tokio::time::timeout_at(cx.deadline.into(), self.login.lock()) => {
                turn.map_err(|_| late())?
            }
        };
        if self.password().is_some() {
            return Ok(Entry::Known);
        }
        let pass = guard
            .enter(&self.name(), &self.config.password, self.counts())
            .await?;
        Ok(Entry::First { pass, _turn: turn })
    }

    fn name(&self) -> String {
        String::from_utf8_lossy(&self.config.user).into_owned()
    }

    /// IPMI 2.0 tells a wrong password before the BMC hears of it.
    fn counts(&self) -> bool {
        self.config.version == Version::V1_5
    }
}

fn same(a: Option<&Secret>, b: Option<&Secret>) -> bool {
    match (a, b) {
        (None, None) => true,
        (Some(a), Some(b)) => a.expose().ct_eq(b.expose()).into(),
        _ => false,
    }
}

/// A submitted command. Dropped before its answer came, it tells the actor.
struct Waiting<'a> {
    remote: &'a Remote,
    token: u64,
    /// Kept for the recorder, where there is one.
    asked: Option<Request>,
    answer: Option<oneshot::Receiver<Result<Response>>>,
}

impl Waiting<'_> {
    async fn answer(mut self, cx: &Cx) -> Result<Response> {
        let gone = || {
            Error::new(
                Kind::Other,
                format!("{}: the session ended", self.remote.addr),
            )
        };
        let Some(answer) = self.answer.as_mut() else {
            return Err(gone());
        };
        let first = tokio::select! {
            biased;
            result = &mut *answer => Some(result),
            () = cx.cancel.cancelled() => None,
        };
        let result = if let Some(result) = first {
            result
        } else {
            // The session answers at once for reads and unsent writes; a begun write runs to its end.
            let _ = self.remote.inbox.send(Message::Cancel(self.token));
            answer.await
        };
        let out = result.unwrap_or_else(|_| Err(gone()));
        if let (Some(recorder), Some(asked), Ok(response)) =
            (&self.remote.recorder, &self.asked, &out)
        {
            recorder.ipmi(asked, response);
        }
        self.answer = None;
        out
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if self.answer.is_some() {
            let _ = self.remote.inbox.send(Message::Cancel(self.token));
        }
    }
}

impl Exchange for Remote {
    fn exchange<'a>(&'a self, cx: &'a Cx, request: Request) -> BoxFuture<'a, Result<Response>> {
        if self.guard.is_none() {
            let waiting = self.submit(cx, request);
            return Box::pin(waiting.answer(cx));
        }
        Box::pin(async move {
            let entry = self.enter(cx).await?;
            let out = self.submit(cx, request).answer(cx).await;
            entry.settle(self, out.as_ref().err());
            out
        })
    }

    fn exchange_all<'a>(
        &'a self,
        cx: &'a Cx,
        requests: Vec<Request>,
    ) -> BoxFuture<'a, Vec<Result<Response>>> {
        Box::pin(async move {
            let entry = match self.enter(cx).await {
                Ok(entry) => entry,
                Err(error) => {
                    let again = || Err(Error::new(error.kind(), error.chain()));
                    return requests.iter().map(|_| again()).collect();
                }
            };
            let waiting: Vec<Waiting<'a>> =
                requests.into_iter().map(|r| self.submit(cx, r)).collect();
            let mut out = Vec::with_capacity(waiting.len());
            for one in waiting {
                out.push(one.answer(cx).await);
            }
            let first = out.iter().find_map(|answer| answer.as_ref().err());
            entry.settle(self, first);
            out
        })
    }

    fn admit<'a>(&'a self, cx: &'a Cx) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            match self.enter(cx).await? {
                Entry::First { pass, .. } => pass.clear(),
                Entry::Known => {}
            }
            Ok(())
        })
    }

    fn console(&self, options: ConsoleOptions) -> Option<ConsoleStream> {
        if self.config.version == Version::V1_5 {
            return None;
        }
        let (serial, stream) = Serial::new(&options, Arc::clone(&self.learnt));
        // A closed inbox drops the actor's end, which ends the stream's events.
        let _ = self.inbox.send(Message::Console(Box::new(serial)));
        Some(stream)
    }

    fn expect(&self, highest: Privilege) {
        let _ = self.inbox.send(Message::Expect(highest));
    }

    fn learnt(&self) -> &LearntCell {
        &self.learnt
    }

    fn user(&self) -> Option<&[u8]> {
        Some(&self.config.user)
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote")
            .field("addr", &self.addr)
            .finish_non_exhaustive()
    }
}
