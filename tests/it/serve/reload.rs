//! SIGHUP: what can change while the daemon runs changes; what cannot is named; nonsense changes nothing.

use super::daemon::Daemon;
use super::{MAC, OTHER};
use crate::common::{halbox, stderr, stdout};

#[test]
fn the_configuration_is_read_again() {
    let _sim = super::simulated("127.88.13.1", 16_350, 3, "admin");
    let dir = tempfile::tempdir().unwrap();
    super::api::issue(dir.path(), "127.88.7.1");
    let at = |name: &str| dir.path().join(name).display().to_string();
    let file = dir.path().join("halbox.yaml");
    let configure = |text: &str| std::fs::write(&file, text).unwrap();
    configure("log-level: warn\nroles: {op: viewer}\nignored-macs: ['ac:1f:6b:00:00:01']\n");
    let tls = "127.88.7.1:16353";
    // HALBOX_LOG would count more than the configuration.
    let mut daemon = Daemon::start_with(
        &format!(
            "--config {} --ipmi-port 16350 --redfish-port 16351 --listen {tls} --tls-cert {} --tls-key {} --tls-client-ca {}",
            file.display(),
            at("server.pem"),
            at("server.key"),
            at("ca.pem")
        ),
        &[],
    );
    let call = |line: &str| {
        halbox()
            .args([
                "bmc",
                "--server",
                &format!("https://{tls}"),
                "--ca",
                &at("ca.pem"),
            ])
            .args(["--cert", &at("op.pem"), "--key", &at("op.key")])
            .args(line.split_whitespace())
            .output()
            .unwrap()
    };
    let third = "ac:1f:6b:00:00:03";
    daemon.lease(&[(MAC, "127.88.13.1"), (OTHER, "127.88.13.2")]);
    daemon.until(OTHER, |row| row["drivers"] == serde_json::json!(["IPMI"]));
    assert!(!stdout(&daemon.bmc("ls --all")).contains(MAC));
    assert_eq!(call(&format!("rm {OTHER}")).status.code(), Some(4));
    assert!(!daemon.log().contains("info:"), "{}", daemon.log());

    // Another authority, other roles, nobody ignored, one more BMC, another lease file, a louder log; and a port, which
    // cannot change.
    super::api::issue(dir.path(), "127.88.7.1");
    let old = call("ls");
    assert!(!old.status.success(), "the old certificate is still used");
    configure(&format!(
        "log-level: debug\nroles: {{op: operator}}\nhttp: 127.88.7.1:16354\nstatic: [{{mac: '{third}', ip: 127.88.13.3}}]\n"
    ));
    daemon.reload();
    daemon.until(MAC, |row| row["drivers"] == serde_json::json!(["IPMI"]));
    daemon.until(third, |row| row["drivers"] == serde_json::json!(["IPMI"]));
    let out = call(&format!("rm {OTHER}"));
    assert!(out.status.success(), "{}", stderr(&out));
    let log = daemon.log();
    assert!(
        log.contains("info: halbox") && log.contains("reloaded"),
        "{log}"
    );
    assert!(log.contains("http: changed, but needs a restart"), "{log}");

    // Nonsense is named, and everything stays as it was.
    configure("roles: {op: king}\n");
    daemon.reload();
    assert!(daemon.log().contains("not reloaded") && daemon.log().contains("king"));
    assert!(call(&format!("add {OTHER}")).status.success());
    std::fs::write(dir.path().join("server.pem"), "nonsense").unwrap();
    configure("log-level: warn\nroles: {op: operator}\n");
    daemon.reload();
    assert!(daemon.log().contains("certificates stay as they were"));
    assert!(call("ls").status.success());
    // Tokens as well.
    std::fs::write(daemon.dir.path().join("state/tokens.json"), "nonsense").unwrap();
    daemon.reload();
    assert!(daemon.log().contains("tokens stay as they were"));
    assert_eq!(daemon.terminate(), Some(0));
}
