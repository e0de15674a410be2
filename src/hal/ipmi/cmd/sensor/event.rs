//! Platform Event Message and the event switches of a sensor.

use crate::hal::ipmi::cmd::{Command, Effect, NetFn, Privilege};
use crate::hal::ipmi::codec::{DecodeError, Reader};

/// Platform Event Message (§29.3): an event for the receiver's SEL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlatformEventMessage {
    /// Who reports it; only on system interfaces (over LAN and IPMB the requester's address says it).
    pub generator: Option<u8>,
    /// Event message format: 4 for IPMI 1.5 and 2.0, 3 for 1.0.
    pub revision: u8,
    /// Sensor type code.
    pub sensor_type: u8,
    /// Sensor number.
    pub sensor: u8,
    /// Bit 7: deassertion; bits 6..0: event/reading type code.
    pub direction_type: u8,
    /// Event data 1 to 3; 0xff where not given.
    pub data: [u8; 3],
}

impl Command for PlatformEventMessage {
    type Reply = ();
    const NETFN: NetFn = NetFn::SENSOR_EVENT;
    const CMD: u8 = 0x02;
    const NAME: &'static str = "Platform Event Message";
    const PRIVILEGE: Privilege = Privilege::Operator;
    const EFFECT: Effect = Effect::Once;

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend(self.generator);
        out.extend([
            self.revision,
            self.sensor_type,
            self.sensor,
            self.direction_type,
        ]);
        out.extend(self.data);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let generator = match r.remaining() {
            0..=7 => None,
            _ => Some(r.u8("generator ID")?),
        };
        Ok(Self {
            generator,
            revision: r.u8("event message revision")?,
            sensor_type: r.u8("sensor type")?,
            sensor: r.u8("sensor number")?,
            direction_type: r.u8("event direction and type")?,
            data: [
                r.u8("event data 1")?,
                r.opt_u8().unwrap_or(0xff),
                r.opt_u8().unwrap_or(0xff),
            ],
        })
    }

    no_reply_data!();
}

/// Flags and the assertion/deassertion bits of a sensor's events (§35.10 to §35.12). Missing bytes read as 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SensorEventBits {
    /// Bit 7 events enabled, 6 scanning enabled, 5 unavailable (status) or 5..4 what to do (set).
    pub flags: u8,
    /// Assertion events, offset 0 in bit 0.
    pub assertion: u16,
    /// Deassertion events, offset 0 in bit 0.
    pub deassertion: u16,
}

impl SensorEventBits {
    fn write(self, out: &mut Vec<u8>) {
        out.push(self.flags);
        out.extend(self.assertion.to_le_bytes());
        out.extend(self.deassertion.to_le_bytes());
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let flags = r.u8("sensor event flags")?;
        let mut bits = || u16::from_le_bytes([r.opt_u8().unwrap_or(0), r.opt_u8().unwrap_or(0)]);
        Ok(Self {
            flags,
            assertion: bits(),
            deassertion: bits(),
        })
    }
}

/// Set Sensor Event Enable (§35.10).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetSensorEventEnable {
    /// Sensor number.
    pub sensor: u8,
    /// What to switch.
    pub bits: SensorEventBits,
}

impl Command for SetSensorEventEnable {
    type Reply = ();
    const NETFN: NetFn = NetFn::SENSOR_EVENT;
    const CMD: u8 = 0x28;
    const NAME: &'static str = "Set Sensor Event Enable";
    const PRIVILEGE: Privilege = Privilege::Operator;
    const EFFECT: Effect = Effect::Idempotent;

    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.sensor);
        self.bits.write(out);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            sensor: r.u8("sensor number")?,
            bits: SensorEventBits::read(r)?,
        })
    }

    no_reply_data!();
}

/// Get Sensor Event Enable (§35.11).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetSensorEventEnable {
    /// Sensor number.
    pub sensor: u8,
}

impl Command for GetSensorEventEnable {
    type Reply = SensorEventBits;
    const NETFN: NetFn = NetFn::SENSOR_EVENT;
    const CMD: u8 = 0x29;
    const NAME: &'static str = "Get Sensor Event Enable";
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
        SensorEventBits::read(r)
    }
}

/// Get Sensor Event Status (§35.13).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetSensorEventStatus {
    /// Sensor number.
    pub sensor: u8,
}

impl Command for GetSensorEventStatus {
    type Reply = SensorEventBits;
    const NETFN: NetFn = NetFn::SENSOR_EVENT;
    const CMD: u8 = 0x2b;
    const NAME: &'static str = "Get Sensor Event Status";
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
        SensorEventBits::read(r)
    }
}
