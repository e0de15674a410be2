//! The capability report: against `halbox sim` and `ipmi_sim`.

use std::io::Read;
use std::process::Stdio;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use super::sim::{PORT, Sim};
use crate::common::ipmi_sim::{IpmiSim, Setup};
use crate::common::{halbox, stderr, stdout};

/// `probe … -o json` with the password in the environment; exit code and the probes.
fn probe(password: &str, line: &str) -> (Option<i32>, Vec<Value>) {
    let cache = tempfile::tempdir().unwrap();
    let output = halbox()
        .args(["probe", "-o", "json", "-E"])
        .args(line.split_whitespace())
        .env("HALBOX_PASSWORD", password)
        .env("XDG_CACHE_HOME", cache.path())
        .output()
        .unwrap();
    let text = stdout(&output);
    let document: Value =
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}{}", stderr(&output)));
    assert!(!text.contains(password) && !stderr(&output).contains(password));
    (
        output.status.code(),
        document["probes"].as_array().unwrap().clone(),
    )
}

/// Status and value of an operation by IPMI.
fn entry<'a>(probe: &'a Value, operation: &str) -> &'a Value {
    let entries = probe["capabilities"].as_array().unwrap();
    entries
        .iter()
        .find(|e| e["operation"] == operation && e["driver"] == "IPMI")
        .unwrap_or_else(|| panic!("no {operation} in {probe:#}"))
}

#[test]
fn everything_works_on_the_simulator_in_few_sessions() {
    let sim = Sim::start(1, "--profile dell");
    let (code, probes) = probe(
        "admin",
        &format!("{} --ipmi-port {PORT} -U admin", sim.first),
    );
    assert_eq!(code, Some(0), "{probes:#?}");
    let found = &probes[0];
    assert_eq!(found["needs"]["complete"], true);
    assert_eq!(entry(found, "power.state")["value"], "ON");
    assert_eq!(
        entry(found, "power.state")["evidence"],
        "Get Chassis Status"
    );
    assert_eq!(entry(found, "power.cycle")["status"], "not-tried");
    assert_eq!(found["machine_id"], entry(found, "info.uuid")["value"]);
    for entry in found["capabilities"].as_array().unwrap() {
        assert!(
            ["works", "not-tried"].contains(&entry["status"].as_str().unwrap()),
            "{entry}"
        );
        for key in [
            "operation",
            "driver",
            "by",
            "status",
            "value",
            "evidence",
            "differs",
            "error",
            "took_ms",
        ] {
            assert!(entry.get(key).is_some(), "{key} missing in {entry}");
        }
    }
    // USER for the reads, then what changes need.
    assert!(sim.total("sessions_opened") <= 3);
    assert_eq!(sim.total("most_in_flight"), 1);
    for counter in ["sessions_open", "half_open", "failed_logins"] {
        assert_eq!(sim.total(counter), 0, "{counter}");
    }
}

#[test]
fn a_wrong_password_is_tried_once_and_counts_nowhere() {
    let sim = Sim::start(1, "");
    let line = format!("{} --ipmi-port {PORT} -U admin", sim.first);
    let (code, probes) = probe("not-the-right-one", &line);
    assert_eq!(code, Some(4));
    assert!(
        probes[0]["capabilities"]
            .as_array()
            .unwrap()
            .iter()
            .all(|e| e["status"] == "denied"),
        "{probes:#?}"
    );
    assert_eq!(sim.total("failed_logins"), 0);
    assert_eq!(
        sim.total("half_open") + sim.total("handshakes_abandoned"),
        1
    );
}

#[test]
fn writes_are_put_back() {
    let sim = Sim::start(1, "");
    let line = format!("{} --ipmi-port {PORT} -U admin", sim.first);
    let (code, probes) = probe("admin", &format!("{line} --writes"));
    assert_eq!(code, Some(0));
    for operation in ["led.on", "led.off", "boot.pxe", "boot.disk", "boot.bios"] {
        assert_eq!(
            entry(&probes[0], operation)["status"],
            "works",
            "{operation}"
        );
    }
    let (_, after) = probe("admin", &line);
    for operation in ["led.state", "boot.state"] {
        assert_eq!(
            entry(&probes[0], operation)["value"],
            entry(&after[0], operation)["value"]
        );
    }
    assert_eq!(sim.total("sessions_open"), 0);
}

#[test]
fn an_interrupt_puts_back_what_was_changed() {
    // Every answer takes a while: the interrupt meets it in the middle of the changes.
    let sim = Sim::start(1, "--delay 40");
    let line = format!("{} --ipmi-port {PORT} -U admin", sim.first);
    let (_, before) = probe("admin", &line);
    let mut child = halbox()
        .args(["-v", "probe", "-E", "--writes", "-o", "json"])
        .args(line.split_whitespace())
        .env("HALBOX_PASSWORD", "admin")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut log = child.stderr.take().unwrap();
    let mut said = Vec::new();
    let mut byte = [0];
    while !String::from_utf8_lossy(&said).contains("boot override") {
        assert_eq!(
            log.read(&mut byte).unwrap(),
            1,
            "{}",
            String::from_utf8_lossy(&said)
        );
        said.extend(byte);
    }
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGINT).unwrap();
    std::io::copy(&mut log, &mut std::io::sink()).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let (_, after) = probe("admin", &line);
    for operation in ["led.state", "boot.state"] {
        assert_eq!(
            entry(&before[0], operation)["value"],
            entry(&after[0], operation)["value"]
        );
    }
    assert_eq!(sim.total("sessions_open"), 0);
}

#[test]
fn a_sweep_with_credentials_tells_who_is_ready() {
    let sim = Sim::start(3, "");
    let line = format!("{}-{} --ipmi-port {PORT} -U admin", sim.first, sim.last);
    let (code, probes) = probe("admin", &line);
    assert_eq!((code, probes.len()), (Some(0), 3));
    assert!(probes.iter().all(|p| p["needs"]["complete"] == true));
    let (code, _) = probe("something-else", &line);
    assert_eq!(code, Some(6));
}

#[test]
fn as_documented_on_software_that_none_of_us_wrote() {
    let Some(sim) = IpmiSim::start(Setup::Testbed) else {
        return;
    };
    let (code, probes) = probe("test", &format!("{} -U ipmiusr", sim.target()));
    let found = &probes[0];
    assert_eq!(code, Some(0), "{found:#}");
    assert_eq!(entry(found, "sensors")["value"]["count"], 24);
    assert_eq!(entry(found, "sel")["value"]["count"], 32);
    assert_eq!(entry(found, "info.serial")["value"], "E262335X2304003C");
    // It has no DCMI.
    assert_eq!(entry(found, "power-metrics")["status"], "unsupported");
    assert!(
        !sim.chassis_log().contains("power"),
        "{}",
        sim.chassis_log()
    );
}
