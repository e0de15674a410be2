//! Sensors: what was changed of what the profile says.

use std::collections::BTreeMap;

use crate::hal::sim::content::{Kind, SensorSpec};

/// Why a sensor gives nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absence {
    /// Reading or state unavailable (bit 5).
    Unavailable,
    /// Scanning is off (bit 6).
    NotScanned,
    /// The command fails with this completion code.
    Fails(u8),
}

/// What was changed of a sensor.
#[derive(Debug, Clone, Copy, Default)]
pub struct Change {
    /// Another raw reading.
    pub reading: Option<u8>,
    /// Other states of a discrete sensor.
    pub states: Option<u16>,
    /// Other thresholds, in the order of Get Sensor Thresholds.
    pub thresholds: [Option<u8>; 6],
    /// Other hysteresis: positive, negative.
    pub hysteresis: Option<(u8, u8)>,
    /// Other event enables: flags, assertion, deassertion.
    pub events: Option<(u8, u16, u16)>,
    /// No reading.
    pub absent: Option<Absence>,
}

/// Changes by sensor number.
#[derive(Debug, Clone, Default)]
pub struct Sensors {
    changes: BTreeMap<u8, Change>,
}

impl Sensors {
    /// What was changed of a sensor.
    pub fn change(&self, number: u8) -> Change {
        self.changes.get(&number).copied().unwrap_or_default()
    }

    /// Changes a sensor.
    pub fn update(&mut self, number: u8, f: impl FnOnce(&mut Change)) {
        f(self.changes.entry(number).or_default());
    }

    /// Present raw thresholds of a sensor, in the order of Get Sensor Thresholds.
    pub fn thresholds(&self, spec: &SensorSpec) -> [Option<u8>; 6] {
        let Kind::Analog { thresholds, .. } = spec.kind else {
            return [None; 6];
        };
        let mut out = thresholds;
        for (own, changed) in out.iter_mut().zip(self.change(spec.number).thresholds) {
            // Only thresholds that exist can be set.
            if own.is_some() && changed.is_some() {
                *own = changed;
            }
        }
        out
    }

    /// Present raw reading and states (threshold comparison or discrete).
    pub fn state(&self, spec: &SensorSpec) -> (u8, u16) {
        let change = self.change(spec.number);
        match spec.kind {
            Kind::Discrete { states, .. } => (0, change.states.unwrap_or(states)),
            Kind::Analog { signed, .. } => {
                let raw = change.reading.unwrap_or(spec.reading);
                let value = |b: u8| {
                    if signed {
                        i16::from(b.cast_signed())
                    } else {
                        i16::from(b)
                    }
                };
                let states = self.thresholds(spec).iter().enumerate().fold(
                    0u16,
                    |states, (i, threshold)| {
                        let crossed = threshold.is_some_and(|t| {
                            if i < 3 {
                                value(raw) <= value(t)
                            } else {
                                value(raw) >= value(t)
                            }
                        });
                        states | u16::from(crossed) << i
                    },
                );
                // The two highest bits are reserved and read as 1.
                (raw, states | 0xc0)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hal::sim::content::sensors::STANDARD;

    #[test]
    fn thresholds_compare_signed_values() {
        let mut sensors = Sensors::default();
        let inlet = &STANDARD[2];
        assert_eq!(sensors.state(inlet), (23, 0xc0));
        sensors.update(3, |c| c.reading = Some(0xfa)); // -6 degrees
        assert_eq!(sensors.state(inlet), (0xfa, 0xc3));
        sensors.update(3, |c| c.reading = Some(43));
        assert_eq!(sensors.state(inlet), (43, 0xd8));
    }
}
