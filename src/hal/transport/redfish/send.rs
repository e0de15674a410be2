//! One request: connection, login, sending, and what may be sent again.

use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::sync::OwnedMutexGuard;
use zeroize::Zeroizing;

use super::{Inner, State};
use crate::hal::error::{Error, Kind, Result};
use crate::hal::model::Cancel;
use crate::hal::redfish::{Answer, Ask, AuthStyle, Method};
use crate::hal::transport::http::{Fault, HttpError, Phase, Reply, Request, hello, open_in_all};

/// A write goes over a connection that was used within this time; a server may be closing an older one right now.
const FRESH: Duration = Duration::from_secs(5);

/// How long refused credentials are not sent again.
const REFUSED: Duration = Duration::from_secs(30);

/// Idle connections in the process; beyond it they are kept only for a moment.
const KEPT: usize = 256;
const MOMENT: Duration = Duration::from_secs(1);

/// Whose request it is.
pub(super) enum Credentials {
    None,
    Basic,
    Token(Zeroizing<String>),
}

/// May a request be sent again when its connection broke?
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Again {
    Yes,
    OnlyUnsent,
}

impl Inner {
    /// Serves one request; `turn` is given back at its end.
    pub(super) async fn serve(
        self: Arc<Self>,
        mut turn: OwnedMutexGuard<State>,
        ask: Ask,
        deadline: Instant,
        cancel: Cancel,
    ) -> Result<Answer> {
        turn.count += 1;
        let count = turn.count;
        self.serving(count);
        if ask.method.is_read() {
            turn.cancel = cancel;
        }
        let outcome = self.guarded(&mut turn, &ask, deadline).await;
        turn.cancel = Cancel::new();
        self.serving(0);
        turn.last_used = Some(Instant::now());
        drop(turn);
        self.close_when_idle(count);
        outcome
    }

    /// Breaks off request number `count`, if it is the one in flight.
    pub(super) fn abort(&self, count: u64) {
        let serving = self.serving.lock().unwrap_or_else(PoisonError::into_inner);
        if *serving == count {
            self.client.abort();
        }
    }

    fn serving(&self, count: u64) {
        *self.serving.lock().unwrap_or_else(PoisonError::into_inner) = count;
    }

    /// Ends session and connection when no other request follows for a while.
    fn close_when_idle(self: &Arc<Self>, count: u64) {
        let time = if open_in_all() > KEPT {
            self.keep_idle.min(MOMENT)
        } else {
            self.keep_idle
        };
        let inner = Arc::downgrade(self);
        tokio::spawn(async move {
            tokio::time::sleep(time).await;
            let Some(inner) = inner.upgrade() else { return };
            let Ok(turn) = Arc::clone(&inner.state).try_lock_owned() else {
                return;
            };
            if turn.count == count {
                inner.end(turn).await;
            }
        });
    }

    /// Sends past the gate, and tells it what came of the login.
    async fn guarded(&self, state: &mut State, ask: &Ask, deadline: Instant) -> Result<Answer> {
        let Some(guard) = &self.guard else {
            return self.logged_in(state, ask, deadline).await;
        };
        if !state.proved && state.pass.is_none() {
            state.pass = Some(guard.enter(&self.user, &self.password, true).await?);
        }
        state.refused = None;
        let outcome = self.logged_in(state, ask, deadline).await;
        if state.refused.is_some() {
            state.proved = false;
            match state.pass.take() {
                Some(pass) => pass.failed(),
                None => guard.lost(&self.user, &self.password, true),
            }
            return outcome;
        }
        match &outcome {
            // The service root is shown to everybody.
            Ok(answer) if proves(ask, answer) => {
                state.proved = true;
                if let Some(pass) = state.pass.take() {
                    pass.worked();
                }
            }
            Ok(_) => {}
            Err(_) => {
                if let Some(pass) = state.pass.take() {
                    pass.clear();
                }
            }
        }
        outcome
    }

    /// Sends with the login that this BMC takes. A refused password is not sent again.
    async fn logged_in(&self, state: &mut State, ask: &Ask, deadline: Instant) -> Result<Answer> {
        if self.guard.is_none()
            && let Some((when, words)) = &state.refused
            && when.elapsed() < REFUSED
        {
            return Err(Error::new(Kind::Auth, ask.to_string())
                .with_source(format!("{words} (a moment ago; not sent again)"))
                .with_hint("check user and password"));
        }
        let session = match self.auth {
            AuthStyle::Session => true,
            AuthStyle::Basic => false,
            AuthStyle::Auto => self.learnt.snapshot().session_login == Some(true),
        };
        if session {
            match self.with_session(state, ask, deadline).await {
                // It was learnt from another BMC, or from another firmware.
                Err(e) if self.auth == AuthStyle::Auto && super::login::has_none(&e) => {
                    self.learnt.update(|l| l.session_login = None);
                }
                done => return done,
            }
        }
        let answer = self
            .transmit(state, ask, &Credentials::Basic, Again::of(ask), deadline)
            .await?;
        if answer.status != 401 {
            if proves(ask, &answer) {
                self.learnt.update(|l| l.session_login = Some(false));
            }
            return Ok(answer);
        }
        let basic_works = self.learnt.snapshot().session_login == Some(false);
        if self.auth == AuthStyle::Auto && !basic_works && super::login::wants_session(&answer) {
            let answer = self.with_session(state, ask, deadline).await?;
            self.learnt.update(|l| l.session_login = Some(true));
            return Ok(answer);
        }
        Err(super::login::refused(state, ask, &answer))
    }

    /// Sends until it is answered: twice at most, the second time over a new connection.
    pub(super) async fn transmit(
        &self,
        state: &State,
        ask: &Ask,
        credentials: &Credentials,
        again: Again,
        deadline: Instant,
    ) -> Result<Answer> {
        let what = ask.to_string();
        let mut second = false;
        loop {
            tokio::select! {
                biased;
                () = state.cancel.cancelled() => {
                    return Err(Error::new(Kind::Cancelled, what));
                }
                connected = self.connection(state, ask, second, deadline) => {
                    connected.map_err(|e| error(&what, e))?;
                }
            }
            let Ok(Ok(_thread)) =
                tokio::time::timeout_at(deadline.into(), self.thread(state.priority)).await
            else {
                return Err(
                    Error::new(Kind::Timeout, what).with_source("other BMCs took all the time")
                );
            };
            let before = self.client.connects();
            let request = self.request(ask, credentials)?;
            match self.client.exchange(request, deadline).await {
                Ok(reply) => {
                    if self.client.connects() == before {
                        self.learnt.update(|l| l.reuse = Some(true));
                    }
                    return Ok(answer(reply));
                }
                Err(failed) => {
                    let broken = failed.error.fault == Fault::Closed;
                    if broken && failed.sent && self.client.connects() == before {
                        self.learnt.update(|l| l.reuse = Some(false));
                    }
                    let free = again == Again::Yes || !failed.sent;
                    if broken && free && !second {
                        log::debug!("{what}: {}, sent again", failed.error);
                        second = true;
                        continue;
                    }
                    self.client.close_idle();
                    if failed.sent && !ask.method.is_read() {
                        return Err(Error::new(Kind::Indeterminate, what)
                            .with_source(failed.error)
                            .with_hint("it was sent, and the BMC may have done it: look before you repeat it"));
                    }
                    return Err(self.explained(&what, failed.error, deadline).await);
                }
            }
        }
    }

    /// Sees to it that the request finds a connection that it may use: connects where there is none, without a thread.
    async fn connection(
        &self,
        state: &State,
        ask: &Ask,
        anew: bool,
        deadline: Instant,
    ) -> Result<(), HttpError> {
        let reuse = self.learnt.snapshot().reuse;
        let recent = state.last_used.is_some_and(|t| t.elapsed() < FRESH);
        let may_use = match reuse {
            Some(false) => false,
            // A write that breaks on a kept connection has an unknown fate, so it goes only where that is known to work.
            Some(true) => ask.method.is_read() || recent,
            None => ask.method.is_read(),
        };
        if anew || !may_use {
            self.client.close_idle();
        }
        if self.client.open() > 0 {
            return Ok(());
        }
        let until = deadline.min(Instant::now() + self.connect_within);
        self.client.connect(until).await
    }

    fn request(&self, ask: &Ask, credentials: &Credentials) -> Result<Request> {
        use ureq::http::Method as M;
        let method = match ask.method {
            Method::Get => M::GET,
            Method::Post => M::POST,
            Method::Patch => M::PATCH,
            Method::Put => M::PUT,
            Method::Delete => M::DELETE,
        };
        if !ask.path.starts_with('/') {
            return Err(Error::new(Kind::Other, ask.to_string()).with_source("this is no path"));
        }
        let mut request = Request::new(method, &ask.path);
        request
            .headers
            .push(("odata-version", Zeroizing::new("4.0".to_owned())));
        match credentials {
            Credentials::None => {}
            Credentials::Token(token) => request.headers.push(("x-auth-token", token.clone())),
            Credentials::Basic => {
                let mut pair = Zeroizing::new(Vec::new());
                pair.extend_from_slice(self.user.as_bytes());
                pair.push(b':');
                pair.extend_from_slice(self.password.expose());
                let mut value = Zeroizing::new(String::from("Basic "));
                STANDARD.encode_string(&*pair, &mut value);
                request.headers.push(("authorization", value));
            }
        }
        if let Some(tag) = &ask.if_match {
            request
                .headers
                .push(("if-match", Zeroizing::new(tag.clone())));
        }
        request.body = match (&ask.body, ask.method) {
            (None, Method::Get | Method::Delete) => None,
            (None, _) => Some(Zeroizing::new(b"{}".to_vec())),
            (Some(body), _) => {
                Some(Zeroizing::new(serde_json::to_vec(body).map_err(|e| {
                    Error::new(Kind::Other, ask.to_string()).with_source(e)
                })?))
            }
        };
        Ok(request)
    }

    /// Asks a server that breaks off the handshake what it would have spoken.
    async fn explained(&self, what: &str, e: HttpError, deadline: Instant) -> Error {
        let may_be_legacy = matches!(e.fault, Fault::TlsLegacy | Fault::Closed | Fault::Tls);
        if !may_be_legacy || !self.client.base().starts_with("https") || self.tls_was_seen() {
            return error(what, e);
        }
        let until = deadline.min(Instant::now() + Duration::from_secs(5));
        let address = self.client.address();
        let mut random = [0; 32];
        if getrandom::fill(&mut random).is_err() {
            return error(what, e);
        }
        let asked = tokio::task::spawn_blocking(move || hello::ask(address, random, until)).await;
        match asked {
            Ok(Some(hello)) => Error::new(Kind::Tls, what)
                .with_source(format!(
                    "legacy TLS: the server offers only {}",
                    hello.words()
                ))
                .with_hint("it is not safe any more, and halbox does not speak it: use IPMI"),
            _ => error(what, e),
        }
    }

    fn tls_was_seen(&self) -> bool {
        self.client.tls().is_some()
    }
}

/// A connection that did not come about, or broke: said in words, and of which kind.
fn error(what: &str, e: HttpError) -> Error {
    let kind = match e.fault {
        // Silence, or a server that hangs up: others may be asked.
        Fault::Timeout(Phase::Connect) | Fault::Closed => Kind::Unreachable,
        _ => Error::from(e.clone()).kind(),
    };
    let fault = e.fault;
    let error = Error::new(kind, what).with_source(e);
    match fault {
        Fault::TlsPin => error.with_hint(
            "the BMC shows another certificate than the pinned one: compare before you accept it",
        ),
        Fault::TlsCa => error.with_hint("give the CA that signed it, or pin the certificate"),
        Fault::PlainHttp => error.with_hint("give an http:// URL"),
        _ => error,
    }
}

/// Does the answer show that the credentials are right?
fn proves(ask: &Ask, answer: &Answer) -> bool {
    answer.is_success() && ask.path.len() > "/redfish/v1/".len()
}

impl Again {
    pub(super) fn of(ask: &Ask) -> Self {
        if ask.method.is_read() {
            Self::Yes
        } else {
            Self::OnlyUnsent
        }
    }
}

fn answer(reply: Reply) -> Answer {
    Answer {
        status: reply.status,
        headers: reply.headers,
        body: reply.body,
    }
}
