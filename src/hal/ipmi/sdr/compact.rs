//! Compact and event-only sensor records (§43.2, §43.3).

use super::IdString;
use super::full::{Common, Owner};
use crate::hal::ipmi::codec::{DecodeError, Reader};

/// How one record stands for several sensors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sharing {
    /// Sensor direction: 0 unspecified, 1 input, 2 output.
    pub direction: u8,
    /// Instances are told apart by letters (A, B, ...) instead of numbers.
    pub alpha: bool,
    /// Number of sensors; 0 and 1 = not shared.
    pub count: u8,
    /// The entity instance goes up with the sensor number.
    pub entity_increments: bool,
    /// What the first instance is called: number, or letter (0 = A).
    pub offset: u8,
}

impl Sharing {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let [sharing, offset] = r.array("sensor record sharing")?;
        Ok(Self {
            direction: sharing >> 6,
            alpha: (sharing >> 4) & 0x03 == 1,
            count: sharing & 0x0f,
            entity_increments: offset & 0x80 != 0,
            offset: offset & 0x7f,
        })
    }

    fn encode(self, out: &mut Vec<u8>) {
        out.extend([
            (self.direction << 6) | (u8::from(self.alpha) << 4) | (self.count & 0x0f),
            (u8::from(self.entity_increments) << 7) | (self.offset & 0x7f),
        ]);
    }

    /// Number of sensors that the record stands for, at least one.
    pub fn sensors(self) -> u8 {
        self.count.max(1)
    }

    /// What is appended to the name of instance `index`; empty when the record is not shared.
    pub fn suffix(self, index: u8) -> String {
        if self.count < 2 {
            return String::new();
        }
        let number = u16::from(self.offset) + u16::from(index);
        if !self.alpha {
            return number.to_string();
        }
        // A..Z, then AA, AB, ... as in a spreadsheet.
        let letter = |n: u16| char::from(b'A' + (n % 26) as u8);
        match number / 26 {
            0 => letter(number).to_string(),
            tens => [letter(tens - 1), letter(number)].iter().collect(),
        }
    }
}

/// Compact sensor record.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Compact {
    /// Bytes 6 to 23.
    pub common: Common,
    /// Sharing.
    pub sharing: Sharing,
    /// Raw positive-going hysteresis.
    pub positive_hysteresis: u8,
    /// Raw negative-going hysteresis.
    pub negative_hysteresis: u8,
    /// OEM byte.
    pub oem: u8,
    /// Name.
    pub id: IdString,
}

impl Compact {
    pub(super) fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let common = Common::decode(r)?;
        let sharing = Sharing::decode(r)?;
        let [positive_hysteresis, negative_hysteresis, _, _, _, oem] = r.array("hysteresis")?;
        Ok(Self {
            common,
            sharing,
            positive_hysteresis,
            negative_hysteresis,
            oem,
            id: IdString::decode(r),
        })
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        self.common.encode(out);
        self.sharing.encode(out);
        out.extend([
            self.positive_hysteresis,
            self.negative_hysteresis,
            0,
            0,
            0,
            self.oem,
        ]);
        self.id.encode(out);
    }
}

/// Event-only record: a sensor that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EventOnly {
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
    /// Sharing.
    pub sharing: Sharing,
    /// OEM byte.
    pub oem: u8,
    /// Name.
    pub id: IdString,
}

impl EventOnly {
    pub(super) fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let owner = Owner::decode(r)?;
        let [entity, instance, sensor_type, event_type] = r.array("entity and sensor type")?;
        let sharing = Sharing::decode(r)?;
        let [_, oem] = r.array("OEM")?;
        Ok(Self {
            owner,
            entity,
            instance,
            sensor_type,
            event_type: event_type & 0x7f,
            sharing,
            oem,
            id: IdString::decode(r),
        })
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        self.owner.encode(out);
        out.extend([
            self.entity,
            self.instance,
            self.sensor_type,
            self.event_type & 0x7f,
        ]);
        self.sharing.encode(out);
        out.extend([0, self.oem]);
        self.id.encode(out);
    }
}
