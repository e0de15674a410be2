//! The service root, the OData document and $metadata.

use serde_json::Value;

use super::{Parts, View, maybe, when};
use crate::hal::model::json::json;
use crate::hal::sim::redfish::place::Place;
use crate::hal::sim::redfish::{mac_text, uuid};

/// Links of the service root.
const LINKS: &[(&str, Place)] = &[
    ("Systems", Place::Systems),
    ("Managers", Place::Managers),
    ("Chassis", Place::ChassisAll),
    ("AccountService", Place::AccountService),
    ("SessionService", Place::SessionService),
    ("UpdateService", Place::UpdateService),
    ("Tasks", Place::TaskService),
    ("Registries", Place::Registries),
];

pub(super) fn root(v: &View<'_>) -> Parts {
    let d = v.d;
    let queries = json!({
        "ExpandQuery": when(d.queries, json!({
            "ExpandAll": true, "Levels": true, "Links": true, "NoLinks": true, "MaxLevels": super::super::query::MAX_LEVELS,
        })),
        "SelectQuery": d.queries,
        "FilterQuery": false,
        "OnlyMemberQuery": d.queries,
        "ExcerptQuery": false,
        "TopSkipQuery": true,
    });
    let queries: serde_json::Map<String, Value> = match queries {
        Value::Object(map) => map
            .into_iter()
            .filter(|(_, value)| value.as_str() != Some(super::ABSENT))
            .collect(),
        _ => serde_json::Map::new(),
    };
    let mut rest = json!({
        "RedfishVersion": d.version,
        "UUID": maybe(d.root_uuid.then(|| uuid(v.server, d))),
        "Vendor": maybe(d.vendor),
        "Product": maybe(d.product),
        "ProtocolFeaturesSupported": queries,
    });
    if let Some(map) = rest.as_object_mut() {
        for (name, place) in LINKS {
            map.insert((*name).to_owned(), v.link(*place));
        }
        map.insert(
            "Links".to_owned(),
            json!({ "Sessions": v.link(Place::Sessions) }),
        );
        if let Some(oem) = d.oem {
            map.insert("Oem".to_owned(), json!({ oem: vendor(v, oem) }));
        }
    }
    (
        "ServiceRoot.v1_16_0.ServiceRoot",
        "RootService".to_owned(),
        "Root Service".to_owned(),
        rest,
    )
}

/// What vendors tell before a login.
fn vendor(v: &View<'_>, oem: &str) -> Value {
    match oem {
        "Dell" => json!({
            "@odata.type": "#DellServiceRoot.v1_0_0.DellServiceRoot",
            "IsBranded": 0,
            "ManagerMACAddress": mac_text(v.server.lan.mac),
            "ServiceTag": v.server.serial,
        }),
        "Hpe" => json!({
            "@odata.type": "#HpeiLOServiceExt.v2_4_0.HpeiLOServiceExt",
            "Manager": [{
                "ManagerType": v.d.manager_model,
                "ManagerFirmwareVersion": super::manager::version(v),
                "HostName": format!("ILO{}", v.server.serial),
                "Status": {"Health": "OK"},
            }],
            "Moniker": {"PRODGEN": v.d.manager_model, "BMC": "iLO"},
        }),
        "Ami" => json!({
            "@odata.type": "#AMIServiceRoot.v1_0_0.AMIServiceRoot",
            "RtpVersion": "1.11.0",
        }),
        _ => json!({}),
    }
}

pub(super) fn odata(v: &View<'_>) -> Value {
    let mut values = vec![json!({"name": "Service", "kind": "Singleton", "url": "/redfish/v1/"})];
    values.extend(
        LINKS
            .iter()
            .map(|(name, place)| json!({"name": name, "kind": "Singleton", "url": v.uri(*place)})),
    );
    values.push(json!({"name": "Sessions", "kind": "Singleton", "url": v.uri(Place::Sessions)}));
    json!({ "@odata.context": "/redfish/v1/$metadata", "value": values })
}

/// $metadata: which schemas are used, and the one container.
pub fn metadata() -> String {
    use std::fmt::Write as _;

    const SCHEMAS: &[&str] = &[
        "ServiceRoot",
        "ComputerSystemCollection",
        "ComputerSystem",
        "ManagerCollection",
        "Manager",
        "ManagerNetworkProtocol",
        "EthernetInterfaceCollection",
        "EthernetInterface",
        "ChassisCollection",
        "Chassis",
        "Power",
        "Thermal",
        "PowerSubsystem",
        "PowerSupplyCollection",
        "PowerSupply",
        "ThermalSubsystem",
        "FanCollection",
        "Fan",
        "EnvironmentMetrics",
        "SensorCollection",
        "Sensor",
        "AccountService",
        "ManagerAccountCollection",
        "ManagerAccount",
        "RoleCollection",
        "Role",
        "SessionService",
        "SessionCollection",
        "Session",
        "LogServiceCollection",
        "LogService",
        "LogEntryCollection",
        "LogEntry",
        "TaskService",
        "TaskCollection",
        "MessageRegistryFileCollection",
        "MessageRegistryFile",
        "MessageRegistry",
        "UpdateService",
        "SoftwareInventoryCollection",
        "SoftwareInventory",
        "ActionInfo",
        "Message",
        "Settings",
    ];
    let mut out = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <edmx:Edmx xmlns:edmx=\"http://docs.oasis-open.org/odata/ns/edmx\" Version=\"4.0\">\n",
    );
    for schema in SCHEMAS {
        let _ = write!(
            out,
            "  <edmx:Reference Uri=\"http://redfish.dmtf.org/schemas/v1/{schema}_v1.xml\">\n    \
             <edmx:Include Namespace=\"{schema}\"/>\n"
        );
        if *schema == "ServiceRoot" {
            out.push_str("    <edmx:Include Namespace=\"ServiceRoot.v1_16_0\"/>\n");
        }
        out.push_str("  </edmx:Reference>\n");
    }
    out.push_str(
        "  <edmx:Reference Uri=\"http://redfish.dmtf.org/schemas/v1/RedfishExtensions_v1.xml\">\n    \
         <edmx:Include Namespace=\"RedfishExtensions.v1_0_0\" Alias=\"Redfish\"/>\n  </edmx:Reference>\n  \
         <edmx:DataServices>\n    <Schema xmlns=\"http://docs.oasis-open.org/odata/ns/edm\" Namespace=\"Service\">\n      \
         <EntityContainer Name=\"Service\" Extends=\"ServiceRoot.v1_16_0.ServiceContainer\"/>\n    \
         </Schema>\n  </edmx:DataServices>\n</edmx:Edmx>\n",
    );
    out
}
