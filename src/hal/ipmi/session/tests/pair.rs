//! What works: all suites, all privileges, K_G, few round trips, sessions that are kept and closed.

use std::time::Duration;

use super::bed::*;
use crate::hal::error::Kind;
use crate::hal::ipmi::cmd::Privilege;
use crate::hal::ipmi::crypto::CipherSuite;
use crate::hal::ipmi::responder::{self, Event};
use crate::hal::ipmi::session::Phase;
use crate::hal::model::Secret;

#[test]
fn read_costs_four_round_trips_then_one() {
    let mut bed = Bed::plain(config());
    assert_eq!(bed.client.phase(), Phase::Idle);
    assert_eq!(bed.ask(read(b"a")).unwrap().data, b"a");
    assert_eq!(bed.sent.len(), 4, "Open, RAKP 1, RAKP 3, the command");
    assert_eq!(bed.elapsed(), Duration::from_millis(80));
    assert_eq!(bed.client.phase(), Phase::Active);
    bed.ask(read(b"b")).unwrap();
    assert_eq!(bed.sent.len(), 5);
    let info = bed.client.info().unwrap();
    assert_eq!(info.suite, Some(17));
    assert_eq!(info.privilege, Privilege::User);
    assert_eq!(info.guid, Some([7; 16]));
    assert_eq!(bed.infos, [info]);
    bed.close();
    assert_eq!(bed.sent.len(), 6);
    assert_eq!(bed.closed, 1);
    assert_eq!(bed.responder.open_sessions(), 0);
    assert_eq!(bed.server.count(Event::Closed), 1);
    assert_eq!(bed.client.next_timeout(), None);
}

#[test]
fn higher_privilege_costs_one_more_and_reopens_when_needed_later() {
    let mut bed = Bed::plain(config());
    bed.ask(once(b"x")).unwrap();
    assert_eq!(bed.sent.len(), 5);
    assert_eq!(bed.infos[0].privilege, Privilege::Operator);
    bed.ask(read(b"r")).unwrap();
    assert_eq!(bed.sent.len(), 6, "the level serves lower requests too");
    bed.ask(set(b"s")).unwrap();
    assert_eq!(bed.infos[1].privilege, Privilege::Administrator);
    assert_eq!(
        bed.sent.len(),
        6 + 1 + 5,
        "Close, and a new login with one level more"
    );
    assert_eq!(bed.server.count(Event::Opened), 2);
    assert_eq!(bed.responder.open_sessions(), 1);
    bed.close();
    assert_eq!(bed.responder.open_sessions(), 0);
}

#[test]
fn waiting_requests_share_one_login_at_the_highest_level() {
    let mut bed = Bed::plain(config());
    for token in 0..3 {
        let request = [read(b"0"), set(b"1"), once(b"2")][token].clone();
        bed.submit(token as u64, request, Duration::from_secs(5));
    }
    bed.run_until(|bed| bed.results.len() == 3);
    // The first request began the login before the others came.
    assert_eq!(bed.server.count(Event::Opened), 2);
    for token in 0..3u64 {
        assert_eq!(
            bed.results[&token].as_ref().unwrap().data,
            token.to_string().as_bytes()
        );
    }
}

#[test]
fn fixed_level_is_used_for_everything() {
    let mut bed = Bed::plain(crate::hal::ipmi::session::Config {
        privilege: Some(Privilege::Administrator),
        ..config()
    });
    bed.ask(read(b"a")).unwrap();
    assert_eq!(bed.infos[0].privilege, Privilege::Administrator);
    assert_eq!(bed.sent.len(), 5);
}

#[test]
fn every_suite_works_when_listed() {
    for suite in CipherSuite::ALL {
        for kg in [None, Some(Secret::new("a BMC key of 20 byte"))] {
            let mut c = config();
            c.suites = vec![suite.id];
            c.kg.clone_from(&kg);
            let mut bed = Bed::plain(c);
            bed.server.kg = kg;
            for n in 0..40u8 {
                let data = vec![n; usize::from(n)];
                assert_eq!(
                    bed.ask(read(&data)).unwrap().data,
                    data,
                    "suite {}",
                    suite.id
                );
            }
            bed.ask(set(b"admin")).unwrap();
            assert_eq!(bed.infos[0].suite, Some(suite.id));
            bed.close();
            assert_eq!(bed.responder.open_sessions(), 0, "suite {}", suite.id);
        }
    }
}

#[test]
fn suites_0_and_1_are_never_chosen_by_themselves() {
    for pinned in [None, Some(0), Some(1)] {
        let mut c = config();
        c.pinned = pinned;
        let bmc = responder::Config {
            suites: vec![0, 1],
            ..responder::Config::default()
        };
        let mut bed = Bed::new(c, bmc);
        assert_eq!(kind(&bed.ask(read(b""))), Kind::Refused);
        assert_eq!(bed.sent.len(), 2);
    }
}

#[test]
fn next_suite_after_any_refusal_costs_one_round_trip() {
    use crate::hal::ipmi::wire::rakp::RakpStatus;
    for status in 1..=0x20 {
        let bmc = responder::Config {
            suites: vec![3],
            refusal: RakpStatus(status),
            ..responder::Config::default()
        };
        let mut bed = Bed::new(config(), bmc);
        bed.ask(read(b"a")).unwrap();
        assert_eq!(bed.infos[0].suite, Some(3));
        assert_eq!(bed.sent.len(), 5);
        // What worked is remembered: the next login begins with it.
        bed.close();
        let before = bed.sent.len();
        bed.ask(read(b"b")).unwrap();
        assert_eq!(bed.sent.len() - before, 4);
    }
}

#[test]
fn pipelines_up_to_the_window() {
    for window in [1u8, 2, 8] {
        let mut c = config();
        c.window = window;
        let mut bed = Bed::plain(c);
        bed.ask(read(b"login")).unwrap();
        let before = bed.now;
        for token in 0..24 {
            bed.submit(token, read(&[token as u8]), Duration::from_secs(30));
        }
        bed.run_until(|bed| bed.results.len() == 24);
        let rounds = 24 / u32::from(window);
        assert_eq!(bed.now - before, Duration::from_millis(20) * rounds);
        for token in 0..24u64 {
            assert_eq!(bed.results[&token].as_ref().unwrap().data, [token as u8]);
        }
        assert_eq!(bed.server.executed.len(), 25);
    }
}

#[test]
fn keepalive_keeps_an_idle_session() {
    let mut c = config();
    c.keepalive = Some(Duration::from_hours(1));
    let mut bed = Bed::plain(c);
    bed.ask(read(b"a")).unwrap();
    let before = bed.sent.len();
    bed.run_for(Duration::from_mins(10));
    let sent = bed.sent.len() - before;
    assert!((19..=20).contains(&sent), "every 30 s at most: {sent}");
    bed.ask(read(b"b")).unwrap();
    assert_eq!(bed.server.count(Event::Opened), 1);
    assert_eq!(bed.server.count(Event::Expired), 0);
}

#[test]
fn session_that_the_bmc_lost_is_opened_again_for_reads() {
    let mut bed = Bed::plain(config());
    bed.ask(read(b"a")).unwrap();
    bed.responder.reset();
    assert_eq!(bed.ask(read(b"b")).unwrap().data, b"b");
    assert_eq!(bed.infos.len(), 2);
    bed.close();
    assert_eq!(bed.responder.open_sessions(), 0);
}

#[test]
fn lost_keepalive_ends_in_closed() {
    let mut c = config();
    c.keepalive = Some(Duration::from_secs(10));
    let mut bed = Bed::plain(c);
    bed.ask(read(b"a")).unwrap();
    bed.responder.reset();
    bed.run_for(Duration::from_mins(2));
    assert_eq!(bed.closed, 1);
    assert_eq!(bed.client.phase(), Phase::Idle);
    assert_eq!(bed.client.next_timeout(), None);
}

#[test]
fn close_while_idle_says_closed_at_once() {
    let mut bed = Bed::plain(config());
    bed.close();
    assert_eq!(bed.closed, 1);
    assert!(bed.sent.is_empty());
}
