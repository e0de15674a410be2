//! The capability report over both protocols, on one simulated server.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::sim::{PORT, Sim};
use crate::common::{halbox, stderr, stdout};

const PASSWORD: &str = "marker-Pw-78";
const REDFISH: u16 = 18443;

fn probe(user: &str, password: &str, line: &str) -> (Option<i32>, Value, String) {
    let output = halbox()
        .args(["-vv", "probe", "-o", "json", "--no-cache", "-U", user, "-E"])
        .args([
            "--redfish-port",
            &REDFISH.to_string(),
            "--ipmi-port",
            &PORT.to_string(),
        ])
        .args(line.split_whitespace())
        .env("HALBOX_PASSWORD", password)
        .output()
        .unwrap();
    let said = format!("{}{}", stdout(&output), stderr(&output));
    let document: Value =
        serde_json::from_str(&stdout(&output)).unwrap_or_else(|e| panic!("{e}: {said}"));
    (output.status.code(), document["probes"][0].clone(), said)
}

fn sim(dir: &Path, options: &str) -> Sim {
    let file = dir.join("password");
    fs::write(&file, PASSWORD).unwrap();
    let options = format!(
        "{options} --redfish-port {REDFISH} --user metal --password-file {}",
        file.display()
    );
    Sim::start(1, &options)
}

fn lasting(probe: &Value) -> Vec<Value> {
    let mut entries = probe["capabilities"].as_array().unwrap().clone();
    let address = probe["address"].as_str().unwrap();
    for entry in &mut entries {
        entry.as_object_mut().unwrap().remove("took_ms");
        // A console that is not there is named by its address, which is another one for the replay.
        if let Some(error) = entry["error"].as_str().map(|e| e.replace(address, "BMC")) {
            entry["error"] = error.into();
        }
    }
    entries
}

#[test]
fn both_drivers_are_reported_gently_and_agree() {
    let dir = tempfile::tempdir().unwrap();
    let sim = sim(dir.path(), "--profile dell");
    let (code, found, said) = probe("metal", PASSWORD, &format!("{} --writes", sim.first));
    assert_eq!(code, Some(0), "{said}");
    assert!(!said.contains(PASSWORD), "{said}");
    let of = |operation: &str, driver: &str| {
        let entries = found["capabilities"].as_array().unwrap();
        let of_it = |e: &&Value| e["operation"] == operation && e["driver"] == driver;
        entries
            .iter()
            .find(of_it)
            .unwrap_or_else(|| panic!("{operation} {driver}"))
            .clone()
    };
    for operation in [
        "power.state",
        "led.state",
        "info.uuid",
        "info.bmc.mac",
        "boot.state",
    ] {
        let (one, other) = (of(operation, "iDrac"), of(operation, "IPMI"));
        assert_eq!(
            (&one["status"], &other["status"]),
            (&"works".into(), &"works".into())
        );
        assert_eq!(
            (&one["differs"], &other["differs"]),
            (&false.into(), &false.into()),
            "{operation}"
        );
    }
    for operation in ["led.on", "led.off", "boot.pxe", "boot.disk", "boot.bios"] {
        assert_eq!(
            of(operation, "iDrac")["status"],
            "works",
            "{}",
            of(operation, "iDrac")
        );
    }
    let evidence = of("power.cycle", "iDrac")["evidence"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        evidence.contains("ComputerSystem.Reset allows "),
        "{evidence}"
    );
    assert_eq!(sim.total("http_most_connections"), 1);
    for counter in ["sessions_open", "redfish_sessions_open", "failed_logins"] {
        assert_eq!(sim.total(counter), 0, "{counter}");
    }
}

#[test]
fn a_password_that_ipmi_knows_to_be_wrong_never_reaches_redfish() {
    let dir = tempfile::tempdir().unwrap();
    let sim = sim(dir.path(), "--lockout 1");
    let before = |counter: &str| sim.total(counter);
    let (code, found, _) = probe("metal", "another-one", &sim.first);
    assert_eq!(code, Some(4));
    assert!(
        found["login_error"].as_str().unwrap().contains("password"),
        "{found}"
    );
    assert_eq!((before("failed_logins"), before("lockouts")), (0, 0));
}

#[test]
fn a_recording_of_both_protocols_replays_the_same_report() {
    for profile in ["dell", "generic"] {
        let dir = tempfile::tempdir().unwrap();
        let original = sim(dir.path(), &format!("--profile {profile}"));
        let recording = dir.path().join("bmc.jsonl");
        let line = format!(
            "{} --record {} --keep-serials",
            original.first,
            recording.display()
        );
        let (code, before, said) = probe("metal", PASSWORD, &line);
        assert_eq!(code, Some(0), "{said}");
        let text = fs::read_to_string(&recording).unwrap();
        assert!(
            text.contains("\"redfish\":\"/redfish/v1") && text.contains("\"ipmi\""),
            "{profile}"
        );
        let hex: Vec<String> = PASSWORD.bytes().map(|b| format!("{b:02x}")).collect();
        let hex = hex.concat();
        assert!(
            !text.contains(PASSWORD) && !text.contains(&hex),
            "{profile}"
        );
        let replay = Sim::start(
            1,
            &format!("--redfish-port {REDFISH} {}", recording.display()),
        );
        let (code, after, said) = probe("admin", "admin", &replay.first);
        assert_eq!(code, Some(0), "{profile}: {said}");
        let (before, after) = (lasting(&before), lasting(&after));
        let differing: Vec<(&Value, &Value)> =
            before.iter().zip(&after).filter(|(a, b)| a != b).collect();
        assert!(
            differing.is_empty() && before.len() == after.len(),
            "{profile}: {differing:#?}"
        );
    }
}

#[test]
fn a_recording_without_ipmi_is_of_a_bmc_without_ipmi() {
    let dir = tempfile::tempdir().unwrap();
    let original = sim(dir.path(), "--profile dell");
    let recording = dir.path().join("bmc.jsonl");
    let line = format!(
        "{} --driver iDrac --record {}",
        original.first,
        recording.display()
    );
    let (code, before, said) = probe("metal", PASSWORD, &line);
    assert_eq!(code, Some(0), "{said}");
    let text = fs::read_to_string(&recording).unwrap();
    assert!(!text.contains("\"ipmi\""), "only Redfish was asked");
    // What a certificate is made out to may be a service tag.
    let heading: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    let tls = serde_json::json!({"issuer": "Dell Inc.", "subject": "bmc"});
    assert_eq!(heading["tls"], tls);
    let replay = Sim::start(
        1,
        &format!("--redfish-port {REDFISH} {}", recording.display()),
    );
    let (code, after, said) = probe("admin", "admin", &replay.first);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(after["drivers"][0]["available"], false, "{after}");
    assert_eq!(lasting(&before).len(), lasting(&after).len());
}
