//! IPMI 1.5.

use super::bed::*;
use crate::hal::error::Kind;
use crate::hal::ipmi::responder::{self, Event};
use crate::hal::ipmi::session::{Config, Version};
use crate::hal::ipmi::wire::v15::AuthType;
use crate::hal::model::Secret;

pub fn config15() -> Config {
    Config {
        version: Version::V1_5,
        ..config()
    }
}

#[test]
fn every_authentication_type_works() {
    for auth_type in [
        AuthType::None,
        AuthType::Straight,
        AuthType::Md2,
        AuthType::Md5,
    ] {
        let mut c = config15();
        c.auth_types = vec![auth_type];
        let mut bed = Bed::plain(c);
        for n in 0..40 {
            assert_eq!(
                bed.ask(read(&[n; 20])).unwrap().data,
                [n; 20],
                "{auth_type:?}"
            );
        }
        bed.ask(set(b"s")).unwrap();
        assert_eq!(bed.infos[0].suite, None);
        bed.close();
        assert_eq!(bed.responder.open_sessions(), 0);
        assert_eq!(bed.server.count(Event::LoginFailed), 0);
    }
}

#[test]
fn read_costs_four_round_trips() {
    let mut bed = Bed::plain(config15());
    bed.ask(read(b"a")).unwrap();
    assert_eq!(bed.sent.len(), 4);
    bed.ask(read(b"b")).unwrap();
    assert_eq!(bed.sent.len(), 5);
}

#[test]
fn next_type_when_the_first_is_not_offered() {
    let bmc = responder::Config {
        auth_types: 1 << 1,
        ..responder::Config::default()
    };
    let mut bed = Bed::new(config15(), bmc);
    bed.ask(read(b"a")).unwrap();
    let bmc = responder::Config {
        auth_types: 1 << 4,
        ..responder::Config::default()
    };
    let mut bed = Bed::new(config15(), bmc);
    let result = bed.ask(read(b"a"));
    assert_eq!(kind(&result), Kind::Refused);
    for bytes in &bed.sent {
        assert!(
            !bytes.windows(6).any(|w| w == b"secret"),
            "the password in the clear"
        );
    }
}

#[test]
fn wrong_password_is_tried_once() {
    let mut c = config15();
    c.password = Secret::new("wrong");
    let mut bed = Bed::plain(c);
    let result = bed.ask(read(b"a"));
    assert_eq!(kind(&result), Kind::Auth);
    assert!(result.unwrap_err().chain().contains("Activate Session"));
    assert_eq!(bed.server.count(Event::LoginFailed), 1);
}

#[test]
fn unknown_user_is_named() {
    let mut c = config15();
    c.user = b"nobody".to_vec();
    let mut bed = Bed::plain(c);
    assert_eq!(kind(&bed.ask(read(b"a"))), Kind::Auth);
}

#[test]
fn full_bmc_is_busy() {
    let bmc = responder::Config {
        max_sessions: 0,
        ..responder::Config::default()
    };
    let mut bed = Bed::new(config15(), bmc);
    assert_eq!(kind(&bed.ask(read(b"a"))), Kind::Busy);
}

#[test]
fn account_with_less_privilege_serves_what_it_may() {
    let mut c = config15();
    c.user = b"viewer".to_vec();
    c.password = Secret::new("look");
    let mut bed = Bed::plain(c);
    assert_eq!(kind(&bed.ask(set(b"s"))), Kind::Privilege);
    assert_eq!(bed.ask(read(b"r")).unwrap().data, b"r");
}

#[test]
fn forged_answers_are_not_taken() {
    let mut bed = Bed::plain(config15());
    bed.ask(read(b"login")).unwrap();
    bed.mangle = Box::new(|way, mut bytes| {
        // Byte 13 is the first of the code: it no longer fits.
        if way == Way::ToClient {
            bytes[13] ^= 1;
        }
        vec![bytes]
    });
    bed.submit(1, read(b"x"), std::time::Duration::from_secs(3));
    bed.run_until(|bed| bed.results.len() == 1);
    assert_eq!(kind(&bed.results[&1]), Kind::Timeout);
}
