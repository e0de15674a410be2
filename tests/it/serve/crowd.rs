//! A thousand connections that say nothing, half of something or nonsense do not hurt the others; who asks too much waits,
//! and others do not.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use halbox::api::client::Client;
use halbox::api::fault::{from_status, retry_after};
use halbox::api::proto::{AddRequest, ListTokensRequest, StatusRequest};
use halbox::hal::Kind;
use nix::sys::resource::{Resource, getrlimit, setrlimit};

use super::canary::page;
use super::daemon::Daemon;
use crate::common::{halbox, stderr, stdout};

/// So many at each door.
const MANY: usize = 1000;

/// What hostile callers say: nothing, half of HTTP/2's first words, all of them and no more, the beginning of a frame that is
/// huge, HTTP/1, nonsense.
const WORDS: [&[u8]; 6] = [
    b"",
    b"PRI * HT",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\x01\x05\x00\x00\x00\x01",
    b"GET / HTTP/1.1\r\nX: ",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03nonsense\x00\xff\r\n",
];

/// Opens connections; they stay as long as they are held.
fn crowd<S: Write>(connect: impl Fn() -> std::io::Result<S>) -> Vec<S> {
    (0..MANY)
        .filter_map(|n| {
            let mut stream = connect().ok()?;
            // One that is sent away already is one less.
            let _ = stream.write_all(WORDS[n % WORDS.len()]);
            Some(stream)
        })
        .collect()
}

#[test]
fn a_thousand_hostile_connections_at_each_door_hurt_nobody() {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    let need = 4 * MANY as u64;
    if soft < need && setrlimit(Resource::RLIMIT_NOFILE, need.min(hard), hard).is_err() {
        return crate::common::skip("needs four thousand open files");
    }
    let dir = tempfile::tempdir().unwrap();
    super::api::issue(dir.path(), "127.88.7.1");
    let at = |name: &str| dir.path().join(name).display().to_string();
    let file = dir.path().join("halbox.yaml");
    std::fs::write(&file, "roles: {op: operator}\n").unwrap();
    let (tls, http) = ("127.88.7.1:16340", "127.88.7.1:16341");
    let mut daemon = Daemon::start_with(
        &format!(
            "--config {} --listen {tls} --http {http} --tls-cert {} --tls-key {} --tls-client-ca {}",
            file.display(),
            at("server.pem"),
            at("server.key"),
            at("ca.pem")
        ),
        &[],
    );
    let socket = daemon.dir.path().join("halbox.sock");
    let at_socket = crowd(|| UnixStream::connect(&socket));
    let at_tls = crowd(|| TcpStream::connect(tls));
    let at_http = crowd(|| TcpStream::connect(http));
    assert!(at_socket.len() > MANY / 2 && at_tls.len() > MANY / 2 && at_http.len() > MANY / 2);
    // They are still there, and whoever comes is served: the command line waits five seconds for a connection.
    let over_tls = |line: &str| {
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
    for _ in 0..3 {
        let out = daemon.bmc("status");
        assert!(out.status.success(), "{}", stderr(&out));
        let out = over_tls("status");
        assert!(out.status.success(), "{}", stderr(&out));
        assert!(page(http, "/healthz").starts_with("HTTP/1.1 200"));
        assert!(page(http, "/metrics").contains("halbox_bmcs"));
    }
    // Who is no client was told to go at once.
    let mut nonsense = UnixStream::connect(&socket).unwrap();
    nonsense
        .set_read_timeout(Some(super::daemon::PATIENCE))
        .unwrap();
    nonsense.write_all(&[b'x'; 64]).unwrap();
    let mut end = Vec::new();
    // An end, or a reset as not all that was sent was read.
    assert!(
        !matches!(nonsense.read_to_end(&mut end), Err(e) if e.kind() == std::io::ErrorKind::WouldBlock)
    );
    assert!(end.is_empty());
    drop((at_socket, at_tls, at_http));
    assert_eq!(daemon.terminate(), Some(0), "{}", daemon.log());
}

#[test]
fn who_asks_too_much_is_told_when_to_come_again_and_others_are_served() {
    let mut daemon = Daemon::start_with("--calls-per-second 4", &[]);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let token = halbox()
        .env("HALBOX_SERVER", daemon.server())
        .args(["token", "create", "--role", "viewer", "--ttl", "1h"])
        .output()
        .unwrap();
    assert!(token.status.success(), "{}", stderr(&token));
    let add = daemon.bmc(&format!("add {} --ip 127.88.7.9", super::MAC));
    assert!(add.status.success(), "{}", stderr(&add));
    runtime.block_on(async {
        let client = Client::connect(&daemon.server()).await.unwrap();
        // Twenty at once are fine; a hundred are not.
        let mut refused = None;
        for _ in 0..100 {
            if let Err(status) = client.discovery().status(StatusRequest {}).await {
                refused = Some(status);
                break;
            }
        }
        let refused = refused.expect("all of them were served");
        assert_eq!(refused.code(), tonic::Code::ResourceExhausted);
        let error = from_status(&refused);
        assert_eq!(error.kind(), Kind::Busy);
        assert!(
            error.hint().is_some_and(|h| h.starts_with("again in")),
            "{error:?}"
        );
        let pause = retry_after(&refused).unwrap();
        assert!(pause <= Duration::from_secs(1), "{pause:?}");
        // Another caller is served at once.
        let papers = halbox::api::client::Papers {
            token: Some(halbox::hal::model::Secret::new(
                stdout(&token).trim().to_owned(),
            )),
            ..Default::default()
        };
        let other = Client::connect_as(&daemon.server(), &papers).await.unwrap();
        other.discovery().status(StatusRequest {}).await.unwrap();
        // A message that is too large is refused, and the connection lives on.
        let huge = AddRequest {
            mac: "x".repeat(5 << 20),
            address: None,
            ..AddRequest::default()
        };
        let status = other.inventory().add(huge).await.unwrap_err();
        assert_eq!(status.code(), tonic::Code::OutOfRange, "{status}");
        let denied = other.tokens().list(ListTokensRequest {}).await.unwrap_err();
        assert!(
            matches!(
                denied.code(),
                tonic::Code::PermissionDenied | tonic::Code::ResourceExhausted
            ),
            "{denied}"
        );
    });
    // The command line waits as it is told: there are no credentials, and that is what it says.
    let out = daemon.bmc(&format!("power status {}", super::MAC));
    assert_eq!(out.status.code(), Some(4), "{}", stderr(&out));
    assert_eq!(daemon.terminate(), Some(0));
}

#[test]
fn the_command_line_changes_many_rows_as_fast_as_it_may() {
    let daemon = Daemon::start("--ipmi-port 16342 --redfish-port 16343 --calls-per-second 10");
    let macs: Vec<String> = (0..40).map(super::mac_of).collect();
    let list = daemon.dir.path().join("list.csv");
    std::fs::write(&list, format!("mac\n{}\n", macs.join("\n"))).unwrap();
    // Fifty calls at once are fine; these are more than twice as many.
    for line in [
        &format!("import -y {}", list.display()),
        "update -y --all --partition fra",
        "rm -y --all",
    ] {
        let out = daemon.bmc(line);
        assert!(out.status.success(), "{line}: {}", stderr(&out));
        if line.starts_with("update") {
            let rows = daemon.json("ls --all");
            let rows = rows["bmcs"].as_array().unwrap();
            let of = |row: &serde_json::Value| row["mac"].as_str().unwrap().to_owned();
            assert_eq!(rows.iter().map(of).collect::<Vec<_>>(), macs);
            assert!(rows.iter().all(|row| row["partition"] == "fra"));
        }
    }
    assert_eq!(daemon.json("ls --all")["bmcs"], serde_json::json!([]));
}
