//! Chassis commands (§28). Only what goes over the wire: what to do with it is the drivers' business.

mod boot;
mod boot_flags;
mod control;
mod status;

pub use boot::{
    BootInitiator, BootOption, GetSystemBootOptions, GetSystemBootOptionsReply,
    SetSystemBootOptions, boot_selector,
};
pub use boot_flags::{BootDevice, BootFlags};
pub use control::{
    ChassisControl, ChassisIdentify, ControlAction, PowerRestorePolicy, RestorePolicies,
    SetPowerCycleInterval, SetPowerRestorePolicy,
};
pub use status::{
    ChassisCapabilities, ChassisStatus, GetChassisCapabilities, GetChassisStatus, GetPohCounter,
    GetSystemRestartCause, IdentifyState, PohCounter, RestartCause, SystemRestartCause,
};

#[cfg(test)]
mod tests;
