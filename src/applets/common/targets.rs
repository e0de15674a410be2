//! Targets on the command line: addresses, names, ports, networks, ranges, lists; expanded only when walked.

use std::io::Read;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::exit::Failure;

#[cfg(test)]
mod tests;

/// Most targets that one command takes.
pub const LIMIT: u64 = 1 << 20;
/// Longest list on stdin, in bytes.
const STDIN_LIMIT: u64 = 64 << 20;

/// Where a BMC is, as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host {
    /// An address.
    Ip(IpAddr),
    /// A name to be looked up.
    Name(String),
}

/// One target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// As typed, or as the range expands to it; what is printed.
    pub text: String,
    /// Address or name.
    pub host: Host,
    /// Port that goes with the target itself (`IP:PORT`).
    pub port: Option<u16>,
}

impl Target {
    /// The address to talk to; a name is looked up (its first IPv4 address, else its first IPv6 address).
    pub async fn resolve(&self, default_port: u16) -> crate::hal::Result<SocketAddr> {
        use crate::hal::{Error, Kind};
        let port = self.port.unwrap_or(default_port);
        let name = match &self.host {
            Host::Ip(ip) => return Ok(SocketAddr::new(*ip, port)),
            Host::Name(name) => name,
        };
        let failed = || Error::new(Kind::Unreachable, format!("cannot look up '{name}'"));
        let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), port))
            .await
            .map_err(|e| failed().with_source(e))?
            .collect();
        let first = found.iter().find(|a| a.is_ipv4()).or(found.first());
        first.copied().ok_or_else(failed)
    }
}

/// A part of the list that is not expanded yet.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    One(Target),
    V4 {
        first: u32,
        count: u64,
    },
    V6 {
        first: u128,
        count: u64,
    },
    Names {
        prefix: String,
        suffix: String,
        port: Option<u16>,
        width: usize,
        first: u64,
        count: u64,
    },
}

impl Part {
    fn count(&self) -> u64 {
        match self {
            Self::One(_) => 1,
            Self::V4 { count, .. } | Self::V6 { count, .. } | Self::Names { count, .. } => *count,
        }
    }

    /// The target number `i` of this part.
    fn at(&self, i: u64) -> Target {
        match self {
            Self::One(target) => target.clone(),
            Self::V4 { first, .. } => address(Ipv4Addr::from(first.wrapping_add(i as u32)).into()),
            Self::V6 { first, .. } => {
                address(Ipv6Addr::from(first.wrapping_add(u128::from(i))).into())
            }
            Self::Names {
                prefix,
                suffix,
                port,
                width,
                first,
                ..
            } => {
                let name = format!(
                    "{prefix}{:0width$}{suffix}",
                    first.saturating_add(i),
                    width = width
                );
                let text = port.map_or_else(|| name.clone(), |p| format!("{name}:{p}"));
                Target {
                    text,
                    host: Host::Name(name),
                    port: *port,
                }
            }
        }
    }
}

fn address(ip: IpAddr) -> Target {
    Target {
        text: ip.to_string(),
        host: Host::Ip(ip),
        port: None,
    }
}

/// All targets of a command line.
#[derive(Debug, Clone, Default)]
pub struct Targets {
    parts: Vec<Part>,
    count: u64,
}

impl Targets {
    /// Parses the arguments; `-` reads a list (blanks or lines, `#` comments) from stdin.
    pub fn parse<S: AsRef<str>>(arguments: impl IntoIterator<Item = S>) -> Result<Self, Failure> {
        Self::parse_with(arguments, || {
            let mut text = String::new();
            std::io::stdin()
                .take(STDIN_LIMIT + 1)
                .read_to_string(&mut text)
                .map_err(|e| format!("cannot read the list from stdin: {e}"))?;
            if text.len() as u64 > STDIN_LIMIT {
                return Err("the list on stdin is longer than 64 MiB".to_owned());
            }
            Ok(text)
        })
        .map_err(Failure::usage)
    }

    fn parse_with<S: AsRef<str>>(
        arguments: impl IntoIterator<Item = S>,
        stdin: impl Fn() -> Result<String, String>,
    ) -> Result<Self, String> {
        let mut targets = Self::default();
        for argument in arguments {
            match argument.as_ref() {
                "-" => {
                    for line in stdin()?.lines() {
                        let line = line.split('#').next().unwrap_or("");
                        for word in line.split_whitespace() {
                            targets.push(word)?;
                        }
                    }
                }
                text => targets.push(text)?,
            }
        }
        if targets.count == 0 {
            return Err("no targets".to_owned());
        }
        Ok(targets)
    }

    fn push(&mut self, text: &str) -> Result<(), String> {
        let part = parse_one(text)?;
        self.count = self.count.saturating_add(part.count());
        if self.count > LIMIT {
            return Err(format!(
                "'{text}' makes {} targets; at most {LIMIT} at once",
                self.count
            ));
        }
        self.parts.push(part);
        Ok(())
    }

    /// How many targets there are.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Walks them, in the order in which they were written.
    pub fn iter(&self) -> impl Iterator<Item = Target> + '_ {
        self.parts
            .iter()
            .flat_map(|part| (0..part.count()).map(move |i| part.at(i)))
    }
}

/// Parses one word.
fn parse_one(text: &str) -> Result<Part, String> {
    let one = |host, port| {
        Part::One(Target {
            text: text.to_owned(),
            host,
            port,
        })
    };
    if text.is_empty() {
        return Err("an empty target".to_owned());
    }
    if let Some((base, bits)) = text.split_once('/') {
        return network(text, base, bits);
    }
    if let Ok(ip) = text.parse::<IpAddr>() {
        return Ok(one(Host::Ip(ip), None));
    }
    if let Some(rest) = text.strip_prefix('[') {
        let bad = || format!("'{text}' is no [IPv6]:PORT");
        let (ip, port) = rest.split_once(']').ok_or_else(bad)?;
        let ip = ip.parse::<Ipv6Addr>().map_err(|_| bad())?;
        let port = match port.strip_prefix(':') {
            Some(port) => Some(parse_port(text, port)?),
            None if port.is_empty() => None,
            None => return Err(bad()),
        };
        return Ok(one(Host::Ip(ip.into()), port));
    }
    if let Some((from, to)) = text.split_once('-')
        && let Ok(from) = from.parse::<IpAddr>()
    {
        return range(text, from, to);
    }
    let (host, port) = match text.split_once(':') {
        Some((host, port)) => (host, Some(parse_port(text, port)?)),
        None => (text, None),
    };
    if let Ok(ip) = host.parse::<Ipv4Addr>() {
        return Ok(one(Host::Ip(ip.into()), port));
    }
    if let Some((prefix, rest)) = host.split_once('[') {
        return names(text, prefix, rest, port);
    }
    check_name(text, host)?;
    Ok(one(Host::Name(host.to_owned()), port))
}

fn parse_port(text: &str, port: &str) -> Result<u16, String> {
    match port.parse::<u16>() {
        Ok(port) if port > 0 => Ok(port),
        _ => Err(format!("'{text}': '{port}' is no port (1 to 65535)")),
    }
}

/// Letters, digits, `-`, `_` and `.`; and not something that was meant to be an address.
fn check_name(text: &str, name: &str) -> Result<(), String> {
    let labels = name.strip_suffix('.').unwrap_or(name);
    let good = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let fine = name.len() <= 253
        && !name.starts_with('-')
        && labels
            .split('.')
            .all(|l| !l.is_empty() && l.len() <= 63 && l.chars().all(good));
    if !fine {
        return Err(format!("'{text}' is neither an address nor a host name"));
    }
    if labels.chars().all(|c| c.is_ascii_digit() || c == '.') {
        return Err(format!("'{text}' is no IPv4 address"));
    }
    Ok(())
}

/// `10.0.0.0/24`: all addresses but the network's own and broadcast (a /31 and a /32 have neither).
fn network(text: &str, base: &str, bits: &str) -> Result<Part, String> {
    let ip: IpAddr = base
        .parse()
        .map_err(|_| format!("'{text}': '{base}' is no address"))?;
    let width: u32 = if ip.is_ipv4() { 32 } else { 128 };
    let bits = bits
        .parse::<u32>()
        .ok()
        .filter(|b| *b <= width)
        .ok_or_else(|| format!("'{text}': a prefix length is 0 to {width}"))?;
    let host_bits = width - bits;
    // More than 63 host bits are far above the limit anyway.
    let size = 1u64 << host_bits.min(63);
    Ok(match ip {
        IpAddr::V4(ip) => {
            let mask = u32::MAX.checked_shl(host_bits).unwrap_or(0);
            let (skip, count) = if host_bits >= 2 {
                (1, size - 2)
            } else {
                (0, size)
            };
            Part::V4 {
                first: (u32::from(ip) & mask) + skip,
                count,
            }
        }
        IpAddr::V6(ip) => {
            let mask = u128::MAX.checked_shl(host_bits).unwrap_or(0);
            Part::V6 {
                first: u128::from(ip) & mask,
                count: size,
            }
        }
    })
}

/// `10.0.0.1-10.0.3.254`, `10.0.0.1-254`, `fd00::1-fd00::ff`.
fn range(text: &str, from: IpAddr, to: &str) -> Result<Part, String> {
    let to = match (from, to.parse::<IpAddr>()) {
        (_, Ok(to)) => to,
        (IpAddr::V4(from), Err(_)) => {
            let [a, b, c, _] = from.octets();
            let last = to
                .parse::<u8>()
                .map_err(|_| format!("'{text}': '{to}' is neither an address nor 0 to 255"))?;
            Ipv4Addr::new(a, b, c, last).into()
        }
        (IpAddr::V6(_), Err(_)) => return Err(format!("'{text}': '{to}' is no address")),
    };
    let reversed = || format!("'{text}' ends before it begins");
    match (from, to) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            let span = u32::from(to)
                .checked_sub(u32::from(from))
                .ok_or_else(reversed)?;
            Ok(Part::V4 {
                first: from.into(),
                count: u64::from(span) + 1,
            })
        }
        (IpAddr::V6(from), IpAddr::V6(to)) => {
            let span = u128::from(to)
                .checked_sub(u128::from(from))
                .ok_or_else(reversed)?;
            let count = u64::try_from(span).unwrap_or(u64::MAX).saturating_add(1);
            Ok(Part::V6 {
                first: from.into(),
                count,
            })
        }
        _ => Err(format!("'{text}' mixes IPv4 and IPv6")),
    }
}

/// `node[001-120].mgmt`: as many digits as the first number has.
fn names(text: &str, prefix: &str, rest: &str, port: Option<u16>) -> Result<Part, String> {
    let bad = || format!("'{text}' is no host range (write node[001-120])");
    let (inside, suffix) = rest.split_once(']').ok_or_else(bad)?;
    let (from, to) = inside.split_once('-').ok_or_else(bad)?;
    let number = |digits: &str| {
        let plain =
            !digits.is_empty() && digits.len() <= 18 && digits.bytes().all(|b| b.is_ascii_digit());
        plain
            .then(|| digits.parse::<u64>().ok())
            .flatten()
            .ok_or_else(bad)
    };
    let (first, last) = (number(from)?, number(to)?);
    let span = last
        .checked_sub(first)
        .ok_or_else(|| format!("'{text}' ends before it begins"))?;
    check_name(text, &format!("{prefix}{to}{suffix}"))?;
    Ok(Part::Names {
        prefix: prefix.to_owned(),
        suffix: suffix.to_owned(),
        port,
        width: from.len(),
        first,
        count: span + 1,
    })
}
