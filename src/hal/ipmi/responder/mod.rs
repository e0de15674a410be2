//! The BMC's half of IPMI over LAN: presence pongs, IPMI 1.5 and RMCP+ sessions, and who may send which command.
//!
//! Sans-IO like the client's half: datagrams, time and randomness come in as arguments, datagrams go out. It knows
//! sessions, not servers: what a command does is the business of a [`BmcSide`]. Whatever arrives, it does not
//! panic and its memory is bounded by its [`Config`].

mod accounts;
mod config;
mod handshake;
mod lookup;
mod message;
mod presession;
mod privileges;
mod session;
mod v15;
mod v20;
mod window;

#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use super::cmd::CompletionCode;
use super::wire::message::LanMessage;
use super::wire::v20::PayloadType;
use super::wire::{Datagram, RmcpHeader, asf};

pub use accounts::{Account, Bouncer};
pub use config::{Config, Lockout, Oddities};
pub use privileges::required;

use crate::hal::ipmi::cmd::Privilege;
use crate::hal::model::Secret;
use session::Table;

/// Who sends a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    /// User id; 0 before a session.
    pub user: u8,
    /// Session handle; 0 before a session.
    pub session: u8,
    /// Present privilege of the session; [`Privilege::None`] before one.
    pub privilege: Privilege,
    /// IPMI channel that it comes from.
    pub channel: u8,
}

impl Caller {
    /// Someone without a session on `channel`.
    pub fn anonymous(channel: u8) -> Self {
        Self {
            user: 0,
            session: 0,
            privilege: Privilege::None,
            channel,
        }
    }
}

/// What the BMC does with a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Completion code and data.
    Reply(CompletionCode, Vec<u8>),
    /// No response at all.
    Silence,
}

impl Answer {
    /// A completion code and no data.
    pub fn code(code: CompletionCode) -> Self {
        Self::Reply(code, Vec::new())
    }
}

/// What happened, for those who keep books.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A session was activated.
    Opened,
    /// A session was closed by Close Session.
    Closed,
    /// A session ended because nobody used it.
    Expired,
    /// A handshake was begun and not finished.
    Abandoned,
    /// Wrong password or unknown user.
    LoginFailed,
    /// An account is locked now.
    LockedOut,
    /// A command was executed.
    Command,
    /// A request came again and was not executed again.
    Duplicate,
    /// A datagram was thrown away: malformed, not authentic, or of no session.
    Dropped,
}

/// Access of the LAN channel, as Set Channel Access left it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChannelAccess {
    /// Highest privilege on the channel.
    pub limit: Privilege,
    /// The channel takes sessions at all.
    pub available: bool,
    /// IPMI 1.5: every message is authenticated.
    pub per_message: bool,
    /// IPMI 1.5: messages at USER level are authenticated.
    pub user_level: bool,
}

/// The server behind the sessions.
pub trait BmcSide {
    /// Ids of users go from 1 to this.
    fn accounts(&self) -> u8;
    /// The account, if it may log in over LAN now.
    fn account(&self, id: u8) -> Option<Account<'_>>;
    /// System GUID, as sent.
    fn guid(&self) -> [u8; 16];
    /// K_G, if one is set.
    fn kg(&self) -> Option<Secret>;
    /// Access of the LAN channel.
    fn channel_access(&self) -> ChannelAccess;
    /// Highest privilege of sessions with cipher suite `id`; [`Privilege::None`] = the suite is switched off.
    fn suite_limit(&self, id: u8) -> Privilege;
    /// Executes a command that the sessions know nothing of.
    fn execute(&mut self, now: Instant, caller: &Caller, request: &LanMessage) -> Answer;
    /// Takes a SOL payload of a session; `order` is its session sequence number.
    fn sol(&mut self, _now: Instant, _caller: &Caller, _order: u32, _payload: &[u8]) {}
    /// The session with this handle has ended.
    fn session_ended(&mut self, _session: u8) {}
    /// Books an event.
    fn book(&mut self, event: Event);
}

/// What one call needs from outside.
pub struct Io<'a> {
    /// The present moment.
    pub now: Instant,
    /// Where the datagram came from.
    pub peer: SocketAddr,
    /// Fills a buffer with random bytes.
    pub entropy: &'a mut dyn FnMut(&mut [u8]),
    /// The server.
    pub bmc: &'a mut dyn BmcSide,
}

impl std::fmt::Debug for Io<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Io")
            .field("peer", &self.peer)
            .finish_non_exhaustive()
    }
}

impl Io<'_> {
    fn random<const N: usize>(&mut self) -> [u8; N] {
        let mut out = [0; N];
        (self.entropy)(&mut out);
        out
    }
}

/// The sessions of one BMC.
#[derive(Debug)]
pub struct Responder {
    config: Arc<Config>,
    table: Table,
    bouncer: Bouncer,
    /// The present datagram was taken, though nothing answers it.
    taken: bool,
}

impl Responder {
    /// No sessions yet.
    pub fn new(config: Arc<Config>) -> Self {
        Self {
            config,
            table: Table::default(),
            bouncer: Bouncer::default(),
            taken: false,
        }
    }

    /// Takes one datagram (the whole UDP payload); what is to be sent back to the peer is added to `out`.
    pub fn handle_datagram(&mut self, io: &mut Io<'_>, bytes: &[u8], out: &mut Vec<Vec<u8>>) {
        self.handle_timeout(io.now, io.bmc);
        let before = out.len();
        match Datagram::parse(bytes) {
            Ok(Datagram::Ping(ping)) => {
                self.pong(ping, bytes, out);
                return;
            }
            // What comes before a session has this form also where sessions are RMCP+.
            Ok(Datagram::V15(packet))
                if self.config.v15 || (self.config.v20 && packet.session_id == 0) =>
            {
                self.v15(io, &packet, out);
            }
            Ok(Datagram::V20(packet)) if self.config.v20 => {
                self.v20(io, packet, bytes, out);
            }
            // Acknowledgements, pongs, other versions, rubbish.
            Ok(_) | Err(_) => {}
        }
        if !std::mem::take(&mut self.taken) && out.len() == before {
            io.bmc.book(Event::Dropped);
        }
    }

    /// The datagram that carries a SOL payload to the session with this handle, and where it goes.
    pub fn send_sol(
        &mut self,
        io: &mut Io<'_>,
        session: u8,
        payload: &[u8],
    ) -> Option<(SocketAddr, Vec<u8>)> {
        let index = self
            .table
            .sessions
            .iter()
            .position(|s| s.handle == session)?;
        let peer = self.table.sessions.get(index)?.peer;
        let datagram = self.v20_seal(io, index, PayloadType::Sol, payload)?;
        Some((peer, datagram))
    }

    /// Ends what is overdue: idle sessions, unfinished handshakes.
    pub fn handle_timeout(&mut self, now: Instant, bmc: &mut dyn BmcSide) {
        let config = &self.config;
        let ended = self
            .table
            .expire(now, config.idle_timeout, config.handshake_timeout);
        for session in &ended.sessions {
            bmc.book(Event::Expired);
            bmc.session_ended(*session);
        }
        for _ in 0..ended.handshakes {
            bmc.book(Event::Abandoned);
        }
    }

    /// The next moment at which [`Responder::handle_timeout`] has something to do.
    pub fn next_timeout(&self) -> Option<Instant> {
        self.table
            .next_expiry(self.config.idle_timeout, self.config.handshake_timeout)
    }

    /// Who was refused how often: other protocols of the same BMC count with it.
    pub fn bouncer(&mut self) -> &mut Bouncer {
        &mut self.bouncer
    }

    /// The kind of BMC.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Active sessions.
    pub fn open_sessions(&self) -> usize {
        self.table.sessions.len()
    }

    /// Handshakes that are not finished.
    pub fn half_open(&self) -> usize {
        self.table.handshakes.len()
    }

    /// Forgets all sessions, as a cold reset does. Their number is returned.
    pub fn reset(&mut self) -> usize {
        let open = self.table.sessions.len();
        self.table = Table::default();
        open
    }

    fn pong(&self, ping: asf::Ping, bytes: &[u8], out: &mut Vec<Vec<u8>>) {
        if !self.config.presence {
            return;
        }
        if let Ok(header) = RmcpHeader::parse(bytes)
            && header.sequence != 0xff
        {
            let mut ack = Vec::with_capacity(4);
            RmcpHeader {
                ack: true,
                ..header
            }
            .emit(&mut ack);
            out.push(ack);
        }
        let answer = asf::Pong {
            tag: ping.tag,
            iana: asf::IANA_ASF,
            oem: 0,
            entities: 0x81,
            interactions: 0,
        };
        out.push(answer.datagram());
    }
}
