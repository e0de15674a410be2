//! The BMC's half against rubbish and against changed datagrams of a real client.
#![no_main]

use std::time::{Duration, Instant};

use halbox::hal::ipmi::cmd::{Effect, NetFn, Privilege};
use halbox::hal::ipmi::exchange::{Request, Target};
use halbox::hal::ipmi::responder::Config as BmcConfig;
use halbox::hal::ipmi::session::{Config, Output, Session};
use halbox::hal::model::Secret;
use halbox_fuzz::{Counter, Script, Served};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut script = Script(data);
    let mut now = Instant::now();
    let mut bmc = Served::new(BmcConfig::default());
    let mut session = Session::new(
        Config::new("admin", Secret::new("secret")),
        Box::new(Counter(1)),
    );
    let request = Request {
        target: Target::Bmc,
        lun: 0,
        netfn: NetFn::APP,
        cmd: 0x01,
        data: Vec::new(),
        privilege: Privilege::User,
        effect: Effect::Read,
        name: "fuzz",
    };
    session.submit(now, 0, request, now + Duration::from_secs(20));
    let mut steps = 0;
    while !script.is_empty() && steps < 300 {
        steps += 1;
        match session.poll() {
            Some(Output::Send(mut bytes)) => {
                let op = script.byte();
                if op & 1 == 1 && !bytes.is_empty() {
                    let at = usize::from(script.byte()) % bytes.len();
                    bytes[at] ^= script.byte();
                }
                if op & 2 == 2 {
                    bytes.truncate(bytes.len() - usize::from(op >> 2) % bytes.len().max(1));
                }
                for answer in bmc.ask(now, &bytes) {
                    session.handle_datagram(now, &answer);
                }
            }
            Some(_) => {}
            None => {
                let n = usize::from(script.byte());
                bmc.ask(now, script.bytes(n));
                match session.next_timeout() {
                    Some(at) => {
                        now = now.max(at);
                        session.handle_timeout(now);
                    }
                    None => now += Duration::from_millis(100),
                }
            }
        }
        let config = BmcConfig::default();
        assert!(bmc.responder.open_sessions() <= config.max_sessions);
        assert!(bmc.responder.half_open() <= config.max_handshakes);
    }
});
