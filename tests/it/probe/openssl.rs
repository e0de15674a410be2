//! Servers of OpenSSL, whose TLS none of us wrote: short keys, old certificates, old key exchanges.

use std::io::{BufRead, BufReader};
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::{probe, redfish, servers};
use crate::common::oracle;

pub struct Running {
    child: Child,
    pub port: String,
    pub ip: Ipv4Addr,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Makes a key and a certificate.
pub fn certificate(openssl: &Path, dir: &Path, arguments: &str) {
    let output = Command::new(openssl)
        .current_dir(dir)
        .args(
            "req -x509 -nodes -days 30 -subj /O=Lenovo/CN=xcc -keyout key.pem -out cert.pem"
                .split(' '),
        )
        .args(arguments.split_whitespace())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Starts `openssl s_server`; `-www` answers with a page of its own.
pub fn serve(openssl: &Path, dir: &Path, arguments: &str) -> Running {
    let ip = servers::address();
    let mut child = Command::new(openssl)
        .current_dir(dir)
        .args(["s_server", "-accept", &format!("{ip}:0"), "-www"])
        .args("-key key.pem -cert cert.pem".split(' '))
        .args(arguments.split_whitespace())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let ready = lines
        .by_ref()
        .map_while(Result::ok)
        .find(|line| line.starts_with("ACCEPT"))
        .unwrap();
    let port = ready.rsplit(':').next().unwrap().trim().to_owned();
    // Its output must be read, or it stops.
    std::thread::spawn(move || lines.for_each(drop));
    Running { child, port, ip }
}

#[test]
fn old_keys_and_certificates_are_accepted_with_their_proof() {
    let Some(openssl) = oracle("openssl") else {
        return;
    };
    for (key, server) in [
        ("-newkey rsa:2048", "-tls1_3"),
        ("-newkey rsa:2048 -sha1", "-tls1_2"),
        (
            "-newkey rsa:1024 -sha1",
            "-tls1_2 -cipher DEFAULT@SECLEVEL=0 -sigalgs RSA+SHA256",
        ),
        ("-newkey ec -pkeyopt ec_paramgen_curve:P-384", "-tls1_2"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        certificate(&openssl, dir.path(), key);
        let running = serve(&openssl, dir.path(), server);
        let (found, _) = probe(&format!("{} --redfish-port {}", running.ip, running.port));
        let redfish = redfish(&found);
        assert_eq!(redfish["tls"]["self_signed"], true, "{key}: {found}");
        assert_ne!(redfish["tls"]["version"], "legacy", "{key}: {found}");
        // The page that openssl sends: TLS worked to the end.
        let error = redfish["error"].as_str().unwrap();
        assert!(error.contains("web page"), "{key}: {error}");
        assert_eq!(found["vendor"], "Lenovo");
    }
}

#[test]
fn old_key_exchanges_are_legacy() {
    let Some(openssl) = oracle("openssl") else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    certificate(&openssl, dir.path(), "-newkey rsa:2048");
    for (server, part) in [
        (
            "-tls1_2 -cipher AES256-SHA",
            "TLS 1.2 with RSA key exchange",
        ),
        ("-tls1_2 -cipher ECDHE-RSA-AES128-SHA", "TLS 1.2 with CBC"),
        ("-tls1_1 -cipher ALL@SECLEVEL=0", "TLS 1.1"),
    ] {
        let running = serve(&openssl, dir.path(), server);
        let (found, _) = probe(&format!("{} --redfish-port {}", running.ip, running.port));
        let redfish = redfish(&found);
        assert_eq!(redfish["tls"]["version"], "legacy", "{server}: {found}");
        let error = redfish["error"].as_str().unwrap();
        assert!(error.contains(part), "{server}: {error}");
        assert_eq!(found["vendor"], "Lenovo");
    }
}
