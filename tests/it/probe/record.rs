//! `probe --record` and its replay, and `probe --rack`.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::sim::{PORT, Sim};
use crate::common::{halbox, oracle, stderr, stdout};

const PASSWORD: &str = "marker-Pw-77";

/// `probe -o json` as `user`; exit code, document, and all that was said.
fn probe(user: &str, password: &str, line: &str) -> (Option<i32>, Value, String) {
    let output = halbox()
        .args(["-vv", "probe", "-o", "json", "--no-cache", "-U", user, "-E"])
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
    Sim::start(
        1,
        &format!("{options} --user metal --password-file {}", file.display()),
    )
}

/// The report without what every run has anew.
fn lasting(probe: &Value) -> Vec<Value> {
    let mut entries = probe["capabilities"].as_array().unwrap().clone();
    for entry in &mut entries {
        entry.as_object_mut().unwrap().remove("took_ms");
    }
    entries
}

#[test]
fn a_recording_replays_the_same_report_and_holds_no_secret() {
    for profile in ["dell", "supermicro", "openbmc"] {
        let dir = tempfile::tempdir().unwrap();
        let original = sim(dir.path(), &format!("--profile {profile}"));
        let recording = dir.path().join("bmc.jsonl");
        let line = format!("{} --ipmi-port {PORT}", original.first);
        let keep = format!("{line} --record {} --keep-serials", recording.display());
        let (code, before, said) = probe("metal", PASSWORD, &keep);
        assert_eq!(code, Some(0), "{said}");
        assert!(!said.contains(PASSWORD));
        let text = fs::read_to_string(&recording).unwrap();
        let hex: Vec<String> = PASSWORD.bytes().map(|b| format!("{b:02x}")).collect();
        let hex = hex.concat();
        assert!(
            !text.contains(PASSWORD) && !text.contains(&hex),
            "{profile}"
        );

        let replay = Sim::start(1, &recording.display().to_string());
        let again = format!("{} --ipmi-port {PORT}", replay.first);
        let (code, after, said) = probe("admin", "admin", &again);
        assert_eq!(code, Some(0), "{profile}: {said}");
        let (before, after) = (lasting(&before), lasting(&after));
        assert_eq!(before.len(), after.len());
        for (before, after) in before.iter().zip(&after) {
            assert_eq!(before, after, "{profile}");
        }
    }
}

#[test]
fn serial_numbers_stay_out_unless_they_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let original = sim(dir.path(), "--profile dell");
    let line = format!("{} --ipmi-port {PORT}", original.first);
    let kept = dir.path().join("kept.jsonl");
    let (_, found, _) = probe(
        "metal",
        PASSWORD,
        &format!("{line} --record {} --keep-serials", kept.display()),
    );
    let serial = found["capabilities"]
        .as_array()
        .unwrap()
        .iter()
        .find(|e| e["operation"] == "info.serial")
        .unwrap()["value"]
        .as_str()
        .unwrap()
        .to_owned();
    let clean = dir.path().join("clean.jsonl");
    probe(
        "metal",
        PASSWORD,
        &format!("{line} --record {}", clean.display()),
    );
    let bytes = |path: &Path| -> Vec<u8> {
        let text = fs::read_to_string(path).unwrap();
        let lines = text
            .lines()
            .skip(1)
            .map(|l| serde_json::from_str::<Value>(l).unwrap());
        let replies = lines.filter(|l| l["ipmi"] == "0a 11").flat_map(|l| {
            let hex = l["reply"].as_str().unwrap_or_default().to_owned();
            (2..hex.len())
                .step_by(2)
                .map(move |i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap())
                .collect::<Vec<_>>()
        });
        replies.collect()
    };
    let holds = |path: &Path| {
        bytes(path)
            .windows(serial.len())
            .any(|w| w == serial.as_bytes())
    };
    assert!(holds(&kept), "{serial}");
    assert!(!holds(&clean), "{serial}");
    // What is left decodes as before.
    let replay = Sim::start(1, &clean.display().to_string());
    let (code, after, said) = probe(
        "admin",
        "admin",
        &format!("{} --ipmi-port {PORT}", replay.first),
    );
    assert_eq!(code, Some(0), "{said}");
    let of = |p: &Value, operation: &str| {
        p["capabilities"]
            .as_array()
            .unwrap()
            .iter()
            .find(|e| e["operation"] == operation)
            .unwrap()["value"]
            .clone()
    };
    assert_eq!(of(&after, "info.model"), of(&found, "info.model"));
    assert_ne!(of(&after, "info.serial"), of(&found, "info.serial"));
    assert_eq!(of(&after, "fru"), of(&found, "fru"));
}

const BRIDGED: &str = r#"{"halbox_recording":1,"lan":{"cipher_suites":[3],"rmcp_presence":true,"channel":1}}
{"ipmi":"06 01","reply":"2081010202bf7c2a0061080000000000"}
{"ipmi":"04 2d","data":"09","reply":"0ac0c0"}
{"ipmi":"04 2d","bridged":[6,44],"data":"09","reply":"21c0c0"}
"#;

#[test]
fn ipmitool_reaches_a_recorded_controller_behind_the_bmc() {
    let Some(ipmitool) = oracle("ipmitool") else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("bridged.jsonl");
    fs::write(&file, BRIDGED).unwrap();
    let replay = Sim::start(1, &file.display().to_string());
    let host = replay.first.clone();
    let raw = |bridge: &str| {
        let output = std::process::Command::new(&ipmitool)
            .args(["-I", "lanplus", "-C", "3", "-U", "admin", "-P", "admin"])
            .args(["-H", &host, "-p", &PORT.to_string()])
            .args(bridge.split_whitespace())
            .args(["raw", "0x04", "0x2d", "0x09"])
            .output()
            .unwrap();
        format!("{}{}", stdout(&output), stderr(&output))
    };
    assert_eq!(raw("").trim(), "0a c0 c0");
    assert_eq!(raw("-t 0x2c -b 6").trim(), "21 c0 c0");
    assert!(raw("-t 0x2e -b 6").contains("0x83"), "nobody is there");
}

#[test]
fn a_rack_is_reported_as_json_and_junit() {
    let dir = tempfile::tempdir().unwrap();
    let good = sim(dir.path(), "--profile dell");
    let other = sim(dir.path(), "");
    fs::write(dir.path().join("wrong"), "not-the-password").unwrap();
    let entry = |name: &str, sim: &Sim, file: &str, more: &str| {
        format!(
            "- {{name: {name}, address: \"{}:{PORT}\", user: metal, password_file: {file}{more}}}\n",
            sim.first
        )
    };
    let file = dir.path().join("rack.yaml");
    let junit = dir.path().join("rack.xml");
    let run = |text: &str| {
        fs::write(&file, text).unwrap();
        let output = halbox()
            .args(["probe", "--rack"])
            .arg(&file)
            .arg("--junit")
            .arg(&junit)
            .args(["-o", "json"])
            .output()
            .unwrap();
        let document: Value = serde_json::from_str(&stdout(&output))
            .unwrap_or_else(|e| panic!("{e}: {}", stderr(&output)));
        (
            output.status.code(),
            document,
            fs::read_to_string(&junit).unwrap(),
        )
    };
    let both = format!(
        "bmcs:\n{}{}",
        entry(
            "r750",
            &good,
            "password",
            ", writes: [settings, power], expect: [power-metrics]"
        ),
        entry("other", &other, "password", "")
    );
    let (code, document, xml) = run(&both);
    assert_eq!(code, Some(0), "{xml}");
    let status = |i: usize, operation: &str| {
        let entries = document["probes"][i]["capabilities"].as_array().unwrap();
        entries
            .iter()
            .find(|e| e["operation"] == operation)
            .unwrap()["status"]
            .clone()
    };
    for operation in ["power.cycle", "power.off", "boot.pxe", "led.on"] {
        assert_eq!(status(0, operation), "works", "{operation}");
        assert_eq!(status(1, operation), "not-tried", "{operation}");
    }
    assert!(
        xml.contains("<testsuite name=\"r750\"") && xml.contains("failures=\"0\""),
        "{xml}"
    );
    assert!(!xml.contains("<failure"), "{xml}");
    assert_eq!(
        good.total("sessions_open") + other.total("sessions_open"),
        0
    );

    let (code, _, xml) = run(&format!(
        "bmcs:\n{}{}",
        entry("r750", &good, "password", ""),
        entry("other", &other, "wrong", "")
    ));
    assert_eq!(code, Some(6));
    assert!(xml.contains("<failure message=\"denied: "), "{xml}");
    assert!(!xml.contains("not-the-password") && !xml.contains(PASSWORD));
    assert_eq!(other.total("failed_logins"), 0);
}
