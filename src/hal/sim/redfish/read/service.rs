//! SessionService, TaskService, registries, UpdateService, and Dell's own services.

use super::{Parts, View, maybe};
use crate::hal::ipmi::time::rfc3339;
use crate::hal::model::json::json;
use crate::hal::sim::redfish::messages::REGISTRY;
use crate::hal::sim::redfish::place::Place;

/// Type and name of a collection.
pub(super) fn collection_names(place: Place) -> (&'static str, &'static str) {
    match place {
        Place::Systems => ("ComputerSystemCollection", "Systems"),
        Place::Managers => ("ManagerCollection", "Managers"),
        Place::ChassisAll => ("ChassisCollection", "Chassis"),
        Place::Nics => ("EthernetInterfaceCollection", "Ethernet Interfaces"),
        Place::Logs => ("LogServiceCollection", "Log Services"),
        Place::LogEntries => ("LogEntryCollection", "Log Entries"),
        Place::Supplies => ("PowerSupplyCollection", "Power Supplies"),
        Place::Fans => ("FanCollection", "Fans"),
        Place::Sensors => ("SensorCollection", "Sensors"),
        Place::Accounts => ("ManagerAccountCollection", "Accounts"),
        Place::Roles => ("RoleCollection", "Roles"),
        Place::Sessions => ("SessionCollection", "Sessions"),
        Place::Tasks => ("TaskCollection", "Tasks"),
        Place::Registries => ("MessageRegistryFileCollection", "Registries"),
        Place::Firmwares => ("SoftwareInventoryCollection", "Firmware"),
        Place::DellJobs => ("DellJobCollection", "JobQueue"),
        _ => ("Collection", "Collection"),
    }
}

pub(super) fn sessions(v: &View<'_>) -> Parts {
    let rest = json!({
        "ServiceEnabled": true,
        "Status": {"State": "Enabled", "Health": "OK"},
        "SessionTimeout": v.server.web.sessions.timeout.as_secs(),
        "Sessions": v.link(Place::Sessions),
    });
    (
        "SessionService.v1_1_9.SessionService",
        "SessionService".to_owned(),
        "Session Service".to_owned(),
        rest,
    )
}

pub(super) fn session(v: &View<'_>, id: u32) -> Option<Parts> {
    let (user, created) = v.server.web.sessions.get(id)?;
    let rest = json!({
        "UserName": maybe(v.server.users.get(user).map(super::accounts::name_of)),
        "Password": null,
        "SessionType": "Redfish",
        "CreatedTime": rfc3339(i64::from(created)),
    });
    Some((
        "Session.v1_7_1.Session",
        id.to_string(),
        "User Session".to_owned(),
        rest,
    ))
}

pub(super) fn tasks(v: &View<'_>) -> Parts {
    let rest = json!({
        "ServiceEnabled": true,
        "Status": {"State": "Enabled", "Health": "OK"},
        "DateTime": rfc3339(i64::from(v.server.clock.seconds(v.now))),
        "CompletedTaskOverWritePolicy": "Oldest",
        "LifeCycleEventOnTaskStateChange": false,
        "Tasks": v.link(Place::Tasks),
    });
    (
        "TaskService.v1_2_1.TaskService",
        "TaskService".to_owned(),
        "Task Service".to_owned(),
        rest,
    )
}

pub(super) fn registry(v: &View<'_>) -> Parts {
    let rest = json!({
        "Languages": ["en"],
        "Registry": REGISTRY,
        "Location": [{"Language": "en", "Uri": v.uri(Place::RegistryText)}],
    });
    (
        "MessageRegistryFile.v1_1_5.MessageRegistryFile",
        "Base".to_owned(),
        "Base Message Registry File".to_owned(),
        rest,
    )
}

pub(super) fn update(v: &View<'_>) -> Parts {
    let rest = json!({
        "ServiceEnabled": false,
        "Status": {"State": "Disabled", "Health": "OK"},
        "FirmwareInventory": v.link(Place::Firmwares),
    });
    (
        "UpdateService.v1_14_0.UpdateService",
        "UpdateService".to_owned(),
        "Update Service".to_owned(),
        rest,
    )
}

pub(super) fn firmware(v: &View<'_>, number: u8) -> Parts {
    let (id, version) = match number {
        0 => (
            "BMC",
            format!("{}{}", v.d.firmware_prefix, super::manager::version(v)),
        ),
        _ => ("BIOS", "3.6".to_owned()),
    };
    let rest = json!({
        "Version": version,
        "Updateable": false,
        "Status": {"State": "Enabled", "Health": "OK"},
    });
    (
        "SoftwareInventory.v1_10_2.SoftwareInventory",
        id.to_owned(),
        format!("{id} Firmware"),
        rest,
    )
}

pub(super) fn dell_lc(v: &View<'_>) -> Parts {
    let rest = json!({
        "Actions": {
            "#DellLCService.GetRemoteServicesAPIStatus": {"target": v.uri(Place::DellLcStatus)},
        },
    });
    (
        "DellLCService.v1_8_0.DellLCService",
        "DellLCService".to_owned(),
        "DellLCService".to_owned(),
        rest,
    )
}

pub(super) fn dell_attributes(v: &View<'_>) -> Parts {
    let enabled = if v.server.channel.flags & 7 >= 2 {
        "Enabled"
    } else {
        "Disabled"
    };
    let rest = json!({
        "Attributes": {
            "IPMILan.1.Enable": enabled,
            "IPMISOL.1.Enable": "Enabled",
            "IPMISOL.1.BaudRate": "115200",
            "SerialRedirection.1.Enable": "Enabled",
            "Lockdown.1.SystemLockdown": "Disabled",
            "WebServer.1.HostHeaderCheck": "Enabled",
        },
    });
    (
        "DellAttributes.v1_0_0.DellAttributes",
        "iDRACAttributes".to_owned(),
        "OEMAttributeRegistry".to_owned(),
        rest,
    )
}
