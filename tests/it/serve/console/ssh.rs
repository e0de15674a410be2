//! A console over SSH that several people share, on a real OpenSSH server, and its host key.

use std::net::SocketAddr;

use halbox::hal::model::Secret;
use halbox::hal::sim::{self, ProfileName, RedfishOptions};

use super::*;
use crate::common::sshd::{PASSWORD, READY, Sshd, USER};

const ADDRESS: &str = "127.88.16.1";
const PORT: u16 = 16_425;
const LINES: &str = "PasswordAuthentication yes\nKbdInteractiveAuthentication no";

#[test]
fn people_share_it_and_a_changed_host_key_wants_trust() {
    // Through the daemon it is at the vendor's port.
    let Some(mut sshd) = Sshd::start_at(SocketAddr::new(ADDRESS.parse().unwrap(), 22), LINES)
    else {
        return;
    };
    let _sim = sim::start(sim::Options {
        listen: ADDRESS.parse().unwrap(),
        port: PORT,
        profile: ProfileName::Dell,
        user: USER.to_owned(),
        password: Secret::new(PASSWORD),
        redfish: Some(RedfishOptions {
            port: PORT + 1,
            ..RedfishOptions::default()
        }),
        ..sim::Options::default()
    })
    .unwrap();
    let redfish = PORT + 1;
    let daemon = Daemon::start(&format!("--ipmi-port {PORT} --redfish-port {redfish}"));
    daemon.lease(&[(MAC, ADDRESS)]);
    daemon.until(MAC, |row| row["drivers"] != json!([]));
    let out = daemon.bmc_with(&format!("update {MAC} --redfish-user {USER}"), PASSWORD);
    assert!(out.status.success(), "{}", stderr(&out));
    daemon.until(MAC, |row| row["powermetric"]["powerstate"] == "ON");
    let come = |line: &str| {
        let mut command = halbox();
        command
            .env("HALBOX_SERVER", daemon.server())
            .args(["bmc", "console", MAC])
            .args(line.split_whitespace());
        Visitor::start(command)
    };
    let ready = READY.trim_end();
    let mut anna = come("");
    anna.expect("you write");
    anna.expect(ready);
    let mut bert = come("--read-only");
    bert.expect("writes, you read");
    let mut carl = come("--read-only");
    carl.expect("writes, you read");
    anna.types("all hear this\r");
    for visitor in [&mut anna, &mut bert, &mut carl] {
        visitor.expect("all hear this");
    }
    let mut dora = come("--force");
    dora.expect("you write");
    anna.expect("took over: you read");
    dora.types("and this\r");
    for visitor in [&mut anna, &mut bert, &mut carl, &mut dora] {
        visitor.expect("and this");
    }
    // One login for all of them.
    assert_eq!(sshd.log().matches("Accepted password for").count(), 1);
    for visitor in [anna, bert, carl, dora] {
        visitor.leaves();
    }
    sshd.expect("Disconnected from user", 1);

    sshd.again_with_key("ecdsa", LINES);
    let out = daemon.bmc(&format!("console {MAC}"));
    let said = stderr(&out);
    assert_eq!(out.status.code(), Some(1), "{said}");
    assert!(said.contains("the host key has changed"), "{said}");
    assert!(said.contains(&sshd.fingerprint("ecdsa")), "{said}");
    assert!(said.contains("bmc trust"), "{said}");
    assert!(!sshd.log().contains("userauth-request"), "{}", sshd.log());
    let out = daemon.bmc(&format!("trust {MAC}"));
    assert!(out.status.success(), "{}", stderr(&out));
    let mut anna = come("");
    anna.expect(ready);
    anna.leaves();
    // The password is in no file of the daemon, whatever it logs.
    let mut files = daemon.files();
    files.push(("the log".into(), daemon.log().into_bytes()));
    assert!(files.len() > 5, "{}", files.len());
    for (path, bytes) in files {
        let there = bytes
            .windows(PASSWORD.len())
            .any(|w| w == PASSWORD.as_bytes());
        assert!(!there, "{} shows the password", path.display());
    }
}
