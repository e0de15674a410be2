//! The responder against hand-made packets; the pair tests with the client's session are elsewhere.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::*;
use crate::hal::ipmi::cmd::NetFn;
use crate::hal::ipmi::crypto::{CipherSuite, Keys, Plain, Rakp, Variant, open, seal, v15_datagram};
use crate::hal::ipmi::wire::ipmi_datagram;
use crate::hal::ipmi::wire::rakp::{
    OpenSessionRequest, OpenSessionResponse, Rakp1, Rakp2, Rakp3, Rakp4, RakpStatus,
};
use crate::hal::ipmi::wire::v15::AuthType;
use crate::hal::ipmi::wire::v20::{Packet, PayloadType};

struct Server {
    users: Vec<(Vec<u8>, Secret, Privilege)>,
    kg: Option<Secret>,
    executed: Vec<u8>,
    events: Vec<Event>,
}

impl Server {
    fn new() -> Self {
        let user = |name: &str, password: &str, limit| {
            (name.as_bytes().to_vec(), Secret::new(password), limit)
        };
        Self {
            users: vec![
                user("admin", "secret", Privilege::Administrator),
                user("viewer", "look", Privilege::User),
            ],
            kg: None,
            executed: Vec::new(),
            events: Vec::new(),
        }
    }

    fn count(&self, event: Event) -> usize {
        self.events.iter().filter(|e| **e == event).count()
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
            long_password: false,
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
            per_message: true,
            user_level: true,
        }
    }
    fn suite_limit(&self, _: u8) -> Privilege {
        Privilege::Administrator
    }
    fn execute(&mut self, _: Instant, _: &Caller, request: &LanMessage) -> Answer {
        self.executed.push(request.cmd);
        Answer::Reply(CompletionCode::OK, vec![self.executed.len() as u8])
    }
    fn book(&mut self, event: Event) {
        self.events.push(event);
    }
}

struct Bed {
    responder: Responder,
    server: Server,
    now: Instant,
    random: u8,
}

const PEER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 4000);
const CONSOLE: u32 = 0xa0a2_a3a4;

impl Bed {
    fn new(config: Config) -> Self {
        Self {
            responder: Responder::new(Arc::new(config)),
            server: Server::new(),
            now: Instant::now(),
            random: 0,
        }
    }

    fn send(&mut self, bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut out = Vec::new();
        let random = &mut self.random;
        let mut entropy = |buffer: &mut [u8]| {
            for b in buffer {
                *random = random.wrapping_add(73);
                *b = *random;
            }
        };
        let mut io = Io {
            now: self.now,
            peer: PEER,
            entropy: &mut entropy,
            bmc: &mut self.server,
        };
        self.responder.handle_datagram(&mut io, bytes, &mut out);
        out
    }

    fn one(&mut self, kind: PayloadType, emit: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
        let mut payload = Vec::new();
        emit(&mut payload);
        let datagram = ipmi_datagram(|o| Packet::sessionless(kind, payload).emit(o));
        let out = self.send(&datagram);
        assert_eq!(out.len(), 1);
        match Datagram::parse(&out[0]) {
            Ok(Datagram::V20(packet)) => packet.payload,
            other => panic!("{other:?}"),
        }
    }

    fn open(&mut self, suite: CipherSuite, privilege: u8) -> OpenSessionResponse {
        let request = OpenSessionRequest {
            tag: 9,
            max_privilege: privilege,
            console_id: CONSOLE,
            algorithms: suite.algorithms(),
        };
        OpenSessionResponse::parse(&self.one(PayloadType::OpenSessionRequest, |o| request.emit(o)))
            .unwrap()
    }

    fn rakp1(&mut self, managed_id: u32, role: u8, user: &str) -> (Rakp1, Rakp2) {
        let rakp1 = Rakp1 {
            tag: 1,
            managed_id,
            console_random: [3; 16],
            role,
            user: user.as_bytes().to_vec(),
        };
        let rakp2 = Rakp2::parse(&self.one(PayloadType::Rakp1, |o| rakp1.emit(o))).unwrap();
        (rakp1, rakp2)
    }

    /// The whole handshake; the keys, or the status of RAKP 4.
    fn login(
        &mut self,
        suite: u8,
        user: &str,
        password: &str,
        role: u8,
    ) -> Result<(u32, Keys), RakpStatus> {
        let suite = CipherSuite::by_id(suite).unwrap();
        let opened = self.open(suite, 0);
        assert_eq!(opened.status, RakpStatus::OK);
        assert_eq!(opened.max_privilege, 4, "0 is resolved");
        let (rakp1, rakp2) = self.rakp1(opened.managed_id, role, user);
        if !rakp2.status.is_ok() {
            return Err(rakp2.status);
        }
        let rakp = Rakp {
            suite,
            console_id: CONSOLE,
            managed_id: opened.managed_id,
            console_random: rakp1.console_random,
            managed_random: rakp2.managed_random,
            managed_guid: rakp2.managed_guid,
            role,
            user: rakp1.user.clone(),
            variant: Variant::default(),
        };
        let password = Secret::new(password);
        let rakp3 = Rakp3 {
            tag: 2,
            status: RakpStatus::OK,
            managed_id: opened.managed_id,
            code: rakp.rakp3_code(&password),
        };
        let rakp4 = Rakp4::parse(&self.one(PayloadType::Rakp3, |o| rakp3.emit(o))).unwrap();
        if !rakp4.status.is_ok() {
            return Err(rakp4.status);
        }
        assert_eq!(rakp2.code, rakp.rakp2_code(&password));
        let kg = self.server.kg.clone();
        let keys = Keys::derive(&rakp, &password, kg.as_ref());
        assert_eq!(rakp4.icv, rakp.rakp4_icv(keys.sik()));
        Ok((opened.managed_id, keys))
    }

    fn command(
        &mut self,
        (id, keys): &(u32, Keys),
        sequence: u32,
        netfn: NetFn,
        cmd: u8,
        data: &[u8],
    ) -> Option<(u8, Vec<u8>)> {
        let datagram = seal(
            keys,
            &Plain {
                payload_type: PayloadType::Ipmi,
                session_id: *id,
                sequence,
                payload: &message(netfn, cmd, data),
            },
            [5; 16],
        );
        let out = self.send(&datagram);
        let reply = out.first()?;
        let packet = open(keys, reply).unwrap();
        assert_eq!(packet.session_id, CONSOLE);
        let message = LanMessage::parse(&packet.payload).unwrap();
        let (code, data) = message.completion().unwrap();
        Some((code.0, data.to_vec()))
    }
}

fn message(netfn: NetFn, cmd: u8, data: &[u8]) -> Vec<u8> {
    LanMessage {
        to: 0x20,
        netfn,
        to_lun: 0,
        from: 0x81,
        seq: 5,
        from_lun: 0,
        cmd,
        data: data.to_vec(),
    }
    .to_vec()
}

#[test]
fn every_suite_logs_in_and_executes() {
    for suite in CipherSuite::ALL {
        for kg in [None, Some(Secret::new("the other key"))] {
            let mut bed = Bed::new(Config::default());
            bed.server.kg = kg;
            let session = bed.login(suite.id, "admin", "secret", 0x14).unwrap();
            let chassis = NetFn::CHASSIS;
            assert_eq!(
                bed.command(&session, 1, chassis, 1, &[]),
                Some((0, vec![1])),
                "{suite}"
            );
            // Control needs more than USER.
            assert_eq!(
                bed.command(&session, 2, chassis, 2, &[1]),
                Some((0xd4, vec![]))
            );
            assert_eq!(
                bed.command(&session, 3, NetFn::APP, 0x3b, &[4]),
                Some((0, vec![4]))
            );
            assert_eq!(
                bed.command(&session, 4, chassis, 2, &[1]),
                Some((0, vec![2]))
            );
            let id = session.0.to_le_bytes();
            assert_eq!(
                bed.command(&session, 5, NetFn::APP, 0x3c, &id),
                Some((0, vec![]))
            );
            assert_eq!(bed.responder.open_sessions(), 0);
            // The answer was lost: the same again, and the session stays closed.
            assert_eq!(
                bed.command(&session, 5, NetFn::APP, 0x3c, &id),
                Some((0, vec![]))
            );
            assert_eq!(bed.command(&session, 6, chassis, 1, &[]), None);
            assert_eq!(bed.server.count(Event::Closed), 1);
        }
    }
}

#[test]
fn a_duplicate_is_answered_and_not_executed() {
    let mut bed = Bed::new(Config::default());
    let session = bed.login(17, "admin", "secret", 0x14).unwrap();
    for _ in 0..3 {
        assert_eq!(
            bed.command(&session, 1, NetFn::CHASSIS, 1, &[]),
            Some((0, vec![1]))
        );
    }
    assert_eq!(bed.server.executed, [1]);
    assert_eq!(bed.server.count(Event::Duplicate), 2);
    // Far ahead, and long ago.
    assert_eq!(bed.command(&session, 100, NetFn::CHASSIS, 1, &[]), None);
}

#[test]
fn handshake_messages_that_come_again_may_have_another_tag() {
    let mut bed = Bed::new(Config::default());
    let suite = CipherSuite::by_id(17).unwrap();
    let mut request = OpenSessionRequest {
        tag: 1,
        max_privilege: 4,
        console_id: CONSOLE,
        algorithms: suite.algorithms(),
    };
    let first = bed.one(PayloadType::OpenSessionRequest, |o| request.emit(o));
    request.tag = 2;
    let second = bed.one(PayloadType::OpenSessionRequest, |o| request.emit(o));
    assert_eq!((first[0], second[0]), (1, 2));
    assert_eq!(first[1..], second[1..]);
    assert_eq!(bed.responder.half_open(), 1);
}

#[test]
fn wrong_passwords_names_and_levels() {
    let mut bed = Bed::new(Config {
        lockout: Some(Lockout {
            attempts: 2,
            duration: Duration::from_secs(30),
        }),
        ..Config::default()
    });
    assert_eq!(
        bed.login(3, "nobody", "x", 0x14).unwrap_err(),
        RakpStatus::UNAUTHORIZED_NAME
    );
    assert_eq!(
        bed.login(3, "viewer", "look", 0x14).unwrap_err(),
        RakpStatus::UNAUTHORIZED_ROLE
    );
    // Name and privilege: the account's own level finds it.
    assert!(bed.login(3, "viewer", "look", 0x02).is_ok());
    for _ in 0..2 {
        assert_eq!(
            bed.login(17, "admin", "guess", 0x14).unwrap_err(),
            RakpStatus::INVALID_ICV
        );
    }
    assert_eq!(bed.server.count(Event::LockedOut), 1);
    assert_eq!(bed.server.count(Event::LoginFailed), 3);
    assert_eq!(
        bed.login(17, "admin", "secret", 0x14).unwrap_err(),
        RakpStatus::UNAUTHORIZED_NAME
    );
    bed.now += Duration::from_secs(31);
    assert!(bed.login(17, "admin", "secret", 0x14).is_ok());
}

#[test]
fn suites_that_are_not_offered_and_idle_sessions() {
    let mut bed = Bed::new(Config {
        suites: vec![17],
        ..Config::default()
    });
    let opened = bed.open(CipherSuite::by_id(3).unwrap(), 4);
    assert_eq!(opened.status, RakpStatus::NO_SUITE_MATCH);
    let session = bed.login(17, "admin", "secret", 0x14).unwrap();
    bed.now += Duration::from_secs(59);
    assert!(bed.command(&session, 1, NetFn::CHASSIS, 1, &[]).is_some());
    bed.open(CipherSuite::by_id(17).unwrap(), 4);
    assert_eq!(
        (bed.responder.open_sessions(), bed.responder.half_open()),
        (1, 1)
    );
    bed.now = bed.responder.next_timeout().unwrap();
    bed.responder.handle_timeout(bed.now, &mut bed.server);
    assert_eq!(
        (bed.responder.open_sessions(), bed.responder.half_open()),
        (1, 0)
    );
    bed.now = bed.responder.next_timeout().unwrap();
    bed.responder.handle_timeout(bed.now, &mut bed.server);
    assert_eq!(bed.responder.open_sessions(), 0);
    assert_eq!(bed.server.count(Event::Expired), 1);
}

#[test]
fn ipmi_15_sessions_of_every_kind() {
    for kind in [
        AuthType::None,
        AuthType::Md2,
        AuthType::Md5,
        AuthType::Straight,
    ] {
        let mut bed = Bed::new(Config::default());
        let password = Secret::new("secret");
        let mut data = vec![kind.to_wire()];
        data.extend(b"admin\0\0\0\0\0\0\0\0\0\0\0");
        let challenge = message(NetFn::APP, 0x39, &data);
        let out = bed.send(&v15_datagram(AuthType::None, &password, 0, 0, challenge));
        let Ok(Datagram::V15(packet)) = Datagram::parse(&out[0]) else {
            panic!("{out:?}");
        };
        let reply = LanMessage::parse(&packet.payload).unwrap();
        assert_eq!(reply.data.len(), 21);
        let id = u32::from_le_bytes(reply.data[1..5].try_into().unwrap());
        let mut data = vec![kind.to_wire(), 4];
        data.extend(&reply.data[5..21]);
        data.extend(77u32.to_le_bytes());
        let activate = message(NetFn::APP, 0x3a, &data);
        let wrong = v15_datagram(kind, &Secret::new("guess"), id, 0, activate.clone());
        if kind == AuthType::None {
            assert_eq!(bed.responder.half_open(), 1);
        } else {
            assert!(bed.responder.half_open() == 1 && bed.responder.open_sessions() == 0);
        }
        let datagram = v15_datagram(kind, &password, id, 0, activate);
        let out = bed.send(&datagram);
        // Activate Session again: the same answer.
        assert_eq!(bed.send(&datagram), out);
        let Ok(Datagram::V15(packet)) = Datagram::parse(&out[0]) else {
            panic!("{out:?}");
        };
        let reply = LanMessage::parse(&packet.payload).unwrap();
        assert_eq!(reply.data[..2], [0, kind.to_wire()]);
        let first = u32::from_le_bytes(reply.data[6..10].try_into().unwrap());
        for (sequence, code) in [(first, 0), (first.wrapping_add(1), 0)] {
            let status = message(NetFn::CHASSIS, 1, &[]);
            let out = bed.send(&v15_datagram(kind, &password, id, sequence, status));
            let Ok(Datagram::V15(packet)) = Datagram::parse(&out[0]) else {
                panic!("{out:?}");
            };
            let reply = LanMessage::parse(&packet.payload).unwrap();
            assert_eq!(reply.data[0], code);
        }
        let close = message(NetFn::APP, 0x3c, &id.to_le_bytes());
        let sequence = first.wrapping_add(2);
        assert_eq!(
            bed.send(&v15_datagram(kind, &password, id, sequence, close))
                .len(),
            1
        );
        assert_eq!(bed.responder.open_sessions(), 0);
        // A wrong code is not answered.
        assert!(bed.send(&wrong).is_empty());
    }
}

#[test]
fn hostile_bytes_are_borne_and_memory_is_bounded() {
    let mut bed = Bed::new(Config::default());
    for round in 0..200u8 {
        let opened = bed.open(CipherSuite::by_id(17).unwrap(), 4);
        let mut datagram = ipmi_datagram(|o| {
            let mut payload = Vec::new();
            Rakp1 {
                tag: round,
                managed_id: opened.managed_id,
                console_random: [round; 16],
                role: 0x14,
                user: vec![b'x'; 16],
            }
            .emit(&mut payload);
            Packet::sessionless(PayloadType::Rakp1, payload).emit(o);
        });
        for end in 0..datagram.len() {
            bed.send(&datagram[..end]);
        }
        if let Some(byte) = datagram.get_mut(usize::from(round) % 48) {
            *byte ^= 0xff;
        }
        bed.send(&datagram);
        assert!(bed.responder.half_open() <= 8);
    }
}
