//! Sensors as records describe them: shared records taken apart, one form for all three record types.

use super::full::{Owner, Thresholds, Units};
use super::{Body, Sdr};
use crate::hal::ipmi::sensor::{AnalogFormat, Factors, Linearization};

/// How an analog reading is converted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Analog {
    /// How the raw reading stands for a number.
    pub format: AnalogFormat,
    /// Conversion factors; those of non-linear sensors must be asked for.
    pub factors: Factors,
    /// Linearization.
    pub linearization: Linearization,
}

impl Analog {
    /// The value of a raw reading.
    pub fn convert(&self, raw: u8) -> Option<f64> {
        self.factors.convert(raw, self.format, self.linearization)
    }
}

/// One sensor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sensor {
    /// Name, with the modifier of a shared record.
    pub name: String,
    /// Owner and number.
    pub owner: Owner,
    /// Entity id.
    pub entity: u8,
    /// Entity instance.
    pub instance: u8,
    /// Sensor type code.
    pub sensor_type: u8,
    /// Event/reading type code.
    pub event_type: u8,
    /// Units.
    pub units: Units,
    /// Conversion, of full records with an analog reading.
    pub analog: Option<Analog>,
    /// Raw default thresholds, of full records.
    pub thresholds: Option<Thresholds>,
    /// Thresholds that can be read, bit 0 = lower non-critical ... 5 = upper non-recoverable.
    pub readable: u8,
    /// States that a discrete sensor can report.
    pub reading_mask: u16,
    /// Can it be read? Event-only sensors cannot.
    pub readable_sensor: bool,
}

impl Sensor {
    /// Event/reading type 1: its states are thresholds.
    pub fn is_threshold(&self) -> bool {
        self.event_type == 0x01
    }
}

impl Sdr {
    /// The sensors that this record stands for; none for other types of records.
    pub fn sensors(&self) -> Vec<Sensor> {
        match &self.body {
            Body::Full(full) => {
                let common = &full.common;
                let analog = (common.format != AnalogFormat::NoAnalog).then_some(Analog {
                    format: common.format,
                    factors: full.factors,
                    linearization: full.linearization,
                });
                vec![Sensor {
                    name: full.id.to_string(),
                    owner: common.owner,
                    entity: common.entity,
                    instance: common.instance,
                    sensor_type: common.sensor_type,
                    event_type: common.event_type,
                    units: common.units,
                    analog,
                    thresholds: Some(full.thresholds),
                    // Only when threshold access is readable at all (capabilities 3..2).
                    readable: match (common.capabilities >> 2) & 0x03 {
                        0 => 0,
                        _ => common.reading_mask as u8 & 0x3f,
                    },
                    reading_mask: common.reading_mask,
                    readable_sensor: true,
                }]
            }
            Body::Compact(compact) => {
                let common = &compact.common;
                let first = Sensor {
                    name: compact.id.to_string(),
                    owner: common.owner,
                    entity: common.entity,
                    instance: common.instance,
                    sensor_type: common.sensor_type,
                    event_type: common.event_type,
                    units: common.units,
                    analog: None,
                    thresholds: None,
                    readable: 0,
                    reading_mask: common.reading_mask,
                    readable_sensor: true,
                };
                compact.sharing.expand(&first)
            }
            Body::EventOnly(event) => {
                let first = Sensor {
                    name: event.id.to_string(),
                    owner: event.owner,
                    entity: event.entity,
                    instance: event.instance,
                    sensor_type: event.sensor_type,
                    event_type: event.event_type,
                    units: Units::default(),
                    analog: None,
                    thresholds: None,
                    readable: 0,
                    reading_mask: 0,
                    readable_sensor: false,
                };
                event.sharing.expand(&first)
            }
            _ => Vec::new(),
        }
    }
}

impl super::Sharing {
    fn expand(self, first: &Sensor) -> Vec<Sensor> {
        (0..self.sensors())
            .map(|index| {
                let mut sensor = first.clone();
                sensor.name.push_str(&self.suffix(index));
                sensor.owner.number = first.owner.number.wrapping_add(index);
                if self.entity_increments {
                    sensor.instance = first.instance.wrapping_add(index);
                }
                sensor
            })
            .collect()
    }
}
