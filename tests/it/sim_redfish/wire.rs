//! HTTP as it comes over the wire: certificate, faults, many BMCs, recordings.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use halbox::hal::recording::Recording;
use halbox::hal::sim::{Options, ProfileName, RedfishOptions, SimHandle};

use super::{PASSWORD, start, started};
use crate::common::{oracle, stdout};

/// Sends a request over plain HTTP; status line, head and body.
fn ask(stream: &mut TcpStream, request: &str) -> std::io::Result<String> {
    write!(stream, "{request}\r\nHost: bmc\r\n\r\n")?;
    let mut text = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let n = stream.read(&mut buffer)?;
        text.extend_from_slice(&buffer[..n]);
        let all = String::from_utf8_lossy(&text).into_owned();
        let Some((head, body)) = all.split_once("\r\n\r\n") else {
            if n == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            continue;
        };
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length")
                .then(|| value.trim().parse::<usize>().unwrap())
        });
        if n == 0 || body.len() >= length.unwrap_or(0) {
            return Ok(all);
        }
    }
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_mins(1)))
        .unwrap();
    stream
}

const LOGIN: &str = "Authorization: Basic YWRtaW46czNjcmV0LVBhc3Mh";

#[test]
fn requests_and_connections_are_counted_by_bmc() {
    let sim = started(Options {
        count: 20,
        ..Options::default()
    });
    for address in &sim.http_addrs()[1..] {
        let mut stream = connect(*address);
        assert!(
            ask(&mut stream, "GET /redfish/v1/ HTTP/1.1")
                .unwrap()
                .starts_with("HTTP/1.1 200")
        );
        let systems = ask(
            &mut stream,
            &format!("GET /redfish/v1/Systems HTTP/1.1\r\n{LOGIN}"),
        )
        .unwrap();
        assert!(systems.contains("/redfish/v1/Systems/1"), "{systems}");
        assert!(systems.to_ascii_lowercase().contains("odata-version: 4.0"));
    }
    let ledgers = sim.ledger();
    assert_eq!(
        (ledgers[0].http_requests, ledgers[0].http_connections),
        (0, 0)
    );
    assert!(ledgers[1..].iter().all(|l| (
        l.http_requests,
        l.http_connections,
        l.http_most_connections
    ) == (2, 1, 1)));
}

#[test]
fn a_reused_connection_is_reset_when_asked_for() {
    let sim = started(Options {
        profile: ProfileName::Hpe,
        redfish: Some(RedfishOptions {
            rst_on_reuse: true,
            ..RedfishOptions::default()
        }),
        ..Options::default()
    });
    let mut stream = connect(sim.http_addrs()[0]);
    assert!(
        ask(&mut stream, "GET /redfish/v1/ HTTP/1.1")
            .unwrap()
            .starts_with("HTTP/1.1 200")
    );
    let error = ask(&mut stream, "GET /redfish/v1/ HTTP/1.1").unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{error}");
}

#[test]
fn wrong_passwords_lock_both_protocols() {
    let sim = started(Options {
        lockout: 3,
        ..Options::default()
    });
    let mut stream = connect(sim.http_addrs()[0]);
    let mut status = |login: &str| {
        let answer = ask(
            &mut stream,
            &format!("GET /redfish/v1/Systems HTTP/1.1\r\n{login}"),
        )
        .unwrap();
        answer.split(' ').nth(1).unwrap().to_owned()
    };
    assert_eq!(status(LOGIN), "200");
    for _ in 0..3 {
        // admin:wrong
        assert_eq!(status("Authorization: Basic YWRtaW46d3Jvbmc="), "401");
    }
    assert_eq!(status(LOGIN), "401", "locked");
    let total = sim.total();
    assert_eq!((total.failed_logins, total.lockouts), (4, 1), "{total:?}");
    let now = std::time::Instant::now();
    assert_eq!(sim.with_bmc(0, |bmc| bmc.is_locked(2, now)), Some(true));
}

#[test]
fn rubbish_is_refused_and_memory_bounded() {
    let sim = start(ProfileName::Generic);
    let address = sim.http_addrs()[0];
    let mut stream = connect(address);
    let _ = stream.write_all(b"\x16\x03\x01\0\0rubbish\r\n\r\n");
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    assert!(String::from_utf8_lossy(&answer).starts_with("HTTP/1.1 400"));
    let mut stream = connect(address);
    let head =
        format!("PATCH /redfish/v1/Systems/1 HTTP/1.1\r\n{LOGIN}\r\nContent-Length: 99999999");
    let _ = write!(stream, "{head}\r\nHost: bmc\r\n\r\n");
    let part = vec![b'x'; 65536];
    // It answers before it has read all that.
    for _ in 0..64 {
        if stream.write_all(&part).is_err() {
            break;
        }
    }
    let mut start = [0; 12];
    if stream.read_exact(&mut start).is_ok() {
        assert_eq!(&start, b"HTTP/1.1 413");
    }
    let nested = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    let mut stream = connect(address);
    let request = format!(
        "PATCH /redfish/v1/Systems/1 HTTP/1.1\r\n{LOGIN}\r\nContent-Length: {}\r\nHost: bmc\r\n\r\n{nested}",
        nested.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut start = [0; 12];
    stream.read_exact(&mut start).unwrap();
    assert_eq!(&start, b"HTTP/1.1 400");
}

#[test]
fn the_certificate_names_the_vendor() {
    let Some(openssl) = oracle("openssl") else {
        return;
    };
    let sim = start(ProfileName::Dell);
    let address = sim.redfish_addrs()[0].to_string();
    let output = std::process::Command::new(openssl)
        .args(["s_client", "-connect", &address, "-showcerts"])
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    let text = stdout(&output);
    assert!(
        text.contains("issuer=O = Dell Inc.") || text.contains("issuer=O=Dell Inc."),
        "{text}"
    );
    assert!(!text.contains(PASSWORD));
}

fn replayed(recording: Recording) -> SimHandle {
    started(Options {
        recordings: vec![Arc::new(recording)],
        ..Options::default()
    })
}

#[test]
fn a_recorded_tree_is_replayed() {
    let mut recording = Recording::new();
    recording.add_redfish(
        "/redfish/v1",
        200,
        &[],
        br#"{"RedfishVersion":"1.6.0","Vendor":"Acme"}"#,
    );
    recording.add_redfish(
        "/redfish/v1/Systems/1",
        200,
        &[("etag".to_owned(), "W/\"1\"".to_owned())],
        br#"{"IndicatorLED":"Off"}"#,
    );
    let sim = replayed(recording);
    let mut stream = connect(sim.http_addrs()[0]);
    assert!(
        ask(&mut stream, "GET /redfish/v1/ HTTP/1.1")
            .unwrap()
            .contains("Acme")
    );
    let system = "/redfish/v1/Systems/1 HTTP/1.1";
    assert!(
        ask(&mut stream, &format!("GET {system}"))
            .unwrap()
            .starts_with("HTTP/1.1 401")
    );
    let body = r#"{"IndicatorLED":"Blinking"}"#;
    write!(stream, "PATCH {system}\r\n{LOGIN}\r\nIf-Match: W/\"1\"\r\nHost: bmc\r\nContent-Length: {}\r\n\r\n{body}", body.len()).unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 204");
    let mut stream = connect(sim.http_addrs()[0]);
    let seen = ask(&mut stream, &format!("GET {system}\r\n{LOGIN}")).unwrap();
    assert!(
        seen.contains("Blinking") && !seen.contains("W/\"1\""),
        "{seen}"
    );
}
