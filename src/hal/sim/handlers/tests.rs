//! Handlers against anything: no command of any length may panic, on any profile.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use fastrand::Rng;

use super::*;
use crate::hal::ipmi::cmd::Privilege;
use crate::hal::model::Secret;
use crate::hal::sim::profile::{Profile, ProfileName};
use crate::hal::sim::state::{Clock, Users};

fn server(name: ProfileName) -> Server {
    let profile = Arc::new(Profile::new(name));
    let users = Users::new(&profile.users, "admin", &Secret::new("admin"));
    let clock = Clock {
        origin: Instant::now(),
        unix: 1_735_689_600,
    };
    let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
    Server::new(&profile, 0, address, &users, clock)
}

fn run(server: &mut Server, now: Instant, netfn: u8, cmd: u8, data: &[u8]) -> Answer {
    let caller = Caller {
        user: 2,
        session: 1,
        privilege: Privilege::Administrator,
        channel: 1,
    };
    let order = Order {
        netfn: NetFn(netfn),
        lun: 0,
        cmd,
        data,
    };
    execute(server, now, &caller, order)
}

#[test]
fn every_command_bears_every_length() {
    let mut rng = Rng::with_seed(1);
    for name in ProfileName::ALL {
        let mut server = server(name);
        let mut now = server.clock.origin;
        for netfn in [0x00, 0x04, 0x06, 0x0a, 0x0c, 0x2c, 0x2e, 0x30] {
            for cmd in 0..=0xff {
                for length in 0..24 {
                    let mut data = vec![0; length];
                    rng.fill(&mut data);
                    // Small numbers reach more: ids, parameters, channels.
                    for byte in &mut data {
                        if rng.bool() {
                            *byte &= 0x07;
                        }
                    }
                    if netfn == 0x2c
                        && let Some(group) = data.first_mut()
                    {
                        *group = 0xdc;
                    }
                    now += Duration::from_millis(7);
                    run(&mut server, now, netfn, cmd, &data);
                }
            }
        }
        assert!(server.sel.entries().len() <= server.profile.sel_capacity);
        assert!(server.dcmi.asset_tag.len() <= 64);
    }
}

#[test]
fn power_takes_its_time() {
    let mut server = server(ProfileName::Generic);
    let start = server.clock.origin;
    let at = |ms| start + Duration::from_millis(ms);
    let is_on = |server: &mut Server, now| match run(server, now, 0, 1, &[]) {
        Answer::Reply(CompletionCode::OK, data) => data[0] & 1 == 1,
        other => panic!("{other:?}"),
    };
    run(&mut server, at(0), 0, 2, &[2]);
    assert!(is_on(&mut server, at(10)));
    assert!(!is_on(&mut server, at(60)), "between the halves of a cycle");
    assert!(is_on(&mut server, at(2100)));
    run(&mut server, at(2200), 0, 2, &[0]);
    assert!(!is_on(&mut server, at(2300)));
    // A reset of a server that is off is refused.
    assert_eq!(
        run(&mut server, at(2400), 0, 2, &[3]),
        Answer::code(CompletionCode::NOT_IN_PRESENT_STATE)
    );
    // Fans have nothing to say without power.
    match run(&mut server, at(2400), 4, 0x2d, &[0x11]) {
        Answer::Reply(CompletionCode::OK, data) => assert_eq!(data[1] & 0x20, 0x20),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_watchdog_bites() {
    let mut server = server(ProfileName::Generic);
    let start = server.clock.origin;
    // Power down after 1 s.
    run(&mut server, start, 6, 0x24, &[4, 2, 0, 0, 10, 0]);
    run(&mut server, start, 6, 0x22, &[]);
    server.tick(start + Duration::from_millis(900));
    assert!(server.power.on);
    server.tick(start + Duration::from_secs(1));
    server.tick(start + Duration::from_millis(1100));
    assert!(!server.power.on);
    assert_eq!(server.power.restart_cause, 4);
}
