//! The gate in front of every login: no BMC sees a second wrong password because two parts of the program, or two runs
//! of it, tried. Its key is BMC, user and a hash of the credential, across protocols.
//!
//! An attempt is written down before it is made, and struck out when it worked: what was interrupted in between counts
//! as failed. Time is an argument.

use std::collections::HashMap;
use std::fmt;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};

use ring::pbkdf2;
use sha2::{Digest, Sha256};

use super::error::{Error, Kind, Result};
use super::model::Secret;

/// Seconds for which a failed login is remembered.
pub const DAY: u64 = 24 * 60 * 60;

/// The hash is slow and short: whoever reads the memory cannot tell the password from many others.
const ITERATIONS: u32 = 20_000;
const HASH_BYTES: usize = 4;

/// A login that was begun and did not work (or whose end nobody saw).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Attempt {
    /// The BMC: its address, without port.
    pub bmc: String,
    /// User name.
    pub user: String,
    /// Hash of the password.
    pub credential: String,
    /// Seconds since 1970.
    pub at: u64,
    /// Did the BMC see it? `false`: found to be wrong without a login.
    pub seen: bool,
}

/// Where attempts outlive the process.
pub trait GateMemory: Send + Sync {
    /// What passwords are hashed with; random, made once, kept with the attempts.
    fn salt(&self) -> [u8; 16];
    /// Attempts at `bmc` since `since`.
    fn attempts(&self, bmc: &str, since: u64) -> Result<Vec<Attempt>>;
    /// Keeps an attempt, durably; one with the same key is replaced.
    fn keep(&self, attempt: &Attempt) -> Result<()>;
    /// Strikes the attempt with this key out.
    fn strike(&self, attempt: &Attempt) -> Result<()>;
}

/// Who wants to log in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// The program by itself: not with a credential that failed here within a day.
    Automatic,
    /// One of several candidates: besides, only one that fails per BMC and day.
    Candidate,
    /// The same, and the operator said `--try-now`: the next candidate may.
    CandidateNow,
    /// An operator with this credential: always.
    Operator,
}

/// The gate. One per process.
pub struct Gate {
    memory: Arc<dyn GateMemory>,
    hashes: Mutex<HashMap<[u8; 32], String>>,
}

impl Gate {
    /// A gate that remembers in `memory`.
    pub fn new(memory: Arc<dyn GateMemory>) -> Self {
        Self {
            memory,
            hashes: Mutex::default(),
        }
    }

    /// May `user` with `password` log in at `bmc` now? `Refused` says why not and what to do. The attempt counts as failed
    /// until the pass says otherwise.
    pub fn enter(
        &self,
        rule: Rule,
        bmc: &str,
        user: &str,
        password: &Secret,
        now: u64,
    ) -> Result<Pass> {
        let attempt = Attempt {
            bmc: bmc.to_owned(),
            user: user.to_owned(),
            credential: self.hash(user, password),
            at: now,
            seen: true,
        };
        let before = match self.memory.attempts(bmc, now.saturating_sub(DAY)) {
            Ok(before) => before,
            // Nobody can say whether it failed before: only the operator may.
            Err(_) if rule == Rule::Operator => Vec::new(),
            Err(error) => return Err(error.context(format!("{bmc}: login of '{user}'"))),
        };
        let same = |a: &&Attempt| a.user == attempt.user && a.credential == attempt.credential;
        let of_this = before.iter().find(same);
        if rule != Rule::Operator && of_this.is_some() {
            return Err(refused(bmc, user, "failed here within the last 24 h")
                .with_hint("correct the credentials, or log in by hand with -U"));
        }
        if rule == Rule::Candidate && before.iter().any(|a| a.seen) {
            return Err(refused(
                bmc,
                user,
                "another candidate failed here within the last 24 h",
            )
            .with_hint("--try-now tries the next one"));
        }
        match self.memory.keep(&attempt) {
            Ok(()) => {}
            Err(error) if rule == Rule::Operator => log::info!("login gate: {}", error.chain()),
            Err(error) => return Err(error.context(format!("{bmc}: login of '{user}'"))),
        }
        Ok(Pass {
            memory: Arc::clone(&self.memory),
            attempt,
        })
    }

    /// Was this credential found to be wrong here within a day?
    pub fn is_wrong(&self, bmc: &str, user: &str, password: &Secret, now: u64) -> bool {
        let credential = self.hash(user, password);
        let before = self.memory.attempts(bmc, now.saturating_sub(DAY));
        before.is_ok_and(|list| {
            list.iter()
                .any(|a| a.user == user && a.credential == credential)
        })
    }

    /// Keeps that a credential is wrong, found out without a login.
    pub fn found_wrong(&self, bmc: &str, user: &str, password: &Secret, now: u64) {
        let attempt = Attempt {
            bmc: bmc.to_owned(),
            user: user.to_owned(),
            credential: self.hash(user, password),
            at: now,
            seen: false,
        };
        if let Err(error) = self.memory.keep(&attempt) {
            log::info!("login gate: {}", error.chain());
        }
    }

    fn hash(&self, user: &str, password: &Secret) -> String {
        let quick: [u8; 32] = Sha256::new()
            .chain_update((user.len() as u64).to_le_bytes())
            .chain_update(user)
            .chain_update(password.expose())
            .finalize()
            .into();
        let mut hashes = self.hashes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = hashes.get(&quick) {
            return known.clone();
        }
        let mut out = [0; HASH_BYTES];
        let iterations = NonZeroU32::new(ITERATIONS).unwrap_or(NonZeroU32::MIN);
        let salt = self.memory.salt();
        pbkdf2::derive(
            pbkdf2::PBKDF2_HMAC_SHA256,
            iterations,
            &salt,
            &quick,
            &mut out,
        );
        let text = format!("{:08x}", u32::from_be_bytes(out));
        hashes.insert(quick, text.clone());
        text
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate").finish_non_exhaustive()
    }
}

fn refused(bmc: &str, user: &str, why: &str) -> Error {
    Error::new(
        Kind::Refused,
        format!("{bmc}: login of '{user}' is held back"),
    )
    .with_source(why)
}

/// The right to one login. Dropped without a word, the attempt stays a failed one.
#[must_use]
pub struct Pass {
    memory: Arc<dyn GateMemory>,
    attempt: Attempt,
}

impl Pass {
    /// It worked, or the BMC never saw it: it is struck out.
    pub fn clear(self) {
        if let Err(error) = self.memory.strike(&self.attempt) {
            log::info!("login gate: {}", error.chain());
        }
    }

    /// What came of it decides: refused credentials stay, everything else is struck out.
    pub fn settle<T>(self, result: &Result<T>) {
        match result {
            Err(error) if error.kind() == Kind::Auth => {}
            _ => self.clear(),
        }
    }
}

impl fmt::Debug for Pass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pass")
            .field("bmc", &self.attempt.bmc)
            .finish_non_exhaustive()
    }
}

/// A memory that ends with the process.
#[derive(Debug)]
pub struct InProcess {
    salt: [u8; 16],
    attempts: Mutex<Vec<Attempt>>,
}

impl InProcess {
    /// An empty one with a random salt.
    pub fn new() -> Self {
        let mut salt = [0; 16];
        // Nothing leaves the process: without randomness it is only a hash.
        let _ = getrandom::fill(&mut salt);
        Self {
            salt,
            attempts: Mutex::default(),
        }
    }
}

impl Default for InProcess {
    fn default() -> Self {
        Self::new()
    }
}

impl GateMemory for InProcess {
    fn salt(&self) -> [u8; 16] {
        self.salt
    }

    fn attempts(&self, bmc: &str, since: u64) -> Result<Vec<Attempt>> {
        let all = self.attempts.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(all
            .iter()
            .filter(|a| a.bmc == bmc && a.at >= since)
            .cloned()
            .collect())
    }

    fn keep(&self, attempt: &Attempt) -> Result<()> {
        self.strike(attempt)?;
        self.attempts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(attempt.clone());
        Ok(())
    }

    fn strike(&self, attempt: &Attempt) -> Result<()> {
        self.attempts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|a| {
                a.bmc != attempt.bmc || a.user != attempt.user || a.credential != attempt.credential
            });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate() -> Gate {
        Gate::new(Arc::new(InProcess::new()))
    }

    fn enter(gate: &Gate, rule: Rule, password: &str, now: u64) -> Result<Pass> {
        gate.enter(rule, "10.0.0.1", "admin", &Secret::new(password), now)
    }

    #[test]
    fn the_same_wrong_password_is_tried_once_a_day() {
        let gate = gate();
        let now = 1_800_000_000;
        drop(enter(&gate, Rule::Automatic, "a", now).unwrap());
        let again = enter(&gate, Rule::Automatic, "a", now + DAY - 1).unwrap_err();
        assert_eq!(again.kind(), Kind::Refused);
        assert!(!again.chain().contains("'a'"));
        // Another password, another BMC and an operator may; the next day everybody may.
        enter(&gate, Rule::Automatic, "b", now).unwrap().clear();
        let other = gate.enter(Rule::Automatic, "10.0.0.2", "admin", &Secret::new("a"), now);
        other.unwrap().clear();
        drop(enter(&gate, Rule::Operator, "a", now).unwrap());
        enter(&gate, Rule::Automatic, "a", now + DAY + 1)
            .unwrap()
            .clear();
    }

    #[test]
    fn what_worked_or_was_never_seen_is_forgotten() {
        let gate = gate();
        for kind in [Kind::Timeout, Kind::Unreachable, Kind::Unsupported] {
            let pass = enter(&gate, Rule::Automatic, "a", 100).unwrap();
            pass.settle::<()>(&Err(Error::new(kind, "x")));
        }
        enter(&gate, Rule::Automatic, "a", 100)
            .unwrap()
            .settle(&Ok(()));
        enter(&gate, Rule::Automatic, "a", 100)
            .unwrap()
            .settle::<()>(&Err(Error::new(Kind::Auth, "x")));
        assert!(enter(&gate, Rule::Automatic, "a", 100).is_err());
        assert!(gate.is_wrong("10.0.0.1", "admin", &Secret::new("a"), 100));
    }

    #[test]
    fn candidates_fail_one_at_a_time() {
        let gate = gate();
        gate.found_wrong("10.0.0.1", "admin", &Secret::new("offline"), 100);
        assert!(enter(&gate, Rule::Candidate, "offline", 100).is_err());
        drop(enter(&gate, Rule::Candidate, "first", 100).unwrap());
        assert!(enter(&gate, Rule::Candidate, "second", 100).is_err());
        drop(enter(&gate, Rule::CandidateNow, "second", 100).unwrap());
        assert!(enter(&gate, Rule::CandidateNow, "first", 100).is_err());
    }

    #[test]
    fn the_memory_holds_no_password() {
        let memory = Arc::new(InProcess::new());
        let gate = Gate::new(Arc::clone(&memory) as Arc<dyn GateMemory>);
        drop(gate.enter(Rule::Automatic, "b", "u", &Secret::new("hunter2"), 1));
        let kept = format!("{:?}", memory.attempts("b", 0).unwrap());
        assert!(!kept.contains("hunter2"));
        assert_eq!(memory.attempts("b", 0).unwrap()[0].credential.len(), 8);
    }
}
