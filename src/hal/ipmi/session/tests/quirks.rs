//! Each oddity that a session acts on, with the BMC that has it: each test fails without what is done about it.

use super::bed::*;
use super::v15::config15;
use crate::hal::error::Kind;
use crate::hal::ipmi::crypto::{CipherSuite, Rakp, Variant};
use crate::hal::ipmi::responder::{self, Oddities};
use crate::hal::ipmi::session::Config;
use crate::hal::ipmi::wire::rakp::{OpenSessionRequest, OpenSessionResponse, Rakp1, Rakp2, Rakp3};
use crate::hal::ipmi::wire::v15::AuthType;
use crate::hal::model::Secret;

fn odd(config: Config, oddities: Oddities) -> Bed {
    Bed::new(
        config,
        responder::Config {
            oddities,
            ..responder::Config::default()
        },
    )
}

fn works(mut bed: Bed) {
    for n in 0..20 {
        assert_eq!(bed.ask(read(&[n])).unwrap().data, [n]);
    }
    bed.close();
    assert_eq!(bed.responder.open_sessions(), 0);
}

#[test]
fn opensesspriv() {
    for (request, level) in [(read(b""), 2), (once(b""), 3), (set(b""), 4)] {
        let mut bed = Bed::plain(config());
        bed.ask(request).unwrap();
        assert_eq!(bed.sent[0][17], level, "Open Session");
        assert_eq!(bed.sent[1][16 + 24], 0x10 | level, "RAKP 1");
    }
}

#[test]
fn nochecksumcheck() {
    let oddities = Oddities {
        wrong_checksum: true,
        ..Oddities::default()
    };
    for suite in [2, 3, 17] {
        let mut c = config();
        c.suites = vec![suite];
        works(odd(c, oddities));
    }
    // Without an HMAC nothing else vouches for the bytes.
    let mut c = config();
    c.suites = vec![1];
    let mut bed = odd(c, oddities);
    assert_eq!(kind(&bed.ask(read(b""))), Kind::Timeout);
}

#[test]
fn sequence_gaps() {
    works(odd(
        config(),
        Oddities {
            skipping_sequence: true,
            ..Oddities::default()
        },
    ));
}

#[test]
fn integritycheckvalue() {
    let mut c = config();
    c.suites = vec![0];
    works(odd(
        c,
        Oddities {
            icv_without_auth: true,
            ..Oddities::default()
        },
    ));
}

#[test]
fn first_packet_dropped() {
    works(odd(
        config(),
        Oddities {
            deaf_after_handshake: true,
            ..Oddities::default()
        },
    ));
}

#[test]
fn short_open_session_errors() {
    let bmc = responder::Config {
        suites: vec![3],
        oddities: Oddities {
            short_open_error: true,
            ..Oddities::default()
        },
        ..responder::Config::default()
    };
    works(Bed::new(config(), bmc));
}

#[test]
fn rakp2_excess() {
    let mut bed = Bed::plain(config());
    bed.mangle = Box::new(|way, bytes| {
        if way == Way::ToClient && payload_type(&bytes) == Some(0x13) {
            vec![resize(bytes, 40 + 32 + 1)]
        } else {
            vec![bytes]
        }
    });
    works(bed);
}

#[test]
fn all_zero_rakp2_code_leads_to_the_next_suite() {
    let mut bed = Bed::plain(config());
    bed.mangle = Box::new(|way, bytes| {
        if way == Way::ToClient && payload_type(&bytes) == Some(0x13) && bytes.len() == 16 + 72 {
            vec![patch(bytes, 40, &[0; 32])]
        } else {
            vec![bytes]
        }
    });
    bed.ask(read(b"")).unwrap();
    assert_eq!(bed.infos[0].suite, Some(3));
}

/// A BMC that hashes the handshake its own way: the network translates for the responder, which knows only the
/// specification's. RAKP 4 comes without a check value.
fn own_hashing(config: Config, password: Secret, variant: Variant) -> Bed {
    let suite = CipherSuite::by_id(config.suites[0]).unwrap();
    let mut bed = Bed::plain(config);
    bed.server.users[0].1 = password.clone();
    let mut rakp = Rakp {
        suite,
        console_id: 0,
        managed_id: 0,
        console_random: [0; 16],
        managed_random: [0; 16],
        managed_guid: [0; 16],
        role: 0,
        user: vec![],
        variant,
    };
    bed.mangle = Box::new(move |way, bytes| {
        let mut out = bytes[..16].to_vec();
        match (way, payload_type(&bytes)) {
            (Way::ToBmc, Some(0x10)) => {
                rakp.console_id = OpenSessionRequest::parse(&bytes[16..]).unwrap().console_id;
            }
            (Way::ToBmc, Some(0x12)) => {
                let rakp1 = Rakp1::parse(&bytes[16..]).unwrap();
                rakp.managed_id = rakp1.managed_id;
                rakp.console_random = rakp1.console_random;
                rakp.role = rakp1.role;
                rakp.user = rakp1.user;
            }
            (Way::ToClient, Some(0x13)) => {
                let mut rakp2 = Rakp2::parse(&bytes[16..]).unwrap();
                rakp.managed_random = rakp2.managed_random;
                rakp.managed_guid = rakp2.managed_guid;
                rakp2.code = rakp.rakp2_code(&password);
                rakp2.emit(&mut out);
                return vec![out];
            }
            (Way::ToBmc, Some(0x14)) => {
                let mut rakp3 = Rakp3::parse(&bytes[16..]).unwrap();
                assert_eq!(rakp3.code, rakp.rakp3_code(&password));
                let standard = Rakp {
                    variant: Variant::default(),
                    ..rakp.clone()
                };
                rakp3.code = standard.rakp3_code(&password);
                rakp3.emit(&mut out);
                return vec![out];
            }
            (Way::ToClient, Some(0x15)) => return vec![resize(bytes, 8)],
            _ => {}
        }
        vec![bytes]
    });
    bed
}

/// RAKP 3 for such a BMC, if the client gets as far.
fn hashes_like(suite: u8, variant: Variant) -> bool {
    let password = Secret::new("a password of 20 byt");
    let mut c = Config::new("admin", password.clone());
    c.suites = vec![suite];
    let mut bed = own_hashing(c, password, variant);
    bed.submit(1, read(b""), std::time::Duration::from_secs(1));
    bed.run_until(|bed| bed.results.len() == 1);
    bed.sent
        .iter()
        .any(|bytes| payload_type(bytes) == Some(0x14))
}

#[test]
fn intel20_and_i82571spt_are_recognised_by_their_code() {
    for padded_user in [false, true] {
        for short_md5_password in [false, true] {
            for role_without_name_only in [false, true] {
                let variant = Variant {
                    padded_user,
                    short_md5_password,
                    icv_by_integrity: false,
                    role_without_name_only,
                };
                assert!(hashes_like(8, variant), "{variant:?}");
                assert!(hashes_like(3, variant), "{variant:?}");
            }
        }
    }
}

/// With suite 1 the integrity algorithm is none, and so is the check value of that board.
#[test]
fn intel20_check_value_is_recognised() {
    for intel in [false, true] {
        let variant = Variant {
            padded_user: intel,
            ..Variant::default()
        };
        let mut c = config();
        c.suites = vec![1];
        let mut bed = own_hashing(c, Secret::new("secret"), variant);
        let result = bed.ask(read(b"x"));
        if intel {
            assert_eq!(result.unwrap().data, b"x");
        } else {
            assert_eq!(kind(&result), Kind::Auth);
        }
    }
}

#[test]
fn name_and_privilege_lookup() {
    let mut c = config();
    c.quirks.name_and_privilege_lookup = true;
    let mut bed = odd(
        c,
        Oddities {
            exact_lookup: true,
            ..Oddities::default()
        },
    );
    bed.ask(set(b"s")).unwrap();
    assert_eq!(bed.sent[1][16 + 24], 0x04);
}

#[test]
fn fixed_rakp1() {
    let mut c = config();
    c.quirks.fixed_rakp1 = true;
    let mut bed = Bed::plain(c);
    bed.ask(read(b"")).unwrap();
    assert_eq!(bed.sent[1].len(), 16 + 44);
}

#[test]
fn plain_integrity_pad() {
    let mut c = config();
    c.quirks.plain_integrity_pad = true;
    let mut bed = Bed::plain(c);
    bed.ask(read(b"")).unwrap();
    // 12 bytes of header and a payload of whole blocks need no pad when its two trailing bytes do not count.
    let packet = &bed.sent[3];
    let length = usize::from(packet[14]);
    assert_eq!(packet[16 + length..16 + length + 2], [0, 7]);
}

#[test]
fn idzero() {
    works(odd(
        config15(),
        Oddities {
            zero_session_id: true,
            ..Oddities::default()
        },
    ));
}

#[test]
fn endianseq() {
    works(odd(
        config15(),
        Oddities {
            big_endian_sequence: true,
            ..Oddities::default()
        },
    ));
}

#[test]
fn forcepermsg_and_unexpectedauth() {
    let mut bed = Bed::plain(config15());
    bed.server.per_message = false;
    bed.ask(read(b"a")).unwrap();
    assert_eq!(bed.sent.last().unwrap()[4], AuthType::Md5.to_wire());
    // The BMC answers authenticated although it said that it would not: a wrong code is still wrong.
    bed.mangle = Box::new(|way, mut bytes| {
        if way == Way::ToClient {
            bytes[14] ^= 1;
        }
        vec![bytes]
    });
    bed.submit(1, read(b"b"), std::time::Duration::from_secs(2));
    bed.run_until(|bed| bed.results.len() == 1);
    assert_eq!(kind(&bed.results[&1]), Kind::Timeout);
}

#[test]
fn no_auth_code_check() {
    for on in [false, true] {
        let mut c = config15();
        c.quirks.no_auth_code_check = on;
        let mut bed = Bed::plain(c);
        bed.mangle = Box::new(|way, mut bytes| {
            if way == Way::ToClient && bytes[4] != 0 {
                bytes[13] ^= 0xff;
            }
            vec![bytes]
        });
        assert_eq!(bed.ask(read(b"a")).is_ok(), on);
    }
}

#[test]
fn open_session_response_with_privilege_zero_is_taken() {
    let mut bed = Bed::plain(config());
    bed.mangle = Box::new(|way, bytes| {
        if way == Way::ToClient && payload_type(&bytes) == Some(0x11) {
            let answer = OpenSessionResponse::parse(&bytes[16..]).unwrap();
            assert_ne!(answer.max_privilege, 0);
            vec![patch(bytes, 2, &[0])]
        } else {
            vec![bytes]
        }
    });
    works(bed);
}
