//! The IPMI driver: one file per capability. It sends commands through [`Exchange`] and knows nothing of how
//! they get to the BMC.

mod bmc_reset;
mod boot;
mod chunk;
mod console;
mod evidence;
#[cfg(test)]
mod fake;
pub mod fru;
mod identity;
pub mod lan;
mod led;
pub mod manufacturer;
mod metrics;
mod power;
mod raw;
#[cfg(test)]
mod scripted;
pub mod sdr_repo;
pub mod sel;
pub mod sensors;
pub mod supplies;
mod system_info;
pub mod users;

use std::sync::Arc;
use std::time::Instant;

use super::power_watch::pause;
use crate::hal::bmc::Bmc;
use crate::hal::error::{Error, Kind};
use crate::hal::ipmi::Exchange;
use crate::hal::model::{DriverName, Reading, Source};

/// Puts the IPMI driver into the slots of `bmc`, behind those that are there.
#[expect(
    clippy::needless_pass_by_value,
    reason = "whoever attaches hands its handle over"
)]
pub fn attach(bmc: &mut Bmc, exchange: Arc<dyn Exchange>) {
    let ipmi = DriverName::Ipmi;
    let to = || Arc::clone(&exchange);
    bmc.identity
        .push(ipmi, Arc::new(identity::IpmiIdentity(to())));
    bmc.users.push(ipmi, Arc::new(users::IpmiUsers(to())));
    bmc.network.push(ipmi, Arc::new(lan::IpmiNetwork(to())));
    bmc.power.push(ipmi, Arc::new(power::IpmiPower(to())));
    bmc.boot.push(ipmi, Arc::new(boot::IpmiBoot(to())));
    bmc.led.push(ipmi, Arc::new(led::IpmiLed(to())));
    bmc.metrics.push(ipmi, Arc::new(metrics::IpmiMetrics(to())));
    bmc.bmc_reset
        .push(ipmi, Arc::new(bmc_reset::IpmiBmcReset(to())));
    bmc.inventory
        .push(ipmi, Arc::new(fru::Inventory::new(to())));
    bmc.sensors
        .push(ipmi, Arc::new(sensors::Sensors::new(to())));
    bmc.supplies
        .push(ipmi, Arc::new(supplies::Supplies::new(to())));
    bmc.event_log.push(ipmi, Arc::new(sel::EventLog::new(to())));
    bmc.console.push(ipmi, Arc::new(console::IpmiConsole(to())));
    bmc.raw.push(ipmi, Arc::new(raw::IpmiRaw(to())));
    bmc.evidence
        .push(ipmi, Arc::new(evidence::IpmiEvidence(to())));
}

/// A value that was read from `at` since `start`.
fn reading<T>(start: Instant, at: &str, value: T) -> Reading<T> {
    Reading {
        value,
        source: Source::new(DriverName::Ipmi, at),
        took: start.elapsed(),
    }
}

/// Did the BMC answer, only not with what was asked for? Then one of several reads is missing and the others
/// go on; else (silence, log-in refused, caller gave up) nothing more can be had.
fn is_answer(error: &Error) -> bool {
    matches!(
        error.kind(),
        Kind::Unsupported | Kind::Refused | Kind::Privilege | Kind::Protocol | Kind::Busy
    )
}
