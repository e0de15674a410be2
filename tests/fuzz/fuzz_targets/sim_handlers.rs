//! A simulated BMC of every profile against any commands, some of them after time has passed.
#![no_main]

use std::time::{Duration, Instant};

use halbox::hal::ipmi::cmd::{Effect, NetFn, Privilege};
use halbox::hal::ipmi::exchange::{Exchange, Request, Target};
use halbox::hal::model::Cx;
use halbox::hal::sim::local::LocalBmc;
use halbox::hal::sim::profile::ProfileName;
use halbox_fuzz::Script;
use libfuzzer_sys::fuzz_target;

/// The longest answer that any transport can carry (IPMI 2.0 payload length is 16 bits; KCS bears far less).
const LONGEST: usize = 0xffff;

fuzz_target!(|data: &[u8]| {
    let mut script = Script(data);
    let profiles = ProfileName::ALL;
    let bmc = LocalBmc::new(profiles[usize::from(script.byte()) % profiles.len()]);
    let cx = Cx::until(Instant::now() + Duration::from_secs(3600));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let mut steps = 0;
    while !script.is_empty() && steps < 200 {
        steps += 1;
        let netfn = script.byte();
        if netfn & 0x80 != 0 {
            bmc.advance(Duration::from_millis(u64::from(script.byte()) * 50));
            continue;
        }
        let cmd = script.byte();
        let length = usize::from(script.byte() & 0x3f);
        let request = Request {
            target: Target::Bmc,
            lun: 0,
            netfn: NetFn(netfn & 0x3e),
            cmd,
            data: script.bytes(length).to_vec(),
            privilege: Privilege::Administrator,
            effect: Effect::Once,
            name: "fuzz",
        };
        if let Ok(response) = runtime.block_on(bmc.exchange(&cx, request)) {
            assert!(response.data.len() <= LONGEST);
        }
    }
});
