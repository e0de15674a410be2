//! Requests in flight on an open session.
//!
//! An answer is matched by session, rqSeq, network function, command and sender, never by order. What gets no
//! answer is sent again byte for byte; a request that may run twice is sent as a new message every other time,
//! because BMCs drop a session sequence number that they have seen without answering again.

use std::time::Instant;

use super::bridge;
use super::core::Ctx;
use super::link::Link;
use super::retry::Transmission;
use crate::hal::ipmi::cmd::{CompletionCode, NetFn, Privilege};
use crate::hal::ipmi::exchange::{Request, Target};
use crate::hal::ipmi::wire::v20::PayloadType;
use crate::hal::ipmi::wire::{BMC_ADDRESS, CONSOLE_ADDRESS, Datagram, LanMessage};

const GET_DEVICE_ID: u8 = 0x01;
const SET_SESSION_PRIVILEGE_LEVEL: u8 = 0x3b;

/// On whose behalf a message is in flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    /// The request with this id.
    Job(u64),
    /// Ours: raise the level.
    Level(Privilege),
    /// Ours: keep the session alive.
    KeepAlive,
}

/// An answer, or the end of hope for one.
#[derive(Debug)]
pub(super) enum Event {
    /// Answered.
    Answer(Owner, CompletionCode, Vec<u8>),
    /// Sent as often as may be. `relayed`: the BMC has passed it on to another controller.
    Exhausted { owner: Owner, relayed: bool },
    /// The BMC answers nothing on this session.
    Lost,
    /// A SOL payload with its session sequence number.
    Sol(u32, Vec<u8>),
}

#[derive(Debug)]
struct Flight {
    owner: Owner,
    /// The message to the final receiver; rqSeq is that of the last one sent.
    message: LanMessage,
    channel: Option<u8>,
    once: bool,
    /// All rqSeq under which an answer may come; the last is the present one.
    seqs: Vec<u8>,
    tx: Transmission,
    /// Transmissions of the present message.
    copies: u32,
    /// `tx.sends` when the BMC last answered anything.
    heard_at: u32,
    /// The BMC acknowledged Send Message.
    relayed: bool,
}

/// rqSeq of one request that are waited for at once.
const MOST_SEQS: usize = 8;

/// An open session with its requests.
#[derive(Debug)]
pub(super) struct Active {
    pub link: Box<Link>,
    flights: Vec<Flight>,
    /// Unanswered transmissions of requests that were given up since the BMC last answered.
    silent: u32,
    last_sent: Instant,
}

impl Active {
    pub fn new(link: Box<Link>, now: Instant) -> Self {
        Self {
            link,
            flights: Vec::new(),
            silent: 0,
            last_sent: now,
        }
    }

    pub fn in_flight(&self) -> usize {
        self.flights.len()
    }

    /// Is one of our own messages in flight, which others have to wait for?
    pub fn raising(&self) -> bool {
        self.flights
            .iter()
            .any(|flight| matches!(flight.owner, Owner::Level(_)))
    }

    /// Requests of the caller in flight.
    pub fn jobs_in_flight(&self) -> impl Iterator<Item = u64> {
        self.flights.iter().filter_map(|flight| match flight.owner {
            Owner::Job(id) => Some(id),
            _ => None,
        })
    }

    pub fn last_sent(&self) -> Instant {
        self.last_sent
    }

    pub fn next_timeout(&self) -> Option<Instant> {
        self.flights.iter().map(|flight| flight.tx.due).min()
    }

    /// Sends a request of the caller.
    pub fn send(&mut self, ctx: &mut Ctx<'_>, id: u64, request: &Request, once: bool) {
        let mut message = Link::message(
            0,
            request.netfn,
            request.lun,
            request.cmd,
            request.data.clone(),
        );
        let channel = match request.target {
            Target::Bmc => None,
            Target::Bridged { channel, address } => {
                message.to = address;
                Some(channel)
            }
        };
        self.launch(ctx, Owner::Job(id), message, channel, once);
    }

    /// Sends Set Session Privilege Level.
    pub fn raise(&mut self, ctx: &mut Ctx<'_>, level: Privilege) {
        let message = Link::message(
            0,
            NetFn::APP,
            0,
            SET_SESSION_PRIVILEGE_LEVEL,
            vec![level as u8],
        );
        self.launch(ctx, Owner::Level(level), message, None, false);
    }

    /// Sends Get Device ID.
    pub fn keep_alive(&mut self, ctx: &mut Ctx<'_>) {
        let message = Link::message(0, NetFn::APP, 0, GET_DEVICE_ID, Vec::new());
        self.launch(ctx, Owner::KeepAlive, message, None, false);
    }

    fn launch(
        &mut self,
        ctx: &mut Ctx<'_>,
        owner: Owner,
        mut message: LanMessage,
        channel: Option<u8>,
        once: bool,
    ) {
        let seq = self.free_seq();
        message.seq = seq;
        let datagram = self.seal(ctx, channel, &message);
        ctx.send(datagram.clone());
        self.last_sent = ctx.now;
        self.flights.push(Flight {
            owner,
            message,
            channel,
            once,
            seqs: vec![seq],
            tx: Transmission::new(ctx.now, datagram, ctx.first_wait()),
            copies: 1,
            heard_at: 0,
            relayed: false,
        });
    }

    fn free_seq(&mut self) -> u8 {
        let flights = &self.flights;
        self.link
            .take_seq(|seq| flights.iter().any(|flight| flight.seqs.contains(&seq)))
    }

    fn seal(&mut self, ctx: &mut Ctx<'_>, channel: Option<u8>, message: &LanMessage) -> Vec<u8> {
        match channel {
            None => self.link.seal(ctx.entropy, message),
            Some(channel) => self
                .link
                .seal(ctx.entropy, &bridge::wrap(channel, message.clone())),
        }
    }

    /// The caller no longer waits for this request.
    pub fn forget(&mut self, id: u64) {
        if let Some(at) = self
            .flights
            .iter()
            .position(|flight| flight.owner == Owner::Job(id))
        {
            let flight = self.land(at, None);
            self.silent += flight.map_or(0, |f| f.tx.sends.saturating_sub(f.heard_at));
        }
    }

    /// Takes a flight out; answers to its other numbers may still come.
    fn land(&mut self, at: usize, answered: Option<u8>) -> Option<Flight> {
        if at >= self.flights.len() {
            return None;
        }
        let flight = self.flights.remove(at);
        for seq in &flight.seqs {
            if Some(*seq) != answered {
                self.link.avoid_seq(*seq);
            }
        }
        Some(flight)
    }

    /// Sends a SOL payload, if this session can carry one.
    pub fn send_sol(&mut self, ctx: &mut Ctx<'_>, payload: &[u8]) {
        let sol = PayloadType::Sol;
        if let Some(datagram) = self.link.seal_payload(ctx.entropy, sol, payload) {
            // Not counted as a sign of life: BMCs exist that end a session which has only SOL.
            ctx.send(datagram);
        }
    }

    /// Takes a datagram.
    pub fn handle(
        &mut self,
        ctx: &mut Ctx<'_>,
        bytes: &[u8],
        datagram: &Datagram,
    ) -> Option<Event> {
        let sol = self.link.open_sol(bytes, datagram);
        let message = match &sol {
            Some(_) => None,
            None => Some(self.link.open(bytes, datagram)?),
        };
        self.silent = 0;
        for flight in &mut self.flights {
            flight.heard_at = flight.tx.sends;
        }
        match (sol, message) {
            (Some((order, payload)), _) => Some(Event::Sol(order, payload)),
            (None, message) => self.take_answer(ctx, &message?),
        }
    }

    fn take_answer(&mut self, ctx: &mut Ctx<'_>, message: &LanMessage) -> Option<Event> {
        if let Some(at) = self.flights.iter().position(|f| f.fits(message)) {
            let (code, data) = message.completion()?;
            if code == CompletionCode::DUPLICATE {
                // The answer to the first copy is still to come.
                return None;
            }
            let data = data.to_vec();
            let flight = self.land(at, Some(message.seq))?;
            ctx.sample(&flight.tx);
            return Some(Event::Answer(flight.owner, code, data));
        }
        if bridge::is_acknowledgement(message) {
            let at = self
                .flights
                .iter()
                .position(|f| f.channel.is_some() && f.seqs.contains(&message.seq))?;
            let (code, _) = message.completion()?;
            if code == CompletionCode::DUPLICATE {
                return None;
            }
            if !code.is_ok() {
                let flight = self.land(at, Some(message.seq))?;
                return Some(Event::Answer(flight.owner, code, Vec::new()));
            }
            self.flights.get_mut(at)?.relayed = true;
            // Only once: what is inside cannot be an acknowledgement for us again.
            let inner = bridge::embedded(message)?;
            let flight = self.flights.get(at)?;
            if flight.answers(&inner) {
                let (code, data) = inner.completion()?;
                let data = data.to_vec();
                let flight = self.land(at, Some(message.seq))?;
                return Some(Event::Answer(flight.owner, code, data));
            }
        }
        None
    }

    /// Sends again what is due, and says which requests have no hope left.
    pub fn handle_timeout(&mut self, ctx: &mut Ctx<'_>) -> Vec<Event> {
        let tries = u32::from(ctx.config.timers.tries.max(1));
        let mut events = Vec::new();
        let mut at = 0;
        while let Some(flight) = self.flights.get(at) {
            if flight.tx.due > ctx.now {
                at += 1;
                continue;
            }
            let (owner, relayed) = (flight.owner, flight.relayed);
            let unheard = flight.tx.sends.saturating_sub(flight.heard_at) + self.silent;
            let given_up = if flight.once {
                flight.tx.sends >= tries
            } else {
                flight.tx.sends >= 2 * tries
            };
            if given_up {
                self.land(at, None);
                events.push(Event::Exhausted { owner, relayed });
                continue;
            }
            if !flight.once && unheard >= tries {
                events.push(Event::Lost);
                return events;
            }
            self.resend(ctx, at);
            at += 1;
        }
        events
    }

    fn resend(&mut self, ctx: &mut Ctx<'_>, at: usize) {
        let Some(flight) = self.flights.get(at) else {
            return;
        };
        let timers = &ctx.config.timers;
        if flight.once || flight.copies < 2 {
            if let Some(flight) = self.flights.get_mut(at) {
                let datagram = flight.tx.again(ctx.now, timers, ctx.entropy);
                flight.copies += 1;
                // What the BMC has passed on must not reach the other controller twice.
                if !(flight.once && flight.relayed) {
                    ctx.send(datagram);
                }
            }
        } else {
            let mut message = flight.message.clone();
            let channel = flight.channel;
            let seq = self.free_seq();
            message.seq = seq;
            let datagram = self.seal(ctx, channel, &message);
            let mut avoid = None;
            if let Some(flight) = self.flights.get_mut(at) {
                if flight.seqs.len() == MOST_SEQS {
                    avoid = Some(flight.seqs.remove(0));
                }
                flight.seqs.push(seq);
                flight.message = message;
                flight.copies = 1;
                flight.relayed = false;
                let datagram = flight.tx.replace(ctx.now, datagram, timers, ctx.entropy);
                ctx.send(datagram);
            }
            if let Some(seq) = avoid {
                self.link.avoid_seq(seq);
            }
        }
        self.last_sent = ctx.now;
    }
}

impl Flight {
    /// Is it the answer to this request, under a number that was used for it?
    fn fits(&self, message: &LanMessage) -> bool {
        self.seqs.contains(&message.seq) && self.answers(message)
    }

    fn answers(&self, message: &LanMessage) -> bool {
        // Who relays an answer may leave its own address in the receiver's place.
        let addressed = match self.channel {
            Some(_) => message.from == self.message.to,
            None => message.from == BMC_ADDRESS && message.to == CONSOLE_ADDRESS,
        };
        addressed
            && message.netfn == self.message.netfn.response()
            && message.cmd == self.message.cmd
    }
}
