//! The one error of the HAL: what was being done, of which kind, and why.
//!
//! The cause is kept in `source()` and never repeated in the message; [`Error::chain`] prints all of it once.

use std::error::Error as StdError;
use std::fmt;

/// `Result` with the HAL's error.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What sort of failure it is. It alone decides: retry or not, next driver or not, exit code, gRPC code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// Nothing answers at this address (refused, no route, silence).
    Unreachable,
    /// It answered before, but not in time now.
    Timeout,
    /// The credentials were refused.
    Auth,
    /// The credentials are right but may not do this.
    Privilege,
    /// This BMC does not have the operation.
    Unsupported,
    /// The BMC wants a licence for it.
    NeedsLicense,
    /// The BMC is busy or out of sessions; later may work.
    Busy,
    /// The BMC understood and said no.
    Refused,
    /// A write was sent and its fate is unknown; it is not sent again.
    Indeterminate,
    /// The BMC's answer breaks the protocol.
    Protocol,
    /// No TLS connection that we accept.
    Tls,
    /// Wrong configuration or arguments on our side.
    Config,
    /// The caller gave up.
    Cancelled,
    /// Anything else (operating system, bug).
    Other,
}

impl Kind {
    /// The name used in JSON (`kind`).
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Unreachable => "unreachable",
            Kind::Timeout => "timeout",
            Kind::Auth => "auth",
            Kind::Privilege => "privilege",
            Kind::Unsupported => "unsupported",
            Kind::NeedsLicense => "needs-license",
            Kind::Busy => "busy",
            Kind::Refused => "refused",
            Kind::Indeterminate => "indeterminate",
            Kind::Protocol => "protocol",
            Kind::Tls => "tls",
            Kind::Config => "config",
            Kind::Cancelled => "cancelled",
            Kind::Other => "other",
        }
    }

    /// May another driver be asked? Only when this one refused before it acted.
    pub fn falls_through(self) -> bool {
        matches!(
            self,
            Kind::Unsupported | Kind::NeedsLicense | Kind::Unreachable | Kind::Tls
        )
    }
}

/// A failed operation: kind, what was being done, the cause, and what to do about it.
pub struct Error {
    kind: Kind,
    what: String,
    hint: Option<String>,
    source: Option<Box<dyn StdError + Send + Sync + 'static>>,
}

impl Error {
    /// `what` says which operation on which object failed, without the cause.
    pub fn new(kind: Kind, what: impl Into<String>) -> Self {
        Self {
            kind,
            what: what.into(),
            hint: None,
            source: None,
        }
    }

    /// Adds the cause.
    #[must_use]
    pub fn with_source(
        mut self,
        source: impl Into<Box<dyn StdError + Send + Sync + 'static>>,
    ) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Adds what the operator can do about it.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Wraps this error with the larger operation it happened in; the kind and the hint stay.
    #[must_use]
    pub fn context(self, what: impl Into<String>) -> Self {
        Self {
            kind: self.kind,
            hint: self.hint.clone(),
            what: what.into(),
            source: Some(Box::new(self)),
        }
    }

    /// For what fails when something was done already: no other driver may be asked to do it once more.
    #[must_use]
    pub fn after_acting(mut self) -> Self {
        if self.kind.falls_through() {
            self.kind = Kind::Indeterminate;
        }
        self
    }

    /// The kind that decides what happens next.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// What to do about it, if known (innermost hint wins).
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// The whole chain on one line: `what: cause: cause`.
    pub fn chain(&self) -> String {
        let mut text = self.what.clone();
        let mut next = self.source();
        while let Some(cause) = next {
            text.push_str(": ");
            text.push_str(&cause.to_string());
            next = cause.source();
        }
        text
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.kind, self.chain())
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source
            .as_deref()
            .map(|s| s as &(dyn StdError + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chain_prints_each_cause_once() {
        let inner = Error::new(Kind::Auth, "RAKP 2").with_hint("check the password");
        let outer = inner.context("power status of 10.0.0.1");
        assert_eq!(outer.chain(), "power status of 10.0.0.1: RAKP 2");
        assert_eq!(outer.to_string(), "power status of 10.0.0.1");
        assert_eq!(outer.kind(), Kind::Auth);
        assert_eq!(outer.hint(), Some("check the password"));
    }
}
