//! TCP connections that stay open for hours.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;

use crate::hal::error::{Error, Kind, Result};

/// Time for the connection: beyond it nobody is there.
const CONNECT: Duration = Duration::from_secs(5);
/// A peer that says nothing for so long is asked.
const SILENT: Duration = Duration::from_secs(20);

/// Connects. What the system says about a peer that went away arrives within a minute or so.
pub(super) async fn connect(to: SocketAddr) -> Result<TcpStream> {
    let failed = || Error::new(Kind::Unreachable, format!("{to}: TCP"));
    let stream = tokio::time::timeout(CONNECT, TcpStream::connect(to))
        .await
        .map_err(|_| failed().with_source("no answer"))?
        .map_err(|e| failed().with_source(words(&e)))?;
    let keepalive = TcpKeepalive::new().with_time(SILENT).with_interval(SILENT);
    // Both only make it quicker.
    let _ = SockRef::from(&stream).set_tcp_keepalive(&keepalive);
    let _ = stream.set_nodelay(true);
    Ok(stream)
}

fn words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
            "no route to host".to_owned()
        }
        _ => error.to_string(),
    }
}
