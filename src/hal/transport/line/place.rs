//! Where a console is that an operator gave: `tcp://HOST:PORT`, `telnet://HOST[:PORT]`, `file:/dev/…`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use super::telnet::Telnet;
use super::{Dialer, Io, Line, Plain, Protocol, device, tcp};
use crate::hal::error::Result;
use crate::hal::model::BoxFuture;
use crate::hal::transport::resolve::lookup;

/// Port of telnet.
const TELNET: u16 = 23;

/// A console without a BMC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Characters over TCP as they are.
    Tcp(String, u16),
    /// Telnet.
    Telnet(String, u16),
    /// A terminal device of this machine.
    Device(PathBuf),
}

impl Place {
    /// What carries it, as it is called in the state of a console.
    pub fn protocol(&self) -> &'static str {
        match self {
            Self::Tcp(..) => "TCP",
            Self::Telnet(..) => "telnet",
            Self::Device(_) => "device",
        }
    }
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || {
            format!("'{text}' is no console: tcp://HOST:PORT, telnet://HOST[:PORT] or file:/dev/…")
        };
        if let Some(path) = text.strip_prefix("file:") {
            let path = PathBuf::from(path.strip_prefix("//").unwrap_or(path));
            return path
                .is_absolute()
                .then_some(Self::Device(path))
                .ok_or_else(bad);
        }
        let (scheme, authority) = text.split_once("://").ok_or_else(bad)?;
        let authority = authority.trim_end_matches('/');
        if authority.contains(['/', '@', '?', '#', ' ']) {
            return Err(bad());
        }
        let (host, port) = match authority.strip_prefix('[') {
            Some(v6) => {
                let (host, port) = v6.split_once(']').ok_or_else(bad)?;
                (host, port.strip_prefix(':'))
            }
            None => match authority.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (authority, None),
            },
        };
        let port = port
            .map(|p| p.parse::<u16>().map_err(|_| bad()))
            .transpose()?;
        if host.is_empty() || port == Some(0) {
            return Err(bad());
        }
        match (scheme.to_ascii_lowercase().as_str(), port) {
            ("tcp", Some(port)) => Ok(Self::Tcp(host.to_owned(), port)),
            ("telnet", port) => Ok(Self::Telnet(host.to_owned(), port.unwrap_or(TELNET))),
            _ => Err(bad()),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = |f: &mut fmt::Formatter<'_>, scheme, host: &str, port| {
            if host.contains(':') {
                write!(f, "{scheme}://[{host}]:{port}")
            } else {
                write!(f, "{scheme}://{host}:{port}")
            }
        };
        match self {
            Self::Tcp(host, port) => at(f, "tcp", host, port),
            Self::Telnet(host, port) => at(f, "telnet", host, port),
            Self::Device(path) => write!(f, "file:{}", path.display()),
        }
    }
}

impl Dialer for Place {
    fn dial(&self) -> BoxFuture<'_, Result<Line>> {
        Box::pin(async move {
            let (io, protocol): (Box<dyn Io>, Box<dyn Protocol>) = match self {
                Self::Tcp(host, port) => {
                    let stream = tcp::connect(lookup(host, *port).await?).await?;
                    (Box::new(stream), Box::new(Plain::default()))
                }
                Self::Telnet(host, port) => {
                    let stream = tcp::connect(lookup(host, *port).await?).await?;
                    (Box::new(stream), Box::new(Telnet::new()))
                }
                Self::Device(path) => (device::open(path)?, Box::new(Plain::default())),
            };
            Ok(Line { io, protocol })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls() {
        for (text, same) in [
            ("tcp://10.0.0.7:4001", "tcp://10.0.0.7:4001"),
            ("telnet://ts1", "telnet://ts1:23"),
            ("TELNET://[fd00::7]:2001/", "telnet://[fd00::7]:2001"),
            ("file:/dev/ttyS1", "file:/dev/ttyS1"),
            ("file:///dev/pts/3", "file:/dev/pts/3"),
        ] {
            let place: Place = text.parse().unwrap();
            assert_eq!(place.to_string(), same);
            assert_eq!(place.to_string().parse(), Ok(place));
        }
        for text in [
            "",
            "10.0.0.7:4001",
            "tcp://10.0.0.7",
            "tcp://:4001",
            "tcp://h:0",
            "tcp://h:65536",
            "tcp://u@h:1",
            "tcp://h:1/x",
            "ssh://h:22",
            "file:ttyS1",
            "telnet://[fd00::7",
        ] {
            assert!(text.parse::<Place>().is_err(), "{text}");
        }
    }
}
