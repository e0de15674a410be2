//! The rules of requests in a session: what is sent again and what not, cancelling, deadlines, matching.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use super::bed::*;
use crate::hal::error::Kind;
use crate::hal::ipmi::cmd::CompletionCode;
use crate::hal::ipmi::responder;
use crate::hal::ipmi::session::Phase;

/// A bed with an open session at OPERATOR level whose further answers are dropped.
fn deaf() -> Bed {
    let mut bed = Bed::plain(config());
    bed.ask(once(b"login")).unwrap();
    bed.sent.clear();
    bed.mangle = Box::new(|way, bytes| match way {
        Way::ToBmc => vec![bytes],
        Way::ToClient => Vec::new(),
    });
    bed
}

#[test]
fn once_is_repeated_byte_for_byte_and_then_indeterminate() {
    let mut bed = deaf();
    bed.submit(1, once(b"x"), Duration::from_mins(1));
    bed.run_until(|bed| bed.results.len() == 1);
    assert_eq!(kind(&bed.results[&1]), Kind::Indeterminate);
    assert_eq!(bed.sent.len(), 6);
    assert!(bed.sent.iter().all(|bytes| *bytes == bed.sent[0]));
    assert_eq!(bed.server.executions(b"x"), 1);
    assert_eq!(
        bed.client.phase(),
        Phase::Active,
        "a later read decides about the session"
    );
}

#[test]
fn once_is_indeterminate_at_its_deadline_too() {
    let mut bed = deaf();
    bed.submit(1, once(b"x"), Duration::from_millis(700));
    bed.run_until(|bed| bed.results.len() == 1);
    assert_eq!(kind(&bed.results[&1]), Kind::Indeterminate);
}

#[test]
fn read_is_sent_anew_because_bmcs_drop_numbers_they_know() {
    let mut bed = deaf();
    bed.submit(1, read(b"x"), Duration::from_mins(1));
    bed.run_until(|bed| bed.sent.len() == 4);
    assert_eq!(bed.sent[0], bed.sent[1]);
    assert_ne!(bed.sent[1], bed.sent[2]);
    assert_eq!(bed.sent[2], bed.sent[3]);
    bed.mangle = Box::new(|_, bytes| vec![bytes]);
    bed.run_until(|bed| bed.results.len() == 1);
    assert_eq!(bed.results[&1].as_ref().unwrap().data, b"x");
}

#[test]
fn once_is_not_repeated_on_a_new_session() {
    let mut bed = Bed::plain(config());
    bed.ask(once(b"login")).unwrap();
    bed.responder.reset();
    assert_eq!(kind(&bed.ask(once(b"x"))), Kind::Indeterminate);
    assert_eq!(bed.server.executions(b"x"), 0);
    assert_eq!(bed.ask(read(b"r")).unwrap().data, b"r");
    assert_eq!(bed.ask(once(b"y")).unwrap().data, b"y");
    assert_eq!(bed.server.executions(b"y"), 1);
}

#[test]
fn busy_is_asked_again_with_pauses_whatever_the_effect() {
    for request in [read(b"x"), once(b"x"), set(b"x")] {
        for code in [0xc0, 0xd2] {
            let mut bed = Bed::plain(config());
            bed.server.codes = vec![code; 5];
            let response = bed.ask(request.clone()).unwrap();
            assert!(response.code.is_ok());
            assert_eq!(bed.server.executions(b"x"), 1);
            assert!(bed.elapsed() > Duration::from_millis(250 + 500 + 1000 + 2000 + 2000));
        }
    }
}

#[test]
fn busy_for_ever_is_told_before_the_deadline() {
    let mut bed = Bed::plain(config());
    bed.server.codes = vec![0xc0; 1000];
    let response = bed.ask(read(b"x")).unwrap();
    assert_eq!(response.code, CompletionCode::NODE_BUSY);
    assert!(bed.elapsed() <= Duration::from_secs(30));
    assert!(bed.server.codes.len() > 950, "{}", bed.server.codes.len());
}

/// Found by fuzzing: a pause that ends while nothing can be sent is not a reason to be called again at once.
#[test]
fn next_timeout_is_never_in_the_past() {
    let mut bed = Bed::plain(config());
    bed.ask(read(b"login")).unwrap();
    bed.server.codes = vec![0xc0];
    bed.submit(1, read(b"paused"), Duration::from_mins(1));
    bed.run_until(|bed| bed.server.codes.is_empty());
    bed.run_for(Duration::from_millis(50));
    bed.mangle = Box::new(|_, _| Vec::new());
    bed.submit(2, read(b"unanswered"), Duration::from_mins(1));
    let mut calls = 0;
    while let Some(at) = bed.client.next_timeout() {
        assert!(calls == 0 || at > bed.now, "call {calls}");
        calls += 1;
        assert!(calls < 100, "{calls} calls in {:?}", bed.elapsed());
        bed.now = at;
        bed.client.handle_timeout(at);
        while bed.client.poll().is_some() {}
        if bed.elapsed() > Duration::from_secs(70) {
            break;
        }
    }
}

#[test]
fn timeout_inside_the_bmc_is_asked_again_unless_once() {
    let mut bed = Bed::plain(config());
    bed.server.codes = vec![0xc3];
    assert!(bed.ask(read(b"x")).unwrap().code.is_ok());
    bed.server.codes = vec![0xc3];
    assert_eq!(bed.ask(once(b"y")).unwrap().code, CompletionCode::TIMEOUT);
    assert_eq!(bed.server.executions(b"y"), 0);
}

#[test]
fn duplicate_code_is_no_answer() {
    let mut bed = Bed::plain(config());
    bed.ask(read(b"login")).unwrap();
    bed.server.codes = vec![0xcf];
    assert_eq!(bed.ask(read(b"x")).unwrap().data, b"x");
}

#[test]
fn other_codes_are_answers() {
    for code in [0xc1, 0xc9, 0xcb, 0xd4, 0xff, 0x80] {
        let mut bed = Bed::plain(config());
        bed.server.codes = vec![code];
        assert_eq!(bed.ask(read(b"x")).unwrap().code, CompletionCode(code));
    }
}

#[test]
fn answers_of_other_requests_are_not_taken() {
    let oddities = responder::Oddities {
        stale_reply: true,
        ..responder::Oddities::default()
    };
    let bmc = responder::Config {
        oddities,
        ..responder::Config::default()
    };
    let mut bed = Bed::new(config(), bmc);
    for n in 0..70 {
        assert_eq!(bed.ask(read(&[n])).unwrap().data, [n]);
    }
}

#[test]
fn replayed_answers_are_not_taken() {
    let mut bed = Bed::plain(config());
    let kept: Rc<RefCell<Vec<Vec<u8>>>> = Rc::default();
    let store = Rc::clone(&kept);
    bed.mangle = Box::new(move |way, bytes| {
        if way == Way::ToClient {
            store.borrow_mut().push(bytes.clone());
        }
        vec![bytes]
    });
    bed.ask(read(b"first")).unwrap();
    let old = kept.borrow().last().unwrap().clone();
    // The same rqSeq comes round again after 64 requests: the old answer would fit but for its number.
    for n in 0..63 {
        bed.ask(read(&[n])).unwrap();
    }
    bed.submit(1, read(b"second"), Duration::from_secs(5));
    bed.client.handle_datagram(bed.now, &old);
    bed.run_until(|bed| bed.results.len() == 1);
    assert_eq!(bed.results[&1].as_ref().unwrap().data, b"second");
}

#[test]
fn unprotected_answers_are_not_taken() {
    let mut bed = Bed::plain(config());
    bed.ask(read(b"login")).unwrap();
    let id = bed.sent[0][20..24].to_vec();
    let seq = 1u8 << 2;
    let mut forged = vec![6, 0, 0xff, 7, 6, 0];
    forged.extend(&id);
    forged.extend([2, 0, 0, 0]);
    let message = crate::hal::ipmi::wire::LanMessage {
        to: 0x81,
        netfn: crate::hal::ipmi::cmd::NetFn(7),
        to_lun: 0,
        from: 0x20,
        seq: seq >> 2,
        from_lun: 0,
        cmd: 1,
        data: b"\0forged".to_vec(),
    }
    .to_vec();
    forged.extend((message.len() as u16).to_le_bytes());
    forged.extend(&message);
    bed.submit(1, read(b"true"), Duration::from_secs(5));
    bed.client.handle_datagram(bed.now, &forged);
    bed.run_until(|bed| bed.results.len() == 1);
    assert_eq!(bed.results[&1].as_ref().unwrap().data, b"true");
}

#[test]
fn cancel_before_the_session_is_open_ends_the_login() {
    let mut bed = Bed::plain(config());
    bed.submit(1, once(b"x"), Duration::from_secs(30));
    bed.run_for(Duration::from_millis(15));
    bed.client.cancel(bed.now, 1);
    bed.run_until(|bed| bed.results.len() == 1);
    assert_eq!(kind(&bed.results[&1]), Kind::Cancelled);
    bed.run_for(Duration::from_secs(5));
    assert_eq!(bed.client.phase(), Phase::Idle);
    assert_eq!(bed.server.executions(b"x"), 0);
    assert_eq!(bed.responder.open_sessions(), 0);
}

#[test]
fn cancel_after_rakp3_closes_what_was_opened() {
    let mut bed = Bed::plain(config());
    bed.submit(1, read(b"x"), Duration::from_secs(30));
    bed.run_until(|bed| bed.responder.open_sessions() == 1);
    bed.client.cancel(bed.now, 1);
    bed.run_until(|bed| bed.client.phase() == Phase::Idle);
    assert_eq!(bed.responder.open_sessions(), 0);
}

#[test]
fn cancelled_read_fails_at_once_and_a_begun_write_runs_on() {
    let mut bed = Bed::plain(config());
    bed.ask(once(b"login")).unwrap();
    bed.submit(1, read(b"r"), Duration::from_secs(30));
    bed.client.cancel(bed.now, 1);
    bed.submit(2, once(b"w"), Duration::from_secs(30));
    assert_eq!(kind(&bed.results[&1]), Kind::Cancelled);
    bed.client.cancel(bed.now, 2);
    bed.run_until(|bed| bed.results.len() == 2);
    assert_eq!(bed.results[&2].as_ref().unwrap().data, b"w");
}

#[test]
fn close_waits_for_begun_writes_only() {
    let mut bed = Bed::plain(config());
    bed.ask(once(b"login")).unwrap();
    bed.submit(1, once(b"w"), Duration::from_secs(30));
    bed.submit(2, once(b"never"), Duration::from_secs(30));
    bed.submit(3, read(b"never"), Duration::from_secs(30));
    bed.close();
    assert_eq!(bed.results[&1].as_ref().unwrap().data, b"w");
    assert_eq!(kind(&bed.results[&2]), Kind::Cancelled);
    assert_eq!(kind(&bed.results[&3]), Kind::Cancelled);
    assert_eq!(bed.server.executions(b"never"), 0);
    assert_eq!(bed.responder.open_sessions(), 0);
    assert_eq!(bed.closed, 1);
    // And a request after that opens a new session.
    assert_eq!(bed.ask(read(b"again")).unwrap().data, b"again");
}

#[test]
fn close_is_tried_three_times() {
    let mut bed = deaf();
    bed.close();
    assert_eq!(bed.sent.len(), 3);
    assert_eq!(bed.closed, 1);
    assert_eq!(bed.client.next_timeout(), None);
}

#[test]
fn deadline_is_kept_in_every_state() {
    for millis in [1, 15, 35, 55, 75, 79] {
        let mut bed = Bed::plain(config());
        bed.submit(1, read(b"x"), Duration::from_millis(millis));
        bed.run_until(|bed| bed.results.len() == 1);
        assert_eq!(bed.elapsed(), Duration::from_millis(millis));
        let want = if millis < 20 {
            Kind::Unreachable
        } else {
            Kind::Timeout
        };
        assert_eq!(kind(&bed.results[&1]), want, "{millis} ms");
        bed.close();
        assert_eq!(bed.responder.open_sessions(), 0, "{millis} ms");
    }
}

#[test]
fn garbage_changes_nothing() {
    let mut bed = Bed::plain(config());
    bed.ask(read(b"login")).unwrap();
    let mut rng = Rng(5);
    for n in 0..2000usize {
        let mut bytes = vec![0; n % 200];
        crate::hal::ipmi::session::Entropy::fill(&mut rng, &mut bytes);
        if n % 2 == 0 {
            for (to, from) in bytes.iter_mut().zip([6, 0, 0xff, 7, 6, 0xc0]) {
                *to = from;
            }
        }
        bed.client.handle_datagram(bed.now, &bytes);
    }
    bed.client.handle_datagram(bed.now, &vec![6; 70_000]);
    assert_eq!(bed.ask(read(b"x")).unwrap().data, b"x");
}
