//! Lease files of DHCP servers: ISC dhcpd, Kea (memfile CSV) and dnsmasq, told apart by their content.
//!
//! Pure: bytes go in, leases come out. A file may be half-written, huge, or damaged in places: what is good is never
//! lost, what is bad is counted and the first cases are named by their line.

mod dnsmasq;
mod isc;
mod kea;
mod lines;
mod time;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::{self, BufRead, Read};
use std::net::IpAddr;

use crate::hal::model::MacAddr;

use lines::Lines;

#[cfg(test)]
mod tests;

/// Bad lines that are kept with their words; further ones are only counted.
const NAMED: usize = 50;

/// Most addresses that one file may have; more are counted as bad.
const ADDRESSES: usize = 1 << 20;

/// What a DHCP server says of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Leased, as long as it has not ended.
    Active,
    /// Given back, expired or not leased yet.
    Free,
    /// Declined: somebody else was seen there.
    Abandoned,
}

/// The last word of a lease file on one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Who has it.
    pub mac: MacAddr,
    /// The address.
    pub ip: IpAddr,
    /// What the server says.
    pub state: State,
    /// Begin (or last renewal), seconds since 1970, where the file says it.
    pub starts: Option<u64>,
    /// End, seconds since 1970; `None` = never.
    pub ends: Option<u64>,
    /// The name that the client gave.
    pub hostname: Option<String>,
}

impl Lease {
    /// Does the client have this address at `now` (seconds since 1970)?
    pub fn is_active(&self, now: u64) -> bool {
        self.state == State::Active && self.ends.is_none_or(|ends| ends > now)
    }
}

/// The kinds of lease files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// Nothing in it yet.
    #[default]
    Empty,
    /// ISC dhcpd.
    Isc,
    /// Kea's CSV.
    Kea,
    /// dnsmasq.
    Dnsmasq,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Empty => "empty",
            Self::Isc => "ISC dhcpd",
            Self::Kea => "Kea",
            Self::Dnsmasq => "dnsmasq",
        })
    }
}

/// A place in the file that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bad {
    /// Line, from 1.
    pub line: u64,
    /// Why.
    pub why: String,
}

/// All of one file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Leases {
    /// Whose file it is.
    pub format: Format,
    /// The last lease of every address.
    pub leases: BTreeMap<IpAddr, Lease>,
    /// Addresses of which the last word is that nobody known has them.
    pub cleared: BTreeSet<IpAddr>,
    /// The first bad places.
    pub bad: Vec<Bad>,
    /// How many there were.
    pub bad_count: u64,
}

impl Leases {
    fn put(&mut self, line: u64, lease: Lease) {
        if self.leases.len() >= ADDRESSES && !self.leases.contains_key(&lease.ip) {
            return self.bad(line, "too many addresses in one file");
        }
        self.cleared.remove(&lease.ip);
        self.leases.insert(lease.ip, lease);
    }

    /// Nobody that is named has this address: what was said of it before counts no more.
    fn clear(&mut self, ip: IpAddr) {
        self.leases.remove(&ip);
        if self.cleared.len() < ADDRESSES {
            self.cleared.insert(ip);
        }
    }

    /// Lays a newer file of the same server over this one.
    pub fn extend(&mut self, newer: Self) {
        for ip in &newer.cleared {
            self.leases.remove(ip);
        }
        if newer.format != Format::Empty {
            self.format = newer.format;
        }
        self.leases.extend(newer.leases);
        self.cleared = newer.cleared;
        self.bad.extend(newer.bad);
        self.bad.truncate(NAMED);
        self.bad_count += newer.bad_count;
    }

    fn bad(&mut self, line: u64, why: impl Into<String>) {
        self.bad_count += 1;
        if self.bad.len() < NAMED {
            let why = why.into();
            self.bad.push(Bad { line, why });
        }
    }
}

/// Reads a lease file. Only errors of reading are errors; bad content is named in [`Leases::bad`].
pub fn parse(mut input: impl BufRead) -> io::Result<Leases> {
    let mut start = Vec::new();
    let mut format = None;
    // The first line that says something tells whose file it is; what was read is read again by its parser.
    while format.is_none() {
        let from = start.len();
        let read = (&mut input)
            .take(lines::LONGEST as u64)
            .read_until(b'\n', &mut start)?;
        if read == 0 || start.len() > 16 * lines::LONGEST {
            break;
        }
        format = start.get(from..).and_then(recognise);
    }
    let mut leases = Leases {
        format: format.unwrap_or_default(),
        ..Leases::default()
    };
    let mut lines = Lines::new(io::Cursor::new(start).chain(input));
    match leases.format {
        Format::Isc => isc::parse(&mut lines, &mut leases)?,
        Format::Kea => kea::parse(&mut lines, &mut leases)?,
        Format::Dnsmasq => dnsmasq::parse(&mut lines, &mut leases)?,
        Format::Empty => {
            if lines
                .next_line()?
                .is_some_and(|l| !l.text.trim().is_empty())
            {
                leases.bad(1, "neither ISC dhcpd, Kea nor dnsmasq wrote this");
            }
        }
    }
    Ok(leases)
}

/// Whose line is it? `None` where it says nothing (empty, comment) or is not known.
fn recognise(line: &[u8]) -> Option<Format> {
    let text = String::from_utf8_lossy(line);
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.is_empty() || text.starts_with('#') {
        return None;
    }
    let mut words = text.split_ascii_whitespace();
    let first = words.next()?;
    if text.contains(',') && text.split(',').any(|c| c.trim() == "hwaddr") {
        return Some(Format::Kea);
    }
    let number = first.bytes().all(|b| b.is_ascii_digit());
    if (number && words.clone().count() >= 3) || (first == "duid" && !text.ends_with(';')) {
        return Some(Format::Dnsmasq);
    }
    let isc = [
        "lease",
        "authoring-byte-order",
        "server-duid",
        "failover",
        "host",
        "group",
        "class",
        "subclass",
        "ia-na",
        "ia-ta",
        "ia-pd",
        "lease6",
    ];
    (isc.contains(&first) || text.ends_with(['{', ';', '}'])).then_some(Format::Isc)
}
