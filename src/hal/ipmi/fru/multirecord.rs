//! Multirecord area (§16 to §18).

use super::warning::Warning;
use crate::hal::ipmi::codec::{DecodeError, Reader, checksum};

/// One multirecord.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MultiRecord {
    /// Record type id.
    pub kind: u8,
    /// What it says, as far as it is known.
    pub body: RecordBody,
    /// The bytes behind the record header.
    pub raw: Vec<u8>,
}

/// Known multirecords.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordBody {
    /// 0x00: a power supply.
    PowerSupply(PowerSupplyInformation),
    /// 0x01: one output of a power supply.
    DcOutput(DcOutput),
    /// 0x02: what a board draws; fields as those of the output.
    DcLoad(DcOutput),
    /// 0x03: how to reach the management of the component.
    ManagementAccess(ManagementAccess),
    /// 0x04: what it can be replaced by.
    BaseCompatibility(BaseCompatibility),
    /// 0x05: likewise.
    ExtendedCompatibility(BaseCompatibility),
    /// 0xc0..0xff: of the manufacturer with this IANA number; its data follow the first three raw bytes.
    Oem {
        /// IANA enterprise number.
        manufacturer: u32,
    },
    /// Anything else, and records too short for their type.
    Other,
}

/// Power supply information (§18.1). `None` = unspecified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PowerSupplyInformation {
    /// Overall capacity in watts.
    pub capacity_watts: u16,
    /// Peak VA.
    pub peak_va: Option<u16>,
    /// Inrush current in amperes.
    pub inrush_amperes: Option<u8>,
    /// Inrush interval in ms.
    pub inrush_ms: u8,
    /// Low and high end of input voltage range 1, in 10 mV.
    pub input_range_1: (u16, u16),
    /// Low and high end of input voltage range 2, in 10 mV; 0 = there is none.
    pub input_range_2: (u16, u16),
    /// Low and high end of the input frequency in Hz.
    pub input_hertz: (u8, u8),
    /// AC dropout tolerance in ms.
    pub dropout_ms: u8,
    /// Bit 0 predictive failure, 1 power factor correction, 2 autoswitch, 3 hot swap, 4 tachometer pulses.
    pub flags: u8,
    /// Peak capacity in watts.
    pub peak_watts: u16,
    /// Hold-up time of the peak in seconds.
    pub peak_hold_up_seconds: u8,
    /// The two voltages that share the combined wattage: 0 = 12 V, 1 = -12 V, 2 = 5 V, 3 = 3.3 V, in nibbles.
    pub combined_voltages: u8,
    /// Combined wattage.
    pub combined_watts: u16,
    /// Lower threshold of the predictive failure tachometer, in rotations per second.
    pub tachometer_rps: u8,
}

/// One DC output or load (§18.2, §18.3): voltages in 10 mV, ripple in mV, currents in mA.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DcOutput {
    /// Output number.
    pub number: u8,
    /// Is it there when the supply is off? (Outputs only.)
    pub standby: bool,
    /// Nominal voltage.
    pub nominal: i16,
    /// Lowest voltage.
    pub minimum: i16,
    /// Highest voltage.
    pub maximum: i16,
    /// Ripple and noise, peak to peak, 10 Hz to 30 MHz.
    pub ripple: u16,
    /// Least current.
    pub min_current: u16,
    /// Largest current.
    pub max_current: u16,
}

/// Management access (§18.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManagementAccess {
    /// 1 system URL, 2 system name, 3 ping address, 4 component URL, 5 component name, 6 component ping address,
    /// 7 system unique id.
    pub kind: u8,
    /// What stands there: text, or 16 bytes for the unique id.
    pub data: Vec<u8>,
}

/// Base and extended compatibility (§18.5, §18.6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseCompatibility {
    /// IANA enterprise number of who defines the codes.
    pub manufacturer: u32,
    /// Entity id.
    pub entity: u8,
    /// Compatibility base.
    pub base: u8,
    /// First compatibility code.
    pub start: u8,
    /// Bits of further codes.
    pub mask: Vec<u8>,
}

const HEADER: usize = 5;
const END_OF_LIST: u8 = 0x80;
const AREA: &str = "multirecord area";

/// Reads the list at `offset` (0 = absent). Each step goes at least a header ahead, so that it ends.
pub(super) fn parse(data: &[u8], offset: usize, warnings: &mut Vec<Warning>) -> Vec<MultiRecord> {
    let mut records = Vec::new();
    if offset == 0 {
        return records;
    }
    let mut reader = Reader::new(data.get(offset..).unwrap_or_default());
    loop {
        let Ok(head) = reader.array::<HEADER>(AREA) else {
            warnings.push(Warning::BeyondEnd {
                area: AREA,
                need: HEADER,
                have: reader.remaining(),
            });
            return records;
        };
        let [kind, format, length, record_checksum, have] = head;
        let sum = checksum(&head);
        if format & 0x0f != 2 {
            warnings.push(Warning::Version {
                area: AREA,
                value: format,
            });
            // Blank memory, or not a list at all: what follows are no records.
            if sum != 0 || length == 0 {
                return records;
            }
        }
        if sum != 0 {
            warnings.push(Warning::Checksum {
                area: "multirecord header",
                need: have.wrapping_add(sum),
                have,
            });
        }
        let need = usize::from(length);
        let have = reader.remaining();
        let raw = reader.bytes(AREA, need).unwrap_or_else(|_| {
            warnings.push(Warning::BeyondEnd {
                area: AREA,
                need,
                have,
            });
            reader.rest()
        });
        let computed = checksum(raw);
        if raw.len() == need && computed != record_checksum {
            warnings.push(Warning::Checksum {
                area: "multirecord",
                need: computed,
                have: record_checksum,
            });
        }
        records.push(MultiRecord {
            kind,
            body: RecordBody::parse(kind, raw),
            raw: raw.to_vec(),
        });
        if format & END_OF_LIST != 0 || raw.len() < need {
            return records;
        }
    }
}

/// Where the list at `offset` ends, as far as `data` tells: at least one more header than is known.
pub(super) fn needed(data: &[u8], offset: usize) -> usize {
    let mut at = offset;
    loop {
        let end = at.saturating_add(HEADER);
        let Some([_, format, length, _, _]) = data.get(at..end) else {
            return end;
        };
        let next = end.saturating_add(usize::from(*length));
        if format & END_OF_LIST != 0 || format & 0x0f != 2 {
            return next;
        }
        at = next;
    }
}

impl RecordBody {
    fn parse(kind: u8, raw: &[u8]) -> Self {
        Self::known(kind, raw).unwrap_or(Self::Other)
    }

    fn known(kind: u8, raw: &[u8]) -> Result<Self, DecodeError> {
        let r = &mut Reader::new(raw);
        Ok(match kind {
            0x00 => Self::PowerSupply(PowerSupplyInformation::parse(r)?),
            0x01 => Self::DcOutput(DcOutput::parse(r)?),
            0x02 => Self::DcLoad(DcOutput::parse(r)?),
            0x03 => Self::ManagementAccess(ManagementAccess {
                kind: r.u8("sub-record type")?,
                data: r.rest().to_vec(),
            }),
            0x04 => Self::BaseCompatibility(BaseCompatibility::parse(r)?),
            0x05 => Self::ExtendedCompatibility(BaseCompatibility::parse(r)?),
            0xc0..=0xff => Self::Oem {
                manufacturer: r.u24("manufacturer ID")?,
            },
            _ => Self::Other,
        })
    }
}

impl PowerSupplyInformation {
    fn parse(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let capacity_watts = r.u16("overall capacity")? & 0x0fff;
        let peak_va = r.u16("peak VA")?;
        let inrush = r.u8("inrush current")?;
        let inrush_ms = r.u8("inrush interval")?;
        let mut range = |field| Ok::<_, DecodeError>((r.u16(field)?, r.u16(field)?));
        let input_range_1 = range("input voltage range 1")?;
        let input_range_2 = range("input voltage range 2")?;
        let input_hertz = (r.u8("low input frequency")?, r.u8("high input frequency")?);
        let dropout_ms = r.u8("A/C dropout tolerance")?;
        let flags = r.u8("binary flags")?;
        let peak = r.u16("peak wattage")?;
        Ok(Self {
            capacity_watts,
            peak_va: (peak_va != 0xffff).then_some(peak_va),
            inrush_amperes: (inrush != 0xff).then_some(inrush),
            inrush_ms,
            input_range_1,
            input_range_2,
            input_hertz,
            dropout_ms,
            flags,
            peak_watts: peak & 0x0fff,
            peak_hold_up_seconds: (peak >> 12) as u8,
            combined_voltages: r.u8("combined wattage voltages")?,
            combined_watts: r.u16("combined wattage")?,
            tachometer_rps: r.u8("predictive fail tachometer lower threshold")?,
        })
    }

    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(24);
        out.extend((self.capacity_watts & 0x0fff).to_le_bytes());
        out.extend(self.peak_va.unwrap_or(0xffff).to_le_bytes());
        out.extend([self.inrush_amperes.unwrap_or(0xff), self.inrush_ms]);
        for (low, high) in [self.input_range_1, self.input_range_2] {
            out.extend(low.to_le_bytes());
            out.extend(high.to_le_bytes());
        }
        let (low, high) = self.input_hertz;
        out.extend([low, high, self.dropout_ms, self.flags]);
        let peak = (self.peak_watts & 0x0fff) | (u16::from(self.peak_hold_up_seconds & 0x0f) << 12);
        out.extend(peak.to_le_bytes());
        out.push(self.combined_voltages);
        out.extend(self.combined_watts.to_le_bytes());
        out.push(self.tachometer_rps);
        out
    }
}

impl DcOutput {
    fn parse(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let number = r.u8("output number")?;
        let mut signed = |field| r.array(field).map(i16::from_le_bytes);
        Ok(Self {
            number: number & 0x0f,
            standby: number & 0x80 != 0,
            nominal: signed("nominal voltage")?,
            minimum: signed("minimum voltage")?,
            maximum: signed("maximum voltage")?,
            ripple: r.u16("ripple and noise")?,
            min_current: r.u16("minimum current")?,
            max_current: r.u16("maximum current")?,
        })
    }

    fn encode(self) -> Vec<u8> {
        let mut out = vec![(self.number & 0x0f) | (u8::from(self.standby) << 7)];
        for voltage in [self.nominal, self.minimum, self.maximum] {
            out.extend(voltage.to_le_bytes());
        }
        for value in [self.ripple, self.min_current, self.max_current] {
            out.extend(value.to_le_bytes());
        }
        out
    }
}

impl BaseCompatibility {
    fn parse(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            manufacturer: r.u24("manufacturer ID")?,
            entity: r.u8("entity ID")?,
            base: r.u8("compatibility base")?,
            start: r.u8("compatibility code start")?,
            mask: r.rest().to_vec(),
        })
    }

    fn encode(&self) -> Vec<u8> {
        let [a, b, c, _] = self.manufacturer.to_le_bytes();
        let mut out = vec![a, b, c, self.entity, self.base, self.start];
        out.extend(&self.mask);
        out
    }
}

impl MultiRecord {
    /// A record of a known type.
    pub fn new(body: RecordBody) -> Self {
        let (kind, raw) = match &body {
            RecordBody::PowerSupply(psu) => (0x00, psu.encode()),
            RecordBody::DcOutput(output) => (0x01, output.encode()),
            RecordBody::DcLoad(load) => (0x02, load.encode()),
            RecordBody::ManagementAccess(access) => {
                let mut raw = vec![access.kind];
                raw.extend(&access.data);
                (0x03, raw)
            }
            RecordBody::BaseCompatibility(base) => (0x04, base.encode()),
            RecordBody::ExtendedCompatibility(base) => (0x05, base.encode()),
            RecordBody::Oem { manufacturer } => {
                let [a, b, c, _] = manufacturer.to_le_bytes();
                (0xc0, vec![a, b, c])
            }
            RecordBody::Other => (0x0f, Vec::new()),
        };
        Self { kind, body, raw }
    }

    /// A record from its raw bytes.
    pub fn from_raw(kind: u8, raw: &[u8]) -> Self {
        Self {
            kind,
            body: RecordBody::parse(kind, raw),
            raw: raw.to_vec(),
        }
    }

    /// The list with headers and checksums; `None` when there are no records. Raw bytes are cut after 255.
    pub(super) fn encode_all(records: &[Self]) -> Option<Vec<u8>> {
        let (last, _) = records.split_last()?;
        let mut out = Vec::new();
        for record in records {
            let raw = record.raw.get(..255).unwrap_or(&record.raw);
            let end = std::ptr::eq(record, last);
            let mut head = vec![
                record.kind,
                if end { END_OF_LIST | 2 } else { 2 },
                raw.len() as u8,
                checksum(raw),
            ];
            head.push(checksum(&head));
            out.extend(head);
            out.extend(raw);
        }
        Some(out)
    }
}
