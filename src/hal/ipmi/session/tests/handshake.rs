//! Logins that fail, and BMCs that answer something else than what was asked.

use std::time::Duration;

use super::bed::*;
use crate::hal::error::Kind;
use crate::hal::ipmi::cmd::Privilege;
use crate::hal::ipmi::responder::{self, Event};
use crate::hal::ipmi::session::{Config, Version};
use crate::hal::model::Secret;

const OPEN_RESPONSE: u8 = 0x11;
const RAKP1: u8 = 0x12;
const RAKP2: u8 = 0x13;
const RAKP3: u8 = 0x14;
const RAKP4: u8 = 0x15;

/// Changes each answer of one payload type.
fn change(bed: &mut Bed, which: u8, mut f: impl FnMut(Vec<u8>) -> Vec<u8> + 'static) {
    bed.mangle = Box::new(move |way, bytes| {
        if way == Way::ToClient && payload_type(&bytes) == Some(which) {
            vec![f(bytes)]
        } else {
            vec![bytes]
        }
    });
}

fn sent(bed: &Bed, which: u8) -> usize {
    bed.sent
        .iter()
        .filter(|bytes| payload_type(bytes) == Some(which))
        .count()
}

#[test]
fn wrong_password_stops_before_rakp3() {
    let mut bed = Bed::plain(Config::new("admin", Secret::new("Secret")));
    let result = bed.ask(read(b""));
    assert_eq!(kind(&result), Kind::Auth);
    let error = result.unwrap_err();
    assert_eq!(error.hint(), Some("check user name and password"));
    assert!(!format!("{error:?}").contains("Secret\""));
    assert_eq!((sent(&bed, RAKP1), sent(&bed, RAKP3)), (1, 0));
    assert_eq!(bed.server.count(Event::LoginFailed), 0);
    assert_eq!(bed.client.next_timeout(), None);
}

#[test]
fn unknown_user_is_an_auth_error() {
    let mut bed = Bed::plain(Config::new("nobody", Secret::new("x")));
    let result = bed.ask(read(b""));
    assert_eq!(kind(&result), Kind::Auth);
    assert_eq!(
        result.unwrap_err().chain(),
        "RAKP message 1: unauthorized name (RMCP+ status 0x0d)"
    );
    assert_eq!(sent(&bed, RAKP1), 1, "one attempt");
}

#[test]
fn wrong_kg_is_named() {
    let mut c = config();
    c.kg = Some(Secret::new("mine"));
    let mut bed = Bed::plain(c);
    bed.server.kg = Some(Secret::new("theirs"));
    let result = bed.ask(read(b""));
    assert_eq!(kind(&result), Kind::Auth);
    assert_eq!(result.unwrap_err().hint(), Some("check K_G (the BMC key)"));
}

#[test]
fn account_with_less_privilege_serves_what_it_may() {
    for exact in [false, true] {
        let oddities = responder::Oddities {
            exact_lookup: exact,
            ..responder::Oddities::default()
        };
        let bmc = responder::Config {
            oddities,
            ..responder::Config::default()
        };
        let mut c = Config::new("viewer", Secret::new("look"));
        c.quirks.name_and_privilege_lookup = exact;
        let mut bed = Bed::new(c, bmc);
        bed.submit(1, set(b"s"), Duration::from_secs(9));
        bed.submit(2, read(b"r"), Duration::from_secs(9));
        bed.run_until(|bed| bed.results.len() == 2);
        let refused = if exact { Kind::Auth } else { Kind::Privilege };
        assert_eq!(kind(&bed.results[&1]), refused);
        assert_eq!(bed.results[&2].as_ref().unwrap().data, b"r");
        assert_eq!(bed.infos[0].privilege, Privilege::User);
        if !exact {
            // OPERATOR was not tried yet; after that the ceiling is known.
            assert_eq!(kind(&bed.ask(once(b"o"))), Kind::Privilege);
            let before = bed.sent.len();
            assert_eq!(kind(&bed.ask(once(b"o"))), Kind::Privilege);
            assert_eq!(kind(&bed.ask(set(b"s"))), Kind::Privilege);
            assert_eq!(bed.sent.len(), before);
        }
        assert!(bed.server.executed.iter().all(|(_, cmd, _)| *cmd == 0x01));
    }
}

#[test]
fn an_expected_privilege_spares_the_second_login() {
    for (planned, logins) in [(false, 2), (true, 1)] {
        let mut bed = Bed::plain(config());
        if planned {
            bed.client.expect(Privilege::Administrator);
        }
        bed.ask(read(b"r")).unwrap();
        bed.ask(set(b"s")).unwrap();
        assert_eq!(sent(&bed, RAKP1), logins);
    }
}

#[test]
fn an_account_with_less_than_expected_steps_down() {
    for exact in [false, true] {
        let oddities = responder::Oddities {
            exact_lookup: exact,
            ..responder::Oddities::default()
        };
        let bmc = responder::Config {
            oddities,
            ..responder::Config::default()
        };
        let mut c = Config::new("viewer", Secret::new("look"));
        c.quirks.name_and_privilege_lookup = exact;
        let mut bed = Bed::new(c, bmc);
        bed.client.expect(Privilege::Administrator);
        assert_eq!(bed.ask(read(b"r")).unwrap().data, b"r");
        assert_eq!(bed.infos[0].privilege, Privilege::User);
        // ADMINISTRATOR, OPERATOR, USER; where the name is said to be unknown, straight to what is needed.
        assert_eq!(sent(&bed, RAKP1), if exact { 2 } else { 3 });
    }
}

#[test]
fn privilege_alone_fails_without_a_second_login() {
    let mut bed = Bed::plain(Config::new("viewer", Secret::new("look")));
    assert_eq!(kind(&bed.ask(set(b""))), Kind::Privilege);
    assert_eq!(sent(&bed, RAKP1), 1);
    assert_eq!(bed.responder.open_sessions(), 0);
}

#[test]
fn refused_set_session_privilege_fails_those_who_need_it() {
    for code in [0x80u8, 0x81] {
        // The login is granted, the level is not: the account was changed in between.
        let mut bed = Bed::plain(config());
        bed.ask(set(b"1")).unwrap();
        bed.close();
        bed.submit(1, set(b"2"), Duration::from_secs(9));
        bed.run_until(|bed| bed.responder.open_sessions() == 1);
        bed.server.users[0].2 = Privilege::User;
        bed.submit(2, read(b"r"), Duration::from_secs(9));
        bed.run_until(|bed| bed.results.len() == 2);
        assert_eq!(kind(&bed.results[&1]), Kind::Privilege, "{code:#x}");
        assert_eq!(bed.results[&2].as_ref().unwrap().data, b"r");
    }
}

#[test]
fn downgrade_below_the_pinned_suite_is_refused_and_named() {
    let mut c = config();
    c.pinned = Some(17);
    let bmc = responder::Config {
        suites: vec![3],
        ..responder::Config::default()
    };
    let mut bed = Bed::new(c, bmc);
    let result = bed.ask(read(b""));
    assert_eq!(kind(&result), Kind::Refused);
    let text = result.unwrap_err().to_string();
    assert!(
        text.contains("cipher suite 17") && text.contains("(3)"),
        "{text}"
    );
    assert_eq!(bed.sent.len(), 1);
}

#[test]
fn downgrade_after_our_own_login_is_refused_too() {
    let mut bed = Bed::plain(config());
    bed.ask(read(b"")).unwrap();
    bed.close();
    bed.responder = responder::Responder::new(std::sync::Arc::new(responder::Config {
        suites: vec![3],
        ..responder::Config::default()
    }));
    assert_eq!(kind(&bed.ask(read(b""))), Kind::Refused);
}

#[test]
fn pinned_suite_is_tried_first_and_a_stronger_one_is_no_downgrade() {
    let mut c = config();
    c.pinned = Some(8);
    let mut bed = Bed::plain(c.clone());
    bed.ask(read(b"")).unwrap();
    assert_eq!(bed.infos[0].suite, Some(8));
    let bmc = responder::Config {
        suites: vec![17],
        ..responder::Config::default()
    };
    let mut bed = Bed::new(c, bmc);
    bed.ask(read(b"")).unwrap();
    assert_eq!(bed.infos[0].suite, Some(17));
}

#[test]
fn full_bmc_is_busy() {
    let bmc = responder::Config {
        max_sessions: 0,
        ..responder::Config::default()
    };
    let mut bed = Bed::new(config(), bmc);
    let result = bed.ask(read(b""));
    assert_eq!(kind(&result), Kind::Busy);
    assert!(
        result
            .unwrap_err()
            .chain()
            .contains("insufficient resources")
    );
    assert_eq!(bed.sent.len(), 2, "both suites were tried");
}

#[test]
fn other_algorithms_than_asked_are_not_taken() {
    // The suites' algorithm numbers are in bytes 16, 24 and 32 of the answer.
    for at in [16, 24, 32] {
        let mut bed = Bed::plain(config());
        change(&mut bed, OPEN_RESPONSE, move |bytes| patch(bytes, at, &[0]));
        let result = bed.ask(read(b""));
        assert_eq!(kind(&result), Kind::Protocol);
        assert!(result.unwrap_err().chain().contains("other algorithms"));
        assert_eq!(sent(&bed, RAKP1), 0);
    }
}

#[test]
fn session_id_zero_is_not_taken() {
    let mut bed = Bed::plain(config());
    change(&mut bed, OPEN_RESPONSE, |bytes| patch(bytes, 8, &[0; 4]));
    assert_eq!(kind(&bed.ask(read(b""))), Kind::Protocol);
}

/// Whatever does not fit the question is as if it had not come.
#[test]
fn wrong_tags_and_ids_are_ignored() {
    for (which, at) in [
        (OPEN_RESPONSE, 0),
        (OPEN_RESPONSE, 4),
        (RAKP2, 0),
        (RAKP2, 4),
        (RAKP4, 0),
        (RAKP4, 4),
    ] {
        let mut bed = Bed::plain(config());
        change(&mut bed, which, move |mut bytes| {
            bytes[16 + at] ^= 1;
            bytes
        });
        let result = bed.ask(read(b""));
        assert_eq!(kind(&result), Kind::Timeout, "{which:#x} byte {at}");
        assert!(bed.elapsed() <= Duration::from_secs(30));
        bed.close();
        assert_eq!(
            bed.responder.open_sessions(),
            0,
            "an authenticated Close follows"
        );
    }
}

#[test]
fn truncated_answers_are_named() {
    for (which, length) in [(OPEN_RESPONSE, 35), (RAKP2, 39), (RAKP4, 7)] {
        let mut bed = Bed::plain(config());
        change(&mut bed, which, move |bytes| resize(bytes, length));
        let result = bed.ask(read(b""));
        assert_eq!(kind(&result), Kind::Timeout);
        let text = result.unwrap_err().chain();
        assert!(text.contains("need") && text.contains("have"), "{text}");
        bed.close();
        assert_eq!(bed.responder.open_sessions(), 0);
    }
}

#[test]
fn short_rakp2_code_is_a_protocol_error() {
    let mut bed = Bed::plain(config());
    change(&mut bed, RAKP2, |bytes| resize(bytes, 40 + 19));
    let result = bed.ask(read(b""));
    assert_eq!(kind(&result), Kind::Protocol);
    assert!(
        result
            .unwrap_err()
            .chain()
            .contains("need 32 bytes, have 19")
    );
    assert_eq!(sent(&bed, RAKP3), 0);
}

#[test]
fn changed_random_number_guid_or_code_in_rakp2_is_an_auth_error() {
    for at in [8, 23, 24, 39, 40, 71] {
        let mut bed = Bed::plain(config());
        change(&mut bed, RAKP2, move |mut bytes| {
            bytes[16 + at] ^= 0x80;
            bytes
        });
        assert_eq!(kind(&bed.ask(read(b""))), Kind::Auth, "byte {at}");
        assert_eq!(sent(&bed, RAKP3), 0);
    }
}

#[test]
fn wrong_check_value_in_rakp4_is_refused_and_closed() {
    for length in [8, 8 + 15, 8 + 16] {
        let mut bed = Bed::plain(config());
        change(&mut bed, RAKP4, move |bytes| {
            let mut bytes = resize(bytes, length);
            if let Some(b) = bytes.get_mut(16 + 8) {
                *b ^= 1;
            }
            bytes
        });
        assert_eq!(kind(&bed.ask(read(b""))), Kind::Auth);
        bed.close();
        assert_eq!(bed.responder.open_sessions(), 0);
        assert!(bed.infos.is_empty());
    }
}

/// Each status of RAKP 2 and 4 has a kind and words; none leads to endless logins.
#[test]
fn rakp_statuses_are_mapped() {
    for which in [RAKP2, RAKP4] {
        for status in 1..=0x20u8 {
            let mut bed = Bed::plain(config());
            change(&mut bed, which, move |bytes| {
                resize(patch(bytes, 1, &[status]), 8)
            });
            let result = bed.ask(read(b""));
            let want = match status {
                0x01 | 0x0b => Kind::Busy,
                0x09 | 0x0a => Kind::Privilege,
                0x0c..=0x0f => Kind::Auth,
                0x02 | 0x08 => Kind::Protocol,
                _ => Kind::Refused,
            };
            assert_eq!(kind(&result), want, "{which:#x} {status:#x}");
            assert!(
                result
                    .unwrap_err()
                    .chain()
                    .contains(&format!("RMCP+ status {status:#04x}"))
            );
            assert!(sent(&bed, RAKP1) <= 4);
            bed.close();
            assert_eq!(bed.responder.open_sessions(), 0);
        }
    }
}

#[test]
fn attempts_have_fresh_ids_and_tags_and_repetitions_the_same_bytes() {
    let mut bed = Bed::plain(config());
    bed.mangle = Box::new(|way, bytes| match way {
        Way::ToBmc => vec![bytes],
        Way::ToClient => Vec::new(),
    });
    assert_eq!(kind(&bed.ask(read(b""))), Kind::Unreachable);
    let mut ids: Vec<[u8; 5]> = Vec::new();
    let mut runs = Vec::new();
    for bytes in &bed.sent {
        assert_eq!(payload_type(bytes), Some(0x10));
        let id: [u8; 5] = [bytes[16], bytes[20], bytes[21], bytes[22], bytes[23]];
        match ids.last() {
            Some(last) if *last == id => *runs.last_mut().unwrap() += 1,
            _ => {
                assert!(!ids.contains(&id));
                ids.push(id);
                runs.push(1);
            }
        }
    }
    assert!(ids.len() >= 2, "{ids:?}");
    assert!(runs.iter().all(|n| *n <= 4), "{runs:?}");
    assert!(
        bed.sent.len() <= 16,
        "30 s of silence cost {} datagrams",
        bed.sent.len()
    );
    assert!(
        bed.elapsed() == Duration::from_secs(30),
        "{:?}",
        bed.elapsed()
    );
}

#[test]
fn refused_port_fails_at_once() {
    let mut bed = Bed::plain(config());
    bed.submit(1, read(b""), Duration::from_secs(30));
    bed.client.handle_refused(bed.now);
    bed.run_until(|bed| bed.results.len() == 1);
    assert_eq!(kind(&bed.results[&1]), Kind::Unreachable);
    assert_eq!(bed.client.next_timeout(), None);
}

#[test]
fn lost_rakp4_leaves_no_session_behind() {
    let mut bed = Bed::plain(config());
    let mut lost = 0;
    bed.mangle = Box::new(move |way, bytes| {
        if way == Way::ToClient && payload_type(&bytes) == Some(RAKP4) && lost < 5 {
            lost += 1;
            return Vec::new();
        }
        vec![bytes]
    });
    bed.ask(read(b"a")).unwrap();
    assert_eq!(bed.server.count(Event::Opened), 2);
    bed.run_for(Duration::from_secs(5));
    assert_eq!(bed.responder.open_sessions(), 1, "the first one was closed");
    bed.close();
    assert_eq!(bed.responder.open_sessions(), 0);
}

#[test]
fn what_cannot_be_sent_is_a_config_error() {
    let long = |n| Secret::new(vec![b'x'; n]);
    let base = config;
    let cases = [
        Config {
            user: vec![b'u'; 17],
            ..base()
        },
        Config {
            password: long(21),
            ..base()
        },
        Config {
            password: long(17),
            version: Version::V1_5,
            ..base()
        },
        Config {
            kg: Some(long(21)),
            ..base()
        },
        Config {
            suites: vec![],
            ..base()
        },
        Config {
            suites: vec![17, 4],
            ..base()
        },
    ];
    for case in cases {
        let mut bed = Bed::plain(case.clone());
        assert_eq!(kind(&bed.ask(read(b""))), Kind::Config, "{case:?}");
        assert!(bed.sent.is_empty());
    }
    let mut bed = Bed::plain(Config {
        password: long(20),
        ..base()
    });
    bed.server.users[0].1 = long(20);
    bed.ask(read(b"")).unwrap();
}
