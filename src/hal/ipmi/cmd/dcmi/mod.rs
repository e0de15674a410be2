//! DCMI 1.5 commands (section numbers are DCMI's). All carry the group extension id 0xDC as first byte of request and
//! reply; it is written and checked here.

mod capabilities;
mod power;
mod sensor;
mod text;

pub use capabilities::{
    DcmiCapabilities, DcmiCapability, GetDcmiCapabilities, capability_selector,
};
pub use power::{
    ActivatePowerLimit, GetPowerLimit, GetPowerReading, PowerLimit, PowerReading, PowerReadingMode,
    SetPowerLimit,
};
pub use sensor::{
    DcmiSensors, DcmiTemperature, DcmiTemperatures, GetDcmiSensorInfo, GetTemperatureReadings,
    entity,
};
pub use text::{
    CHUNK, GetAssetTag, GetManagementControllerIdentifier, LENGTH, SetAssetTag,
    SetManagementControllerIdentifier, TextPart,
};

use crate::hal::ipmi::codec::{DecodeError, Reader};

/// The group extension id of DCMI.
pub const GROUP_ID: u8 = 0xdc;

fn group(r: &mut Reader<'_>) -> Result<(), DecodeError> {
    match r.u8("group extension ID")? {
        GROUP_ID => Ok(()),
        other => Err(DecodeError::Invalid {
            field: "group extension ID",
            value: other.into(),
            expected: "0xdc (DCMI)",
        }),
    }
}

#[cfg(test)]
mod tests;
