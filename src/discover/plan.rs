//! What has to be done: leases × table × now → steps. Pure.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::hal::model::MacAddr;

use super::leases::Lease;

/// Seconds after a lease at which it is looked again, until what is found is stable: web servers of BMCs come up
/// minutes after their network.
const AGAIN: [u64; 4] = [5, 15, 60, 300];

/// Seconds after which everything is looked at again.
const DAILY: u64 = 86_400;

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
}

/// How often and when an address was looked at; kept in memory.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Looked {
    /// When it was looked at last, in seconds since 1970.
    pub at: u64,
    /// How often since its lease began or its address changed.
    pub times: u32,
    /// The last two looks found the same drivers (at least one).
    pub stable: bool,
    /// It is being looked at now.
    pub now: bool,
}

impl Looked {
    /// When it is to be looked at again.
    fn next(&self) -> u64 {
        let wait = if self.stable {
            DAILY
        } else {
            let n = (self.times as usize).saturating_sub(1);
            // Never found: still looked for, but seldom.
            AGAIN.get(n).copied().unwrap_or(3600)
        };
        self.at.saturating_add(wait)
    }
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
    /// Two clients hold the same address, in different lease files.
    Duplicate {
        /// The address.
        ip: IpAddr,
        /// Who they are.
        macs: Vec<MacAddr>,
    },
}

/// Compares leases, table and clock. Every client counts once, with its newest active lease.
pub fn plan(
    leases: &[Lease],
    rules: &Rules,
    table: &BTreeMap<MacAddr, Known>,
    looked: &BTreeMap<MacAddr, Looked>,
    now: u64,
) -> Vec<Step> {
    let mut newest: BTreeMap<MacAddr, &Lease> = BTreeMap::new();
    let mut holders: BTreeMap<IpAddr, Vec<MacAddr>> = BTreeMap::new();
    for lease in leases {
        if !lease.is_active(now) || !rules.allow(lease) {
            continue;
        }
        let macs = holders.entry(lease.ip).or_default();
        if !macs.contains(&lease.mac) {
            macs.push(lease.mac);
        }
        newest
            .entry(lease.mac)
            .and_modify(|held| {
                if age(lease) > age(held) {
                    *held = lease;
                }
            })
            .or_insert(lease);
    }
    let mut steps = Vec::new();
    for (ip, macs) in holders {
        if macs.len() > 1 {
            steps.push(Step::Duplicate { ip, macs });
        }
    }
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
                lease: (*lease).clone(),
                moved,
            });
        }
        let due = match looked.get(mac) {
            Some(looked) if looked.now => false,
            Some(looked) => moved.is_some() || looked.next() <= now,
            None => true,
        };
        if due {
            steps.push(Step::Look {
                mac: *mac,
                ip: lease.ip,
            });
        }
    }
    for mac in table.keys().filter(|mac| !newest.contains_key(mac)) {
        match table.get(mac) {
            Some(known) if known.removed => steps.push(Step::Forget { mac: *mac }),
            Some(known) if known.leased && !known.stale => steps.push(Step::Stale { mac: *mac }),
            _ => {}
        }
    }
    steps
}

/// Which of two leases of one client is the newer: the later begin, else the later end.
fn age(lease: &Lease) -> (u64, u64) {
    (lease.starts.unwrap_or(0), lease.ends.unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::super::leases::State;
    use super::*;

    const NOW: u64 = 1_000_000;

    fn mac(n: u8) -> MacAddr {
        MacAddr([0xac, 0x1f, 0x6b, 0, 0, n])
    }

    fn lease(n: u8, ip: &str, ends: u64) -> Lease {
        Lease {
            mac: mac(n),
            ip: ip.parse().unwrap(),
            state: State::Active,
            starts: None,
            ends: Some(ends),
            hostname: None,
        }
    }

    fn known(ip: &str, ends: u64) -> Known {
        Known {
            address: ip.parse().ok(),
            lease_ends: Some(ends),
            leased: true,
            ..Known::default()
        }
    }

    fn looked(at: u64, times: u32, stable: bool) -> Looked {
        Looked {
            at,
            times,
            stable,
            now: false,
        }
    }

    fn steps(
        leases: &[Lease],
        table: &[(MacAddr, Known)],
        seen: &[(MacAddr, Looked)],
    ) -> Vec<Step> {
        let table = table.iter().cloned().collect();
        let seen = seen.iter().copied().collect();
        plan(leases, &Rules::default(), &table, &seen, NOW)
    }

    #[test]
    fn a_new_lease_is_looked_at_and_a_known_one_left_alone() {
        let look = Step::Look {
            mac: mac(1),
            ip: "10.0.0.1".parse().unwrap(),
        };
        let leases = [lease(1, "10.0.0.1", NOW + 60)];
        assert_eq!(steps(&leases, &[], &[]), std::slice::from_ref(&look));
        let row = (mac(1), known("10.0.0.1", NOW + 60));
        let stable = (mac(1), looked(NOW - 100, 2, true));
        assert_eq!(steps(&leases, std::slice::from_ref(&row), &[stable]), []);
        // Not stable yet: again after 5 s, and after a day in any case.
        let young = (mac(1), looked(NOW - 5, 1, false));
        assert_eq!(
            steps(&leases, std::slice::from_ref(&row), &[young]),
            std::slice::from_ref(&look)
        );
        let old = (mac(1), looked(NOW - DAILY, 9, true));
        assert_eq!(steps(&leases, std::slice::from_ref(&row), &[old]), [look]);
    }

    #[test]
    fn moves_renewals_and_ends_are_seen() {
        let row = (mac(1), known("10.0.0.1", NOW + 60));
        let stable = (mac(1), looked(NOW - 100, 2, true));
        let renewed = lease(1, "10.0.0.1", NOW + 120);
        assert_eq!(
            steps(
                std::slice::from_ref(&renewed),
                std::slice::from_ref(&row),
                &[stable]
            ),
            [Step::Lease {
                lease: renewed,
                moved: None
            }]
        );
        // Two leases of one client: the newer one counts.
        let moved = lease(1, "10.0.0.2", NOW + 99);
        let got = steps(
            &[lease(1, "10.0.0.1", NOW + 60), moved.clone()],
            std::slice::from_ref(&row),
            &[stable],
        );
        assert_eq!(got.len(), 2);
        assert_eq!(
            got[0],
            Step::Lease {
                lease: moved,
                moved: "10.0.0.1".parse().ok()
            }
        );
        assert!(matches!(got[1], Step::Look { .. }));
        assert_eq!(
            steps(&[lease(1, "10.0.0.1", NOW)], &[row], &[stable]),
            [Step::Stale { mac: mac(1) }]
        );
    }

    #[test]
    fn removed_rows_stay_away_until_their_lease_is_gone() {
        let mut removed = known("10.0.0.1", NOW + 60);
        removed.removed = true;
        let row = [(mac(1), removed)];
        assert_eq!(steps(&[lease(1, "10.0.0.1", NOW + 60)], &row, &[]), []);
        assert_eq!(steps(&[], &row, &[]), [Step::Forget { mac: mac(1) }]);
    }

    #[test]
    fn rules_and_duplicates() {
        let rules = Rules {
            networks: vec!["10.0.0.0/24".parse().unwrap()],
            ignored: vec![mac(2)],
        };
        let leases = [
            lease(1, "10.0.1.1", NOW + 1),
            lease(2, "10.0.0.2", NOW + 1),
            lease(3, "10.0.0.3", NOW + 1),
            lease(4, "10.0.0.3", NOW + 1),
            lease(0, "10.0.0.9", NOW - 1),
        ];
        let got = plan(&leases, &rules, &BTreeMap::new(), &BTreeMap::new(), NOW);
        assert_eq!(got.len(), 3);
        assert_eq!(
            got[0],
            Step::Duplicate {
                ip: "10.0.0.3".parse().unwrap(),
                macs: vec![mac(3), mac(4)]
            }
        );
        for bad in ["10.0.0.0/33", "x/8", "10.0.0.0/", "::/129"] {
            assert!(bad.parse::<Network>().is_err(), "{bad}");
        }
        assert!(
            "::/0"
                .parse::<Network>()
                .unwrap()
                .contains("fe80::1".parse().unwrap())
        );
    }
}
