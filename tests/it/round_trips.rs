//! What an operation costs on the wire: datagrams of the client, Close Session included (one each time).
//!
//! The numbers are promises: a command more is a slower halbox for everyone.

use std::net::SocketAddr;
use std::process::Command;

use halbox::hal::sim::{self, Options};

use crate::common::ipmi_sim::{IpmiSim, Setup};
use crate::common::relay::Relay;

/// Close Session comes after the answer was printed.
const CLOSE: usize = 1;

/// `halbox bmc` on one BMC, through the relay, with a cache of its own.
struct Client {
    relay: Relay,
    cache: tempfile::TempDir,
    user: &'static str,
    password: &'static str,
}

impl Client {
    fn new(bmc: SocketAddr, user: &'static str, password: &'static str) -> Self {
        Self {
            relay: Relay::start(bmc),
            cache: tempfile::tempdir().unwrap(),
            user,
            password,
        }
    }

    /// Datagrams that the command took.
    fn cost(&self, args: &[&str]) -> usize {
        self.relay.take();
        let out = Command::new(env!("CARGO_BIN_EXE_halbox"))
            .args(["bmc", "--address", &self.relay.address.to_string()])
            .args(["-U", self.user])
            .args(args)
            .env("HALBOX_PASSWORD", self.password)
            .env("XDG_CACHE_HOME", self.cache.path())
            .output()
            .unwrap();
        assert!(
            out.status.success(),
            "{args:?}: {}",
            String::from_utf8_lossy(&out.stderr)
        );
        self.relay.take()
    }

    fn at_most(&self, args: &[&str], limit: usize, what: &str) {
        let cost = self.cost(args);
        assert!(cost <= limit + CLOSE, "{what}: {cost}, limit {limit}");
    }
}

#[test]
fn on_ipmi_sim() {
    let Some(bmc) = IpmiSim::start(Setup::Testbed) else {
        return;
    };
    let client = Client::new(bmc.address, "ipmiusr", "test");
    // Suite 17 is refused by ipmi_sim: one more Open Session. After that the cache knows better.
    for (args, cost, what) in [
        (&["power", "status"][..], 5, "unknown suite"),
        (&["power", "status"], 4, "known suite"),
        (
            &["power", "status", "-C", "3", "--no-cache"],
            4,
            "given suite",
        ),
        (
            &["power", "status", "-C", "3", "-L", "administrator"],
            5,
            "Set Session Privilege Level",
        ),
    ] {
        assert_eq!(client.cost(args), cost + CLOSE, "{what}");
    }
    // ipmi_sim answers with 34 bytes at most: each full record of 24 sensors takes two reads.
    client.at_most(&["sensors"], 56 + 24, "sensors, first time");
    client.at_most(&["sensors"], 30, "sensors, SDRs cached");
    client.at_most(&["fru", "--id", "0"], 12, "FRU 0");
    client.at_most(&["fru"], 15, "all FRUs, SDRs cached");
    client.at_most(&["sel", "ls"], 40, "SEL, SDRs cached");
}

#[test]
fn on_the_simulator() {
    let sim = sim::start(Options {
        port: 0,
        ..Options::default()
    })
    .unwrap();
    let client = Client::new(sim.addrs()[0], "admin", "admin");
    assert_eq!(client.cost(&["power", "status"]), 4 + CLOSE);
    // Login, Get Channel Info, Set Session Privilege Level, MAC and address, five more: one session for all of it.
    assert_eq!(client.cost(&["lan"]), 3 + 9 + CLOSE);
    // Login, state, Set Session Privilege Level, Chassis Control.
    assert_eq!(client.cost(&["power", "off", "--no-wait"]), 6 + CLOSE);
    for operation in [&["info"][..], &["user", "ls"], &["led", "on"]] {
        let before = sim.total().sessions_opened;
        client.cost(operation);
        assert_eq!(sim.total().sessions_opened, before + 1, "{operation:?}");
    }
    client.at_most(&["sensors"], 56, "sensors of 24, first time");
    client.at_most(&["sensors"], 30, "sensors of 24, SDRs cached");
    client.at_most(&["fru", "--id", "0"], 12, "FRU 0");
    client.at_most(&["fru", "--no-cache"], 40, "all FRUs, first time");
    client.at_most(&["fru"], 15, "all FRUs, SDRs cached");
    client.at_most(&["sel", "ls"], 40, "SEL of 32, SDRs cached");
    assert_eq!(sim.total().sessions_open, 0);
    assert_eq!(sim.total().most_in_flight, 1);
}
