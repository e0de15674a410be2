use super::super::scripted::{CHASSIS, MANAGER, SYSTEM, obedient, server, within};
use super::*;
use crate::hal::redfish::Quirks;
use serde_json::json;

#[tokio::test]
async fn everything_from_where_it_stands() {
    let nics = "/redfish/v1/Managers/1/EthernetInterfaces";
    let nic = format!("{nics}/1");
    let documents = [
        (
            SYSTEM,
            json!({"Manufacturer": "Dell Inc.", "Model": "PowerEdge R750", "SerialNumber": "CNIVC0014M0388", "SKU": "F54P1G3",
            "PartNumber": "0WMWCRA01", "UUID": "4C4C4544-0035-3410-8050-C6C04F314733", "BiosVersion": "1.8.2",
            "Oem": {"Any": {"System": {"BIOSReleaseDate": "09/14/2022"}}}}),
        ),
        (
            CHASSIS,
            json!({"ChassisType": "RackMount", "PartNumber": "", "SerialNumber": "C1"}),
        ),
        (
            MANAGER,
            json!({"FirmwareVersion": "6.00.30.00", "EthernetInterfaces": {"@odata.id": nics}}),
        ),
        (nics, json!({"Members": [{"@odata.id": nic}]})),
        (
            nic.as_str(),
            json!({"MACAddress": "B0:7B:25:D6:51:82", "IPv4Addresses": [{"Address": "10.0.0.7", "Gateway": "10.0.0.1"}]}),
        ),
    ];
    let bmc = server(&documents, obedient);
    let quirks = Quirks {
        serial_is_sku: true,
        ..Quirks::default()
    };
    let got = RedfishIdentity(bmc.client(quirks))
        .info(&within(5))
        .await
        .unwrap();
    let info = got.value;
    assert_eq!(info.vendor.as_deref(), Some("Dell"));
    assert_eq!(info.serial.as_deref(), Some("F54P1G3"));
    assert_eq!(
        info.uuid.as_deref(),
        Some("4c4c4544-0035-3410-8050-c6c04f314733")
    );
    assert_eq!(
        info.uuid_raw.as_deref(),
        Some("4c4c4544003534108050c6c04f314733")
    );
    assert_eq!(info.bios.date.as_deref(), Some("09/14/2022"));
    assert_eq!(
        info.bmc.mac.map(|m| m.to_string()).as_deref(),
        Some("b0:7b:25:d6:51:82")
    );
    assert_eq!(
        info.bmc.ip.map(|i| i.to_string()).as_deref(),
        Some("10.0.0.7")
    );
    assert_eq!(info.fru.board_mfg_serial.as_deref(), Some("CNIVC0014M0388"));
    assert_eq!(info.fru.board_part_number.as_deref(), Some("0WMWCRA01"));
    assert_eq!(info.fru.product_serial.as_deref(), Some("F54P1G3"));
    assert_eq!(
        (
            info.fru.chassis_part_number,
            info.fru.chassis_part_serial.as_deref()
        ),
        (None, Some("C1"))
    );
}

#[tokio::test]
async fn fillers_are_absent_and_missing_parts_cost_only_themselves() {
    let system = json!({"Manufacturer": "To be filled by O.E.M.", "Model": null, "SerialNumber": "   ",
        "UUID": "00000000-0000-0000-0000-000000000000", "BiosVersion": "U46 v2.34 (03/11/2025)"});
    let bmc = server(&[(SYSTEM, system)], obedient);
    let info = RedfishIdentity(bmc.client(Quirks::default()))
        .info(&within(5))
        .await
        .unwrap()
        .value;
    assert_eq!(
        (info.vendor, info.model, info.serial, info.uuid),
        (None, None, None, None)
    );
    assert_eq!(info.bios.date.as_deref(), Some("03/11/2025"));
    assert_eq!(info.bmc.mac, None);
}

#[test]
fn uuids_are_told_from_other_texts() {
    assert_eq!(
        uuid("00000000-0000-0000-0000-AC1F6B18A45A").as_deref(),
        Some("00000000-0000-0000-0000-ac1f6b18a45a")
    );
    assert_eq!(
        uuid("6173ECEC6EF511EE834A0A8FC3A58A71").as_deref(),
        Some("6173ecec-6ef5-11ee-834a-0a8fc3a58a71")
    );
    for text in [
        "",
        "N/A",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "ä173ecec-6ef5-11ee-834a-0a8fc3a58a71",
    ] {
        assert_eq!(uuid(text), None, "{text}");
    }
    assert_eq!(without_url("https://www.mellanox.com"), "mellanox.com");
}
