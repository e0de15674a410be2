//! One simulated BMC: sessions, server, ledger and manners. Sans-IO; the host moves the datagrams.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fastrand::Rng;

use super::handlers::{self, Order};
use super::ledger::Ledger;
use super::profile::Profile;
use super::state::Server;
use super::state::users::{MESSAGING, NO_ACCESS};
use crate::hal::ipmi::cmd::{CompletionCode, Privilege};
use crate::hal::ipmi::responder::{
    Account, Answer, BmcSide, Caller, ChannelAccess, Config, Event, Io, Responder,
};
use crate::hal::ipmi::wire::message::LanMessage;
use crate::hal::model::Secret;

/// How long a BMC does not answer after a cold reset.
const REBOOT: Duration = Duration::from_millis(500);
/// The host behind a console is looked at so often.
const HOST_PAUSE: Duration = Duration::from_millis(500);
/// Bit of the access field: only for callback.
const CALLBACK_ONLY: u8 = 0x40;

/// How a BMC behaves on the network.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Manners {
    /// Hears everything and answers nothing.
    pub unresponsive: bool,
    /// Every answer takes so much longer.
    pub slow: Duration,
    /// Probability (0..=1) that a command is refused as busy.
    pub busy: f64,
}

/// The server behind the sessions, with its books.
#[derive(Debug)]
pub struct Side {
    /// The server.
    pub server: Server,
    /// The books.
    pub ledger: Ledger,
    /// Probability of "busy".
    pub busy: f64,
    rng: Rng,
}

impl Side {
    /// The server and the random numbers, both to be changed.
    pub(super) fn server_and_rng(&mut self) -> (&mut Server, &mut Rng) {
        (&mut self.server, &mut self.rng)
    }
}

impl BmcSide for Side {
    fn accounts(&self) -> u8 {
        self.server.users.slots()
    }

    fn account(&self, id: u8) -> Option<Account<'_>> {
        let user = self.server.users.get(id)?;
        let limit = Privilege::from_wire(user.limit).unwrap_or(Privilege::None);
        let may = user.enabled
            && user.access & MESSAGING != 0
            && user.access & CALLBACK_ONLY == 0
            && user.limit != NO_ACCESS
            && limit != Privilege::None;
        may.then(|| Account {
            id,
            name: user.trimmed(),
            password: &user.password,
            limit: limit.min(self.channel_access().limit),
            long_password: user.long_password,
        })
    }

    fn guid(&self) -> [u8; 16] {
        self.server.guid
    }

    fn kg(&self) -> Option<Secret> {
        (self.server.kg != [0; 20]).then(|| Secret::new(self.server.kg))
    }

    fn channel_access(&self) -> ChannelAccess {
        let channel = &self.server.channel;
        ChannelAccess {
            limit: Privilege::from_wire(channel.limit).unwrap_or(Privilege::Administrator),
            // Access mode: disabled, or only before boot.
            available: channel.flags & 7 >= 2,
            per_message: channel.flags & 0x10 == 0,
            user_level: channel.flags & 0x08 == 0,
        }
    }

    fn suite_limit(&self, id: u8) -> Privilege {
        Privilege::from_wire(self.server.lan.suite_privilege(id)).unwrap_or(Privilege::None)
    }

    fn execute(&mut self, now: Instant, caller: &Caller, request: &LanMessage) -> Answer {
        if self.busy > 0.0 && self.rng.f64() < self.busy {
            return Answer::code(CompletionCode::NODE_BUSY);
        }
        let order = Order {
            netfn: request.netfn,
            lun: request.to_lun,
            cmd: request.cmd,
            data: &request.data,
        };
        handlers::execute(&mut self.server, now, caller, order)
    }

    fn sol(&mut self, now: Instant, caller: &Caller, order: u32, payload: &[u8]) {
        if let Some(console) = &mut self.server.console {
            console.take(now, caller.session, order, payload);
        }
    }

    fn session_ended(&mut self, session: u8) {
        if let Some(console) = &mut self.server.console {
            console.session_ended(session);
        }
    }

    fn book(&mut self, event: Event) {
        self.ledger.book(event);
    }
}

/// One simulated BMC.
#[derive(Debug)]
pub struct Bmc {
    responder: Responder,
    /// The server behind it.
    pub side: Side,
    manners: Manners,
    in_flight: u64,
    silent_until: Option<Instant>,
}

impl Bmc {
    /// A BMC of `config`'s kind in front of `server`. The same seed gives the same session ids and faults.
    pub fn new(server: Server, config: Arc<Config>, manners: Manners, seed: u64) -> Self {
        Self {
            responder: Responder::new(config),
            side: Side {
                server,
                ledger: Ledger::default(),
                busy: manners.busy,
                rng: Rng::with_seed(seed),
            },
            manners,
            in_flight: 0,
            silent_until: None,
        }
    }

    /// The kind of BMC.
    pub fn profile(&self) -> &Arc<Profile> {
        &self.side.server.profile
    }

    /// How it behaves.
    pub fn manners(&self) -> Manners {
        self.manners
    }

    /// Makes it behave otherwise from now on.
    pub fn set_manners(&mut self, manners: Manners) {
        self.manners = manners;
        self.side.busy = manners.busy;
    }

    /// Takes a datagram; its answers are added to `out`. Returns how many commands it executed: they count as in
    /// flight until [`Bmc::answered`] is told.
    pub fn receive(
        &mut self,
        now: Instant,
        peer: SocketAddr,
        bytes: &[u8],
        out: &mut Vec<Vec<u8>>,
    ) -> u64 {
        self.side.ledger.datagrams_in += 1;
        if self.is_silent(now) {
            return 0;
        }
        let before = self.side.ledger.commands;
        let mut rng = self.side.rng.fork();
        let mut entropy = |buffer: &mut [u8]| rng.fill(buffer);
        let mut io = Io {
            now,
            peer,
            entropy: &mut entropy,
            bmc: &mut self.side,
        };
        self.responder.handle_datagram(&mut io, bytes, out);
        self.settle(now);
        let commands = self.side.ledger.commands - before;
        self.in_flight += commands;
        let ledger = &mut self.side.ledger;
        ledger.most_in_flight = ledger.most_in_flight.max(self.in_flight);
        commands
    }

    /// Does it not answer at all now?
    pub fn is_silent(&self, now: Instant) -> bool {
        self.manners.unresponsive || self.silent_until.is_some_and(|until| now < until)
    }

    /// Is this request one of those that are refused as busy?
    pub fn is_busy(&mut self) -> bool {
        self.side.busy > 0.0 && self.side.rng.f64() < self.side.busy
    }

    /// Ends all sessions, as if nobody had used them for a minute.
    pub fn end_sessions(&mut self) {
        self.side.ledger.sessions_expired += self.responder.reset() as u64;
        self.side.server.web.sessions.forget(None);
    }

    /// Carries out a reset of the BMC that was asked for: sessions are lost, and it is silent for a while.
    pub fn settle(&mut self, now: Instant) {
        if self.side.server.cold_reset {
            self.side.server.cold_reset = false;
            self.side.server.web.host = None;
            self.side.ledger.sessions_expired += self.responder.reset() as u64;
            self.side.server.web.sessions.forget(None);
            self.side.server.console = None;
            self.silent_until = now.checked_add(REBOOT);
        }
    }

    /// Is the account locked after wrong passwords? IPMI and Redfish count together.
    pub fn is_locked(&mut self, user: u8, now: Instant) -> bool {
        self.responder.bouncer().is_locked(user, now)
    }

    /// Accounts that are locked.
    pub fn locked(&mut self, now: Instant) -> Vec<u8> {
        let slots = self.side.server.users.slots();
        (1..=slots).filter(|id| self.is_locked(*id, now)).collect()
    }

    /// A right password: earlier wrong ones are forgotten.
    pub fn login_succeeded(&mut self, user: u8) {
        self.responder.bouncer().welcome(user);
    }

    /// A wrong password: it is booked and counts for the lock.
    pub fn login_failed(&mut self, user: u8, now: Instant) {
        self.side.ledger.book(Event::LoginFailed);
        let rule = self.responder.config().lockout;
        if self.responder.bouncer().failed(user, now, rule) {
            self.side.ledger.book(Event::LockedOut);
        }
    }

    /// Wrong passwords that lock an account, and for how many seconds.
    pub fn lockout(&self) -> Option<(u8, u64)> {
        let rule = self.responder.config().lockout?;
        Some((rule.attempts, rule.duration.as_secs()))
    }

    /// What the serial console has to say now: datagrams and where they go.
    pub fn console(&mut self, now: Instant) -> Vec<(SocketAddr, Vec<u8>)> {
        let mut out = Vec::new();
        if self.silent_until.is_some_and(|until| now < until) || self.manners.unresponsive {
            return out;
        }
        loop {
            let server = &mut self.side.server;
            let Some(console) = &mut server.console else {
                break;
            };
            console.host(server.power.on, server.power.starts);
            let Some((session, payload)) = console.poll(now) else {
                break;
            };
            let mut rng = self.side.rng.fork();
            let mut entropy = |buffer: &mut [u8]| rng.fill(buffer);
            let mut io = Io {
                now,
                peer: SocketAddr::from(([0, 0, 0, 0], 0)),
                entropy: &mut entropy,
                bmc: &mut self.side,
            };
            out.extend(self.responder.send_sol(&mut io, session, &payload));
        }
        out
    }

    /// When [`Bmc::console`] may have something to say without being asked: its host lives on.
    pub fn console_timeout(&self, now: Instant) -> Option<Instant> {
        let console = self.side.server.console.as_ref()?;
        console.holder()?;
        let look = now + HOST_PAUSE;
        Some(console.next_timeout().map_or(look, |at| at.min(look)))
    }

    /// The answers to so many commands, in so many datagrams, went out (or were lost on purpose).
    pub fn answered(&mut self, commands: u64, datagrams: u64) {
        self.in_flight = self.in_flight.saturating_sub(commands);
        self.side.ledger.datagrams_out += datagrams;
    }

    /// Lets time pass: sessions expire, power arrives.
    pub fn tick(&mut self, now: Instant) {
        self.responder.handle_timeout(now, &mut self.side);
        self.side.server.tick(now);
        self.side.server.web.sessions.expire(now);
    }

    /// The books, with what is open now.
    pub fn ledger(&mut self, now: Instant) -> Ledger {
        self.tick(now);
        let mut ledger = self.side.ledger.clone();
        ledger.sessions_open = self.responder.open_sessions() as u64;
        ledger.half_open = self.responder.half_open() as u64;
        ledger.power_actions = self.side.server.power.actions;
        let web = &self.side.server.web.sessions;
        ledger.redfish_sessions_opened = web.opened;
        ledger.redfish_sessions_closed = web.closed;
        ledger.redfish_sessions_expired = web.expired;
        ledger.redfish_sessions_open = web.open() as u64;
        ledger
    }
}
