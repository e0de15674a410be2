//! What detection reads from strangers: service roots, certificates, old TLS hellos, datagrams before a session.
#![no_main]

use std::time::{Duration, Instant};

use halbox::hal::detect::ipmi::IpmiProbe;
use halbox::hal::detect::redfish::{Verdict, interpret};
use halbox::hal::transport::http::x509::CertificateFields;
use halbox::hal::transport::http::{Reply, TlsInfo, hello};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let [kind, rest @ ..] = data else {
        return;
    };
    match kind % 4 {
        0 => service_root(rest),
        1 => {
            let _ = CertificateFields::parse(rest).map(|c| c.rsa_bits());
            let info = TlsInfo::of("1.2", rest);
            assert!(!info.subject.chars().any(char::is_control));
        }
        2 => {
            if let (Some(found), _) = hello::parse(rest) {
                let _ = found.words();
            }
        }
        _ => conversation(rest),
    }
});

/// Two bytes of status, one of length, the location, then the body.
fn service_root(data: &[u8]) {
    let [high, low, length, rest @ ..] = data else {
        return;
    };
    let (location, body) = rest.split_at(usize::from(*length).min(rest.len()));
    let reply = Reply {
        status: u16::from_be_bytes([*high, *low]),
        location: std::str::from_utf8(location).ok().map(str::to_owned),
        body: body.to_vec(),
        ..Reply::default()
    };
    match interpret("https://10.0.0.7:443", &reply) {
        Verdict::Root(root) => {
            for text in [&root.vendor, &root.product, &root.version]
                .into_iter()
                .flatten()
            {
                assert!(!text.chars().any(char::is_control) && text.len() <= 1024);
            }
        }
        Verdict::MovedTo(path) => assert!(path.starts_with('/') && !path.starts_with("//")),
        Verdict::NotHere(_) | Verdict::Other(_) => {}
    }
}

/// A BMC that answers with the pieces of the input: each begins with its length and a delay in 10 ms.
fn conversation(data: &[u8]) {
    let start = Instant::now();
    let (silence, whole) = (Duration::from_secs(1), Duration::from_secs(10));
    let mut probe = IpmiProbe::new(start, silence, whole, 1);
    let mut now = start;
    let mut sent = 0;
    let mut tape = data;
    loop {
        while probe.next_datagram(now).is_some() {
            sent += 1;
        }
        assert!(sent < 2000, "endless");
        let Some(at) = probe.next_timeout() else {
            break;
        };
        match tape {
            [length, delay, rest @ ..] => {
                let (piece, rest) = rest.split_at(usize::from(*length).min(rest.len()));
                now += Duration::from_millis(10) * u32::from(*delay);
                tape = rest;
                probe.handle_datagram(now, piece);
            }
            _ => now = now.max(at),
        }
    }
    assert!(now <= start + whole + Duration::from_secs(3));
    let facts = probe.into_facts();
    assert!(facts.suites.is_none_or(|s| s.is_sorted() && s.len() <= 256));
}
