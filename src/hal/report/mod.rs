//! The capability report: every read on every driver's slot, really done; every change judged from what can be
//! read. It says which operations work, by whom, and where drivers disagree.
//!
//! One request at a time. IPMI is asked first: its handshake tells a wrong password before it counts as a failed
//! login; after a refused login nobody else is asked with the same one.

mod differ;
mod entry;
mod needs;
mod power;
mod reads;
mod restore;
mod run;
#[cfg(test)]
mod tests;

use std::time::Duration;

use super::bmc::Bmc;
use super::model::{Cx, DriverName};

pub use entry::{Entry, Status};
pub use needs::{NEEDED, Needs};
pub use reads::READS;
use run::Run;

/// How a report is made.
#[derive(Debug, Clone)]
pub struct Options {
    /// Longest time for one operation.
    pub each: Duration,
    /// Do the changes that can be put back (identify LED, boot override), and put them back.
    pub writes: bool,
    /// Switch the host off and on, reset and cycle it, and leave it as it was. Ends what runs there.
    pub power: bool,
    /// All drivers log in with the same user and password: when one is refused, no other tries them.
    pub one_login: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            each: Duration::from_secs(20),
            writes: false,
            power: false,
            one_login: true,
        }
    }
}

/// What a BMC can do.
#[derive(Debug, Clone)]
pub struct Report {
    /// One entry per operation and driver, operations in a fixed order, the preferred driver first.
    pub entries: Vec<Entry>,
}

impl Report {
    /// Is everything there that the daemon needs?
    pub fn needs(&self) -> Needs {
        Needs::of(&self.entries)
    }

    /// Did nothing but logins fail?
    pub fn is_denied(&self) -> bool {
        !self.entries.is_empty() && self.entries.iter().all(|e| e.status == Status::Denied)
    }
}

/// Makes the report of `bmc` until `cx.deadline`; what was not reached by then is `not-tried`. A cancel ends it in the
/// same way, after what was changed has been put back.
pub async fn report(bmc: &Bmc, cx: &Cx, options: &Options) -> Report {
    let drivers = drivers(bmc);
    let mut asked = drivers.clone();
    // IPMI knows a wrong password without a failed login.
    asked.sort_by_key(|d| *d != DriverName::Ipmi);
    let mut run = Run::new(cx, options);
    for driver in asked {
        run.driver = driver;
        reads::read(&mut run, bmc).await;
        reads::judge(&mut run, bmc).await;
        if options.writes {
            restore::exercise(&mut run, bmc).await;
        }
        if options.power {
            power::exercise(&mut run, bmc).await;
        }
    }
    let mut entries = run.entries;
    let rank = |name: &str| operations().position(|o| o == name);
    let place = |driver: DriverName| drivers.iter().position(|d| *d == driver);
    entries.sort_by_key(|e| (rank(e.operation), place(e.driver)));
    differ::mark(&mut entries);
    Report { entries }
}

/// The names of all operations, in the order of reports.
pub fn operations() -> impl Iterator<Item = &'static str> {
    let writes = super::model::write::Write::ALL.iter();
    READS.iter().copied().chain(writes.map(|w| w.operation()))
}

/// The drivers that have a slot anywhere, the preferred first. A capability that is not named here does not compile.
fn drivers(bmc: &Bmc) -> Vec<DriverName> {
    let Bmc {
        power,
        boot,
        led,
        identity,
        inventory,
        sensors,
        event_log,
        users,
        network,
        metrics,
        supplies,
        bmc_reset,
        console,
        raw,
        evidence,
    } = bmc;
    let all = power
        .drivers()
        .chain(identity.drivers())
        .chain(boot.drivers())
        .chain(led.drivers())
        .chain(inventory.drivers())
        .chain(sensors.drivers())
        .chain(event_log.drivers())
        .chain(users.drivers())
        .chain(network.drivers())
        .chain(metrics.drivers())
        .chain(supplies.drivers())
        .chain(bmc_reset.drivers())
        .chain(console.drivers())
        .chain(raw.drivers())
        .chain(evidence.drivers());
    let mut out = Vec::new();
    for driver in all {
        if !out.contains(&driver) {
            out.push(driver);
        }
    }
    out
}
