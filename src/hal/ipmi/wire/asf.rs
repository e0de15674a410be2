//! ASF presence ping and pong (§13.2.3): is there anything that speaks RMCP? Needs no session.

use super::{Datagram, RmcpHeader};
use crate::hal::ipmi::codec::{DecodeError, Reader};

/// IANA enterprise number of ASF, sent big-endian.
pub const IANA_ASF: u32 = 4542;
const TYPE_PONG: u8 = 0x40;
const TYPE_PING: u8 = 0x80;

/// Presence ping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ping {
    /// Comes back in the pong. 0xff would say "unidirectional".
    pub tag: u8,
}

/// Presence pong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pong {
    /// Tag of the ping.
    pub tag: u8,
    /// IANA enterprise number of whoever defined `oem`; 4542 if nobody.
    pub iana: u32,
    /// OEM-defined.
    pub oem: u32,
    /// Supported entities: bit 7 = IPMI, bits 3..0 = ASF version 1.0.
    pub entities: u8,
    /// Supported interactions: bit 5 = DASH, bit 7 = RMCP security extensions.
    pub interactions: u8,
}

impl Pong {
    /// Does it say that it speaks IPMI?
    pub fn ipmi(&self) -> bool {
        self.entities & 0x80 != 0
    }

    /// Reads what follows the RMCP header.
    pub fn parse(body: &[u8]) -> Result<Self, DecodeError> {
        match parse_any(body)? {
            Datagram::Pong(pong) => Ok(pong),
            _ => Err(wrong_type(TYPE_PING, "presence pong (0x40)")),
        }
    }

    /// Writes what follows the RMCP header: 24 bytes.
    pub fn emit(&self, out: &mut Vec<u8>) {
        out.extend(IANA_ASF.to_be_bytes());
        out.extend([TYPE_PONG, self.tag, 0, 16]);
        out.extend(self.iana.to_be_bytes());
        out.extend(self.oem.to_be_bytes());
        out.extend([self.entities, self.interactions]);
        out.extend([0; 6]);
    }

    /// The whole datagram: 28 bytes.
    pub fn datagram(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(28);
        RmcpHeader::ASF.emit(&mut out);
        self.emit(&mut out);
        out
    }
}

impl Ping {
    /// Reads what follows the RMCP header.
    pub fn parse(body: &[u8]) -> Result<Self, DecodeError> {
        match parse_any(body)? {
            Datagram::Ping(ping) => Ok(ping),
            _ => Err(wrong_type(TYPE_PONG, "presence ping (0x80)")),
        }
    }

    /// Writes what follows the RMCP header: 8 bytes.
    pub fn emit(&self, out: &mut Vec<u8>) {
        out.extend(IANA_ASF.to_be_bytes());
        out.extend([TYPE_PING, self.tag, 0, 0]);
    }

    /// The whole datagram: 12 bytes.
    pub fn datagram(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(12);
        RmcpHeader::ASF.emit(&mut out);
        self.emit(&mut out);
        out
    }
}

/// Reads a ping or a pong, whichever follows the RMCP header.
pub(super) fn parse_any(body: &[u8]) -> Result<Datagram, DecodeError> {
    let mut r = Reader::new(body);
    let iana = r.u32_be("ASF enterprise number")?;
    if iana != IANA_ASF {
        return Err(DecodeError::Invalid {
            field: "ASF enterprise number",
            value: iana.into(),
            expected: "4542",
        });
    }
    let kind = r.u8("ASF message type")?;
    let tag = r.u8("ASF message tag")?;
    let _reserved = r.u8("ASF reserved")?;
    let length = r.u8("ASF data length")?;
    let mut data = Reader::new(r.bytes("ASF data", length.into())?);
    match kind {
        TYPE_PING => Ok(Datagram::Ping(Ping { tag })),
        TYPE_PONG => Ok(Datagram::Pong(Pong {
            tag,
            iana: data.u32_be("pong enterprise number")?,
            oem: data.u32_be("pong OEM field")?,
            entities: data.u8("pong supported entities")?,
            interactions: data.u8("pong supported interactions")?,
        })),
        other => Err(wrong_type(other, "presence ping (0x80) or pong (0x40)")),
    }
}

fn wrong_type(kind: u8, expected: &'static str) -> DecodeError {
    DecodeError::Invalid {
        field: "ASF message type",
        value: kind.into(),
        expected,
    }
}
