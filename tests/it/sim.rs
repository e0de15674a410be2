//! `halbox sim` as a program: ready line, control socket, end.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Stdio};

use halbox::hal::sim::{self, Options};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::common::{halbox, stderr, stdout};

struct Running {
    child: Child,
    ready: Value,
    _dir: tempfile::TempDir,
    control: String,
}

impl Running {
    fn start(arguments: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("control.sock");
        let mut child = halbox()
            .arg("sim")
            .args(arguments.split_whitespace())
            .arg("--control")
            .arg(&path)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap())
            .read_line(&mut line)
            .unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap();
        let control = ready["control"].as_str().unwrap().to_owned();
        assert_eq!(control, format!("unix:{}", path.display()));
        Self {
            child,
            ready,
            _dir: dir,
            control,
        }
    }

    fn ask(&self, request: &str) -> Value {
        let output = halbox()
            .args(["sim", "--control", &self.control, request])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        serde_json::from_str(&stdout(&output)).unwrap()
    }

    /// Waits for the end; what stderr said.
    fn end(mut self) -> (Option<i32>, String) {
        let mut said = String::new();
        self.child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut said)
            .unwrap();
        (self.child.wait().unwrap().code(), said)
    }
}

#[test]
fn ready_ledger_and_sigterm() {
    let sim = Running::start("--count 3 --listen 127.77.0.254 --port 16230");
    assert_eq!(sim.ready["ready"], true);
    assert_eq!(sim.ready["bmcs"], 3);
    assert_eq!(sim.ready["first"], "127.77.0.254");
    assert_eq!(sim.ready["last"], "127.77.1.0");
    let ledger = sim.ask("ledger");
    let bmcs = ledger["bmcs"].as_array().unwrap();
    assert_eq!(bmcs.len(), 3);
    assert_eq!(bmcs[2]["address"], "127.77.1.0:16230");
    assert_eq!(bmcs[0]["sessions_opened"], 0);
    let changed = sim.ask(r#"{"do":"set","bmc":1,"unresponsive":true,"power":"off"}"#);
    assert_eq!(changed["changed"], 1);
    assert!(sim.ask(r#"{"do":"set","bmc":9}"#)["error"].is_string());
    kill(Pid::from_raw(sim.child.id().cast_signed()), Signal::SIGTERM).unwrap();
    let (code, said) = sim.end();
    assert_eq!(code, Some(0));
    assert!(said.contains("sessions: 0 opened"), "{said}");
}

#[test]
fn stop_by_request_and_state_that_survives() {
    let state = tempfile::tempdir().unwrap();
    let arguments = format!(
        "--listen 127.77.2.1 --port 16231 --state {}",
        state.path().display()
    );
    let sim = Running::start(&arguments);
    sim.ask(r#"{"do":"set","power":"off"}"#);
    assert_eq!(sim.ask("stop")["stopping"], true);
    assert_eq!(sim.end().0, Some(0));
    let file = std::fs::read_dir(state.path())
        .unwrap()
        .next()
        .unwrap()
        .unwrap();
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);

    let sim = sim::start(Options {
        listen: "127.77.2.1".parse().unwrap(),
        port: 16231,
        state: Some(state.path().to_owned()),
        ..Options::default()
    })
    .unwrap();
    assert_eq!(sim.with_state(0, |s| s.power.on), Some(false));
}

#[test]
fn wrong_use_is_named() {
    let fails = |arguments: &str| {
        let output = halbox()
            .arg("sim")
            .args(arguments.split_whitespace())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments}");
        stderr(&output)
    };
    assert!(fails("--redfish-port 99999").contains("redfish-port"));
    assert!(fails("--listen 0.0.0.0").contains("exactly one"));
    assert!(fails("--loss 2").contains("probability"));
    assert!(fails("ledger").contains("--control"));
}
