//! A BMC behind a responder, predictable randomness, and inputs as scripts.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use halbox::hal::ipmi::cmd::{CompletionCode, Privilege};
use halbox::hal::ipmi::responder::{
    Account, Answer, BmcSide, Caller, ChannelAccess, Config, Event, Io, Responder,
};
use halbox::hal::ipmi::session::Entropy;
use halbox::hal::ipmi::wire::LanMessage;
use halbox::hal::model::Secret;

/// Where every datagram comes from.
pub const PEER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 4000);

/// A counter instead of randomness: a run can be repeated.
pub struct Counter(pub u8);

impl Entropy for Counter {
    fn fill(&mut self, out: &mut [u8]) {
        for byte in out {
            self.0 = self.0.wrapping_add(73);
            *byte = self.0;
        }
    }
}

/// A server with one administrator, `admin`/`secret`, that answers everything with its request's data.
pub struct Server(Secret);

impl BmcSide for Server {
    fn accounts(&self) -> u8 {
        1
    }
    fn account(&self, id: u8) -> Option<Account<'_>> {
        (id == 1).then_some(Account {
            id,
            name: b"admin",
            password: &self.0,
            limit: Privilege::Administrator,
            long_password: false,
        })
    }
    fn guid(&self) -> [u8; 16] {
        [7; 16]
    }
    fn kg(&self) -> Option<Secret> {
        None
    }
    fn channel_access(&self) -> ChannelAccess {
        ChannelAccess {
            limit: Privilege::Administrator,
            available: true,
            per_message: true,
            user_level: true,
        }
    }
    fn suite_limit(&self, _: u8) -> Privilege {
        Privilege::Administrator
    }
    fn execute(&mut self, _: Instant, _: &Caller, request: &LanMessage) -> Answer {
        Answer::Reply(CompletionCode::OK, request.data.clone())
    }
    fn book(&mut self, _: Event) {}
}

/// A whole BMC without a socket.
pub struct Bmc {
    pub responder: Responder,
    server: Server,
    random: Counter,
}

impl Bmc {
    pub fn new(config: Config) -> Self {
        Self {
            responder: Responder::new(Arc::new(config)),
            server: Server(Secret::new("secret")),
            random: Counter(0),
        }
    }

    /// One datagram in, its answers out.
    pub fn ask(&mut self, now: Instant, bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut out = Vec::new();
        let random = &mut self.random;
        let mut io = Io {
            now,
            peer: PEER,
            entropy: &mut |buffer| random.fill(buffer),
            bmc: &mut self.server,
        };
        self.responder.handle_datagram(&mut io, bytes, &mut out);
        assert!(out.len() <= 8, "one datagram, {} answers", out.len());
        out
    }
}

/// Takes the input apart, byte by byte; zeroes when it is used up.
pub struct Script<'a>(pub &'a [u8]);

impl<'a> Script<'a> {
    pub fn byte(&mut self) -> u8 {
        match self.0.split_first() {
            Some((first, rest)) => {
                self.0 = rest;
                *first
            }
            None => 0,
        }
    }

    pub fn bytes(&mut self, n: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(n.min(self.0.len()));
        self.0 = rest;
        taken
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
