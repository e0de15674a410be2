//! Events and states in the specification's words, with what they mean for the machine.

use super::generic::{GENERIC, THRESHOLD};
use super::types::TYPES;

/// What a state means when it comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// Nothing to do.
    Info,
    /// Nothing to do when it comes; a warning when it goes (something was removed).
    Presence,
    /// Look at it.
    Warning,
    /// It does not work, or not for long.
    Critical,
}

impl Severity {
    /// `info`, `warning` or `critical`, for a state that came or (`deassertion`) went.
    pub fn word(self, deassertion: bool) -> &'static str {
        match (self, deassertion) {
            (Self::Warning, false) | (Self::Presence, true) => "warning",
            (Self::Critical, false) => "critical",
            _ => "info",
        }
    }
}

/// Meaning and words of one offset.
pub type State = (Severity, &'static str);

/// Event/reading type code of threshold sensors.
pub const THRESHOLD_TYPE: u8 = 0x01;
/// Event/reading type code of offsets that the sensor type defines.
pub const SENSOR_SPECIFIC: u8 = 0x6f;

/// The name of a sensor type code.
pub fn sensor_type_name(code: u8) -> String {
    match TYPES.iter().find(|(c, ..)| *c == code) {
        Some((_, name, _)) => (*name).to_owned(),
        None if code >= 0xc0 => format!("OEM ({code:#04x})"),
        None => format!("reserved ({code:#04x})"),
    }
}

/// The state at `offset` of sensors with these codes; `None` where the specification has none (OEM, reserved).
pub fn state(sensor_type: u8, event_type: u8, offset: u8) -> Option<State> {
    let offsets = match event_type {
        THRESHOLD_TYPE => Some(THRESHOLD),
        SENSOR_SPECIFIC => TYPES
            .iter()
            .find(|(code, ..)| *code == sensor_type)
            .map(|(.., offsets)| *offsets),
        _ => GENERIC
            .iter()
            .find(|(code, _)| *code == event_type)
            .map(|(_, offsets)| *offsets),
    };
    offsets?.get(usize::from(offset)).copied().flatten()
}

/// The words of a state, also where the specification has none.
pub fn state_text(sensor_type: u8, event_type: u8, offset: u8) -> String {
    match state(sensor_type, event_type, offset) {
        Some((_, text)) => text.to_owned(),
        None if event_type == 0x6f && sensor_type >= 0xc0 || (0x70..0x80).contains(&event_type) => {
            format!("OEM state {offset}")
        }
        None => format!("state {offset}"),
    }
}

/// The threshold states of Get Sensor Reading: bit, words. The worst comes first on each side.
const COMPARISONS: [(u16, &str); 6] = [
    (0x20, "upper non-recoverable"),
    (0x10, "upper critical"),
    (0x08, "upper non-critical"),
    (0x04, "lower non-recoverable"),
    (0x02, "lower critical"),
    (0x01, "lower non-critical"),
];

/// The status of a threshold sensor: the worst threshold that is crossed, or `ok`.
pub fn threshold_status(states: u16) -> &'static str {
    COMPARISONS
        .iter()
        .find(|(bit, _)| states & bit != 0)
        .map_or("ok", |(_, text)| text)
}

/// The states of a discrete sensor joined by `, `, or `ok` when none is set. Bit 15 is reserved and always set by
/// many BMCs.
pub fn discrete_status(sensor_type: u8, event_type: u8, states: u16) -> String {
    let texts: Vec<String> = (0..15)
        .filter(|offset| states & (1 << offset) != 0)
        .map(|offset| state_text(sensor_type, event_type, offset))
        .collect();
    if texts.is_empty() {
        return "ok".to_owned();
    }
    texts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_the_specification() {
        assert_eq!(sensor_type_name(0x01), "Temperature");
        assert_eq!(sensor_type_name(0x2c), "FRU State");
        assert_eq!(sensor_type_name(0xc5), "OEM (0xc5)");
        assert_eq!(sensor_type_name(0x00), "reserved (0x00)");
        assert_eq!(state_text(0x08, 0x6f, 3), "Power Supply input lost (AC/DC)");
        assert_eq!(state_text(0x01, 0x01, 9), "Upper Critical - going high");
        assert_eq!(state_text(0x08, 0x0b, 1), "Redundancy Lost");
        assert_eq!(state_text(0x23, 0x6f, 8), "Timer interrupt");
        assert_eq!(state_text(0x23, 0x6f, 5), "state 5");
        assert_eq!(state_text(0xc1, 0x6f, 5), "OEM state 5");
        assert_eq!(state_text(0x01, 0x72, 2), "OEM state 2");
    }

    #[test]
    fn statuses() {
        assert_eq!(threshold_status(0xc0), "ok");
        assert_eq!(threshold_status(0xd8), "upper critical");
        assert_eq!(threshold_status(0x07), "lower non-recoverable");
        assert_eq!(discrete_status(0x08, 0x6f, 0x8000), "ok");
        assert_eq!(
            discrete_status(0x08, 0x6f, 0x8003),
            "Presence detected, Power Supply Failure detected"
        );
    }

    #[test]
    fn severities() {
        let word = |t, e, o, gone| state(t, e, o).map(|(s, _)| s.word(gone));
        assert_eq!(word(0x08, 0x6f, 1, false), Some("critical"));
        assert_eq!(word(0x08, 0x6f, 1, true), Some("info"));
        assert_eq!(word(0x08, 0x6f, 0, false), Some("info"));
        assert_eq!(word(0x08, 0x6f, 0, true), Some("warning"));
        assert_eq!(word(0x01, 0x01, 7, false), Some("warning"));
        assert_eq!(word(0xc0, 0x6f, 7, false), None);
    }

    #[test]
    fn the_tables_are_in_order_and_have_no_code_twice() {
        assert!(TYPES.windows(2).all(|w| w[0].0 + 1 == w[1].0));
        assert!(GENERIC.windows(2).all(|w| w[0].0 + 1 == w[1].0));
        assert_eq!(THRESHOLD.len(), 12);
        assert!(TYPES.iter().all(|(.., offsets)| offsets.len() <= 15));
    }
}
