//! Small servers on loopback that behave as web servers of BMCs do, or worse. Each has an address of its own.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicUsize, Ordering};

use halbox::hal::transport::http::tls::provider;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, SanType};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ServerConfig, ServerConnection, StreamOwned, SupportedProtocolVersion};

/// A loopback address that no other test uses.
pub fn address() -> Ipv4Addr {
    static NEXT: AtomicU16 = AtomicU16::new(1);
    let [high, low] = NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes();
    let pid = std::process::id();
    Ipv4Addr::new(
        127,
        128 + (pid % 120) as u8,
        (pid / 120 % 250) as u8 ^ high,
        low,
    )
}

/// A certificate with its key.
#[derive(Clone)]
pub struct Identity {
    pub der: Vec<u8>,
    pub key: Vec<u8>,
}

/// A self-signed certificate as BMCs carry it.
pub fn self_signed(organization: &str, ends: i32) -> Identity {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, "bmc");
    params
        .distinguished_name
        .push(DnType::OrganizationName, organization);
    params.not_before = rcgen::date_time_ymd(2010, 1, 1);
    params.not_after = rcgen::date_time_ymd(ends, 5, 1);
    let certificate = params.self_signed(&key).unwrap();
    Identity {
        der: certificate.der().to_vec(),
        key: key.serialize_der(),
    }
}

/// A CA (as PEM) and a certificate for `ip` that it issued.
pub fn issued(ip: Ipv4Addr) -> (String, Identity) {
    let ca_key = KeyPair::generate().unwrap();
    let mut ca = CertificateParams::new(Vec::new()).unwrap();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    ca.distinguished_name.push(DnType::CommonName, "our CA");
    let pem = ca.self_signed(&ca_key).unwrap().pem();
    let issuer = Issuer::new(ca, ca_key);
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.subject_alt_names = vec![SanType::IpAddress(ip.into())];
    let certificate = params.signed_by(&key, &issuer).unwrap();
    let identity = Identity {
        der: certificate.der().to_vec(),
        key: key.serialize_der(),
    };
    (pem, identity)
}

/// Shows whatever certificate it is given, also with a key that does not belong to it.
#[derive(Debug)]
struct Show(Arc<CertifiedKey>);

impl ResolvesServerCert for Show {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

/// TLS of a server.
pub fn tls(
    identity: &Identity,
    versions: &[&'static SupportedProtocolVersion],
) -> Arc<ServerConfig> {
    let key = PrivateKeyDer::try_from(identity.key.clone()).unwrap();
    let signer = provider().key_provider.load_private_key(key).unwrap();
    let shown = CertifiedKey::new(vec![CertificateDer::from(identity.der.clone())], signer);
    Arc::new(
        ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(versions)
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(Show(Arc::new(shown)))),
    )
}

/// A connection, plain or not.
pub trait Wire: Read + Write {}
impl<T: Read + Write> Wire for T {}

/// A running server; ends when dropped.
pub struct Server {
    pub address: SocketAddr,
    /// Requests that arrived complete.
    pub requests: Arc<AtomicUsize>,
    /// Connections.
    pub connections: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
}

impl Server {
    /// Serves raw TCP connections, each in a thread of its own.
    pub fn raw(serve: impl Fn(TcpStream, &AtomicUsize) + Send + Sync + 'static) -> Self {
        Self::raw_at(address(), serve)
    }

    fn raw_at(
        ip: Ipv4Addr,
        serve: impl Fn(TcpStream, &AtomicUsize) + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind((ip, 0)).unwrap();
        let server = Self {
            address: listener.local_addr().unwrap(),
            requests: Arc::default(),
            connections: Arc::default(),
            stop: Arc::default(),
        };
        let (stop, connections) = (Arc::clone(&server.stop), Arc::clone(&server.connections));
        let requests = Arc::clone(&server.requests);
        let serve = Arc::new(serve);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                connections.fetch_add(1, Ordering::Relaxed);
                let (serve, requests) = (Arc::clone(&serve), Arc::clone(&requests));
                if let Ok(stream) = stream {
                    std::thread::spawn(move || serve(stream, &requests));
                }
            }
        });
        server
    }

    /// Serves HTTP over TLS: `answer` gets the connection after a request (its first line) was read.
    pub fn https(
        config: Arc<ServerConfig>,
        answer: impl Fn(&str, &mut dyn Wire) + Send + Sync + 'static,
    ) -> Self {
        Self::https_at(address(), config, answer)
    }

    /// The same at an address from [`address`].
    pub fn https_at(
        ip: Ipv4Addr,
        config: Arc<ServerConfig>,
        answer: impl Fn(&str, &mut dyn Wire) + Send + Sync + 'static,
    ) -> Self {
        Self::raw_at(ip, move |tcp, requests| {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = StreamOwned::new(connection, tcp);
            if let Some(line) = request(&mut stream) {
                requests.fetch_add(1, Ordering::Relaxed);
                answer(&line, &mut stream);
                stream.conn.send_close_notify();
                let _ = stream.flush();
            }
        })
    }

    /// HTTPS with a fresh self-signed certificate and one fixed answer.
    pub fn https_fixed(answer: &'static str) -> Self {
        let config = tls(&self_signed("Example", 2040), rustls::ALL_VERSIONS);
        Self::https(config, move |_, out| {
            let _ = out.write_all(answer.as_bytes());
        })
    }

    /// Arguments that point `probe` at it; nothing listens on port 623 of its address.
    pub fn target(&self) -> String {
        format!(
            "{} --redfish-port {}",
            self.address.ip(),
            self.address.port()
        )
    }

    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.address);
    }
}

/// Reads to the end of the header; gives the first line.
fn request(stream: &mut impl Read) -> Option<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).ok()? == 0 || head.len() > 8192 {
            return None;
        }
        head.extend(byte);
    }
    let head = String::from_utf8(head).ok()?;
    assert!(
        head.to_ascii_lowercase()
            .contains("accept-encoding: identity"),
        "{head}"
    );
    assert!(
        !head.to_ascii_lowercase().contains("authorization"),
        "{head}"
    );
    head.lines().next().map(str::to_owned)
}

/// An answer with a JSON body.
pub fn json(body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}
