//! Passwords, tokens and keys with a marker, everything at the most verbose level: the marker is nowhere where it should not
//! be.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;

use halbox::hal::model::Secret;
use halbox::hal::sim;

use super::MAC;
use super::daemon::Daemon;
use crate::common::{halbox, stderr, stdout};

/// What is looked for; every secret begins with it.
const CANARY: &str = "CANARY7f";
const HTTP: &str = "127.88.4.1:16274";

/// One page of the daemon.
pub fn page(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .write_all(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes())
        .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

/// How a secret may be written: as it is, in hex, in Base64 at each of the three places where it may begin.
fn spellings(text: &str) -> Vec<Vec<u8>> {
    use base64::Engine as _;
    let hex: Vec<String> = text.bytes().map(|b| format!("{b:02x}")).collect();
    let hex = hex.concat();
    let mut all = vec![
        text.as_bytes().to_vec(),
        hex.to_uppercase().into_bytes(),
        hex.into_bytes(),
    ];
    for skipped in 0..3 {
        let from = text.get(skipped..).unwrap_or("");
        let whole = from.get(..from.len() / 3 * 3).unwrap_or("");
        all.push(
            base64::engine::general_purpose::STANDARD
                .encode(whole)
                .into_bytes(),
        );
    }
    all
}

#[test]
#[expect(clippy::too_many_lines, reason = "all that there is to run")]
fn no_secret_leaves_the_daemon() {
    let admin = format!("{CANARY}-admin1A");
    let _sim = sim::start(sim::Options {
        listen: "127.88.4.1".parse().unwrap(),
        port: 16_270,
        password: Secret::new(admin.clone()),
        redfish: Some(sim::options::RedfishOptions {
            port: 16_271,
            ..sim::options::RedfishOptions::default()
        }),
        ..sim::Options::default()
    })
    .unwrap();
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, format!("{text}\n")).unwrap();
        path.display().to_string()
    };
    let mut daemon = Daemon::start(&format!(
        "--ipmi-port 16270 --redfish-port 16271 --http {HTTP} --refresh 1s -vvv"
    ));
    let key = std::fs::read_to_string(daemon.dir.path().join("state/key")).unwrap();
    daemon.lease(&[(MAC, "127.88.4.1")]);
    daemon.until(MAC, |row| {
        row["drivers"] == serde_json::json!(["IPMI", "Redfish"])
    });

    let right = file("right", &admin);
    let mut said = Vec::new();
    let mut bmc = |line: &str, fails: bool| {
        let out = daemon.bmc_with(&format!("-vvv {line}"), &format!("{CANARY}-env"));
        assert_ne!(out.status.success(), fails, "{line}: {}", stderr(&out));
        said.extend(out.stdout);
        said.extend(out.stderr);
    };
    bmc(
        &format!(
            "update {MAC} --ipmi-user admin --ipmi-password-file {right} --redfish-user admin --redfish-password-file {right}"
        ),
        false,
    );
    daemon.until(MAC, |row| row["powermetric"]["powerstate"] == "ON");
    for read in [
        "power status",
        "info",
        "fru",
        "lan",
        "sensors",
        "sel ls",
        "user ls",
        "led status",
        "boot status",
        "power-metrics",
        "describe -o json",
    ] {
        bmc(&format!("{read} {MAC}"), false);
    }
    bmc("ls -o yaml", false);
    bmc("status -o yaml", false);
    // Over either protocol: accounts come, change and go.
    for driver in ["IPMI", "Redfish"] {
        bmc(
            &format!("update {MAC} --preferred-protocol {driver}"),
            false,
        );
        let first = file("first", &format!("{CANARY}-first1A"));
        let second = file("second", &format!("{CANARY}-second2B"));
        bmc(
            &format!("user create bob --bmc {MAC} --role operator --new-password-file {first}"),
            false,
        );
        bmc(
            &format!("user set-password bob --bmc {MAC} --new-password-file {second}"),
            false,
        );
        bmc(&format!("user disable bob --bmc {MAC}"), false);
        bmc(&format!("user delete bob --bmc {MAC} --yes"), false);
        for write in [
            "power reset",
            "power cycle",
            "boot pxe",
            "led on",
            "sel clear",
        ] {
            bmc(&format!("{write} {MAC} --yes"), false);
        }
    }
    bmc(&format!("raw 6 1 --bmc {MAC} --yes"), false);
    // A wrong password is refused, in words that do not hold it.
    let wrong = file("wrong", &format!("{CANARY}-wrong"));
    bmc(
        &format!("update {MAC} --ipmi-password-file {wrong} --redfish-password-file {wrong}"),
        false,
    );
    daemon.until(MAC, |row| row["status"]["kind"] == "auth");
    bmc(&format!("power status {MAC}"), true);
    bmc(
        &format!("update {MAC} --ipmi-password-file {right} --redfish-password-file {right}"),
        false,
    );
    daemon.until(MAC, |row| {
        row["status"]["kind"].is_null() && row["powermetric"]["powerstate"] == "ON"
    });

    let token = |line: &str| {
        let out = halbox()
            .env("HALBOX_SERVER", daemon.server())
            .arg("token")
            .args(line.split_whitespace())
            .output()
            .unwrap();
        assert!(out.status.success(), "{}", stderr(&out));
        stdout(&out).trim().to_owned()
    };
    let token = token("create --role viewer --ttl 1h");
    let papers = file("token", &token);
    bmc(&format!("--token-file {papers} ls"), false);
    let unknown = file("unknown", &format!("halbox_{CANARY}_0"));
    bmc(&format!("--token-file {unknown} ls"), true);

    for path in ["/metrics", "/readyz", "/healthz", "/nothing"] {
        said.extend(page(HTTP, path).into_bytes());
    }
    // Every process of this test that is there: the daemon, and what it may have started.
    let mut processes = 0;
    for process in std::fs::read_dir("/proc").unwrap().map_while(Result::ok) {
        let command = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
        let own = process.file_name().to_string_lossy() == daemon.pid().to_string();
        if own {
            processes += 1;
            said.extend(std::fs::read(process.path().join("environ")).unwrap_or_default());
        }
        said.extend(command);
    }
    assert_eq!(processes, 1);
    assert_eq!(daemon.terminate(), Some(0));
    let mut files = daemon.files();
    files.retain(|(path, _)| !path.ends_with("key"));
    assert!(files.iter().any(|(p, _)| p.ends_with("audit.log")));
    assert!(files.iter().any(|(p, _)| p.ends_with("halbox.sqlite")));
    files.push(("the log".into(), daemon.log().into_bytes()));
    files.push(("what was said".into(), said));
    assert!(daemon.log().lines().count() > 300, "it is not verbose");
    let mut markers = spellings(CANARY);
    markers.extend(spellings(token.rsplit('_').next().unwrap()));
    markers.extend(spellings(key.trim()));
    for (path, bytes) in files {
        for marker in &markers {
            let there = bytes.windows(marker.len()).any(|w| w == marker.as_slice());
            assert!(
                !there,
                "{} shows {}",
                path.display(),
                String::from_utf8_lossy(marker)
            );
        }
    }
}

#[test]
fn who_is_not_in_the_group_is_refused_by_the_socket() {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;
    if !nix::unistd::geteuid().is_root() {
        return crate::common::skip("needs root to be somebody else");
    }
    let daemon = Daemon::start("--socket-group daemon");
    // Only the socket itself is in the way.
    std::fs::set_permissions(daemon.dir.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let binary = tempfile::tempdir().unwrap();
    std::fs::set_permissions(binary.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let copy = binary.path().join("halbox");
    std::fs::copy(env!("CARGO_BIN_EXE_halbox"), &copy).unwrap();
    let group = nix::unistd::Group::from_name("daemon").unwrap().unwrap();
    let run = |gid: u32, applet: &str, line: &str| {
        Command::new(&copy)
            .env("HALBOX_SERVER", daemon.server())
            .args([applet])
            .args(line.split_whitespace())
            .uid(65_534)
            .gid(gid)
            .output()
            .unwrap()
    };
    let own = run(group.gid.as_raw(), "bmc", "ls");
    assert!(own.status.success(), "{}", stderr(&own));
    let other = run(65_534, "bmc", "ls");
    assert_eq!(other.status.code(), Some(3), "{}", stderr(&other));
    assert!(
        stderr(&other).contains("ermission denied"),
        "{}",
        stderr(&other)
    );
    // The group is operator: it changes machines, and makes no tokens.
    let add = run(group.gid.as_raw(), "bmc", &format!("add {MAC}"));
    assert!(add.status.success(), "{}", stderr(&add));
    for (applet, line) in [
        ("token", "create --role viewer --ttl 1h".to_owned()),
        ("bmc", format!("describe {MAC} --with-passwords")),
    ] {
        let refused = run(group.gid.as_raw(), applet, &line);
        assert_eq!(
            refused.status.code(),
            Some(4),
            "{line}: {}",
            stderr(&refused)
        );
    }
}
