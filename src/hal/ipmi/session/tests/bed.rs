//! A client, a BMC and a network between them that does what it is told. Time passes only from event to event.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::hal::error::{Error, Kind};
use crate::hal::ipmi::cmd::{CompletionCode, Effect, NetFn, Privilege};
use crate::hal::ipmi::exchange::{Request, Response, Target};
use crate::hal::ipmi::responder::{
    self, Account, Answer, BmcSide, Caller, ChannelAccess, Event, Io, Responder,
};
use crate::hal::ipmi::session::{Config, Entropy, Output, Phase, Session, SessionInfo};
use crate::hal::ipmi::wire::LanMessage;
use crate::hal::model::Secret;

/// Small, seeded, good enough for tests (splitmix64).
#[derive(Clone)]
pub struct Rng(pub u64);

impl Rng {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// True in `percent` of 100 cases.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.next() % 100 < percent
    }
}

impl Entropy for Rng {
    fn fill(&mut self, out: &mut [u8]) {
        for b in out {
            *b = self.next() as u8;
        }
    }
}

/// The server behind the BMC: it counts what it executes and echoes the data.
pub struct Server {
    pub users: Vec<(Vec<u8>, Secret, Privilege)>,
    pub kg: Option<Secret>,
    pub per_message: bool,
    pub executed: Vec<(u8, u8, Vec<u8>)>,
    pub events: Vec<Event>,
    /// Answered with these codes first.
    pub codes: Vec<u8>,
    pub long_password: bool,
}

impl Server {
    pub fn count(&self, event: Event) -> usize {
        self.events.iter().filter(|e| **e == event).count()
    }

    pub fn executions(&self, data: &[u8]) -> usize {
        self.executed.iter().filter(|(_, _, d)| d == data).count()
    }
}

impl BmcSide for Server {
    fn accounts(&self) -> u8 {
        self.users.len() as u8
    }
    fn account(&self, id: u8) -> Option<Account<'_>> {
        let (name, password, limit) = self.users.get(usize::from(id).checked_sub(1)?)?;
        Some(Account {
            id,
            name,
            password,
            limit: *limit,
            long_password: self.long_password,
        })
    }
    fn guid(&self) -> [u8; 16] {
        [7; 16]
    }
    fn kg(&self) -> Option<Secret> {
        self.kg.clone()
    }
    fn channel_access(&self) -> ChannelAccess {
        ChannelAccess {
            limit: Privilege::Administrator,
            available: true,
            per_message: self.per_message,
            user_level: self.per_message,
        }
    }
    fn suite_limit(&self, _: u8) -> Privilege {
        Privilege::Administrator
    }
    fn execute(&mut self, _: Instant, _: &Caller, request: &LanMessage) -> Answer {
        if !self.codes.is_empty() {
            return Answer::code(CompletionCode(self.codes.remove(0)));
        }
        self.executed
            .push((request.netfn.0, request.cmd, request.data.clone()));
        Answer::Reply(CompletionCode::OK, request.data.clone())
    }
    fn book(&mut self, event: Event) {
        self.events.push(event);
    }
}

/// What the network does to datagrams, in percent.
#[derive(Debug, Clone, Copy, Default)]
pub struct Faults {
    pub loss: u64,
    pub duplication: u64,
    pub reordering: u64,
    pub corruption: u64,
}

type Mangle = Box<dyn FnMut(Way, Vec<u8>) -> Vec<Vec<u8>>>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    ToBmc,
    ToClient,
}

pub struct Bed {
    pub now: Instant,
    pub start: Instant,
    pub client: Session,
    pub responder: Responder,
    pub server: Server,
    pub faults: Faults,
    pub rng: Rng,
    pub delay: Duration,
    /// Changes, drops or adds datagrams.
    pub mangle: Mangle,
    wire: Vec<(Instant, u64, Way, Vec<u8>)>,
    order: u64,
    pub sent: Vec<Vec<u8>>,
    pub results: BTreeMap<u64, Result<Response, Error>>,
    pub infos: Vec<SessionInfo>,
    pub sol: Vec<(u32, Vec<u8>)>,
    pub closed: usize,
}

const PEER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 4000);

pub fn config() -> Config {
    Config::new("admin", Secret::new("secret"))
}

impl Bed {
    pub fn new(config: Config, bmc: responder::Config) -> Self {
        Self::seeded(config, bmc, 1)
    }

    pub fn plain(config: Config) -> Self {
        Self::new(config, responder::Config::default())
    }

    pub fn seeded(config: Config, bmc: responder::Config, seed: u64) -> Self {
        let user = |name: &str, password: &str, limit| {
            (name.as_bytes().to_vec(), Secret::new(password), limit)
        };
        let start = Instant::now();
        Self {
            now: start,
            start,
            client: Session::new(config, Box::new(Rng(seed))),
            responder: Responder::new(Arc::new(bmc)),
            server: Server {
                users: vec![
                    user("admin", "secret", Privilege::Administrator),
                    user("viewer", "look", Privilege::User),
                ],
                kg: None,
                per_message: true,
                executed: Vec::new(),
                events: Vec::new(),
                codes: Vec::new(),
                long_password: false,
            },
            faults: Faults::default(),
            rng: Rng(seed ^ 0xffff),
            delay: Duration::from_millis(10),
            mangle: Box::new(|_, bytes| vec![bytes]),
            wire: Vec::new(),
            order: 0,
            sent: Vec::new(),
            results: BTreeMap::new(),
            infos: Vec::new(),
            sol: Vec::new(),
            closed: 0,
        }
    }

    pub fn submit(&mut self, token: u64, request: Request, patience: Duration) {
        self.client
            .submit(self.now, token, request, self.now + patience);
        self.drain();
    }

    /// Submits, and runs until the answer is there.
    pub fn ask(&mut self, request: Request) -> Result<Response, Error> {
        let token = 1000 + self.order;
        self.order += 1;
        self.submit(token, request, Duration::from_secs(30));
        self.run_until(|bed| bed.results.contains_key(&token));
        self.results.remove(&token).unwrap()
    }

    /// Closes, and runs until nothing is left to do.
    pub fn close(&mut self) {
        self.client.close(self.now);
        self.drain();
        let before = self.closed;
        self.run_until(|bed| bed.client.phase() == Phase::Idle && bed.closed >= before);
    }

    pub fn run_until(&mut self, done: impl Fn(&Self) -> bool) {
        for _ in 0..200_000 {
            if done(self) {
                return;
            }
            if !self.step() {
                assert!(done(self), "nothing is left to happen: {:?}", self.client);
                return;
            }
        }
        panic!("endless: {:?}", self.client);
    }

    pub fn run_for(&mut self, time: Duration) {
        let end = self.now + time;
        while self.next_event().is_some_and(|at| at <= end) {
            self.step();
        }
        self.now = end;
    }

    pub fn elapsed(&self) -> Duration {
        self.now - self.start
    }

    fn next_event(&self) -> Option<Instant> {
        let wire = self.wire.iter().map(|(at, ..)| *at).min();
        [wire, self.client.next_timeout()]
            .into_iter()
            .flatten()
            .min()
    }

    /// The next thing happens; false if there is none.
    fn step(&mut self) -> bool {
        let Some(at) = self.next_event() else {
            return false;
        };
        self.now = self.now.max(at);
        let due = self
            .wire
            .iter()
            .enumerate()
            .filter(|(_, (at, ..))| *at <= self.now)
            .min_by_key(|(_, (at, order, ..))| (*at, *order))
            .map(|(i, _)| i);
        match due {
            Some(i) => {
                let (_, _, way, bytes) = self.wire.remove(i);
                match way {
                    Way::ToBmc => self.deliver(&bytes),
                    Way::ToClient => self.client.handle_datagram(self.now, &bytes),
                }
            }
            None => self.client.handle_timeout(self.now),
        }
        self.drain();
        true
    }

    fn deliver(&mut self, bytes: &[u8]) {
        let mut out = Vec::new();
        let mut rng = self.rng.clone();
        let mut entropy = |buffer: &mut [u8]| rng.fill(buffer);
        let mut io = Io {
            now: self.now,
            peer: PEER,
            entropy: &mut entropy,
            bmc: &mut self.server,
        };
        self.responder.handle_datagram(&mut io, bytes, &mut out);
        self.rng = rng;
        for bytes in out {
            self.carry(Way::ToClient, bytes);
        }
    }

    fn drain(&mut self) {
        while let Some(output) = self.client.poll() {
            match output {
                Output::Send(bytes) => {
                    self.sent.push(bytes.clone());
                    self.carry(Way::ToBmc, bytes);
                }
                Output::Reply { token, response } => {
                    let old = self.results.insert(token, Ok(response));
                    assert!(old.is_none(), "{token} was answered twice");
                }
                Output::Failed { token, error } => {
                    let old = self.results.insert(token, Err(error));
                    assert!(old.is_none(), "{token} was answered twice");
                }
                Output::Sol { order, bytes } => self.sol.push((order, bytes)),
                Output::Active(info) => self.infos.push(info),
                Output::Closed => self.closed += 1,
            }
        }
    }

    fn carry(&mut self, way: Way, bytes: Vec<u8>) {
        for bytes in (self.mangle)(way, bytes) {
            let copies = if self.rng.chance(self.faults.duplication) {
                2
            } else {
                1
            };
            for _ in 0..copies {
                if self.rng.chance(self.faults.loss) {
                    continue;
                }
                let mut bytes = bytes.clone();
                if self.rng.chance(self.faults.corruption) {
                    let at = self.rng.next() as usize % bytes.len();
                    bytes[at] ^= 1 << (self.rng.next() % 8);
                }
                let mut at = self.now + self.delay;
                if self.rng.chance(self.faults.reordering) {
                    at += Duration::from_millis(self.rng.next() % 400);
                }
                self.order += 1;
                self.wire.push((at, self.order, way, bytes));
            }
        }
    }
}

/// A read at USER level that is answered with its data.
pub fn read(data: &[u8]) -> Request {
    Request {
        target: Target::Bmc,
        lun: 0,
        netfn: NetFn::APP,
        cmd: 0x01,
        data: data.to_vec(),
        privilege: Privilege::User,
        effect: Effect::Read,
        name: "Get Device ID",
    }
}

/// Something that must not run twice, at OPERATOR level.
pub fn once(data: &[u8]) -> Request {
    Request {
        netfn: NetFn::CHASSIS,
        cmd: 0x02,
        privilege: Privilege::Operator,
        effect: Effect::Once,
        name: "Chassis Control",
        ..read(data)
    }
}

/// Something at ADMINISTRATOR level that may run twice.
pub fn set(data: &[u8]) -> Request {
    Request {
        cmd: 0x45,
        privilege: Privilege::Administrator,
        effect: Effect::Idempotent,
        name: "Set User Name",
        ..read(data)
    }
}

/// The kind of a failure.
pub fn kind(result: &Result<Response, Error>) -> Kind {
    match result {
        Ok(response) => panic!("it worked: {response:?}"),
        Err(error) => error.kind(),
    }
}

/// Payload type of an RMCP+ datagram without a session, status byte and the rest.
pub fn payload_type(bytes: &[u8]) -> Option<u8> {
    (bytes.get(4) == Some(&6)).then(|| bytes[5])
}

/// Replaces payload bytes of an unsealed RMCP+ packet from `at` on.
pub fn patch(mut bytes: Vec<u8>, at: usize, with: &[u8]) -> Vec<u8> {
    let at = 16 + at;
    bytes[at..at + with.len()].copy_from_slice(with);
    bytes
}

/// Cuts or extends the payload of an unsealed RMCP+ packet.
pub fn resize(mut bytes: Vec<u8>, length: usize) -> Vec<u8> {
    bytes.resize(16 + length, 0x33);
    bytes[14..16].copy_from_slice(&(length as u16).to_le_bytes());
    bytes
}
