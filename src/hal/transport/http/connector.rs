//! The glue between ureq and our own connections: the only file that uses ureq's `unversioned` module, which is
//! outside its semver promise (that is why Cargo.toml pins ureq exactly).

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use ureq::Timeout;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport,
};

use super::error::{Fault, HttpError, Phase};
use super::socket::{DeadlineSocket, Handle};
use super::tls::{Seen, TlsInfo, version_text};

/// What the connector learnt, readable while and after requests run.
#[derive(Debug, Default)]
pub(super) struct Shared {
    /// A TCP connection made elsewhere, taken by the next request.
    pub(super) offered: Mutex<Option<TcpStream>>,
    /// The last TLS connection that got as far as a certificate.
    pub(super) tls: Mutex<Option<TlsInfo>>,
    /// Bytes of the present request were written.
    pub(super) sent: AtomicBool,
    /// Connections that are open.
    pub(super) open: AtomicUsize,
    /// The connection that was made last.
    pub(super) last: Mutex<Handle>,
    /// Connections that were made.
    pub(super) connects: AtomicUsize,
}

/// Connections to all BMCs.
static OPEN: AtomicUsize = AtomicUsize::new(0);

/// How many connections to BMCs the process has open.
pub fn open_in_all() -> usize {
    OPEN.load(Ordering::Relaxed)
}

/// Answers every name with the one address that was chosen before.
#[derive(Debug)]
pub(super) struct FixedAddress(pub(super) SocketAddr);

impl Resolver for FixedAddress {
    fn resolve(
        &self,
        _uri: &Uri,
        _config: &Config,
        _timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let mut addresses = self.empty();
        addresses.push(self.0);
        Ok(addresses)
    }
}

/// Makes plain and TLS connections to one address.
pub(super) struct BmcConnector {
    pub(super) address: SocketAddr,
    pub(super) tls: Arc<ClientConfig>,
    pub(super) seen: Seen,
    pub(super) shared: Arc<Shared>,
}

impl fmt::Debug for BmcConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BmcConnector")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

fn other(error: HttpError) -> ureq::Error {
    ureq::Error::Other(Box::new(error))
}

/// When a phase must be over. A phase without a limit does not occur: the client always sets one.
fn deadline(timeout: NextTimeout) -> Option<Instant> {
    if timeout.after.is_not_happening() {
        None
    } else {
        Instant::now().checked_add(*timeout.after)
    }
}

impl Connector<()> for BmcConnector {
    type Out = BmcTransport;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        _chained: Option<()>,
    ) -> Result<Option<BmcTransport>, ureq::Error> {
        let until = deadline(details.timeout);
        let offered = self
            .shared
            .offered
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let tcp = match (offered, until) {
            (Some(tcp), _) => Ok(tcp),
            (None, None) => TcpStream::connect(self.address),
            (None, Some(at)) => {
                let left = at.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    return Err(other(HttpError::timeout(Phase::Connect)));
                }
                TcpStream::connect_timeout(&self.address, left)
            }
        }
        .map_err(|e| other(HttpError::from_io(&e, Phase::Connect)))?;
        let mut socket = DeadlineSocket::new(tcp)?;
        socket.set_deadline(until);
        *self
            .shared
            .last
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = socket.handle();
        let stream = if details.needs_tls() {
            Stream::Tls(Box::new(self.handshake(socket, details.uri)?))
        } else {
            Stream::Plain(socket)
        };
        let config = details.config;
        self.shared.open.fetch_add(1, Ordering::Relaxed);
        self.shared.connects.fetch_add(1, Ordering::Relaxed);
        OPEN.fetch_add(1, Ordering::Relaxed);
        Ok(Some(BmcTransport {
            shared: Arc::clone(&self.shared),
            stream,
            buffers: LazyBuffers::new(config.input_buffer_size(), config.output_buffer_size()),
        }))
    }
}

impl BmcConnector {
    fn handshake(
        &self,
        mut socket: DeadlineSocket,
        uri: &Uri,
    ) -> Result<StreamOwned<ClientConnection, DeadlineSocket>, ureq::Error> {
        let host = uri.host().unwrap_or_default();
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(bare.to_owned()).map_err(|_| {
            other(HttpError::new(
                Fault::Config,
                format!("'{bare}' is no host name"),
            ))
        })?;
        let mut connection =
            ClientConnection::new(Arc::clone(&self.tls), name).map_err(ureq::Error::Rustls)?;
        let mut outcome = Ok(());
        while connection.is_handshaking() && outcome.is_ok() {
            outcome = connection.complete_io(&mut socket).map(drop);
        }
        let version = connection.protocol_version();
        let shown = self
            .seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(shown) = shown {
            *self
                .shared
                .tls
                .lock()
                .unwrap_or_else(PoisonError::into_inner) =
                Some(TlsInfo::of(version_text(version), &shown.der));
            if let Some(why) = shown.refused {
                return Err(other(why));
            }
        }
        match outcome {
            Ok(()) => Ok(StreamOwned::new(connection, socket)),
            Err(e) => Err(other(handshake_error(&e, socket.first_bytes()))),
        }
    }
}

/// Why the handshake failed: rustls wraps its own errors in `io::Error`.
fn handshake_error(error: &io::Error, first_bytes: &[u8]) -> HttpError {
    let cause = error
        .get_ref()
        .and_then(|e| e.downcast_ref::<rustls::Error>());
    match cause {
        None => HttpError::from_io(error, Phase::Handshake),
        Some(rustls::Error::InvalidCertificate(rustls::CertificateError::BadSignature)) => {
            HttpError::new(
                Fault::Tls,
                "TLS: the server does not prove that it holds the key of its certificate",
            )
        }
        Some(cause) => HttpError::from_tls(cause, first_bytes),
    }
}

/// A connection, plain or with TLS.
enum Stream {
    Plain(DeadlineSocket),
    Tls(Box<StreamOwned<ClientConnection, DeadlineSocket>>),
}

impl Stream {
    fn socket(&mut self) -> &mut DeadlineSocket {
        match self {
            Self::Plain(socket) => socket,
            Self::Tls(stream) => &mut stream.sock,
        }
    }
}

/// What ureq sends requests through.
pub(super) struct BmcTransport {
    shared: Arc<Shared>,
    stream: Stream,
    buffers: LazyBuffers,
}

impl Drop for BmcTransport {
    fn drop(&mut self) {
        self.shared.open.fetch_sub(1, Ordering::Relaxed);
        OPEN.fetch_sub(1, Ordering::Relaxed);
    }
}

impl fmt::Debug for BmcTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BmcTransport")
            .field("tls", &self.is_tls())
            .finish_non_exhaustive()
    }
}

fn phase_of(timeout: Timeout) -> Phase {
    match timeout {
        Timeout::Connect | Timeout::Resolve => Phase::Connect,
        Timeout::SendRequest | Timeout::SendBody | Timeout::Await100 | Timeout::PerWrite => {
            Phase::Send
        }
        Timeout::RecvResponse => Phase::Response,
        Timeout::RecvBody | Timeout::PerRead => Phase::Body,
        _ => Phase::Whole,
    }
}

impl Transport for BmcTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        let timeout = timeout.for_write();
        self.stream.socket().set_deadline(deadline(timeout));
        self.shared.sent.store(true, Ordering::Relaxed);
        let output = self.buffers.output().get(..amount).unwrap_or_default();
        let sent = match &mut self.stream {
            Stream::Plain(socket) => socket.write_all(output),
            Stream::Tls(stream) => stream.write_all(output).and_then(|()| stream.flush()),
        };
        sent.map_err(|e| io_error(e, timeout.reason))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        let timeout = timeout.for_read();
        self.stream.socket().set_deadline(deadline(timeout));
        let input = self.buffers.input_append_buf();
        if input.is_empty() {
            // The buffer is as large as a header may be, and what is in it is no whole header.
            return Err(other(HttpError::new(
                Fault::TooLarge,
                "the HTTP header is too large",
            )));
        }
        let read = match &mut self.stream {
            Stream::Plain(socket) => socket.read(input),
            Stream::Tls(stream) => match stream.read(input) {
                // A server that closes without close_notify ends its answer all the same; whether the
                // answer was complete is for HTTP to say.
                Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => Ok(0),
                done => done,
            },
        };
        let amount = read.map_err(|e| io_error(e, timeout.reason))?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.socket().is_idle()
    }

    fn is_tls(&self) -> bool {
        matches!(self.stream, Stream::Tls(_))
    }
}

fn io_error(error: io::Error, reason: Timeout) -> ureq::Error {
    if error.kind() == io::ErrorKind::TimedOut {
        ureq::Error::Timeout(reason)
    } else {
        ureq::Error::Io(error)
    }
}

/// Translates what ureq reports; our own errors come back out of it unharmed.
pub(super) fn from_ureq(error: ureq::Error) -> HttpError {
    match error {
        ureq::Error::Other(inner) => match inner.downcast::<HttpError>() {
            Ok(own) => *own,
            Err(foreign) => HttpError::new(Fault::Protocol, foreign.to_string()),
        },
        ureq::Error::Timeout(which) => HttpError::timeout(phase_of(which)),
        ureq::Error::Io(e) => {
            let tls = e.get_ref().and_then(|e| e.downcast_ref::<rustls::Error>());
            match tls {
                Some(cause) => HttpError::from_tls(cause, b""),
                None => HttpError::from_io(&e, Phase::Response),
            }
        }
        ureq::Error::Rustls(e) => HttpError::from_tls(&e, b""),
        ureq::Error::Protocol(e) => {
            HttpError::new(Fault::Protocol, format!("the answer is not HTTP: {e}"))
        }
        ureq::Error::LargeResponseHeader(..) => {
            HttpError::new(Fault::TooLarge, "the HTTP header is too large")
        }
        ureq::Error::BodyExceedsLimit(limit) => HttpError::new(
            Fault::TooLarge,
            format!("the body is larger than {limit} bytes"),
        ),
        ureq::Error::BadUri(text) => HttpError::new(Fault::Config, format!("bad URL: {text}")),
        ureq::Error::Http(e) => HttpError::new(Fault::Config, format!("bad request: {e}")),
        ureq::Error::BodyStalled => {
            HttpError::new(Fault::Closed, "the connection was closed inside the body")
        }
        other => HttpError::new(Fault::Protocol, other.to_string()),
    }
}
