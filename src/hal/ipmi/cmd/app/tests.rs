//! Every command of this module goes through [`every_command`]; a test compares its list with the sources.

#![expect(
    clippy::many_single_char_names,
    reason = "arbitrary values have no meaning to name"
)]

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::hal::ipmi::cmd::Command;
use crate::hal::ipmi::codec::{Reader, hex};
use crate::hal::model::{Guid, MacAddr};

mod golden;

/// Arbitrary values that the commands are made of.
#[derive(Debug, Clone)]
struct Values {
    bytes: [u8; 20],
    words: [u16; 4],
    longs: [u32; 3],
    flags: [bool; 8],
    data: Vec<u8>,
}

fn values() -> impl Strategy<Value = Values> {
    (
        any::<[u8; 20]>(),
        any::<[u16; 4]>(),
        any::<[u32; 3]>(),
        any::<[bool; 8]>(),
        any::<Vec<u8>>(),
    )
        .prop_map(|(bytes, words, longs, flags, data)| Values {
            bytes,
            words,
            longs,
            flags,
            data,
        })
}

/// What to do with each command and one of its replies. `need`: bytes below which request and reply are errors.
trait Visit {
    fn visit<C>(&mut self, command: &C, reply: &C::Reply, need: (usize, usize))
    where
        C: Command + PartialEq,
        C::Reply: PartialEq;
}

fn sixteen(bytes: &[u8; 20]) -> [u8; 16] {
    std::array::from_fn(|i| bytes[i])
}

/// Visits each command once, filled from `v`.
fn every_command(v: &Values, to: &mut impl Visit) {
    device_commands(v, to);
    login_commands(v, to);
}

fn device_commands(v: &Values, to: &mut impl Visit) {
    let [a, b, c, d, e, ..] = v.bytes;
    let [f, g, h, ..] = v.flags;
    let id = DeviceId {
        device: a,
        revision: b & 0x0f,
        device_sdrs: f,
        updating: g,
        firmware_major: c & 0x7f,
        firmware_minor: d,
        ipmi_version: e,
        support: a,
        manufacturer: v.longs[0] & 0x00ff_ffff,
        product: v.words[0],
        auxiliary: h.then_some([a, b, c, d]),
    };
    to.visit(&GetDeviceId, &id, (0, 11));
    to.visit(&ColdReset, &(), (0, 0));
    to.visit(&WarmReset, &(), (0, 0));
    to.visit(
        &GetSelfTestResults,
        &SelfTest {
            result: a,
            detail: b,
        },
        (0, 2),
    );
    let acpi = AcpiPowerState {
        system: a & 0x7f,
        device: b & 0x7f,
    };
    to.visit(&GetAcpiPowerState, &acpi, (0, 2));
    to.visit(&GetDeviceGuid, &Guid(sixteen(&v.bytes)), (0, 16));
    to.visit(&GetSystemGuid, &Guid(sixteen(&v.bytes)), (0, 16));
}

fn login_commands(v: &Values, to: &mut impl Visit) {
    let [a, b, c, d, e, ..] = v.bytes;
    let [f, g, h, i, j, k, l, m] = v.flags;
    let privilege = PrivilegeLevel(a & 0x0f);
    let channel = b & 0x0f;
    to.visit(
        &GetChannelAuthCapabilities {
            channel,
            extended: f,
            privilege,
        },
        &ChannelAuthCapabilities {
            channel,
            extended: g,
            types: AuthTypes(c & 0x7f),
            status: AuthStatus {
                kg: h,
                no_per_message_auth: i,
                no_user_level_auth: j,
                named_users: k,
                null_users: l,
                anonymous: m,
            },
            v2_0: f,
            v1_5: g,
            oem: v.longs[0] & 0x00ff_ffff,
            oem_data: d,
        },
        (2, 3),
    );
    to.visit(
        &GetChannelCipherSuites {
            channel,
            payload: c & 0x3f,
            by_suite: f,
            index: d & 0x3f,
        },
        &CipherSuiteChunk {
            channel,
            data: v.data.clone(),
        },
        (3, 1),
    );
    to.visit(
        &GetSessionChallenge {
            auth_type: channel,
            user: sixteen(&v.bytes),
        },
        &SessionChallenge {
            session: v.longs[0],
            challenge: sixteen(&v.bytes),
        },
        (17, 20),
    );
    to.visit(
        &ActivateSession {
            auth_type: channel,
            privilege,
            challenge: sixteen(&v.bytes),
            outbound_sequence: v.longs[0],
        },
        &ActiveSession {
            auth_type: channel,
            session: v.longs[1],
            inbound_sequence: v.longs[2],
            privilege,
        },
        (22, 10),
    );
    to.visit(&SetSessionPrivilegeLevel { privilege }, &privilege, (1, 1));
    let (session, handle) = if f {
        (0, g.then_some(a))
    } else {
        (v.longs[0] | 1, None)
    };
    to.visit(&CloseSession { session, handle }, &(), (4, 0));
    let (selector, need) = match (f, g) {
        (false, false) => (SessionSelector::Present, 1),
        (false, true) => (SessionSelector::Nth(c % 0xfd + 1), 1),
        (true, false) => (SessionSelector::Handle(c), 2),
        (true, true) => (SessionSelector::Id(v.longs[0]), 5),
    };
    let peer = LanPeer {
        ip: v.longs[1].into(),
        mac: MacAddr([a, b, c, d, e, a]),
        port: v.words[0],
    };
    let entry = SessionEntry {
        user: c & 0x3f,
        privilege,
        protocol: d & 0x0f,
        channel,
        peer: h.then_some(peer),
    };
    to.visit(
        &GetSessionInfo { session: selector },
        &SessionInfo {
            handle: a,
            possible: b & 0x3f,
            active: c & 0x3f,
            entry: i.then_some(entry),
        },
        (need, 3),
    );
}

/// Request and reply survive the wire; cut short they are errors below what they need, and never a panic;
/// excess bytes are accepted.
struct BothWays;

impl Visit for BothWays {
    fn visit<C>(&mut self, command: &C, reply: &C::Reply, need: (usize, usize))
    where
        C: Command + PartialEq,
        C::Reply: PartialEq,
    {
        let mut request = Vec::new();
        command.encode(&mut request);
        assert_eq!(C::decode(&mut Reader::new(&request)).as_ref(), Ok(command));
        let mut answer = Vec::new();
        C::encode_reply(reply, &mut answer);
        let read = command.decode_reply(&mut Reader::new(&answer));
        assert_eq!(read.as_ref(), Ok(reply), "{}: {}", C::NAME, hex(&answer));
        for cut in 0..request.len() {
            let short = C::decode(&mut Reader::new(&request[..cut]));
            assert_eq!(short.is_err(), cut < need.0, "{} of {cut} bytes", C::NAME);
        }
        for cut in 0..answer.len() {
            let short = command.decode_reply(&mut Reader::new(&answer[..cut]));
            assert_eq!(short.is_err(), cut < need.1, "{} reply of {cut}", C::NAME);
        }
        answer.extend([0xaa; 40]);
        let longer = command.decode_reply(&mut Reader::new(&answer));
        assert!(longer.is_ok(), "{}: excess bytes refused", C::NAME);
    }
}

/// Decodes the same bytes as every command and every reply.
struct Hostile(Vec<u8>);

impl Visit for Hostile {
    fn visit<C>(&mut self, command: &C, _: &C::Reply, _: (usize, usize))
    where
        C: Command + PartialEq,
        C::Reply: PartialEq,
    {
        for cut in 0..=self.0.len() {
            if let Ok(read) = C::decode(&mut Reader::new(&self.0[..cut])) {
                read.encode(&mut Vec::new());
            }
            if let Ok(reply) = command.decode_reply(&mut Reader::new(&self.0[..cut])) {
                C::encode_reply(&reply, &mut Vec::new());
            }
        }
    }
}

/// The names and numbers that were visited.
#[derive(Default)]
struct Names(BTreeSet<&'static str>, BTreeSet<u8>);

impl Visit for Names {
    fn visit<C>(&mut self, _: &C, _: &C::Reply, _: (usize, usize))
    where
        C: Command + PartialEq,
        C::Reply: PartialEq,
    {
        assert!(self.0.insert(C::NAME), "{} twice", C::NAME);
        assert!(self.1.insert(C::CMD), "{}: number taken", C::NAME);
        assert_eq!(C::NETFN.0, 6, "{}", C::NAME);
    }
}

fn some_values() -> Values {
    Values {
        bytes: [0x5a; 20],
        words: [1, 2, 3, 4],
        longs: [1, 2, 3],
        flags: [false; 8],
        data: vec![1, 2, 3],
    }
}

proptest! {
    #[test]
    fn round_trips(v in values()) {
        every_command(&v, &mut BothWays);
    }

    #[test]
    fn hostile_bytes_do_not_panic(bytes in proptest::collection::vec(any::<u8>(), 0..48)) {
        every_command(&some_values(), &mut Hostile(bytes));
    }
}

#[test]
fn no_command_is_missing_from_the_round_trips() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/hal/ipmi/cmd/app");
    let mut written = BTreeSet::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|e| e == "rs") && !path.ends_with("tests.rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            for part in text.split("const NAME: &'static str =").skip(1) {
                written.insert(part.split('"').nth(1).unwrap().to_owned());
            }
        }
    }
    let mut visited = Names::default();
    every_command(&some_values(), &mut visited);
    let visited: BTreeSet<String> = visited.0.into_iter().map(str::to_owned).collect();
    assert_eq!(written, visited);
    assert!(visited.len() >= 14);
}
