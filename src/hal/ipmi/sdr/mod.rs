//! Sensor data records (§43): decoder and encoder of all types of the specification.
//!
//! A record may be shorter or longer than its header says; what is there is used, reserved bytes are not kept, and
//! types that are not known stay bytes.

mod compact;
mod entity;
mod full;
mod id;
mod locator;
mod sensor;

pub use compact::{Compact, EventOnly, Sharing};
pub use entity::{DeviceEntity, DeviceRelative, Entity, EntityAssociation};
pub use full::{Common, Full, Owner, Thresholds, Units};
pub use id::IdString;
pub use locator::{BmcMessageChannel, FruLocator, GenericLocator, McConfirmation, McLocator};
pub use sensor::{Analog, Sensor};

use super::codec::{DecodeError, Reader};

/// Bytes of the record header.
pub const HEADER_LEN: usize = 5;
/// Longest record: the header and what one length byte can say.
pub const MAX_LEN: usize = HEADER_LEN + 255;

/// The header of every record (§43).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Record id.
    pub id: u16,
    /// SDR version in BCD, 0x51 for IPMI 1.5 and 2.0.
    pub version: u8,
    /// Record type.
    pub kind: u8,
    /// Bytes behind the header.
    pub length: u8,
}

impl Header {
    /// Reads the five bytes.
    pub fn parse(data: &[u8]) -> Result<Self, DecodeError> {
        let r = &mut Reader::new(data);
        Ok(Self {
            id: r.u16("SDR record ID")?,
            version: r.u8("SDR version")?,
            kind: r.u8("SDR record type")?,
            length: r.u8("SDR record length")?,
        })
    }

    /// Bytes of the whole record.
    pub fn total(self) -> usize {
        HEADER_LEN + usize::from(self.length)
    }
}

/// One record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sdr {
    /// Record id.
    pub id: u16,
    /// SDR version in BCD.
    pub version: u8,
    /// What it says.
    pub body: Body,
}

/// The types of records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// 0x01.
    Full(Box<Full>),
    /// 0x02.
    Compact(Box<Compact>),
    /// 0x03.
    EventOnly(EventOnly),
    /// 0x08.
    EntityAssociation(EntityAssociation),
    /// 0x09.
    DeviceRelative(DeviceRelative),
    /// 0x10.
    GenericLocator(GenericLocator),
    /// 0x11.
    FruLocator(FruLocator),
    /// 0x12.
    McLocator(McLocator),
    /// 0x13.
    McConfirmation(McConfirmation),
    /// 0x14.
    BmcMessageChannel(BmcMessageChannel),
    /// 0xc0.
    Oem {
        /// IANA enterprise number.
        manufacturer: u32,
        /// The manufacturer's bytes.
        data: Vec<u8>,
    },
    /// A type that the specification does not have.
    Unknown {
        /// Record type.
        kind: u8,
        /// Everything behind the header.
        data: Vec<u8>,
    },
}

impl Sdr {
    /// A record of version 1.5.
    pub fn new(id: u16, body: Body) -> Self {
        Self {
            id,
            version: 0x51,
            body,
        }
    }

    /// Decodes a whole record, header included. Bytes behind its length are not looked at.
    pub fn parse(data: &[u8]) -> Result<Self, DecodeError> {
        let header = Header::parse(data)?;
        let have = data.get(HEADER_LEN..).unwrap_or_default();
        let r = &mut Reader::new(have.get(..header.length.into()).unwrap_or(have));
        let body = match header.kind {
            0x01 => Body::Full(Box::new(Full::decode(r)?)),
            0x02 => Body::Compact(Box::new(Compact::decode(r)?)),
            0x03 => Body::EventOnly(EventOnly::decode(r)?),
            0x08 => Body::EntityAssociation(EntityAssociation::decode(r)?),
            0x09 => Body::DeviceRelative(DeviceRelative::decode(r)?),
            0x10 => Body::GenericLocator(GenericLocator::decode(r)?),
            0x11 => Body::FruLocator(FruLocator::decode(r)?),
            0x12 => Body::McLocator(McLocator::decode(r)?),
            0x13 => Body::McConfirmation(McConfirmation::decode(r)?),
            0x14 => Body::BmcMessageChannel(BmcMessageChannel::decode(r)?),
            0xc0 => Body::Oem {
                manufacturer: r.u24("manufacturer ID")?,
                data: r.rest().to_vec(),
            },
            kind => Body::Unknown {
                kind,
                data: r.rest().to_vec(),
            },
        };
        Ok(Self {
            id: header.id,
            version: header.version,
            body,
        })
    }

    /// The record type.
    pub fn kind(&self) -> u8 {
        match &self.body {
            Body::Full(_) => 0x01,
            Body::Compact(_) => 0x02,
            Body::EventOnly(_) => 0x03,
            Body::EntityAssociation(_) => 0x08,
            Body::DeviceRelative(_) => 0x09,
            Body::GenericLocator(_) => 0x10,
            Body::FruLocator(_) => 0x11,
            Body::McLocator(_) => 0x12,
            Body::McConfirmation(_) => 0x13,
            Body::BmcMessageChannel(_) => 0x14,
            Body::Oem { .. } => 0xc0,
            Body::Unknown { kind, .. } => *kind,
        }
    }

    /// The whole record with its header. More than 255 bytes behind the header are cut.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(64);
        out.extend(self.id.to_le_bytes());
        out.extend([self.version, self.kind(), 0]);
        match &self.body {
            Body::Full(full) => full.encode(&mut out),
            Body::Compact(compact) => compact.encode(&mut out),
            Body::EventOnly(event) => event.encode(&mut out),
            Body::EntityAssociation(entity) => entity.encode(&mut out),
            Body::DeviceRelative(entity) => entity.encode(&mut out),
            Body::GenericLocator(locator) => locator.encode(&mut out),
            Body::FruLocator(locator) => locator.encode(&mut out),
            Body::McLocator(locator) => locator.encode(&mut out),
            Body::McConfirmation(confirmation) => confirmation.encode(&mut out),
            Body::BmcMessageChannel(channels) => channels.encode(&mut out),
            Body::Oem { manufacturer, data } => {
                let [a, b, c, _] = manufacturer.to_le_bytes();
                out.extend([a, b, c]);
                out.extend(data);
            }
            Body::Unknown { data, .. } => out.extend(data),
        }
        out.truncate(MAX_LEN);
        let length = out.len().saturating_sub(HEADER_LEN) as u8;
        if let Some(byte) = out.get_mut(4) {
            *byte = length;
        }
        out
    }

    /// The name in the record, if its type has one.
    pub fn name(&self) -> Option<String> {
        let id = match &self.body {
            Body::Full(full) => &full.id,
            Body::Compact(compact) => &compact.id,
            Body::EventOnly(event) => &event.id,
            Body::GenericLocator(locator) => &locator.id,
            Body::FruLocator(locator) => &locator.id,
            Body::McLocator(locator) => &locator.id,
            _ => return None,
        };
        Some(id.to_string())
    }
}

#[cfg(test)]
mod tests;
