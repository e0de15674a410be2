//! Known answers: RFC vectors, and a captured session of ipmitool 1.8.19 with ipmi_sim 2.0.33.

use super::hash::{hmac, md5};
use super::md2::md2;
use super::suite::AuthAlgorithm;
use super::*;
use crate::hal::ipmi::codec::hex;
use crate::hal::ipmi::wire::rakp::{OpenSessionResponse, Rakp1, Rakp2, Rakp3, Rakp4};
use crate::hal::ipmi::wire::v15::AuthType;
use crate::hal::ipmi::wire::v20::PayloadType;
use crate::hal::ipmi::wire::{Datagram, LanMessage, v20};
use crate::hal::model::Secret;
use zeroize::Zeroizing;

#[test]
fn md2_of_rfc_1319() {
    for (text, digest) in [
        ("", "8350e5a3e24c153df2275c9f80692773"),
        ("a", "32ec01ec4a6dac72c0ab96fb34c0b5d1"),
        ("abc", "da853b0d3f88d99b30283a69e6ded6bb"),
        ("message digest", "ab4f496bfb2a530b219ff33031fe06b0"),
        (
            "abcdefghijklmnopqrstuvwxyz",
            "4e8ddff3650292ab5a4108c3aa47940b",
        ),
        (
            "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
            "d5976f79d83d3a0dc9806c3c66f3efd8",
        ),
    ] {
        assert_eq!(hex(&md2(&[text.as_bytes()])), digest, "{text}");
        let (a, b) = text.as_bytes().split_at(text.len() / 2);
        assert_eq!(hex(&md2(&[a, b])), digest, "{text} in two parts");
    }
}

#[test]
fn md5_of_rfc_1321() {
    assert_eq!(
        hex(&md5(&[b"ab", b"c"])),
        "900150983cd24fb0d6963f7d28e17f72"
    );
}

/// Test case 2 of RFC 2202 (MD5, SHA-1) and RFC 4231 (SHA-256).
#[test]
fn hmac_of_rfc_2202_and_4231() {
    for (algorithm, digest) in [
        (AuthAlgorithm::None, ""),
        (AuthAlgorithm::HmacMd5, "750c783e6ab0b503eaa86e310a5db738"),
        (
            AuthAlgorithm::HmacSha1,
            "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
        ),
        (
            AuthAlgorithm::HmacSha256,
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        ),
    ] {
        let code = hmac(algorithm, b"Jefe", &[b"what do ya want ", b"for nothing?"]);
        assert_eq!(hex(&code), digest);
        assert_eq!(code.len(), algorithm.code_len());
    }
}

fn unhex(text: &str) -> Vec<u8> {
    text.as_bytes()
        .as_chunks::<2>()
        .0
        .iter()
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

/// `ipmitool -I lanplus -C 3 -U ipmiusr -P test raw 6 1`, from Open Session Response on.
const OPENED: &str = "0600ff0706110000000000000000240000000000a4a3a2a002000000000000080100000001000008010000000200000801000000";
const RAKP1: &str = "0600ff0706120000000000000000230000000000020000006de1a2a9cf6bee87a0bf02f27d8d0a821400000769706d69757372";
const RAKP2: &str = "0600ff07061300000000000000003c0000000000a4a3a2a09efe07b8b4a9e611f562c5a0bbeae68aa123456789abcdefa123456789abcdeffa8aede29b1ff4c20a166568230ac45496a8496f";
const RAKP3: &str =
    "0600ff07061400000000000000001c00000000000200000044aef57b815b4c3aba12be4d849b69d6d5a7f412";
const RAKP4: &str = "0600ff0706150000000000000000140000000000a4a3a2a03bbf2c2d9fde025dd80c402a";
const SET_PRIVILEGE: &str = "0600ff0706c0020000000300000020003d4a372482dc4ac608a9a16b037215e140af160043b61634223307db1ffd7f7effff02077ac4f81fcdc2e095c1cd25c7";
const DEVICE_ID: &str = "0600ff0706c0a4a3a2a0030000003000cf866a750dd8cc4dc98a27173da3d60171e6a17ad379c3c84fae7a538665ed6149ae5acbcdc3b7dcec378be3443e0c41ffff02074b9bd4becc6306d77371547c";

fn payload(text: &str) -> Vec<u8> {
    match Datagram::parse(&unhex(text)) {
        Ok(Datagram::V20(packet)) => packet.payload,
        other => panic!("{other:?}"),
    }
}

fn captured() -> (Rakp, Secret) {
    let opened = OpenSessionResponse::parse(&payload(OPENED)).unwrap();
    let rakp1 = Rakp1::parse(&payload(RAKP1)).unwrap();
    let rakp2 = Rakp2::parse(&payload(RAKP2)).unwrap();
    let rakp = Rakp {
        suite: CipherSuite::by_algorithms(opened.algorithms).unwrap(),
        console_id: opened.console_id,
        managed_id: opened.managed_id,
        console_random: rakp1.console_random,
        managed_random: rakp2.managed_random,
        managed_guid: rakp2.managed_guid,
        role: rakp1.role,
        user: rakp1.user,
        variant: Variant::default(),
    };
    (rakp, Secret::new("test"))
}

#[test]
fn captured_handshake() {
    let (rakp, password) = captured();
    assert_eq!(rakp.suite.id, 3);
    assert_eq!(
        rakp.rakp2_code(&password),
        Rakp2::parse(&payload(RAKP2)).unwrap().code
    );
    assert_eq!(
        rakp.rakp3_code(&password),
        Rakp3::parse(&payload(RAKP3)).unwrap().code
    );
    let keys = Keys::derive(&rakp, &password, None);
    assert_eq!(
        rakp.rakp4_icv(keys.sik()),
        Rakp4::parse(&payload(RAKP4)).unwrap().icv
    );
    assert_eq!(format!("{keys:?}"), "Keys { suite: 3, .. }");
    // K_G of zeroes is no K_G.
    let zero = Secret::new(vec![0; 20]);
    assert_eq!(
        *rakp.sik(&password, Some(&zero)),
        *rakp.sik(&password, None)
    );
    assert_ne!(
        *rakp.sik(&password, Some(&Secret::new("k"))),
        *rakp.sik(&password, None)
    );
}

#[test]
fn captured_packets_open_and_seal() {
    let (rakp, password) = captured();
    let keys = Keys::derive(&rakp, &password, None);
    let bytes = unhex(SET_PRIVILEGE);
    let packet = open(&keys, &bytes).unwrap();
    let message = LanMessage::parse(&packet.payload).unwrap();
    assert_eq!((message.cmd, &message.data[..]), (0x3b, &[4][..]));
    let iv: [u8; 16] = bytes[16..32].try_into().unwrap();
    let plain = Plain {
        payload_type: PayloadType::Ipmi,
        session_id: packet.session_id,
        sequence: packet.sequence,
        payload: &packet.payload,
    };
    assert_eq!(hex(&seal(&keys, &plain, iv)), SET_PRIVILEGE);
    let packet = open(&keys, &unhex(DEVICE_ID)).unwrap();
    let message = LanMessage::parse(&packet.payload).unwrap();
    assert_eq!(hex(&message.data), "0000030908029f7c2a00100900000000");
}

#[test]
fn captured_packets_with_any_bit_changed_are_refused() {
    let (rakp, password) = captured();
    let keys = Keys::derive(&rakp, &password, None);
    let good = unhex(DEVICE_ID);
    for at in 4..good.len() {
        for bit in 0..8 {
            let mut bad = good.clone();
            bad[at] ^= 1 << bit;
            assert!(open(&keys, &bad).is_err(), "byte {at} bit {bit}");
        }
    }
    for end in 0..good.len() {
        assert!(open(&keys, &good[..end]).is_err());
    }
    let mut longer = good;
    longer.push(0);
    assert_eq!(open(&keys, &longer), Err(OpenError::Integrity));
}

/// `ipmitool -I lan -A MD5` and `-A PASSWORD`: Set Session Privilege Level.
#[test]
fn captured_codes_of_ipmi_15() {
    let password = Secret::new("test");
    for text in [
        "0600ff0702aadd54e702020000aa8feceef4aa87d2448adcb6a2e03de3082018c881103b0430",
        "0600ff0702c5d9922b02020000024b8d935fa65d7a198dfdd5512fa02809811c6320103b000491",
        "0600ff07049a0473388202000074657374000000000000000000000000082018c881103b0430",
    ] {
        let Ok(Datagram::V15(packet)) = Datagram::parse(&unhex(text)) else {
            panic!("{text}");
        };
        assert!(v15_verify(&packet, &password));
        assert!(!v15_verify(&packet, &Secret::new("Test")));
        let again = v15_datagram(
            packet.auth_type,
            &password,
            packet.session_id,
            packet.sequence,
            packet.payload.clone(),
        );
        assert_eq!(hex(&again), text);
        let mut changed = packet.clone();
        changed.sequence ^= 1;
        assert_eq!(
            v15_verify(&changed, &password),
            packet.auth_type == AuthType::Straight
        );
        changed.auth_type = AuthType::None;
        assert!(
            !v15_verify(&changed, &password),
            "no code is never a right one"
        );
    }
}

const K1_SHA1: &str = "bcd753818407eec26333969853a074379b24d483";
const K1_MD5: &str = "539de0df67e8a28eb3292a9c4e917095";
const K1_SHA256: &str = "c3d056bcdef3a28bddca7fa9d0d1e5b67ca1c281aa6b17f23076f0e921a24a1f";
const K2_SHA256: &str = "5791d6cd96c567c779848706d2194e37";

/// Computed with Python's hmac for a SIK of twenty bytes 0x0b.
#[test]
fn keys_use_constants_of_twenty_bytes() {
    let sik = Zeroizing::new(vec![0x0b; 20]);
    let of = |id| {
        let suite = CipherSuite::by_id(id).unwrap();
        Keys::from_sik(suite, sik.clone(), &Secret::new(""))
    };
    assert_eq!(hex(of(3).k1()), K1_SHA1);
    assert_eq!(hex(of(8).k1()), K1_MD5);
    assert_eq!(hex(of(17).k1()), K1_SHA256);
    assert_eq!(hex(of(17).k2()), K2_SHA256);
}

#[test]
fn suites_are_those_of_the_specification() {
    let table: Vec<_> = CipherSuite::ALL
        .iter()
        .map(|s| {
            let a = s.algorithms();
            (s.id, a.auth, a.integrity, a.confidentiality)
        })
        .collect();
    assert_eq!(
        table,
        [
            (0, 0, 0, 0),
            (1, 1, 0, 0),
            (2, 1, 1, 0),
            (3, 1, 1, 1),
            (6, 2, 0, 0),
            (7, 2, 2, 0),
            (8, 2, 2, 1),
            (11, 2, 3, 0),
            (12, 2, 3, 1),
            (15, 3, 0, 0),
            (16, 3, 4, 0),
            (17, 3, 4, 1),
        ]
    );
    let by = |id| CipherSuite::by_id(id).unwrap();
    assert!(by(3).is_weaker_than(by(17)));
    assert!(!by(17).is_weaker_than(by(3)));
    assert!(by(16).is_weaker_than(by(3)), "no encryption");
    assert!(by(3).is_weaker_than(by(16)), "SHA-1");
    assert!(CipherSuite::ALL.iter().all(|s| !s.is_weaker_than(*s)));
    assert!(
        CipherSuite::ALL
            .iter()
            .all(|s| CipherSuite::by_algorithms(s.algorithms()) == Some(*s))
    );
    assert!(
        [4, 5, 9, 10, 13, 14, 18, 19]
            .iter()
            .all(|id| CipherSuite::by_id(*id).is_none())
    );
}

#[test]
fn aes_padding_is_checked() {
    let key = [7; 16];
    for length in 0..48 {
        let plain = vec![0x42; length];
        let sealed = aes_cbc::encrypt(&key, [9; 16], &plain);
        assert!(sealed.len().is_multiple_of(16));
        assert_eq!(aes_cbc::decrypt(&key, &sealed), Some(plain));
    }
    // Plaintexts with a wrong pad, encrypted without one: the block cipher itself undoes the chaining.
    for (last, right) in [
        ([1, 2, 2], true),
        ([1, 3, 2], false),
        ([0, 0, 0], true),
        ([1, 2, 16], false),
        ([0, 0, 255], false),
    ] {
        let mut block = [0u8; 16];
        block[13..].copy_from_slice(&last);
        // encrypt() of 15 bytes adds pad length 0 as the 16th: choose the IV so that the block comes out as wanted.
        let mut iv = [9; 16];
        iv[15] ^= block[15];
        let sealed = aes_cbc::encrypt(&key, [9; 16], &block[..15]);
        let mut bytes = iv.to_vec();
        bytes.extend(&sealed[16..]);
        assert_eq!(aes_cbc::decrypt(&key, &bytes).is_some(), right, "{last:?}");
    }
    assert_eq!(aes_cbc::decrypt(&key, &[0; 16]), None, "no ciphertext");
    assert_eq!(aes_cbc::decrypt(&key, &[0; 31]), None, "half a block");
    assert_eq!(aes_cbc::decrypt(&key, &[]), None);
}

proptest::proptest! {
    /// Every suite opens what it sealed, and nothing that another session sealed.
    #[test]
    fn sealed_packets_round_trip(data in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300),
                                 session_id: u32, sequence: u32, iv: [u8; 16], plain_pad: bool) {
        let password = Secret::new("pw");
        for suite in CipherSuite::ALL {
            let keys = Keys::from_sik(suite, Zeroizing::new(vec![1; 20]), &password).with_plain_integrity_pad(plain_pad);
            let plain = Plain { payload_type: PayloadType::Ipmi, session_id, sequence, payload: &data };
            let bytes = seal(&keys, &plain, iv);
            let opened = open(&keys, &bytes);
            let want = v20::Packet {
                payload_type: PayloadType::Ipmi,
                encrypted: suite.confidentiality != Confidentiality::None,
                authenticated: suite.integrity != Integrity::None,
                oem: None,
                session_id,
                sequence,
                payload: data.clone(),
                trailer: Vec::new(),
            };
            proptest::prop_assert_eq!(opened, Ok(want));
            let other = Keys::from_sik(suite, Zeroizing::new(vec![2; 20]), &Secret::new("pw2"));
            if suite.integrity != Integrity::None {
                proptest::prop_assert_eq!(open(&other, &bytes), Err(OpenError::Integrity));
            }
            // A packet without the negotiated protection is refused.
            let bare = Keys::from_sik(CipherSuite::ALL[0], Zeroizing::new(vec![]), &password);
            if suite.id != 0 && suite.algorithms().integrity != 0 {
                proptest::prop_assert_eq!(open(&keys, &seal(&bare, &plain, iv)), Err(OpenError::Unprotected));
            }
        }
    }
}
