//! Values of the HAL on the wire, both ways. What a newer peer sends and this one does not know is "unknown".

use serde_json::{Map, Value};

use crate::api::proto;
use crate::hal::model::event::LogEntry;
use crate::hal::model::fru::{FruDevice, FruSummary};
use crate::hal::model::info::{BiosInfo, BmcInfo, Info};
use crate::hal::model::lan::LanInfo;
use crate::hal::model::metrics::{PowerMetrics, PowerSupply};
use crate::hal::model::power::Verified;
use crate::hal::model::sensor::{SensorValue, Thresholds};
use crate::hal::model::user::{Role, User};
use crate::hal::model::{
    BootMode, BootPersistence, BootState, BootTarget, LedState, PowerAction, PowerState,
};

/// Makes both directions of an enumeration; `else` is what stands for values that are not known.
macro_rules! words {
    ($to:ident, $from:ident, $hal:ty, $wire:ty, $else:expr, { $($a:ident = $b:ident),* $(,)? }) => {
        /// To the wire.
        pub fn $to(value: $hal) -> i32 {
            match value {
                $(<$hal>::$a => <$wire>::$b.into(),)*
                #[allow(unreachable_patterns, reason = "not each enumeration has a value for unknown")]
                _ => 0,
            }
        }

        /// From the wire.
        pub fn $from(number: i32) -> $hal {
            match <$wire>::try_from(number) {
                $(Ok(<$wire>::$b) => <$hal>::$a,)*
                _ => $else,
            }
        }
    };
}

words!(power_state, power_state_of, PowerState, proto::PowerState, PowerState::Unknown, {
    On = On, Off = Off, PoweringOn = PoweringOn, PoweringOff = PoweringOff,
});
words!(led_state, led_state_of, LedState, proto::LedState, LedState::Unknown, { On = On, Off = Off });
words!(boot_target, boot_target_of, BootTarget, proto::BootTarget, BootTarget::Other, {
    None = None, Pxe = Pxe, Disk = Disk, Bios = Bios, Safe = Safe, Diag = Diag, Cdrom = Cdrom, Floppy = Floppy,
    Other = Other,
});
words!(persistence, persistence_of, BootPersistence, proto::BootPersistence, BootPersistence::None, {
    Once = Once, Persistent = Persistent, None = None,
});
words!(verified, verified_of, Verified, proto::Verified, Verified::No, {
    Yes = Yes, No = No, NotObservable = NotObservable,
});
words!(role, role_of, Role, proto::Role, Role::Other, {
    Administrator = Administrator, Operator = Operator, User = User, Callback = Callback, None = None, Other = Other,
});

/// A power action on the wire.
pub fn action(action: PowerAction) -> i32 {
    match action {
        PowerAction::On => proto::PowerAction::On,
        PowerAction::Off => proto::PowerAction::Off,
        PowerAction::Reset => proto::PowerAction::Reset,
        PowerAction::Cycle => proto::PowerAction::Cycle,
        PowerAction::Soft => proto::PowerAction::Soft,
    }
    .into()
}

/// A power action from the wire; `None` = unspecified or not known here.
pub fn action_of(number: i32) -> Option<PowerAction> {
    match proto::PowerAction::try_from(number) {
        Ok(proto::PowerAction::On) => Some(PowerAction::On),
        Ok(proto::PowerAction::Off) => Some(PowerAction::Off),
        Ok(proto::PowerAction::Reset) => Some(PowerAction::Reset),
        Ok(proto::PowerAction::Cycle) => Some(PowerAction::Cycle),
        Ok(proto::PowerAction::Soft) => Some(PowerAction::Soft),
        _ => None,
    }
}

/// A boot mode on the wire.
pub fn mode(mode: Option<BootMode>) -> i32 {
    match mode {
        None => proto::BootMode::Unspecified,
        Some(BootMode::Uefi) => proto::BootMode::Uefi,
        Some(BootMode::Legacy) => proto::BootMode::Legacy,
    }
    .into()
}

/// A boot mode from the wire.
pub fn mode_of(number: i32) -> Option<BootMode> {
    match proto::BootMode::try_from(number) {
        Ok(proto::BootMode::Uefi) => Some(BootMode::Uefi),
        Ok(proto::BootMode::Legacy) => Some(BootMode::Legacy),
        _ => None,
    }
}

/// The boot override from the wire.
pub fn boot_of(m: &proto::BootStateResponse) -> BootState {
    BootState {
        target: boot_target_of(m.target),
        mode: mode_of(m.mode),
        persistence: persistence_of(m.persistence),
    }
}

/// An account on the wire.
pub fn user(user: &User) -> proto::User {
    proto::User {
        id: user.id.clone(),
        name: user.name.clone(),
        enabled: user.enabled,
        role: role(user.role),
        channel_access: user.channel_access,
    }
}

/// An account from the wire.
pub fn user_of(m: proto::User) -> User {
    User {
        id: m.id,
        name: m.name,
        enabled: m.enabled,
        role: role_of(m.role),
        channel_access: m.channel_access,
    }
}

/// Watts on the wire.
pub fn watts(m: &PowerMetrics) -> proto::Watts {
    proto::Watts {
        consumed: m.consumed_watts,
        average: m.average_watts,
        min: m.min_watts,
        max: m.max_watts,
        interval_minutes: m.interval_minutes,
    }
}

/// Power supplies on the wire.
pub fn supplies(list: &[PowerSupply]) -> Vec<proto::PowerSupply> {
    let one = |s: &PowerSupply| proto::PowerSupply {
        name: s.name.clone(),
        health: s.health.clone(),
        state: s.state.clone(),
    };
    list.iter().map(one).collect()
}

/// Power supplies from the wire.
pub fn supplies_of(list: Vec<proto::PowerSupply>) -> Vec<PowerSupply> {
    let one = |s: proto::PowerSupply| PowerSupply {
        name: s.name,
        health: s.health,
        state: s.state,
    };
    list.into_iter().map(one).collect()
}

/// Watts and supplies from the wire.
pub fn metrics_of(w: &proto::Watts, supplies: Vec<proto::PowerSupply>) -> PowerMetrics {
    PowerMetrics {
        consumed_watts: w.consumed,
        average_watts: w.average,
        min_watts: w.min,
        max_watts: w.max,
        interval_minutes: w.interval_minutes,
        supplies: supplies_of(supplies),
    }
}

/// A sensor on the wire.
pub fn sensor(s: &SensorValue) -> proto::Sensor {
    let t = &s.thresholds;
    proto::Sensor {
        name: s.name.clone(),
        r#type: s.kind.clone(),
        value: s.value,
        unit: s.unit.clone(),
        status: s.status.clone(),
        thresholds: Some(proto::Thresholds {
            lower_non_recoverable: t.lower_non_recoverable,
            lower_critical: t.lower_critical,
            lower_non_critical: t.lower_non_critical,
            upper_non_critical: t.upper_non_critical,
            upper_critical: t.upper_critical,
            upper_non_recoverable: t.upper_non_recoverable,
        }),
    }
}

/// A sensor from the wire.
pub fn sensor_of(m: proto::Sensor) -> SensorValue {
    let t = m.thresholds.unwrap_or_default();
    SensorValue {
        name: m.name,
        kind: m.r#type,
        value: m.value,
        unit: m.unit,
        status: m.status,
        thresholds: Thresholds {
            lower_non_recoverable: t.lower_non_recoverable,
            lower_critical: t.lower_critical,
            lower_non_critical: t.lower_non_critical,
            upper_non_critical: t.upper_non_critical,
            upper_critical: t.upper_critical,
            upper_non_recoverable: t.upper_non_recoverable,
        },
    }
}

/// A log entry on the wire.
pub fn entry(e: LogEntry) -> proto::LogEntry {
    proto::LogEntry {
        id: e.id,
        time: e.time,
        sensor: e.sensor,
        event: e.event,
        severity: e.severity,
        raw: e.raw,
    }
}

/// A log entry from the wire.
pub fn entry_of(m: proto::LogEntry) -> LogEntry {
    LogEntry {
        id: m.id,
        time: m.time,
        sensor: m.sensor,
        event: m.event,
        severity: m.severity,
        raw: m.raw,
    }
}

/// The BMC's network on the wire.
pub fn lan(lan: &LanInfo) -> proto::LanResponse {
    proto::LanResponse {
        channel: lan.channel.map(Into::into),
        mac: lan.mac.map(|m| m.to_string()),
        ip: lan.ip.map(|a| a.to_string()),
        netmask: lan.netmask.map(|a| a.to_string()),
        gateway: lan.gateway.map(|a| a.to_string()),
        ip_source: lan.source.clone(),
        vlan: lan.vlan.map(Into::into),
        source: None,
    }
}

/// The BMC's network from the wire.
pub fn lan_of(m: &proto::LanResponse) -> LanInfo {
    let address = |text: &Option<String>| text.as_ref().and_then(|t| t.parse().ok());
    LanInfo {
        channel: m.channel.and_then(|c| u8::try_from(c).ok()),
        mac: m.mac.as_ref().and_then(|t| t.parse().ok()),
        ip: address(&m.ip),
        netmask: address(&m.netmask),
        gateway: address(&m.gateway),
        source: m.ip_source.clone(),
        vlan: m.vlan.and_then(|v| u16::try_from(v).ok()),
    }
}

/// What a machine is, on the wire.
pub fn info(info: Info) -> proto::InfoResponse {
    proto::InfoResponse {
        vendor: info.vendor,
        model: info.model,
        serial: info.serial,
        uuid: info.uuid,
        uuid_raw: info.uuid_raw,
        bmc_mac: info.bmc.mac.map(|m| m.to_string()),
        bmc_ip: info.bmc.ip.map(|a| a.to_string()),
        bmc_version: info.bmc.version,
        bios: Some(proto::Bios {
            date: info.bios.date,
            vendor: info.bios.vendor,
            version: info.bios.version,
        }),
        board: Some(proto::Board {
            board_mfg: info.fru.board_mfg,
            board_mfg_serial: info.fru.board_mfg_serial,
            board_part_number: info.fru.board_part_number,
            chassis_part_number: info.fru.chassis_part_number,
            chassis_part_serial: info.fru.chassis_part_serial,
            product_manufacturer: info.fru.product_manufacturer,
            product_part_number: info.fru.product_part_number,
            product_serial: info.fru.product_serial,
        }),
        source: None,
    }
}

/// What a machine is, from the wire.
pub fn info_of(m: proto::InfoResponse) -> Info {
    let (bios, board) = (m.bios.unwrap_or_default(), m.board.unwrap_or_default());
    Info {
        vendor: m.vendor,
        model: m.model,
        serial: m.serial,
        uuid: m.uuid,
        uuid_raw: m.uuid_raw,
        bmc: BmcInfo {
            mac: m.bmc_mac.and_then(|t| t.parse().ok()),
            ip: m.bmc_ip.and_then(|t| t.parse().ok()),
            version: m.bmc_version,
        },
        bios: BiosInfo {
            version: bios.version,
            vendor: bios.vendor,
            date: bios.date,
        },
        fru: FruSummary {
            chassis_part_number: board.chassis_part_number,
            chassis_part_serial: board.chassis_part_serial,
            board_mfg: board.board_mfg,
            board_mfg_serial: board.board_mfg_serial,
            board_part_number: board.board_part_number,
            product_manufacturer: board.product_manufacturer,
            product_part_number: board.product_part_number,
            product_serial: board.product_serial,
        },
    }
}

/// A FRU device on the wire.
pub fn fru(device: FruDevice) -> proto::FruDevice {
    use proto::fru_field::Value as Wire;
    let area = |map: Option<Map<String, Value>>| {
        map.map(|map| proto::FruArea {
            fields: map
                .into_iter()
                .map(|(name, value)| proto::FruField {
                    name,
                    value: Some(match value {
                        Value::String(text) => Wire::Text(text),
                        other => Wire::Json(other.to_string()),
                    }),
                })
                .collect(),
        })
    };
    proto::FruDevice {
        id: device.id.into(),
        name: device.name,
        chassis: area(device.chassis),
        board: area(device.board),
        product: area(device.product),
        multirecord: device.multirecord.iter().map(Value::to_string).collect(),
        warnings: device.warnings,
    }
}

/// A FRU device from the wire.
pub fn fru_of(m: proto::FruDevice) -> FruDevice {
    use proto::fru_field::Value as Wire;
    let json = |text: &str| serde_json::from_str(text).unwrap_or(Value::Null);
    let area = |area: Option<proto::FruArea>| {
        area.map(|area| {
            let fields = area.fields.into_iter().map(|field| {
                let value = match field.value {
                    Some(Wire::Text(text)) => Value::String(text),
                    Some(Wire::Json(text)) => json(&text),
                    None => Value::Null,
                };
                (field.name, value)
            });
            fields.collect()
        })
    };
    FruDevice {
        id: u8::try_from(m.id).unwrap_or_default(),
        name: m.name,
        chassis: area(m.chassis),
        board: area(m.board),
        product: area(m.product),
        multirecord: m.multirecord.iter().map(|t| json(t)).collect(),
        warnings: m.warnings,
    }
}
