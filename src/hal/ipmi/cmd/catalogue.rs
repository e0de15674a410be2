//! All commands that have a type, by number: name, privilege and effect of a request whose type is not known.

use super::{
    Command, Effect, NetFn, Privilege, app, chassis, dcmi, redfish, sensor, storage, transport,
};

/// What is known of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// Network function of the request.
    pub netfn: NetFn,
    /// Command number.
    pub cmd: u8,
    /// The specification's name.
    pub name: &'static str,
    /// Least privilege.
    pub privilege: Privilege,
    /// May it be executed twice?
    pub effect: Effect,
}

impl Known {
    const fn of<C: Command>() -> Self {
        Self {
            netfn: C::NETFN,
            cmd: C::CMD,
            name: C::NAME,
            privilege: C::PRIVILEGE,
            effect: C::EFFECT,
        }
    }
}

/// The command of that number, if it has a type. `data` is the request's: it tells the group of NetFn 0x2C.
pub fn known(netfn: NetFn, cmd: u8, data: &[u8]) -> Option<&'static Known> {
    // DCMI and the Redfish host interface share numbers.
    let redfish = match (netfn, data.first()) {
        (NetFn::GROUP, Some(&redfish::GROUP_ID)) => true,
        (NetFn::GROUP, group) if group != Some(&dcmi::GROUP_ID) => return None,
        _ => false,
    };
    COMMANDS
        .iter()
        .find(|known| known.netfn == netfn && known.cmd == cmd && is_redfish(known) == redfish)
}

fn is_redfish(known: &Known) -> bool {
    *known == Known::of::<redfish::GetBootstrapCredentials>()
}

macro_rules! commands {
    ($($module:ident: $($command:ident)*;)*) => {
        /// All of them.
        pub const COMMANDS: &[Known] = &[$($(Known::of::<$module::$command>(),)*)*];

        #[cfg(test)]
        const TYPES: &[&str] = &[$($(stringify!($command),)*)*];
    };
}

commands! {
    app: GetDeviceId ColdReset WarmReset GetSelfTestResults GetAcpiPowerState GetDeviceGuid
        ResetWatchdogTimer SetWatchdogTimer GetWatchdogTimer GetBmcGlobalEnables GetSystemGuid
        GetChannelAuthCapabilities GetSessionChallenge ActivateSession SetSessionPrivilegeLevel
        CloseSession GetSessionInfo SetChannelAccess GetChannelAccess GetChannelInfo SetUserAccess
        GetUserAccess SetUserName GetUserName SetUserPassword ActivatePayload DeactivatePayload
        GetPayloadActivationStatus GetPayloadInstanceInfo SetUserPayloadAccess GetUserPayloadAccess
        GetChannelPayloadSupport GetChannelCipherSuites SetChannelSecurityKeys
        GetSystemInfoParameters;
    chassis: GetChassisCapabilities GetChassisStatus ChassisControl ChassisIdentify
        SetPowerRestorePolicy GetSystemRestartCause SetSystemBootOptions GetSystemBootOptions
        SetPowerCycleInterval GetPohCounter;
    sensor: GetDeviceSdrInfo GetDeviceSdr ReserveDeviceSdrRepository GetSensorReadingFactors
        SetSensorHysteresis GetSensorHysteresis SetSensorThresholds GetSensorThresholds
        SetSensorEventEnable GetSensorEventEnable GetSensorEventStatus GetSensorReading
        GetSensorType PlatformEventMessage;
    storage: GetFruInventoryAreaInfo ReadFruData WriteFruData GetSdrRepositoryInfo
        GetSdrRepositoryAllocationInfo ReserveSdrRepository GetSdr GetSdrRepositoryTime
        SetSdrRepositoryTime GetSelInfo GetSelAllocationInfo ReserveSel GetSelEntry AddSelEntry
        DeleteSelEntry ClearSel GetSelTime SetSelTime GetSelTimeUtcOffset SetSelTimeUtcOffset;
    transport: SetLanConfigurationParameters GetLanConfigurationParameters
        GetIpUdpRmcpStatistics SetSolConfigurationParameters GetSolConfigurationParameters;
    dcmi: GetDcmiCapabilities GetPowerReading GetPowerLimit SetPowerLimit ActivatePowerLimit
        GetAssetTag GetDcmiSensorInfo SetAssetTag GetManagementControllerIdentifier
        SetManagementControllerIdentifier GetTemperatureReadings;
    redfish: GetBootstrapCredentials;
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    /// The types behind `impl Command for` in all files below `folder`.
    fn written(folder: &Path, into: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                written(&path, into);
            } else if path.file_name().is_some_and(|name| name != "tests.rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                for part in text.split("\nimpl Command for ").skip(1) {
                    into.extend(part.split_whitespace().next().map(str::to_owned));
                }
            }
        }
    }

    #[test]
    fn every_command_is_listed_and_found() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/hal/ipmi/cmd");
        let mut all = BTreeSet::new();
        written(&folder, &mut all);
        assert!(all.len() > 80, "{}", all.len());
        for command in &all {
            assert!(TYPES.contains(&command.as_str()), "{command} is not listed");
        }
        for command in COMMANDS {
            let group = [if is_redfish(command) {
                redfish::GROUP_ID
            } else {
                dcmi::GROUP_ID
            }];
            assert_eq!(known(command.netfn, command.cmd, &group), Some(command));
        }
    }

    #[test]
    fn others_are_not_known() {
        assert_eq!(known(NetFn::APP, 0x60, &[]), None);
        // PICMG, VITA and HPM share the numbers of DCMI.
        assert_eq!(known(NetFn::GROUP, 0x01, &[0x00]), None);
        assert_eq!(known(NetFn::GROUP, 0x01, &[]), None);
        assert_eq!(known(NetFn(0x30), 0x01, &[]), None);
    }
}
