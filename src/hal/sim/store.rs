//! Keeps the state of the servers in files, one per BMC, readable by their owner only.

use std::collections::HashMap;
use std::fs;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::time::interval;

use super::host::Shared;
use super::options::Options;
use super::state::Server;
use super::state::persist::Stored;
use crate::hal::error::{Error, Kind, Result};

/// How often changes are written.
const PERIOD: Duration = Duration::from_secs(1);

fn path(dir: &Path, address: SocketAddr) -> PathBuf {
    let name = address.to_string().replace([':', '[', ']'], "_");
    dir.join(format!("{name}.json"))
}

/// Puts back what an earlier run kept of the server at `address`.
pub(super) fn load(options: &Options, address: SocketAddr, server: &mut Server) -> Result<()> {
    let Some(dir) = &options.state else {
        return Ok(());
    };
    let path = path(dir, address);
    let failed = |e: io::Error| {
        Error::new(Kind::Config, format!("reading {}", path.display())).with_source(e)
    };
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(failed(e)),
    };
    let stored: Stored = serde_json::from_slice(&text).map_err(|e| failed(io::Error::other(e)))?;
    stored.restore(server);
    Ok(())
}

/// Starts the thread that writes, if there is a directory to write to.
pub(super) fn spawn(shared: &Arc<Shared>) -> Result<Option<JoinHandle<()>>> {
    let Some(dir) = shared.options.state.clone() else {
        return Ok(None);
    };
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&dir)
        .map_err(|e| {
            Error::new(Kind::Config, format!("making {}", dir.display())).with_source(e)
        })?;
    let failed = |e| Error::new(Kind::Other, "starting the thread that keeps state").with_source(e);
    let runtime = Builder::new_current_thread()
        .enable_time()
        .build()
        .map_err(failed)?;
    let shared = Arc::clone(shared);
    std::thread::Builder::new()
        .name("sim-store".to_owned())
        .spawn(move || {
            runtime.block_on(async move {
                let mut stop = shared.stop.subscribe();
                let mut tick = interval(PERIOD);
                let mut written = HashMap::new();
                loop {
                    let ends = tokio::select! {
                        _ = stop.wait_for(|stop| *stop) => true,
                        _ = tick.tick() => false,
                    };
                    save(&shared, &dir, &mut written, ends);
                    if ends {
                        return;
                    }
                }
            });
        })
        .map(Some)
        .map_err(failed)
}

/// Writes the servers that executed commands since the last time, or all.
fn save(shared: &Shared, dir: &Path, written: &mut HashMap<usize, u64>, all: bool) {
    for (index, address) in shared.addresses.iter().enumerate() {
        let Some((executed, text)) = shared.bmc(index).and_then(|bmc| {
            let server = &bmc.side.server;
            let executed = server.executed;
            if !all && written.get(&index).copied().unwrap_or(0) == executed {
                return None;
            }
            Some((executed, serde_json::to_vec(&Stored::of(server))))
        }) else {
            continue;
        };
        let path = path(dir, *address);
        let done = text
            .map_err(io::Error::other)
            .and_then(|text| replace(&path, &text));
        match done {
            Ok(()) => {
                written.insert(index, executed);
            }
            Err(e) => log::warn!("simulator: cannot write {}: {e}", path.display()),
        }
    }
}

/// Writes a file as a whole or not at all.
fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    let temporary = path.with_extension("new");
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&temporary)?;
    file.write_all(text)?;
    fs::rename(&temporary, path)
}
