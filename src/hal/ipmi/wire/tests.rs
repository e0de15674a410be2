//! Golden bytes of ipmitool 1.8.19 and ipmi_sim 2.0.33 (captured on loopback), truncation at every byte, lying
//! lengths, and round trips of every type.

use proptest::prelude::*;

use super::*;
use crate::hal::ipmi::cmd::{CompletionCode, NetFn};
use crate::hal::ipmi::codec::hex;
use rakp::{
    Algorithms, OpenSessionRequest, OpenSessionResponse, Rakp1, Rakp2, Rakp3, Rakp4, RakpStatus,
};
use v15::AuthType;
use v20::PayloadType;

fn unhex(text: &str) -> Vec<u8> {
    text.as_bytes()
        .as_chunks::<2>()
        .0
        .iter()
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

const PING: &str = "0600ff06000011be80000000";
const PONG: &str = "0600ff06000011be40000010000011be000000008100000000000000";
const CAPABILITIES: &str = "0600ff07000000000000000000092018c88100388e04b5";
const CAPABILITIES_REPLY: &str = "0600ff0700000000000000000010811c6320003800019706030000000007";
const OPEN: &str = "0600ff0706100000000000000000200000000000a4a3a2a0000000080100000001000008010000000200000801000000";
const OPENED: &str = "0600ff0706110000000000000000240000000000a4a3a2a002000000000000080100000001000008010000000200000801000000";
const OPEN_REFUSED: &str = "0600ff070611000000000000000002000004";
const RAKP1: &str = "0600ff0706120000000000000000230000000000020000006de1a2a9cf6bee87a0bf02f27d8d0a821400000769706d69757372";
const RAKP2: &str = "0600ff07061300000000000000003c0000000000a4a3a2a09efe07b8b4a9e611f562c5a0bbeae68aa123456789abcdefa123456789abcdeffa8aede29b1ff4c20a166568230ac45496a8496f";
const RAKP2_REFUSED: &str = "0600ff07061300000000000000003c00000d0000a4a3a2a021fdbd681022980584e0b2763600ae40a123456789abcdefa123456789abcdef015669befe3a1a7d69acc8b024f9ef0177cb69ea";
const RAKP3: &str =
    "0600ff07061400000000000000001c00000000000200000044aef57b815b4c3aba12be4d849b69d6d5a7f412";
const RAKP4: &str = "0600ff0706150000000000000000140000000000a4a3a2a03bbf2c2d9fde025dd80c402a";
const SEALED: &str = "0600ff0706c0020000000300000020003d4a372482dc4ac608a9a16b037215e140af160043b61634223307db1ffd7f7effff02077ac4f81fcdc2e095c1cd25c7";
const MD5_REQUEST: &str =
    "0600ff0702aadd54e702020000aa8feceef4aa87d2448adcb6a2e03de3082018c881103b0430";

const ALL: [&str; 14] = [
    PING,
    PONG,
    CAPABILITIES,
    CAPABILITIES_REPLY,
    OPEN,
    OPENED,
    OPEN_REFUSED,
    RAKP1,
    RAKP2,
    RAKP2_REFUSED,
    RAKP3,
    RAKP4,
    SEALED,
    MD5_REQUEST,
];

fn emit(datagram: &Datagram) -> Vec<u8> {
    match datagram {
        Datagram::Ping(ping) => ping.datagram(),
        Datagram::Pong(pong) => pong.datagram(),
        Datagram::V15(packet) => ipmi_datagram(|out| packet.emit(out)),
        Datagram::V20(packet) => ipmi_datagram(|out| packet.emit(out)),
        Datagram::Ack(header) => {
            let mut out = Vec::new();
            header.emit(&mut out);
            out
        }
    }
}

fn v20(text: &str) -> v20::Packet {
    match Datagram::parse(&unhex(text)) {
        Ok(Datagram::V20(packet)) => packet,
        other => panic!("{other:?}"),
    }
}

#[test]
fn captured_datagrams_come_back_byte_for_byte() {
    for text in ALL {
        let datagram = Datagram::parse(&unhex(text)).unwrap();
        assert_eq!(hex(&emit(&datagram)), text);
    }
}

#[test]
fn captured_datagrams_cut_anywhere_are_errors_or_whole() {
    for text in ALL {
        let bytes = unhex(text);
        for end in 0..bytes.len() {
            if let Ok(datagram) = Datagram::parse(&bytes[..end]) {
                // Only what follows the length-counted part may be missing: the trailer of a sealed packet.
                assert!(
                    text == SEALED && end >= 16 + 32,
                    "{text} cut to {end}: {datagram:?}"
                );
            }
        }
    }
}

#[test]
fn lying_lengths_are_errors() {
    for (text, at) in [
        (CAPABILITIES, 13),
        (MD5_REQUEST, 29),
        (OPEN, 14),
        (PONG, 11),
    ] {
        let good = unhex(text);
        for length in 0..=255u8 {
            let mut bytes = good.clone();
            bytes[at] = length;
            let parsed = Datagram::parse(&bytes);
            assert_eq!(
                parsed.is_ok(),
                length <= good[at] && (text != PONG || length >= 10),
                "{text} {length}"
            );
        }
    }
    let mut bytes = unhex(OPEN);
    bytes[15] = 0xff;
    assert_eq!(
        Datagram::parse(&bytes),
        Err(DecodeError::Short {
            field: "payload",
            need: 0xff20,
            have: 32
        })
    );
    let mut rakp1 = v20(RAKP1).payload;
    for length in 0..=255u8 {
        rakp1[27] = length;
        assert_eq!(Rakp1::parse(&rakp1).is_ok(), length <= 7);
    }
}

#[test]
fn capabilities_request_and_reply() {
    let Ok(Datagram::V15(packet)) = Datagram::parse(&unhex(CAPABILITIES)) else {
        panic!("not IPMI 1.5");
    };
    let message = LanMessage::parse(&packet.payload).unwrap();
    assert_eq!(message.to, BMC_ADDRESS);
    assert_eq!(message.from, CONSOLE_ADDRESS);
    assert_eq!((message.netfn, message.cmd), (NetFn::APP, 0x38));
    assert_eq!(message.data, [0x8e, 4]);
    let reply = message.response(CompletionCode::OK, &[1, 0x97, 6, 3, 0, 0, 0, 0]);
    let datagram = ipmi_datagram(|out| v15::Packet::sessionless(reply.to_vec()).emit(out));
    assert_eq!(hex(&datagram), CAPABILITIES_REPLY);
    assert_eq!(
        reply.completion(),
        Some((CompletionCode::OK, &[1, 0x97, 6, 3, 0, 0, 0, 0][..]))
    );
}

#[test]
fn handshake_fields() {
    let open = OpenSessionRequest::parse(&v20(OPEN).payload).unwrap();
    assert_eq!(
        open,
        OpenSessionRequest {
            tag: 0,
            max_privilege: 0,
            console_id: 0xa0a2_a3a4,
            algorithms: Algorithms {
                auth: 1,
                integrity: 1,
                confidentiality: 1
            }
        }
    );
    let opened = OpenSessionResponse::parse(&v20(OPENED).payload).unwrap();
    assert_eq!(opened.managed_id, 2);
    assert_eq!(opened.algorithms, open.algorithms);
    let refused = OpenSessionResponse::parse(&v20(OPEN_REFUSED).payload).unwrap();
    assert_eq!(refused.status, RakpStatus::INVALID_AUTH);
    let rakp1 = Rakp1::parse(&v20(RAKP1).payload).unwrap();
    assert_eq!((rakp1.role, &rakp1.user[..]), (0x14, &b"ipmiusr"[..]));
    let rakp2 = Rakp2::parse(&v20(RAKP2).payload).unwrap();
    assert_eq!(hex(&rakp2.managed_guid), "a123456789abcdefa123456789abcdef");
    assert_eq!(rakp2.code.len(), 20);
    let refused = Rakp2::parse(&v20(RAKP2_REFUSED).payload).unwrap();
    assert_eq!(refused.status, RakpStatus::UNAUTHORIZED_NAME);
    assert_eq!(refused.console_id, 0xa0a2_a3a4);
    assert_eq!(Rakp3::parse(&v20(RAKP3).payload).unwrap().code.len(), 20);
    assert_eq!(Rakp4::parse(&v20(RAKP4).payload).unwrap().icv.len(), 12);
}

#[test]
fn short_refusals_keep_tag_and_status() {
    for length in 2..8 {
        let payload = &[9, 0x0d, 0, 0, 1, 2, 3, 4][..length];
        assert_eq!(Rakp2::parse(payload).unwrap().tag, 9);
        assert_eq!(Rakp4::parse(payload).unwrap().status.0, 0x0d);
        assert_eq!(OpenSessionResponse::parse(payload).unwrap().status.0, 0x0d);
    }
    assert!(Rakp2::parse(&[9]).is_err());
    assert!(Rakp2::parse(&[9, 0]).is_err(), "success must be whole");
}

#[test]
fn message_checksums_are_checked_on_demand() {
    let good = LanMessage {
        to: 0x20,
        netfn: NetFn(6),
        to_lun: 1,
        from: 0x81,
        seq: 0x3f,
        from_lun: 2,
        cmd: 1,
        data: vec![1, 2, 3],
    };
    let bytes = good.to_vec();
    for (at, field) in [(2, "message header"), (9, "message data")] {
        let mut bad = bytes.clone();
        bad[at] ^= 0xff;
        match LanMessage::parse(&bad) {
            Err(DecodeError::Checksum { field: f, .. }) => assert_eq!(f, field),
            other => panic!("{other:?}"),
        }
        assert_eq!(LanMessage::parse_unchecked(&bad).unwrap(), good);
    }
    for end in 0..7 {
        assert!(LanMessage::parse_unchecked(&bytes[..end]).is_err());
    }
}

#[test]
fn legacy_pad_is_added_and_ignored() {
    for length in 0..=255usize {
        let packet = v15::Packet::sessionless(vec![0x5a; length]);
        let bytes = ipmi_datagram(|out| packet.emit(out));
        assert!(![56, 84, 112, 128, 156].contains(&bytes.len()));
        assert_eq!(Datagram::parse(&bytes), Ok(Datagram::V15(packet)));
    }
}

#[test]
fn acknowledgements_and_foreign_classes() {
    let ack = [6, 0, 7, 0x86];
    assert!(matches!(
        Datagram::parse(&ack),
        Ok(Datagram::Ack(RmcpHeader { sequence: 7, .. }))
    ));
    assert!(Datagram::parse(&[6, 0, 0xff, 8, 1]).is_err());
    assert!(Datagram::parse(&[5, 0, 0xff, 7, 0]).is_err());
}

prop_compose! {
    fn message()(to: u8, netfn in 0u8..64, to_lun in 0u8..4, from: u8, seq in 0u8..64, from_lun in 0u8..4,
                 cmd: u8, data in prop::collection::vec(any::<u8>(), 0..200)) -> LanMessage {
        LanMessage { to, netfn: NetFn(netfn), to_lun, from, seq, from_lun, cmd, data }
    }
}

fn algorithms() -> impl Strategy<Value = Algorithms> {
    (0u8..64, 0u8..64, 0u8..64).prop_map(|(auth, integrity, confidentiality)| Algorithms {
        auth,
        integrity,
        confidentiality,
    })
}

/// Emits, parses, compares; and no prefix panics.
macro_rules! round_trip {
    ($value:expr, $type:ty) => {{
        let value = $value;
        let mut out = Vec::new();
        value.emit(&mut out);
        prop_assert_eq!(&<$type>::parse(&out), &Ok(value));
        for end in 0..out.len() {
            let _ = <$type>::parse(&out[..end]);
        }
    }};
}

proptest! {
    #[test]
    fn messages_round_trip(m in message()) {
        prop_assert_eq!(LanMessage::parse(&m.to_vec()), Ok(m));
    }

    #[test]
    fn v15_packets_round_trip(kind in 0u8..6, sequence: u32, session_id: u32, code: [u8; 16],
                              payload in prop::collection::vec(any::<u8>(), 0..=255)) {
        if let Some(auth_type) = AuthType::from_wire(kind) {
            let auth_code = (auth_type != AuthType::None).then_some(code);
            round_trip!(v15::Packet { auth_type, sequence, session_id, auth_code, payload }, v15::Packet);
        }
    }

    #[test]
    fn v20_packets_round_trip(kind in 0u8..64, encrypted: bool, authenticated: bool, oem: (u32, u16), session_id: u32,
                              sequence: u32, payload in prop::collection::vec(any::<u8>(), 0..600),
                              trailer in prop::collection::vec(any::<u8>(), 0..40)) {
        let payload_type = PayloadType::from_wire(kind);
        round_trip!(v20::Packet {
            payload_type,
            encrypted,
            authenticated,
            oem: (payload_type == PayloadType::OemExplicit).then_some(oem),
            session_id,
            sequence,
            payload,
            trailer: if authenticated { trailer } else { Vec::new() },
        }, v20::Packet);
    }

    #[test]
    fn handshake_round_trips(tag: u8, privilege in 0u8..16, console_id: u32, managed_id: u32, random: [u8; 16], guid: [u8; 16],
                             role: u8, algorithms in algorithms(), user in prop::collection::vec(any::<u8>(), 0..=255),
                             code in prop::collection::vec(any::<u8>(), 0..33), status: u8) {
        let status = RakpStatus(status);
        let ok = RakpStatus::OK;
        round_trip!(OpenSessionRequest { tag, max_privilege: privilege, console_id, algorithms }, OpenSessionRequest);
        round_trip!(OpenSessionResponse { tag, status: ok, max_privilege: privilege, console_id, managed_id, algorithms },
                    OpenSessionResponse);
        if !status.is_ok() {
            round_trip!(OpenSessionResponse { tag, status, max_privilege: privilege, console_id, managed_id: 0,
                                              algorithms: Algorithms::default() }, OpenSessionResponse);
            round_trip!(Rakp2::refusal(tag, console_id, status), Rakp2);
        }
        round_trip!(Rakp1 { tag, managed_id, console_random: random, role, user }, Rakp1);
        round_trip!(Rakp2 { tag, status: ok, console_id, managed_random: random, managed_guid: guid, code: code.clone() }, Rakp2);
        round_trip!(Rakp3 { tag, status, managed_id, code: code.clone() }, Rakp3);
        round_trip!(Rakp4 { tag, status, console_id, icv: code }, Rakp4);
    }

    #[test]
    fn presence_round_trips(tag: u8, iana: u32, oem: u32, entities: u8, interactions: u8) {
        let ping = asf::Ping { tag };
        prop_assert_eq!(Datagram::parse(&ping.datagram()), Ok(Datagram::Ping(ping)));
        let pong = asf::Pong { tag, iana, oem, entities, interactions };
        prop_assert_eq!(Datagram::parse(&pong.datagram()), Ok(Datagram::Pong(pong)));
        prop_assert_eq!(asf::Pong::parse(&pong.datagram()[4..]), Ok(pong));
        prop_assert!(asf::Ping::parse(&pong.datagram()[4..]).is_err());
    }

    /// Whatever is read can be written, and reads as the same again.
    #[test]
    fn any_bytes(mut bytes in prop::collection::vec(any::<u8>(), 0..120), shaped: bool) {
        if shaped {
            for (to, from) in bytes.iter_mut().zip([6, 0, 0xff, 7]) {
                *to = from;
            }
        }
        if let Ok(datagram) = Datagram::parse(&bytes) {
            prop_assert_eq!(Datagram::parse(&emit(&datagram)), Ok(datagram));
        }
    }
}
