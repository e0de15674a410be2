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
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use ureq::Agent;
use ureq::http::request::Builder;
use ureq::http::{HeaderValue, Uri};
use zeroize::Zeroizing;

pub use connector::open_in_all;
use connector::{BmcConnector, FixedAddress, Shared, from_ureq};
pub use error::{Fault, HttpError, Phase};
pub use tls::{TlsInfo, Trust};

/// Body bytes that are read at most.
const MAX_BODY: u64 = 4 << 20;

/// Header bytes that are read at most.
const MAX_HEADER: usize = 32 << 10;

/// Buffer for what is sent.
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
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reply {
    /// Status code.
    pub status: u16,
    /// `Location`, if given.
    pub location: Option<String>,
    /// `Content-Type`, if given.
    pub content_type: Option<String>,
    /// All headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, at most `max_body` bytes.
    pub body: Vec<u8>,
}

/// A body to send; wiped when dropped.
pub type Body = Zeroizing<Vec<u8>>;

/// A request. Header values and body are wiped when dropped.
pub struct Request {
    /// Method.
    pub method: ureq::http::Method,
    /// Path and query.
    pub path: String,
    /// Headers; values are never logged.
    pub headers: Vec<(&'static str, Zeroizing<String>)>,
    /// The body (JSON).
    pub body: Option<Body>,
}

impl Request {
    /// A request without headers of its own and without a body.
    pub fn new(method: ureq::http::Method, path: &str) -> Self {
        Self {
            method,
            path: path.to_owned(),
            headers: Vec::new(),
            body: None,
        }
    }

    fn build(self, base: &str) -> Result<(Builder, Option<Body>), HttpError> {
        let mut head = ureq::http::Request::builder()
            .method(self.method)
            .uri(format!("{base}{}", self.path));
        for (name, value) in &self.headers {
            let mut value = HeaderValue::from_str(value)
                .map_err(|_| HttpError::new(Fault::Config, format!("bad value of {name}")))?;
            value.set_sensitive(true);
            head = head.header(*name, value);
        }
        if self.body.is_some() {
            head = head.header("content-type", "application/json");
        }
        Ok((head, self.body))
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

/// A request without an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// What happened.
    pub error: HttpError,
    /// Some of the request may have reached the server.
    pub sent: bool,
}

/// HTTP to one server. At most one idle connection is kept. Clones share it.
#[derive(Clone)]
pub struct Client {
    agent: Arc<Mutex<Agent>>,
    make: Arc<dyn Fn() -> Agent + Send + Sync>,
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
        let tls = tls::client_config(&config.trust, Arc::clone(&seen))
            .map_err(|e| HttpError::from_tls(&e, b""))?;
        let agent_config = Agent::config_builder()
            .proxy(None)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .accept_encoding("identity")
            .accept("application/json")
            .user_agent(concat!("halbox/", env!("CARGO_PKG_VERSION")))
            .input_buffer_size(MAX_HEADER)
            .output_buffer_size(BUFFER)
            .max_response_header_size(MAX_HEADER)
            .max_idle_connections(1)
            .max_idle_connections_per_host(1)
            .max_idle_age(config.keep_idle)
            .build();
        let for_agents = Arc::clone(&shared);
        let make: Arc<dyn Fn() -> Agent + Send + Sync> = Arc::new(move || {
            let connector = BmcConnector {
                address,
                tls: Arc::clone(&tls),
                seen: Arc::clone(&seen),
                shared: Arc::clone(&for_agents),
            };
            Agent::with_parts(agent_config.clone(), connector, FixedAddress(address))
        });
        Ok(Self {
            agent: Arc::new(Mutex::new(make())),
            make,
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
        self.send(Request::new(ureq::http::Method::GET, path), deadline)
            .map_err(|failed| failed.error)
    }

    /// Sends a request on a thread of the blocking pool.
    pub async fn exchange(&self, request: Request, deadline: Instant) -> Result<Reply, Failed> {
        let client = self.clone();
        tokio::task::spawn_blocking(move || client.send(request, deadline))
            .await
            .unwrap_or_else(|e| {
                Err(Failed {
                    error: HttpError::new(Fault::Protocol, e.to_string()),
                    sent: true,
                })
            })
    }

    /// Sends a request on the present thread, until `deadline` at the latest. Redirects are answers like any other.
    pub fn send(&self, request: Request, deadline: Instant) -> Result<Reply, Failed> {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Failed {
                error: HttpError::timeout(Phase::Whole),
                sent: false,
            });
        }
        self.shared.sent.store(false, Ordering::Relaxed);
        let outcome = request
            .build(&self.base)
            .and_then(|(head, body)| self.run(head, body, left));
        outcome.map_err(|error| Failed {
            error,
            sent: self.shared.sent.load(Ordering::Relaxed),
        })
    }

    fn run(&self, head: Builder, body: Option<Body>, left: Duration) -> Result<Reply, HttpError> {
        let bad = |e: ureq::http::Error| HttpError::new(Fault::Config, format!("bad request: {e}"));
        let agent = lock(&self.agent).clone();
        let answered = match body {
            None => agent.run(limited(&agent, head.body(()).map_err(bad)?, left)),
            Some(body) => agent.run(limited(
                &agent,
                head.body(body.as_slice()).map_err(bad)?,
                left,
            )),
        };
        let mut response = answered.map_err(|e| whole(from_ureq(e)))?;
        let headers: Vec<(String, String)> = response
            .headers()
            .iter()
            .map(|(name, value)| {
                let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
                (name.as_str().to_owned(), value)
            })
            .collect();
        let header = |name: &str| {
            headers
                .iter()
                .find(|(n, _)| n == name)
                .map(|(_, value)| value.clone())
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
            headers,
            body,
        })
    }

    /// The address behind the name.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Connections that were made so far: a request that leaves it as it is went over a kept one.
    pub fn connects(&self) -> usize {
        self.shared.connects.load(Ordering::Relaxed)
    }

    /// Connections that are open now.
    pub fn open(&self) -> usize {
        self.shared.open.load(Ordering::Relaxed)
    }

    /// Breaks off the request that is running.
    pub fn abort(&self) {
        lock(&self.shared.last).shut();
    }

    /// Closes the idle connection.
    pub fn close_idle(&self) {
        *lock(&self.agent) = (self.make)();
        lock(&self.shared.offered).take();
    }
}

/// Every phase ends with the request.
fn limited<B: ureq::AsSendBody>(
    agent: &Agent,
    request: ureq::http::Request<B>,
    left: Duration,
) -> ureq::http::Request<B> {
    agent
        .configure_request(request)
        .timeout_connect(Some(left))
        .timeout_recv_response(Some(left))
        .timeout_recv_body(Some(left))
        .timeout_global(Some(left))
        .build()
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
