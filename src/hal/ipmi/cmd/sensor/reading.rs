//! Readings of a sensor and how to convert them.

use crate::hal::ipmi::cmd::{Command, Effect, NetFn, Privilege};
use crate::hal::ipmi::codec::{DecodeError, Reader};
use crate::hal::ipmi::sensor::Factors;

/// Get Sensor Reading Factors (§35.5): the factors that hold at one raw reading of a non-linear sensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetSensorReadingFactors {
    /// Sensor number.
    pub sensor: u8,
    /// Raw reading.
    pub reading: u8,
}

/// What Get Sensor Reading Factors returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SensorFactors {
    /// The next raw reading at which other factors hold.
    pub next_reading: u8,
    /// The factors.
    pub factors: Factors,
}

impl Command for GetSensorReadingFactors {
    type Reply = SensorFactors;
    const NETFN: NetFn = NetFn::SENSOR_EVENT;
    const CMD: u8 = 0x23;
    const NAME: &'static str = "Get Sensor Reading Factors";
    const PRIVILEGE: Privilege = Privilege::User;
    const EFFECT: Effect = Effect::Read;

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend([self.sensor, self.reading]);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            sensor: r.u8("sensor number")?,
            reading: r.u8("reading byte")?,
        })
    }

    fn encode_reply(reply: &Self::Reply, out: &mut Vec<u8>) {
        out.push(reply.next_reading);
        out.extend(reply.factors.encode());
    }

    fn decode_reply(&self, r: &mut Reader<'_>) -> Result<Self::Reply, DecodeError> {
        Ok(SensorFactors {
            next_reading: r.u8("next reading")?,
            factors: Factors::decode(r)?,
        })
    }
}

/// Get Sensor Reading (§35.14).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetSensorReading {
    /// Sensor number.
    pub sensor: u8,
}

/// A raw reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SensorReading {
    /// Raw reading; 0 of a sensor without analog reading.
    pub reading: u8,
    /// Bit 7: event messages enabled; 6: scanning enabled; 5: reading or state unavailable.
    pub flags: u8,
    /// Threshold comparison (bits 5..0) or discrete states, offset 0 in bit 0. Bytes that did not come are 0.
    pub states: u16,
}

impl SensorReading {
    /// Is the sensor being scanned?
    pub fn scanning(self) -> bool {
        self.flags & 0x40 != 0
    }

    /// Does the BMC say that there is no reading now?
    pub fn unavailable(self) -> bool {
        self.flags & 0x20 != 0
    }
}

impl Command for GetSensorReading {
    type Reply = SensorReading;
    const NETFN: NetFn = NetFn::SENSOR_EVENT;
    const CMD: u8 = 0x2d;
    const NAME: &'static str = "Get Sensor Reading";
    const PRIVILEGE: Privilege = Privilege::User;
    const EFFECT: Effect = Effect::Read;

    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.sensor);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            sensor: r.u8("sensor number")?,
        })
    }

    fn encode_reply(reply: &Self::Reply, out: &mut Vec<u8>) {
        out.extend([reply.reading, reply.flags]);
        out.extend(reply.states.to_le_bytes());
    }

    fn decode_reply(&self, r: &mut Reader<'_>) -> Result<Self::Reply, DecodeError> {
        Ok(SensorReading {
            reading: r.u8("sensor reading")?,
            flags: r.u8("sensor flags")?,
            states: u16::from_le_bytes([r.opt_u8().unwrap_or(0), r.opt_u8().unwrap_or(0)]),
        })
    }
}

/// Get Sensor Type (§35.16).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetSensorType {
    /// Sensor number.
    pub sensor: u8,
}

/// What Get Sensor Type returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SensorTypeCodes {
    /// Sensor type code (table 42-3).
    pub sensor_type: u8,
    /// Event/reading type code (table 42-1), 7 bits.
    pub event_type: u8,
}

impl Command for GetSensorType {
    type Reply = SensorTypeCodes;
    const NETFN: NetFn = NetFn::SENSOR_EVENT;
    const CMD: u8 = 0x2f;
    const NAME: &'static str = "Get Sensor Type";
    const PRIVILEGE: Privilege = Privilege::User;
    const EFFECT: Effect = Effect::Read;

    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.sensor);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            sensor: r.u8("sensor number")?,
        })
    }

    fn encode_reply(reply: &Self::Reply, out: &mut Vec<u8>) {
        out.extend([reply.sensor_type, reply.event_type & 0x7f]);
    }

    fn decode_reply(&self, r: &mut Reader<'_>) -> Result<Self::Reply, DecodeError> {
        Ok(SensorTypeCodes {
            sensor_type: r.u8("sensor type")?,
            event_type: r.u8("event/reading type")? & 0x7f,
        })
    }
}
