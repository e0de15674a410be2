use serde_json::{Value, json};

use super::super::scripted::{CHASSIS, SYSTEM, Scripted, deaf, server, within};
use super::*;
use crate::hal::error::Kind;
use crate::hal::redfish::Quirks;

fn bmc(chassis: Value, more: &[(&str, Value)]) -> Arc<Scripted> {
    let mut documents = vec![
        (
            SYSTEM,
            json!({"Links": {"Chassis": [{"@odata.id": CHASSIS}]}, "Actions": {"#ComputerSystem.Reset": {}}}),
        ),
        (CHASSIS, chassis),
    ];
    documents.extend(more.iter().cloned());
    server(&documents, deaf)
}

type Row = (String, String, Option<f64>, Option<String>, String);

async fn read(bmc: &Arc<Scripted>) -> Result<(Vec<Row>, String), Kind> {
    let sensors = RedfishSensors(bmc.client(Quirks::default()));
    let got = sensors.sensors(&within(20), false).await;
    let row = |s: SensorValue| (s.name, s.kind, s.value, s.unit, s.status);
    got.map(|r| (r.value.into_iter().map(row).collect(), r.source.at))
        .map_err(|e| e.kind())
}

fn row(name: &str, kind: &str, value: Option<f64>, unit: &str, status: &str) -> Row {
    let unit = (!unit.is_empty()).then(|| unit.to_owned());
    (
        name.to_owned(),
        kind.to_owned(),
        value,
        unit,
        status.to_owned(),
    )
}

#[tokio::test]
async fn thermal_and_power_in_two_requests() {
    let bmc = bmc(
        json!({"ChassisType": "RackMount", "Thermal": {"@odata.id": "/redfish/v1/T"}, "Power": {"@odata.id": "/redfish/v1/P"}}),
        &[
            (
                "/redfish/v1/T",
                json!({"Temperatures": [
                    {"Name": "Inlet", "ReadingCelsius": 21, "Status": {"State": "Enabled", "Health": "OK"}},
                    {"Name": "CPU", "ReadingCelsius": 97, "UpperThresholdNonCritical": 90, "UpperThresholdCritical": 95,
                     "Status": {"State": "Enabled", "Health": "Warning"}},
                    {"Name": "CPU 2", "ReadingCelsius": 0, "Status": {"State": "Absent"}}, null],
                 "Fans": [{"FanName": "Fan 1", "Reading": 51, "ReadingUnits": "Percent"}, {"Name": "Fan 2", "ReadingRPM": 4000},
                    {"Name": "Fan 3", "Reading": null, "ReadingUnits": "RPM"}]}),
            ),
            (
                "/redfish/v1/P",
                json!({"Voltages": [{"ReadingVolts": "12.1"}], "PowerControl": [{"Name": "System", "PowerConsumedWatts": 614}]}),
            ),
        ],
    );
    let (rows, at) = read(&bmc).await.unwrap();
    assert_eq!(
        rows,
        [
            row("Inlet", "Temperature", Some(21.0), "degrees C", "ok"),
            row(
                "CPU",
                "Temperature",
                Some(97.0),
                "degrees C",
                "upper critical"
            ),
            row("CPU 2", "Temperature", None, "degrees C", "absent"),
            row("Fan 1", "Fan", Some(51.0), "percent", "ok"),
            row("Fan 2", "Fan", Some(4000.0), "RPM", "ok"),
            row("Fan 3", "Fan", None, "RPM", "no reading"),
            row("Voltage 0", "Voltage", Some(12.1), "Volts", "ok"),
            row("System", "Power", Some(614.0), "Watts", "ok"),
        ]
    );
    assert_eq!(at, "/redfish/v1/T and 1 more");
}

fn collection(path: &str, ids: std::ops::Range<usize>) -> Value {
    let members: Vec<Value> = ids
        .map(|n| json!({"@odata.id": format!("{path}/{n}")}))
        .collect();
    json!({ "Members": members })
}

#[tokio::test]
async fn single_sensors_are_bounded_and_the_cut_is_said() {
    let list = "/redfish/v1/S";
    let mut documents: Vec<(String, Value)> = (0..200)
        .map(|n| {
            let json = json!({"Name": format!("S{n}"), "Reading": n, "ReadingType": "Current", "ReadingUnits": "Watts",
                "Thresholds": {"UpperCaution": {"Reading": 500}}});
            (format!("{list}/{n}"), json)
        })
        .collect();
    documents.push((list.to_owned(), collection(list, 0..200)));
    let documents: Vec<(&str, Value)> = documents
        .iter()
        .map(|(p, j)| (p.as_str(), j.clone()))
        .collect();
    let bmc = bmc(
        json!({"ChassisType": "RackMount", "Sensors": {"@odata.id": list}}),
        &documents,
    );
    let (rows, at) = read(&bmc).await.unwrap();
    assert_eq!(rows.len(), MOST);
    assert_eq!(
        rows.first(),
        Some(&row("S0", "Power", Some(0.0), "Watts", "ok"))
    );
    assert!(at.ends_with("(cut: 40 sensors were not asked for)"), "{at}");
}

#[tokio::test]
async fn all_sensors_at_once_where_expand_is_to_be_trusted() {
    let list = "/redfish/v1/S";
    let expanded = json!({"Members": [{"Name": "A", "Reading": 1.5, "ReadingUnits": "V"}]});
    let bmc = bmc(
        json!({"ChassisType": "RackMount", "Sensors": {"@odata.id": list}}),
        &[("/redfish/v1/S?$expand=*", expanded)],
    );
    let quirks = Quirks {
        expand: Some("*"),
        ..Quirks::default()
    };
    let got = RedfishSensors(bmc.client(quirks))
        .sensors(&within(5), false)
        .await;
    let value = got.unwrap().value;
    assert_eq!(
        value.first().map(|s| (s.name.as_str(), s.value)),
        Some(("A", Some(1.5)))
    );
}

#[tokio::test]
async fn thermal_subsystem_where_there_is_nothing_else() {
    let bmc = bmc(
        json!({"ChassisType": "RackMount", "ThermalSubsystem": {"@odata.id": "/redfish/v1/TS"}}),
        &[
            (
                "/redfish/v1/TS",
                json!({"Fans": {"@odata.id": "/redfish/v1/F"}, "ThermalMetrics": {"@odata.id": "/redfish/v1/TM"}}),
            ),
            ("/redfish/v1/F", collection("/redfish/v1/F", 1..3)),
            (
                "/redfish/v1/F/1",
                json!({"Name": "Fan Bay 1", "SpeedPercent": {"Reading": 45, "SpeedRPM": 2200}}),
            ),
            (
                "/redfish/v1/TM",
                json!({"TemperatureReadingsCelsius": [{"DataSourceUri": "/redfish/v1/S/Inlet", "Reading": 19}, {"Reading": null}]}),
            ),
        ],
    );
    let (rows, _) = read(&bmc).await.unwrap();
    assert_eq!(
        rows,
        [
            row("Fan Bay 1", "Fan", Some(2200.0), "RPM", "ok"),
            row("Inlet", "Temperature", Some(19.0), "degrees C", "ok"),
        ]
    );
}

#[tokio::test]
async fn a_chassis_without_sensors_is_unsupported() {
    let bmc = bmc(json!({"ChassisType": "RackMount"}), &[]);
    assert_eq!(read(&bmc).await, Err(Kind::Unsupported));
}
