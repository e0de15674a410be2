//! Sessions: opened where Basic is not taken, always deleted.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::OwnedMutexGuard;
use zeroize::Zeroizing;

use super::send::{Again, Credentials};
use super::{Inner, State};
use crate::hal::error::{Error, Kind, Result};
use crate::hal::redfish::{Answer, Ask, Method, Refusal, Resource, path};

/// How long a logout may take.
const LOGOUT: Duration = Duration::from_secs(5);

/// Where sessions are made when the service root does not say.
const USUAL: &str = "/redfish/v1/SessionService/Sessions";

/// A session that is open.
pub(super) struct Session {
    token: Zeroizing<String>,
    /// Where it is deleted; not all BMCs say.
    at: Option<String>,
}

/// The BMC has no place where sessions are made.
#[derive(Debug)]
struct NoSessions(u16);

impl fmt::Display for NoSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HTTP {}: the BMC makes no sessions", self.0)
    }
}

impl StdError for NoSessions {}

/// Did a login fail because the BMC has no sessions?
pub(super) fn has_none(error: &Error) -> bool {
    error.source().is_some_and(<dyn StdError>::is::<NoSessions>)
}

/// Does a refusal of Basic ask for a session? Yes when the challenge offers something else only, and when there is no
/// challenge and the BMC says that it misses a session. Where the challenge offers Basic, the password is wrong.
pub(super) fn wants_session(answer: &Answer) -> bool {
    let challenges: Vec<&str> = answer
        .headers
        .iter()
        .filter(|(name, _)| name == "www-authenticate")
        .map(|(_, value)| value.as_str())
        .collect();
    let basic = challenges.iter().any(|c| {
        c.split([' ', ','])
            .any(|word| word.eq_ignore_ascii_case("basic"))
    });
    if challenges.is_empty() {
        Refusal::of(answer).names("NoValidSession")
    } else {
        !basic
    }
}

/// The error of refused credentials, which are remembered as such unless the BMC only wants another password.
pub(super) fn refused(state: &mut State, ask: &Ask, answer: &Answer) -> Error {
    let refusal = Refusal::of(answer);
    let only_new_password = ["PasswordChangeRequired", "PasswordExpired"]
        .iter()
        .any(|id| refusal.names(id));
    if !only_new_password {
        state.refused = Some((Instant::now(), refusal.to_string().into()));
    }
    refusal.error(ask.to_string(), ask.method, &[])
}

impl Inner {
    /// Sends with a session's token, logging in first where none is open, and again once when it has ended.
    pub(super) async fn with_session(
        &self,
        state: &mut State,
        ask: &Ask,
        deadline: Instant,
    ) -> Result<Answer> {
        let kept = state.session.is_some();
        if !kept && let Some(answer) = self.log_in(state, ask, deadline).await? {
            return Ok(answer);
        }
        let answer = self.with_token(state, ask, deadline).await?;
        if answer.status != 401 {
            return Ok(answer);
        }
        if !kept {
            // The session that was just made stays known: it has to be deleted.
            return Err(refused(state, ask, &answer));
        }
        state.session = None;
        // It timed out at the BMC, or the BMC was restarted.
        if let Some(answer) = self.log_in(state, ask, deadline).await? {
            return Ok(answer);
        }
        let answer = self.with_token(state, ask, deadline).await?;
        if answer.status == 401 {
            return Err(refused(state, ask, &answer));
        }
        Ok(answer)
    }

    async fn with_token(&self, state: &State, ask: &Ask, deadline: Instant) -> Result<Answer> {
        let token = state.session.as_ref().map(|s| s.token.clone());
        let credentials = token.map_or(Credentials::None, Credentials::Token);
        self.transmit(state, ask, &credentials, Again::of(ask), deadline)
            .await
    }

    /// Opens a session. `Some`: the BMC's answer that it cannot be done now (busy).
    async fn log_in(
        &self,
        state: &mut State,
        ask: &Ask,
        deadline: Instant,
    ) -> Result<Option<Answer>> {
        let known = self.learnt.snapshot().sessions;
        let mut answer = None;
        if let Some(at) = known.and_then(|at| path::clean(&at, "")) {
            answer = Some((self.post_session(state, &at, deadline).await?, at));
        }
        let gone = |a: &Answer| matches!(a.status, 404 | 405 | 410 | 501);
        let (mut answer, mut at) = match answer {
            Some((answer, at)) if !gone(&answer) => (answer, at),
            _ => {
                let at = self.find_sessions(state, deadline).await?;
                (self.post_session(state, &at, deadline).await?, at)
            }
        };
        if matches!(answer.status, 307 | 308)
            && let Some(next) = answer.header("location")
            && let Some(next) = path::clean(next, self.client.base())
        {
            answer = self.post_session(state, &next, deadline).await?;
            at = next;
        }
        if !gone(&answer) {
            self.learnt.update(|l| l.sessions = Some(at.clone()));
        }
        match answer.status {
            200..=299 => {}
            401 => return Err(refused(state, ask, &answer)),
            300..=399 => {
                return Err(Error::new(Kind::Protocol, format!("log in at {at}"))
                    .with_source(format!("HTTP {}: it redirects elsewhere", answer.status)));
            }
            400 | 403 if Refusal::of(&answer).is_of_sessions() => {
                let refusal = Refusal::of(&answer);
                return Err(Error::new(Kind::Busy, format!("log in at {at}"))
                    .with_source(refusal)
                    .with_hint(Refusal::NO_SESSION_LEFT));
            }
            400 | 403 => {
                // Some say so for a wrong password.
                let why = refused(state, ask, &answer);
                let error = Error::new(Kind::Auth, format!("log in at {at}"));
                return Err(match why.hint() {
                    Some(hint) => error.with_hint(hint.to_owned()),
                    None => error.with_hint("check user and password"),
                }
                .with_source(why));
            }
            _ if gone(&answer) => {
                return Err(Error::new(Kind::Unsupported, format!("log in at {at}"))
                    .with_source(NoSessions(answer.status)));
            }
            _ => return Ok(Some(answer)),
        }
        let Some(token) = answer.header("x-auth-token") else {
            return Err(Error::new(Kind::Protocol, format!("log in at {at}"))
                .with_source("the BMC made a session but gave no token"));
        };
        let token = Zeroizing::new(token.to_owned());
        let mut place = answer.header("location").and_then(path::location);
        if place.is_none() {
            let body = Resource::decode(&at, None, &answer.body, self.client.base()).ok();
            place = body.and_then(|b| {
                b.link("/@odata.id")
                    .filter(|own| !path::same(own, &at))
                    .or_else(|| Some(format!("{}/{}", at.trim_end_matches('/'), b.str("/Id")?)))
            });
        }
        state.session = Some(Session { token, at: place });
        Ok(None)
    }

    async fn post_session(&self, state: &State, at: &str, deadline: Instant) -> Result<Answer> {
        let password = String::from_utf8_lossy(self.password.expose());
        let body = json!({"UserName": self.user, "Password": password});
        let ask = Ask::write(Method::Post, at, Some(body));
        self.transmit(state, &ask, &Credentials::None, Again::OnlyUnsent, deadline)
            .await
            .map_err(|e| match e.kind() {
                // Whether a session is open or not, what was asked for has not been done.
                Kind::Indeterminate => {
                    Error::new(Kind::Timeout, format!("log in at {at}")).with_source(e)
                }
                _ => e,
            })
    }

    /// Where sessions are made, by the service root, which needs no login.
    async fn find_sessions(&self, state: &State, deadline: Instant) -> Result<String> {
        let ask = Ask::get(path::ROOT);
        let answer = self
            .transmit(state, &ask, &Credentials::None, Again::Yes, deadline)
            .await?;
        let root = Resource::decode(path::ROOT, None, &answer.body, self.client.base()).ok();
        Ok(root
            .and_then(|r| r.link("/Links/Sessions"))
            .unwrap_or_else(|| USUAL.to_owned()))
    }

    /// Deletes the session, if one is open, and closes the connection.
    pub(super) async fn end(self: Arc<Self>, mut turn: OwnedMutexGuard<State>) {
        if let Some(session) = turn.session.take() {
            let deadline = Instant::now() + LOGOUT;
            match self.delete(&turn, session, deadline).await {
                Ok(status) => log::debug!("log out of {}: HTTP {status}", self.client.base()),
                Err(e) => log::debug!("log out of {}: {}", self.client.base(), e.chain()),
            }
        }
        turn.last_used = None;
        if let Some(pass) = turn.pass.take() {
            pass.clear();
        }
        self.client.close_idle();
    }

    async fn delete(&self, state: &State, session: Session, deadline: Instant) -> Result<u16> {
        let credentials = Credentials::Token(session.token);
        let at = match session.at {
            Some(at) => at,
            None => self.own_session(state, &credentials, deadline).await?,
        };
        let mut ask = Ask::write(Method::Delete, at, None);
        loop {
            // Deleting twice does no harm.
            let answer = self
                .transmit(state, &ask, &credentials, Again::Yes, deadline)
                .await?;
            // BMCs that want a tag for every write may want one here.
            if !matches!(answer.status, 412 | 428) || ask.if_match.is_some() {
                return Ok(answer.status);
            }
            ask.if_match = Some("*".to_owned());
        }
    }

    /// The BMC did not say where our session is: it is the only one of our user, or it is left to time out.
    async fn own_session(
        &self,
        state: &State,
        credentials: &Credentials,
        deadline: Instant,
    ) -> Result<String> {
        let at = self
            .learnt
            .snapshot()
            .sessions
            .unwrap_or_else(|| USUAL.to_owned());
        let mut own = Vec::new();
        let sessions = self.read(state, &at, credentials, deadline).await?;
        for member in sessions.links("/Members").into_iter().take(64) {
            let Ok(session) = self.read(state, &member, credentials, deadline).await else {
                continue;
            };
            let user = session.json.get("UserName").and_then(Value::as_str);
            if user == Some(self.user.as_str()) {
                own.push(member);
            }
        }
        match own.as_slice() {
            [one] => Ok(one.clone()),
            _ => Err(Error::new(Kind::Protocol, "find our session")
                .with_source(format!("{} sessions of this user", own.len()))),
        }
    }

    async fn read(
        &self,
        state: &State,
        at: &str,
        credentials: &Credentials,
        deadline: Instant,
    ) -> Result<Resource> {
        let ask = Ask::get(at);
        let answer = self
            .transmit(state, &ask, credentials, Again::Yes, deadline)
            .await?;
        Resource::decode(at, None, &answer.body, self.client.base())
            .map_err(|words| Error::new(Kind::Protocol, ask.to_string()).with_source(words))
    }
}
