//! The long-lived object: it holds the requests, knows which state is on, and turns what happens there into
//! replies.

mod roles;

use std::collections::VecDeque;
use std::fmt;
use std::time::{Duration, Instant};

use super::active::{Active, Event, Owner};
use super::closing::Closers;
use super::config::{Config, Entropy, Output, Phase, SessionInfo, random};
use super::fault::{Fault, HINT_PRIVILEGE};
use super::jobs::{Job, Jobs, unanswered};
use super::link::Link;
use super::opening::{Opening, Outcome};
use super::retry::{Rtt, Transmission};
use crate::hal::error::Kind;
use crate::hal::ipmi::cmd::{CompletionCode, Privilege};
use crate::hal::ipmi::exchange::{Request, Response};
use crate::hal::ipmi::wire::{Datagram, MAX_DATAGRAM};

/// How often a command that the BMC timed out on (0xC3) is sent again.
const TIMEOUT_RETRIES: u32 = 2;

/// What the states need of the session around them.
pub(super) struct Ctx<'a> {
    pub now: Instant,
    pub config: &'a Config,
    pub entropy: &'a mut dyn Entropy,
    /// Has this BMC ever answered anything?
    pub heard: bool,
    rtt: &'a mut Rtt,
    outputs: &'a mut VecDeque<Output>,
}

impl Ctx<'_> {
    pub fn send(&mut self, datagram: Vec<u8>) {
        self.outputs.push_back(Output::Send(datagram));
    }

    pub fn first_wait(&self) -> Duration {
        self.rtt.first_wait(&self.config.timers)
    }

    /// An answer came: takes its round-trip time.
    pub fn sample(&mut self, tx: &Transmission) {
        if let Some(measured) = tx.round_trip(self.now) {
            self.rtt.sample(measured);
        }
    }
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Idle,
    Opening(Box<Opening>),
    Active(Box<Active>),
}

/// The client of one BMC. See the module's documentation.
pub struct Session {
    config: Config,
    entropy: Box<dyn Entropy>,
    state: State,
    closers: Closers,
    jobs: Jobs,
    outputs: VecDeque<Output>,
    rtt: Rtt,
    heard: bool,
    refused: bool,
    /// The suite that worked: at first the caller's, then our own.
    pinned: Option<u8>,
    /// The highest privilege that the operations under way will need.
    expected: Option<Privilege>,
    /// The highest role that the account was found to have.
    ceiling: Option<Privilege>,
    /// `close` was called while writes were on their way.
    shutting: bool,
    /// `Closed` is still to be said.
    announce: bool,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("phase", &self.phase())
            .field("jobs", &self.jobs)
            .finish_non_exhaustive()
    }
}

impl Session {
    /// Sends nothing yet. A configuration that cannot work fails the first request.
    pub fn new(config: Config, entropy: Box<dyn Entropy>) -> Self {
        Self {
            pinned: config.pinned,
            config,
            entropy,
            state: State::Idle,
            closers: Closers::default(),
            jobs: Jobs::default(),
            outputs: VecDeque::new(),
            rtt: Rtt::default(),
            heard: false,
            refused: false,
            expected: None,
            ceiling: None,
            shutting: false,
            announce: false,
        }
    }

    /// Sends a request, after a login if need be. It is answered once, by [`Output::Reply`] or
    /// [`Output::Failed`] with the same `token`, at `deadline` at the latest.
    pub fn submit(&mut self, now: Instant, token: u64, request: Request, deadline: Instant) {
        if let Err(fault) = self.config.check() {
            let error = fault.error();
            self.outputs.push_back(Output::Failed { token, error });
            return;
        }
        self.jobs.add(token, request, deadline);
        self.pump(now);
    }

    /// Keeps the session alive when nothing is asked of it, or no longer ([`Config::keepalive`]).
    pub fn set_keepalive(&mut self, idle: Option<Duration>) {
        self.config.keepalive = idle;
    }

    /// Sends a SOL payload on the open session; without one it is lost, as on the wire.
    pub fn send_sol(&mut self, now: Instant, payload: &[u8]) {
        let mut state = std::mem::take(&mut self.state);
        if let State::Active(active) = &mut state {
            let (mut ctx, _) = self.ctx(now);
            active.send_sol(&mut ctx, payload);
        }
        self.state = state;
    }

    /// The caller no longer wants the answer. What was not sent yet, or only reads, fails at once; a write that
    /// was sent runs to its end.
    pub fn cancel(&mut self, now: Instant, token: u64) {
        self.cancel_if(|job| job.token == token);
        self.pump(now);
    }

    /// Closes the session, after writes that were sent. All else fails. [`Output::Closed`] says when it is done.
    pub fn close(&mut self, now: Instant) {
        self.cancel_if(|_| true);
        self.announce = true;
        self.ceiling = None;
        self.shutting = matches!(self.state, State::Active(_));
        self.pump(now);
    }

    /// Takes a datagram from the BMC.
    pub fn handle_datagram(&mut self, now: Instant, bytes: &[u8]) {
        if bytes.len() > MAX_DATAGRAM {
            return;
        }
        let Ok(datagram) = Datagram::parse(bytes) else {
            return;
        };
        self.heard = true;
        self.refused = false;
        let state = std::mem::take(&mut self.state);
        self.state = match state {
            State::Idle => State::Idle,
            State::Opening(opening) => {
                let (mut ctx, closers) = self.ctx(now);
                let outcome = opening.handle(&mut ctx, closers, &datagram);
                self.opened(now, outcome)
            }
            State::Active(mut active) => {
                let (mut ctx, _) = self.ctx(now);
                let event = active.handle(&mut ctx, bytes, &datagram);
                self.state = State::Active(active);
                if let Some(event) = event {
                    self.happened(now, event);
                }
                std::mem::take(&mut self.state)
            }
        };
        self.closers.handle(bytes, &datagram);
        self.pump(now);
    }

    /// Does what is due. Early and late calls do no harm.
    pub fn handle_timeout(&mut self, now: Instant) {
        let (mut ctx, closers) = self.ctx(now);
        closers.handle_timeout(&mut ctx);
        self.expire(now);
        let state = std::mem::take(&mut self.state);
        self.state = match state {
            State::Idle => State::Idle,
            State::Opening(opening) => {
                let (mut ctx, closers) = self.ctx(now);
                let outcome = opening.handle_timeout(&mut ctx, closers);
                self.opened(now, outcome)
            }
            State::Active(mut active) => {
                let (mut ctx, _) = self.ctx(now);
                let events = active.handle_timeout(&mut ctx);
                self.state = State::Active(active);
                for event in events {
                    self.happened(now, event);
                }
                std::mem::take(&mut self.state)
            }
        };
        self.pump(now);
    }

    /// The network said that nothing listens there. Believed only while nothing was ever heard: a BMC that
    /// restarts refuses for a while.
    pub fn handle_refused(&mut self, now: Instant) {
        self.refused = true;
        if !self.heard && matches!(self.state, State::Opening(_)) {
            let fault = Fault::new(Kind::Unreachable, "nothing listens on the IPMI port");
            self.fail_all(&fault);
            self.pump(now);
        }
    }

    /// When `handle_timeout` is to be called, if nothing comes before.
    pub fn next_timeout(&self) -> Option<Instant> {
        let state = match &self.state {
            State::Idle => None,
            State::Opening(opening) => Some(opening.next_timeout()),
            State::Active(active) => active.next_timeout().or_else(|| self.keepalive_at(active)),
        };
        [state, self.jobs.next_timeout(), self.closers.next_timeout()]
            .into_iter()
            .flatten()
            .min()
    }

    /// The next thing to do, if any.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Where the session stands.
    pub fn phase(&self) -> Phase {
        match &self.state {
            State::Opening(_) => Phase::Opening,
            State::Active(_) if self.shutting => Phase::Closing,
            State::Active(_) => Phase::Active,
            State::Idle if self.closers.is_empty() => Phase::Idle,
            State::Idle => Phase::Closing,
        }
    }

    /// The open session, if there is one.
    pub fn info(&self) -> Option<SessionInfo> {
        match &self.state {
            State::Active(active) => Some(active.link.info()),
            _ => None,
        }
    }

    fn ctx(&mut self, now: Instant) -> (Ctx<'_>, &mut Closers) {
        (
            Ctx {
                now,
                config: &self.config,
                entropy: &mut *self.entropy,
                heard: self.heard,
                rtt: &mut self.rtt,
                outputs: &mut self.outputs,
            },
            &mut self.closers,
        )
    }

    fn keepalive_at(&self, active: &Active) -> Option<Instant> {
        (active.in_flight() == 0)
            .then(|| self.config.keepalive())
            .flatten()
            .map(|idle| active.last_sent() + idle)
    }

    /// The state after a login.
    fn opened(&mut self, now: Instant, outcome: Outcome) -> State {
        match outcome {
            Outcome::Stay(opening) => State::Opening(opening),
            Outcome::Open(link) => {
                let info = link.info();
                self.pinned = info.suite.or(self.pinned);
                self.expected = None;
                self.outputs.push_back(Output::Active(info));
                State::Active(Box::new(Active::new(link, now)))
            }
            Outcome::Role(role, fault) => {
                self.role_refused(role, &fault);
                State::Idle
            }
            Outcome::Failed(fault) => {
                self.fail_all(&fault);
                State::Idle
            }
        }
    }

    fn happened(&mut self, now: Instant, event: Event) {
        match event {
            Event::Answer(Owner::Job(id), code, data) => self.answered(now, id, code, data),
            Event::Answer(Owner::Level(level), code, data) => self.raised(level, code, &data),
            Event::Answer(Owner::KeepAlive, ..) => {}
            Event::Exhausted {
                owner: Owner::Job(id),
                relayed,
            } => {
                if let Some(job) = self.jobs.remove(id) {
                    let fault = unanswered(&job, relayed);
                    self.fail(&job, &fault);
                }
            }
            Event::Exhausted { .. } | Event::Lost => self.lost(now),
            Event::Sol(order, bytes) => self.outputs.push_back(Output::Sol { order, bytes }),
        }
    }

    fn answered(&mut self, now: Instant, id: u64, code: CompletionCode, data: Vec<u8>) {
        let timers = &self.config.timers;
        let response = Response { code, data };
        if let Some(job) = self.jobs.get_mut(id) {
            job.flying = false;
            let again = match code {
                CompletionCode::NODE_BUSY | CompletionCode::INITIALIZING => true,
                // Some records never come (Dell FC830: the last SDR): it is not worth the whole deadline.
                CompletionCode::TIMEOUT => !job.once() && job.busy < TIMEOUT_RETRIES,
                _ => false,
            };
            if again {
                let [jitter] = random(&mut *self.entropy);
                let pause = timers.busy_pause * (1 << job.busy.min(3));
                let pause = pause + pause * u32::from(jitter) / 1024;
                if now + pause < job.deadline {
                    job.busy += 1;
                    job.not_before = Some(now + pause);
                    job.last_busy = Some(response);
                    return;
                }
            }
        }
        if let Some(job) = self.jobs.remove(id) {
            let token = job.token;
            self.outputs.push_back(Output::Reply { token, response });
        }
    }

    fn raised(&mut self, level: Privilege, code: CompletionCode, data: &[u8]) {
        let granted = data.first().copied().and_then(Privilege::from_wire);
        let refused = matches!(code.0, 0x80 | 0x81)
            || (code.is_ok() && granted.is_some_and(|granted| granted < level));
        if refused {
            let fault = Fault::code(Kind::Privilege, "Set Session Privilege Level", code)
                .hint(HINT_PRIVILEGE);
            self.role_refused(level, &fault);
            if let (State::Active(active), Some(lower)) = (&mut self.state, level.lower()) {
                active.link.role = lower;
            }
        } else if let State::Active(active) = &mut self.state {
            // Any other code: the commands themselves will tell.
            active.link.level = level;
        }
    }

    /// The BMC has lost the session: what may be asked twice is asked once more on a new one.
    fn lost(&mut self, now: Instant) {
        let State::Active(active) = std::mem::take(&mut self.state) else {
            return;
        };
        for job in self
            .jobs
            .take(|job| job.reopened || (job.flying && job.once()))
        {
            let fault = unanswered(&job, false);
            self.fail(&job, &fault);
        }
        for id in active.jobs_in_flight() {
            if let Some(job) = self.jobs.get_mut(id) {
                job.flying = false;
            }
        }
        let ids: Vec<u64> = self.jobs.iter().map(|job| job.id).collect();
        for id in ids {
            if let Some(job) = self.jobs.get_mut(id) {
                job.reopened = true;
            }
        }
        self.announce |= self.jobs.is_empty();
        self.close_link(now, active.link);
    }

    fn close_link(&mut self, now: Instant, link: Box<Link>) {
        let (mut ctx, closers) = self.ctx(now);
        closers.begin(&mut ctx, link);
    }

    /// Does what can be done now, in whatever state.
    fn pump(&mut self, now: Instant) {
        self.expire(now);
        self.jobs.end_pauses(now);
        // Each round ends in a state that waits for something, or fails at least one request.
        loop {
            let state = std::mem::take(&mut self.state);
            let (state, again) = match state {
                State::Idle => self.pump_idle(now),
                State::Opening(opening) => {
                    if self.jobs.any_waiting() {
                        (State::Opening(opening), false)
                    } else {
                        let (mut ctx, closers) = self.ctx(now);
                        opening.abandon(&mut ctx, closers);
                        (State::Idle, false)
                    }
                }
                State::Active(active) => self.pump_active(now, active),
            };
            self.state = state;
            if !again {
                break;
            }
        }
        if self.announce && matches!(self.state, State::Idle) && self.closers.is_empty() {
            self.announce = false;
            self.outputs.push_back(Output::Closed);
        }
    }

    fn pump_idle(&mut self, now: Instant) -> (State, bool) {
        self.shutting = false;
        self.fail_above_ceiling();
        let Some(role) = self.role_to_open() else {
            return (State::Idle, false);
        };
        let pinned = self.pinned;
        let (mut ctx, _) = self.ctx(now);
        let outcome = Opening::start(&mut ctx, role, pinned);
        let state = self.opened(now, outcome);
        (state, false)
    }

    fn pump_active(&mut self, now: Instant, mut active: Box<Active>) -> (State, bool) {
        if self.shutting {
            if active.jobs_in_flight().next().is_some() {
                return (State::Active(active), false);
            }
            self.close_link(now, active.link);
            return (State::Idle, true);
        }
        self.fail_above_ceiling();
        while !active.raising() && active.in_flight() < self.config.window() {
            let config = &self.config;
            let next = self
                .jobs
                .iter()
                .find(|job| job.ready())
                .map(|job| (job.id, job.need(config)));
            let Some((id, need)) = next else {
                break;
            };
            if need > active.link.level {
                if active.in_flight() > 0 {
                    break;
                }
                if need > active.link.role {
                    // A session cannot rise above the role it was opened with.
                    self.close_link(now, active.link);
                    return (State::Idle, true);
                }
                let (mut ctx, _) = self.ctx(now);
                active.raise(&mut ctx, need);
                break;
            }
            self.launch(now, &mut active, id);
        }
        if self.keepalive_at(&active).is_some_and(|at| at <= now) {
            let (mut ctx, _) = self.ctx(now);
            active.keep_alive(&mut ctx);
        }
        (State::Active(active), false)
    }

    fn launch(&mut self, now: Instant, active: &mut Active, id: u64) {
        let Some(job) = self.jobs.get_mut(id) else {
            return;
        };
        job.flying = true;
        let (request, once) = (job.request.clone(), job.once());
        let (mut ctx, _) = self.ctx(now);
        active.send(&mut ctx, id, &request, once);
    }

    fn cancel_if(&mut self, pick: impl Fn(&Job) -> bool) {
        for job in self.jobs.take(|job| pick(job) && !job.begun_write()) {
            self.forget(&job);
            let fault = Fault::new(Kind::Cancelled, job.request.name);
            self.fail(&job, &fault);
        }
    }

    /// Requests whose time is up.
    fn expire(&mut self, now: Instant) {
        for mut job in self.jobs.take(|job| job.deadline <= now) {
            self.forget(&job);
            if !job.flying
                && let Some(response) = job.last_busy.take()
            {
                let token = job.token;
                self.outputs.push_back(Output::Reply { token, response });
                continue;
            }
            let fault = self.late(&job);
            self.fail(&job, &fault);
        }
    }

    fn forget(&mut self, job: &Job) {
        if let State::Active(active) = &mut self.state {
            active.forget(job.id);
        }
    }

    /// Why a request got no answer until its deadline.
    fn late(&self, job: &Job) -> Fault {
        if job.flying {
            return unanswered(job, false);
        }
        let kind = if self.heard && !self.refused {
            Kind::Timeout
        } else {
            Kind::Unreachable
        };
        let cause = match &self.state {
            State::Opening(opening) => {
                let (waits_for, oddity) = opening.waits_for();
                Some(oddity.unwrap_or_else(|| format!("no answer to {waits_for}")))
            }
            _ => Some("not sent in time".into()),
        };
        Fault::new(kind, job.request.name).because(cause)
    }

    fn fail_all(&mut self, fault: &Fault) {
        for job in self.jobs.take(|_| true) {
            self.fail(&job, fault);
        }
    }

    fn fail(&mut self, job: &Job, fault: &Fault) {
        let token = job.token;
        let error = fault.error();
        self.outputs.push_back(Output::Failed { token, error });
    }
}
