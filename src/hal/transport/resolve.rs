//! From names to addresses, with the system's resolver.

use std::net::{IpAddr, SocketAddr};

use crate::hal::error::{Error, Kind, Result};

/// The address behind `host`: itself when it is one, else its first IPv4 address, else its first.
pub async fn lookup(host: &str, port: u16) -> Result<SocketAddr> {
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Ok(SocketAddr::new(ip, port));
    }
    let failed = || Error::new(Kind::Unreachable, format!("cannot look up '{host}'"));
    let found: Vec<SocketAddr> = tokio::net::lookup_host((host, port))
        .await
        .map_err(|e| failed().with_source(e))?
        .collect();
    let first = found.iter().find(|a| a.is_ipv4()).or(found.first());
    first.copied().ok_or_else(failed)
}
