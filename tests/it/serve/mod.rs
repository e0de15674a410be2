//! `halbox serve` from outside: real lease files, simulated BMCs, the command line.

mod api;
mod canary;
mod cli;
mod completion;
mod console;
mod crowd;
pub mod daemon;
mod gate;
mod leases;
mod many;
mod namespaces;
mod once;
mod reload;
mod service;
mod slow;
mod torture;

use std::net::IpAddr;

use halbox::hal::model::Secret;
use halbox::hal::sim::{self, SimHandle};
use serde_json::{Value, json};

use crate::common::{stderr, stdout};
use daemon::Daemon;

const MAC: &str = "ac:1f:6b:00:00:01";
const OTHER: &str = "ac:1f:6b:00:00:02";

/// MAC of the BMC of that number, as leases of tests name it.
fn mac_of(bmc: usize) -> String {
    format!("ac:1f:6b:00:01:{bmc:02x}")
}

/// BMCs on addresses of the test's own.
fn simulated(first: &str, port: u16, count: u32, password: &str) -> SimHandle {
    sim::start(sim::Options {
        listen: first.parse::<IpAddr>().unwrap(),
        port,
        count,
        password: Secret::new(password),
        ..sim::Options::default()
    })
    .unwrap()
}

fn value(results: &Value) -> &Value {
    let result = &results["results"][0];
    assert_eq!(result["ok"], true, "{result}");
    &result["value"]
}

#[test]
#[expect(
    clippy::too_many_lines,
    reason = "the flow of a machine's life, from its lease on"
)]
fn from_a_lease_to_a_machine_that_is_driven() {
    let sim = simulated("127.88.1.1", 16_240, 2, "admin");
    // Nothing else than these BMCs is on the port that is asked for Redfish.
    let mut daemon = Daemon::start("--ipmi-port 16240 --redfish-port 16241 --partition fra");
    assert_eq!(
        stdout(&daemon.bmc("ls")),
        "MAC   IP   VENDOR   DRIVER     MACHINE ID\n"
    );
    daemon.lease(&[(MAC, "127.88.1.1")]);
    let row = daemon.until(MAC, |row| row["drivers"] == json!(["IPMI"]));
    assert_eq!(row["address"], "127.88.1.1");
    assert_eq!(row["partition"], "fra");
    assert_eq!(row["machine_id"], Value::Null);
    daemon.lease(&[(MAC, "127.88.1.1"), (OTHER, "127.88.1.2")]);
    daemon.until(OTHER, |row| row["drivers"] == json!(["IPMI"]));
    let table = stdout(&daemon.bmc("ls"));
    assert_eq!(table.lines().count(), 3, "{table}");

    // Without credentials it cannot be driven, and it says what to do.
    let refused = daemon.bmc("power status 127.88.1.1");
    assert_eq!(refused.status.code(), Some(4));
    assert!(
        stderr(&refused).contains("bmc update"),
        "{}",
        stderr(&refused)
    );

    // The proposal's own line, with the password from the environment.
    let line = format!("update {MAC} --preferred-protocol IPMI --ipmi-user admin");
    let out = daemon.bmc_with(&line, "admin");
    assert!(out.status.success(), "{}", stderr(&out));
    let row = daemon.until(MAC, |row| row["powermetric"]["powerstate"] == "ON");
    assert_eq!(row["status"]["last_error"], Value::Null);
    assert_eq!(row["sources"]["power"], "ipmi");
    // The row names no port: it is the daemon's.
    assert_eq!(row["ipmi"]["port"], 16_240);
    let id = row["machine_id"].as_str().unwrap().to_owned();

    // Every way to name it; the documents are those of --address.
    for key in [MAC, "127.88.1.1", &id, &id[..8]] {
        assert_eq!(
            value(&daemon.json(&format!("power status {key}"))),
            "ON",
            "{key}"
        );
    }
    for operation in [
        "info",
        "fru",
        "lan",
        "sensors",
        "sel ls",
        "user ls",
        "led status",
        "boot status",
        "power-metrics",
    ] {
        let through = daemon.json(&format!("{operation} {MAC}"));
        let direct = daemon.bmc_with(
            &format!(
                "--address 127.88.1.1 --ipmi-port 16240 -U admin -E --no-cache {operation} -o json"
            ),
            "admin",
        );
        let direct: Value = serde_json::from_str(&stdout(&direct)).unwrap();
        let keys = |v: &Value| {
            v["results"][0]
                .as_object()
                .unwrap()
                .keys()
                .cloned()
                .collect::<Vec<_>>()
        };
        assert_eq!(keys(&through), keys(&direct), "{operation}");
        assert_eq!(
            through["results"][0]["by"], direct["results"][0]["by"],
            "{operation}"
        );
        // Watts and temperatures move between two reads.
        if !["sensors", "power-metrics"].contains(&operation) {
            assert_eq!(value(&through), value(&direct), "{operation}");
        }
    }

    assert_eq!(value(&daemon.json(&format!("power cycle {MAC}"))), "ON");
    assert_eq!(value(&daemon.json(&format!("power off {MAC}"))), "OFF");
    assert_eq!(sim.with_state(0, |s| s.power.on), Some(false));
    assert_eq!(value(&daemon.json(&format!("power on {MAC}"))), "ON");
    let boot = daemon.json(&format!("boot pxe {MAC}"));
    assert_eq!(
        value(&boot),
        &json!({"target": "PXE", "mode": "UEFI", "persistence": "PERSISTENT"})
    );
    assert_eq!(value(&daemon.json(&format!("led on {MAC}"))), "ON");

    // A prefix never selects the target of a write; several want a yes.
    assert_eq!(
        daemon
            .bmc(&format!("power off {}", &MAC[..8]))
            .status
            .code(),
        Some(2)
    );
    assert_eq!(daemon.bmc("power off --all").status.code(), Some(2));

    let describe = stdout(&daemon.bmc(&format!("describe {MAC}")));
    assert!(
        describe.starts_with("mac: ac:1f:6b:00:00:01\naddress: 127.88.1.1\n"),
        "{describe}"
    );
    assert!(!describe.contains("password"));
    let shown = stdout(&daemon.bmc(&format!("describe {MAC} --with-passwords")));
    assert!(shown.contains("  password: admin\n"), "{shown}");

    // A new account over the API is made, proved and used from then on.
    let made = daemon.bmc_with(
        &format!("create-ipmi-user {MAC} --ipmi-role privileged --ipmi-password Abc-12345678"),
        "",
    );
    assert!(made.status.success(), "{}", stderr(&made));
    let row = daemon.until(MAC, |row| row["ipmi"]["user"] == "metal");
    assert_eq!(row["status"]["last_error"], Value::Null);
    assert_eq!(value(&daemon.json(&format!("power status {MAC}"))), "ON");

    assert_eq!(daemon.terminate(), Some(0));
    let total = sim.total();
    assert_eq!(
        (total.sessions_open, total.failed_logins),
        (0, 0),
        "{}",
        daemon.log()
    );
    // What was done stands in the audit log, begun and ended.
    let audit = daemon.dir.path().join("state/audit.log");
    let out = crate::common::run(&format!("audit verify {}", audit.display()));
    assert!(out.status.success(), "{}", stderr(&out));
    let text = std::fs::read_to_string(&audit).unwrap();
    assert_eq!(
        text.matches("\"begun\"").count(),
        text.matches("\"what\":\"Set").count() / 2 + text.matches("CreateIpmiUser").count() / 2
    );
}

#[test]
fn a_row_has_two_protocols() {
    let sim = sim::start(sim::Options {
        listen: "127.88.5.1".parse().unwrap(),
        port: 16_245,
        redfish: Some(sim::options::RedfishOptions {
            port: 16_246,
            ..sim::options::RedfishOptions::default()
        }),
        ..sim::Options::default()
    })
    .unwrap();
    let mut daemon = Daemon::start("--ipmi-port 16245 --redfish-port 16246");
    daemon.lease(&[(MAC, "127.88.5.1")]);
    daemon.until(MAC, |row| row["drivers"] == json!(["IPMI", "Redfish"]));
    // The proposal's line.
    let line = format!(
        "update {MAC} --preferred-protocol Redfish --redfish-user admin --redfish-password admin"
    );
    let out = daemon.bmc(&line);
    assert!(out.status.success(), "{}", stderr(&out));
    let row = daemon.until(MAC, |row| row["powermetric"]["powerstate"] == "ON");
    assert_eq!(
        (&row["protocol"], &row["status"]["last_error"]),
        (&json!("Redfish"), &Value::Null)
    );
    assert_eq!(row["tls"]["sha256"].as_str().unwrap().len(), 64);
    for operation in [
        "power cycle",
        "power off",
        "power on",
        "boot pxe",
        "led on",
        "info",
        "sensors",
    ] {
        let results = daemon.json(&format!("{operation} {MAC}"));
        value(&results);
        if operation.starts_with("power") {
            assert_eq!(results["results"][0]["verified"], "yes", "{results}");
        }
        let by = results["results"][0]["by"].as_str().unwrap();
        assert!(by.contains("redfish"), "{operation}: {by}");
    }
    let out = daemon.bmc_with(
        &format!("update {MAC} --only-driver IPMI --ipmi-user admin"),
        "admin",
    );
    assert!(out.status.success(), "{}", stderr(&out));
    let results = daemon.json(&format!("power status {MAC}"));
    assert_eq!(
        (value(&results), &results["results"][0]["by"]),
        (&json!("ON"), &json!("ipmi"))
    );
    assert_eq!(daemon.terminate(), Some(0));
    let total = sim.total();
    assert_eq!(
        (total.sessions_open, total.failed_logins),
        (0, 0),
        "{}",
        daemon.log()
    );
}

#[test]
fn a_refused_password_is_tried_once() {
    let sim = simulated("127.88.2.1", 16_250, 1, "right");
    let daemon = Daemon::start("--ipmi-port 16250 --redfish-port 16251 --refresh 1s");
    daemon.lease(&[(MAC, "127.88.2.1")]);
    daemon.until(MAC, |row| row["drivers"] == json!(["IPMI"]));
    let update = format!("update {MAC} --ipmi-user admin");
    assert!(daemon.bmc_with(&update, "wrong").status.success());
    let row = daemon.until(MAC, |row| row["status"]["kind"] == "auth");
    assert!(
        row["status"]["last_error"]
            .as_str()
            .is_some_and(|e| !e.is_empty())
    );
    // Others are found and driven meanwhile; this one is left alone until somebody changes something.
    let failed = sim.total().failed_logins;
    assert!(daemon.bmc_with(&update, "right").status.success());
    let row = daemon.until(MAC, |row| row["powermetric"]["powerstate"] == "ON");
    assert_eq!(row["status"]["kind"], Value::Null);
    assert_eq!(sim.total().failed_logins, failed);
}

#[test]
fn rows_that_move_go_and_come_by_hand() {
    let _sim = simulated("127.88.3.1", 16_260, 3, "admin");
    let daemon = Daemon::start("--ipmi-port 16260 --redfish-port 16261");
    daemon.lease(&[(MAC, "127.88.3.1")]);
    daemon.until(MAC, |row| row["drivers"] == json!(["IPMI"]));
    daemon.lease(&[(MAC, "127.88.3.2")]);
    let row = daemon.until(MAC, |row| row["address"] == "127.88.3.2");
    assert!(
        row["warnings"][0]
            .as_str()
            .unwrap()
            .contains("moved from 127.88.3.1"),
        "{row}"
    );
    // Removed while its lease lasts: it stays away, and comes back by hand.
    assert!(daemon.bmc(&format!("rm {MAC}")).status.success());
    daemon.lease(&[(MAC, "127.88.3.2"), (OTHER, "127.88.3.3")]);
    daemon.until(OTHER, |row| row["drivers"] == json!(["IPMI"]));
    assert_eq!(
        daemon.bmc(&format!("describe {MAC}")).status.code(),
        Some(2)
    );
    assert!(
        daemon
            .bmc(&format!("add {MAC} --ip 127.88.3.1"))
            .status
            .success()
    );
    daemon.until(MAC, |row| row["drivers"] == json!(["IPMI"]));
    // A lease at which nothing answers is a candidate: not in the list, unless all are wanted.
    let nobody = "ac:1f:6b:00:00:09";
    daemon.lease(&[(nobody, "127.88.3.99")]);
    daemon.until(nobody, |row| row["candidate"] == true);
    assert!(!stdout(&daemon.bmc("ls")).contains(nobody));
    assert!(stdout(&daemon.bmc("ls --all")).contains(nobody));
    let status = daemon.json("status");
    assert_eq!(
        (&status["candidates"], &status["lease_files"][0]["format"]),
        (&json!(1), &json!("dnsmasq"))
    );
    let found = daemon.json("discover 127.88.3.0/30");
    assert_eq!(found["probes"].as_array().unwrap().len(), 3);
}
