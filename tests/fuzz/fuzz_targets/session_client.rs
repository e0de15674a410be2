//! The client's session against a BMC whose datagrams are dropped, doubled, changed or replaced as the input says,
//! and against a caller who submits, cancels and closes at any time.
//!
//! No panic, no unbounded output, each request answered exactly once, and silence at the end.
#![no_main]

use std::collections::{BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use halbox::hal::ipmi::cmd::{CompletionCode, Effect, NetFn, Privilege};
use halbox::hal::ipmi::responder::{
    self, Account, Answer, BmcSide, Caller, ChannelAccess, Event, Io, Responder,
};
use halbox::hal::ipmi::session::{Config, Entropy, Output, Phase, Session, Version};
use halbox::hal::ipmi::wire::LanMessage;
use halbox::hal::ipmi::{Request, Target};
use halbox::hal::model::Secret;
use libfuzzer_sys::fuzz_target;

static PASSWORD: LazyLock<Secret> = LazyLock::new(|| Secret::new("secret"));

struct Counter(u8);
impl Entropy for Counter {
    fn fill(&mut self, out: &mut [u8]) {
        for b in out {
            self.0 = self.0.wrapping_mul(5).wrapping_add(73);
            *b = self.0;
        }
    }
}

struct Server;
impl BmcSide for Server {
    fn accounts(&self) -> u8 {
        1
    }
    fn account(&self, id: u8) -> Option<Account<'_>> {
        Some(Account {
            id,
            name: b"admin",
            password: &PASSWORD,
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
        match request.data.first() {
            Some(code @ 0xc0..) => Answer::code(CompletionCode(*code)),
            _ => Answer::Reply(CompletionCode::OK, request.data.clone()),
        }
    }
    fn book(&mut self, _: Event) {}
}

struct Bed<'a> {
    input: &'a [u8],
    now: Instant,
    client: Session,
    responder: Responder,
    to_bmc: VecDeque<Vec<u8>>,
    to_client: VecDeque<Vec<u8>>,
    open: BTreeSet<u64>,
    random: Counter,
}

impl Bed<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.input.split_first()?;
        self.input = rest;
        Some(*first)
    }

    fn drain(&mut self) {
        let mut sent = 0;
        while let Some(output) = self.client.poll() {
            match output {
                Output::Send(bytes) => {
                    assert!(bytes.len() < 400);
                    sent += 1;
                    self.to_bmc.push_back(bytes);
                }
                Output::Reply { token, .. } => assert!(self.open.remove(&token), "{token} twice"),
                Output::Failed { token, error } => {
                    assert!(!error.chain().is_empty());
                    assert!(self.open.remove(&token), "{token} twice");
                }
                Output::Active(_) | Output::Sol { .. } | Output::Closed => {}
            }
        }
        assert!(sent <= 64, "{sent} datagrams at once");
    }

    fn bmc(&mut self, bytes: &[u8]) {
        let mut out = Vec::new();
        let random = &mut self.random;
        let mut entropy = |buffer: &mut [u8]| random.fill(buffer);
        let mut io = Io {
            now: self.now,
            peer: SocketAddr::from(([127, 0, 0, 1], 4000)),
            entropy: &mut entropy,
            bmc: &mut Server,
        };
        self.responder.handle_datagram(&mut io, bytes, &mut out);
        self.to_client.extend(out);
        self.to_client.truncate(32);
    }

    fn request(&mut self, token: u64) -> Option<()> {
        let effect = match self.byte()? % 3 {
            0 => Effect::Read,
            1 => Effect::Idempotent,
            _ => Effect::Once,
        };
        let privilege = Privilege::from_wire(self.byte()? % 5).unwrap_or(Privilege::User);
        let [target, first] = [self.byte()?, self.byte()?];
        let request = Request {
            target: if target < 32 {
                Target::Bridged {
                    channel: target & 15,
                    address: 0x2c,
                }
            } else {
                Target::Bmc
            },
            lun: target & 3,
            netfn: NetFn::APP,
            cmd: 1,
            data: vec![first],
            privilege,
            effect,
            name: "Get Device ID",
        };
        let patience = Duration::from_millis(u64::from(self.byte()?) * 200);
        self.open.insert(token);
        self.client
            .submit(self.now, token, request, self.now + patience);
        Some(())
    }

    fn step(&mut self, token: u64) -> Option<()> {
        match self.byte()? % 12 {
            0 => self.request(token)?,
            1 | 2 => {
                if let Some(bytes) = self.to_bmc.pop_front() {
                    self.bmc(&bytes);
                }
            }
            3 | 4 => {
                if let Some(bytes) = self.to_client.pop_front() {
                    self.client.handle_datagram(self.now, &bytes);
                }
            }
            // Changed on the way.
            5 => {
                let [at, with] = [self.byte()?, self.byte()?];
                if let Some(mut bytes) = self.to_client.pop_front() {
                    let at = usize::from(at) % bytes.len();
                    bytes[at] = with;
                    self.client.handle_datagram(self.now, &bytes);
                }
            }
            // Cut.
            6 => {
                let length = usize::from(self.byte()?);
                if let Some(mut bytes) = self.to_client.pop_front() {
                    bytes.truncate(length);
                    self.client.handle_datagram(self.now, &bytes);
                }
            }
            // Anything.
            7 => {
                let length = usize::from(self.byte()?).min(self.input.len());
                let (bytes, rest) = self.input.split_at(length);
                self.input = rest;
                self.client.handle_datagram(self.now, bytes);
            }
            // Lost, or twice.
            8 => {
                if self.byte()? < 128 {
                    self.to_client.pop_front();
                } else if let Some(bytes) = self.to_client.front() {
                    let bytes = bytes.clone();
                    self.client.handle_datagram(self.now, &bytes);
                }
            }
            9 => {
                if let Some(at) = self.client.next_timeout() {
                    self.now = self.now.max(at);
                }
                self.client.handle_timeout(self.now);
            }
            10 => {
                let token = u64::from(self.byte()?);
                self.client.cancel(self.now, token);
            }
            _ => match self.byte()? {
                0..64 => self.client.close(self.now),
                64..128 => self.client.handle_refused(self.now),
                _ => {
                    self.responder.reset();
                }
            },
        }
        Some(())
    }
}

fuzz_target!(|data: &[u8]| {
    let [how, suite, rest @ ..] = data else {
        return;
    };
    let mut config = Config::new("admin", PASSWORD.clone());
    if how & 1 != 0 {
        config.version = Version::V1_5;
    }
    config.window = how >> 5;
    config.keepalive = (how & 2 != 0).then_some(Duration::from_secs(5));
    config.suites = match suite % 4 {
        0 => vec![17, 3],
        1 => vec![0],
        2 => vec![2, 8],
        _ => vec![1, 12],
    };
    let mut bed = Bed {
        input: rest,
        now: Instant::now(),
        client: Session::new(config, Box::new(Counter(1))),
        responder: Responder::new(Arc::new(responder::Config::default())),
        to_bmc: VecDeque::new(),
        to_client: VecDeque::new(),
        open: BTreeSet::new(),
        random: Counter(9),
    };
    for token in 0..400 {
        if bed.step(token).is_none() {
            break;
        }
        bed.drain();
    }
    // Nobody answers any more: every request ends, and then all is quiet.
    for _ in 0..4000 {
        if bed.open.is_empty() {
            bed.client.close(bed.now);
            bed.drain();
        }
        let Some(at) = bed.client.next_timeout() else {
            break;
        };
        bed.now = bed.now.max(at);
        bed.client.handle_timeout(bed.now);
        bed.drain();
    }
    assert!(bed.open.is_empty(), "never answered: {:?}", bed.open);
    assert_eq!(bed.client.phase(), Phase::Idle);
    assert_eq!(bed.client.next_timeout(), None);
});
