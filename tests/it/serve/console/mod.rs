//! Serial consoles through the daemon: shared, recorded, guarded.

mod access;
mod person;
mod recorded;
mod shared;
mod ssh;
mod unmanaged;

use std::time::{Duration, Instant};

use halbox::hal::sim::SimHandle;
use serde_json::json;

use super::daemon::{Daemon, PATIENCE};
use super::{MAC, simulated};
use crate::common::console::{Visitor, noise, pipe, same};
use crate::common::{halbox, stderr};

/// A daemon with one BMC that it may log in to.
struct Bed {
    sim: Option<SimHandle>,
    daemon: Daemon,
    address: &'static str,
    port: u16,
}

impl Bed {
    fn new(address: &'static str, port: u16, arguments: &str) -> Self {
        let sim = simulated(address, port, 1, "admin");
        let unused = port + 1;
        let daemon = Daemon::start(&format!(
            "--ipmi-port {port} --redfish-port {unused} {arguments}"
        ));
        daemon.lease(&[(MAC, address)]);
        daemon.until(MAC, |row| row["drivers"] == json!(["IPMI"]));
        let out = daemon.bmc_with(&format!("update {MAC} --ipmi-user admin"), "admin");
        assert!(out.status.success(), "{}", stderr(&out));
        daemon.until(MAC, |row| row["powermetric"]["powerstate"] == "ON");
        Self {
            sim: Some(sim),
            daemon,
            address,
            port,
        }
    }

    fn sim(&self) -> &SimHandle {
        self.sim.as_ref().unwrap()
    }

    /// The UUID of the machine.
    fn machine(&self) -> String {
        let row = self.daemon.json(&format!("describe {MAC}"));
        row["machine_id"].as_str().unwrap().to_owned()
    }

    /// Somebody at the console, with a pipe.
    fn visitor(&self, line: &str) -> Visitor {
        let mut command = halbox();
        command
            .env("HALBOX_SERVER", self.daemon.server())
            .arg("bmc")
            .args(line.split_whitespace());
        Visitor::start(command)
    }

    /// Waits until the BMC's line is as wanted: in use, or free.
    fn line_is(&self, used: bool) {
        let end = Instant::now() + PATIENCE;
        let holder = || {
            self.sim()
                .with_state(0, |s| s.console.as_ref().and_then(|c| c.holder()))
                .flatten()
        };
        while holder().is_some() != used {
            assert!(
                Instant::now() < end,
                "in use: {}\n{}",
                !used,
                self.daemon.log()
            );
            std::thread::yield_now();
        }
    }

    /// What the audit log says, once it holds `text`.
    fn audited(&self, text: &str) -> String {
        let path = self.daemon.dir.path().join("state/audit.log");
        let end = Instant::now() + PATIENCE;
        loop {
            let audit = std::fs::read_to_string(&path).unwrap();
            if audit.contains(text) {
                return audit;
            }
            assert!(Instant::now() < end, "no '{text}' in {audit}");
            std::thread::yield_now();
        }
    }
}

/// Runs `halbox LINE` against the daemon; its stdout. It has to succeed.
fn said(daemon: &Daemon, line: &str) -> String {
    let out = halbox()
        .env("HALBOX_SERVER", daemon.server())
        .args(line.split_whitespace())
        .output()
        .unwrap();
    assert!(out.status.success(), "{line}: {}", stderr(&out));
    crate::common::stdout(&out).trim().to_owned()
}

const LONG: Duration = PATIENCE;
