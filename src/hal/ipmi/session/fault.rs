//! A failure before it is told to the requests that it hits: unlike `Error` it can be told to many.

use std::fmt;

use super::candidates::Mismatch;
use crate::hal::error::{Error, Kind};
use crate::hal::ipmi::cmd::{CompletionCode, CompletionError};
use crate::hal::ipmi::wire::rakp::RakpStatus;

/// Why something failed.
#[derive(Debug, Clone)]
enum Cause {
    Status(RakpStatus),
    Code(CompletionCode),
    Mismatch(Mismatch),
    Kg,
    Text(String),
}

/// A failure that can be turned into any number of errors.
#[derive(Debug, Clone)]
pub(super) struct Fault {
    pub kind: Kind,
    what: String,
    cause: Option<Cause>,
    hint: Option<&'static str>,
}

impl Fault {
    pub fn new(kind: Kind, what: impl Into<String>) -> Self {
        Self {
            kind,
            what: what.into(),
            cause: None,
            hint: None,
        }
    }

    pub fn status(kind: Kind, what: impl Into<String>, status: RakpStatus) -> Self {
        Self {
            cause: Some(Cause::Status(status)),
            ..Self::new(kind, what)
        }
    }

    pub fn code(kind: Kind, what: impl Into<String>, code: CompletionCode) -> Self {
        Self {
            cause: Some(Cause::Code(code)),
            ..Self::new(kind, what)
        }
    }

    /// RAKP 2 fits none of so many passwords.
    pub fn mismatch(passwords: usize) -> Self {
        Self {
            cause: Some(Cause::Mismatch(Mismatch { passwords })),
            ..Self::new(Kind::Auth, "log in")
        }
    }

    /// The password is right, the BMC key is not.
    pub fn kg() -> Self {
        Self {
            cause: Some(Cause::Kg),
            hint: Some(HINT_KG),
            ..Self::new(Kind::Auth, "log in")
        }
    }

    pub fn because(mut self, cause: Option<String>) -> Self {
        if let Some(cause) = cause {
            self.cause = Some(Cause::Text(cause));
        }
        self
    }

    pub fn hint(mut self, hint: &'static str) -> Self {
        self.hint = Some(hint);
        self
    }

    /// The error for one request.
    pub fn error(&self) -> Error {
        let mut error = Error::new(self.kind, self.what.clone());
        error = match &self.cause {
            Some(Cause::Status(status)) => error.with_source(*status),
            Some(Cause::Code(code)) => error.with_source(CompletionError { code: *code }),
            Some(Cause::Mismatch(mismatch)) => error.with_source(*mismatch),
            Some(Cause::Kg) => error.with_source(WrongKg),
            Some(Cause::Text(text)) => error.with_source(text.clone()),
            None => error,
        };
        match self.hint {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    }

    /// What failed and why, on one line.
    pub fn text(&self) -> String {
        self.error().chain()
    }
}

/// User and password are right, K_G is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WrongKg;

impl WrongKg {
    /// Is that why a request failed?
    pub fn is_in(error: &Error) -> bool {
        let mut next = std::error::Error::source(error);
        while let Some(cause) = next {
            if cause.is::<Self>() {
                return true;
            }
            next = cause.source();
        }
        false
    }
}

impl fmt::Display for WrongKg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the integrity check value in RAKP message 4 is wrong")
    }
}

impl std::error::Error for WrongKg {}

pub(super) const HINT_PASSWORD: &str = "check user name and password";
pub(super) const HINT_KG: &str = "check K_G (the BMC key)";
pub(super) const HINT_PRIVILEGE: &str = "the account may do less on this channel";
pub(super) const HINT_SUITE: &str = "name a cipher suite that the BMC has";
pub(super) const HINT_DOWNGRADE: &str =
    "if the BMC was replaced or reconfigured, make halbox forget the suite it remembers";
pub(super) const HINT_SESSIONS: &str = "other sessions are open; try later";
