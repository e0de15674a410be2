use serde_json::{Value, json};

use super::super::scripted::{CHASSIS, SYSTEM, deaf, server, within};
use super::*;
use crate::hal::error::Kind;
use crate::hal::redfish::{OemWatts, Quirks};

async fn read(documents: &[(&str, Value)]) -> Result<(PowerMetrics, String), Kind> {
    read_with(documents, Quirks::default()).await
}

async fn read_with(
    documents: &[(&str, Value)],
    quirks: Quirks,
) -> Result<(PowerMetrics, String), Kind> {
    let mut all = vec![(
        SYSTEM,
        json!({"Links": {"Chassis": [{"@odata.id": CHASSIS}]}, "PowerState": "On",
        "Actions": {"#ComputerSystem.Reset": {}}}),
    )];
    all.extend(documents.iter().cloned());
    let client = server(&all, deaf).client(quirks);
    let got = RedfishMetrics(client).power_metrics(&within(5)).await;
    got.map(|r| (r.value, r.source.at)).map_err(|e| e.kind())
}

fn chassis(kind: &str, more: &Value) -> (&'static str, Value) {
    let mut json = json!({"@odata.id": CHASSIS, "ChassisType": kind});
    for (key, value) in more.as_object().unwrap() {
        json[key] = json!({ "@odata.id": value });
    }
    (CHASSIS, json)
}

const POWER: &str = "/redfish/v1/Chassis/1/Power";

#[tokio::test]
async fn power_control_of_the_machine() {
    let power = json!({"PowerControl": [null, {"Name": "idle"}, {"PowerConsumedWatts": "614", "PowerMetrics":
        {"AverageConsumedWatts": null, "MinConsumedWatts": 610, "MaxConsumedWatts": 616.5, "IntervalInMin": 1}},
        {"PowerConsumedWatts": 99}]});
    let (metrics, at) = read(&[
        chassis("RackMount", &json!({"Power": POWER})),
        (POWER, power),
    ])
    .await
    .unwrap();
    assert_eq!(
        at,
        "/redfish/v1/Chassis/1/Power PowerControl/1/PowerConsumedWatts"
    );
    let want = PowerMetrics {
        consumed_watts: Some(614.0),
        average_watts: None,
        min_watts: Some(610.0),
        max_watts: Some(616.5),
        interval_minutes: Some(1.0),
        supplies: Vec::new(),
    };
    assert_eq!(metrics, want);
}

#[tokio::test]
async fn averages_without_a_present_consumption_stay_what_they_are() {
    let power = json!({"PowerControl": {"PowerMetrics": {"AverageConsumedWatts": 70}}});
    let (metrics, _) = read(&[
        chassis("RackMount", &json!({"Power": POWER})),
        (POWER, power),
    ])
    .await
    .unwrap();
    assert_eq!(
        (metrics.consumed_watts, metrics.average_watts),
        (None, Some(70.0))
    );
}

#[tokio::test]
async fn environment_metrics_where_power_says_nothing() {
    const ENVIRONMENT: &str = "/redfish/v1/Chassis/1/EnvironmentMetrics";
    let zeroes = json!({"PowerControl": [{"PowerMetrics": {"AverageConsumedWatts": 0, "MaxConsumedWatts": 0}}]});
    let links = json!({"Power": POWER, "EnvironmentMetrics": ENVIRONMENT});
    let (metrics, at) = read(&[
        chassis("RackMount", &links),
        (POWER, zeroes.clone()),
        (ENVIRONMENT, json!({"PowerWatts": {"Reading": 374}})),
    ])
    .await
    .unwrap();
    assert_eq!(metrics.consumed_watts, Some(374.0));
    assert_eq!(metrics.average_watts, None);
    assert_eq!(at, "/redfish/v1/Chassis/1/EnvironmentMetrics PowerWatts");
    let nothing = [chassis("RackMount", &links), (POWER, zeroes)];
    assert_eq!(read(&nothing).await, Err(Kind::Unsupported));
}

#[tokio::test]
async fn the_sum_of_what_all_supplies_take() {
    const SUBSYSTEM: &str = "/redfish/v1/Chassis/1/PowerSubsystem";
    const SUPPLIES: &str = "/redfish/v1/Chassis/1/PowerSubsystem/PowerSupplies";
    let supply = |n: u8| {
        json!({"@odata.id": format!("{SUPPLIES}/{n}"), "Name": n.to_string(),
            "Metrics": {"@odata.id": format!("{SUPPLIES}/{n}/Metrics")}})
    };
    let mut documents = vec![
        chassis("RackMount", &json!({"PowerSubsystem": SUBSYSTEM})),
        (SUBSYSTEM, json!({"PowerSupplies": {"@odata.id": SUPPLIES}})),
        (SUPPLIES, json!({"Members": [supply(1), supply(2)]})),
        (
            "/redfish/v1/Chassis/1/PowerSubsystem/PowerSupplies/1/Metrics",
            json!({"InputPowerWatts": {"Reading": 303.0}}),
        ),
    ];
    assert_eq!(read(&documents).await, Err(Kind::Unsupported));
    documents.push((
        "/redfish/v1/Chassis/1/PowerSubsystem/PowerSupplies/2/Metrics",
        json!({"InputPowerWatts": {"Reading": 301.5}}),
    ));
    let (metrics, at) = read(&documents).await.unwrap();
    assert_eq!(metrics.consumed_watts, Some(604.5));
    assert!(at.starts_with(SUPPLIES), "{at}");
}

#[tokio::test]
async fn what_the_supplies_give_where_only_their_sensors_tell_it() {
    const SUBSYSTEM: &str = "/redfish/v1/Chassis/1/PowerSubsystem";
    let metrics = |n: u8| json!({"OutputPowerWatts": {"DataSourceUri": format!("/redfish/v1/Chassis/1/Sensors/PSU{n}")}});
    let supply = |n: u8| json!({"@odata.id": format!("/redfish/v1/S/{n}"), "Name": "PSU", "Metrics": {"@odata.id": format!("/redfish/v1/M/{n}")}});
    let mut documents = vec![
        chassis("RackMount", &json!({"PowerSubsystem": SUBSYSTEM})),
        (
            SUBSYSTEM,
            json!({"PowerSupplies": {"@odata.id": "/redfish/v1/S"}}),
        ),
        ("/redfish/v1/S", json!({"Members": [supply(1), supply(2)]})),
        ("/redfish/v1/M/1", metrics(1)),
        ("/redfish/v1/M/2", metrics(2)),
        (
            "/redfish/v1/Chassis/1/Sensors/PSU1",
            json!({"Reading": 351}),
        ),
    ];
    assert_eq!(
        read(&documents).await,
        Err(Kind::Unsupported),
        "one is silent"
    );
    documents.push((
        "/redfish/v1/Chassis/1/Sensors/PSU2",
        json!({"Reading": 312}),
    ));
    let (metrics, at) = read(&documents).await.unwrap();
    assert_eq!(metrics.consumed_watts, Some(663.0));
    assert_eq!(at, "/redfish/v1/S sum of OutputPowerWatts");
}

#[tokio::test]
async fn watts_in_a_vendors_own_part_of_power() {
    let quirks = Quirks {
        oem_watts: Some(OemWatts {
            at: &[
                "/Oem/Fsas/ChassisPowerConsumption",
                "/Oem/ts_fujitsu/ChassisPowerConsumption",
            ],
            names: [
                "CurrentPowerConsumptionW",
                "AveragePowerW",
                "MinimumPowerW",
                "PeakPowerW",
            ],
        }),
        ..Quirks::default()
    };
    let power = json!({"PowerControl": [{"PowerConsumedWatts": 0}], "Oem": {"ts_fujitsu": {"ChassisPowerConsumption": {
        "CurrentPowerConsumptionW": 131, "MinimumPowerW": 98, "PeakPowerW": 240, "AveragePowerW": null}}}});
    let documents = [
        chassis("RackMount", &json!({"Power": POWER})),
        (POWER, power),
    ];
    let (metrics, at) = read_with(&documents, quirks).await.unwrap();
    let want = [Some(131.0), None, Some(98.0), Some(240.0)];
    let got = [
        metrics.consumed_watts,
        metrics.average_watts,
        metrics.min_watts,
        metrics.max_watts,
    ];
    assert_eq!(got, want);
    assert!(
        at.ends_with("Oem/ts_fujitsu/ChassisPowerConsumption"),
        "{at}"
    );
}
