//! One resource per sensor (Redfish 2020.4): `Sensor`, `Fan`, `ThermalMetrics`.

use super::super::read::{last_segment, parts};
use super::words;
use crate::hal::model::sensor::{SensorValue, Thresholds};
use crate::hal::redfish::Resource;

/// A `Sensor`; `None` for what is none.
pub(super) fn of_sensor(sensor: &Resource) -> Option<SensorValue> {
    let name = sensor.str("/Name").or_else(|| sensor.str("/Id"))?;
    let limit = |which: &str| sensor.num(&format!("/Thresholds/{which}/Reading"));
    let thresholds = words::set(Thresholds {
        lower_non_recoverable: limit("LowerFatal"),
        lower_critical: limit("LowerCritical"),
        lower_non_critical: limit("LowerCaution"),
        upper_non_critical: limit("UpperCaution"),
        upper_critical: limit("UpperCritical"),
        upper_non_recoverable: limit("UpperFatal"),
    });
    let (value, status) = words::state(sensor, sensor.num("/Reading"), &thresholds);
    let unit = sensor.str("/ReadingUnits").and_then(words::unit);
    Some(SensorValue {
        name: name.to_owned(),
        kind: words::kind(sensor.str("/ReadingType"), unit.as_deref()),
        value,
        unit,
        status,
        thresholds,
    })
}

/// A `Fan` of `ThermalSubsystem`.
pub(super) fn of_fan(fan: &Resource) -> Option<SensorValue> {
    let name = fan.str("/Name").or_else(|| fan.str("/Id"))?;
    let rpm = fan.num("/SpeedPercent/SpeedRPM");
    let reading = rpm.or_else(|| fan.num("/SpeedPercent/Reading"));
    let unit = if rpm.is_some() { "RPM" } else { "percent" };
    let thresholds = Thresholds::default();
    let (value, status) = words::state(fan, reading, &thresholds);
    Some(SensorValue {
        name: name.to_owned(),
        kind: "Fan".to_owned(),
        value,
        unit: Some(unit.to_owned()),
        status,
        thresholds,
    })
}

/// All temperatures of `ThermalMetrics`.
pub(super) fn of_thermal_metrics(metrics: &Resource) -> Vec<SensorValue> {
    parts(metrics, "/TemperatureReadingsCelsius")
        .iter()
        .filter_map(|excerpt| {
            let value = excerpt.num("/Reading")?;
            let name = excerpt
                .str("/DeviceName")
                .or_else(|| excerpt.str("/DataSourceUri").map(last_segment))
                .or_else(|| excerpt.str("/PhysicalContext"))?;
            Some(SensorValue {
                name: name.to_owned(),
                kind: "Temperature".to_owned(),
                value: Some(value),
                unit: Some("degrees C".to_owned()),
                status: "ok".to_owned(),
                thresholds: Thresholds::default(),
            })
        })
        .collect()
}
