//! HTTP and HTTPS around the service: one listener per BMC, some threads for all.

use std::convert::Infallible;
use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use super::super::host::Shared;
use super::http::{Ask, Method, Reply};
use super::socket::Socket;
use crate::hal::error::{Error, Kind, Result};

/// Connections that one BMC has open at most.
const MAX_CONNECTIONS: usize = 32;
/// Longest body of a request.
const MAX_BODY: usize = 1024 * 1024;
/// Longest head of a request.
const MAX_HEAD: usize = 64 * 1024;
/// A handshake, a head and a body take no longer.
const PATIENCE: Duration = Duration::from_secs(30);
/// A BMC that does not answer keeps its connections so long.
const SILENCE: Duration = Duration::from_mins(2);
/// Stack of a thread.
const STACK: usize = 1024 * 1024;

/// A listener of BMC number `index`.
pub(in crate::hal::sim) struct Door {
    pub(in crate::hal::sim) index: usize,
    pub(in crate::hal::sim) listener: StdListener,
    /// `None`: plain HTTP.
    pub(in crate::hal::sim) tls: Option<Arc<ServerConfig>>,
}

/// Starts the threads that serve.
pub(in crate::hal::sim) fn spawn(
    shared: &Arc<Shared>,
    doors: Vec<Door>,
) -> Result<Vec<JoinHandle<()>>> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = cores.min(4).min(doors.len().max(1));
    let mut lots: Vec<Vec<Door>> = (0..threads).map(|_| Vec::new()).collect();
    for (number, door) in doors.into_iter().enumerate() {
        if let Some(lot) = lots.get_mut(number % threads) {
            lot.push(door);
        }
    }
    lots.into_iter()
        .filter(|lot| !lot.is_empty())
        .map(|lot| {
            let failed = |e| Error::new(Kind::Other, "starting a Redfish thread").with_source(e);
            let runtime = Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(failed)?;
            let shared = Arc::clone(shared);
            std::thread::Builder::new()
                .name("sim-redfish".to_owned())
                .stack_size(STACK)
                .spawn(move || {
                    runtime.block_on(async {
                        let mut stop = shared.stop.subscribe();
                        for door in lot {
                            tokio::spawn(open(Arc::clone(&shared), door));
                        }
                        let _ = stop.wait_for(|stop| *stop).await;
                    });
                    runtime.shutdown_timeout(Duration::from_millis(100));
                })
                .map_err(failed)
        })
        .collect()
}

/// Accepts connections until the end.
async fn open(shared: Arc<Shared>, door: Door) {
    let listener = match TcpListener::from_std(door.listener) {
        Ok(listener) => listener,
        Err(e) => return log::error!("simulator: BMC {} has no Redfish: {e}", door.index),
    };
    let tls = door.tls.map(TlsAcceptor::from);
    let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let Ok(permit) = Arc::clone(&room).acquire_owned().await else {
            return;
        };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(e) => {
                // Too many open files: others may close some.
                log::debug!("simulator: BMC {}: {e}", door.index);
                sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let _ = stream.set_nodelay(true);
        let (shared, tls, index) = (Arc::clone(&shared), tls.clone(), door.index);
        tokio::spawn(async move {
            let _permit = permit;
            connection(&shared, index, stream, tls).await;
        });
    }
}

/// Books a connection as long as it lives.
struct Open<'a> {
    shared: &'a Shared,
    index: usize,
}

impl<'a> Open<'a> {
    fn new(shared: &'a Shared, index: usize) -> Self {
        if let Some(mut bmc) = shared.bmc(index) {
            let ledger = &mut bmc.side.ledger;
            ledger.http_connections += 1;
            ledger.http_connections_open += 1;
            ledger.http_most_connections = ledger
                .http_most_connections
                .max(ledger.http_connections_open);
        }
        Self { shared, index }
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        if let Some(mut bmc) = self.shared.bmc(self.index) {
            let open = &mut bmc.side.ledger.http_connections_open;
            *open = open.saturating_sub(1);
        }
    }
}

async fn connection(
    shared: &Arc<Shared>,
    index: usize,
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
) {
    let _open = Open::new(shared, index);
    if is_silent(shared, index) {
        // The kernel took the connection; nobody reads from it.
        sleep(SILENCE).await;
        return;
    }
    let cut = Arc::new(AtomicBool::new(false));
    let socket = Socket::new(stream, Arc::clone(&cut));
    match tls {
        None => converse(shared, index, Box::new(socket), &cut).await,
        Some(tls) => match timeout(PATIENCE, tls.accept(socket)).await {
            Ok(Ok(socket)) => converse(shared, index, Box::new(socket), &cut).await,
            Ok(Err(e)) => log::debug!("simulator: BMC {index}: TLS: {e}"),
            Err(_) => {}
        },
    }
}

fn is_silent(shared: &Shared, index: usize) -> bool {
    shared
        .bmc(index)
        .is_none_or(|bmc| bmc.is_silent(Instant::now()))
}

/// What carries HTTP; boxed, so that all of HTTP exists once.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// Speaks HTTP until one side has enough.
async fn converse(
    shared: &Arc<Shared>,
    index: usize,
    socket: Box<dyn Stream>,
    cut: &Arc<AtomicBool>,
) {
    let served = std::sync::atomic::AtomicU32::new(0);
    let service = service_fn(|request: Request<Incoming>| {
        let number = served.fetch_add(1, Ordering::Relaxed);
        async move {
            if number > 0 && rst_on_reuse(shared) {
                cut.store(true, Ordering::Relaxed);
            }
            let reply = serve(shared, index, request, cut).await;
            Ok::<_, Infallible>(response(reply))
        }
    });
    let done = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(socket), service)
        .await;
    if let Err(e) = done {
        log::debug!("simulator: BMC {index}: {e}");
    }
}

fn rst_on_reuse(shared: &Shared) -> bool {
    shared
        .options
        .redfish
        .as_ref()
        .is_some_and(|r| r.rst_on_reuse)
}

/// One request: the faults, then the service.
async fn serve(
    shared: &Arc<Shared>,
    index: usize,
    request: Request<Incoming>,
    cut: &Arc<AtomicBool>,
) -> Reply {
    let ask = match read(request).await {
        Ok(ask) => ask,
        Err(status) => {
            if let Some(mut bmc) = shared.bmc(index) {
                bmc.side.ledger.http_requests += 1;
            }
            return Reply::empty(status);
        }
    };
    let faults = &shared.options.faults;
    let now = Instant::now();
    // A lost segment would only be sent again: what is lost is the connection, before or after the request is done.
    let (lost, late, slow, silent) = match shared.bmc(index) {
        None => (false, false, Duration::ZERO, true),
        Some(mut bmc) => {
            bmc.side.ledger.http_requests += 1;
            let slow = bmc.manners().slow;
            let silent = bmc.is_silent(now);
            let (_, rng) = bmc.side.server_and_rng();
            let lost = faults.loss > 0.0 && rng.f64() < faults.loss;
            (lost, rng.bool(), slow, silent)
        }
    };
    if silent {
        sleep(SILENCE).await;
        cut.store(true, Ordering::Relaxed);
    }
    let pause = slow + faults.delay;
    if !pause.is_zero() {
        sleep(pause).await;
    }
    if lost {
        cut.store(true, Ordering::Relaxed);
    }
    if silent || (lost && !late) || (!lost && cut.load(Ordering::Relaxed)) {
        return Reply::empty(503);
    }
    match shared.bmc(index) {
        Some(mut bmc) => super::answer(&mut bmc, Instant::now(), &ask),
        None => Reply::empty(503),
    }
}

/// Reads a request whole, or says the status that it is refused with.
async fn read(request: Request<Incoming>) -> std::result::Result<Ask, u16> {
    let (head, body) = request.into_parts();
    let collected = timeout(PATIENCE, Limited::new(body, MAX_BODY).collect()).await;
    let body = match collected {
        Ok(Ok(body)) => body.to_bytes().to_vec(),
        Ok(Err(_)) => return Err(413),
        Err(_) => return Err(408),
    };
    let header = |name: header::HeaderName| text(&head.headers, name);
    Ok(Ask {
        method: match head.method {
            hyper::Method::GET => Method::Get,
            hyper::Method::HEAD => Method::Head,
            hyper::Method::POST => Method::Post,
            hyper::Method::PATCH => Method::Patch,
            hyper::Method::PUT => Method::Put,
            hyper::Method::DELETE => Method::Delete,
            hyper::Method::OPTIONS => Method::Options,
            _ => Method::Other,
        },
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        authorization: header(header::AUTHORIZATION),
        token: header(header::HeaderName::from_static("x-auth-token")),
        if_match: header(header::IF_MATCH),
        if_none_match: header(header::IF_NONE_MATCH),
        odata_version: header(header::HeaderName::from_static("odata-version")),
        content_type: header(header::CONTENT_TYPE),
        body,
    })
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<String> {
    let value = headers.get(name)?;
    Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
}

fn response(reply: Reply) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(reply.body)));
    *response.status_mut() = hyper::StatusCode::from_u16(reply.status)
        .unwrap_or(hyper::StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in reply.headers {
        let name = header::HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(&value)) {
            response.headers_mut().append(name, value);
        }
    }
    response
}

/// Binds a TCP address.
pub(in crate::hal::sim) fn bind(address: SocketAddr) -> Result<StdListener> {
    let bound = StdListener::bind(address).and_then(|listener| {
        listener.set_nonblocking(true)?;
        Ok(listener)
    });
    bound.map_err(|e| {
        let error = Error::new(Kind::Config, format!("binding TCP {address}"));
        let hint = match e.kind() {
            io::ErrorKind::PermissionDenied => "ports below 1024 need CAP_NET_BIND_SERVICE",
            io::ErrorKind::AddrInUse => "something else answers there; see `ss -ltn`",
            _ => "the address must be one of this host (all of 127.0.0.0/8 is)",
        };
        error.with_source(e).with_hint(hint)
    })
}
