//! What one operation is: its place on the command line, its name in JSON, its work and its table.

use std::sync::Arc;
use std::time::Duration;

use clap::{ArgMatches, Command};
use serde::Serialize;
use serde_json::Value;

use crate::applets::common::exit::Failure;
use crate::applets::common::table::Tone;
use crate::hal::bmc::Bmc;
use crate::hal::model::power::Verified;
use crate::hal::model::{BoxFuture, Cx, Reading};
use crate::hal::{Error, Result};

/// One operation.
pub(super) struct Operation {
    /// Words on the command line.
    pub(super) path: &'static [&'static str],
    /// Its name in JSON.
    pub(super) name: &'static str,
    /// One line of help.
    pub(super) about: &'static str,
    /// Does it change something? Then several targets want a confirmation.
    pub(super) writes: bool,
    /// Its own options.
    pub(super) args: fn(Command) -> Command,
    /// Reads them; wrong ones are refused before anything is sent.
    pub(super) plan: fn(&ArgMatches) -> Result<Work, Failure>,
    /// What people see: paths into the value and their headers.
    pub(super) columns: &'static [Col],
}

impl Operation {
    /// The command line of this operation.
    pub(super) fn command(&self, word: &'static str) -> Command {
        super::daemon::operation_args((self.args)(Command::new(word).about(self.about)))
    }
}

/// A column of an operation's table.
#[derive(Clone, Copy)]
pub(super) struct Col {
    pub(super) title: &'static str,
    /// Path into the value (or into each of its elements): `bmc.mac`; empty = the value itself.
    pub(super) path: &'static str,
    pub(super) wide: bool,
    pub(super) tone: fn(&str) -> Tone,
}

fn plain(_: &str) -> Tone {
    Tone::Plain
}

/// Colour of states: ON, OFF, ok, critical ...
pub(super) fn state_tone(text: &str) -> Tone {
    let is = |words: &[&str]| words.iter().any(|w| text.to_ascii_lowercase().contains(w));
    if is(&["critical", "non-recoverable", "fail"]) {
        Tone::Bad
    } else if is(&["warning", "non-critical", "powering", "unknown"]) {
        Tone::Warn
    } else if matches!(text, "ON" | "ok" | "OK") {
        Tone::Good
    } else {
        Tone::Plain
    }
}

/// A column that is always shown.
pub(super) const fn col(title: &'static str, path: &'static str) -> Col {
    Col {
        title,
        path,
        wide: false,
        tone: plain,
    }
}

/// A column that `-o wide` adds.
pub(super) const fn wide(title: &'static str, path: &'static str) -> Col {
    Col {
        title,
        path,
        wide: true,
        tone: plain,
    }
}

/// A column whose text is a state.
pub(super) const fn state(title: &'static str, path: &'static str) -> Col {
    Col {
        title,
        path,
        wide: false,
        tone: state_tone,
    }
}

/// What an operation gave.
pub(super) struct Done {
    /// The value, as it stands in JSON, and where it came from.
    pub(super) reading: Reading<Value>,
    /// Power actions: was the goal seen?
    pub(super) verified: Option<Verified>,
    /// There is a value and it is a refusal all the same (a completion code of `raw`).
    pub(super) failed: Option<Error>,
}

impl Done {
    /// A value from a driver.
    pub(super) fn of<T: Serialize>(reading: Reading<T>) -> Result<Self> {
        let value = serde_json::to_value(&reading.value).map_err(|e| {
            Error::new(crate::hal::Kind::Other, "cannot show the value").with_source(e)
        })?;
        Ok(Self {
            reading: reading.map(|_| value),
            verified: None,
            failed: None,
        })
    }
}

/// One BMC and how long things may take there.
pub(super) struct Job {
    /// The BMC with its drivers.
    pub(super) bmc: Bmc,
    /// For everything that answers at once.
    pub(super) cx: Cx,
    /// Power actions: wait for the state?
    pub(super) wait: Wait,
}

/// How long a state may take to be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wait {
    /// As long as the action usually takes.
    Usual,
    /// As long as the user says.
    For(Duration),
    /// Do not wait.
    No,
}

/// What is done on each BMC.
pub(super) type Work = Arc<dyn for<'a> Fn(&'a Job) -> BoxFuture<'a, Result<Done>> + Send + Sync>;

/// Makes [`Work`] of a function.
pub(super) fn work<F>(f: F) -> Work
where
    F: for<'a> Fn(&'a Job) -> BoxFuture<'a, Result<Done>> + Send + Sync + 'static,
{
    Arc::new(f)
}

/// No options of its own.
pub(super) fn no_args(command: Command) -> Command {
    command
}
