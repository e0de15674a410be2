//! /healthz, /readyz and /metrics for probes and Prometheus: the least of HTTP/1.1 that they need.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::discover::{Discovery, now};
use crate::hal::{Error, Kind, Result};
use crate::inventory::Store;

/// Longest request.
const REQUEST: usize = 8192;
/// Time for one request.
const PATIENCE: Duration = Duration::from_secs(5);
/// Requests at the same time.
const TOGETHER: usize = 32;

/// What the pages are made of. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Pages {
    store: Arc<dyn Store>,
    discovery: Arc<Discovery>,
}

impl Pages {
    /// Pages about this table and discovery.
    pub fn new(store: Arc<dyn Store>, discovery: Arc<Discovery>) -> Self {
        Self { store, discovery }
    }

    async fn page(&self, path: &str) -> (&'static str, String) {
        match path {
            "/healthz" => ("200 OK", "ok\n".to_owned()),
            "/readyz" => match self.store.all().await {
                Ok(_) => ("200 OK", "ready\n".to_owned()),
                Err(e) => ("503 Service Unavailable", format!("{}\n", e.chain())),
            },
            "/metrics" => ("200 OK", self.metrics().await),
            _ => ("404 Not Found", "not found\n".to_owned()),
        }
    }

    async fn metrics(&self) -> String {
        let rows = self.store.all().await.unwrap_or_default();
        let status = self.discovery.status();
        let seconds = now() / 1000;
        let mut out = String::new();
        let mut gauge = |name: &str, help: &str, values: &[(String, u64)]| {
            let _ = writeln!(
                out,
                "# HELP halbox_{name} {help}\n# TYPE halbox_{name} gauge"
            );
            for (labels, value) in values {
                let _ = writeln!(out, "halbox_{name}{labels} {value}");
            }
        };
        let plain = |value: u64| vec![(String::new(), value)];
        let count = |f: &dyn Fn(&crate::inventory::Record) -> bool| {
            rows.iter().filter(|r| !r.removed && f(r)).count() as u64
        };
        gauge(
            "bmcs",
            "BMCs with a driver",
            &plain(count(&|r| !r.candidate)),
        );
        gauge(
            "candidates",
            "Leases at which no driver was found",
            &plain(count(&|r| r.candidate)),
        );
        gauge(
            "bmcs_with_credentials",
            "BMCs that can be managed",
            &plain(count(&|r| r.has_credentials())),
        );
        gauge(
            "looking",
            "Addresses that are being looked at",
            &plain(status.looking),
        );
        gauge(
            "refreshing",
            "BMCs that are being refreshed",
            &plain(status.refreshing),
        );
        gauge(
            "refreshes_waiting",
            "BMCs whose refresh is late",
            &plain(status.waiting),
        );
        gauge(
            "logins_failed",
            "Failed logins since the start, by who wanted them",
            &[
                ("{by=\"halbox\"}".to_owned(), status.failures.automatic),
                ("{by=\"operator\"}".to_owned(), status.failures.operator),
            ],
        );
        gauge(
            "bmcs_failing",
            "BMCs whose last contact failed, by kind of error",
            &failing(&rows),
        );
        let file = |f: &dyn Fn(&crate::discover::files::FileState) -> u64| -> Vec<(String, u64)> {
            let label = |path: &std::path::Path| {
                let path = path.display().to_string();
                let path = path
                    .replace('\\', "\\\\")
                    .replace('"', "\\\"")
                    .replace('\n', "");
                format!("{{file=\"{path}\"}}")
            };
            status
                .files
                .iter()
                .map(|(path, state)| (label(path), f(state)))
                .collect()
        };
        gauge(
            "leases",
            "Addresses in a lease file",
            &file(&|f| f.leases.len() as u64),
        );
        gauge(
            "leases_active",
            "Active leases in a lease file",
            &file(&|f| f.leases.iter().filter(|l| l.is_active(seconds)).count() as u64),
        );
        gauge(
            "lease_lines_bad",
            "Lines of a lease file that could not be read",
            &file(&|f| f.bad),
        );
        gauge(
            "lease_file_failed",
            "1 when the file could not be read",
            &file(&|f| f.error.is_some().into()),
        );
        out
    }
}

/// How many rows failed, by kind of error.
fn failing(rows: &[Arc<crate::inventory::Record>]) -> Vec<(String, u64)> {
    let mut out: BTreeMap<&str, u64> = BTreeMap::new();
    for kind in rows.iter().filter_map(|r| r.status.kind.as_deref()) {
        *out.entry(kind).or_default() += 1;
    }
    out.into_iter()
        .map(|(kind, n)| (format!("{{kind=\"{kind}\"}}"), n))
        .collect()
}

/// Listens; the future that is returned serves.
pub async fn serve(address: SocketAddr, pages: Pages) -> Result<impl Future<Output = ()>> {
    let listener = TcpListener::bind(address).await.map_err(|e| {
        Error::new(Kind::Config, format!("http: listening at {address}")).with_source(e)
    })?;
    let places = Arc::new(Semaphore::new(TOGETHER));
    Ok(async move {
        loop {
            let Ok(place) = Arc::clone(&places).acquire_owned().await else {
                return;
            };
            match listener.accept().await {
                Ok((stream, _)) => {
                    let pages = pages.clone();
                    tokio::spawn(async move {
                        let _ = tokio::time::timeout(PATIENCE, answer(stream, &pages)).await;
                        drop(place);
                    });
                }
                Err(e) => {
                    log::warn!("http: {e}");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    })
}

async fn answer(mut stream: TcpStream, pages: &Pages) -> std::io::Result<()> {
    let mut request = Vec::with_capacity(512);
    while !request.windows(4).any(|w| w == b"\r\n\r\n") {
        if request.len() >= REQUEST || stream.read_buf(&mut request).await? == 0 {
            break;
        }
    }
    let text = String::from_utf8_lossy(&request);
    let mut words = text.split_ascii_whitespace();
    let (method, path) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    let (status, body) = match method {
        "GET" | "HEAD" => pages.page(path.split('?').next().unwrap_or("")).await,
        _ => ("405 Method Not Allowed", String::new()),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    if method != "HEAD" {
        stream.write_all(body.as_bytes()).await?;
    }
    stream.shutdown().await
}
