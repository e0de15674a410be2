//! What has to be done: leases × table × now → steps. Pure.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::hal::model::MacAddr;

use super::leases::Lease;

/// Seconds after a lease at which it is looked again, until nothing more is to come: web servers of BMCs come up minutes
/// after their network.
const AGAIN: [u64; 4] = [5, 15, 60, 300];

/// Seconds after which everything is looked at again.
const DAILY: u64 = 86_400;

/// Seconds after which an address is looked at again where never anything answered.
const HOURLY: u64 = 3600;

/// What the plan has to know of a row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// The address in the table.
    pub address: Option<IpAddr>,
    /// The end of the lease in the table.
    pub lease_ends: Option<u64>,
    /// Is a lease in the table at all?
    pub leased: bool,
    /// Removed by an operator as long as this lease lasts.
    pub removed: bool,
    /// Was it said that the lease is gone?
    pub stale: bool,
    /// A candidate that nobody has claimed.
    pub candidate: bool,
    /// An operator said its address; it stays without a lease.
    pub added: bool,
    /// Other MACs of the same BMC.
    pub aliases: Vec<MacAddr>,
    /// What the plan said of it before.
    pub said: Vec<String>,
}

/// How often and when an address was looked at; kept in memory.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Looked {
    /// The address.
    pub ip: Option<IpAddr>,
    /// When it was looked at first, in seconds since 1970.
    pub since: u64,
    /// When it was looked at last.
    pub at: u64,
    /// How often.
    pub times: u32,
    /// At least one driver was found.
    pub found: bool,
    /// All drivers that there can be were found.
    pub complete: bool,
    /// It is being looked at now.
    pub now: bool,
}

impl Looked {
    /// When it is to be looked at again.
    fn next(&self, mac: MacAddr) -> u64 {
        let n = (self.times as usize).saturating_sub(1);
        match AGAIN.get(n) {
            Some(after) if !self.complete => self.since.saturating_add(*after).max(self.at + 1),
            _ if self.found => self.at.saturating_add(spread(mac, DAILY)),
            // Never found: still looked for, but seldom.
            _ => self.at.saturating_add(spread(mac, HOURLY)),
        }
    }
}

/// A tenth more or less, so that thousands do not come at once.
fn spread(mac: MacAddr, wait: u64) -> u64 {
    let hash = mac.0.iter().fold(0u64, |h, b| {
        (h ^ u64::from(*b)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    wait - wait / 10 + (hash >> 8) % (wait / 5 + 1)
}

/// Which leases count.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// Networks in which BMCs may be; empty = all.
    pub networks: Vec<Network>,
    /// MACs that are no BMCs.
    pub ignored: Vec<MacAddr>,
}

impl Rules {
    fn allow(&self, lease: &Lease) -> bool {
        lease.mac.is_usable()
            && !self.ignored.contains(&lease.mac)
            && (self.networks.is_empty() || self.networks.iter().any(|n| n.contains(lease.ip)))
    }
}

/// An IP network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

impl Network {
    /// Is `ip` in it?
    pub fn contains(&self, ip: IpAddr) -> bool {
        match (self.address, ip) {
            (IpAddr::V4(net), IpAddr::V4(ip)) => {
                let mask = u32::MAX
                    .checked_shl(32 - u32::from(self.prefix))
                    .unwrap_or(0);
                u32::from(net) & mask == u32::from(ip) & mask
            }
            (IpAddr::V6(net), IpAddr::V6(ip)) => {
                let mask = u128::MAX
                    .checked_shl(128 - u32::from(self.prefix))
                    .unwrap_or(0);
                u128::from(net) & mask == u128::from(ip) & mask
            }
            _ => false,
        }
    }
}

impl Network {
    /// How many addresses it has (as many as a `u64` counts).
    pub fn count(&self) -> u64 {
        let bits = if self.address.is_ipv4() { 32 } else { 128 } - u32::from(self.prefix);
        1u64.checked_shl(bits).unwrap_or(u64::MAX)
    }

    /// Its addresses, in their order.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> + use<> {
        let (address, count, prefix) = (self.address, self.count(), u32::from(self.prefix));
        (0..count).map(move |n| match address {
            IpAddr::V4(net) => {
                let mask = u32::MAX.checked_shl(32 - prefix).unwrap_or(0);
                IpAddr::V4((u32::from(net) & mask | n as u32).into())
            }
            IpAddr::V6(net) => {
                let mask = u128::MAX.checked_shl(128 - prefix).unwrap_or(0);
                IpAddr::V6((u128::from(net) & mask | u128::from(n)).into())
            }
        })
    }
}

impl std::str::FromStr for Network {
    type Err = String;

    /// `10.0.0.0/24`, or one address.
    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || format!("'{text}' is no network (expected ADDRESS/BITS)");
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| bad())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let prefix = bits.map_or(Ok(most), str::parse).map_err(|_| bad())?;
        if prefix > most {
            return Err(bad());
        }
        Ok(Self { address, prefix })
    }
}

/// How that begins which the plan says of a row.
pub const SAYS: [&str; 2] = ["duplicate", "conflict"];

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Ask what is at this address.
    Look {
        /// Whose lease it is.
        mac: MacAddr,
        /// Where.
        ip: IpAddr,
    },
    /// The lease of a row is new, renewed, or at another address.
    Lease {
        /// The lease as it is now.
        lease: Lease,
        /// The address before, if it was another one.
        moved: Option<IpAddr>,
    },
    /// The lease of a row has ended.
    Stale {
        /// Whose.
        mac: MacAddr,
    },
    /// The lease for which an operator removed the row is gone: the next one makes a row again.
    Forget {
        /// Whose.
        mac: MacAddr,
    },
    /// Somebody else has the address of a row whose lease has ended.
    Taken {
        /// Whose row.
        mac: MacAddr,
        /// The address.
        ip: IpAddr,
        /// Who has it.
        by: MacAddr,
    },
    /// What is odd about a row has changed.
    Say {
        /// Whose row.
        mac: MacAddr,
        /// All of it; each begins with one of [`SAYS`].
        words: Vec<String>,
    },
}

/// Compares leases, table and clock. Every client counts once, with its newest active lease.
pub fn plan<'a>(
    leases: impl IntoIterator<Item = &'a Lease>,
    rules: &Rules,
    table: &BTreeMap<MacAddr, Known>,
    looked: &BTreeMap<MacAddr, Looked>,
    now: u64,
) -> Vec<Step> {
    let aliases = Aliases::of(table);
    let mut newest: BTreeMap<MacAddr, &Lease> = BTreeMap::new();
    let mut others: BTreeMap<MacAddr, &Lease> = BTreeMap::new();
    let mut holders: BTreeMap<IpAddr, Vec<MacAddr>> = BTreeMap::new();
    for lease in leases {
        if !lease.is_active(now) || !rules.allow(lease) {
            continue;
        }
        let row = aliases.row(lease.mac, table);
        let macs = holders.entry(lease.ip).or_default();
        if !macs.contains(&row) {
            macs.push(row);
        }
        let to = if row == lease.mac {
            &mut newest
        } else {
            &mut others
        };
        to.entry(row)
            .and_modify(|held| {
                if age(lease) > age(held) {
                    *held = lease;
                }
            })
            .or_insert(lease);
    }
    // A BMC with several ports has the address of the port that its row is named by, if that has one.
    for (mac, lease) in others {
        newest.entry(mac).or_insert(lease);
    }
    let mut says = aliases.conflicts;
    for (ip, macs) in &holders {
        for mac in macs.iter().filter(|_| macs.len() > 1) {
            let others = macs.iter().filter(|m| *m != mac).map(ToString::to_string);
            let others = others.collect::<Vec<_>>().join(", ");
            let words = format!("duplicate: {ip} is leased to {others} as well");
            says.entry(*mac).or_default().push(words);
        }
    }
    let mut steps = Vec::new();
    for (mac, lease) in &newest {
        let known = table.get(mac);
        if known.is_some_and(|k| k.removed) {
            continue;
        }
        let moved = known
            .and_then(|k| k.address)
            .filter(|address| *address != lease.ip);
        let renewed = known.is_some_and(|k| !k.leased || k.stale || k.lease_ends != lease.ends);
        if moved.is_some() || renewed {
            steps.push(Step::Lease {
                lease: Lease {
                    mac: *mac,
                    ..(*lease).clone()
                },
                moved,
            });
        }
        look(*mac, lease.ip, looked, now, &mut steps);
    }
    for (mac, known) in table {
        let said = says.remove(mac).unwrap_or_default();
        if said != known.said {
            let (mac, words) = (*mac, said);
            steps.push(Step::Say { mac, words });
        }
        if newest.contains_key(mac) {
            continue;
        }
        if known.removed || known.candidate {
            steps.push(Step::Forget { mac: *mac });
        } else if let Some(ip) = known.address
            && let Some(by) = holders.get(&ip).and_then(|macs| macs.first())
            && !known.added
        {
            let (mac, by) = (*mac, *by);
            steps.push(Step::Taken { mac, ip, by });
        } else if known.leased && !known.stale {
            steps.push(Step::Stale { mac: *mac });
        } else if known.added
            && let Some(ip) = known.address
        {
            look(*mac, ip, looked, now, &mut steps);
        }
    }
    steps
}

fn look(
    mac: MacAddr,
    ip: IpAddr,
    looked: &BTreeMap<MacAddr, Looked>,
    now: u64,
    steps: &mut Vec<Step>,
) {
    let due = match looked.get(&mac) {
        Some(looked) if looked.ip != Some(ip) => true,
        Some(looked) => !looked.now && looked.next(mac) <= now,
        None => true,
    };
    if due {
        steps.push(Step::Look { mac, ip });
    }
}

/// Other MACs of the table's BMCs.
struct Aliases {
    rows: BTreeMap<MacAddr, MacAddr>,
    conflicts: BTreeMap<MacAddr, Vec<String>>,
}

impl Aliases {
    fn of(table: &BTreeMap<MacAddr, Known>) -> Self {
        let mut rows = BTreeMap::new();
        let mut conflicts: BTreeMap<MacAddr, Vec<String>> = BTreeMap::new();
        let mut both = |alias: MacAddr, one: MacAddr, other: MacAddr| {
            for (row, with) in [(one, other), (other, one)] {
                let words = if row == alias {
                    format!("conflict: {with} has this MAC as well")
                } else {
                    format!("conflict: its MAC {alias} is also one of {with}")
                };
                conflicts.entry(row).or_default().push(words);
            }
        };
        let there = || table.iter().filter(|(_, known)| !known.removed);
        for (mac, known) in there() {
            for alias in &known.aliases {
                // A candidate of its own is only another port of the same BMC.
                if table.get(alias).is_some_and(|k| !k.removed && !k.candidate) {
                    both(*alias, *mac, *alias);
                } else if let Some(other) = rows.insert(*alias, *mac) {
                    both(*alias, other, *mac);
                }
            }
        }
        Self { rows, conflicts }
    }

    /// The row that a client's lease belongs to.
    fn row(&self, mac: MacAddr, table: &BTreeMap<MacAddr, Known>) -> MacAddr {
        if table.get(&mac).is_some_and(|known| !known.candidate) {
            return mac;
        }
        self.rows.get(&mac).copied().unwrap_or(mac)
    }
}

/// Which of two leases of one client is the newer: the later begin, else the later end.
fn age(lease: &Lease) -> (u64, u64) {
    (lease.starts.unwrap_or(0), lease.ends.unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests;
