//! dnsmasq: `EXPIRY MAC IP NAME|* CLIENTID|*`, the whole file rewritten at every change.

use std::io::{self, BufRead};
use std::net::IpAddr;

use crate::hal::model::MacAddr;

use super::lines::Lines;
use super::{Lease, Leases, State};

pub(super) fn parse<R: BufRead>(lines: &mut Lines<R>, out: &mut Leases) -> io::Result<()> {
    // Leases of DHCPv6 follow a line `duid …`; they name no MAC.
    let mut v6 = false;
    while let Some(line) = lines.next_line()? {
        let text = line.text.trim();
        if text.starts_with("duid ") {
            v6 = true;
        }
        if v6 || text.is_empty() || text.starts_with('#') {
            continue;
        }
        let (number, whole) = (line.number, line.whole && !line.cut);
        match lease(text) {
            // The address of a cut line may be cut as well.
            Ok(lease) if whole || text.split_ascii_whitespace().count() > 3 => {
                out.put(number, lease);
            }
            Ok(_) => out.bad(number, "the line is not whole"),
            Err(why) => out.bad(number, why),
        }
    }
    Ok(())
}

fn lease(text: &str) -> Result<Lease, String> {
    let mut words = text.split_ascii_whitespace();
    let mut word = |what: &str| words.next().ok_or_else(|| format!("no {what}"));
    let ends: u64 = word("expiry time")?
        .parse()
        .map_err(|_| "the expiry time is no number".to_owned())?;
    let mac = word("MAC")?;
    // Other hardware than Ethernet has its type in front: 06-….
    let mac: MacAddr = match mac.split_once('-') {
        Some((kind, _)) if kind.len() == 2 && mac.contains(':') => {
            return Err(format!("hardware type {kind} is not Ethernet"));
        }
        _ => mac.parse()?,
    };
    let ip: IpAddr = word("address")?
        .parse()
        .map_err(|_| "the address is none".to_owned())?;
    Ok(Lease {
        mac,
        ip,
        state: State::Active,
        starts: None,
        ends: (ends != 0).then_some(ends),
        hostname: words.next().filter(|n| *n != "*").map(str::to_owned),
    })
}
