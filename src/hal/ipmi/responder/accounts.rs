//! Who may log in: accounts, and the lock after too many wrong passwords.

use std::time::Instant;

use super::Lockout;
use crate::hal::ipmi::cmd::Privilege;
use crate::hal::model::Secret;

/// An account that may log in over LAN.
#[derive(Debug, Clone, Copy)]
pub struct Account<'a> {
    /// User id, from 1.
    pub id: u8,
    /// Name without padding; empty for the anonymous user.
    pub name: &'a [u8],
    /// Password.
    pub password: &'a Secret,
    /// Highest privilege on the LAN channel.
    pub limit: Privilege,
    /// The password was set as 20 bytes: no login with IPMI 1.5 (§22.30).
    pub long_password: bool,
}

/// Wrong passwords by account.
#[derive(Debug, Default)]
pub struct Bouncer {
    records: Vec<Record>,
}

#[derive(Debug)]
struct Record {
    user: u8,
    failures: u8,
    locked_until: Option<Instant>,
}

impl Bouncer {
    /// Is the account locked now? A lock that is over is forgotten.
    pub fn is_locked(&mut self, user: u8, now: Instant) -> bool {
        self.records
            .retain(|r| r.user != user || r.locked_until.is_none_or(|until| now < until));
        self.records
            .iter()
            .any(|r| r.user == user && r.locked_until.is_some())
    }

    /// A right password: earlier wrong ones are forgotten.
    pub fn welcome(&mut self, user: u8) {
        self.records.retain(|r| r.user != user);
    }

    /// A wrong password. True if the account is locked by this one.
    pub fn failed(&mut self, user: u8, now: Instant, rule: Option<Lockout>) -> bool {
        let Some(rule) = rule else { return false };
        let index = self.records.iter().position(|r| r.user == user);
        let index = index.unwrap_or_else(|| {
            self.records.push(Record {
                user,
                failures: 0,
                locked_until: None,
            });
            self.records.len() - 1
        });
        let Some(record) = self.records.get_mut(index) else {
            return false;
        };
        record.failures = record.failures.saturating_add(1);
        let locks = record.failures >= rule.attempts && record.locked_until.is_none();
        if locks {
            record.locked_until = now.checked_add(rule.duration);
        }
        locks
    }
}
