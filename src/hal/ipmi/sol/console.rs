//! The client's half: how a console is opened, kept, found dead, and closed.
//!
//! It stands beside the session, not in it: commands go the usual way and come back by [`Console::handle_reply`];
//! SOL payloads go through the same session. What a person has to know is a [`Notice`]; nothing is hidden.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::line::{Event, Line, Timing};
use crate::hal::error::{Error, Kind, Result};
use crate::hal::ipmi::cmd::app::{
    ActivatePayload, DeactivatePayload, GetPayloadInstanceInfo, GetSessionInfo, PAYLOAD_SOL,
    PayloadActivated, SessionSelector,
};
use crate::hal::ipmi::cmd::{Command, CompletionCode, CompletionError, Privilege};
use crate::hal::ipmi::exchange::{Request, Response, finish};
use crate::hal::ipmi::wire::sol::{HEADER, SolPacket, operation, status};
use crate::hal::model::console::ConsoleNotice as Notice;

/// First byte of the auxiliary data, in the order in which it is tried: encrypted and authenticated, serial alerts
/// deferred; then with CTS asserted, and without deferral.
const AUXILIARY: [u8; 3] = [0xc6, 0xc4, 0xc0];
/// Bit 7: encryption.
const ENCRYPTED: u8 = 0x80;
/// A line that is said to be taken is taken over so often: some BMCs never let go (Supermicro H8QME).
const STEALS: u32 = 3;
/// Payload sizes that can be true; several BMCs swap the bytes or make the number up.
const SIZES: std::ops::RangeInclusive<u16> = 16..=1024;
/// Characters per packet where the BMC's word cannot be believed.
const SAFE: usize = 200;

/// How a console is opened.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Payload instance, 1..15.
    pub instance: u8,
    /// Take the line from whoever has it.
    pub steal: bool,
    /// Go on without encryption where the BMC cannot do it.
    pub allow_plain: bool,
    /// Number of the first packet, 1..15. ipmi_sim takes the first characters for old ones when the console before
    /// ended with the number that they have: whoever knows that number begins after it.
    pub first: u8,
    /// When packets are sent again.
    pub timing: Timing,
    /// After so much silence the BMC is asked whether the line still stands.
    pub probe: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            instance: 1,
            steal: false,
            allow_plain: false,
            first: 1,
            timing: Timing::default(),
            probe: Duration::from_secs(20),
        }
    }
}

/// Why a console came to its end.
#[derive(Debug)]
pub enum Ended {
    /// It could not be opened.
    Failed(Error),
    /// The BMC ended it: somebody took the line, or the BMC restarts.
    Deactivated,
    /// The BMC says nothing any more.
    Silent,
    /// The session was lost.
    SessionLost,
    /// It was closed from here.
    Closed,
}

/// What is to be done.
#[derive(Debug)]
pub enum Step {
    /// Send this command; its answer goes to [`Console::handle_reply`] with the token.
    Command {
        /// Names it.
        token: u64,
        /// The command.
        request: Request,
    },
    /// Send this as SOL payload.
    Payload(Vec<u8>),
    /// Characters for the reader.
    Data(Vec<u8>),
    /// News for the reader.
    Notice(Notice),
    /// The end; nothing comes after it.
    Ended(Ended),
}

#[derive(Debug)]
enum State {
    Activating(Activate),
    /// Deactivate Payload was sent, to take the line over.
    Stealing(Activate),
    /// Who has it is asked.
    Asking(Activate, Ask),
    Open(Box<Open>),
    Closing,
    Over,
}

/// What is asked about a line that is in use.
#[derive(Debug)]
enum Ask {
    /// Which session has it.
    Session,
    /// Whose that is.
    Holder,
    /// Which one ours is; the holder's handle and name.
    Own(u8, String),
}

#[derive(Debug, Clone, Copy)]
struct Activate {
    auxiliary: usize,
    plain: bool,
    privilege: Privilege,
    steals: u32,
}

#[derive(Debug)]
struct Open {
    line: Line,
    heard: Instant,
    ready: bool,
    /// A packet is on its way to find out whether the line stands.
    probing: bool,
}

/// One console.
#[derive(Debug)]
pub struct Console {
    settings: Settings,
    state: State,
    steps: VecDeque<Step>,
    token: u64,
}

impl Console {
    /// Asks for the line at once.
    pub fn new(settings: Settings) -> Self {
        let mut console = Self {
            settings,
            state: State::Over,
            steps: VecDeque::new(),
            token: 0,
        };
        // The highest level at first: another command must not need a session of its own while this one stands.
        console.activate(Activate {
            auxiliary: 0,
            plain: false,
            privilege: Privilege::Administrator,
            steals: 0,
        });
        console
    }

    /// Takes typed characters; returns how many. None while the line does not stand.
    pub fn write(&mut self, data: &[u8]) -> usize {
        match &mut self.state {
            State::Open(open) => open.line.write(data),
            _ => 0,
        }
    }

    /// Sends a break to the host.
    pub fn send_break(&mut self) {
        if let State::Open(open) = &mut self.state {
            open.line.raise(operation::BREAK);
        }
    }

    /// Does the line stand?
    pub fn is_open(&self) -> bool {
        matches!(self.state, State::Open(_))
    }

    /// The number that the next packet will have, while the line stands.
    pub fn next_number(&self) -> Option<u8> {
        match &self.state {
            State::Open(open) => Some(open.line.next_number()),
            _ => None,
        }
    }

    /// Is all that was typed acknowledged?
    pub fn is_idle(&self) -> bool {
        matches!(&self.state, State::Open(open) if open.line.is_idle())
    }

    /// The reader takes characters again.
    pub fn release(&mut self) {
        if let State::Open(open) = &mut self.state {
            open.line.release();
        }
    }

    /// Typed characters that were not acknowledged: so many with unknown fate, and those never sent.
    pub fn unsent(&mut self) -> (usize, Vec<u8>) {
        match &mut self.state {
            State::Open(open) => open.line.unsent(),
            _ => (0, Vec::new()),
        }
    }

    /// Gives the line back; [`Ended::Closed`] says when that is done.
    pub fn close(&mut self) {
        match self.state {
            State::Open(_) | State::Activating(_) | State::Stealing(_) => {
                self.state = State::Closing;
                let deactivate = self.deactivation();
                self.command(&deactivate, Privilege::User);
            }
            State::Asking(..) => self.end(Ended::Closed),
            State::Closing | State::Over => {}
        }
    }

    /// The session under it is gone.
    pub fn session_lost(&mut self) {
        match self.state {
            State::Over => {}
            State::Closing => self.end(Ended::Closed),
            _ => self.end(Ended::SessionLost),
        }
    }

    /// The answer to a command of ours.
    pub fn handle_reply(&mut self, now: Instant, token: u64, answer: Result<Response>) {
        if token != self.token {
            return;
        }
        match std::mem::replace(&mut self.state, State::Over) {
            State::Activating(attempt) => self.activated(now, attempt, answer),
            // Refused or not: the next try tells.
            State::Stealing(attempt) => self.activate(attempt),
            State::Asking(attempt, ask) => self.told(attempt, ask, answer),
            State::Closing => self.end(Ended::Closed),
            other @ (State::Open(_) | State::Over) => self.state = other,
        }
    }

    fn activated(&mut self, now: Instant, mut attempt: Activate, answer: Result<Response>) {
        let command = self.activation(attempt);
        let error = match answer.and_then(|response| finish(&command, &response)) {
            Ok(activated) => return self.open(now, attempt, activated),
            Err(error) => error,
        };
        let code = CompletionError::find(&error);
        match code.map(|code| code.0) {
            _ if error.kind() == Kind::Privilege => match attempt.privilege.lower() {
                Some(lower) if lower >= Privilege::User => {
                    attempt.privilege = lower;
                    self.activate(attempt);
                }
                _ => self.end(Ended::Failed(error)),
            },
            Some(0x80) if self.settings.steal && attempt.steals < STEALS => self.steal(attempt),
            Some(0x80) => {
                self.command(&self.instance_info(), Privilege::User);
                self.state = State::Asking(attempt, Ask::Session);
            }
            Some(0x83) if self.settings.allow_plain && !attempt.plain => {
                attempt.plain = true;
                self.activate(attempt);
            }
            // The bits of the request are not to its liking.
            Some(0xcc | 0xc7) if attempt.auxiliary + 1 < AUXILIARY.len() => {
                attempt.auxiliary += 1;
                self.activate(attempt);
            }
            _ => self.end(Ended::Failed(explained(error, code))),
        }
    }

    /// Takes the line from whoever has it, and tries again.
    fn steal(&mut self, mut attempt: Activate) {
        attempt.steals += 1;
        let deactivate = self.deactivation();
        self.command(&deactivate, attempt.privilege);
        self.state = State::Stealing(attempt);
    }

    /// Who has the line, as far as the BMC says. It may be us: BMCs run a request that comes twice twice (ipmi_sim), and
    /// refuse the second when it was the first one's answer that was lost.
    fn told(&mut self, attempt: Activate, ask: Ask, answer: Result<Response>) {
        let about = |session| GetSessionInfo { session };
        let info = |answer: Result<Response>| {
            answer.and_then(|r| finish(&about(SessionSelector::Present), &r))
        };
        let (next, ask) = match ask {
            Ask::Session => {
                let told = answer.and_then(|r| finish(&self.instance_info(), &r));
                match told.map(|told| told.session) {
                    Ok(id) if id != 0 => (SessionSelector::Id(id), Ask::Holder),
                    _ => return self.end(Ended::Failed(taken(""))),
                }
            }
            Ask::Holder => match info(answer).map(|info| (info.handle, info.entry)) {
                Ok((handle, Some(entry))) => {
                    let who = match entry.peer {
                        Some(peer) => format!(" by user {} from {}", entry.user, peer.ip),
                        None => format!(" by user {}", entry.user),
                    };
                    (SessionSelector::Present, Ask::Own(handle, who))
                }
                _ => return self.end(Ended::Failed(taken(""))),
            },
            Ask::Own(handle, who) => {
                let ours =
                    info(answer).is_ok_and(|own| own.entry.is_some() && own.handle == handle);
                return if ours && attempt.steals < STEALS {
                    self.steal(attempt);
                } else {
                    self.end(Ended::Failed(taken(&who)));
                };
            }
        };
        self.command(&about(next), Privilege::User);
        self.state = State::Asking(attempt, ask);
    }

    fn open(&mut self, now: Instant, attempt: Activate, activated: PayloadActivated) {
        let limit = limit(activated.inbound_size);
        let mut line = Line::new(limit, self.settings.first, self.settings.timing);
        // Shows that the line stands before anybody types.
        line.hello();
        self.state = State::Open(Box::new(Open {
            line,
            heard: now,
            ready: true,
            probing: false,
        }));
        self.steps.push_back(Step::Notice(Notice::Open {
            limit,
            encrypted: !attempt.plain,
        }));
    }

    /// Takes a SOL payload. `order` is its session sequence number, `room` what the reader takes now.
    pub fn handle_payload(&mut self, now: Instant, order: u32, payload: &[u8], room: usize) {
        let Ok(packet) = SolPacket::parse(payload) else {
            return;
        };
        let State::Open(open) = &mut self.state else {
            return;
        };
        open.heard = now;
        open.probing = false;
        let mut over = false;
        for event in open.line.handle(now, order, &packet, room) {
            match event {
                Event::Data(data) => self.steps.push_back(Step::Data(data)),
                Event::Gap => self.steps.push_back(Step::Notice(Notice::Gap)),
                Event::Unacknowledged(_) => {}
                Event::Flags(flags) => {
                    let ready = flags & status::UNAVAILABLE == 0;
                    if ready != open.ready {
                        open.ready = ready;
                        let news = Notice::HostReady(ready);
                        self.steps.push_back(Step::Notice(news));
                    }
                    for (bit, news) in [
                        (status::OVERRUN, Notice::Overrun),
                        (status::BREAK, Notice::Break),
                    ] {
                        if flags & bit != 0 {
                            self.steps.push_back(Step::Notice(news));
                        }
                    }
                    over |= flags & status::DEACTIVATING != 0;
                }
            }
        }
        if over {
            self.end(Ended::Deactivated);
        }
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        let State::Open(open) = &mut self.state else {
            return;
        };
        if let Some(Event::Unacknowledged(n)) = open.line.handle_timeout(now) {
            if n > 0 {
                let news = Notice::Unacknowledged(n);
                self.steps.push_back(Step::Notice(news));
            }
            // Nothing came during all the tries: the line is dead, or somebody took it without a word.
            if open.probing {
                self.end(Ended::Silent);
                return;
            }
        }
        let State::Open(open) = &mut self.state else {
            return;
        };
        if !open.probing && now >= open.heard + self.settings.probe {
            open.probing = true;
            if open.line.is_idle() {
                open.line.hello();
            }
        }
    }

    /// The next thing to do.
    pub fn poll(&mut self, now: Instant) -> Option<Step> {
        if let Some(step) = self.steps.pop_front() {
            return Some(step);
        }
        match &mut self.state {
            State::Open(open) => open.line.poll(now).map(|p| Step::Payload(p.to_vec())),
            _ => None,
        }
    }

    /// When [`Console::handle_timeout`] and [`Console::poll`] have something to do.
    pub fn next_timeout(&self) -> Option<Instant> {
        let State::Open(open) = &self.state else {
            return None;
        };
        let probe = (!open.probing).then(|| open.heard + self.settings.probe);
        [open.line.next_timeout(), probe]
            .into_iter()
            .flatten()
            .min()
    }

    fn activation(&self, attempt: Activate) -> ActivatePayload {
        let bits = AUXILIARY.get(attempt.auxiliary).copied().unwrap_or(0xc0);
        let bits = if attempt.plain {
            bits & !ENCRYPTED
        } else {
            bits
        };
        ActivatePayload {
            payload: PAYLOAD_SOL,
            instance: self.settings.instance,
            auxiliary: [bits, 0, 0, 0],
        }
    }

    fn instance_info(&self) -> GetPayloadInstanceInfo {
        GetPayloadInstanceInfo {
            payload: PAYLOAD_SOL,
            instance: self.settings.instance,
        }
    }

    fn deactivation(&self) -> DeactivatePayload {
        DeactivatePayload {
            payload: PAYLOAD_SOL,
            instance: self.settings.instance,
            auxiliary: [0; 4],
        }
    }

    fn activate(&mut self, attempt: Activate) {
        let command = self.activation(attempt);
        self.command(&command, attempt.privilege);
        self.state = State::Activating(attempt);
    }

    fn command<C: Command>(&mut self, command: &C, privilege: Privilege) {
        self.token += 1;
        let mut request = Request::of(command);
        request.privilege = privilege.max(request.privilege);
        let token = self.token;
        self.steps.push_back(Step::Command { token, request });
    }

    fn end(&mut self, why: Ended) {
        self.state = State::Over;
        self.steps.push_back(Step::Ended(why));
    }
}

/// Characters per packet towards the BMC, from what it says of itself.
fn limit(said: u16) -> usize {
    let size = [said, said.swap_bytes()]
        .into_iter()
        .find(|size| SIZES.contains(size));
    size.map_or(SAFE, |size| {
        usize::from(size).saturating_sub(HEADER).min(SAFE.max(251))
    })
}

fn taken(who: &str) -> Error {
    Error::new(
        Kind::Busy,
        format!("serial console: the line is in use{who}"),
    )
    .with_hint("--steal takes it over")
}

/// The refusals of Activate Payload (§24.1) in words.
fn explained(error: Error, code: Option<CompletionCode>) -> Error {
    let (kind, what, hint) = match code.map(|code| code.0) {
        Some(0x81) => (
            Kind::Refused,
            "serial over LAN is switched off on the BMC",
            "enable it in the BMC's settings, or with 'inband-init'",
        ),
        Some(0x82) => (
            Kind::Busy,
            "all serial consoles of the BMC are in use",
            "close one of them",
        ),
        Some(0x83) => (
            Kind::Refused,
            "the BMC cannot encrypt the serial console",
            "--allow-unencrypted goes on without encryption",
        ),
        Some(0x84) => (
            Kind::Refused,
            "the BMC wants an encrypted session for the serial console",
            "use cipher suite 3 or 17",
        ),
        _ => return error.context("serial console"),
    };
    Error::new(kind, what).with_source(error).with_hint(hint)
}
