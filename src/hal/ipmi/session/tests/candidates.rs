//! Several passwords for one user: the right one is found, and no wrong one is ever sent.

use super::bed::*;
use crate::hal::error::Kind;
use crate::hal::ipmi::responder::Event;
use crate::hal::ipmi::session::{Config, Refusal};
use crate::hal::model::Secret;

fn candidates(user: &str, passwords: &[&str]) -> Config {
    let mut all = passwords.iter().map(|p| Secret::new(*p));
    let mut config = Config::new(user, all.next().unwrap());
    config.alternatives = all.collect();
    config
}

#[test]
fn the_right_one_is_taken_in_the_same_handshake() {
    for suite in [1, 3, 6, 8, 17] {
        let mut config = candidates("admin", &["calvin", "ADMIN", "secret", "x"]);
        config.suites = vec![suite];
        let mut bed = Bed::plain(config);
        assert_eq!(bed.ask(read(b"a")).unwrap().data, b"a", "suite {suite}");
        assert_eq!(bed.sent.len(), 4, "Open, RAKP 1, RAKP 3, the command");
        assert_eq!(bed.infos[0].password, 2);
        bed.close();
        assert_eq!(bed.server.count(Event::LoginFailed), 0);
        assert_eq!(bed.server.count(Event::Opened), 1);
        assert_eq!(bed.server.count(Event::Closed), 1);
        assert_eq!(
            (bed.responder.open_sessions(), bed.responder.half_open()),
            (0, 0)
        );
    }
}

#[test]
fn wrong_ones_are_never_sent() {
    let mut bed = Bed::plain(candidates("admin", &["calvin", "ADMIN", "password"]));
    let error = bed.ask(read(b"a")).unwrap_err();
    assert_eq!(error.kind(), Kind::Auth);
    assert_eq!(Refusal::find(&error), Some(Refusal::Password));
    assert!(
        error.chain().contains("none of the 3 passwords"),
        "{}",
        error.chain()
    );
    assert_eq!(bed.sent.len(), 2, "Open Session and RAKP 1");
    assert_eq!(bed.server.count(Event::LoginFailed), 0);
    assert_eq!(bed.responder.half_open(), 1);
}

#[test]
fn an_unknown_user_is_told_apart() {
    let mut bed = Bed::plain(candidates("nobody", &["a", "b"]));
    let error = bed.ask(read(b"a")).unwrap_err();
    assert_eq!(Refusal::find(&error), Some(Refusal::User));
    assert_eq!(bed.sent.len(), 2);
}

#[test]
fn the_reopened_session_takes_the_same_password() {
    let mut bed = Bed::plain(candidates("admin", &["calvin", "secret"]));
    bed.ask(read(b"a")).unwrap();
    bed.ask(set(b"b")).unwrap();
    assert_eq!(
        bed.infos.iter().map(|i| i.password).collect::<Vec<_>>(),
        [1, 1]
    );
    assert_eq!(bed.server.count(Event::LoginFailed), 0);
}
