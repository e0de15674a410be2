use serde_json::json;

use super::super::scripted::{CHASSIS, SYSTEM, deaf, server, within};
use super::*;
use crate::hal::redfish::Quirks;

#[tokio::test]
async fn the_machine_and_its_assembly() {
    let documents = [
        (
            SYSTEM,
            json!({"Name": "System", "Manufacturer": "Dell Inc.", "Model": "PowerEdge R750", "SKU": "F54P1G3", "SerialNumber": " ",
                "Links": {"Chassis": [{"@odata.id": CHASSIS}]}, "Actions": {"#ComputerSystem.Reset": {}}}),
        ),
        (
            CHASSIS,
            json!({"ChassisType": "RackMount", "PartNumber": "0WMWCRA01", "SerialNumber": "Default string",
                "Assembly": {"@odata.id": "/redfish/v1/A"}}),
        ),
        (
            "/redfish/v1/A",
            json!({"Assemblies": [{"Name": "PDB", "Producer": "Foxconn", "PartNumber": "699", "ProductionDate": "2024-08-31"},
                {"Name": "empty"}, null]}),
        ),
    ];
    let client = server(&documents, deaf).client(Quirks::default());
    let inventory = RedfishInventory(client);
    let devices = inventory.fru(&within(5), None).await.unwrap().value;
    let plain: Vec<Value> = devices
        .iter()
        .map(|d| serde_json::to_value(d).unwrap())
        .collect();
    assert_eq!(
        json!(plain),
        json!([
            {"id": 0, "name": "System", "chassis": {"type": "RackMount", "part_number": "0WMWCRA01"}, "board": null,
             "product": {"manufacturer": "Dell Inc.", "product_name": "PowerEdge R750", "part_number": "F54P1G3"}, "multirecord": []},
            {"id": 1, "name": "PDB", "chassis": null,
             "board": {"mfg_date": "2024-08-31", "manufacturer": "Foxconn", "part_number": "699"}, "product": null, "multirecord": []},
        ])
    );
    let one = inventory.fru(&within(5), Some(1)).await.unwrap().value;
    assert_eq!(one.len(), 1);
    let none = inventory.fru(&within(5), Some(7)).await.unwrap_err();
    assert_eq!(none.kind(), Kind::Refused);
}
