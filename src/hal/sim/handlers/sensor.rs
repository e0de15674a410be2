//! Sensor and event (§29, §35).

use std::time::Instant;

use super::{Reply, UNKNOWN, exact, sdr, typed};
use crate::hal::ipmi::cmd::CompletionCode;
use crate::hal::ipmi::cmd::sensor::{
    DeviceSdrInfo, GetDeviceSdr, GetDeviceSdrInfo, GetSensorEventEnable, GetSensorEventStatus,
    GetSensorHysteresis, GetSensorReading, GetSensorThresholds, GetSensorType, Hysteresis,
    PlatformEventMessage, RawThresholds, ReserveDeviceSdrRepository, SensorEventBits,
    SensorReading, SensorTypeCodes, SetSensorEventEnable, SetSensorHysteresis, SetSensorThresholds,
};
use crate::hal::sim::content::{Kind, SensorSpec};
use crate::hal::sim::state::Server;
use crate::hal::sim::state::sensors::Absence;

fn spec(server: &Server, number: u8) -> Result<SensorSpec, CompletionCode> {
    server
        .profile
        .sensors
        .iter()
        .find(|s| s.number == number)
        .copied()
        .ok_or(CompletionCode::NOT_PRESENT)
}

pub(super) fn handle(server: &mut Server, now: Instant, cmd: u8, data: &[u8]) -> Reply {
    match cmd {
        0x02 => typed(data, |c: PlatformEventMessage| event(server, now, &c)),
        // PEF capabilities: version 1.5, no action, no filter.
        0x10 => exact::<0>(data).map(|_| vec![0x51, 0, 0]),
        0x20..=0x22 => device_sdr(server, cmd, data),
        0x24 => typed(data, |c: SetSensorHysteresis| {
            spec(server, c.sensor)?;
            let (positive, negative) = (c.hysteresis.positive, c.hysteresis.negative);
            server
                .sensors
                .update(c.sensor, |s| s.hysteresis = Some((positive, negative)));
            Ok(())
        }),
        0x25 => typed(data, |c: GetSensorHysteresis| {
            let spec = spec(server, c.sensor)?;
            if matches!(spec.kind, Kind::Discrete { .. }) {
                return Err(CompletionCode::ILLEGAL);
            }
            let (positive, negative) = server.sensors.change(c.sensor).hysteresis.unwrap_or((2, 2));
            Ok(Hysteresis { positive, negative })
        }),
        0x26 => typed(data, |c: SetSensorThresholds| {
            let spec = spec(server, c.sensor)?;
            if matches!(spec.kind, Kind::Discrete { .. }) {
                return Err(CompletionCode::ILLEGAL);
            }
            server.sensors.update(c.sensor, |s| {
                for (i, slot) in s.thresholds.iter_mut().enumerate() {
                    if let Some(value) = c.thresholds.get(i) {
                        *slot = Some(value);
                    }
                }
            });
            Ok(())
        }),
        0x27 => typed(data, |c: GetSensorThresholds| {
            let spec = spec(server, c.sensor)?;
            if matches!(spec.kind, Kind::Discrete { .. }) {
                return Err(CompletionCode::ILLEGAL);
            }
            let thresholds = server.sensors.thresholds(&spec);
            let mut out = RawThresholds {
                mask: 0,
                values: [0; 6],
            };
            for ((i, value), slot) in thresholds.iter().enumerate().zip(&mut out.values) {
                if let Some(value) = value {
                    out.mask |= 1 << i;
                    *slot = *value;
                }
            }
            Ok(out)
        }),
        0x28 => typed(data, |c: SetSensorEventEnable| {
            spec(server, c.sensor)?;
            let bits = c.bits;
            server.sensors.update(c.sensor, |s| {
                s.events = Some((bits.flags & 0xc0, bits.assertion, bits.deassertion));
            });
            Ok(())
        }),
        0x29 => typed(data, |c: GetSensorEventEnable| {
            let spec = spec(server, c.sensor)?;
            let (flags, assertion, deassertion) = server
                .sensors
                .change(c.sensor)
                .events
                .unwrap_or((0xc0, events(&spec), events(&spec)));
            Ok(SensorEventBits {
                flags,
                assertion,
                deassertion,
            })
        }),
        0x2b => typed(data, |c: GetSensorEventStatus| {
            let spec = spec(server, c.sensor)?;
            let (_, states) = server.sensors.state(&spec);
            let assertion = match spec.kind {
                Kind::Discrete { .. } => states,
                Kind::Analog { .. } => threshold_events(states),
            };
            Ok(SensorEventBits {
                flags: 0xc0,
                assertion,
                deassertion: 0,
            })
        }),
        0x2d => typed(data, |c: GetSensorReading| reading(server, c.sensor)),
        0x2f => typed(data, |c: GetSensorType| {
            let spec = spec(server, c.sensor)?;
            Ok(SensorTypeCodes {
                sensor_type: spec.sensor_type,
                event_type: match spec.kind {
                    Kind::Analog { .. } => 0x01,
                    Kind::Discrete { event_type, .. } => event_type,
                },
            })
        }),
        _ => Err(UNKNOWN),
    }
}

fn device_sdr(server: &mut Server, cmd: u8, data: &[u8]) -> Reply {
    match cmd {
        0x20 => typed(data, |c: GetDeviceSdrInfo| {
            Ok(DeviceSdrInfo {
                count: if c.count_sdrs {
                    server.sdrs.len() as u8
                } else {
                    server.profile.sensors.len() as u8
                },
                flags: 0x01,
                change: None,
            })
        }),
        0x21 => typed(data, |c: GetDeviceSdr| sdr::read(server, c.0)),
        0x22 => typed(data, |ReserveDeviceSdrRepository| {
            server.sdr_reservation = server.sdr_reservation.wrapping_add(1).max(1);
            Ok(server.sdr_reservation)
        }),
        _ => Err(UNKNOWN),
    }
}

/// The events that a sensor can send: bits as in its SDR.
fn events(spec: &SensorSpec) -> u16 {
    match spec.kind {
        Kind::Discrete { mask, .. } => mask,
        Kind::Analog { thresholds, .. } => thresholds
            .iter()
            .enumerate()
            .filter(|(_, t)| t.is_some())
            .fold(0, |mask, (i, _)| mask | 1 << (2 * i + usize::from(i >= 3))),
    }
}

/// The events that belong to a threshold comparison: going low below lower ones, going high above upper ones.
fn threshold_events(comparison: u16) -> u16 {
    (0..6)
        .filter(|i| comparison & (1 << i) != 0)
        .fold(0, |mask, i| mask | 1 << (2 * i + u16::from(i >= 3)))
}

fn reading(server: &Server, number: u8) -> Result<SensorReading, CompletionCode> {
    let spec = spec(server, number)?;
    let absent = server.sensors.change(number).absent.or_else(|| {
        if server.profile.faulty.sensors_vanish {
            vanished(number)
        } else if spec.needs_power && !server.power.on {
            Some(Absence::Unavailable)
        } else {
            None
        }
    });
    let (reading, states) = server.sensors.state(&spec);
    let discrete = matches!(spec.kind, Kind::Discrete { .. });
    let full = SensorReading {
        reading,
        flags: 0xc0,
        states: if discrete { states | 0x8000 } else { states },
    };
    match absent {
        None => Ok(full),
        Some(Absence::Fails(code)) => Err(CompletionCode(code)),
        Some(Absence::Unavailable) => Ok(SensorReading {
            reading: 0,
            flags: 0xe0,
            states: 0,
        }),
        Some(Absence::NotScanned) => Ok(SensorReading {
            reading: 0,
            flags: 0x80,
            states: 0,
        }),
    }
}

/// The ways in which firmware says that a sensor is not there, one after the other.
fn vanished(number: u8) -> Option<Absence> {
    match number % 12 {
        0 => Some(Absence::Fails(0xcb)),
        1 => Some(Absence::Fails(0xcd)),
        2 => Some(Absence::Fails(0xc9)),
        3 => Some(Absence::Fails(0xce)),
        4 => Some(Absence::Fails(0xd5)),
        5 => Some(Absence::Fails(0xff)),
        6 => Some(Absence::Fails(0xd3)),
        7 => Some(Absence::Unavailable),
        8 => Some(Absence::NotScanned),
        _ => None,
    }
}

/// Platform Event Message: the event goes into the log.
fn event(
    server: &mut Server,
    now: Instant,
    c: &PlatformEventMessage,
) -> Result<(), CompletionCode> {
    let time = server.sel_time(now);
    let generator = c.generator.unwrap_or(0x81);
    let [d1, d2, d3] = c.data;
    let entry = [
        0,
        0,
        0x02,
        0,
        0,
        0,
        0,
        generator,
        0,
        c.revision,
        c.sensor_type,
        c.sensor,
        c.direction_type,
        d1,
        d2,
        d3,
    ];
    server.sel.add(entry, time).map(|_| ())
}
