//! What the Redfish service keeps beside the server's state: sessions, settings.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use fastrand::Rng;

use crate::hal::model::Secret;

/// One session.
#[derive(Debug, Clone)]
struct Session {
    id: u32,
    token: String,
    user: u8,
    used: Instant,
    created: u32,
}

/// All sessions of a BMC.
#[derive(Debug)]
pub struct Sessions {
    list: Vec<Session>,
    last: u32,
    /// SessionTimeout.
    pub timeout: Duration,
    /// Made so far.
    pub opened: u64,
    /// Deleted.
    pub closed: u64,
    /// Forgotten: not used, or lost in a reset of the BMC.
    pub expired: u64,
}

impl Default for Sessions {
    fn default() -> Self {
        Self {
            list: Vec::new(),
            last: 0,
            timeout: Duration::from_mins(30),
            opened: 0,
            closed: 0,
            expired: 0,
        }
    }
}

impl Sessions {
    /// Ids, oldest first.
    pub fn ids(&self) -> impl Iterator<Item = u32> {
        self.list.iter().map(|session| session.id)
    }

    /// User slot and time of creation (seconds since 1970) of a session.
    pub fn get(&self, id: u32) -> Option<(u8, u32)> {
        let session = self.list.iter().find(|session| session.id == id)?;
        Some((session.user, session.created))
    }

    /// Sessions that are open.
    pub fn open(&self) -> usize {
        self.list.len()
    }

    /// A new session: id and token; `None` when there are `limit` already.
    pub fn create(
        &mut self,
        user: u8,
        now: Instant,
        clock: u32,
        limit: usize,
        rng: &mut Rng,
    ) -> Option<(u32, String)> {
        if self.list.len() >= limit {
            return None;
        }
        self.last = self.last.wrapping_add(1).max(1);
        let token = format!("{:016x}{:016x}", rng.u64(..), rng.u64(..));
        self.list.push(Session {
            id: self.last,
            token: token.clone(),
            user,
            used: now,
            created: clock,
        });
        self.opened += 1;
        Some((self.last, token))
    }

    /// Id and user of the session with this token, which is used now.
    pub fn touch(&mut self, token: &str, now: Instant) -> Option<(u32, u8)> {
        self.expire(now);
        let session = self
            .list
            .iter_mut()
            .find(|session| session.token == token)?;
        session.used = now;
        Some((session.id, session.user))
    }

    /// Ends a session. False if there is none.
    pub fn delete(&mut self, id: u32) -> bool {
        let before = self.list.len();
        self.list.retain(|session| session.id != id);
        let found = self.list.len() < before;
        self.closed += u64::from(found);
        found
    }

    /// Ends those that nobody used for too long.
    pub fn expire(&mut self, now: Instant) {
        let before = self.list.len();
        let timeout = self.timeout;
        self.list
            .retain(|session| now.saturating_duration_since(session.used) < timeout);
        self.expired += (before - self.list.len()) as u64;
    }

    /// Forgets all of a user, or all.
    pub fn forget(&mut self, user: Option<u8>) {
        let before = self.list.len();
        self.list
            .retain(|session| user.is_some_and(|user| session.user != user));
        self.expired += (before - self.list.len()) as u64;
    }
}

/// The service's own state.
#[derive(Debug, Default)]
pub struct Web {
    /// Sessions.
    pub sessions: Sessions,
    /// Accounts whose password must be changed before anything else.
    pub must_change: BTreeSet<u8>,
    /// Accounts that IPMI made where only Redfish gives a role in Redfish (Dell).
    pub no_role: BTreeSet<u8>,
    /// The account that the host has for the host interface.
    pub host: Option<(String, Secret)>,
    /// The name of the boot target that was set over Redfish: IPMI has one number for several.
    pub boot_target: Option<&'static str>,
    /// HostName of the BMC.
    pub host_name: Option<String>,
    /// AccountLockoutThreshold and such are as the simulator was started; these are what can be written.
    pub account_service: AccountSettings,
}

/// Writable properties of AccountService.
#[derive(Debug, Clone, Copy)]
pub struct AccountSettings {
    /// AuthFailureLoggingThreshold.
    pub logging_threshold: u32,
}

impl Default for AccountSettings {
    fn default() -> Self {
        Self {
            logging_threshold: 3,
        }
    }
}
