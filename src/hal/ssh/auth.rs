//! The login (RFC 4252, RFC 4256): what is offered is asked, then the password is sent once, in one way.

use zeroize::Zeroizing;

use super::wire::{Reader, broken, msg, put_string, put_u32};
use crate::hal::error::{Error, Kind, Result};
use crate::hal::model::Secret;

const CONNECTION: &[u8] = b"ssh-connection";

/// Where the login is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// Asked what is offered.
    Asked,
    /// Sent the password.
    Password,
    /// Waits to be asked for it.
    Interactive,
    /// Was asked and answered.
    Answered,
}

pub(super) struct Auth {
    user: String,
    password: Secret,
    at: At,
}

/// What follows from a message.
pub(super) enum Next {
    Send(Zeroizing<Vec<u8>>),
    LoggedIn,
    Wait,
}

impl Auth {
    pub(super) fn new(user: String, password: Secret) -> Self {
        Self {
            user,
            password,
            at: At::Asked,
        }
    }

    /// Asks what is offered. Servers count this as no attempt.
    pub(super) fn ask(&self) -> Zeroizing<Vec<u8>> {
        self.request(b"none")
    }

    fn request(&self, method: &[u8]) -> Zeroizing<Vec<u8>> {
        let mut out = Zeroizing::new(Vec::with_capacity(256));
        out.push(msg::USERAUTH_REQUEST);
        for part in [self.user.as_bytes(), CONNECTION, method] {
            put_string(&mut out, part);
        }
        out
    }

    pub(super) fn handle(&mut self, payload: &[u8]) -> Result<Next> {
        let mut reader = Reader::new(payload);
        match reader.byte("message")? {
            msg::USERAUTH_SUCCESS => Ok(Next::LoggedIn),
            msg::USERAUTH_BANNER => Ok(Next::Wait),
            msg::USERAUTH_FAILURE => {
                let methods = reader.names("methods")?;
                let partly = reader.bool("partial success")?;
                self.refused(&methods, partly)
            }
            msg::USERAUTH_INFO_REQUEST if self.at == At::Password => {
                Err(auth("the password is right and has to be changed first"))
            }
            msg::USERAUTH_INFO_REQUEST if matches!(self.at, At::Interactive | At::Answered) => {
                self.questions(&mut reader)
            }
            other => Err(broken(format!("message {other} during the login"))),
        }
    }

    fn refused(&mut self, methods: &[&str], partly: bool) -> Result<Next> {
        let offers = super::wire::printable(methods.join(", ").as_bytes());
        if self.at != At::Asked {
            return Err(if partly {
                auth(format!("the BMC wants more than the password: {offers}"))
            } else {
                auth("user or password refused")
            });
        }
        if methods.contains(&"password") {
            let mut out = self.request(b"password");
            out.push(0);
            put_string(&mut out, self.password.expose());
            self.at = At::Password;
            Ok(Next::Send(out))
        } else if methods.contains(&"keyboard-interactive") {
            let mut out = self.request(b"keyboard-interactive");
            put_string(&mut out, b"");
            put_string(&mut out, b"");
            self.at = At::Interactive;
            Ok(Next::Send(out))
        } else {
            let cause = format!("the BMC takes no password, only {offers}");
            Err(Error::new(Kind::Unsupported, "SSH login").with_source(cause))
        }
    }

    /// Answers one question for the password; rounds without a question are only courtesies.
    fn questions(&mut self, reader: &mut Reader<'_>) -> Result<Next> {
        for field in ["name", "instruction", "language"] {
            reader.string(field)?;
        }
        let count = reader.u32("number of questions")?;
        let mut out = Zeroizing::new(Vec::with_capacity(256));
        out.push(msg::USERAUTH_INFO_RESPONSE);
        if count == 0 {
            put_u32(&mut out, 0);
            return Ok(Next::Send(out));
        }
        let question = reader.text("question")?;
        let echo = reader.bool("echo of a question")?;
        if count > 1 || echo || self.at == At::Answered {
            return Err(auth(format!(
                "the BMC asks for more than the password: '{question}'"
            )));
        }
        self.at = At::Answered;
        put_u32(&mut out, 1);
        put_string(&mut out, self.password.expose());
        Ok(Next::Send(out))
    }
}

fn auth(cause: impl Into<String>) -> Error {
    Error::new(Kind::Auth, "SSH login").with_source(cause.into())
}
