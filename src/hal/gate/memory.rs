//! Where attempts are kept.

use std::sync::{Mutex, PoisonError};

use crate::hal::error::Result;

/// How a login ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum End {
    /// Nobody has seen yet.
    Begun,
    /// The credential is wrong.
    Failed,
    /// It is right.
    Worked,
}

/// What is known of a credential at a BMC.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Attempt {
    /// The BMC.
    pub bmc: String,
    /// User name.
    pub user: String,
    /// Hash of user and password.
    pub credential: String,
    /// Seconds since 1970.
    pub at: u64,
    /// Did the BMC see it? `false`: found to be wrong without a login that counts.
    pub seen: bool,
    /// How it ended.
    pub end: End,
    /// An operator wanted it.
    pub operator: bool,
}

/// What credentials are hashed with; random, made once.
#[derive(Debug, Clone, Copy)]
pub struct Salt {
    /// The salt.
    pub bytes: [u8; 16],
    /// It is not kept with the attempts: then a quick hash is enough.
    pub secret: bool,
}

/// Where attempts outlive the process.
pub trait GateMemory: Send + Sync {
    /// What credentials are hashed with.
    fn salt(&self) -> Salt;
    /// Attempts at `bmc` since `since`, and all that worked.
    fn attempts(&self, bmc: &str, since: u64) -> Result<Vec<Attempt>>;
    /// Keeps an attempt; one with the same key is replaced. `durable`: it is on disk when this returns.
    fn keep(&self, attempt: &Attempt, durable: bool) -> Result<()>;
    /// Strikes the attempt with this key out.
    fn strike(&self, attempt: &Attempt) -> Result<()>;
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
    fn salt(&self) -> Salt {
        Salt {
            bytes: self.salt,
            secret: true,
        }
    }

    fn attempts(&self, bmc: &str, since: u64) -> Result<Vec<Attempt>> {
        let all = self.attempts.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(all
            .iter()
            .filter(|a| a.bmc == bmc && (a.at >= since || a.end == End::Worked))
            .cloned()
            .collect())
    }

    fn keep(&self, attempt: &Attempt, _: bool) -> Result<()> {
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
