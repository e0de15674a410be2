//! Chassis.

use super::{Parts, View, maybe, when};
use crate::hal::model::json::json;
use crate::hal::sim::redfish::place::Place;
use crate::hal::sim::redfish::power_state;

pub(super) fn chassis(v: &View<'_>) -> Parts {
    let d = v.d;
    let [_, model, _] = v.server.profile.texts;
    let mut rest = json!({
        "ChassisType": "RackMount",
        "Manufacturer": maybe(d.maker),
        "Model": when(d.maker.is_some(), json!(model)),
        "SerialNumber": format!("C{}", v.server.serial),
        "PartNumber": "CSE-217BHQ",
        "AssetTag": String::from_utf8_lossy(&v.server.dcmi.asset_tag),
        "PowerState": power_state(v.server, d),
        "Status": {"State": "Enabled", "Health": "OK"},
        "Power": when(d.classic, v.link(Place::Power)),
        "Thermal": when(d.classic, v.link(Place::Thermal)),
        "PowerSubsystem": when(d.modern, v.link(Place::PowerSubsystem)),
        "ThermalSubsystem": when(d.modern, v.link(Place::ThermalSubsystem)),
        "EnvironmentMetrics": when(d.modern, v.link(Place::Environment)),
        "Sensors": when(d.modern, v.link(Place::Sensors)),
        "Links": {
            "ComputerSystems": v.links(&[Place::System]),
            "ManagedBy": v.links(&[Place::Manager]),
        },
    });
    if let Some(map) = rest.as_object_mut() {
        map.extend(super::system::led(v));
    }
    (
        "Chassis.v1_23_0.Chassis",
        d.chassis.to_owned(),
        "Chassis".to_owned(),
        rest,
    )
}
