//! The 16 bytes of a SEL record.

use crate::hal::ipmi::codec::{DecodeError, Reader};

/// Bytes of a record.
pub const RECORD_LEN: usize = 16;

/// One record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record {
    /// Record id.
    pub id: u16,
    /// What it says.
    pub kind: Kind,
}

/// The types of records (§32.1 to §32.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// 0x02: a system event.
    System(SystemEvent),
    /// 0xc0..0xdf: OEM, with a time.
    OemTimestamped {
        /// Record type.
        kind: u8,
        /// Seconds, as [`SystemEvent::time`].
        time: u32,
        /// IANA enterprise number.
        manufacturer: u32,
        /// The manufacturer's bytes.
        data: [u8; 6],
    },
    /// 0xe0..0xff: OEM, without a time.
    Oem {
        /// Record type.
        kind: u8,
        /// The manufacturer's bytes.
        data: [u8; 13],
    },
    /// A type that the specification does not have.
    Unknown {
        /// Record type.
        kind: u8,
        /// Everything behind it.
        data: [u8; 13],
    },
}

/// A system event record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SystemEvent {
    /// Seconds since 1970; below 0x20000000 since the start of the BMC; 0xffffffff unspecified.
    pub time: u32,
    /// Generator id: low byte slave address or software id, high byte channel (7..4) and LUN (1..0).
    pub generator: [u8; 2],
    /// Event message format: 4 for IPMI 1.5 and 2.0, 3 for 1.0.
    pub revision: u8,
    /// Sensor type code.
    pub sensor_type: u8,
    /// Sensor number.
    pub sensor: u8,
    /// The event went away instead of coming.
    pub deassertion: bool,
    /// Event/reading type code, 7 bits.
    pub event_type: u8,
    /// Event data 1 to 3.
    pub data: [u8; 3],
}

impl SystemEvent {
    /// Event offset: low nibble of event data 1.
    pub fn offset(&self) -> u8 {
        let [first, ..] = self.data;
        first & 0x0f
    }
}

impl Record {
    /// Reads a record. Bytes behind the 16 are not looked at.
    pub fn parse(data: &[u8]) -> Result<Self, DecodeError> {
        let r = &mut Reader::new(data);
        let id = r.u16("SEL record ID")?;
        let kind = r.u8("SEL record type")?;
        let body: [u8; 13] = r.array("SEL record data")?;
        let b = &mut Reader::new(&body);
        let kind = match kind {
            0x02 => Kind::System(SystemEvent::read(b)?),
            0xc0..=0xdf => Kind::OemTimestamped {
                kind,
                time: b.u32("timestamp")?,
                manufacturer: b.u24("manufacturer ID")?,
                data: b.array("OEM data")?,
            },
            0xe0..=0xff => Kind::Oem { kind, data: body },
            _ => Kind::Unknown { kind, data: body },
        };
        Ok(Self { id, kind })
    }

    /// The 16 bytes.
    pub fn encode(&self) -> [u8; RECORD_LEN] {
        let mut out = Vec::with_capacity(RECORD_LEN);
        out.extend(self.id.to_le_bytes());
        match self.kind {
            Kind::System(event) => {
                out.push(0x02);
                event.write(&mut out);
            }
            Kind::OemTimestamped {
                kind,
                time,
                manufacturer,
                data,
            } => {
                out.push(kind);
                out.extend(time.to_le_bytes());
                let [a, b, c, _] = manufacturer.to_le_bytes();
                out.extend([a, b, c]);
                out.extend(data);
            }
            Kind::Oem { kind, data } | Kind::Unknown { kind, data } => {
                out.push(kind);
                out.extend(data);
            }
        }
        out.first_chunk().copied().unwrap_or_default()
    }

    /// The same record read as a system event: some BMCs give their events an illegal type (HP DL380 G5, Intel
    /// S2600JF). `None` when it does not look like one.
    #[must_use]
    pub fn assume_system_event(&self) -> Option<Self> {
        let Kind::Unknown { data, .. } = self.kind else {
            return None;
        };
        let event = SystemEvent::read(&mut Reader::new(&data)).ok()?;
        matches!(event.revision, 3 | 4).then_some(Self {
            id: self.id,
            kind: Kind::System(event),
        })
    }

    /// Seconds of the record's time, if its type has one.
    pub fn time(&self) -> Option<u32> {
        match self.kind {
            Kind::System(SystemEvent { time, .. }) | Kind::OemTimestamped { time, .. } => {
                Some(time)
            }
            Kind::Oem { .. } | Kind::Unknown { .. } => None,
        }
    }
}

impl SystemEvent {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let time = r.u32("timestamp")?;
        let generator = r.array("generator ID")?;
        let [revision, sensor_type, sensor, direction] = r.array("sensor of the event")?;
        Ok(Self {
            time,
            generator,
            revision,
            sensor_type,
            sensor,
            deassertion: direction & 0x80 != 0,
            event_type: direction & 0x7f,
            data: r.array("event data")?,
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.time.to_le_bytes());
        out.extend(self.generator);
        out.extend([
            self.revision,
            self.sensor_type,
            self.sensor,
            (u8::from(self.deassertion) << 7) | (self.event_type & 0x7f),
        ]);
        out.extend(self.data);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_system_event() {
        let data = [
            0x01, 0x00, 0x02, 0xf1, 0xd2, 0xd6, 0x5f, 0x20, 0x00, 0x04, 0x01, 0x30, 0x81, 0x57,
            0x50, 0x4b,
        ];
        let record = Record::parse(&data).unwrap();
        let Kind::System(event) = record.kind else {
            panic!("{record:?}");
        };
        assert_eq!(event.time, 0x5fd6_d2f1);
        assert!(event.deassertion);
        assert_eq!((event.event_type, event.offset()), (1, 7));
        assert_eq!(record.encode(), data);
        assert_eq!(
            Record::parse(&data[..15]).unwrap_err().to_string(),
            "SEL record data: need 13 bytes, have 12"
        );
    }

    #[test]
    fn illegal_types_are_read_as_system_events_where_they_look_like_one() {
        let mut data = Record {
            id: 1,
            kind: Kind::Unknown {
                kind: 0x07,
                data: [0; 13],
            },
        }
        .encode();
        assert_eq!(Record::parse(&data).unwrap().assume_system_event(), None);
        data[9] = 4;
        assert!(
            Record::parse(&data)
                .unwrap()
                .assume_system_event()
                .is_some()
        );
    }

    proptest! {
        #[test]
        fn every_record_is_kept_whole(data: [u8; 16]) {
            let record = Record::parse(&data).unwrap();
            prop_assert_eq!(record.encode(), data);
            for cut in 0..16 {
                prop_assert!(Record::parse(&data[..cut]).is_err());
            }
        }
    }
}
