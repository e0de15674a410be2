//! Serial consoles through the daemon: shared, recorded, guarded.

mod access;
mod person;
mod recorded;
mod shared;

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use halbox::hal::sim::SimHandle;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;

use super::daemon::{Daemon, PATIENCE};
use super::{MAC, simulated};
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

/// A program at a console, with a pipe: what it says, news and characters alike.
struct Visitor {
    child: Child,
    stdin: Option<ChildStdin>,
    said: mpsc::Receiver<Vec<u8>>,
    text: Vec<u8>,
}

impl Visitor {
    fn start(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (to, said) = mpsc::channel();
        let streams: [Box<dyn Read + Send>; 2] = [
            Box::new(child.stdout.take().unwrap()),
            Box::new(child.stderr.take().unwrap()),
        ];
        for mut stream in streams {
            let to = to.clone();
            std::thread::spawn(move || {
                let mut buffer = [0; 4096];
                while let Ok(n @ 1..) = stream.read(&mut buffer) {
                    if to.send(buffer[..n].to_vec()).is_err() {
                        return;
                    }
                }
            });
        }
        let stdin = child.stdin.take();
        Self {
            child,
            stdin,
            said,
            text: Vec::new(),
        }
    }

    /// Waits until it says `text`, and forgets everything up to it.
    fn expect(&mut self, text: &str) {
        loop {
            let mut windows = self.text.windows(text.len());
            if let Some(at) = windows.position(|w| w == text.as_bytes()) {
                self.text.drain(..at + text.len());
                return;
            }
            match self.said.recv_timeout(PATIENCE) {
                Ok(bytes) => self.text.extend(bytes),
                Err(e) => panic!(
                    "no '{text}' ({e}) in: {}",
                    String::from_utf8_lossy(&self.text)
                ),
            }
        }
    }

    fn types(&mut self, text: &str) {
        self.stdin
            .as_mut()
            .unwrap()
            .write_all(text.as_bytes())
            .unwrap();
    }

    /// Leaves as with Ctrl-C.
    fn leaves(mut self) {
        let pid = Pid::from_raw(self.child.id().cast_signed());
        kill(pid, Signal::SIGINT).unwrap();
        assert_eq!(self.child.wait().unwrap().code(), Some(130));
    }

    /// Its exit code, and what it said at last.
    fn ends(mut self) -> (Option<i32>, String) {
        let code = self.child.wait().unwrap().code();
        drop(self.stdin.take());
        while let Ok(bytes) = self.said.recv_timeout(PATIENCE) {
            self.text.extend(bytes);
        }
        (code, String::from_utf8_lossy(&self.text).into_owned())
    }
}

impl Drop for Visitor {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
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
