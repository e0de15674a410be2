//! Sensors: the classic Thermal resource, ThermalSubsystem, and the Sensors collection.

use serde_json::{Map, Value};

use super::{Parts, View};
use crate::hal::model::json::json;
use crate::hal::sim::content::{Kind, SensorSpec};
use crate::hal::sim::redfish::place::Place;
use crate::hal::sim::state::Server;

/// Sensor types (IPMI Table 42-3).
pub const TEMPERATURE: u8 = 1;
/// Volts.
pub const VOLTAGE: u8 = 2;
/// Fans.
pub const FAN: u8 = 4;
/// Linearisation codes: 0 linear, 10 square root.
const SQUARE_ROOT: u8 = 10;

/// The sensor of that number.
pub fn spec(server: &Server, number: u8) -> Option<&SensorSpec> {
    server
        .profile
        .sensors
        .iter()
        .find(|spec| spec.number == number)
}

/// Analog sensors.
pub fn analog(server: &Server) -> impl Iterator<Item = &SensorSpec> {
    let all = server.profile.sensors.iter();
    all.filter(|spec| matches!(spec.kind, Kind::Analog { .. }))
}

/// Analog sensors of a type.
pub fn of_type(server: &Server, kind: u8) -> impl Iterator<Item = &SensorSpec> {
    analog(server).filter(move |spec| spec.sensor_type == kind)
}

/// Id of a sensor's resource.
pub fn id_of(server: &Server, number: u8) -> String {
    spec(server, number).map_or(String::new(), |spec| spec.name.replace([' ', '.'], "_"))
}

/// The value of a raw reading (IPMI §36.3).
fn convert(spec: &SensorSpec, raw: u8) -> Option<f64> {
    let Kind::Analog {
        m,
        b,
        b_exp,
        r_exp,
        signed,
        linearization,
        ..
    } = spec.kind
    else {
        return None;
    };
    let raw = if signed {
        f64::from(raw.cast_signed())
    } else {
        f64::from(raw)
    };
    let linear =
        (f64::from(m) * raw + f64::from(b) * 10f64.powi(b_exp.into())) * 10f64.powi(r_exp.into());
    let value = if linearization == SQUARE_ROOT {
        linear.sqrt()
    } else {
        linear
    };
    Some((value * 1e6).round() / 1e6)
}

/// The present value; `None` without a reading.
pub fn value(server: &Server, spec: &SensorSpec) -> Option<f64> {
    if (spec.needs_power && !server.power.on) || server.sensors.change(spec.number).absent.is_some()
    {
        return None;
    }
    convert(spec, server.sensors.state(spec).0)
}

/// The value as JSON: null without a reading.
pub(super) fn reading(v: &View<'_>, spec: &SensorSpec) -> Value {
    value(v.server, spec).map_or(Value::Null, |value| v.number(value))
}

/// State and health.
pub(super) fn status(server: &Server, spec: &SensorSpec) -> Value {
    if value(server, spec).is_none() {
        return json!({ "State": "UnavailableOffline", "Health": null });
    }
    let (_, states) = server.sensors.state(spec);
    // Bits: lower non-critical, critical, non-recoverable, then the upper ones.
    let health = match states & 0x3f {
        0 => "OK",
        s if s & 0b11_0110 != 0 => "Critical",
        _ => "Warning",
    };
    json!({ "State": "Enabled", "Health": health })
}

/// Thresholds by the classic resources' names.
fn classic_thresholds(v: &View<'_>, spec: &SensorSpec) -> Map<String, Value> {
    let names = [
        "LowerThresholdNonCritical",
        "LowerThresholdCritical",
        "LowerThresholdFatal",
        "UpperThresholdNonCritical",
        "UpperThresholdCritical",
        "UpperThresholdFatal",
    ];
    named(v, spec, names)
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

fn named(v: &View<'_>, spec: &SensorSpec, names: [&'static str; 6]) -> Vec<(&'static str, Value)> {
    let thresholds = v.server.sensors.thresholds(spec);
    names
        .into_iter()
        .zip(thresholds)
        .filter_map(|(name, raw)| Some((name, v.number(convert(spec, raw?)?))))
        .collect()
}

pub(super) fn thermal(v: &View<'_>) -> Parts {
    let server = v.server;
    let uri = v.uri(Place::Thermal);
    let entry = |list: &str, index: usize, spec: &SensorSpec, value: (&str, Value)| {
        let mut map = Map::new();
        let mut put = |name: &str, value: Value| map.insert(name.to_owned(), value);
        put("@odata.id", json!(format!("{uri}#/{list}/{index}")));
        put("MemberId", json!(index.to_string()));
        put("Name", json!(spec.name));
        put("SensorNumber", json!(spec.number));
        put(value.0, value.1);
        put("Status", status(server, spec));
        map.extend(classic_thresholds(v, spec));
        map
    };
    let temperatures: Vec<Value> = of_type(server, TEMPERATURE)
        .enumerate()
        .map(|(i, spec)| {
            Value::Object(entry(
                "Temperatures",
                i,
                spec,
                ("ReadingCelsius", reading(v, spec)),
            ))
        })
        .collect();
    let fans: Vec<Value> = of_type(server, FAN)
        .enumerate()
        .map(|(i, spec)| {
            let mut map = entry("Fans", i, spec, ("Reading", reading(v, spec)));
            map.insert("ReadingUnits".to_owned(), json!("RPM"));
            Value::Object(map)
        })
        .collect();
    let rest = json!({ "Temperatures": temperatures, "Fans": fans });
    (
        "Thermal.v1_7_1.Thermal",
        "Thermal".to_owned(),
        "Thermal".to_owned(),
        rest,
    )
}

pub(super) fn subsystem(v: &View<'_>) -> Parts {
    let rest = json!({
        "Status": {"State": "Enabled", "Health": "OK"},
        "Fans": v.link(Place::Fans),
    });
    (
        "ThermalSubsystem.v1_3_0.ThermalSubsystem",
        "ThermalSubsystem".to_owned(),
        "Thermal Subsystem".to_owned(),
        rest,
    )
}

pub(super) fn fan(v: &View<'_>, number: u8) -> Option<Parts> {
    let spec = spec(v.server, number)?;
    let rest = json!({
        "Status": status(v.server, spec),
        "SpeedPercent": {
            "DataSourceUri": v.uri(Place::Sensor(number)),
            "SpeedRPM": reading(v, spec),
        },
    });
    Some((
        "Fan.v1_5_0.Fan",
        id_of(v.server, number),
        spec.name.to_owned(),
        rest,
    ))
}

/// ReadingType and ReadingUnits of a sensor, by its IPMI unit.
fn quantity(spec: &SensorSpec) -> (&'static str, &'static str) {
    let Kind::Analog { unit, .. } = spec.kind else {
        return ("", "");
    };
    match unit {
        1 => ("Temperature", "Cel"),
        4 => ("Voltage", "V"),
        5 => ("Current", "A"),
        6 => ("Power", "W"),
        18 => ("Rotational", "{rev}/min"),
        _ => ("AirFlow", "[ft_i]3/min"),
    }
}

pub(super) fn sensor(v: &View<'_>, number: u8) -> Option<Parts> {
    let spec = spec(v.server, number)?;
    let (kind, unit) = quantity(spec);
    let names = [
        "LowerCaution",
        "LowerCritical",
        "LowerFatal",
        "UpperCaution",
        "UpperCritical",
        "UpperFatal",
    ];
    let thresholds: Map<String, Value> = named(v, spec, names)
        .into_iter()
        .map(|(name, value)| (name.to_owned(), json!({ "Reading": value })))
        .collect();
    let rest = json!({
        "ReadingType": kind,
        "ReadingUnits": unit,
        "Reading": reading(v, spec),
        "Status": status(v.server, spec),
        "Thresholds": thresholds,
    });
    Some((
        "Sensor.v1_7_0.Sensor",
        id_of(v.server, number),
        spec.name.to_owned(),
        rest,
    ))
}
