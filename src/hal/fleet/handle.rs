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
use crate::hal::ipmi::learnt::LearntCell;
use crate::hal::ipmi::session::{Config, Version};
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
        let waiting = self.submit(cx, request);
        Box::pin(waiting.answer(cx))
    }

    fn exchange_all<'a>(
        &'a self,
        cx: &'a Cx,
        requests: Vec<Request>,
    ) -> BoxFuture<'a, Vec<Result<Response>>> {
        let waiting: Vec<Waiting<'a>> = requests.into_iter().map(|r| self.submit(cx, r)).collect();
        Box::pin(async move {
            let mut out = Vec::with_capacity(waiting.len());
            for one in waiting {
                out.push(one.answer(cx).await);
            }
            out
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
