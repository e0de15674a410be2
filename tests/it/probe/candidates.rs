//! `probe --credentials`: the right one of several, without a failed login.

use std::path::Path;

use serde_json::Value;

use super::sim::{PORT, Sim};
use crate::common::ipmi_sim::{IpmiSim, Setup};
use crate::common::{halbox, stderr, stdout};

/// Runs a probe with candidates; exit code, the probe, and everything that was said.
fn probe(cache: &Path, line: &str, candidates: &[(&str, &str)]) -> (Option<i32>, Value, String) {
    let file = cache.join("candidates.yaml");
    let entries: Vec<String> = candidates
        .iter()
        .map(|(user, password)| format!("- {{user: \"{user}\", password: \"{password}\"}}\n"))
        .collect();
    std::fs::write(&file, entries.concat()).unwrap();
    let output = halbox()
        .args(["-vv", "probe", "-o", "json", "--credentials"])
        .arg(&file)
        .args(line.split_whitespace())
        .env("XDG_CACHE_HOME", cache)
        .output()
        .unwrap();
    let said = format!("{}{}", stdout(&output), stderr(&output));
    let document: Value =
        serde_json::from_str(&stdout(&output)).unwrap_or_else(|e| panic!("{e}: {said}"));
    (output.status.code(), document["probes"][0].clone(), said)
}

#[test]
fn the_right_password_is_found_without_a_failed_login() {
    let sim = Sim::start(1, "--lockout 1");
    let cache = tempfile::tempdir().unwrap();
    let line = format!("{} --ipmi-port {PORT}", sim.first);
    let list = [
        ("admin", "calvin-marker"),
        ("admin", "ADMIN-marker"),
        ("admin", "admin"),
        ("admin", "superuser-marker"),
    ];
    let (code, found, said) = probe(cache.path(), &line, &list);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(
        (
            found["login"]["candidate"].as_u64(),
            &found["login"]["user"]
        ),
        (Some(3), &"admin".into())
    );
    assert_eq!(found["needs"]["complete"], true);
    for counter in [
        "failed_logins",
        "lockouts",
        "sessions_open",
        "half_open",
        "handshakes_abandoned",
    ] {
        assert_eq!(sim.total(counter), 0, "{counter}");
    }
    assert!(!said.contains("-marker"), "{said}");
}

#[test]
fn when_none_is_right_nothing_is_tried_and_the_next_run_knows() {
    let sim = Sim::start(1, "--lockout 1");
    let cache = tempfile::tempdir().unwrap();
    let line = format!("{} --ipmi-port {PORT}", sim.first);
    let list = [("admin", "calvin-marker"), ("admin", "ADMIN-marker")];
    let (code, found, said) = probe(cache.path(), &line, &list);
    assert_eq!(code, Some(4), "{said}");
    assert_eq!(found["login"]["candidate"], Value::Null);
    assert!(
        found["login"]["steps"][0]
            .as_str()
            .unwrap()
            .contains("none of 2 passwords"),
        "{said}"
    );
    for counter in ["failed_logins", "sessions_opened"] {
        assert_eq!(sim.total(counter), 0, "{counter}");
    }
    let before = sim.total("half_open") + sim.total("handshakes_abandoned");
    let (code, found, said) = probe(cache.path(), &line, &list);
    assert_eq!(code, Some(4), "{said}");
    assert!(
        found["login"]["steps"][0]
            .as_str()
            .unwrap()
            .contains("known to be wrong"),
        "{said}"
    );
    assert_eq!(
        sim.total("half_open") + sim.total("handshakes_abandoned"),
        before
    );
    for file in std::fs::read_dir(cache.path().join("halbox")).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(7).any(|w| w == b"-marker"));
    }
}

#[test]
fn users_that_do_not_exist_are_passed_over() {
    let Some(sim) = IpmiSim::start(Setup::Testbed) else {
        return;
    };
    let cache = tempfile::tempdir().unwrap();
    let list = [
        ("root", "calvin"),
        ("ADMIN", "ADMIN"),
        ("ipmiusr", "nope"),
        ("ipmiusr", "test"),
    ];
    let (code, found, said) = probe(cache.path(), &sim.target(), &list);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(found["login"]["candidate"], 4);
    let steps: Vec<&str> = found["login"]["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s.as_str().unwrap())
        .collect();
    assert_eq!(steps.len(), 3, "{steps:?}");
    assert_eq!(
        (steps[0], steps[1]),
        ("IPMI: no user 'root'", "IPMI: no user 'ADMIN'")
    );
}

#[test]
fn bmc_finds_the_right_one_for_each_target() {
    let sim = Sim::start(2, "--lockout 1");
    let cache = tempfile::tempdir().unwrap();
    let file = cache.path().join("candidates.yaml");
    let run = |list: &str, operation: &str| {
        std::fs::write(&file, list).unwrap();
        let out = halbox()
            .args(["-vv", "bmc", "--address", &sim.first])
            .args(["--ipmi-port", &PORT.to_string(), "--credentials"])
            .arg(&file)
            .args(operation.split_whitespace())
            .env("XDG_CACHE_HOME", cache.path())
            .output()
            .unwrap();
        let said = format!("{}{}", stdout(&out), stderr(&out));
        assert!(!said.contains("-marker"), "{said}");
        (out.status.code(), said)
    };
    let right = "- {user: admin, password: calvin-marker}\n- {user: admin, password: admin}\n";
    let (code, said) = run(right, "power status");
    assert_eq!((code, said.contains("ON")), (Some(0), true), "{said}");
    let (code, said) = run("- {user: admin, password: other-marker}\n", "info");
    assert_eq!(code, Some(4), "{said}");
    assert!(
        said.contains("no candidate was found to be right"),
        "{said}"
    );
    for counter in ["failed_logins", "lockouts", "sessions_open"] {
        assert_eq!(sim.total(counter), 0, "{counter}");
    }
}
