//! Sensors: their records give name, type and conversion; the BMC gives the reading.

use std::sync::Arc;
use std::time::Instant;

use super::{reading, sdr_repo};
use crate::hal::caps;
use crate::hal::error::{Kind, Result};
use crate::hal::ipmi::cmd::CompletionCode;
use crate::hal::ipmi::cmd::sensor::{
    GetSensorReading, GetSensorReadingFactors, GetSensorThresholds, SensorReading,
};
use crate::hal::ipmi::exchange::finish;
use crate::hal::ipmi::sdr::{Analog, Sensor};
use crate::hal::ipmi::sensor::event::{discrete_status, sensor_type_name, threshold_status};
use crate::hal::ipmi::{Exchange, Request, Response, Target};
use crate::hal::model::sensor::{SensorValue, Thresholds};
use crate::hal::model::{BoxFuture, Cx, Reading};

/// Slave address of the BMC.
const BMC: u8 = 0x20;

/// Reads sensors over IPMI.
pub struct Sensors {
    exchange: Arc<dyn Exchange>,
}

impl Sensors {
    /// Sensors of the BMC behind `exchange`.
    pub fn new(exchange: Arc<dyn Exchange>) -> Self {
        Self { exchange }
    }
}

impl std::fmt::Debug for Sensors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sensors").finish_non_exhaustive()
    }
}

impl caps::Sensors for Sensors {
    fn sensors<'a>(
        &'a self,
        cx: &'a Cx,
        live_thresholds: bool,
    ) -> BoxFuture<'a, Result<Reading<Vec<SensorValue>>>> {
        Box::pin(async move {
            let started = Instant::now();
            let bmc = self.exchange.as_ref();
            let records = sdr_repo::records(bmc, cx).await?;
            let mut sensors = sdr_repo::sensors(&records);
            sensors.retain(|sensor| sensor.readable_sensor);
            let states = read(bmc, cx, &sensors).await?;
            if nobody_is_scanned(&states) {
                bmc.learnt()
                    .update(|learnt| learnt.quirks.ignorescanningdisabled = true);
            }
            let live = if live_thresholds {
                Some(thresholds(bmc, cx, &sensors).await?)
            } else {
                None
            };
            let mut values = Vec::with_capacity(sensors.len());
            for (index, (sensor, state)) in sensors.iter().zip(states).enumerate() {
                let mut value = value(bmc, cx, sensor, state).await?;
                if let Some(live) = live.as_ref().and_then(|live| live.get(index)) {
                    value.thresholds = *live;
                }
                values.push(value);
            }
            Ok(reading(started, "Get Sensor Reading", values))
        })
    }
}

/// What came of reading one sensor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum State {
    /// An answer.
    Read(SensorReading),
    /// No reading, and why.
    None(String),
}

/// Sensors that must say so before the scanning bit is taken for a lie.
const LIARS: usize = 4;

/// Do all sensors say that they are not scanned, though most have a reading? Then the bit means nothing (Dell 2900, 2950,
/// R410, R610). In a machine that is off some are scanned still.
fn nobody_is_scanned(states: &[State]) -> bool {
    let read: Vec<_> = states
        .iter()
        .filter_map(|state| match state {
            State::Read(raw) => Some(raw),
            State::None(_) => None,
        })
        .collect();
    let with_reading = read
        .iter()
        .filter(|raw| !raw.unavailable() && raw.reading != 0)
        .count();
    read.len() >= LIARS && read.iter().all(|raw| !raw.scanning()) && with_reading * 2 > read.len()
}

/// Whom to ask for a sensor; `None` when its owner is software on the host, which nobody can ask.
fn target(sensor: &Sensor) -> Option<Target> {
    match sensor.owner.id {
        BMC | 0 => Some(Target::Bmc),
        software if software & 1 == 1 => None,
        address => Some(Target::Bridged {
            channel: sensor.owner.channel,
            address,
        }),
    }
}

fn request<C: crate::hal::ipmi::cmd::Command>(
    command: &C,
    sensor: &Sensor,
    target: Target,
) -> Request {
    let mut request = Request::of(command).to(target);
    request.lun = sensor.owner.lun;
    request
}

/// Reads all `sensors`, in their order.
pub(super) async fn read(bmc: &dyn Exchange, cx: &Cx, sensors: &[Sensor]) -> Result<Vec<State>> {
    let command = |sensor: &Sensor| GetSensorReading {
        sensor: sensor.owner.number,
    };
    let asked: Vec<(&Sensor, Option<Target>)> = sensors.iter().map(|s| (s, target(s))).collect();
    let requests = asked
        .iter()
        .filter_map(|(sensor, target)| Some(request(&command(sensor), sensor, (*target)?)))
        .collect();
    let mut answers = bmc.exchange_all(cx, requests).await.into_iter();
    let mut states = Vec::with_capacity(sensors.len());
    for (sensor, target) in asked {
        let Some(target) = target else {
            states.push(State::None("owned by system software".to_owned()));
            continue;
        };
        let Some(mut answer) = answers.next() else {
            states.push(State::None("not asked".to_owned()));
            continue;
        };
        if target != Target::Bmc && asks_the_wrong_owner(&answer) {
            // Fujitsu RX300 and HP DL140 G1 name a wrong owner: the BMC knows the sensor itself.
            let own = request(&command(sensor), sensor, Target::Bmc);
            answer = bmc.exchange(cx, own).await;
        }
        states.push(match answer {
            Ok(response) => state(command(sensor), &response),
            // A controller behind the BMC may be silent without the BMC being so.
            Err(error) if target != Target::Bmc && error.kind() == Kind::Timeout => {
                State::None("no answer from the sensor's controller".to_owned())
            }
            Err(error) => return Err(error),
        });
    }
    Ok(states)
}

fn asks_the_wrong_owner(answer: &Result<Response>) -> bool {
    matches!(
        answer,
        Ok(Response {
            code: CompletionCode::DESTINATION_UNAVAILABLE | CompletionCode::INVALID_COMMAND,
            ..
        })
    )
}

fn state(command: GetSensorReading, response: &Response) -> State {
    match response.code {
        CompletionCode::OK => match finish(&command, response) {
            Ok(reading) => State::Read(reading),
            Err(error) => State::None(format!("no reading: {}", error.chain())),
        },
        // What BMCs say of a sensor whose device is absent (Dell 2950 and 2650, Sun V20Z and X4450, HP DL145 G2).
        CompletionCode::NOT_PRESENT
        | CompletionCode::ILLEGAL
        | CompletionCode::OUT_OF_RANGE
        | CompletionCode::NO_RESPONSE
        | CompletionCode::NOT_IN_PRESENT_STATE
        | CompletionCode::UNSPECIFIED
        | CompletionCode::DESTINATION_UNAVAILABLE => State::None("not present".to_owned()),
        code => State::None(format!("no reading: {code}")),
    }
}

/// The sensor with its reading in words and numbers.
async fn value(bmc: &dyn Exchange, cx: &Cx, sensor: &Sensor, state: State) -> Result<SensorValue> {
    let mut out = SensorValue {
        name: sensor.name.clone(),
        kind: sensor_type_name(sensor.sensor_type),
        value: None,
        unit: sensor.units.text(),
        status: String::new(),
        thresholds: default_thresholds(sensor),
    };
    let raw = match state {
        State::None(why) => {
            out.status = why;
            return Ok(out);
        }
        State::Read(raw) => raw,
    };
    let lies = bmc.learnt().snapshot().quirks.ignorescanningdisabled;
    if !raw.scanning() && !lies {
        out.status.push_str("scanning disabled");
        return Ok(out);
    }
    if raw.unavailable() {
        out.status.push_str("reading unavailable");
        return Ok(out);
    }
    out.status = if sensor.is_threshold() {
        threshold_status(raw.states).to_owned()
    } else {
        discrete_status(sensor.sensor_type, sensor.event_type, raw.states)
    };
    // HP DL380 G7 and ML310 G5 have readings in units on discrete sensors; without a unit the byte means nothing.
    let has_value = sensor.is_threshold() || sensor.units.text().is_some();
    if let (true, Some(analog)) = (has_value, sensor.analog) {
        let analog = if analog.linearization.is_non_linear() {
            factors_at(bmc, cx, sensor, analog, raw.reading).await?
        } else {
            Some(analog)
        };
        out.value = analog.and_then(|a| a.convert(raw.reading));
        if out.value.is_none() {
            out.status = String::from("reading cannot be converted");
        }
    }
    Ok(out)
}

/// The factors of a non-linear sensor at one reading.
async fn factors_at(
    bmc: &dyn Exchange,
    cx: &Cx,
    sensor: &Sensor,
    analog: Analog,
    reading: u8,
) -> Result<Option<Analog>> {
    let command = GetSensorReadingFactors {
        sensor: sensor.owner.number,
        reading,
    };
    let target = target(sensor).unwrap_or_default();
    let response = bmc.exchange(cx, request(&command, sensor, target)).await?;
    Ok(finish(&command, &response).ok().map(|reply| Analog {
        factors: reply.factors,
        ..analog
    }))
}

/// The thresholds of the record, in units. Those of non-linear sensors have no factors in there.
fn default_thresholds(sensor: &Sensor) -> Thresholds {
    let raw = sensor.thresholds.unwrap_or_default();
    convert_thresholds(sensor, sensor.readable, raw)
}

/// `raw` in the order of the bits of `mask`: lower non-critical first, upper non-recoverable last.
fn convert_thresholds(sensor: &Sensor, mask: u8, raw: [u8; 6]) -> Thresholds {
    let Some(analog) = sensor.analog else {
        return Thresholds::default();
    };
    if !sensor.is_threshold() || analog.linearization.is_non_linear() {
        return Thresholds::default();
    }
    let [lnc, lc, lnr, unc, uc, unr] = raw;
    let value = |bit: u8, raw: u8| {
        (mask & (1 << bit) != 0)
            .then(|| analog.convert(raw))
            .flatten()
    };
    Thresholds {
        lower_non_critical: value(0, lnc),
        lower_critical: value(1, lc),
        lower_non_recoverable: value(2, lnr),
        upper_non_critical: value(3, unc),
        upper_critical: value(4, uc),
        upper_non_recoverable: value(5, unr),
    }
}

/// The present thresholds of all threshold sensors, as the BMC tells them; those of the record where it does not.
async fn thresholds(bmc: &dyn Exchange, cx: &Cx, sensors: &[Sensor]) -> Result<Vec<Thresholds>> {
    let command = |sensor: &Sensor| GetSensorThresholds {
        sensor: sensor.owner.number,
    };
    let asked = |sensor: &&Sensor| sensor.is_threshold() && target(sensor).is_some();
    let requests = sensors
        .iter()
        .filter(asked)
        .map(|s| request(&command(s), s, target(s).unwrap_or_default()))
        .collect();
    let mut answers = bmc.exchange_all(cx, requests).await.into_iter();
    let mut out = Vec::with_capacity(sensors.len());
    for sensor in sensors {
        let live = match asked(&sensor).then(|| answers.next()).flatten() {
            Some(Ok(response)) => finish(&command(sensor), &response).ok(),
            Some(Err(error)) if target(sensor) == Some(Target::Bmc) => return Err(error),
            _ => None,
        };
        out.push(match live {
            Some(live) => convert_thresholds(sensor, live.mask, live.values),
            None => default_thresholds(sensor),
        });
    }
    Ok(out)
}

#[cfg(test)]
mod tests;
