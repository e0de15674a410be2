//! The daemon and systemd: sockets that are handed over, the watchdog, the end, the unit.

use std::io::BufRead;
use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};

use super::canary::page;
use super::daemon::{Daemon, PATIENCE};
use super::{MAC, OTHER};
use crate::common::{halbox, oracle, root, stderr, stdout};

#[test]
fn sockets_of_systemd_are_used() {
    let Some(activate) = oracle("systemd-socket-activate") else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let notify = UnixDatagram::bind(dir.path().join("notify")).unwrap();
    notify.set_read_timeout(Some(PATIENCE)).unwrap();
    let socket = dir.path().join("api.sock");
    let http = "127.88.7.1:16361";
    let mut child = Command::new(activate)
        .args(["-l", &socket.display().to_string(), "-l", http])
        .args([
            "--fdname=api:http",
            "-E",
            &format!("NOTIFY_SOCKET={}", dir.path().join("notify").display()),
        ])
        .arg(env!("CARGO_BIN_EXE_halbox"))
        .args([
            "serve",
            "--state-dir",
            &dir.path().join("state").display().to_string(),
        ])
        // Not used: it could not be made.
        .args(["--socket", "/proc/no/such.sock"])
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It listens before the daemon is there, which begins with the first caller.
    let mut words = std::io::BufReader::new(child.stderr.take().unwrap()).lines();
    for line in words.by_ref().map_while(Result::ok) {
        if line.contains(http) {
            break;
        }
    }
    let out = halbox()
        .env("HALBOX_SERVER", format!("unix://{}", socket.display()))
        .args(["bmc", "add", MAC])
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", stderr(&out));
    let mut said = [0; 64];
    let n = notify.recv(&mut said).unwrap();
    assert!(said[..n].starts_with(b"READY=1"));
    assert!(page(http, "/readyz").ends_with("ready\n"));
    // It is the same process now.
    let pid = nix::unistd::Pid::from_raw(child.id().cast_signed());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(socket.exists(), "the socket is systemd's, and stays");
}

#[test]
fn the_watchdog_is_fed() {
    let mut daemon = Daemon::start_with("", &[("WATCHDOG_USEC", "200000")]);
    for _ in 0..3 {
        daemon.wait_for("WATCHDOG=1");
    }
    assert_eq!(daemon.terminate(), Some(0));
}

/// A BMC does not answer any more.
fn silence(sim: &halbox::hal::sim::SimHandle, bmc: usize) {
    sim.with_bmc(bmc, |bmc| {
        let manners = bmc.manners();
        bmc.set_manners(halbox::hal::sim::Manners {
            unresponsive: true,
            ..manners
        });
    });
}

#[test]
fn it_ends_also_with_a_stuck_bmc_and_a_watcher() {
    let sim = super::simulated("127.88.14.1", 16_362, 2, "admin");
    let mut daemon = Daemon::start("--ipmi-port 16362 --redfish-port 16363 --refresh 1s");
    daemon.lease(&[(MAC, "127.88.14.1"), (OTHER, "127.88.14.2")]);
    for mac in [MAC, OTHER] {
        daemon.until(mac, |row| row["drivers"] == serde_json::json!(["IPMI"]));
        let update = format!("update {mac} --ipmi-user admin");
        assert!(daemon.bmc_with(&update, "admin").status.success());
        daemon.until(mac, |row| row["powermetric"]["powerstate"] == "ON");
    }
    let start = |line: &str| {
        let mut command = halbox();
        command
            .env("HALBOX_SERVER", daemon.server())
            .arg("bmc")
            .args(line.split_whitespace())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command.spawn().unwrap()
    };
    let mut watching = start("watch -o json");
    let mut first = String::new();
    let mut lines = std::io::BufReader::new(watching.stdout.take().unwrap());
    lines.read_line(&mut first).unwrap();
    assert!(first.contains("mac"), "{first}");
    // It answered a moment ago, and does not any more; somebody waits for it.
    let before = sim.ledger()[0].datagrams_in;
    silence(&sim, 0);
    let mut stuck = start(&format!("power cycle {MAC} --timeout 2m"));
    let asked = std::time::Instant::now();
    while sim.ledger()[0].datagrams_in < before + 2 {
        assert!(asked.elapsed() < PATIENCE, "nobody asks");
        std::thread::yield_now();
    }
    assert_eq!(daemon.terminate(), Some(0), "{}", daemon.log());
    // The other BMC's session was closed, and nobody hangs.
    let ledger = &sim.ledger()[1];
    assert_eq!((ledger.sessions_open, ledger.sessions_expired), (0, 0));
    for child in [&mut watching, &mut stuck] {
        let _ = child.kill();
        child.wait().unwrap();
    }
}

#[test]
fn the_unit_is_locked_down() {
    let Some(analyze) = oracle("systemd-analyze") else {
        return;
    };
    let unit = root().join("packaging/systemd/halbox.service");
    // The threshold is ten times the exposure that is shown.
    let out = Command::new(&analyze)
        .args(["security", "--offline=true", "--no-pager", "--threshold=15"])
        .arg(&unit)
        .output()
        .unwrap();
    assert!(
        out.status.success() && stdout(&out).contains("Overall exposure level"),
        "{}{}",
        stdout(&out),
        stderr(&out)
    );
    // All that is in the units is known to systemd.
    for unit in ["halbox.service", "halbox.socket"] {
        let out = Command::new(&analyze)
            .args(["verify", "--man=no"])
            .arg(root().join("packaging/systemd").join(unit))
            .output()
            .unwrap();
        let said = stderr(&out);
        let wrong: Vec<&str> = said
            .lines()
            .filter(|l| l.contains("packaging/systemd") && !l.contains("/usr/bin/halbox"))
            .collect();
        assert!(wrong.is_empty(), "{wrong:?}");
    }
}
