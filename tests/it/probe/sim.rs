//! `halbox probe` against `halbox sim`: many BMCs, lost datagrams, and what the BMCs saw of it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use serde_json::{Value, json};

use crate::common::{halbox, run, stdout};

/// `halbox sim` with a control socket; ends when dropped.
pub(super) struct Sim {
    child: Child,
    pub(super) first: String,
    pub(super) last: String,
    control: String,
    _dir: tempfile::TempDir,
}

pub(super) const PORT: u16 = 6230;
static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);

impl Sim {
    pub(super) fn start(count: u32, options: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        // A /24 of its own; the second byte is that of no other test.
        let pid = std::process::id();
        let n = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let listen = format!("127.250.{}.1", (pid * 16 + n) % 250);
        let control = dir.path().join("control").to_string_lossy().into_owned();
        let mut child = halbox()
            .args(["sim", "--count", &count.to_string(), "--listen", &listen])
            .args(["--port", &PORT.to_string(), "--control", &control])
            .args(options.split_whitespace())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(ready["ready"], true);
        Self {
            child,
            first: ready["first"].as_str().unwrap().to_owned(),
            last: ready["last"].as_str().unwrap().to_owned(),
            control,
            _dir: dir,
        }
    }

    fn probe(&self, more: &str) -> Vec<Value> {
        let output = run(&format!(
            "probe {}-{} --ipmi-port {PORT} -o json {more}",
            self.first, self.last
        ));
        assert_eq!(output.status.code(), Some(0));
        let document: Value = serde_json::from_str(&stdout(&output)).unwrap();
        document["probes"].as_array().unwrap().clone()
    }

    /// Sum of one counter over all BMCs.
    pub(super) fn total(&self, counter: &str) -> u64 {
        let output = run(&format!("sim --control {} ledger", self.control));
        let ledger: Value = serde_json::from_str(&stdout(&output)).unwrap();
        let bmcs = ledger.get("bmcs").unwrap_or(&ledger).as_array().unwrap();
        assert!(!bmcs.is_empty());
        bmcs.iter().map(|b| b[counter].as_u64().unwrap()).sum()
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_sweep_finds_all_and_logs_in_nowhere() {
    let sim = Sim::start(120, "");
    let probes = sim.probe("");
    assert_eq!(probes.len(), 120);
    for found in &probes {
        assert_eq!(found["preferred_driver"], "IPMI", "{found}");
        let ipmi = &found["drivers"][0];
        assert_eq!(ipmi["rmcp_presence"], true);
        let suites = ipmi["cipher_suites"].as_array().unwrap();
        assert!(suites.contains(&json!(17)) && suites.contains(&json!(3)));
        assert_eq!(ipmi["guid"].as_str().map(str::len), Some(32));
    }
    for counter in [
        "sessions_opened",
        "half_open",
        "failed_logins",
        "sessions_open",
    ] {
        assert_eq!(sim.total(counter), 0, "{counter}");
    }
    // Presence, capabilities, GUID, and the list of suites in one framing.
    assert!(sim.total("datagrams_in") <= 120 * 9, "not gentle");
}

#[test]
fn loss_costs_nothing_but_time() {
    let sim = Sim::start(60, "--loss 0.05 --duplicate 0.05 --reorder 0.05 --seed 7");
    for found in sim.probe("--timeout 20s") {
        assert_eq!(found["preferred_driver"], "IPMI", "{found}");
        let ipmi = &found["drivers"][0];
        assert_eq!(ipmi["error"], Value::Null);
        assert!(
            ipmi["cipher_suites"]
                .as_array()
                .is_some_and(|s| s.contains(&json!(17))),
            "{ipmi}"
        );
    }
    assert_eq!(sim.total("sessions_opened"), 0);
}

#[test]
fn every_kind_of_bmc_is_recognised() {
    for profile in [
        "dell",
        "supermicro",
        "lenovo",
        "hpe",
        "ami",
        "openbmc",
        "broken",
    ] {
        let sim = Sim::start(2, &format!("--profile {profile}"));
        for found in sim.probe("") {
            assert_eq!(found["reachable"], true, "{profile}: {found}");
            assert_eq!(found["drivers"][0]["available"], true, "{profile}: {found}");
        }
        assert_eq!(sim.total("sessions_opened"), 0);
    }
}
