//! The gate in front of every login: no BMC sees a second wrong password because two parts of the program, or two runs
//! of it, tried. Its key is BMC, user and a hash of the credential, across protocols.
//!
//! A login that a BMC counts is written down before it is made, unless the credential has worked there: what was
//! interrupted in between counts as failed. Time is an argument.

mod guard;
mod memory;

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ring::pbkdf2;
use sha2::{Digest, Sha256};

use super::error::{Error, Kind, Result};
use super::model::Secret;

pub use guard::{Guard, name_of};
pub use memory::{Attempt, End, GateMemory, InProcess, Salt};

/// Seconds for which a failed login is remembered.
pub const DAY: u64 = 24 * 60 * 60;

/// With a salt that stands beside the hashes, the hash is slow and short: whoever reads the memory cannot tell the
/// password from many others. With a secret one it needs no more than one.
const ITERATIONS: u32 = 20_000;
const HASH_BYTES: usize = 4;

/// Who wants to log in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// The program by itself: not with a credential that failed here within a day.
    Automatic,
    /// One of several candidates: besides, only one that fails per BMC and day.
    Candidate,
    /// The same, and the operator said `--try-now`: the next candidate may.
    CandidateNow,
    /// An operator with this credential: whatever was before this run; once.
    Operator,
}

/// Who wants to log in where, with what.
#[derive(Debug, Clone, Copy)]
pub struct Who<'a> {
    /// By which rule.
    pub rule: Rule,
    /// Name of the BMC, the same for all protocols.
    pub bmc: &'a str,
    /// User name.
    pub user: &'a str,
    /// Password.
    pub password: &'a Secret,
    /// Does the BMC count a wrong password? IPMI 2.0 tells a wrong one before that.
    pub counts: bool,
}

/// Failed logins since the start, by who wanted them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Failures {
    /// The program by itself.
    pub automatic: u64,
    /// An operator.
    pub operator: u64,
}

/// What hashes are looked up by: SHA-256 of user and password.
type Quick = [u8; 32];

/// The gate. One per process.
pub struct Gate {
    memory: Arc<dyn GateMemory>,
    hashes: Mutex<HashMap<Quick, String>>,
    /// BMCs and credentials that failed in this process.
    failed: Mutex<HashSet<(String, Quick)>>,
    /// BMCs at which an operator wants the next login made.
    pardons: Mutex<HashSet<String>>,
    automatic: AtomicU64,
    operator: AtomicU64,
}

impl Gate {
    /// A gate that remembers in `memory`.
    pub fn new(memory: Arc<dyn GateMemory>) -> Self {
        Self {
            memory,
            hashes: Mutex::default(),
            failed: Mutex::default(),
            pardons: Mutex::default(),
            automatic: AtomicU64::new(0),
            operator: AtomicU64::new(0),
        }
    }

    /// May this login be made now? `Auth` says why not and what to do. Where it counts and was never seen to work, it
    /// counts as failed until the pass says otherwise.
    pub fn enter(self: &Arc<Self>, who: &Who<'_>, now: u64) -> Result<Pass> {
        let mut rule = who.rule;
        if rule == Rule::Automatic && lock(&self.pardons).remove(who.bmc) {
            lock(&self.failed).retain(|(bmc, _)| bmc != who.bmc);
            rule = Rule::Operator;
        }
        let quick = quick(who.user, who.password);
        if rule == Rule::Operator && self.failed_here(who.bmc, quick) {
            return Err(held_back(who, "it failed here a moment ago"));
        }
        let before = match self.memory.attempts(who.bmc, now.saturating_sub(DAY)) {
            Ok(before) => before,
            // Nobody can say whether it failed before: only the operator may.
            Err(_) if rule == Rule::Operator => Vec::new(),
            Err(error) => {
                return Err(error.context(format!("{}: login of '{}'", who.bmc, who.user)));
            }
        };
        let mut pass = Pass {
            gate: Arc::clone(self),
            rule,
            bmc: who.bmc.to_owned(),
            user: who.user.to_owned(),
            quick,
            counts: who.counts,
            known: None,
            now,
        };
        // The slow hash only where there is something to compare it with.
        if before.iter().any(|a| a.user == who.user) {
            let credential = self.slow(quick);
            pass.known = before
                .iter()
                .find(|a| a.user == who.user && a.credential == credential)
                .map(|a| a.end);
        }
        if rule == Rule::Operator || pass.known == Some(End::Worked) {
            return Ok(pass);
        }
        if pass.known.is_some() {
            return Err(held_back(who, "it failed here within the last 24 h"));
        }
        let counted = |a: &Attempt| a.seen && a.end != End::Worked;
        if rule == Rule::Candidate && before.iter().any(counted) {
            let why = "another candidate failed here within the last 24 h";
            return Err(refused(who, why).with_hint("--try-now tries the next one"));
        }
        if who.counts {
            if let Err(error) = self.memory.keep(&pass.attempt(End::Begun), true) {
                return Err(error.context(format!("{}: login of '{}'", who.bmc, who.user)));
            }
            pass.known = Some(End::Begun);
        }
        Ok(pass)
    }

    /// The next login at this BMC is an operator's: it is made although one failed today.
    pub fn pardon(&self, bmc: &str) {
        let mut pardons = lock(&self.pardons);
        // Those of BMCs that are never logged in to again would pile up.
        if pardons.len() < 100_000 {
            pardons.insert(bmc.to_owned());
        }
    }

    /// Failed logins since the start.
    pub fn failures(&self) -> Failures {
        Failures {
            automatic: self.automatic.load(Ordering::Relaxed),
            operator: self.operator.load(Ordering::Relaxed),
        }
    }

    /// Was this credential found to be wrong here within a day?
    pub fn is_wrong(&self, bmc: &str, user: &str, password: &Secret, now: u64) -> bool {
        let Ok(before) = self.memory.attempts(bmc, now.saturating_sub(DAY)) else {
            return false;
        };
        if !before.iter().any(|a| a.user == user) {
            return false;
        }
        let credential = self.slow(quick(user, password));
        before
            .iter()
            .any(|a| a.user == user && a.credential == credential && a.end != End::Worked)
    }

    /// Keeps that a credential is wrong, found out without a login.
    pub fn found_wrong(&self, bmc: &str, user: &str, password: &Secret, now: u64) {
        let quick = quick(user, password);
        lock(&self.failed).insert((bmc.to_owned(), quick));
        self.keep(&Attempt {
            bmc: bmc.to_owned(),
            user: user.to_owned(),
            credential: self.slow(quick),
            at: now,
            seen: false,
            end: End::Failed,
            operator: false,
        });
    }

    fn keep(&self, attempt: &Attempt) {
        // What a program does by itself must not be done again; an operator may.
        let durable = attempt.end == End::Failed && !attempt.operator;
        if let Err(error) = self.memory.keep(attempt, durable) {
            log::info!("login gate: {}", error.chain());
        }
    }

    fn failed_here(&self, bmc: &str, quick: Quick) -> bool {
        lock(&self.failed).contains(&(bmc.to_owned(), quick))
    }

    /// The hash that is kept.
    fn slow(&self, quick: Quick) -> String {
        if let Some(known) = lock(&self.hashes).get(&quick) {
            return known.clone();
        }
        let salt = self.memory.salt();
        let iterations = if salt.secret { 1 } else { ITERATIONS };
        let iterations = NonZeroU32::new(iterations).unwrap_or(NonZeroU32::MIN);
        let mut out = [0; HASH_BYTES];
        pbkdf2::derive(
            pbkdf2::PBKDF2_HMAC_SHA256,
            iterations,
            &salt.bytes,
            &quick,
            &mut out,
        );
        let text = format!("{:08x}", u32::from_be_bytes(out));
        lock(&self.hashes).insert(quick, text.clone());
        text
    }
}

fn quick(user: &str, password: &Secret) -> Quick {
    Sha256::new()
        .chain_update((user.len() as u64).to_le_bytes())
        .chain_update(user)
        .chain_update(password.expose())
        .finalize()
        .into()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate").finish_non_exhaustive()
    }
}

fn refused(who: &Who<'_>, why: &str) -> Error {
    Error::new(
        Kind::Auth,
        format!("{}: login of '{}' is held back", who.bmc, who.user),
    )
    .with_source(why.to_owned())
}

fn held_back(who: &Who<'_>, why: &str) -> Error {
    refused(who, why).with_hint("correct the credentials; --try-now tries these once more")
}

/// The right to one login. Dropped without a word, one that the BMC counts stays a failed one.
#[must_use]
pub struct Pass {
    gate: Arc<Gate>,
    rule: Rule,
    bmc: String,
    user: String,
    quick: Quick,
    counts: bool,
    /// What the memory has of this credential.
    known: Option<End>,
    now: u64,
}

impl Pass {
    /// The credential is right.
    pub fn worked(self) {
        let keep = match self.known {
            Some(End::Worked) => false,
            Some(End::Begun | End::Failed) => true,
            // An operator's is tried anyway; nobody needs to know.
            None => self.rule == Rule::Automatic,
        };
        if keep {
            self.gate.keep(&self.attempt(End::Worked));
        }
    }

    /// The credential is wrong.
    pub fn failed(self) {
        let operator = self.rule == Rule::Operator;
        lock(&self.gate.failed).insert((self.bmc.clone(), self.quick));
        let counter = if operator {
            &self.gate.operator
        } else {
            &self.gate.automatic
        };
        counter.fetch_add(1, Ordering::Relaxed);
        self.gate.keep(&self.attempt(End::Failed));
    }

    /// Whether it is right or wrong was not seen: as if it had not been tried.
    pub fn clear(self) {
        if self.known == Some(End::Begun)
            && let Err(error) = self.gate.memory.strike(&self.attempt(End::Begun))
        {
            log::info!("login gate: {}", error.chain());
        }
    }

    /// What came of it decides: refused credentials stay, everything else is struck out.
    pub fn settle<T>(self, result: &Result<T>) {
        match result {
            Ok(_) => self.worked(),
            Err(error) if error.kind() == Kind::Auth => self.failed(),
            Err(_) => self.clear(),
        }
    }

    fn attempt(&self, end: End) -> Attempt {
        Attempt {
            bmc: self.bmc.clone(),
            user: self.user.clone(),
            credential: self.gate.slow(self.quick),
            at: self.now,
            seen: self.counts,
            end,
            operator: self.rule == Rule::Operator,
        }
    }
}

impl fmt::Debug for Pass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pass")
            .field("bmc", &self.bmc)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
