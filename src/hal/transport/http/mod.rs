//! HTTP to BMCs: ureq over rustls (ring), set up in one place.
//!
//! What ureq's defaults get wrong here: no proxy from the environment, no redirect followed by itself, a status is
//! no error, small buffers, few idle connections, a limit for every phase and for the body. Calls block;
//! [`Client::fetch`] connects TCP asynchronously and takes a thread only for what answers. It knows nothing of
//! Redfish.

mod connector;
pub mod error;
pub mod hello;
mod socket;
pub mod tls;
pub mod x509;

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use ureq::Agent;
use ureq::http::Uri;

use connector::{BmcConnector, FixedAddress, Shared, from_ureq};
pub use error::{Fault, HttpError, Phase};
pub use tls::{TlsInfo, Trust};

/// Body bytes that are read at most.
const MAX_BODY: u64 = 4 << 20;

/// Header bytes that are read at most.
const MAX_HEADER: usize = 32 << 10;

/// Buffer in each direction.
const BUFFER: usize = 16 << 10;

/// How requests to one BMC are made.
#[derive(Debug, Clone)]
pub struct Config {
    /// Which certificate is accepted.
    pub trust: Trust,
    /// Largest body in bytes; a larger one is an error.
    pub max_body: u64,
    /// How long an idle connection is kept.
    pub keep_idle: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            trust: Trust::default(),
            max_body: MAX_BODY,
            keep_idle: Duration::from_secs(15),
        }
    }
}

/// An answer, whatever its status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// Status code.
    pub status: u16,
    /// `Location`, if given.
    pub location: Option<String>,
    /// `Content-Type`, if given.
    pub content_type: Option<String>,
    /// The body, at most `max_body` bytes.
    pub body: Vec<u8>,
}

/// HTTP to one server. At most one idle connection is kept. Clones share it.
#[derive(Clone)]
pub struct Client {
    agent: Agent,
    base: Arc<str>,
    address: SocketAddr,
    max_body: u64,
    shared: Arc<Shared>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("base", &self.base)
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// A client for `base` (`https://host:port`, no path) at `address`; the host of `base` is only a name.
    pub fn new(base: &str, address: SocketAddr, config: &Config) -> Result<Self, HttpError> {
        let bad = |why: &str| HttpError::new(Fault::Config, format!("bad URL '{base}': {why}"));
        let uri: Uri = base.parse().map_err(|_| bad("not a URL"))?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) || uri.host().is_none() {
            return Err(bad("it must start with http:// or https:// and a host"));
        }
        let seen = tls::Seen::default();
        let shared = Arc::new(Shared::default());
        let connector = BmcConnector {
            address,
            tls: tls::client_config(&config.trust, Arc::clone(&seen))
                .map_err(|e| HttpError::from_tls(&e, b""))?,
            seen,
            shared: Arc::clone(&shared),
        };
        let agent_config = Agent::config_builder()
            .proxy(None)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .accept_encoding("identity")
            .accept("application/json")
            .user_agent(concat!("halbox/", env!("CARGO_PKG_VERSION")))
            .input_buffer_size(BUFFER)
            .output_buffer_size(BUFFER)
            .max_response_header_size(MAX_HEADER)
            .max_idle_connections(1)
            .max_idle_connections_per_host(1)
            .max_idle_age(config.keep_idle)
            .build();
        Ok(Self {
            agent: Agent::with_parts(agent_config, connector, FixedAddress(address)),
            base: base.trim_end_matches('/').into(),
            address,
            max_body: config.max_body,
            shared,
        })
    }

    /// `https://host:port`, as given.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// What is known of the last TLS connection, also when it was refused.
    pub fn tls(&self) -> Option<TlsInfo> {
        lock(&self.shared.tls).clone()
    }

    /// Connects TCP, without a thread. The next request uses this connection.
    pub async fn connect(&self, deadline: Instant) -> Result<(), HttpError> {
        let connecting = TcpStream::connect(self.address);
        match tokio::time::timeout_at(deadline.into(), connecting).await {
            Err(_) => Err(HttpError::timeout(Phase::Connect)),
            Ok(outcome) => {
                let tcp = outcome
                    .and_then(TcpStream::into_std)
                    .map_err(|e| HttpError::from_io(&e, Phase::Connect))?;
                *lock(&self.shared.offered) = Some(tcp);
                Ok(())
            }
        }
    }

    /// GET on a thread of the blocking pool. Redirects are answers like any other.
    pub async fn fetch(&self, path: &str, deadline: Instant) -> Result<Reply, HttpError> {
        let client = self.clone();
        let path = path.to_owned();
        tokio::task::spawn_blocking(move || client.get(&path, deadline))
            .await
            .unwrap_or_else(|e| Err(HttpError::new(Fault::Protocol, e.to_string())))
    }

    /// GET on the present thread, until `deadline` at the latest.
    pub fn get(&self, path: &str, deadline: Instant) -> Result<Reply, HttpError> {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(HttpError::timeout(Phase::Whole));
        }
        let url = format!("{}{path}", self.base);
        let mut response = self
            .agent
            .get(&url)
            .config()
            .timeout_connect(Some(left))
            .timeout_recv_response(Some(left))
            .timeout_recv_body(Some(left))
            .timeout_global(Some(left))
            .build()
            .call()
            .map_err(|e| whole(from_ureq(e)))?;
        let header = |name: &str| {
            response
                .headers()
                .get(name)
                .map(|v| String::from_utf8_lossy(v.as_bytes()).into_owned())
        };
        let (location, content_type) = (header("location"), header("content-type"));
        let status = response.status().as_u16();
        let body = response
            .body_mut()
            .with_config()
            .limit(self.max_body)
            .read_to_vec()
            .map_err(|e| in_body(from_ureq(e)))?;
        Ok(Reply {
            status,
            location,
            content_type,
            body,
        })
    }
}

/// ureq names the limit that ran out, which with equal limits is often the one for everything.
fn whole(error: HttpError) -> HttpError {
    if error.fault == Fault::Timeout(Phase::Whole) {
        HttpError::timeout(Phase::Response)
    } else {
        error
    }
}

fn in_body(error: HttpError) -> HttpError {
    match error.fault {
        Fault::Timeout(_) => HttpError::timeout(Phase::Body),
        Fault::Closed => HttpError::new(
            Fault::Closed,
            "the connection was closed inside the body of the HTTP response",
        ),
        _ => error,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
