//! The Redfish driver: one file per capability, each a struct with the [`Client`]. It knows no vendor by name: what a
//! BMC does differently stands in the client's quirks.

mod bmc_reset;
mod boot;
mod boot_order;
mod boot_value;
mod chassis;
mod event_log;
mod evidence;
mod fru_fields;
mod identity;
mod inventory;
mod led;
mod metrics;
mod network;
mod nic;
mod power;
mod read;
#[cfg(test)]
pub(super) mod scripted;
mod sensors;
mod supplies;
mod users;

use std::sync::Arc;
use std::time::Instant;

use crate::hal::bmc::Bmc;
use crate::hal::error::{Error, Kind, Result};
use crate::hal::model::boot::BootRequest;
use crate::hal::model::{BootState, Cx, Reading, Source};
use crate::hal::redfish::{Client, Refusal, Resource};

use super::placeholder::meaningful;

pub(crate) use users::{RedfishUsers, admit};

/// Puts the Redfish driver into the slots of `bmc`, behind those that are there.
#[expect(
    clippy::needless_pass_by_value,
    reason = "whoever attaches hands its handle over"
)]
pub fn attach(bmc: &mut Bmc, client: Arc<Client>) {
    let driver = client.driver();
    let to = || Arc::clone(&client);
    bmc.power.push(driver, Arc::new(power::RedfishPower(to())));
    bmc.boot.push(driver, Arc::new(boot::RedfishBoot(to())));
    bmc.led.push(driver, Arc::new(led::RedfishLed(to())));
    bmc.identity
        .push(driver, Arc::new(identity::RedfishIdentity(to())));
    bmc.network
        .push(driver, Arc::new(network::RedfishNetwork(to())));
    bmc.bmc_reset
        .push(driver, Arc::new(bmc_reset::RedfishBmcReset(to())));
    bmc.metrics
        .push(driver, Arc::new(metrics::RedfishMetrics(to())));
    bmc.supplies
        .push(driver, Arc::new(supplies::RedfishSupplies(to())));
    bmc.sensors
        .push(driver, Arc::new(sensors::RedfishSensors(to())));
    bmc.event_log
        .push(driver, Arc::new(event_log::RedfishEventLog(to())));
    bmc.users.push(driver, Arc::new(RedfishUsers(to())));
    bmc.inventory
        .push(driver, Arc::new(inventory::RedfishInventory(to())));
    bmc.evidence
        .push(driver, Arc::new(evidence::RedfishEvidence(to())));
}

/// Sets an override for every boot by the boot order, whose other entries stay.
pub(super) async fn put_first(
    client: &Arc<Client>,
    cx: &Cx,
    request: BootRequest,
    start: Instant,
) -> Result<Reading<BootState>> {
    let boot = boot::RedfishBoot(Arc::clone(client));
    let (state, at) = boot.put_first(cx, request).await?;
    Ok(reading(client, start, at, state))
}

/// A value that was read from `at` (URI and property) since `start`.
fn reading<T>(client: &Client, start: Instant, at: impl Into<String>, value: T) -> Reading<T> {
    let mut source = Source::new(client.driver(), at);
    source.overwrite = client.overwrite();
    Reading {
        value,
        source,
        took: start.elapsed(),
    }
}

/// The host's system as it is now, not as this operation has read it before.
async fn fresh_system(client: &Client, cx: &Cx) -> Result<Arc<Resource>> {
    // Where the system is not known yet, looking for it reads it.
    match client.door().learnt().snapshot().system {
        None => client.system(cx).await,
        Some(path) => match client.fresh(cx, &path).await {
            Err(error) if error.kind() == Kind::Unsupported => client.system(cx).await,
            read => read,
        },
    }
}

/// URI of the host's system, for provenance; blank when it was never read.
fn system_path(client: &Client) -> String {
    client.door().learnt().snapshot().system.unwrap_or_default()
}

/// The text at `pointer`, unless it says nothing.
fn text(resource: &Resource, pointer: &str) -> Option<String> {
    resource
        .str(pointer)
        .and_then(meaningful)
        .map(str::to_owned)
}

/// This BMC does not have it, and why.
fn unsupported(operation: &str, why: impl Into<String>) -> Error {
    Error::new(Kind::Unsupported, operation).with_source(why.into())
}

/// Did the BMC say no before it did anything, so that another way may be tried? Not where the login or its rights
/// are the matter: they are the same on every way.
fn may_try_another(error: &Error) -> bool {
    match error.kind() {
        Kind::Unsupported => true,
        Kind::Refused => Refusal::find(error).is_some_and(|r| (400..500).contains(&r.status)),
        _ => false,
    }
}

/// Does the refusal carry one of these message ids?
fn says(error: &Error, ids: &[&str]) -> bool {
    Refusal::find(error).is_some_and(|refusal| {
        refusal.message_ids.iter().any(|id| {
            let last = id.rsplit('.').next().unwrap_or(id);
            ids.iter().any(|known| last.eq_ignore_ascii_case(known))
        })
    })
}

/// Did the BMC answer, only not with what was asked for? Then one of several reads is missing and the others go on.
fn is_answer(error: &Error) -> bool {
    matches!(
        error.kind(),
        Kind::Unsupported
            | Kind::Refused
            | Kind::Privilege
            | Kind::NeedsLicense
            | Kind::Protocol
            | Kind::Busy
    )
}
