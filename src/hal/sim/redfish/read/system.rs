//! ComputerSystem, its settings object, and ActionInfo.

use serde_json::{Map, Value};

use super::{Parts, View, maybe, when};
use crate::hal::ipmi::time::rfc3339;
use crate::hal::model::json::json;
use crate::hal::sim::redfish::dialect::{BootVia, Led, LogOwner, ResetValues};
use crate::hal::sim::redfish::place::Place;
use crate::hal::sim::redfish::{boot, power_state, uuid};
use crate::hal::sim::state::Identify;

pub(super) fn system(v: &View<'_>) -> Parts {
    let (d, server) = (v.d, v.server);
    let [_, model, part] = server.profile.texts;
    let mut rest = json!({
        "SystemType": "Physical",
        "Manufacturer": maybe(d.maker),
        "Model": when(d.maker.is_some(), json!(model)),
        "SKU": when(d.oem == Some("Dell"), json!(server.serial)),
        "SerialNumber": server.serial,
        "PartNumber": part,
        "UUID": uuid(server, d),
        "AssetTag": String::from_utf8_lossy(&server.dcmi.asset_tag),
        "HostName": "",
        "BiosVersion": "3.6",
        "PowerState": power_state(server, d),
        "LastResetTime": rfc3339(server.clock.seconds(server.power.last_start).into()),
        "Status": {
            "State": if server.power.on { "Enabled" } else { "StandbyOffline" },
            "Health": "OK", "HealthRollup": "OK",
        },
        "ProcessorSummary": {"Count": 2, "Model": "Simulated CPU", "Status": {"State": "Enabled", "Health": "OK"}},
        "MemorySummary": {"TotalSystemMemoryGiB": 256, "Status": {"State": "Enabled", "Health": "OK"}},
        "Boot": boot_object(v),
        "LogServices": when(d.log_owner == LogOwner::System, v.link(Place::Logs)),
        "Links": {
            "Chassis": v.links(&[Place::Chassis]),
            "ManagedBy": v.links(&[Place::Manager]),
        },
        "Actions": {
            "#ComputerSystem.Reset": reset_action(v, Place::SystemReset, Place::SystemResetInfo, d.resets),
        },
    });
    if let Some(map) = rest.as_object_mut() {
        map.extend(led(v));
        if let Some(settings) = d.boot.settings {
            let _ = settings;
            map.insert(
                "@Redfish.Settings".to_owned(),
                json!({
                    "@odata.type": "#Settings.v1_3_5.Settings",
                    "SettingsObject": v.link(Place::SystemSettings),
                    "SupportedApplyTimes": ["OnReset"],
                }),
            );
        }
    }
    (
        "ComputerSystem.v1_20_1.ComputerSystem",
        d.system.to_owned(),
        "System".to_owned(),
        rest,
    )
}

/// The properties of the identify LED.
pub(super) fn led(v: &View<'_>) -> Map<String, Value> {
    let on = v.server.identify != Identify::Off;
    let mut out = Map::new();
    let mut put = |name: &str, value: Value| out.insert(name.to_owned(), value);
    match v.d.led {
        Led::Both => {
            put("IndicatorLED", json!(if on { "Blinking" } else { "Off" }));
            put("LocationIndicatorActive", json!(on));
        }
        Led::Indicator => {
            put("IndicatorLED", json!(if on { "Blinking" } else { "Off" }));
        }
        Led::IdleLit => {
            put("IndicatorLED", json!(if on { "Blinking" } else { "Lit" }));
            put("LocationIndicatorActive", json!(on));
        }
        Led::Location => {
            put("LocationIndicatorActive", json!(on));
        }
    }
    out
}

/// The Boot object.
fn boot_object(v: &View<'_>) -> Value {
    let rules = &v.d.boot;
    let now = boot::read(v.server);
    let mut out = json!({
        "BootSourceOverrideEnabled": now.enabled,
        "BootSourceOverrideTarget": now.target,
        "BootSourceOverrideTarget@Redfish.AllowableValues": rules.targets,
        "BootSourceOverrideMode": now.mode,
        "UefiTargetBootSourceOverride": null,
        "BootOrder": ["Boot0000", "Boot0001"],
    });
    if rules.tells_values
        && let Some(map) = out.as_object_mut()
    {
        map.insert(
            "BootSourceOverrideEnabled@Redfish.AllowableValues".to_owned(),
            json!(rules.enabled),
        );
        map.insert(
            "BootSourceOverrideMode@Redfish.AllowableValues".to_owned(),
            json!(["Legacy", "UEFI"]),
        );
    }
    out
}

pub(super) fn settings(v: &View<'_>) -> Parts {
    let id = v.d.boot.settings.unwrap_or_default().to_owned();
    let rest = json!({
        "SystemType": "Physical",
        "Boot": boot_object(v),
        "Description": if v.d.boot.via == BootVia::Settings { "What the next start will use" } else { "Pending settings" },
    });
    (
        "ComputerSystem.v1_20_1.ComputerSystem",
        id,
        "Settings".to_owned(),
        rest,
    )
}

/// A reset action with its values where this vendor has them.
pub(super) fn reset_action(v: &View<'_>, target: Place, info: Place, values: &[&str]) -> Value {
    let mut out = json!({ "target": v.uri(target) });
    if let Some(map) = out.as_object_mut() {
        if v.d.reset_values != ResetValues::ActionInfo {
            map.insert(
                "ResetType@Redfish.AllowableValues".to_owned(),
                json!(values),
            );
        }
        if v.d.reset_values != ResetValues::Inline {
            map.insert("@Redfish.ActionInfo".to_owned(), json!(v.uri(info)));
        }
    }
    out
}

pub(super) fn reset_info(_v: &View<'_>, values: &[&str]) -> Parts {
    let rest = json!({
        "Parameters": [{
            "Name": "ResetType", "Required": true, "DataType": "String", "AllowableValues": values,
        }],
    });
    (
        "ActionInfo.v1_4_2.ActionInfo",
        "ResetActionInfo".to_owned(),
        "Reset Action Info".to_owned(),
        rest,
    )
}
