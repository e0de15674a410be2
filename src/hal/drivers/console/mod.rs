//! Serial consoles besides SOL: over SSH as the vendor has it, and at a place that the operator gave.

mod place;
mod ssh;

use std::sync::Arc;

use crate::hal::bmc::Bmc;
use crate::hal::model::DriverName;
use crate::hal::transport::line::Place;

pub use ssh::SshAccess;

/// Puts the console over SSH into the slots of `bmc`, behind those that are there.
pub fn attach_ssh(bmc: &mut Bmc, access: SshAccess) {
    let driver = access.client.driver();
    bmc.console
        .push(driver, Arc::new(ssh::SshDriver::new(access)));
}

/// Puts the console at `place` into the slots of `bmc`, behind those that are there.
pub fn attach_place(bmc: &mut Bmc, place: Place) {
    let driver = Arc::new(place::PlaceDriver(Arc::new(place)));
    bmc.console.push(DriverName::Unmanaged, driver);
}
