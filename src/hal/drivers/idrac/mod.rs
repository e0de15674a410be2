//! The iDrac driver: the Redfish driver, and Dell's OEM paths where the standard ends: the boot order of versions whose
//! override forgets itself, the Lifecycle Controller that has to be ready, the jobs and the lockdown that stand in the
//! way of a write.

mod attributes;
mod boot;
mod jobs;
mod lifecycle;

use std::sync::Arc;

use crate::hal::bmc::Bmc;
use crate::hal::drivers::redfish;
use crate::hal::redfish::Client;

/// Puts the iDrac driver into the slots of `bmc`, behind those that are there. The client's quirks name the driver.
#[expect(
    clippy::needless_pass_by_value,
    reason = "whoever attaches hands its handle over"
)]
pub fn attach(bmc: &mut Bmc, client: Arc<Client>) {
    let driver = client.driver();
    redfish::attach(bmc, Arc::clone(&client));
    bmc.boot.wrap(driver, |inner| {
        Arc::new(boot::IDracBoot {
            inner,
            client: Arc::clone(&client),
        })
    });
}
