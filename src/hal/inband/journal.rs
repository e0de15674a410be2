//! What one run does to the BMC: every write is kept, in words; a rehearsal only says what it would write.

use std::fmt::{self, Write as _};
use std::sync::{Mutex, PoisonError};

use super::rehearsal::Rehearsal;
use crate::hal::error::Result;
use crate::hal::ipmi::cmd::app::SetUserPassword;
use crate::hal::ipmi::cmd::{Command, Effect, NetFn};
use crate::hal::ipmi::exchange::{Exchange, Request, Response};
use crate::hal::ipmi::learnt::LearntCell;
use crate::hal::model::{BoxFuture, Cx};

/// Where progress goes.
pub type Say<'a> = &'a (dyn Fn(&str) + Sync);

/// A BMC whose writes are noted.
pub struct Journal<'a> {
    bmc: &'a dyn Exchange,
    say: Say<'a>,
    rehearsal: Option<Mutex<Rehearsal>>,
    notes: Mutex<Notes>,
}

#[derive(Default)]
struct Notes {
    writes: Vec<String>,
    warnings: Vec<String>,
}

impl fmt::Debug for Journal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal").finish_non_exhaustive()
    }
}

impl<'a> Journal<'a> {
    /// Notes what goes to `bmc`; with `dry` no write does, and reads are answered as if they had.
    pub fn new(bmc: &'a dyn Exchange, dry: bool, say: Say<'a>) -> Self {
        Self {
            bmc,
            say,
            rehearsal: dry.then(|| Mutex::new(Rehearsal::default())),
            notes: Mutex::default(),
        }
    }

    /// Is it a rehearsal?
    pub fn is_dry(&self) -> bool {
        self.rehearsal.is_some()
    }

    /// Tells the person what goes on.
    pub fn say(&self, text: &str) {
        (self.say)(text);
    }

    /// Something that does not end the run.
    pub fn warn(&self, text: String) {
        log::warn!("{text}");
        self.note(|n| n.warnings.push(text));
    }

    /// A write that did not go through here.
    pub fn wrote(&self, what: String) {
        log::info!("{what}");
        self.note(|n| n.writes.push(what));
    }

    /// Names and bytes of the writes that the BMC said yes to (in a rehearsal: that it would be sent). Passwords are stars.
    pub fn writes(&self) -> Vec<String> {
        self.note(|n| n.writes.clone())
    }

    /// The warnings so far.
    pub fn warnings(&self) -> Vec<String> {
        self.note(|n| n.warnings.clone())
    }

    fn note<T>(&self, f: impl FnOnce(&mut Notes) -> T) -> T {
        f(&mut self.notes.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn call(&self, cx: &Cx, request: Request) -> Result<Response> {
        let write = is_write(&request);
        let shown = if write {
            bytes(&request)
        } else {
            String::new()
        };
        let response = match &self.rehearsal {
            None => self.bmc.exchange(cx, request).await?,
            Some(rehearsal) => {
                let played = lock(rehearsal).play(&request);
                if let Some(response) = played {
                    response
                } else if write {
                    self.say(&format!("would send {shown}"));
                    lock(rehearsal).write(&request)
                } else {
                    let real = self.bmc.exchange(cx, request.clone()).await?;
                    lock(rehearsal).read(&request, real)
                }
            }
        };
        if write && response.code.is_ok() {
            self.wrote(shown);
        }
        Ok(response)
    }
}

fn lock(rehearsal: &Mutex<Rehearsal>) -> std::sync::MutexGuard<'_, Rehearsal> {
    rehearsal.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Exchange for Journal<'_> {
    fn exchange<'a>(&'a self, cx: &'a Cx, request: Request) -> BoxFuture<'a, Result<Response>> {
        Box::pin(self.call(cx, request))
    }

    fn learnt(&self) -> &LearntCell {
        self.bmc.learnt()
    }
}

/// Set User Password with the operation "test" (3) changes nothing.
pub(super) fn is_test(request: &Request) -> bool {
    request.netfn == NetFn::APP
        && request.cmd == SetUserPassword::CMD
        && request
            .data
            .get(1)
            .is_some_and(|operation| operation & 3 == 3)
}

fn is_write(request: &Request) -> bool {
    request.effect != Effect::Read && !is_test(request)
}

/// A command as bytes; a password as stars.
fn bytes(request: &Request) -> String {
    let mut out = format!(
        "{} ({:#04x} {:#04x}",
        request.name, request.netfn.0, request.cmd
    );
    let password = request.netfn == NetFn::APP && request.cmd == SetUserPassword::CMD;
    for (i, byte) in request.data.iter().enumerate() {
        let _ = if password && i >= 2 {
            write!(out, " **")
        } else {
            write!(out, " {byte:#04x}")
        };
    }
    out.push(')');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hal::ipmi::cmd::app::PasswordOperation;
    use crate::hal::model::Secret;

    #[test]
    fn bytes_never_show_a_password() {
        let mut set = SetUserPassword {
            user: 3,
            operation: PasswordOperation::Set,
            twenty: false,
            password: Some(Secret::new("hunter2")),
        };
        let request = Request::of(&set);
        assert!(is_write(&request) && !is_test(&request));
        assert_eq!(
            bytes(&request),
            format!(
                "Set User Password (0x06 0x47 0x03 0x02{})",
                " **".repeat(16)
            )
        );
        set.operation = PasswordOperation::Test;
        assert!(!is_write(&Request::of(&set)));
    }
}
