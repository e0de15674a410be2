use serde_json::json;

use super::super::scripted::{CHASSIS, SYSTEM, deaf, server, within};
use super::*;
use crate::hal::error::Kind;
use crate::hal::redfish::Quirks;

async fn read(
    power: &serde_json::Value,
) -> Result<Vec<(String, Option<String>, Option<String>)>, Kind> {
    let documents = [
        (
            SYSTEM,
            json!({"Links": {"Chassis": [{"@odata.id": CHASSIS}]}, "Actions": {"#ComputerSystem.Reset": {}}}),
        ),
        (
            CHASSIS,
            json!({"ChassisType": "RackMount", "Power": {"@odata.id": "/redfish/v1/Chassis/1/Power"},
                "PowerSubsystem": {"@odata.id": "/redfish/v1/Chassis/1/PowerSubsystem"}}),
        ),
        ("/redfish/v1/Chassis/1/Power", power.clone()),
        (
            "/redfish/v1/Chassis/1/PowerSubsystem",
            json!({"PowerSupplies": {"@odata.id": "/redfish/v1/Chassis/1/PS"}}),
        ),
        (
            "/redfish/v1/Chassis/1/PS",
            json!({"Members": [{"@odata.id": "/redfish/v1/Chassis/1/PS/1"}, {"@odata.id": "/redfish/v1/Chassis/1/PS/2"}]}),
        ),
        (
            "/redfish/v1/Chassis/1/PS/1",
            json!({"Name": "Bay 1", "Status": {"State": "Enabled", "Health": "Warning"}}),
        ),
    ];
    let client = server(&documents, deaf).client(Quirks::default());
    let got = RedfishSupplies(client).power_supplies(&within(5)).await;
    let plain = |s: PowerSupply| (s.name, s.health, s.state);
    got.map(|r| r.value.into_iter().map(plain).collect())
        .map_err(|e| e.kind())
}

#[tokio::test]
async fn power_lists_them_with_names_that_differ() {
    let status = json!({"Health": "OK", "State": "Enabled"});
    let power = json!({"PowerSupplies": [
        {"Name": "HpeServerPowerSupply", "MemberId": "0", "Status": status},
        null,
        {"Name": "HpeServerPowerSupply", "MemberId": "1", "Status": {"State": "Absent", "Health": null}},
        {"Name": "nil", "Status": null}
    ]});
    let text = |t: &str| Some(t.to_owned());
    let want = vec![
        (
            "HpeServerPowerSupply 0".to_owned(),
            text("OK"),
            text("Enabled"),
        ),
        ("HpeServerPowerSupply 1".to_owned(), None, text("Absent")),
        ("Power Supply 2".to_owned(), None, None),
    ];
    assert_eq!(read(&power).await, Ok(want));
}

#[tokio::test]
async fn power_subsystem_where_power_lists_none_and_a_member_is_missing() {
    let text = |t: &str| Some(t.to_owned());
    let want = vec![("Bay 1".to_owned(), text("Warning"), text("Enabled"))];
    assert_eq!(read(&json!({"PowerSupplies": []})).await, Ok(want));
}
