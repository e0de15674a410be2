//! The client's session against a BMC whose answers are lost, doubled, reordered, changed, cut or replaced by rubbish, as
//! the input says. No panic, bounded output, and every request is answered or failed in the end.
#![no_main]

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use halbox::hal::ipmi::cmd::{Effect, NetFn, Privilege};
use halbox::hal::ipmi::exchange::{Request, Target};
use halbox::hal::ipmi::responder::Config as BmcConfig;
use halbox::hal::ipmi::session::{Config, Output, Session, Version};
use halbox::hal::model::Secret;
use halbox_fuzz::{Counter, Script, Served};
use libfuzzer_sys::fuzz_target;

fn request(script: &mut Script<'_>) -> Request {
    let write = script.byte() & 1 == 1;
    Request {
        target: Target::Bmc,
        lun: 0,
        netfn: NetFn::APP,
        cmd: 0x01,
        data: script.bytes(4).to_vec(),
        privilege: if write {
            Privilege::Operator
        } else {
            Privilege::User
        },
        effect: if write { Effect::Once } else { Effect::Read },
        name: "fuzz",
    }
}

fuzz_target!(|data: &[u8]| {
    let mut script = Script(data);
    let choice = script.byte();
    let mut config = Config::new(
        "admin",
        Secret::new(if choice & 0x80 == 0 {
            "secret"
        } else {
            "wrong"
        }),
    );
    config.version = if choice & 1 == 0 {
        Version::V2_0
    } else {
        Version::V1_5
    };
    config.suites = match choice >> 1 & 3 {
        0 => vec![17, 3],
        1 => vec![3],
        2 => vec![0],
        _ => vec![8, 12, 2],
    };
    config.window = 1 + (choice >> 4 & 3);
    let mut now = Instant::now();
    let mut session = Session::new(config, Box::new(Counter(1)));
    let mut bmc = Served::new(BmcConfig::default());
    let mut open: BTreeSet<u64> = BTreeSet::new();
    let mut wire: Vec<Vec<u8>> = Vec::new();
    let mut sent = 0usize;
    let end = now + Duration::from_secs(60);

    for token in 0..3 {
        session.submit(
            now,
            token,
            request(&mut script),
            now + Duration::from_secs(20),
        );
        open.insert(token);
    }
    let mut steps = 0;
    while steps < 400 {
        steps += 1;
        while let Some(output) = session.poll() {
            match output {
                Output::Send(bytes) => {
                    sent += 1;
                    assert!(bytes.len() < 1500);
                    let answers = bmc.ask(now, &bytes);
                    wire.extend(answers);
                }
                Output::Reply { token, .. } | Output::Failed { token, .. } => {
                    assert!(open.remove(&token), "token {token} answered twice");
                }
                _ => {}
            }
        }
        assert!(sent < 2000, "{sent} datagrams for three requests");
        wire.truncate(64);
        if script.is_empty() {
            // The rest of the run is without faults: it must come to an end.
            if let Some(bytes) = wire.pop() {
                session.handle_datagram(now, &bytes);
            } else if let Some(at) = session.next_timeout().filter(|at| *at < end) {
                now = now.max(at);
                session.handle_timeout(now);
            } else {
                break;
            }
            continue;
        }
        let op = script.byte();
        let pick = |wire: &mut Vec<Vec<u8>>| {
            (!wire.is_empty()).then(|| wire.remove(usize::from(op >> 4) % wire.len()))
        };
        match op & 7 {
            0 | 1 => {
                if let Some(bytes) = pick(&mut wire) {
                    session.handle_datagram(now, &bytes);
                }
            }
            2 => drop(pick(&mut wire)),
            3 => {
                if let Some(bytes) = pick(&mut wire) {
                    session.handle_datagram(now, &bytes);
                    session.handle_datagram(now, &bytes);
                }
            }
            4 => {
                if let Some(mut bytes) = pick(&mut wire).filter(|b| !b.is_empty()) {
                    let at = usize::from(script.byte()) % bytes.len();
                    bytes[at] ^= script.byte();
                    session.handle_datagram(now, &bytes);
                }
            }
            5 => {
                if let Some(mut bytes) = pick(&mut wire).filter(|b| !b.is_empty()) {
                    bytes.truncate(usize::from(script.byte()) % bytes.len());
                    session.handle_datagram(now, &bytes);
                }
            }
            6 => {
                let n = usize::from(op >> 3);
                session.handle_datagram(now, script.bytes(n));
            }
            _ => {
                if let Some(at) = session.next_timeout() {
                    now = now.max(at);
                    session.handle_timeout(now);
                }
                match op >> 4 {
                    0 => session.handle_refused(now),
                    1 => session.cancel(now, 1),
                    2 => session.close(now),
                    _ => {}
                }
            }
        }
    }
    session.close(now);
    while let Some(output) = session.poll() {
        if let Output::Reply { token, .. } | Output::Failed { token, .. } = output {
            assert!(open.remove(&token));
        }
    }
    let mut more = 0;
    while let Some(at) = session.next_timeout() {
        more += 1;
        assert!(more < 200, "a closed session does not come to rest");
        now = now.max(at);
        session.handle_timeout(now);
        while let Some(output) = session.poll() {
            if let Output::Reply { token, .. } | Output::Failed { token, .. } = output {
                assert!(open.remove(&token));
            }
        }
    }
    assert!(open.is_empty(), "no answer for {open:?}");
});
