//! Kea's memfile: CSV with a header, appended; the last line of an address wins.

use std::io::{self, BufRead};
use std::net::IpAddr;

use crate::hal::model::MacAddr;

use super::lines::Lines;
use super::{Lease, Leases, State};

/// `valid_lifetime` of a lease that never ends.
const FOREVER: u64 = 0xffff_ffff;

/// Where the columns that we need are; newer versions add others.
#[derive(Default)]
struct Columns {
    address: usize,
    hwaddr: usize,
    expire: Option<usize>,
    lifetime: Option<usize>,
    hostname: Option<usize>,
    state: Option<usize>,
    count: usize,
}

impl Columns {
    fn of(header: &str) -> Option<Self> {
        let names: Vec<&str> = header.split(',').map(str::trim).collect();
        let at = |name: &str| names.iter().position(|n| *n == name);
        Some(Self {
            address: at("address")?,
            hwaddr: at("hwaddr")?,
            expire: at("expire"),
            lifetime: at("valid_lifetime"),
            hostname: at("hostname"),
            state: at("state"),
            count: names.len(),
        })
    }
}

pub(super) fn parse<R: BufRead>(lines: &mut Lines<R>, out: &mut Leases) -> io::Result<()> {
    let mut columns: Option<Columns> = None;
    while let Some(line) = lines.next_line()? {
        let text = line.text.trim();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        // The header stands first; a file that was put together from several has more than one.
        if let Some(header) = Columns::of(text) {
            columns = Some(header);
            continue;
        }
        let (number, whole) = (line.number, line.whole && !line.cut);
        let Some(columns) = &columns else {
            out.bad(number, "a line before the header");
            continue;
        };
        match lease(text, columns) {
            Ok(Said::Lease(lease)) if whole => out.put(number, lease),
            Ok(Said::Nobody(ip)) if whole => out.clear(ip),
            Ok(_) => out.bad(number, "the line is not whole"),
            Err(why) => out.bad(number, why),
        }
    }
    Ok(())
}

/// What a line says of its address.
enum Said {
    Lease(Lease),
    /// No hardware address, nothing to find a BMC by: declined, or of a client that is no Ethernet.
    Nobody(IpAddr),
}

fn lease(text: &str, columns: &Columns) -> Result<Said, String> {
    let fields: Vec<&str> = text.split(',').map(str::trim).collect();
    // Columns at the end may be missing in files of older versions, those that we need may not.
    if fields.len() > columns.count && columns.count > 0 {
        return Err(format!(
            "{} fields under {} columns",
            fields.len(),
            columns.count
        ));
    }
    let field = |i: usize| fields.get(i).copied().unwrap_or("");
    let number = |i: Option<usize>, name: &str| match i.map(field) {
        None => Ok(None),
        Some(text) => text
            .parse::<u64>()
            .map(Some)
            .map_err(|_| format!("{name} '{text}' is no number")),
    };
    let ip: IpAddr = field(columns.address)
        .parse()
        .map_err(|_| format!("'{}' is no address", field(columns.address)))?;
    if field(columns.hwaddr).is_empty() {
        return Ok(Said::Nobody(ip));
    }
    let mac: MacAddr = field(columns.hwaddr).parse()?;
    let lifetime = number(columns.lifetime, "valid_lifetime")?;
    let expire = number(columns.expire, "expire")?;
    let state = match (number(columns.state, "state")?, lifetime) {
        (Some(0) | None, Some(0)) | (Some(2), _) => State::Free,
        (Some(0) | None, _) => State::Active,
        (Some(1), _) => State::Abandoned,
        (Some(other), _) => return Err(format!("state {other} is not known")),
    };
    Ok(Said::Lease(Lease {
        mac,
        ip,
        state,
        starts: match (expire, lifetime) {
            (Some(end), Some(length)) if length != FOREVER => Some(end.saturating_sub(length)),
            _ => None,
        },
        ends: expire.filter(|_| lifetime != Some(FOREVER)),
        hostname: columns
            .hostname
            .map(field)
            .filter(|n| !n.is_empty())
            .map(|n| n.replace("&#x2c", ",")),
    }))
}
