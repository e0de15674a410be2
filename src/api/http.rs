//! /healthz, /readyz and /metrics for probes and Prometheus: the least of HTTP/1.1 that they need.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use super::crowd::Crowd;
use super::listen::failed_to_accept;
use super::metrics;

use crate::console::Hub;
use crate::discover::{Discovery, Doors};
use crate::inventory::Store;

/// Longest request.
const REQUEST: usize = 8192;
/// Time for one request.
const PATIENCE: Duration = Duration::from_secs(5);
/// Connections at the same time; one more sends the oldest away.
const TOGETHER: usize = 256;
/// Pages that are made at the same time.
const PAGES: usize = 4;

/// What the pages are made of. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Pages {
    store: Arc<dyn Store>,
    discovery: Arc<Discovery>,
    doors: Arc<Doors>,
    consoles: Arc<Hub>,
    started: u64,
    making: Arc<Semaphore>,
}

impl Pages {
    /// Pages about these parts of a daemon that was started then, in milliseconds since 1970.
    pub fn new(
        store: Arc<dyn Store>,
        discovery: Arc<Discovery>,
        doors: Arc<Doors>,
        consoles: Arc<Hub>,
        started: u64,
    ) -> Self {
        Self {
            store,
            discovery,
            doors,
            consoles,
            started,
            making: Arc::new(Semaphore::new(PAGES)),
        }
    }

    async fn page(&self, path: &str) -> (&'static str, String) {
        let _place = self.making.acquire().await;
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
        let consoles = self.consoles.count();
        metrics::page(
            &rows,
            &status,
            &self.doors.contacts(),
            consoles,
            self.started,
        )
    }
}

/// Serves until it is dropped.
pub async fn serve(listener: TcpListener, pages: Pages) {
    let crowd = Crowd::new(TOGETHER);
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let (pages, mut place) = (pages.clone(), crowd.enter());
                tokio::spawn(async move {
                    tokio::select! {
                        _ = tokio::time::timeout(PATIENCE, answer(stream, &pages)) => {}
                        () = place.sent_away() => {}
                    }
                });
            }
            Err(e) => failed_to_accept(&e).await,
        }
    }
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
