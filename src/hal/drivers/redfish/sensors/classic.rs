//! `Thermal` and `Power`: the resources that older and most present BMCs have.

use super::super::read::parts;
use super::words;
use crate::hal::model::sensor::{SensorValue, Thresholds};
use crate::hal::redfish::Resource;

/// Temperatures and fans.
pub(super) fn of_thermal(thermal: &Resource) -> Vec<SensorValue> {
    let temperatures = parts(thermal, "/Temperatures");
    let fans = parts(thermal, "/Fans");
    let temperatures = temperatures.iter().enumerate().map(|(n, sensor)| {
        let reading = sensor.num("/ReadingCelsius");
        value(sensor, "Temperature", n, reading, Some("degrees C"))
    });
    let fans = fans.iter().enumerate().map(|(n, sensor)| {
        // Schemas before 1.1 call it ReadingRPM, iLO 4 CurrentReading.
        let rpm = sensor.num("/ReadingRPM");
        let reading = sensor
            .num("/Reading")
            .or(rpm)
            .or_else(|| sensor.num("/CurrentReading"));
        let unit = sensor
            .str("/ReadingUnits")
            .or_else(|| sensor.str("/Units"))
            .unwrap_or(if rpm.is_some() { "RPM" } else { "" });
        value(sensor, "Fan", n, reading, Some(unit))
    });
    temperatures.chain(fans).collect()
}

/// Voltages and consumption.
pub(super) fn of_power(power: &Resource) -> Vec<SensorValue> {
    let voltages = parts(power, "/Voltages");
    let controls = parts(power, "/PowerControl");
    let voltages = voltages.iter().enumerate().map(|(n, sensor)| {
        let reading = sensor.num("/ReadingVolts");
        value(sensor, "Voltage", n, reading, Some("Volts"))
    });
    let controls = controls.iter().enumerate().filter_map(|(n, control)| {
        let reading = control.num("/PowerConsumedWatts")?;
        Some(value(control, "Power", n, Some(reading), Some("Watts")))
    });
    voltages.chain(controls).collect()
}

fn value(
    sensor: &Resource,
    kind: &str,
    n: usize,
    reading: Option<f64>,
    unit: Option<&str>,
) -> SensorValue {
    let thresholds = words::set(Thresholds {
        lower_non_recoverable: sensor.num("/LowerThresholdFatal"),
        lower_critical: sensor.num("/LowerThresholdCritical"),
        lower_non_critical: sensor.num("/LowerThresholdNonCritical"),
        upper_non_critical: sensor.num("/UpperThresholdNonCritical"),
        upper_critical: sensor.num("/UpperThresholdCritical"),
        upper_non_recoverable: sensor.num("/UpperThresholdFatal"),
    });
    let (value, status) = words::state(sensor, reading, &thresholds);
    let name = sensor
        .str("/Name")
        .or_else(|| sensor.str("/FanName"))
        .map_or_else(|| format!("{kind} {n}"), str::to_owned);
    SensorValue {
        name,
        kind: kind.to_owned(),
        value,
        unit: unit.and_then(words::unit),
        status,
        thresholds,
    }
}
