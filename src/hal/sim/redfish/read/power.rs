//! Power: the classic resource, PowerSubsystem, EnvironmentMetrics. The watts are DCMI's.

use serde_json::Value;

use super::sensors::{self, spec, value};
use super::{Parts, View};
use crate::hal::ipmi::fru::Fru;
use crate::hal::model::json::json;
use crate::hal::sim::redfish::place::Place;
use crate::hal::sim::state::Server;

/// Watts of a host that is off, as DCMI has them.
const STANDBY: u16 = 12;
/// Sensor numbers of PSU1: input and status; PSU2 has the next ones.
const INPUT: u8 = 0x30;
const STATUS: u8 = 0x40;

/// Numbers of the power supplies, from 1.
pub fn supplies(server: &Server) -> impl Iterator<Item = u8> + '_ {
    (1..=2).filter(|n| spec(server, STATUS + n - 1).is_some())
}

/// What is known of a power supply.
struct Supply {
    maker: Value,
    model: Value,
    serial: Value,
    part: Value,
    input: Option<f64>,
    state: &'static str,
    health: Value,
}

fn details(server: &Server, number: u8) -> Supply {
    let image = server.frus.get(usize::from(number));
    let fru = image.and_then(|image| Fru::parse(image).ok());
    let product = fru.as_ref().map(Fru::summary);
    let text = |value: Option<String>| value.map_or(Value::Null, Value::String);
    let states = spec(server, STATUS + number - 1).map_or(0, |s| server.sensors.state(s).1);
    let present = states & 1 != 0;
    let failed = states & 0x0e != 0;
    Supply {
        maker: text(
            product
                .as_ref()
                .and_then(|p| p.product_manufacturer.clone()),
        ),
        model: text(fru.as_ref().and_then(Fru::model)),
        serial: text(product.as_ref().and_then(|p| p.product_serial.clone())),
        part: text(product.as_ref().and_then(|p| p.product_part_number.clone())),
        input: spec(server, INPUT + number - 1).and_then(|s| value(server, s)),
        state: if present { "Enabled" } else { "Absent" },
        health: match (present, failed) {
            (false, _) => Value::Null,
            (true, true) => json!("Critical"),
            (true, false) => json!("OK"),
        },
    }
}

fn watts(server: &Server) -> u16 {
    if server.power.on {
        server.dcmi.watts
    } else {
        STANDBY
    }
}

pub(super) fn classic(v: &View<'_>) -> Parts {
    let server = v.server;
    let (lowest, highest, average) = server.dcmi.statistics;
    let limit = server.dcmi.limit.filter(|l| l.active).map(|l| l.watts);
    let uri = v.uri(Place::Power);
    let supplies: Vec<Value> = supplies(server)
        .zip(0u32..)
        .map(|(number, index)| {
            let s = details(server, number);
            json!({
                "@odata.id": format!("{uri}#/PowerSupplies/{index}"),
                "MemberId": number.to_string(),
                "Name": format!("PSU{number}"),
                "Manufacturer": s.maker, "Model": s.model, "SerialNumber": s.serial, "PartNumber": s.part,
                "PowerSupplyType": "AC",
                "LineInputVoltage": v.number(230.0),
                "PowerCapacityWatts": v.number(750.0),
                "PowerInputWatts": s.input.map_or(Value::Null, |w| v.number(w)),
                "LastPowerOutputWatts": s.input.map_or(Value::Null, |w| v.number((w * 0.9).round())),
                "Status": {"State": s.state, "Health": s.health},
            })
        })
        .collect();
    let voltages: Vec<Value> = sensors::of_type(server, sensors::VOLTAGE)
        .zip(0u32..)
        .map(|(spec, index)| {
            json!({
                "@odata.id": format!("{uri}#/Voltages/{index}"),
                "MemberId": index.to_string(),
                "Name": spec.name,
                "SensorNumber": spec.number,
                "ReadingVolts": sensors::reading(v, spec),
                "Status": sensors::status(server, spec),
            })
        })
        .collect();
    let rest = json!({
        "PowerControl": [{
            "@odata.id": format!("{uri}#/PowerControl/0"),
            "MemberId": "0",
            "Name": "System Power Control",
            "PowerConsumedWatts": v.number(f64::from(watts(server))),
            "PowerCapacityWatts": v.number(1500.0),
            "PowerLimit": {"LimitInWatts": limit, "LimitException": "NoAction"},
            "PowerMetrics": {
                "IntervalInMin": v.number(1.0),
                "MinConsumedWatts": v.number(f64::from(lowest)),
                "MaxConsumedWatts": v.number(f64::from(highest)),
                "AverageConsumedWatts": v.number(f64::from(average)),
            },
            "Status": {"State": "Enabled", "Health": "OK"},
        }],
        "PowerSupplies": supplies,
        "Voltages": voltages,
    });
    (
        "Power.v1_7_1.Power",
        "Power".to_owned(),
        "Power".to_owned(),
        rest,
    )
}

pub(super) fn subsystem(v: &View<'_>) -> Parts {
    let rest = json!({
        "CapacityWatts": 1500,
        "Status": {"State": "Enabled", "Health": "OK"},
        "PowerSupplies": v.link(Place::Supplies),
    });
    (
        "PowerSubsystem.v1_1_0.PowerSubsystem",
        "PowerSubsystem".to_owned(),
        "Power Subsystem".to_owned(),
        rest,
    )
}

pub(super) fn supply(v: &View<'_>, number: u8) -> Parts {
    let s = details(v.server, number);
    let rest = json!({
        "Manufacturer": s.maker, "Model": s.model, "SerialNumber": s.serial, "PartNumber": s.part,
        "PowerSupplyType": "AC",
        "PowerCapacityWatts": 750,
        "InputNominalVoltageType": "AC200To240V",
        "Status": {"State": s.state, "Health": s.health},
    });
    (
        "PowerSupply.v1_5_1.PowerSupply",
        format!("PSU{number}"),
        format!("PSU{number}"),
        rest,
    )
}

pub(super) fn environment(v: &View<'_>) -> Parts {
    let server = v.server;
    let temperature = sensors::of_type(server, sensors::TEMPERATURE)
        .find(|spec| spec.name.starts_with("Inlet"))
        .map_or(Value::Null, |spec| {
            json!({ "DataSourceUri": v.uri(Place::Sensor(spec.number)), "Reading": sensors::reading(v, spec) })
        });
    let rest = json!({
        "PowerWatts": {
            "DataSourceUri": v.uri(Place::Sensor(0x32)),
            "Reading": v.number(f64::from(watts(server))),
        },
        "TemperatureCelsius": temperature,
    });
    (
        "EnvironmentMetrics.v1_3_1.EnvironmentMetrics",
        "EnvironmentMetrics".to_owned(),
        "Environment Metrics".to_owned(),
        rest,
    )
}
