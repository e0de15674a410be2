//! Which privilege a session is opened with, and what becomes of those who need more than the account has.

use super::super::fault::{Fault, HINT_PRIVILEGE};
use super::Session;
use crate::hal::error::Kind;
use crate::hal::ipmi::cmd::Privilege;

impl Session {
    /// An operation begins whose commands need up to `level`: the next session is opened so that it can rise there.
    /// An account that has less gets a session all the same, and only the commands that need more fail.
    pub fn expect(&mut self, level: Privilege) {
        self.expected = self.expected.max(Some(level));
    }

    /// The role for the next session; `None` when nobody waits.
    pub(super) fn role_to_open(&self) -> Option<Privilege> {
        let need = self.jobs.highest_need(&self.config)?;
        if self.config.privilege.is_some() {
            return Some(need);
        }
        let limit = self.ceiling.unwrap_or(Privilege::Administrator);
        Some(self.expected.map_or(need, |e| need.max(e.min(limit))))
    }

    /// The account may not have `role`: who needs it fails, the others go on below it.
    pub(super) fn role_refused(&mut self, role: Privilege, fault: &Fault) {
        let config = &self.config;
        let failed = self
            .jobs
            .take(|job| !job.flying && job.need(config) >= role);
        for job in failed {
            self.fail(&job, fault);
        }
        self.expected = None;
        if fault.kind == Kind::Privilege {
            self.ceiling = role.lower();
            self.expected = self.ceiling;
        }
    }

    /// Requests above what the account was found to have.
    pub(super) fn fail_above_ceiling(&mut self) {
        let Some(ceiling) = self.ceiling else {
            return;
        };
        if self.config.privilege.is_some() {
            return;
        }
        let config = &self.config;
        for job in self
            .jobs
            .take(|job| !job.flying && job.need(config) > ceiling)
        {
            let what = format!(
                "{}: the account has no more than {ceiling}",
                job.request.name
            );
            self.fail(
                &job,
                &Fault::new(Kind::Privilege, what).hint(HINT_PRIVILEGE),
            );
        }
    }
}
