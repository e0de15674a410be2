//! Which SDRs are temperatures, and what they read (§6.5.2, §6.7.3).

use super::{GROUP_ID, group};
use crate::hal::ipmi::cmd::{Command, Effect, NetFn, Privilege};
use crate::hal::ipmi::codec::{DecodeError, Reader};

/// Entity ids of DCMI.
pub mod entity {
    /// Inlet air.
    pub const INLET: u8 = 0x40;
    /// Processor.
    pub const CPU: u8 = 0x41;
    /// Baseboard.
    pub const BASEBOARD: u8 = 0x42;
}

/// Sensor type of temperatures, the only one DCMI knows.
const TEMPERATURE: u8 = 0x01;

/// What both commands ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Query {
    sensor_type: u8,
    entity: u8,
    instance: u8,
    start: u8,
}

impl Query {
    fn encode(self, out: &mut Vec<u8>) {
        out.extend([
            GROUP_ID,
            self.sensor_type,
            self.entity,
            self.instance,
            self.start,
        ]);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        group(r)?;
        Ok(Self {
            sensor_type: r.u8("sensor type")?,
            entity: r.u8("entity ID")?,
            instance: r.u8("entity instance")?,
            start: r.u8("entity instance start")?,
        })
    }
}

macro_rules! query {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $name {
            /// Sensor type: 1 = temperature.
            pub sensor_type: u8,
            /// Entity id, see [`entity`].
            pub entity: u8,
            /// Entity instance; 0 = all, from `start` on.
            pub instance: u8,
            /// First instance when all are asked for.
            pub start: u8,
        }

        impl $name {
            /// All temperatures of `entity`, from instance `start` (1 is the first) on.
            pub fn all(entity: u8, start: u8) -> Self {
                Self { sensor_type: TEMPERATURE, entity, instance: 0, start }
            }

            fn query(self) -> Query {
                let Self { sensor_type, entity, instance, start } = self;
                Query { sensor_type, entity, instance, start }
            }
        }

        impl From<Query> for $name {
            fn from(query: Query) -> Self {
                let Query { sensor_type, entity, instance, start } = query;
                Self { sensor_type, entity, instance, start }
            }
        }
    };
}

query! {
    /// Get DCMI Sensor Info (§6.5.2).
    GetDcmiSensorInfo
}
query! {
    /// Get Temperature Readings (§6.7.3).
    GetTemperatureReadings
}

/// SDRs of an entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DcmiSensors {
    /// Instances there are.
    pub total: u8,
    /// SDR record ids of this answer, at most 8.
    pub records: Vec<u16>,
}

impl Command for GetDcmiSensorInfo {
    type Reply = DcmiSensors;
    const NETFN: NetFn = NetFn::GROUP;
    const CMD: u8 = 0x07;
    const NAME: &'static str = "Get DCMI Sensor Info";
    const PRIVILEGE: Privilege = Privilege::Operator;
    const EFFECT: Effect = Effect::Read;

    fn encode(&self, out: &mut Vec<u8>) {
        self.query().encode(out);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Query::decode(r).map(Self::from)
    }

    fn encode_reply(reply: &Self::Reply, out: &mut Vec<u8>) {
        let count = u8::try_from(reply.records.len()).unwrap_or(u8::MAX);
        out.extend([GROUP_ID, reply.total, count]);
        for record in reply.records.iter().take(count.into()) {
            out.extend(record.to_le_bytes());
        }
    }

    fn decode_reply(&self, r: &mut Reader<'_>) -> Result<Self::Reply, DecodeError> {
        group(r)?;
        let total = r.u8("total number of instances")?;
        let count = r.u8("number of record IDs")?;
        let records = (0..count).map(|_| r.u16("SDR record ID"));
        Ok(DcmiSensors {
            total,
            records: records.collect::<Result<_, _>>()?,
        })
    }
}

/// Temperatures of an entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DcmiTemperatures {
    /// Instances there are.
    pub total: u8,
    /// Those of this answer, at most 8.
    pub readings: Vec<DcmiTemperature>,
}

/// One temperature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DcmiTemperature {
    /// Sign in bit 7, degrees Celsius in bits 6-0.
    pub raw: u8,
    /// Entity instance.
    pub instance: u8,
}

impl DcmiTemperature {
    /// Degrees Celsius, -127..=127.
    pub fn celsius(self) -> i16 {
        let degrees = i16::from(self.raw & 0x7f);
        if self.raw & 0x80 != 0 {
            -degrees
        } else {
            degrees
        }
    }
}

impl Command for GetTemperatureReadings {
    type Reply = DcmiTemperatures;
    const NETFN: NetFn = NetFn::GROUP;
    const CMD: u8 = 0x10;
    const NAME: &'static str = "Get Temperature Readings";
    const PRIVILEGE: Privilege = Privilege::User;
    const EFFECT: Effect = Effect::Read;

    fn encode(&self, out: &mut Vec<u8>) {
        self.query().encode(out);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Query::decode(r).map(Self::from)
    }

    fn encode_reply(reply: &Self::Reply, out: &mut Vec<u8>) {
        let count = u8::try_from(reply.readings.len()).unwrap_or(u8::MAX);
        out.extend([GROUP_ID, reply.total, count]);
        for reading in reply.readings.iter().take(count.into()) {
            out.extend([reading.raw, reading.instance]);
        }
    }

    fn decode_reply(&self, r: &mut Reader<'_>) -> Result<Self::Reply, DecodeError> {
        group(r)?;
        let total = r.u8("total number of instances")?;
        let count = r.u8("number of temperature readings")?;
        let readings = (0..count).map(|_| {
            let [raw, instance] = r.array("temperature reading")?;
            Ok(DcmiTemperature { raw, instance })
        });
        Ok(DcmiTemperatures {
            total,
            readings: readings.collect::<Result<_, DecodeError>>()?,
        })
    }
}
