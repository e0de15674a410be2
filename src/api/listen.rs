//! Where the daemon listens: a unix socket, whose mode says who may come; addresses; sockets that systemd hands over.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use listenfd::ListenFd;
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::mpsc;

use super::entry::{Connections, Entry, Peer};
use crate::hal::{Error, Kind, Result};

/// Connections that came in and wait for the server.
pub(super) const WAITING: usize = 256;
/// After a failure to accept (no file left): others end meanwhile.
const PAUSE: Duration = Duration::from_millis(100);

/// Sockets that were opened by whoever started us (systemd's `.socket` units).
#[derive(Debug, Default)]
pub struct Inherited {
    /// The API.
    pub unix: Option<UnixListener>,
    /// The API over TLS.
    pub tls: Option<TcpListener>,
    /// /healthz, /readyz and /metrics: the one that is named so (`FileDescriptorName=http`).
    pub http: Option<TcpListener>,
}

impl Inherited {
    /// Takes what is there (`LISTEN_FDS`). To be called once, inside a runtime.
    pub fn take() -> Result<Self> {
        let failed = |e: io::Error| {
            Error::new(Kind::Config, "a socket that was handed over (LISTEN_FDS)").with_source(e)
        };
        // They go when the sockets are taken.
        let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
        let mut names = names.split(':');
        let mut fds = ListenFd::from_env();
        let mut all = Self::default();
        for i in 0..fds.len() {
            let name = names.next().unwrap_or("");
            if let Ok(Some(unix)) = fds.take_unix_listener(i) {
                unix.set_nonblocking(true).map_err(failed)?;
                all.unix = Some(UnixListener::from_std(unix).map_err(failed)?);
                continue;
            }
            let Some(tcp) = fds.take_tcp_listener(i).map_err(failed)? else {
                continue;
            };
            tcp.set_nonblocking(true).map_err(failed)?;
            let tcp = TcpListener::from_std(tcp).map_err(failed)?;
            let place = if name == "http" {
                &mut all.http
            } else {
                &mut all.tls
            };
            *place = Some(tcp);
        }
        Ok(all)
    }
}

/// Listens at an address; `what` names the option.
pub async fn tcp(address: SocketAddr, what: &str) -> Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .map_err(|e| Error::new(Kind::Config, format!("{what}: {address}")).with_source(e))
}

/// Accepts from now on, until nobody wants the connections any more.
pub fn accept_unix(listener: UnixListener, entry: Arc<Entry>) -> Connections {
    let (to, connections) = mpsc::channel(WAITING);
    tokio::spawn(async move {
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = to.closed() => return,
            };
            match accepted {
                Ok((stream, _)) => {
                    let user = stream.peer_cred().ok().map(|c| c.uid());
                    entry.admit(
                        Peer::User(user),
                        async move { Ok((Box::new(stream) as _, None)) },
                        &to,
                    );
                }
                Err(e) => failed_to_accept(&e).await,
            }
        }
    });
    Connections::new(connections)
}

pub(super) async fn failed_to_accept(error: &io::Error) {
    log::warn!("listen: {error}");
    tokio::time::sleep(PAUSE).await;
}

/// A unix socket that is removed when it is dropped.
#[derive(Debug)]
pub struct Socket {
    path: PathBuf,
}

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// Listens at `path`, mode 0660, for `group` where that is named. A socket that nobody listens at any more is
/// replaced.
pub fn unix(path: &Path, group: Option<&str>) -> Result<(UnixListener, Socket)> {
    let failed = |e: io::Error| {
        Error::new(Kind::Config, format!("listening at {}", path.display())).with_source(e)
    };
    if let Some(dir) = path.parent().filter(|d| !d.as_os_str().is_empty()) {
        fs::create_dir_all(dir).map_err(failed)?;
    }
    if fs::symlink_metadata(path).is_ok_and(|m| m.file_type().is_socket()) {
        if std::os::unix::net::UnixStream::connect(path).is_ok() {
            return Err(Error::new(
                Kind::Config,
                format!("somebody else listens at {}", path.display()),
            ));
        }
        fs::remove_file(path).map_err(failed)?;
    }
    let listener = UnixListener::bind(path).map_err(failed)?;
    let socket = Socket {
        path: path.to_owned(),
    };
    fs::set_permissions(path, fs::Permissions::from_mode(0o660)).map_err(failed)?;
    if let Some(name) = group {
        let found = nix::unistd::Group::from_name(name).map_err(|e| failed(e.into()))?;
        let gid = found.map(|g| g.gid).ok_or_else(|| {
            Error::new(Kind::Config, format!("there is no group '{name}'"))
                .with_hint("make it (systemd-sysusers), or set socket-group")
        })?;
        std::os::unix::fs::chown(path, None, Some(gid.as_raw())).map_err(failed)?;
    }
    Ok((listener, socket))
}
