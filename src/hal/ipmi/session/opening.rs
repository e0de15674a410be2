//! One login: the allowed cipher suites in turn, each in as many attempts as it takes, until the caller's
//! patience ends.

use std::time::{Duration, Instant};

use super::closing::Closers;
use super::config::{Config, Version};
use super::core::Ctx;
use super::fault::{Fault, HINT_DOWNGRADE, HINT_PASSWORD, HINT_SESSIONS, HINT_SUITE};
use super::handshake15::{self, Handshake15};
use super::handshake20::{self, Handshake20, Reason, Step};
use super::link::Link;
use super::retry::Transmission;
use crate::hal::error::Kind;
use crate::hal::ipmi::cmd::Privilege;
use crate::hal::ipmi::crypto::CipherSuite;
use crate::hal::ipmi::wire::Datagram;
use crate::hal::ipmi::wire::v15::AuthType;

/// Attempts that got beyond the first answer before the BMC counts as out of its mind.
const MOST_RESTARTS: u8 = 4;
/// "Invalid session id" in a row, for ids that the BMC gave just before.
const MOST_STALE: u8 = 3;

/// What can be offered to the BMC.
#[derive(Debug, Clone, Copy)]
enum Offer {
    Suite(CipherSuite),
    Auth(AuthType),
}

#[derive(Debug)]
enum Stage {
    V20(Handshake20),
    V15(Handshake15),
}

/// A login: all but the present attempt.
#[derive(Debug)]
pub(super) struct Plan {
    offers: Vec<Offer>,
    at: usize,
    /// The suite that worked before, and allowed ones left out because they are weaker.
    pinned: Option<CipherSuite>,
    weaker: Vec<u8>,
    role: Privilege,
    restarts: u8,
    stale: u8,
    faults: Vec<Fault>,
    /// The last answer that could not be read.
    oddity: Option<String>,
}

/// A login that is going on.
#[derive(Debug)]
pub(super) struct Opening {
    plan: Plan,
    stage: Stage,
    tx: Transmission,
}

/// What became of a login.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It goes on.
    Stay(Box<Opening>),
    /// A session is open.
    Open(Box<Link>),
    /// The account may not have this role.
    Role(Privilege, Fault),
    /// It failed.
    Failed(Fault),
}

/// The suites to try and those left out as weaker than `pinned`.
fn plan(config: &Config, pinned: Option<u8>) -> (Vec<Offer>, Option<CipherSuite>, Vec<u8>) {
    if config.version == Version::V1_5 {
        return (
            config.auth_types.iter().copied().map(Offer::Auth).collect(),
            None,
            Vec::new(),
        );
    }
    // A suite without authentication or integrity is used only where it was asked for.
    let pinned = pinned
        .filter(|id| *id > 1 || config.suites.contains(id))
        .and_then(CipherSuite::by_id);
    let mut offers = Vec::new();
    let mut weaker = Vec::new();
    let mut seen = Vec::new();
    let ids = pinned.iter().map(|suite| suite.id);
    for id in ids.chain(config.suites.iter().copied()) {
        let Some(suite) = CipherSuite::by_id(id) else {
            continue;
        };
        if seen.contains(&id) {
            continue;
        }
        seen.push(id);
        if pinned.is_some_and(|pinned| suite.is_weaker_than(pinned)) {
            weaker.push(id);
        } else {
            offers.push(Offer::Suite(suite));
        }
    }
    (offers, pinned, weaker)
}

fn begin(ctx: &mut Ctx<'_>, offer: Offer, role: Privilege) -> (Stage, Vec<u8>) {
    match offer {
        Offer::Suite(suite) => {
            let (state, datagram) = handshake20::begin(suite, role, ctx.entropy);
            (Stage::V20(state), datagram)
        }
        Offer::Auth(auth_type) => {
            let (state, datagram) = handshake15::begin(auth_type, role, ctx.entropy);
            (Stage::V15(state), datagram)
        }
    }
}

impl Opening {
    /// Sends the first message.
    pub fn start(ctx: &mut Ctx<'_>, role: Privilege, pinned: Option<u8>) -> Outcome {
        let (offers, pinned, weaker) = plan(ctx.config, pinned);
        if offers.is_empty() {
            return Outcome::Failed(Fault::new(Kind::Config, "no cipher suite is allowed"));
        }
        let plan = Plan {
            offers,
            at: 0,
            pinned,
            weaker,
            role,
            restarts: 0,
            stale: 0,
            faults: Vec::new(),
            oddity: None,
        };
        let wait = ctx.first_wait();
        plan.attempt(ctx, wait)
    }

    /// When to send again.
    pub fn next_timeout(&self) -> Instant {
        self.tx.due
    }

    /// What is waited for, and the last answer that could not be read.
    pub fn waits_for(&self) -> (&'static str, Option<String>) {
        let name = match &self.stage {
            Stage::V20(state) => state.waits_for(),
            Stage::V15(state) => state.waits_for(),
        };
        (name, self.plan.oddity.clone())
    }

    /// Ends the login; what the BMC may have opened is closed.
    pub fn abandon(self, ctx: &mut Ctx<'_>, closers: &mut Closers) -> Plan {
        if let Stage::V20(state) = self.stage
            && let Some(link) = state.abandon()
        {
            closers.begin(ctx, link);
        }
        self.plan
    }

    /// Takes a datagram.
    pub fn handle(
        mut self: Box<Self>,
        ctx: &mut Ctx<'_>,
        closers: &mut Closers,
        datagram: &Datagram,
    ) -> Outcome {
        let step = match (self.stage, datagram) {
            (Stage::V20(state), Datagram::V20(packet)) => {
                state.step(ctx.config, ctx.entropy, packet).map(Stage::V20)
            }
            (Stage::V15(state), Datagram::V15(packet)) => {
                state.step(ctx.config, ctx.entropy, packet).map(Stage::V15)
            }
            (stage, _) => Step::Wait(stage),
        };
        match step {
            Step::Wait(stage) => {
                self.stage = stage;
                Outcome::Stay(self)
            }
            Step::Odd(stage, text) => {
                self.stage = stage;
                self.plan.oddity = Some(text);
                Outcome::Stay(self)
            }
            Step::Send(stage, datagram) => {
                ctx.sample(&self.tx);
                ctx.send(datagram.clone());
                self.tx = Transmission::new(ctx.now, datagram, ctx.first_wait());
                self.stage = stage;
                Outcome::Stay(self)
            }
            Step::Done(link) => {
                ctx.sample(&self.tx);
                Outcome::Open(link)
            }
            Step::Fail(reason, link) => {
                ctx.sample(&self.tx);
                if let Some(link) = link {
                    closers.begin(ctx, link);
                }
                self.plan.after(ctx, reason)
            }
        }
    }

    /// Sends again what got no answer, or starts the attempt again with new ids.
    pub fn handle_timeout(
        mut self: Box<Self>,
        ctx: &mut Ctx<'_>,
        closers: &mut Closers,
    ) -> Outcome {
        if self.tx.due > ctx.now {
            return Outcome::Stay(self);
        }
        if self.tx.sends < u32::from(ctx.config.timers.handshake_tries.max(1)) {
            let datagram = self.tx.again(ctx.now, &ctx.config.timers, ctx.entropy);
            ctx.send(datagram);
            return Outcome::Stay(self);
        }
        let (waits_for, _) = self.waits_for();
        match &self.stage {
            Stage::V15(state) if state.proved() => {
                return Outcome::Failed(
                    Fault::new(Kind::Auth, "log in")
                        .because(Some(
                            "no answer to Activate Session, which is how many BMCs refuse a password"
                                .into(),
                        ))
                        .hint(HINT_PASSWORD),
                );
            }
            Stage::V20(Handshake20::Open(_)) | Stage::V15(Handshake15::Capabilities(_)) => {}
            _ => self.plan.restarts += 1,
        }
        let wait = if ctx.heard {
            ctx.first_wait()
        } else {
            self.tx.wait()
        };
        let mut plan = self.abandon(ctx, closers);
        if plan.restarts > MOST_RESTARTS {
            let fault = Fault::new(Kind::Timeout, format!("no answer to {waits_for}"));
            return Outcome::Failed(fault.because(plan.oddity.take()));
        }
        plan.attempt(ctx, wait)
    }
}

impl Plan {
    /// What follows a failed attempt.
    fn after(mut self, ctx: &mut Ctx<'_>, reason: Reason) -> Outcome {
        match reason {
            Reason::Suite(fault) => {
                self.faults.push(fault);
                self.at += 1;
                if self.at < self.offers.len() {
                    let wait = ctx.first_wait();
                    self.attempt(ctx, wait)
                } else {
                    self.exhausted()
                }
            }
            Reason::Stale(fault) => {
                self.stale += 1;
                if self.stale > MOST_STALE {
                    return Outcome::Failed(fault);
                }
                let wait = ctx.first_wait();
                self.attempt(ctx, wait)
            }
            Reason::Role(fault) => Outcome::Role(self.role, fault),
            Reason::Fatal(fault) => Outcome::Failed(fault),
        }
    }

    /// The next attempt, with new ids.
    fn attempt(self, ctx: &mut Ctx<'_>, wait: Duration) -> Outcome {
        let Some(offer) = self.offers.get(self.at) else {
            return self.exhausted();
        };
        let (stage, datagram) = begin(ctx, *offer, self.role);
        ctx.send(datagram.clone());
        Outcome::Stay(Box::new(Opening {
            tx: Transmission::new(ctx.now, datagram, wait),
            stage,
            plan: self,
        }))
    }

    /// No suite is left: the error that tells the operator most.
    fn exhausted(self) -> Outcome {
        let causes: Vec<String> = self.faults.iter().map(Fault::text).collect();
        let causes = Some(causes.join("; "));
        let has = |kind| self.faults.iter().any(|fault| fault.kind == kind);
        if has(Kind::Busy) {
            return Outcome::Failed(
                Fault::new(Kind::Busy, "open an IPMI session")
                    .because(causes)
                    .hint(HINT_SESSIONS),
            );
        }
        if has(Kind::Privilege)
            && let Some(fault) = self.faults.iter().find(|f| f.kind == Kind::Privilege)
        {
            return Outcome::Role(self.role, fault.clone());
        }
        if let (Some(pinned), false) = (self.pinned, self.weaker.is_empty()) {
            let weaker: Vec<String> = self.weaker.iter().map(u8::to_string).collect();
            let what = format!(
                "the BMC refuses {pinned}, which worked before; weaker ones ({}) are not tried",
                weaker.join(", ")
            );
            return Outcome::Failed(
                Fault::new(Kind::Refused, what)
                    .because(causes)
                    .hint(HINT_DOWNGRADE),
            );
        }
        let kind = if has(Kind::Refused) {
            Kind::Refused
        } else {
            Kind::Protocol
        };
        Outcome::Failed(
            Fault::new(kind, "open an IPMI session")
                .because(causes)
                .hint(HINT_SUITE),
        )
    }
}
