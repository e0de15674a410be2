//! Power supplies, from the sensors of type Power Supply (08h).

use std::sync::Arc;
use std::time::Instant;

use super::sensors::{State, read};
use super::{reading, sdr_repo};
use crate::hal::caps;
use crate::hal::error::Result;
use crate::hal::ipmi::Exchange;
use crate::hal::ipmi::sdr::Sensor;
use crate::hal::ipmi::sensor::event::SENSOR_SPECIFIC;
use crate::hal::model::metrics::PowerSupply;
use crate::hal::model::{BoxFuture, Cx, Reading};

const POWER_SUPPLY: u8 = 0x08;

/// Reads power supplies over IPMI.
pub struct Supplies {
    exchange: Arc<dyn Exchange>,
}

impl Supplies {
    /// Power supplies of the BMC behind `exchange`.
    pub fn new(exchange: Arc<dyn Exchange>) -> Self {
        Self { exchange }
    }
}

impl std::fmt::Debug for Supplies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Supplies").finish_non_exhaustive()
    }
}

impl caps::Supplies for Supplies {
    fn power_supplies<'a>(
        &'a self,
        cx: &'a Cx,
    ) -> BoxFuture<'a, Result<Reading<Vec<PowerSupply>>>> {
        Box::pin(async move {
            let started = Instant::now();
            let bmc = self.exchange.as_ref();
            let records = sdr_repo::records(bmc, cx).await?;
            let mut sensors = sdr_repo::sensors(&records);
            sensors.retain(is_supply);
            let states = read(bmc, cx, &sensors).await?;
            let supplies = sensors
                .iter()
                .zip(states)
                .map(|(sensor, state)| supply(name(sensor, &sensors), &state))
                .collect();
            Ok(reading(started, "Get Sensor Reading", supplies))
        })
    }
}

fn is_supply(sensor: &Sensor) -> bool {
    sensor.readable_sensor
        && sensor.sensor_type == POWER_SUPPLY
        && sensor.event_type == SENSOR_SPECIFIC
}

/// Dell calls all of them `Status`: then the entity tells them apart.
fn name(sensor: &Sensor, all: &[Sensor]) -> String {
    let same = all.iter().filter(|other| other.name == sensor.name).count();
    match same {
        0 | 1 => sensor.name.clone(),
        _ => format!("{} {}.{}", sensor.name, sensor.entity, sensor.instance),
    }
}

/// Health and state from the states of table 42-3. Bits 8 to 14 are reserved; Dell 2950 and others set them.
fn supply(name: String, state: &State) -> PowerSupply {
    let states = match state {
        State::Read(reading) if !reading.unavailable() => reading.states,
        State::Read(_) => {
            return PowerSupply {
                name,
                ..PowerSupply::default()
            };
        }
        State::None(_) => {
            return PowerSupply {
                name,
                health: None,
                state: Some("Absent".to_owned()),
            };
        }
    };
    let has = |offset: u8| states & (1 << offset) != 0;
    let present = has(0);
    let health = if has(1) || has(3) || has(4) || has(6) {
        Some("Critical")
    } else if has(2) || has(5) {
        Some("Warning")
    } else if present {
        Some("OK")
    } else {
        None
    };
    let state = match (present, has(7)) {
        (true, false) => "Enabled",
        (true, true) => "StandbyOffline",
        (false, _) => "Absent",
    };
    PowerSupply {
        name,
        health: health.map(str::to_owned),
        state: Some(state.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fake::{Fake, cx, sensor_record};
    use super::*;
    use crate::hal::caps::Supplies as _;
    use crate::hal::ipmi::sdr::Body;

    #[tokio::test]
    async fn states_become_health() {
        let mut fake = Fake::default();
        for (number, name, instance) in [
            (1, "PS1 Status", 1),
            (2, "Status", 2),
            (3, "Status", 3),
            (4, "PS4", 4),
        ] {
            let mut record = sensor_record(number, name);
            if let Body::Full(full) = &mut record.body {
                full.common.sensor_type = 0x08;
                full.common.event_type = 0x6f;
                full.common.entity = 0x0a;
                full.common.instance = instance;
            }
            fake.sdrs.push(record.encode());
        }
        fake.readings.insert(1, vec![0, 0xc0, 0x01, 0x80]);
        fake.readings.insert(2, vec![0, 0xc0, 0x09, 0x7f]);
        fake.readings.insert(3, vec![0, 0xc0, 0x81, 0x00]);
        let got = Supplies::new(fake.into_exchange())
            .power_supplies(&cx())
            .await
            .unwrap()
            .value;
        let text: Vec<String> = got
            .iter()
            .map(|s| {
                format!(
                    "{} {} {}",
                    s.name,
                    s.health.as_deref().unwrap_or("-"),
                    s.state.as_deref().unwrap_or("-")
                )
            })
            .collect();
        assert_eq!(
            text,
            [
                "PS1 Status OK Enabled",
                "Status 10.2 Critical Enabled",
                "Status 10.3 OK StandbyOffline",
                "PS4 - Absent"
            ]
        );
    }
}
