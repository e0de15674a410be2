//! The requests that wait for their answer, in the order in which they came.

use std::time::Instant;

use super::config::Config;
use super::fault::Fault;
use crate::hal::error::Kind;
use crate::hal::ipmi::cmd::{Effect, Privilege};
use crate::hal::ipmi::exchange::{Request, Response};

/// One request of the caller.
#[derive(Debug)]
pub(super) struct Job {
    pub id: u64,
    pub token: u64,
    pub request: Request,
    pub deadline: Instant,
    /// It is on its way, unanswered.
    pub flying: bool,
    /// The BMC was busy: not before this.
    pub not_before: Option<Instant>,
    /// How often the BMC was busy, and its last answer.
    pub busy: u32,
    pub last_busy: Option<Response>,
    /// The session was lost under it once.
    pub reopened: bool,
}

impl Job {
    /// The level that its session must have.
    pub fn need(&self, config: &Config) -> Privilege {
        config
            .privilege
            .unwrap_or_else(|| self.request.privilege.max(Privilege::User))
    }

    pub fn once(&self) -> bool {
        self.request.effect == Effect::Once
    }

    /// It may be executing: what it does cannot be taken back.
    pub fn begun_write(&self) -> bool {
        self.flying && self.request.effect != Effect::Read
    }

    pub fn ready(&self) -> bool {
        !self.flying && self.not_before.is_none()
    }
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Jobs {
    list: Vec<Job>,
    next_id: u64,
}

impl Jobs {
    pub fn add(&mut self, token: u64, request: Request, deadline: Instant) {
        self.next_id += 1;
        self.list.push(Job {
            id: self.next_id,
            token,
            request,
            deadline,
            flying: false,
            not_before: None,
            busy: 0,
            last_busy: None,
            reopened: false,
        });
    }

    pub fn iter(&self) -> impl Iterator<Item = &Job> {
        self.list.iter()
    }

    pub fn waiting(&self) -> impl Iterator<Item = &Job> {
        self.list.iter().filter(|job| !job.flying)
    }

    pub fn any_waiting(&self) -> bool {
        self.waiting().next().is_some()
    }

    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Pauses that are over are forgotten: a time in the past is nothing to wait for.
    pub fn end_pauses(&mut self, now: Instant) {
        for job in &mut self.list {
            job.not_before = job.not_before.filter(|at| *at > now);
        }
    }

    pub fn get_mut(&mut self, id: u64) -> Option<&mut Job> {
        self.list.iter_mut().find(|job| job.id == id)
    }

    pub fn remove(&mut self, id: u64) -> Option<Job> {
        let at = self.list.iter().position(|job| job.id == id)?;
        Some(self.list.remove(at))
    }

    /// Takes out all that `pick` picks.
    pub fn take(&mut self, pick: impl Fn(&Job) -> bool) -> Vec<Job> {
        self.list.extract_if(.., |job| pick(job)).collect()
    }

    /// The highest level that those who wait need.
    pub fn highest_need(&self, config: &Config) -> Option<Privilege> {
        self.waiting().map(|job| job.need(config)).max()
    }

    /// The next time at which one of them wants something done.
    pub fn next_timeout(&self) -> Option<Instant> {
        self.list
            .iter()
            .flat_map(|job| {
                let pause = if job.flying { None } else { job.not_before };
                [Some(job.deadline), pause]
            })
            .flatten()
            .min()
    }
}

/// What is known of a request that was sent and not answered.
pub(super) fn unanswered(job: &Job, relayed: bool) -> Fault {
    let kind = if job.once() && job.flying {
        Kind::Indeterminate
    } else {
        Kind::Timeout
    };
    let cause = if relayed {
        "the controller behind the BMC did not answer"
    } else {
        "no answer"
    };
    Fault::new(kind, job.request.name).because(Some(cause.into()))
}
