//! `halbox probe` against servers on loopback, good and bad.

mod both;
mod candidates;
mod ipmi;
pub mod openssl;
mod record;
mod report;
mod servers;
mod sim;

use std::io::{Read, Write};
use std::net::UdpSocket;
use std::sync::mpsc;
use std::time::Duration;

use halbox::hal::ipmi::codec::hex;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::common::{run, stderr, stdout};
use servers::{Server, issued, json, self_signed, tls};

const ROOT: &str = r##"{"@odata.type":"#ServiceRoot.v1_8_0.ServiceRoot","RedfishVersion":"1.13.1",
    "Vendor":"Dell","Product":"Integrated Dell Remote Access Controller","Oem":{"Dell":{}}}"##;

/// Probes one target; gives its findings and the exit code.
fn probe(line: &str) -> (Value, i32) {
    let output = run(&format!("probe -o json {line}"));
    let text = stdout(&output);
    let document: Value =
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}{}", stderr(&output)));
    let probes = document["probes"].as_array().unwrap();
    assert_eq!(probes.len(), 1);
    (probes[0].clone(), output.status.code().unwrap())
}

fn redfish(findings: &Value) -> &Value {
    &findings["drivers"][1]
}

/// Probes a server whose Redfish must not be taken for one; gives the error.
fn error_of(server: &Server, more: &str) -> String {
    let (found, code) = probe(&format!("{} {more}", server.target()));
    assert_eq!(redfish(&found)["available"], false, "{found}");
    assert_eq!(found["reachable"], true, "{found}");
    assert_eq!(found["preferred_driver"], Value::Null);
    assert_eq!(code, 0);
    redfish(&found)["error"].as_str().unwrap().to_owned()
}

#[test]
fn a_dell_with_its_certificate() {
    let identity = self_signed("Dell Inc.", 2040);
    let server = Server::https(tls(&identity, rustls::ALL_VERSIONS), |line, out| {
        assert_eq!(line, "GET /redfish/v1/ HTTP/1.1");
        out.write_all(json(ROOT).as_bytes()).unwrap();
    });
    let (found, code) = probe(&server.target());
    assert_eq!(code, 0);
    assert_eq!(found["vendor"], "Dell");
    assert_eq!(found["preferred_driver"], "iDrac");
    assert_eq!(found["product"], "Integrated Dell Remote Access Controller");
    let redfish = redfish(&found);
    assert_eq!(redfish["available"], true);
    assert_eq!(redfish["redfish_version"], "1.13.1");
    assert_eq!(redfish["error"], Value::Null);
    let tls = &redfish["tls"];
    assert_eq!(tls["version"], "1.3");
    assert_eq!(tls["sha256"], hex(&Sha256::digest(&identity.der)));
    assert_eq!(tls["subject"], "CN=bmc,O=Dell Inc.");
    assert_eq!(tls["issuer"], "CN=bmc,O=Dell Inc.");
    assert_eq!(tls["not_after"], "2040-05-01T00:00:00Z");
    assert_eq!(tls["self_signed"], true);
    assert_eq!(found["drivers"][0]["error"], "port closed");
    assert_eq!(server.requests(), 1);
}

#[test]
fn tls_1_2_and_an_expired_certificate() {
    let identity = self_signed("Super Micro Computer", 2016);
    let server = Server::https(tls(&identity, &[&rustls::version::TLS12]), |_, out| {
        out.write_all(json(r#"{"RedfishVersion":"1.0.1"}"#).as_bytes())
            .unwrap();
    });
    let (found, _) = probe(&server.target());
    assert_eq!(redfish(&found)["available"], true);
    assert_eq!(redfish(&found)["tls"]["version"], "1.2");
    assert_eq!(found["vendor"], "Supermicro");
    let warnings = found["warnings"].to_string();
    assert!(
        warnings.contains("expired on 2016-05-01T00:00:00Z"),
        "{warnings}"
    );
}

#[test]
fn a_pin_is_enforced_before_anything_is_sent() {
    let identity = self_signed("Example", 2040);
    let pin = hex(&Sha256::digest(&identity.der));
    let server = Server::https(tls(&identity, rustls::ALL_VERSIONS), |_, out| {
        out.write_all(json(ROOT).as_bytes()).unwrap();
    });
    let error = error_of(&server, &format!("--tls-pin {}", "00".repeat(32)));
    assert!(error.contains("not the pinned one"), "{error}");
    assert_eq!(server.requests(), 0);
    let (found, _) = probe(&format!("{} --tls-pin {pin}", server.target()));
    assert_eq!(redfish(&found)["available"], true);
}

#[test]
fn a_ca_is_enforced() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, pem: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, pem).unwrap();
        path.to_string_lossy().into_owned()
    };
    let ip = servers::address();
    let (ca, identity) = issued(ip);
    let (other_ca, _) = issued(ip);
    let (ca, other_ca) = (file("ca.pem", &ca), file("other.pem", &other_ca));
    let serve = |ip| {
        Server::https_at(ip, tls(&identity, rustls::ALL_VERSIONS), |_, out| {
            out.write_all(json(ROOT).as_bytes()).unwrap();
        })
    };
    let server = serve(ip);
    let (found, _) = probe(&format!("{} --tls-ca {ca}", server.target()));
    assert_eq!(redfish(&found)["available"], true, "{found}");
    assert_eq!(redfish(&found)["tls"]["self_signed"], false);
    assert_eq!(server.requests(), 1);
    let error = error_of(&server, &format!("--tls-ca {other_ca}"));
    assert!(error.contains("not accepted by the given CA"), "{error}");
    assert_eq!(server.requests(), 1);
    let elsewhere = serve(servers::address());
    let error = error_of(&elsewhere, &format!("--tls-ca {ca}"));
    assert!(error.contains("not valid for name"), "{error}");
    assert_eq!(elsewhere.requests(), 0);
}

#[test]
fn the_key_of_the_certificate_must_be_proved() {
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let mut stolen = self_signed("Dell Inc.", 2040);
        stolen.key = self_signed("Thief", 2040).key;
        let server = Server::https(tls(&stolen, &[version]), |_, _| {});
        let error = error_of(&server, "");
        assert!(error.contains("does not prove"), "{error}");
        assert_eq!(server.requests(), 0);
    }
}

#[test]
fn answers_that_are_no_service_root() {
    for (answer, part) in [
        (
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 13\r\n\r\n<html></html>",
            "web page",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
            "empty answer",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]",
            "no JSON object",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{\"a\":1",
            "closed inside the body",
        ),
        (
            "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n",
            "wants a login",
        ),
        (
            "HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy",
            "HTTP 503",
        ),
        (
            "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
            "HTTP 404",
        ),
        ("SSH-2.0-dropbear_2022.83\r\n", "not HTTP"),
        ("\0\x01\x02\x03", "not HTTP"),
        ("", "closed"),
    ] {
        let server = Server::https_fixed(answer);
        let error = error_of(&server, "");
        assert!(error.contains(part), "{answer:?}: {error}");
    }
}

#[test]
fn redirects_are_followed_on_the_same_server_only() {
    let elsewhere = Server::https_fixed("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
    let location = format!("https://{}/redfish/v1/", elsewhere.address);
    let config = tls(&self_signed("Example", 2040), rustls::ALL_VERSIONS);
    let server = Server::https(config, move |_, out| {
        let answer =
            format!("HTTP/1.1 301 Moved\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
        out.write_all(answer.as_bytes()).unwrap();
    });
    let error = error_of(&server, "");
    assert!(error.contains("not followed"), "{error}");
    assert_eq!(
        elsewhere
            .connections
            .load(std::sync::atomic::Ordering::Relaxed),
        0
    );

    let config = tls(&self_signed("Example", 2040), rustls::ALL_VERSIONS);
    let server = Server::https(config, |line, out| {
        let answer = if line.contains("/redfish/v1/ ") {
            "HTTP/1.1 308 Moved\r\nLocation: /redfish/v1\r\nContent-Length: 0\r\n\r\n".to_owned()
        } else {
            json(ROOT)
        };
        out.write_all(answer.as_bytes()).unwrap();
    });
    let (found, _) = probe(&server.target());
    assert_eq!(redfish(&found)["available"], true, "{found}");

    let circle = Server::https_fixed(
        "HTTP/1.1 302 Moved\r\nLocation: /redfish/v1/\r\nContent-Length: 0\r\n\r\n",
    );
    let error = error_of(&circle, "");
    assert!(error.contains("circle"), "{error}");
    assert!(circle.requests() <= 5);
}

#[test]
fn bodies_without_end_are_cut() {
    for head in [
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\n",
    ] {
        let config = tls(&self_signed("Example", 2040), rustls::ALL_VERSIONS);
        let server = Server::https(config, move |_, out| {
            let _ = out.write_all(head.as_bytes());
            let chunk = format!("1000\r\n{}\r\n", "[".repeat(4096));
            while out.write_all(chunk.as_bytes()).is_ok() {}
        });
        let error = error_of(&server, "");
        assert!(error.contains("larger than"), "{head}: {error}");
    }
    let config = tls(&self_signed("Example", 2040), rustls::ALL_VERSIONS);
    let headers = Server::https(config, |_, out| {
        let _ = out.write_all(b"HTTP/1.1 200 OK\r\n");
        while out.write_all(b"X-Header: and another one\r\n").is_ok() {}
    });
    let error = error_of(&headers, "");
    assert!(
        error.contains("header") || error.contains("not HTTP"),
        "{error}"
    );
}

#[test]
fn deep_json_is_refused() {
    let config = tls(&self_signed("Example", 2040), rustls::ALL_VERSIONS);
    let server = Server::https(config, |_, out| {
        let body = format!(
            r#"{{"RedfishVersion":"1.0","Oem":{}"#,
            "{\"a\":".repeat(50_000)
        );
        out.write_all(json(&body).as_bytes()).unwrap();
    });
    let error = error_of(&server, "");
    assert!(error.contains("nested more than"), "{error}");
}

#[test]
fn a_slow_drip_ends_with_the_budget() {
    let config = tls(&self_signed("Example", 2040), rustls::ALL_VERSIONS);
    let server = Server::https(config, |_, out| {
        let (_never, wait) = mpsc::channel::<()>();
        let _ = out.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
        while out.write_all(b" ").and_then(|()| out.flush()).is_ok() {
            let _ = wait.recv_timeout(Duration::from_millis(20));
        }
    });
    let error = error_of(&server, "--timeout 600ms");
    assert!(error.contains("body"), "{error}");
}

#[test]
fn a_stalled_handshake_ends_with_the_budget() {
    let silent = Server::raw(|mut tcp, _| {
        // Reads the hello for ever, and says nothing.
        let mut sink = [0; 512];
        while tcp.read(&mut sink).is_ok_and(|n| n > 0) {}
    });
    let error = error_of(&silent, "--timeout 500ms");
    assert!(error.contains("TLS handshake"), "{error}");
    let dripping = Server::raw(|mut tcp, _| {
        let (_never, wait) = mpsc::channel::<()>();
        let hello = [0x16, 0x03, 0x03, 0x3f, 0xff, 0x02, 0x00, 0x3f, 0xfb];
        for byte in hello.iter().chain(std::iter::repeat(&0)) {
            if tcp.write_all(&[*byte]).is_err() {
                return;
            }
            let _ = wait.recv_timeout(Duration::from_millis(20));
        }
    });
    let error = error_of(&dripping, "--timeout 500ms");
    assert!(error.contains("TLS handshake"), "{error}");
}

#[test]
fn plain_http_is_told_and_works_when_asked_for() {
    let server = Server::raw(|mut tcp, requests| {
        let mut first = [0; 4];
        let _ = tcp.read_exact(&mut first);
        if first == *b"GET " {
            requests.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let _ = tcp.write_all(json(ROOT).as_bytes());
        } else {
            let _ = tcp.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
        }
        let mut rest = [0; 512];
        while tcp.read(&mut rest).is_ok_and(|n| n > 0) {}
    });
    let error = error_of(&server, "");
    assert!(error.contains("plain HTTP"), "{error}");
    assert_eq!(server.requests(), 0);
    let (found, _) = probe(&format!(
        "{} --redfish-url http://{}",
        server.address.ip(),
        server.address
    ));
    assert_eq!(redfish(&found)["available"], true, "{found}");
    assert_eq!(redfish(&found)["tls"], Value::Null);
    assert!(found["warnings"].to_string().contains("without TLS"));
}

/// ServerHello of TLS 1.0 with RSA key exchange, the certificate, and the end of the flight.
fn tls_1_0_flight(der: &[u8]) -> Vec<u8> {
    let mut hello = vec![0x03, 0x01];
    hello.extend([7; 32]);
    hello.extend([0, 0x00, 0x2f, 0]);
    let u24 = |n: usize| (n as u32).to_be_bytes()[1..].to_vec();
    let mut flight = [vec![2], u24(hello.len()), hello].concat();
    let list = [u24(der.len()), der.to_vec()].concat();
    flight.extend([vec![11], u24(list.len() + 3), u24(list.len()), list].concat());
    flight.extend([14, 0, 0, 0]);
    [
        vec![0x16, 3, 1],
        (flight.len() as u16).to_be_bytes().to_vec(),
        flight,
    ]
    .concat()
}

#[test]
fn legacy_tls_is_named() {
    let old = self_signed("Hewlett Packard Enterprise", 2040);
    for refuses_modern in [false, true] {
        let der = old.der.clone();
        let server = Server::raw(move |mut tcp, _| {
            let mut hello = [0; 5];
            if tcp.read_exact(&mut hello).is_err() {
                return;
            }
            let mut rest = vec![0; usize::from(u16::from_be_bytes([hello[3], hello[4]]))];
            let _ = tcp.read_exact(&mut rest);
            // 0x1301 is a suite of TLS 1.3: the hello is a modern one. The random number before may hold these bytes too.
            let after_id = 39 + usize::from(rest[38]);
            let length = usize::from(u16::from_be_bytes([rest[after_id], rest[after_id + 1]]));
            let suites = &rest[after_id + 2..after_id + 2 + length];
            let modern = suites.chunks(2).any(|suite| suite == [0x13, 0x01]);
            let answer = if modern && refuses_modern {
                vec![0x15, 3, 1, 0, 2, 2, 70]
            } else {
                tls_1_0_flight(&der)
            };
            let _ = tcp.write_all(&answer);
            let mut sink = [0; 512];
            while tcp.read(&mut sink).is_ok_and(|n| n > 0) {}
        });
        let (found, _) = probe(&server.target());
        let redfish = redfish(&found);
        assert_eq!(redfish["available"], false);
        assert_eq!(redfish["tls"]["version"], "legacy", "{found}");
        assert_eq!(redfish["tls"]["sha256"], hex(&Sha256::digest(&old.der)));
        let error = redfish["error"].as_str().unwrap();
        assert!(error.contains("TLS 1.0 with RSA key exchange"), "{error}");
        assert!(found["warnings"].to_string().contains("legacy TLS"));
        assert_eq!(found["vendor"], "HPE");
    }
}

#[test]
fn nothing_there_is_exit_3() {
    let ip = servers::address();
    let (found, code) = probe(&ip.to_string());
    assert_eq!(code, 3);
    assert_eq!(found["reachable"], false);
    assert_eq!(found["drivers"][0]["error"], "port closed");
    // A socket that never answers.
    let silent = UdpSocket::bind((ip, 623))
        .or_else(|_| UdpSocket::bind((ip, 6623)))
        .unwrap();
    let port = silent.local_addr().unwrap().port();
    let (found, code) = probe(&format!("{ip}:{port} --timeout 300ms"));
    drop(silent);
    assert_eq!(code, 3);
    assert_eq!(found["reachable"], false);
    assert_eq!(found["drivers"][0]["error"], "no answer");
    let (found, code) = probe("no-such-host.invalid --timeout 5s");
    assert_eq!(code, 3);
    assert_eq!(found["address"], Value::Null);
}

#[test]
fn what_answers_without_rmcp_is_reported_as_such() {
    let socket = UdpSocket::bind((servers::address(), 0)).unwrap();
    let address = socket.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut buf = [0; 512];
        while let Ok((_, from)) = socket.recv_from(&mut buf) {
            for answer in [&b"HTTP/1.1 400"[..], &[], &[0xff; 1400]] {
                let _ = socket.send_to(answer, from);
            }
        }
    });
    let (found, code) = probe(&address.to_string());
    assert_eq!(code, 0);
    assert_eq!(found["reachable"], true);
    assert_eq!(found["drivers"][0]["available"], false);
    assert_eq!(
        found["drivers"][0]["error"],
        "what answers does not speak RMCP"
    );
}

#[test]
fn several_targets_make_a_table() {
    let server = Server::https_fixed(
        "HTTP/1.1 200 OK\r\nContent-Length: 42\r\n\r\n{\"RedfishVersion\":\"1.2.0\",\"Vendor\":\"HPE\"}  ",
    );
    let dead = servers::address();
    let line = format!("probe {} {dead}", server.target());
    let output = run(&line);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = stdout(&output);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert!(lines[0].starts_with("TARGET"), "{text}");
    assert!(
        lines[1].contains("HPE") && lines[1].contains("Redfish"),
        "{text}"
    );
    assert!(stderr(&output).contains("1 of 2 targets did not answer"));
    let all = stdout(&run(&format!("{line} --all")));
    assert_eq!(all.lines().count(), 3, "{all}");
    assert!(all.contains("no answer"), "{all}");
    let json = stdout(&run(&format!("{line} -o json")));
    let document: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(document["probes"][1]["target"], dead.to_string());
    let yaml = stdout(&run(&format!("{line} -o yaml")));
    assert!(yaml.contains("redfish_version: 1.2.0"), "{yaml}");
}

#[test]
fn one_target_makes_a_report() {
    let identity = self_signed("Dell \u{1b}[31mInc.", 2040);
    let server = Server::https(tls(&identity, rustls::ALL_VERSIONS), |_, out| {
        out.write_all(json(ROOT).as_bytes()).unwrap();
    });
    let output = run(&format!("probe {}", server.target()));
    let text = stdout(&output);
    for part in [
        "Preferred driver  iDrac",
        "version 1.13.1",
        "SHA-256",
        "self-signed",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    assert!(!text.contains('\u{1b}'), "{text:?}");
}

#[test]
fn wrong_usage_is_exit_2() {
    for line in [
        "probe",
        "probe 127.0.0.1 --tls-pin abc",
        "probe 127.0.0.1 --tls-ca /nonexistent",
        "probe 127.0.0.1 --redfish-url bmc7",
        "probe 127.0.0.1 127.0.0.2 --redfish-url https://bmc7",
        "probe 127.0.0.1 --ipmi-port 0",
        "probe 127.0.0.1 --timeout 0s",
        "probe 127.0.0.1 --fanout 0",
        "probe 10.0.0.0/40",
    ] {
        let output = run(line);
        assert_eq!(output.status.code(), Some(2), "{line}: {}", stderr(&output));
        assert!(stderr(&output).starts_with("halbox: "), "{line}");
    }
}
