//! Thresholds and hysteresis of a sensor, raw.

use crate::hal::ipmi::cmd::{Command, Effect, NetFn, Privilege};
use crate::hal::ipmi::codec::{DecodeError, Reader};

/// Six raw thresholds and which of them count (§35.8, §35.9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RawThresholds {
    /// Bit 0 lower non-critical, 1 lower critical, 2 lower non-recoverable, 3 upper non-critical, 4 upper
    /// critical, 5 upper non-recoverable: readable (get) or to be set (set).
    pub mask: u8,
    /// The raw values in the order of the bits.
    pub values: [u8; 6],
}

impl RawThresholds {
    /// The raw value of bit `index`, if it counts.
    pub fn get(&self, index: usize) -> Option<u8> {
        (index < 6 && self.mask & (1 << index) != 0)
            .then(|| self.values.get(index).copied())
            .flatten()
    }

    fn write(self, out: &mut Vec<u8>) {
        out.push(self.mask);
        out.extend(self.values);
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            mask: r.u8("threshold mask")? & 0x3f,
            values: r.array("thresholds")?,
        })
    }
}

/// Set Sensor Thresholds (§35.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetSensorThresholds {
    /// Sensor number.
    pub sensor: u8,
    /// What to set.
    pub thresholds: RawThresholds,
}

impl Command for SetSensorThresholds {
    type Reply = ();
    const NETFN: NetFn = NetFn::SENSOR_EVENT;
    const CMD: u8 = 0x26;
    const NAME: &'static str = "Set Sensor Thresholds";
    const PRIVILEGE: Privilege = Privilege::Operator;
    const EFFECT: Effect = Effect::Idempotent;

    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.sensor);
        self.thresholds.write(out);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            sensor: r.u8("sensor number")?,
            thresholds: RawThresholds::read(r)?,
        })
    }

    no_reply_data!();
}

/// Get Sensor Thresholds (§35.9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetSensorThresholds {
    /// Sensor number.
    pub sensor: u8,
}

impl Command for GetSensorThresholds {
    type Reply = RawThresholds;
    const NETFN: NetFn = NetFn::SENSOR_EVENT;
    const CMD: u8 = 0x27;
    const NAME: &'static str = "Get Sensor Thresholds";
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
        reply.write(out);
    }

    fn decode_reply(&self, r: &mut Reader<'_>) -> Result<Self::Reply, DecodeError> {
        RawThresholds::read(r)
    }
}

/// Hysteresis in raw counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Hysteresis {
    /// Of positive-going thresholds.
    pub positive: u8,
    /// Of negative-going thresholds.
    pub negative: u8,
}

/// Set Sensor Hysteresis (§35.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetSensorHysteresis {
    /// Sensor number.
    pub sensor: u8,
    /// What to set.
    pub hysteresis: Hysteresis,
}

impl Command for SetSensorHysteresis {
    type Reply = ();
    const NETFN: NetFn = NetFn::SENSOR_EVENT;
    const CMD: u8 = 0x24;
    const NAME: &'static str = "Set Sensor Hysteresis";
    const PRIVILEGE: Privilege = Privilege::Operator;
    const EFFECT: Effect = Effect::Idempotent;

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend([
            self.sensor,
            0xff,
            self.hysteresis.positive,
            self.hysteresis.negative,
        ]);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let sensor = r.u8("sensor number")?;
        r.u8("reserved for hysteresis mask")?;
        Ok(Self {
            sensor,
            hysteresis: Hysteresis {
                positive: r.u8("positive-going hysteresis")?,
                negative: r.u8("negative-going hysteresis")?,
            },
        })
    }

    no_reply_data!();
}

/// Get Sensor Hysteresis (§35.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetSensorHysteresis {
    /// Sensor number.
    pub sensor: u8,
}

impl Command for GetSensorHysteresis {
    type Reply = Hysteresis;
    const NETFN: NetFn = NetFn::SENSOR_EVENT;
    const CMD: u8 = 0x25;
    const NAME: &'static str = "Get Sensor Hysteresis";
    const PRIVILEGE: Privilege = Privilege::User;
    const EFFECT: Effect = Effect::Read;

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend([self.sensor, 0xff]);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let sensor = r.u8("sensor number")?;
        // Reserved for a mask; some clients leave it out.
        let _ = r.opt_u8();
        Ok(Self { sensor })
    }

    fn encode_reply(reply: &Self::Reply, out: &mut Vec<u8>) {
        out.extend([reply.positive, reply.negative]);
    }

    fn decode_reply(&self, r: &mut Reader<'_>) -> Result<Self::Reply, DecodeError> {
        Ok(Hysteresis {
            positive: r.u8("positive-going hysteresis")?,
            negative: r.u8("negative-going hysteresis")?,
        })
    }
}
