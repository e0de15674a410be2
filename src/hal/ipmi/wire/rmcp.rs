//! The RMCP header (§13.1.3): the first four bytes of every datagram on port 623.

use crate::hal::ipmi::codec::{DecodeError, Reader};

/// Class of message: bits 4..0 of the fourth byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Alert Standard Format: presence ping and pong.
    Asf,
    /// IPMI 1.5 or RMCP+.
    Ipmi,
    /// Vendor-defined.
    Oem,
    /// Anything else.
    Other(u8),
}

impl Class {
    /// The five bits on the wire.
    pub fn to_wire(self) -> u8 {
        match self {
            Self::Asf => 6,
            Self::Ipmi => 7,
            Self::Oem => 8,
            Self::Other(class) => class & 0x1f,
        }
    }

    /// From the low five bits of `byte`.
    pub fn from_wire(byte: u8) -> Self {
        match byte & 0x1f {
            6 => Self::Asf,
            7 => Self::Ipmi,
            8 => Self::Oem,
            class => Self::Other(class),
        }
    }
}

/// RMCP version 1.0, the only one.
const VERSION: u8 = 0x06;

/// The RMCP header: 4 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RmcpHeader {
    /// RMCP sequence number; 0xff means "do not acknowledge", which IPMI always uses.
    pub sequence: u8,
    /// Is it an acknowledgement?
    pub ack: bool,
    /// Class of the message that follows (or is acknowledged).
    pub class: Class,
}

impl RmcpHeader {
    /// The header of every IPMI message.
    pub const IPMI: Self = Self {
        sequence: 0xff,
        ack: false,
        class: Class::Ipmi,
    };
    /// The header of a presence ping or pong that wants no acknowledgement.
    pub const ASF: Self = Self {
        sequence: 0xff,
        ack: false,
        class: Class::Asf,
    };

    /// Reads the header off the front.
    pub fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.u8("RMCP version")?;
        if version != VERSION {
            return Err(DecodeError::Invalid {
                field: "RMCP version",
                value: version.into(),
                expected: "6",
            });
        }
        let _reserved = r.u8("RMCP reserved")?;
        let sequence = r.u8("RMCP sequence")?;
        let class = r.u8("RMCP class")?;
        Ok(Self {
            sequence,
            ack: class & 0x80 != 0,
            class: Class::from_wire(class),
        })
    }

    /// Reads the header of a datagram.
    pub fn parse(bytes: &[u8]) -> Result<Self, DecodeError> {
        Self::read(&mut Reader::new(bytes))
    }

    /// Writes the 4 bytes.
    pub fn emit(&self, out: &mut Vec<u8>) {
        let ack = if self.ack { 0x80 } else { 0 };
        out.extend([VERSION, 0, self.sequence, ack | self.class.to_wire()]);
    }
}
