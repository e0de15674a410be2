//! What a record says, as an entry of the public event log.

use super::extra;
use super::record::{Kind, Record, SystemEvent};
use crate::hal::ipmi::codec::hex;
use crate::hal::ipmi::sdr::Sensor;
use crate::hal::ipmi::sensor::event::{
    SENSOR_SPECIFIC, THRESHOLD_TYPE, sensor_type_name, state, state_text,
};
use crate::hal::ipmi::time::timestamp;
use crate::hal::model::event::LogEntry;

/// The entry of the raw record `raw`. `find` looks the sensor of an event up. A record that is too
/// short is kept as bytes.
pub fn log_entry<'a>(raw: &[u8], find: impl Fn(&SystemEvent) -> Option<&'a Sensor>) -> LogEntry {
    let Ok(record) = Record::parse(raw) else {
        return LogEntry {
            id: "?".to_owned(),
            time: None,
            sensor: None,
            event: format!("record of {} bytes", raw.len()),
            severity: "unknown".to_owned(),
            raw: Some(hex(raw)),
        };
    };
    let record = record.assume_system_event().unwrap_or(record);
    let entry = LogEntry {
        id: record.id.to_string(),
        time: record.time().and_then(timestamp),
        sensor: None,
        event: String::new(),
        severity: "unknown".to_owned(),
        raw: Some(hex(raw)),
    };
    match record.kind {
        Kind::System(event) => {
            let sensor = find(&event);
            LogEntry {
                sensor: Some(sensor_name(&event, sensor)),
                event: event_text(&event, sensor),
                severity: severity(&event).to_owned(),
                ..entry
            }
        }
        Kind::OemTimestamped {
            kind,
            manufacturer,
            data,
            ..
        } => LogEntry {
            event: format!(
                "OEM record {kind:#04x} of manufacturer {manufacturer}: {}",
                hex(&data)
            ),
            ..entry
        },
        Kind::Oem { kind, data } => LogEntry {
            event: format!("OEM record {kind:#04x}: {}", hex(&data)),
            ..entry
        },
        Kind::Unknown { kind, data } => LogEntry {
            event: format!("record of type {kind:#04x}: {}", hex(&data)),
            ..entry
        },
    }
}

fn sensor_name(event: &SystemEvent, sensor: Option<&Sensor>) -> String {
    match sensor {
        Some(sensor) if !sensor.name.is_empty() => sensor.name.clone(),
        _ => format!(
            "{} #{:#04x}",
            sensor_type_name(event.sensor_type),
            event.sensor
        ),
    }
}

fn severity(event: &SystemEvent) -> &'static str {
    match state(event.sensor_type, event.event_type, event.offset()) {
        Some((severity, _)) => severity.word(event.deassertion),
        None => "unknown",
    }
}

/// `Upper Critical - going high: reading 95 degrees C, threshold 90 degrees C`; a state that went ends in
/// `, deasserted`.
fn event_text(event: &SystemEvent, sensor: Option<&Sensor>) -> String {
    let mut out = state_text(event.sensor_type, event.event_type, event.offset());
    if state(event.sensor_type, event.event_type, event.offset()).is_none() {
        out = format!("{} {out}", sensor_type_name(event.sensor_type));
    }
    if event.deassertion {
        out.push_str(", deasserted");
    }
    let details = match event.event_type {
        THRESHOLD_TYPE => threshold_details(event, sensor),
        _ => discrete_details(event),
    };
    if !details.is_empty() {
        out.push_str(": ");
        out.push_str(&details.join(", "));
    }
    out
}

/// What bits 7..6 and 5..4 of event data 1 say of event data 2 and 3.
fn uses(event: &SystemEvent) -> (u8, u8) {
    let [first, ..] = event.data;
    (first >> 6, (first >> 4) & 0x03)
}

fn threshold_details(event: &SystemEvent, sensor: Option<&Sensor>) -> Vec<String> {
    let [_, two, three] = event.data;
    let (use_two, use_three) = uses(event);
    let analog = sensor.and_then(|s| s.analog);
    let unit = sensor.and_then(|s| s.units.text());
    let value = |raw: u8| match (analog.and_then(|a| a.convert(raw)), &unit) {
        (Some(value), Some(unit)) => format!("{} {unit}", tidy(value)),
        (Some(value), None) => tidy(value),
        (None, _) => format!("raw {raw:#04x}"),
    };
    let mut out = Vec::new();
    match use_two {
        1 => out.push(format!("reading {}", value(two))),
        2 => out.push(format!("OEM data 2 {two:#04x}")),
        3 => out.push(format!("data 2 {two:#04x}")),
        _ => {}
    }
    match use_three {
        1 => out.push(format!("threshold {}", value(three))),
        2 => out.push(format!("OEM data 3 {three:#04x}")),
        3 => out.push(format!("data 3 {three:#04x}")),
        _ => {}
    }
    out
}

/// Six significant digits are more than an 8-bit reading has.
fn tidy(value: f64) -> String {
    let text = format!("{value:.3}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    text.to_owned()
}

fn discrete_details(event: &SystemEvent) -> Vec<String> {
    let [_, two, three] = event.data;
    let (use_two, use_three) = uses(event);
    let mut out = Vec::new();
    if event.event_type == SENSOR_SPECIFIC {
        out.extend(extra::details(event));
    }
    match use_two {
        1 => {
            // Previous state in the low nibble, severity in the high one; 0xf = unspecified.
            if two & 0x0f != 0x0f {
                let before = state_text(event.sensor_type, event.event_type, two & 0x0f);
                out.push(format!("previously {before}"));
            }
            if two >> 4 != 0x0f {
                out.push(state_text(0, 0x07, two >> 4));
            }
        }
        2 => out.push(format!("OEM data 2 {two:#04x}")),
        3 if out.is_empty() => out.push(format!("data 2 {two:#04x}")),
        _ => {}
    }
    match use_three {
        2 => out.push(format!("OEM data 3 {three:#04x}")),
        3 if !extra::uses_three(event) => out.push(format!("data 3 {three:#04x}")),
        _ => {}
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hal::ipmi::sdr::{Body, Full, IdString, Sdr};
    use proptest::prelude::*;

    fn entry(sensor_type: u8, direction: u8, data: [u8; 3], sensor: Option<&Sensor>) -> LogEntry {
        let [a, b, c] = data;
        let raw = [
            1,
            0,
            2,
            0xf1,
            0xd2,
            0xd6,
            0x5f,
            0x20,
            0,
            4,
            sensor_type,
            0x30,
            direction,
            a,
            b,
            c,
        ];
        log_entry(&raw, |event| {
            assert_eq!((event.generator, event.sensor), ([0x20, 0], 0x30));
            sensor
        })
    }

    #[test]
    fn thresholds_with_values_of_the_sensor() {
        let mut full = Full {
            id: IdString::latin1("CPU Temp"),
            ..Full::default()
        };
        full.common.units.base = 1;
        let sensor = Sdr::new(1, Body::Full(Box::new(full))).sensors().remove(0);
        let got = entry(1, 0x01, [0x59, 95, 90], Some(&sensor));
        assert_eq!(got.time.as_deref(), Some("2020-12-14T02:50:25Z"));
        assert_eq!(got.sensor.as_deref(), Some("CPU Temp"));
        assert_eq!(
            got.event,
            "Upper Critical - going high: reading 95 degrees C, threshold 90 degrees C"
        );
        assert_eq!(got.severity, "critical");
        let gone = entry(1, 0x81, [0x59, 88, 90], None);
        assert_eq!(gone.sensor.as_deref(), Some("Temperature #0x30"));
        assert_eq!(
            gone.event,
            "Upper Critical - going high, deasserted: reading raw 0x58, threshold raw 0x5a"
        );
        assert_eq!(gone.severity, "info");
    }

    #[test]
    fn discrete_events() {
        let text = |t, d, data| entry(t, d, data, None).event;
        assert_eq!(
            text(0x08, 0x6f, [0x03, 0xff, 0xff]),
            "Power Supply input lost (AC/DC)"
        );
        assert_eq!(
            text(0x08, 0xef, [0x00, 0xff, 0xff]),
            "Presence detected, deasserted"
        );
        assert_eq!(
            text(0x23, 0x6f, [0xc1, 0x01, 0xff]),
            "Hard Reset: timer use BIOS FRB2, no interrupt"
        );
        assert_eq!(
            text(0x0c, 0x6f, [0x31, 0xff, 0x05]),
            "Uncorrectable ECC / other uncorrectable memory error: DIMM 5"
        );
        assert_eq!(
            text(0x08, 0x6f, [0xa3, 0x12, 0x34]),
            "Power Supply input lost (AC/DC): OEM data 2 0x12, OEM data 3 0x34"
        );
        assert_eq!(
            text(0x08, 0x0b, [0x41, 0xf0, 0xff]),
            "Redundancy Lost: previously Fully Redundant"
        );
        assert_eq!(
            text(0xc3, 0x72, [0xa5, 1, 2]),
            "OEM (0xc3) OEM state 5: OEM data 2 0x01, OEM data 3 0x02"
        );
    }

    #[test]
    fn other_records_keep_their_bytes() {
        let none = |_: &SystemEvent| None;
        let oem = log_entry(
            &[1, 0, 0xdf, 0, 0, 0, 0, 0x7c, 0x2a, 0, 1, 2, 3, 4, 5, 6],
            none,
        );
        assert_eq!(
            oem.event,
            "OEM record 0xdf of manufacturer 10876: 010203040506"
        );
        assert_eq!(oem.time, None);
        assert_eq!(oem.severity, "unknown");
        assert_eq!(oem.raw.as_deref(), Some("0100df000000007c2a00010203040506"));
        let short = log_entry(&[1, 2], none);
        assert_eq!(
            (short.id.as_str(), short.raw.as_deref()),
            ("?", Some("0102"))
        );
        let all_ones = log_entry(&[0xff; 16], none);
        assert_eq!(
            all_ones.event,
            "OEM record 0xff: ffffffffffffffffffffffffff"
        );
    }

    #[test]
    fn illegal_types_of_hp_and_intel_are_read() {
        let raw = [
            1, 0, 0x04, 0xf1, 0xd2, 0xd6, 0x5f, 0x20, 0, 4, 8, 1, 0x6f, 1, 0xff, 0xff,
        ];
        let got = log_entry(&raw, |_| None);
        assert_eq!(got.event, "Power Supply Failure detected");
    }

    proptest! {
        #[test]
        fn nothing_panics(raw in proptest::collection::vec(any::<u8>(), 0..20)) {
            let got = log_entry(&raw, |_| None);
            prop_assert!(!got.event.is_empty());
            prop_assert_eq!(got.raw, Some(hex(&raw)));
        }
    }
}
