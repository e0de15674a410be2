//! The same servers from the command line: one process per operation, as an operator works.

use std::path::Path;
use std::process::Output;

use serde_json::Value;

use super::bench::LOGIN;
use crate::common::halbox;
use crate::common::mockup::Mockup;

fn run(mock: &Mockup, dir: &Path, line: &str) -> Output {
    let file = dir.join("password");
    std::fs::write(&file, LOGIN).unwrap();
    halbox()
        .args([
            "bmc",
            "--address",
            "127.0.0.1",
            "-U",
            "root",
            "-o",
            "json",
            "-f",
        ])
        .arg(&file)
        .arg("--redfish-port")
        .arg(mock.address.port().to_string())
        .args(line.split_whitespace())
        .env("XDG_CACHE_HOME", dir)
        .env("HALBOX_LOG", "trace")
        .output()
        .unwrap()
}

fn result(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stdout);
    let all: Value = serde_json::from_str(&text)
        .unwrap_or_else(|e| panic!("{e}: {text} {}", String::from_utf8_lossy(&output.stderr)));
    all["results"][0].clone()
}

/// No password on stdout or stderr, not even with every log record there is, neither plain nor in Base64.
fn silent(output: &Output) {
    for text in [&output.stdout, &output.stderr] {
        let text = String::from_utf8_lossy(text);
        for mark in ["Pa55word", "UGE1NXdvcm", "BhNTV3b3Jk", "QYTU1d29yZ"] {
            let line = text.lines().find(|line| line.contains(mark));
            assert_eq!(line, None);
        }
    }
}

#[test]
fn an_r750_in_few_requests_and_without_its_password_in_any_log() {
    let options = format!("--strict --https --account-slots --conflict-409 --user root:{LOGIN}");
    let Some(mock) = Mockup::start("dell_r750_idrac9_6_00", &options) else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let mut asked = 0;
    let mut count = || {
        let before = asked;
        asked = mock.log().len();
        asked - before
    };
    for (line, most) in [
        ("--driver Redfish power status", 3),
        ("--driver Redfish power status", 1),
    ] {
        let output = run(&mock, dir.path(), line);
        silent(&output);
        let result = result(&output);
        assert_eq!(
            (&result["value"], &result["driver"]),
            (&"ON".into(), &"Redfish".into())
        );
        let requests = count();
        assert!(requests <= most, "{line}: {requests} requests");
    }
    for (line, driver) in [
        ("--driver Redfish power-metrics", "Redfish"),
        ("--driver iDrac power-metrics", "iDrac"),
    ] {
        let output = run(&mock, dir.path(), line);
        silent(&output);
        let result = result(&output);
        assert_eq!(result["value"]["consumed_watts"], 614.0, "{result}");
        assert_eq!(result["driver"], driver);
    }
    let output = run(&mock, dir.path(), "--driver Redfish user ls");
    silent(&output);
    assert_eq!(result(&output)["value"].as_array().unwrap().len(), 3);
    assert_eq!(mock.sessions_left(), 0);
}
