//! What an operation costs on the wire: datagrams of the client, Close Session included (one each time).
//!
//! The numbers are promises: a command more is a slower halbox for everyone.

use std::path::Path;
use std::process::Command;

use crate::common::ipmi_sim::{IpmiSim, Setup};
use crate::common::relay::Relay;

/// Close Session comes after the answer was printed.
const CLOSE: usize = 1;

/// Runs `halbox bmc` through the relay and returns the datagrams that it took.
fn cost(relay: &Relay, cache: &Path, args: &[&str]) -> usize {
    relay.take();
    let out = Command::new(env!("CARGO_BIN_EXE_halbox"))
        .args([
            "bmc",
            "--address",
            &relay.address.to_string(),
            "-U",
            "ipmiusr",
        ])
        .args(args)
        .env("HALBOX_PASSWORD", "test")
        .env("XDG_CACHE_HOME", cache)
        .output()
        .unwrap();
    assert!(
        out.status.success(),
        "{args:?}: {}",
        String::from_utf8_lossy(&out.stderr)
    );
    relay.take()
}

#[test]
fn of_the_specification_and_no_more() {
    let Some(bmc) = IpmiSim::start(Setup::Testbed) else {
        return;
    };
    let relay = Relay::start(bmc.address);
    let dir = tempfile::tempdir().unwrap();
    let cost = |args: &[&str]| cost(&relay, dir.path(), args);

    // Suite 17 is refused by ipmi_sim: one more Open Session. After that the cache knows better.
    assert_eq!(cost(&["power", "status"]), 5 + CLOSE, "unknown suite");
    assert_eq!(cost(&["power", "status"]), 4 + CLOSE, "known suite");
    assert_eq!(
        cost(&["power", "status", "-C", "3", "--no-cache"]),
        4 + CLOSE,
        "given suite"
    );
    assert_eq!(
        cost(&["power", "status", "-C", "3", "-L", "ADMINISTRATOR"]),
        5 + CLOSE,
        "Set Session Privilege Level"
    );

    let first = cost(&["sensors"]);
    assert!(first <= 56, "sensors, first time: {first}");
    let cached = cost(&["sensors"]);
    assert!(cached <= 30 + CLOSE, "sensors, SDRs cached: {cached}");

    let fru0 = cost(&["fru", "--id", "0"]);
    assert!(fru0 <= 12, "FRU 0: {fru0}");
    let all = cost(&["fru", "--no-cache"]);
    assert!(all <= 40, "all FRUs, first time: {all}");
    let again = cost(&["fru"]);
    assert!(again <= 15, "all FRUs, SDRs cached: {again}");

    let sel = cost(&["sel", "ls"]);
    assert!(sel <= 40, "SEL, SDRs cached: {sel}");
}
