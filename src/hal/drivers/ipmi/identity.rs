//! What the machine and its BMC are.

use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use super::lan::lan_channel;
use super::{fru, is_answer, manufacturer, reading, system_info};
use crate::hal::caps::Identity;
use crate::hal::error::Result;
use crate::hal::ipmi::Exchange;
use crate::hal::ipmi::cmd::app::{
    DeviceId, GetDeviceGuid, GetDeviceId, GetSystemGuid, GetSystemInfoParameters,
};
use crate::hal::ipmi::cmd::{Command, Privilege};
use crate::hal::ipmi::exchange::run;
use crate::hal::model::info::Info;
use crate::hal::model::{BoxFuture, Cx, Guid, Reading};

/// Identity over IPMI.
pub struct IpmiIdentity(pub Arc<dyn Exchange>);

impl Identity for IpmiIdentity {
    fn info<'a>(&'a self, cx: &'a Cx) -> BoxFuture<'a, Result<Reading<Info>>> {
        Box::pin(async move {
            let start = Instant::now();
            let bmc = &*self.0;
            bmc.expect(Privilege::Operator);
            let device = device_id(bmc, cx).await?;
            let mut info = Info::default();
            info.bmc.version = Some(device.firmware());
            if let Some(guid) = guid(bmc, cx).await? {
                info.uuid = Some(guid.to_uuid(guid.likely_order(unix_now())));
                info.uuid_raw = Some(guid.to_string());
            }
            if let Some(channel) = optional(lan_channel(bmc, cx).await)? {
                info.bmc.mac = channel.mac;
                info.bmc.ip = channel.ip.map(Into::into);
            }
            if let Some(machine) = optional(fru::machine(bmc, cx).await)? {
                info.serial.clone_from(&machine.summary.product_serial);
                info.model = machine.model;
                info.fru = machine.summary;
            }
            let bios = GetSystemInfoParameters::FIRMWARE_VERSION;
            info.bios.version = optional(system_info::text(bmc, cx, bios).await)?.flatten();
            let made_by = info.fru.product_manufacturer.as_deref();
            let made_by = made_by.or(info.fru.board_mfg.as_deref());
            info.vendor = manufacturer::vendor(Some(device.manufacturer), made_by);
            Ok(reading(start, GetDeviceId::NAME, info))
        })
    }
}

/// Get Device ID; what quirks go by is remembered.
async fn device_id(bmc: &dyn Exchange, cx: &Cx) -> Result<DeviceId> {
    let device = run(bmc, cx, &GetDeviceId).await?;
    bmc.learnt().update(|learnt| {
        learnt.manufacturer = Some(device.manufacturer);
        learnt.product = Some(device.product);
    });
    Ok(device)
}

/// The machine's GUID, else the BMC's; `None` where neither is one.
async fn guid(bmc: &dyn Exchange, cx: &Cx) -> Result<Option<Guid>> {
    let usable = |guid: &Guid| !guid.is_blank();
    if let Some(guid) = optional(run(bmc, cx, &GetSystemGuid).await)?.filter(usable) {
        return Ok(Some(guid));
    }
    Ok(optional(run(bmc, cx, &GetDeviceGuid).await)?.filter(usable))
}

/// `None` where the BMC answered, but not with that.
fn optional<T>(read: Result<T>) -> Result<Option<T>> {
    match read {
        Ok(value) => Ok(Some(value)),
        Err(error) if is_answer(&error) => {
            log::debug!("info without: {}", error.chain());
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Seconds since 1970; 0 when the clock stands before.
fn unix_now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests;
