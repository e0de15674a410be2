//! What detection found at the address of a row, written into the row.

use std::net::IpAddr;

use crate::hal::detect::Findings;
use crate::hal::model::MacAddr;
use crate::hal::model::order::Order;
use crate::inventory::record::{LeaseSeen, Origin, Record, Tls};

use super::leases::Lease;
use super::plan::SAYS;

/// Writes findings into a row. `thorough`: the slow ones had time to answer as well.
pub fn apply(row: &mut Record, ip: IpAddr, found: &Findings, thorough: bool) {
    moved(row, ip);
    let available = found.available();
    if found.reachable {
        if thorough {
            // A driver that is silent today is not gone; one that answers newly is added.
            for driver in &available {
                if !row.drivers.contains(driver) {
                    row.drivers.push(*driver);
                }
            }
        } else if row.drivers.is_empty() {
            row.drivers = available;
        }
        row.drivers.order_by(Ord::cmp);
        if found.preferred_driver > row.best_driver || row.best_driver.is_none() {
            row.best_driver = found.preferred_driver;
        }
        vendor(row, found);
        certificate(row, found);
        if row.model.is_none() {
            row.model.clone_from(&found.product);
        }
    }
    // What an operator named, or has credentials for, is wanted whether it answers or not.
    row.candidate = row.drivers.is_empty() && row.origin == Origin::Lease && !row.has_credentials();
}

/// The address of a row.
pub fn moved(row: &mut Record, ip: IpAddr) {
    if let Some(old) = row.address.filter(|old| *old != ip) {
        row.warnings.retain(|w| !w.starts_with("moved"));
        row.warnings.push(format!("moved from {old} to {ip}"));
    }
    row.address = Some(ip);
}

fn vendor(row: &mut Record, found: &Findings) {
    let Some(new) = &found.vendor else { return };
    match &row.vendor {
        Some(old) if !old.eq_ignore_ascii_case(new) && row.has_credentials() => {
            row.untrusted = Some(format!("the vendor was {old} and is {new} now"));
        }
        _ => row.vendor = Some(new.clone()),
    }
}

fn certificate(row: &mut Record, found: &Findings) {
    let Some(sha256) = found
        .redfish()
        .and_then(|r| r.tls.as_ref())
        .map(|tls| tls.sha256.clone())
        .filter(|sha256| !sha256.is_empty())
    else {
        return;
    };
    let before = row.tls.as_ref().map(|tls| tls.sha256.clone());
    row.tls = Some(match before {
        Some(old) if old != sha256 && row.has_credentials() => {
            row.untrusted = Some(format!("its certificate was {old} and is {sha256} now"));
            Tls {
                sha256: old,
                changed: Some(sha256),
            }
        }
        // The same, the first, or one to which nothing was entrusted yet.
        _ => Tls {
            sha256,
            changed: None,
        },
    });
}

/// The lease of a row.
pub fn leased(row: &mut Record, lease: &Lease) {
    row.lease = Some(LeaseSeen {
        ends: lease.ends,
        hostname: lease.hostname.clone(),
        stale: false,
    });
    row.warnings.retain(|w| !w.starts_with("the lease"));
    moved(row, lease.ip);
}

/// The lease of a row has ended.
pub fn stale(row: &mut Record) {
    if let Some(lease) = &mut row.lease {
        lease.stale = true;
    }
    row.warnings.retain(|w| !w.starts_with("the lease"));
    row.warnings
        .push("the lease has ended; somebody else may get the address".to_owned());
}

/// Somebody else has the address of a row whose lease has ended: nobody may be driven there under this name.
pub fn taken(row: &mut Record, ip: IpAddr, by: MacAddr) {
    if row.address != Some(ip) {
        return;
    }
    if let Some(lease) = &mut row.lease {
        lease.stale = true;
    }
    row.address = None;
    row.warnings.retain(|w| !w.starts_with("the lease"));
    row.warnings
        .push(format!("the lease has ended; {ip} is leased to {by} now"));
}

/// What the plan finds odd, instead of what it found before.
pub fn say(row: &mut Record, words: Vec<String>) {
    row.warnings
        .retain(|w| !SAYS.iter().any(|say| w.starts_with(say)));
    row.warnings.extend(words);
}
