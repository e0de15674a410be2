//! The control socket: one request per line, one JSON document per line back.
//!
//! Requests: `{"do":"ledger"}`, `{"do":"total"}`, `{"do":"stop"}`, and
//! `{"do":"set","bmc":3,"unresponsive":true,"slow_ms":200,"busy":0.5,"power":"off"}` (without `bmc`: all).

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::runtime::Builder;

use super::host::Shared;
use super::ledger::Ledger;
use crate::hal::error::{Error, Kind, Result};
use crate::hal::model::json::json;

/// Longest request.
const LINE: u64 = 4096;

/// A request.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "lowercase", deny_unknown_fields)]
pub enum Request {
    /// The books of each BMC.
    Ledger,
    /// The sum of all books.
    Total,
    /// The end.
    Stop,
    /// Changes manners and power of one BMC or all.
    Set {
        /// Number of the BMC, from 0; all without it.
        #[serde(default)]
        bmc: Option<usize>,
        /// Does not answer any more.
        #[serde(default)]
        unresponsive: Option<bool>,
        /// Answers later by so many milliseconds.
        #[serde(default)]
        slow_ms: Option<u64>,
        /// Probability of "busy".
        #[serde(default)]
        busy: Option<f64>,
        /// `on` or `off`, at once.
        #[serde(default)]
        power: Option<String>,
    },
}

/// The books of one BMC with its address.
#[derive(Debug, Serialize)]
struct Entry<'a> {
    address: String,
    #[serde(flatten)]
    ledger: &'a Ledger,
}

/// Starts the thread of the control socket, if one was asked for.
pub(super) fn spawn(shared: &Arc<Shared>) -> Result<Option<JoinHandle<()>>> {
    let Some(path) = shared.options.control.clone() else {
        return Ok(None);
    };
    let failed = |e: io::Error| {
        Error::new(Kind::Config, format!("control socket {}", path.display())).with_source(e)
    };
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(failed)?;
    let listener = {
        let _inside = runtime.enter();
        listen(&path).map_err(failed)?
    };
    let shared = Arc::clone(shared);
    std::thread::Builder::new()
        .name("sim-control".to_owned())
        .spawn(move || {
            runtime.block_on(async {
                let mut stop = shared.stop.subscribe();
                loop {
                    tokio::select! {
                        _ = stop.wait_for(|stop| *stop) => break,
                        accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                            tokio::spawn(converse(Arc::clone(&shared), stream));
                        }
                    }
                }
            });
            // Answers to "stop" are on their way before the runtime goes.
            runtime.shutdown_timeout(Duration::from_millis(100));
            if let Some(path) = &shared.options.control {
                let _ = std::fs::remove_file(path);
            }
        })
        .map(Some)
        .map_err(|e| Error::new(Kind::Other, "starting the control thread").with_source(e))
}

fn listen(path: &Path) -> io::Result<UnixListener> {
    // A socket that nobody listens on any more is in the way of nobody.
    if std::os::unix::net::UnixStream::connect(path).is_err()
        && std::fs::symlink_metadata(path).is_ok_and(|m| {
            use std::os::unix::fs::FileTypeExt;
            m.file_type().is_socket()
        })
    {
        std::fs::remove_file(path)?;
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

async fn converse(shared: Arc<Shared>, stream: UnixStream) {
    let (reader, mut writer) = stream.into_split();
    let mut reader = BufReader::new(reader);
    loop {
        let mut line = String::new();
        let read = (&mut reader).take(LINE).read_line(&mut line).await;
        if !matches!(read, Ok(n) if n > 0) {
            return;
        }
        let (mut answer, stops) = match serde_json::from_str(line.trim()) {
            Ok(request) => answer(&shared, &request),
            Err(e) => (json!({ "error": e.to_string() }).to_string(), false),
        };
        answer.push('\n');
        let sent = writer.write_all(answer.as_bytes()).await;
        let _ = writer.flush().await;
        if stops {
            shared.stop.send_replace(true);
        }
        if sent.is_err() || stops {
            return;
        }
    }
}

/// The answer as JSON, and whether it is the last one.
fn answer(shared: &Shared, request: &Request) -> (String, bool) {
    let done = |value: Value| (value.to_string(), false);
    match request {
        Request::Ledger => {
            let ledgers = shared.ledgers();
            let entries: Vec<Entry<'_>> = ledgers
                .iter()
                .map(|(address, ledger)| Entry {
                    address: address.to_string(),
                    ledger,
                })
                .collect();
            match serde_json::to_string(&entries) {
                Ok(text) => (format!("{{\"bmcs\":{text}}}"), false),
                Err(e) => done(json!({ "error": e.to_string() })),
            }
        }
        Request::Total => {
            let mut total = Ledger::default();
            for (_, ledger) in shared.ledgers() {
                total.add(&ledger);
            }
            done(json!({ "bmcs": shared.bmcs.len(), "total": total }))
        }
        Request::Stop => (json!({ "stopping": true }).to_string(), true),
        Request::Set {
            bmc,
            unresponsive,
            slow_ms,
            busy,
            power,
        } => {
            let range = match bmc {
                Some(index) if *index < shared.bmcs.len() => *index..index + 1,
                Some(index) => return done(json!({ "error": format!("there is no BMC {index}") })),
                None => 0..shared.bmcs.len(),
            };
            let on = match power.as_deref() {
                None => None,
                Some("on") => Some(true),
                Some("off") => Some(false),
                Some(_) => return done(json!({ "error": "power is on or off" })),
            };
            let changed = range.len();
            for mut bmc in range.filter_map(|i| shared.bmc(i)) {
                let mut manners = bmc.manners();
                manners.unresponsive = unresponsive.unwrap_or(manners.unresponsive);
                manners.slow = slow_ms.map_or(manners.slow, Duration::from_millis);
                manners.busy = busy.unwrap_or(manners.busy);
                bmc.set_manners(manners);
                if let Some(on) = on {
                    bmc.side.server.power.set(on, Instant::now());
                }
            }
            done(json!({ "changed": changed }))
        }
    }
}

/// Sends one request to the control socket at `path`; the answer as text.
pub fn ask(path: &Path, request: &Request) -> Result<String> {
    use std::io::{BufRead, Write};
    let failed = |e: io::Error| {
        Error::new(
            Kind::Unreachable,
            format!("control socket {}", path.display()),
        )
        .with_source(e)
        .with_hint("the ready line of `halbox sim` names it")
    };
    let mut stream = std::os::unix::net::UnixStream::connect(path).map_err(failed)?;
    let mut line = serde_json::to_string(request).map_err(|e| failed(e.into()))?;
    line.push('\n');
    stream.write_all(line.as_bytes()).map_err(failed)?;
    let mut text = String::new();
    io::BufReader::new(stream)
        .read_line(&mut text)
        .map_err(failed)?;
    Ok(text.trim_end().to_owned())
}
