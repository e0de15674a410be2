//! How an applet ends: one error line on stderr and an exit code.

use std::io::{self, Write};
use std::process::ExitCode;

use crate::hal::{Error, Kind};

use super::output::printable;

/// Why an applet did not succeed.
#[derive(Debug)]
pub struct Failure {
    code: u8,
    /// `CONTEXT: CAUSE`; empty when everything was said already.
    message: String,
    hint: Option<String>,
}

/// Wrong usage or configuration.
const USAGE: u8 = 2;
/// Several targets and some failed.
const SOME: u8 = 6;
/// Interrupted by the user.
const INTERRUPTED: u8 = 130;

/// The exit code that a kind of error leads to. The only place that decides it.
pub fn exit_code(kind: Kind) -> u8 {
    match kind {
        Kind::Config => USAGE,
        Kind::Unreachable | Kind::Timeout => 3,
        Kind::Auth | Kind::Privilege => 4,
        Kind::Unsupported | Kind::NeedsLicense => 5,
        Kind::Cancelled => INTERRUPTED,
        Kind::Busy
        | Kind::Refused
        | Kind::Indeterminate
        | Kind::Protocol
        | Kind::Tls
        | Kind::Other => 1,
    }
}

impl Failure {
    fn new(code: u8, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            hint: None,
        }
    }

    /// Exit 1: the operation failed on our side (a file, the operating system).
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(1, message)
    }

    /// Exit 2: wrong arguments or configuration.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(USAGE, message)
    }

    /// Exit 2 when the help text was already shown.
    pub fn silent_usage() -> Self {
        Self::new(USAGE, "")
    }

    /// Exit code of `kind`, with nothing to print: the result that was printed says it.
    pub fn reported(kind: Kind) -> Self {
        Self::new(exit_code(kind), "")
    }

    /// Exit 6: several targets, and some failed; each one's error was printed.
    pub fn some_failed() -> Self {
        Self::new(SOME, "")
    }

    /// Exit 130.
    pub fn interrupted() -> Self {
        Self::new(INTERRUPTED, "")
    }

    /// Says in what it happened, e.g. a file.
    #[must_use]
    pub fn within(mut self, what: &dyn std::fmt::Display) -> Self {
        self.message = format!("{what}: {}", self.message);
        self
    }

    /// Adds what can be done about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The exit code.
    pub fn code(&self) -> u8 {
        self.code
    }

    /// The message, without the leading `halbox: `.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Prints the error and gives the exit code.
    pub fn report(&self) -> ExitCode {
        if !self.message.is_empty() {
            let mut err = io::stderr().lock();
            let _ = writeln!(err, "halbox: {}", printable(&self.message));
            if let Some(hint) = &self.hint {
                let _ = writeln!(err, "  hint: {}", printable(hint));
            }
        }
        ExitCode::from(self.code)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self {
            code: exit_code(error.kind()),
            message: error.chain(),
            hint: error.hint().map(str::to_owned),
        }
    }
}

impl From<io::Error> for Failure {
    /// Errors of writing to stdout. A reader that went away is no error.
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::new(0, "");
        }
        Self::failed(format!("cannot write the result: {error}"))
    }
}

/// Help and version are no failures; everything else becomes our one line and a hint.
pub fn from_clap(error: &clap::Error) -> Result<(), Failure> {
    use clap::error::ErrorKind;
    let text = error.render().to_string();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            Ok(io::stdout().lock().write_all(text.as_bytes())?)
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let _ = io::stderr().lock().write_all(text.as_bytes());
            Err(Failure::silent_usage())
        }
        _ => Err(one_line(&text)),
    }
}

/// clap's block of text as one line; its tip, or else the usage, as hint.
fn one_line(text: &str) -> Failure {
    let text = text.strip_prefix("error: ").unwrap_or(text);
    let first: Vec<&str> = text
        .lines()
        .take_while(|l| !l.trim().is_empty())
        .map(str::trim)
        .collect();
    let hint = text
        .lines()
        .find_map(|l| l.trim().strip_prefix("tip: "))
        .or_else(|| text.lines().find(|l| l.starts_with("Usage: ")));
    let failure = Failure::usage(first.join(" "));
    match hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clap_errors_become_one_line() {
        let command = || {
            clap::Command::new("halbox").subcommand(
                clap::Command::new("probe").arg(clap::Arg::new("TARGET").required(true)),
            )
        };
        let failed = |line: &[&str]| {
            let error = command().try_get_matches_from(line).unwrap_err();
            from_clap(&error).unwrap_err()
        };
        let missing = failed(&["halbox", "probe"]);
        assert_eq!(missing.code(), 2);
        assert_eq!(
            missing.message(),
            "the following required arguments were not provided: <TARGET>"
        );
        assert_eq!(
            missing.hint.as_deref(),
            Some("Usage: halbox probe <TARGET>")
        );
        let wrong = failed(&["halbox", "prob"]);
        assert_eq!(wrong.message(), "unrecognized subcommand 'prob'");
        assert_eq!(
            wrong.hint.as_deref(),
            Some("a similar subcommand exists: 'probe'")
        );
    }

    #[test]
    fn a_broken_pipe_is_no_error() {
        let failure = Failure::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!((failure.code(), failure.message()), (0, ""));
        assert_eq!(Failure::from(io::Error::other("disk full")).code(), 1);
    }

    #[test]
    fn hal_errors_keep_cause_and_hint() {
        let error = Error::new(Kind::Auth, "RAKP 2: unauthorized name")
            .with_hint("check the user")
            .context("10.0.0.1: power status");
        let failure = Failure::from(error);
        assert_eq!(failure.code(), 4);
        assert_eq!(
            failure.message(),
            "10.0.0.1: power status: RAKP 2: unauthorized name"
        );
        assert_eq!(failure.hint.as_deref(), Some("check the user"));
    }
}
