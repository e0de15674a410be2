//! A network that loses, doubles, reorders and corrupts. Every request gets its own answer or a clear error,
//! nothing that must not run twice does, and no session stays open.

use std::time::Duration;

use super::bed::*;
use crate::hal::error::Kind;
use crate::hal::ipmi::responder;
use crate::hal::ipmi::session::{Config, Phase};

fn run(config: Config, faults: Faults, seed: u64) -> (usize, usize) {
    let mut bed = Bed::seeded(config, responder::Config::default(), seed);
    bed.faults = faults;
    let mut good = 0;
    for round in 0..6u8 {
        for n in 0..4u8 {
            let token = u64::from(round) * 4 + u64::from(n);
            let data = [round, n, 0x55];
            let request = match n {
                0 | 1 => read(&data),
                2 => once(&data),
                _ => set(&data),
            };
            bed.submit(token, request, Duration::from_mins(1));
        }
        bed.run_until(|bed| bed.results.len() == 4);
        for (token, result) in std::mem::take(&mut bed.results) {
            let data = [round, (token % 4) as u8, 0x55];
            let executions = bed.server.executions(&data);
            if token % 4 == 2 {
                assert!(
                    executions <= 1,
                    "seed {seed}: {token} ran {executions} times"
                );
            }
            match result {
                Ok(response) => {
                    assert_eq!(response.data, data, "seed {seed}: {token}");
                    assert!(response.code.is_ok());
                    assert!(executions >= 1);
                    good += 1;
                }
                Err(error) => {
                    // A changed answer before the session is authenticated can be anything.
                    let kinds = if faults.corruption == 0 {
                        &[Kind::Timeout, Kind::Indeterminate][..]
                    } else {
                        &[
                            Kind::Timeout,
                            Kind::Indeterminate,
                            Kind::Auth,
                            Kind::Refused,
                            Kind::Busy,
                            Kind::Privilege,
                            Kind::Protocol,
                        ][..]
                    };
                    assert!(kinds.contains(&error.kind()), "seed {seed}: {error:?}");
                }
            }
        }
    }
    // The network heals before the end, so that Close gets through.
    bed.faults = Faults::default();
    bed.close();
    assert_eq!(bed.client.phase(), Phase::Idle);
    assert_eq!(bed.client.next_timeout(), None);
    (good, bed.responder.open_sessions())
}

#[test]
fn thirty_percent_loss_duplication_and_reordering() {
    let faults = Faults {
        loss: 30,
        duplication: 30,
        reordering: 30,
        corruption: 0,
    };
    let mut good = 0;
    let mut left = 0;
    for seed in 0..60 {
        let mut c = config();
        c.window = 1 + (seed % 8) as u8;
        c.suites = vec![[17, 3, 8, 12, 2, 7][seed as usize % 6]];
        let (answered, open) = run(c, faults, seed);
        good += answered;
        left += open;
    }
    assert!(good > 60 * 24 * 90 / 100, "{good} of {}", 60 * 24);
    // Three Close Sessions through 30 % loss can all get lost, and with them the session.
    assert!(left <= 3, "{left} sessions left open");
}

#[test]
fn corruption_never_becomes_an_answer() {
    let faults = Faults {
        loss: 5,
        duplication: 5,
        reordering: 5,
        corruption: 30,
    };
    let mut good = 0;
    for seed in 100..140 {
        good += run(config(), faults, seed).0;
    }
    assert!(good > 40 * 24 / 2, "{good}");
}

#[test]
fn five_percent_loss_fails_nothing() {
    let faults = Faults {
        loss: 5,
        ..Faults::default()
    };
    for seed in 0..100 {
        let mut bed = Bed::seeded(config(), responder::Config::default(), seed);
        bed.faults = faults;
        for n in 0..10 {
            assert_eq!(bed.ask(read(&[n])).unwrap().data, [n], "seed {seed}");
        }
        bed.close();
        assert_eq!(bed.responder.open_sessions(), 0, "seed {seed}");
    }
}

#[test]
fn reordering_and_duplication_alone_cost_no_answer() {
    let faults = Faults {
        duplication: 50,
        reordering: 50,
        ..Faults::default()
    };
    for seed in 0..40 {
        let mut c = config();
        c.window = 8;
        let (good, open) = run(c, faults, seed);
        assert_eq!((good, open), (24, 0), "seed {seed}");
    }
}

#[test]
fn ipmi_15_survives_as_well() {
    let faults = Faults {
        loss: 10,
        duplication: 20,
        reordering: 20,
        corruption: 0,
    };
    let mut good = 0;
    for seed in 0..40 {
        let mut c = config();
        c.version = crate::hal::ipmi::session::Version::V1_5;
        let mut bed = Bed::seeded(c, responder::Config::default(), seed);
        bed.faults = faults;
        for n in 0..10 {
            match bed.ask(read(&[n])) {
                Ok(response) => {
                    assert_eq!(response.data, [n]);
                    good += 1;
                }
                Err(e) => assert!(matches!(e.kind(), Kind::Timeout | Kind::Auth), "{e:?}"),
            }
        }
        bed.faults = Faults::default();
        bed.close();
    }
    assert!(good > 360, "{good}");
}
