//! No BMC sees a second wrong password by the daemon's own doing, whatever is asked of it and however often it starts.

use std::net::SocketAddr;

use halbox::hal::gate::name_of;
use halbox::hal::model::Secret;
use halbox::hal::sim::options::RedfishOptions;
use halbox::hal::sim::{self, SimHandle};
use serde_json::json;

use super::daemon::Daemon;
use super::{MAC, value};
use crate::common::{halbox, stderr};

/// A BMC with both protocols that locks an account after three wrong passwords.
fn strict(listen: &str, port: u16) -> SimHandle {
    sim::start(sim::Options {
        listen: listen.parse().unwrap(),
        port,
        password: Secret::new("right"),
        lockout: 3,
        redfish: Some(RedfishOptions {
            port: port + 1,
            ..RedfishOptions::default()
        }),
        ..sim::Options::default()
    })
    .unwrap()
}

/// Failed logins and locks that the BMC saw.
fn seen(sim: &SimHandle) -> (u64, u64) {
    let total = sim.total();
    (total.failed_logins, total.lockouts)
}

#[test]
fn a_wrong_password_locks_nothing_whatever_is_done() {
    let sim = strict("127.88.7.1", 16_280);
    let mut daemon = Daemon::start("--ipmi-port 16280 --redfish-port 16281 --refresh 1s");
    daemon.lease(&[(MAC, "127.88.7.1")]);
    daemon.until(MAC, |row| row["drivers"] == json!(["IPMI", "Redfish"]));
    // The same wrong pair for both protocols.
    let update = format!(
        "update {MAC} --preferred-protocol Redfish --redfish-user admin --ipmi-user admin --redfish-password wrong"
    );
    assert!(daemon.bmc_with(&update, "wrong").status.success());
    daemon.until(MAC, |row| row["status"]["kind"] == "auth");
    assert_eq!(seen(&sim), (1, 0), "{}", daemon.log());

    for run in 0..4 {
        for operation in [
            "power status",
            "power cycle",
            "info",
            "boot pxe",
            "user ls",
            "sel ls",
        ] {
            let out = daemon.bmc(&format!("{operation} {MAC}"));
            assert_eq!(out.status.code(), Some(4), "{operation}: {}", stderr(&out));
        }
        // The other protocol is not tried with it, either; a change of something else opens nothing.
        for change in ["--preferred-protocol IPMI", "--partition fra"] {
            let out = daemon.bmc(&format!("update {MAC} {change}"));
            assert!(out.status.success(), "{}", stderr(&out));
            assert_eq!(
                daemon.bmc(&format!("power status {MAC}")).status.code(),
                Some(4)
            );
        }
        if run % 2 == 0 {
            daemon.murder();
        } else {
            assert_eq!(daemon.terminate(), Some(0));
        }
        daemon.begin();
    }
    assert_eq!(seen(&sim), (1, 0), "{}", daemon.log());
    let out = daemon.bmc(&format!("power status {MAC}"));
    assert!(
        stderr(&out).contains("--try-now"),
        "it says what to do: {}",
        stderr(&out)
    );

    // An operator who insists is let through, once.
    let insist = format!("update {MAC} --try-now --preferred-protocol Redfish");
    assert!(daemon.bmc(&insist).status.success());
    daemon.until(MAC, |_| seen(&sim).0 == 2);
    for _ in 0..3 {
        assert_eq!(
            daemon.bmc(&format!("power status {MAC}")).status.code(),
            Some(4)
        );
    }
    assert_eq!(seen(&sim), (2, 0), "{}", daemon.log());

    // Corrected credentials pass by themselves.
    let right =
        format!("update {MAC} --ipmi-user admin --redfish-user admin --redfish-password right");
    assert!(daemon.bmc_with(&right, "right").status.success());
    daemon.until(MAC, |row| row["powermetric"]["powerstate"] == "ON");
    // Killed and started again, it logs in with what is known to be right.
    daemon.murder();
    daemon.begin();
    assert_eq!(value(&daemon.json(&format!("power status {MAC}"))), "ON");
    assert_eq!(seen(&sim), (2, 0), "{}", daemon.log());
    assert_eq!(daemon.terminate(), Some(0));
}

#[test]
fn an_operator_at_the_command_line_fails_once_per_command() {
    let sim = strict("127.88.8.1", 16_290);
    let cache = tempfile::tempdir().unwrap();
    let command = |operation: &str| {
        let line = format!(
            "--address 127.88.8.1 --ipmi-port 16290 --redfish-port 16291 -U admin -E {operation}"
        );
        halbox()
            .env("XDG_CACHE_HOME", cache.path())
            .env("HALBOX_PASSWORD", "wrong")
            .arg("bmc")
            .args(line.split_whitespace())
            .output()
            .unwrap()
    };
    // Several reads over two protocols; the second with a service that is known already.
    assert_eq!(command("info").status.code(), Some(4));
    assert_eq!(seen(&sim), (1, 0));
    assert_eq!(command("reinstall --yes").status.code(), Some(4));
    assert_eq!(seen(&sim), (2, 0));
    // IPMI tells it before it counts, and Redfish is not asked then.
    assert_eq!(command("--driver IPMI power status").status.code(), Some(4));
    assert_eq!(seen(&sim), (2, 0));
    // What operators do is kept apart from what the program does.
    let kept = kept_of(cache.path());
    let name = name_of(SocketAddr::from(([127, 88, 8, 1], 16_290)));
    assert_eq!(kept, [(name, true)]);
}

/// BMC and "by an operator" of the failed logins that the cache keeps.
fn kept_of(cache: &std::path::Path) -> Vec<(String, bool)> {
    use halbox::hal::gate::GateMemory;
    let logins = halbox::inventory::Logins::open(&cache.join("halbox"), 0, None).unwrap();
    let name = name_of(SocketAddr::from(([127, 88, 8, 1], 16_290)));
    let attempts = logins.attempts(&name, 0).unwrap();
    attempts.into_iter().map(|a| (a.bmc, a.operator)).collect()
}
