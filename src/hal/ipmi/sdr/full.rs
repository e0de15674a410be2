//! Full sensor record (§43.1) and what it shares with the compact one.

use super::IdString;
use crate::hal::ipmi::codec::{DecodeError, Reader};
use crate::hal::ipmi::sensor::{AnalogFormat, Factors, Linearization};

/// Who owns a sensor, and its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Owner {
    /// Slave address (bit 0 clear) or software id (bit 0 set); the BMC is 0x20.
    pub id: u8,
    /// Channel on which the owner is reached, 0..15.
    pub channel: u8,
    /// Logical unit, 0..3.
    pub lun: u8,
    /// Sensor number.
    pub number: u8,
}

impl Owner {
    pub(super) fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let [id, lun, number] = r.array("sensor owner and number")?;
        Ok(Self {
            id,
            channel: lun >> 4,
            lun: lun & 0x03,
            number,
        })
    }

    pub(super) fn encode(self, out: &mut Vec<u8>) {
        out.extend([
            self.id,
            (self.channel << 4) | (self.lun & 0x03),
            self.number,
        ]);
    }
}

/// The three units bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Units {
    /// Rate: 0 none, 1 per us, 2 per ms, 3 per s, 4 per minute, 5 per hour, 6 per day.
    pub rate: u8,
    /// 0 = no modifier, 1 = base / modifier, 2 = base * modifier.
    pub modifier_use: u8,
    /// The value is a percentage.
    pub percentage: bool,
    /// Base unit code.
    pub base: u8,
    /// Modifier unit code.
    pub modifier: u8,
}

/// What full and compact records have in common: bytes 6 to 23.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Common {
    /// Owner and number.
    pub owner: Owner,
    /// Entity id.
    pub entity: u8,
    /// Entity instance; bit 7: logical container.
    pub instance: u8,
    /// Sensor initialization.
    pub initialization: u8,
    /// Sensor capabilities: bit 7 ignore without entity, 6 re-arm, 5..4 hysteresis, 3..2 thresholds, 1..0 events.
    pub capabilities: u8,
    /// Sensor type code.
    pub sensor_type: u8,
    /// Event/reading type code: 1 = threshold.
    pub event_type: u8,
    /// Assertion event mask / lower threshold reading mask.
    pub assertion: u16,
    /// Deassertion event mask / upper threshold reading mask.
    pub deassertion: u16,
    /// Discrete reading mask; of threshold sensors bits 5..0 readable and 13..8 settable thresholds.
    pub reading_mask: u16,
    /// How the raw reading stands for a number.
    pub format: AnalogFormat,
    /// Units.
    pub units: Units,
}

impl Default for Common {
    fn default() -> Self {
        Self {
            owner: Owner {
                id: 0x20,
                ..Owner::default()
            },
            entity: 0,
            instance: 1,
            initialization: 0x7f,
            capabilities: 0x68,
            sensor_type: 0,
            event_type: 1,
            assertion: 0,
            deassertion: 0,
            reading_mask: 0,
            format: AnalogFormat::Unsigned,
            units: Units::default(),
        }
    }
}

impl Common {
    pub(super) fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let owner = Owner::decode(r)?;
        let [entity, instance, initialization, capabilities] =
            r.array("entity and capabilities")?;
        let [sensor_type, event_type] = r.array("sensor type")?;
        let assertion = r.u16("assertion event mask")?;
        let deassertion = r.u16("deassertion event mask")?;
        let reading_mask = r.u16("reading mask")?;
        let [flags, base, modifier] = r.array("sensor units")?;
        Ok(Self {
            owner,
            entity,
            instance,
            initialization,
            capabilities,
            sensor_type,
            event_type: event_type & 0x7f,
            assertion,
            deassertion,
            reading_mask,
            format: AnalogFormat::from_bits(flags >> 6),
            units: Units {
                rate: (flags >> 3) & 0x07,
                modifier_use: (flags >> 1) & 0x03,
                percentage: flags & 0x01 != 0,
                base,
                modifier,
            },
        })
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        self.owner.encode(out);
        out.extend([
            self.entity,
            self.instance,
            self.initialization,
            self.capabilities,
            self.sensor_type,
            self.event_type & 0x7f,
        ]);
        for mask in [self.assertion, self.deassertion, self.reading_mask] {
            out.extend(mask.to_le_bytes());
        }
        let units = self.units;
        out.extend([
            (self.format.bits() << 6)
                | ((units.rate & 0x07) << 3)
                | ((units.modifier_use & 0x03) << 1)
                | u8::from(units.percentage),
            units.base,
            units.modifier,
        ]);
    }
}

/// The raw default thresholds of a full record, in the order of the bits of a readable mask: lower non-critical,
/// lower critical, lower non-recoverable, upper non-critical, upper critical, upper non-recoverable.
pub type Thresholds = [u8; 6];

/// Full sensor record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Full {
    /// Bytes 6 to 23.
    pub common: Common,
    /// Linearization.
    pub linearization: Linearization,
    /// Conversion factors.
    pub factors: Factors,
    /// Bit 0 nominal reading, 1 normal max., 2 normal min. are given.
    pub analog_flags: u8,
    /// Raw nominal reading.
    pub nominal: u8,
    /// Raw normal maximum.
    pub normal_max: u8,
    /// Raw normal minimum.
    pub normal_min: u8,
    /// Raw sensor maximum.
    pub sensor_max: u8,
    /// Raw sensor minimum.
    pub sensor_min: u8,
    /// Raw default thresholds.
    pub thresholds: Thresholds,
    /// Raw positive-going hysteresis.
    pub positive_hysteresis: u8,
    /// Raw negative-going hysteresis.
    pub negative_hysteresis: u8,
    /// OEM byte.
    pub oem: u8,
    /// Name.
    pub id: IdString,
}

impl Default for Full {
    fn default() -> Self {
        Self {
            common: Common::default(),
            linearization: Linearization::Linear,
            factors: Factors::IDENTITY,
            analog_flags: 0,
            nominal: 0,
            normal_max: 0,
            normal_min: 0,
            sensor_max: 0xff,
            sensor_min: 0,
            thresholds: [0; 6],
            positive_hysteresis: 0,
            negative_hysteresis: 0,
            oem: 0,
            id: IdString::default(),
        }
    }
}

impl Full {
    pub(super) fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let common = Common::decode(r)?;
        let linearization = Linearization::from_code(r.u8("linearization")?);
        let factors = Factors::decode(r)?;
        let [
            analog_flags,
            nominal,
            normal_max,
            normal_min,
            sensor_max,
            sensor_min,
        ] = r.array("analog characteristics")?;
        let [unr, uc, unc, lnr, lc, lnc] = r.array("thresholds")?;
        let [positive_hysteresis, negative_hysteresis, _, _, oem] = r.array("hysteresis")?;
        Ok(Self {
            common,
            linearization,
            factors,
            analog_flags,
            nominal,
            normal_max,
            normal_min,
            sensor_max,
            sensor_min,
            thresholds: [lnc, lc, lnr, unc, uc, unr],
            positive_hysteresis,
            negative_hysteresis,
            oem,
            id: IdString::decode(r),
        })
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        self.common.encode(out);
        out.push(self.linearization.code());
        out.extend(self.factors.encode());
        out.extend([
            self.analog_flags,
            self.nominal,
            self.normal_max,
            self.normal_min,
            self.sensor_max,
            self.sensor_min,
        ]);
        let [lnc, lc, lnr, unc, uc, unr] = self.thresholds;
        out.extend([unr, uc, unc, lnr, lc, lnc]);
        out.extend([
            self.positive_hysteresis,
            self.negative_hysteresis,
            0,
            0,
            self.oem,
        ]);
        self.id.encode(out);
    }
}
