//! The serial console of a BMC that none of us wrote: ipmi_sim, on a bad network, killed, and with a real machine behind it.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;

use halbox::hal::transport::faults::Faults;

use crate::common::console::{Visitor, echo, noise, pipe, same};
use crate::common::halbox;
use crate::common::ipmi_sim::{IpmiSim, Setup};
use crate::common::relay::Relay;
use crate::common::stderr;
use crate::inband::vm::Vm;
use crate::serve::daemon::Daemon;

const MAC: &str = "ac:1f:6b:00:00:01";

/// `halbox bmc --address … console`; what it learns of the BMC is kept in `cache`.
fn console(at: SocketAddr, cache: &Path) -> Command {
    let mut command = halbox();
    command
        .args(["bmc", "--timeout", "1m", "--address", &at.to_string()])
        .args(["-U", "ipmiusr", "-E", "console"])
        .env("HALBOX_PASSWORD", "test")
        .env("XDG_CACHE_HOME", cache);
    command
}

/// A daemon that may log in to it.
fn daemon(sim: &IpmiSim) -> Daemon {
    let port = sim.address.port();
    let unused = port + 1;
    let daemon = Daemon::start(&format!("--ipmi-port {port} --redfish-port {unused}"));
    daemon.lease(&[(MAC, &sim.address.ip().to_string())]);
    daemon.until(MAC, |row| row["drivers"] == serde_json::json!(["IPMI"]));
    let out = daemon.bmc_with(&format!("update {MAC} --ipmi-user ipmiusr"), "test");
    assert!(out.status.success(), "{}", stderr(&out));
    daemon
}

fn visitor(daemon: &Daemon, line: &str) -> Visitor {
    let mut command = halbox();
    command
        .env("HALBOX_SERVER", daemon.server())
        .arg("bmc")
        .args(line.split_whitespace());
    Visitor::start(command)
}

#[test]
fn every_byte_again_and_again() {
    let Some(sim) = IpmiSim::start(Setup::Serial(echo())) else {
        return;
    };
    // ipmi_sim does not forget the last number of the console before; halbox remembers it as well.
    let cache = tempfile::tempdir().unwrap();
    for round in 0..3 {
        let paste = noise((64 << 10) / 3 + round, round as u64);
        let mut command = console(sim.address, cache.path());
        command.args(["--quiet-after", "3s"]);
        same(&pipe(command, &paste), &paste);
    }
}

/// So many bytes there and back while every twentieth datagram of each direction is lost.
fn lossy(bytes: usize) {
    let Some(sim) = IpmiSim::start(Setup::Serial(echo())) else {
        return;
    };
    let faults = Faults {
        loss: 0.05,
        ..Faults::default()
    };
    let cache = tempfile::tempdir().unwrap();
    // As shipped it gives up on a packet after a few tries, and halbox says that characters are missing. An operator on such a
    // network raises the SOL retry count, parameter 5.
    let mut raw = halbox();
    raw.args(["bmc", "--address", &sim.target(), "-U", "ipmiusr", "-E"])
        .args(["raw", "0x0c", "0x21", "1", "5", "7", "10"])
        .env("HALBOX_PASSWORD", "test")
        .env("XDG_CACHE_HOME", cache.path());
    let out = raw.output().unwrap();
    assert!(out.status.success(), "{}", stderr(&out));
    let relay = Relay::lossy(sim.address, faults);
    let paste = noise(bytes, 7);
    let mut command = console(relay.address, cache.path());
    command.args(["--quiet-after", "8s"]);
    same(&pipe(command, &paste), &paste);
    // ipmi_sim sends and takes less than thirty characters in a packet.
    assert!(relay.lost() > bytes / 30 / 20, "{} lost", relay.lost());
}

#[test]
fn every_byte_through_a_bad_network() {
    lossy(4 << 10);
}

#[test]
#[ignore = "takes five minutes, for each lost packet waits a second: just proof-console"]
fn sixty_four_kilobytes_through_a_bad_network() {
    lossy(64 << 10);
}

#[test]
fn a_killed_bmc_comes_back_at_an_address() {
    let Some(mut sim) = IpmiSim::start(Setup::Serial(echo())) else {
        return;
    };
    let cache = tempfile::tempdir().unwrap();
    comes_back(&mut sim, |sim| {
        Visitor::start(console(sim.address, cache.path()))
    });
}

#[test]
fn a_killed_bmc_comes_back_in_the_daemon() {
    let Some(mut sim) = IpmiSim::start(Setup::Serial(echo())) else {
        return;
    };
    let daemon = daemon(&sim);
    comes_back(&mut sim, |_| {
        let mut visitor = visitor(&daemon, &format!("console {MAC}"));
        visitor.expect("you write");
        visitor
    });
}

fn comes_back(sim: &mut IpmiSim, visit: impl FnOnce(&IpmiSim) -> Visitor) {
    let mut anna = visit(sim);
    anna.expect("over ipmi, ~. leaves");
    anna.types("before\r");
    anna.expect("before");
    sim.kill();
    anna.types("into the void\r");
    anna.expect("again in");
    sim.revive();
    anna.expect("over ipmi, ~. leaves");
    anna.types("after\r");
    anna.expect("after");
    let all = String::from_utf8_lossy(&anna.text).into_owned();
    assert!(!all.contains("void"), "typed for the old line: {all}");
    anna.leaves();
}

/// A VM with a shell on its serial port, which is the port of ipmi_sim.
#[test]
fn a_real_machine_behind_it() {
    let Some(vm) = Vm::find() else {
        return;
    };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let mut vm = vm.with_serial_port(
        &format!("tcp:127.0.0.1:{port},server=on,wait=off"),
        "stty -F /dev/ttyS0 sane; PS1='vm> ' exec sh -i </dev/ttyS0 >/dev/ttyS0 2>&1",
    );
    // ipmi_sim tries a second time only after ten seconds.
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(vm.lives(), "QEMU did not start");
        std::thread::yield_now();
    }
    let sim = IpmiSim::start(Setup::Serial(port)).unwrap();
    let cache = tempfile::tempdir().unwrap();
    let mut anna = Visitor::start(console(sim.address, cache.path()));
    anna.expect("over ipmi, ~. leaves");
    // Whether the shell stands yet its prompt shows, which may have come before we did.
    anna.types("\r");
    anna.expect("vm> ");
    anna.types("uname -s; echo $((6 * 7))\r");
    anna.expect("Linux\r\n42\r\n");
    anna.leaves();
    // The same through the daemon.
    let daemon = daemon(&sim);
    let mut bert = visitor(&daemon, &format!("console {MAC}"));
    bert.expect("over ipmi, ~. leaves");
    bert.types("\r\r");
    bert.expect("vm> ");
    bert.types("echo $((12345 * 2)); cat /proc/cmdline\r");
    bert.expect("24690\r\nconsole=ttyS0");
    bert.expect("vm> ");
    bert.types("exit 7\r");
    assert_eq!(vm.ends(), Some(7), "the shell in the VM ended with it");
    bert.leaves();
}
