//! Asks a server that refused our TLS what it would have spoken: one hello with the old versions and ciphers.
//!
//! rustls cannot speak them, so "handshake failure" is all that it can say. The server's answer to this hello is
//! in the clear and names version, cipher and certificate; the handshake is never completed and nothing is sent
//! over such a connection.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Instant;

use super::socket::DeadlineSocket;
use crate::hal::ipmi::{DecodeError, Reader};

/// Bytes read at most before the answer is given up.
const MAX_ANSWER: usize = 64 << 10;

/// Old key exchanges and ciphers, the strongest first. What rustls speaks is not among them.
const SUITES: &[u16] = &[
    0xc028, 0xc027, 0xc024, 0xc023, 0xc014, 0xc013, 0xc00a, 0xc009, 0x009f, 0x009e, 0x006b, 0x0067,
    0x0039, 0x0033, 0x009d, 0x009c, 0x003d, 0x003c, 0x0035, 0x002f, 0xc012, 0x0016, 0x000a, 0xc011,
    0x0005, 0x0004,
];

/// What the server chose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LegacyHello {
    /// Protocol version on the wire: 0x0301 is TLS 1.0.
    pub version: u16,
    /// Cipher suite number (IANA).
    pub suite: u16,
    /// The server's certificate (DER), if it came. Nothing proves that the server has its key.
    pub certificate: Option<Vec<u8>>,
}

impl LegacyHello {
    /// `TLS 1.0 with RSA key exchange (cipher 0x002f)`.
    pub fn words(&self) -> String {
        let version = match self.version {
            0x0300 => "SSL 3.0",
            0x0301 => "TLS 1.0",
            0x0302 => "TLS 1.1",
            0x0303 => "TLS 1.2",
            _ => "an unknown version of TLS",
        };
        let kind = match self.suite {
            0x0004 | 0x0005 | 0xc011 => "RC4",
            0x000a | 0x0016 | 0xc012 => "3DES",
            0x002f | 0x0035 | 0x003c | 0x003d | 0x009c | 0x009d => "RSA key exchange",
            0x0033 | 0x0039 | 0x0067 | 0x006b | 0x009e | 0x009f => "DHE key exchange",
            _ => "CBC",
        };
        format!("{version} with {kind} (cipher {:#06x})", self.suite)
    }
}

/// Sends the hello and reads the answer. `None`: the server does not want this one either.
pub fn ask(address: SocketAddr, random: [u8; 32], deadline: Instant) -> Option<LegacyHello> {
    let left = deadline.checked_duration_since(Instant::now())?;
    let tcp = TcpStream::connect_timeout(&address, left).ok()?;
    let mut socket = DeadlineSocket::new(tcp).ok()?;
    socket.set_deadline(Some(deadline));
    socket.write_all(&client_hello(random)).ok()?;
    let mut answer = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let read = socket.read(&mut chunk).unwrap_or(0);
        answer.extend_from_slice(chunk.get(..read).unwrap_or_default());
        let (found, complete) = parse(&answer);
        if complete || read == 0 || answer.len() > MAX_ANSWER {
            return found;
        }
    }
}

/// A ClientHello record for TLS 1.2 and older.
fn client_hello(random: [u8; 32]) -> Vec<u8> {
    // supported_groups: P-256, P-384, P-521; ec_point_formats: uncompressed; signature_algorithms: RSA and
    // ECDSA with SHA-256, SHA-384, SHA-512, SHA-1.
    const EXTENSIONS: &[u8] = &[
        0x00, 0x0a, 0x00, 0x08, 0x00, 0x06, 0x00, 0x17, 0x00, 0x18, 0x00, 0x19, 0x00, 0x0b, 0x00,
        0x02, 0x01, 0x00, 0x00, 0x0d, 0x00, 0x12, 0x00, 0x10, 0x04, 0x01, 0x05, 0x01, 0x06, 0x01,
        0x02, 0x01, 0x04, 0x03, 0x05, 0x03, 0x06, 0x03, 0x02, 0x03,
    ];
    let mut body = vec![0x03, 0x03];
    body.extend_from_slice(&random);
    body.push(0);
    body.extend_from_slice(&((SUITES.len() * 2) as u16).to_be_bytes());
    for suite in SUITES {
        body.extend_from_slice(&suite.to_be_bytes());
    }
    body.extend_from_slice(&[1, 0]);
    body.extend_from_slice(&(EXTENSIONS.len() as u16).to_be_bytes());
    body.extend_from_slice(EXTENSIONS);
    let mut out = vec![0x16, 0x03, 0x01];
    out.extend_from_slice(&((body.len() + 4) as u16).to_be_bytes());
    out.push(0x01);
    out.push(0);
    out.extend_from_slice(&(body.len() as u16).to_be_bytes());
    out.extend_from_slice(&body);
    out
}

/// Reads what has come so far: the hello if it is there, and whether more need not be awaited.
pub fn parse(bytes: &[u8]) -> (Option<LegacyHello>, bool) {
    let mut handshake = Vec::new();
    let mut records = Reader::new(bytes);
    let mut ended = false;
    while !ended {
        let Ok((kind, fragment)) = record(&mut records) else {
            break;
        };
        if kind == 0x16 {
            handshake.extend_from_slice(fragment);
        } else {
            // An alert, or no TLS at all.
            ended = true;
        }
    }
    let mut hello = None;
    let mut messages = Reader::new(&handshake);
    while let Ok((kind, body)) = message(&mut messages) {
        match (kind, &mut hello) {
            (0x02, None) => hello = server_hello(body).ok(),
            (0x0b, Some(LegacyHello { certificate, .. })) => {
                *certificate = first_certificate(body).ok();
                ended = true;
            }
            (0x0e, _) => ended = true,
            _ => {}
        }
    }
    (hello, ended)
}

fn record<'a>(r: &mut Reader<'a>) -> Result<(u8, &'a [u8]), DecodeError> {
    let kind = r.u8("record type")?;
    if !(0x14..=0x17).contains(&kind) {
        return Ok((kind, &[]));
    }
    r.u16("record version")?;
    let length = r.u16_be("record length")?;
    Ok((kind, r.bytes("record", usize::from(length))?))
}

fn u24_be(r: &mut Reader<'_>, field: &'static str) -> Result<usize, DecodeError> {
    let [a, b, c] = r.array(field)?;
    Ok(u32::from_be_bytes([0, a, b, c]) as usize)
}

fn message<'a>(r: &mut Reader<'a>) -> Result<(u8, &'a [u8]), DecodeError> {
    let kind = r.u8("message type")?;
    let length = u24_be(r, "message length")?;
    Ok((kind, r.bytes("message", length)?))
}

fn server_hello(body: &[u8]) -> Result<LegacyHello, DecodeError> {
    let mut r = Reader::new(body);
    let version = r.u16_be("server version")?;
    r.bytes("server random", 32)?;
    let session = r.u8("session id length")?;
    r.bytes("session id", usize::from(session))?;
    let suite = r.u16_be("cipher suite")?;
    Ok(LegacyHello {
        version,
        suite,
        certificate: None,
    })
}

fn first_certificate(body: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let mut r = Reader::new(body);
    u24_be(&mut r, "certificate list")?;
    let length = u24_be(&mut r, "certificate length")?;
    r.bytes("certificate", length).map(<[u8]>::to_vec)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer() -> Vec<u8> {
        let mut hello = vec![0x03, 0x01];
        hello.extend([7; 32]);
        hello.extend([0, 0x00, 0x2f, 0]);
        let mut flight = vec![0x02, 0, 0, hello.len() as u8];
        flight.extend(hello);
        flight.extend([0x0b, 0, 0, 9, 0, 0, 6, 0, 0, 3, 1, 2, 3]);
        flight.extend([0x0e, 0, 0, 0]);
        // Two records cut in the middle of a message.
        let (a, b) = flight.split_at(20);
        let mut out = Vec::new();
        for part in [a, b] {
            out.extend([0x16, 0x03, 0x01, 0, part.len() as u8]);
            out.extend(part);
        }
        out
    }

    #[test]
    fn names_version_cipher_and_certificate() {
        let (hello, complete) = parse(&answer());
        let hello = hello.unwrap();
        assert!(complete);
        assert_eq!(
            hello.words(),
            "TLS 1.0 with RSA key exchange (cipher 0x002f)"
        );
        assert_eq!(hello.certificate.as_deref(), Some(&[1, 2, 3][..]));
    }

    #[test]
    fn every_cut_waits_for_more_and_garbage_does_not() {
        let whole = answer();
        let done = whole.len() - 4;
        for cut in 0..done {
            assert!(!parse(&whole[..cut]).1, "complete after {cut} bytes");
        }
        assert_eq!(parse(b"\x15\x03\x01\x00\x02\x02\x46"), (None, true));
        assert_eq!(parse(b"HTTP/1.1 400 Bad Request"), (None, true));
    }

    #[test]
    fn the_hello_says_its_own_length() {
        let hello = client_hello([0; 32]);
        assert_eq!(
            usize::from(u16::from_be_bytes([hello[3], hello[4]])),
            hello.len() - 5
        );
        assert_eq!(
            usize::from(u16::from_be_bytes([hello[7], hello[8]])),
            hello.len() - 9
        );
    }
}
