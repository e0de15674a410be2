//! The session packet of RMCP+ (§13.6, right column): everything after the RMCP header, still sealed.

use crate::hal::ipmi::codec::{DecodeError, Reader};

/// The auth type byte that tells RMCP+ from IPMI 1.5.
pub const AUTH_TYPE_RMCP_PLUS: u8 = 0x06;

/// Payload types (§13.27.3), 6 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PayloadType {
    /// One IPMI message.
    Ipmi,
    /// Serial over LAN.
    Sol,
    /// Vendor-defined; its header carries the vendor's number and payload id.
    OemExplicit,
    /// Open Session Request.
    OpenSessionRequest,
    /// Open Session Response.
    OpenSessionResponse,
    /// RAKP message 1.
    Rakp1,
    /// RAKP message 2.
    Rakp2,
    /// RAKP message 3.
    Rakp3,
    /// RAKP message 4.
    Rakp4,
    /// Anything else.
    Other(u8),
}

impl PayloadType {
    /// The six bits on the wire.
    pub fn to_wire(self) -> u8 {
        match self {
            Self::Ipmi => 0x00,
            Self::Sol => 0x01,
            Self::OemExplicit => 0x02,
            Self::OpenSessionRequest => 0x10,
            Self::OpenSessionResponse => 0x11,
            Self::Rakp1 => 0x12,
            Self::Rakp2 => 0x13,
            Self::Rakp3 => 0x14,
            Self::Rakp4 => 0x15,
            Self::Other(kind) => kind & 0x3f,
        }
    }

    /// From the low six bits.
    pub fn from_wire(byte: u8) -> Self {
        match byte & 0x3f {
            0x00 => Self::Ipmi,
            0x01 => Self::Sol,
            0x02 => Self::OemExplicit,
            0x10 => Self::OpenSessionRequest,
            0x11 => Self::OpenSessionResponse,
            0x12 => Self::Rakp1,
            0x13 => Self::Rakp2,
            0x14 => Self::Rakp3,
            0x15 => Self::Rakp4,
            kind => Self::Other(kind),
        }
    }
}

/// An RMCP+ packet as it is on the wire: if `encrypted`, the payload is still so; if `authenticated`, the
/// trailer still unchecked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    /// What the payload is.
    pub payload_type: PayloadType,
    /// Bit 7 of the payload type byte.
    pub encrypted: bool,
    /// Bit 6 of the payload type byte.
    pub authenticated: bool,
    /// Vendor's IANA number and payload id; only with [`PayloadType::OemExplicit`].
    pub oem: Option<(u32, u16)>,
    /// Session id of the receiver; 0 before a session.
    pub session_id: u32,
    /// Session sequence number; 0 before a session.
    pub sequence: u32,
    /// At most 65535 bytes.
    pub payload: Vec<u8>,
    /// What follows the payload: integrity pad, pad length, next header (7), code. Empty if not authenticated.
    pub trailer: Vec<u8>,
}

impl Packet {
    /// A packet outside of any session: Open Session, RAKP, sessionless commands.
    pub fn sessionless(payload_type: PayloadType, payload: Vec<u8>) -> Self {
        Self {
            payload_type,
            encrypted: false,
            authenticated: false,
            oem: None,
            session_id: 0,
            sequence: 0,
            payload,
            trailer: Vec::new(),
        }
    }

    /// Reads what follows the RMCP header.
    pub fn parse(body: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(body);
        let auth_type = r.u8("session auth type")?;
        if auth_type != AUTH_TYPE_RMCP_PLUS {
            return Err(DecodeError::Invalid {
                field: "session auth type",
                value: auth_type.into(),
                expected: "6 (RMCP+)",
            });
        }
        let kind = r.u8("payload type")?;
        let payload_type = PayloadType::from_wire(kind);
        let oem = match payload_type {
            PayloadType::OemExplicit => Some((r.u32("OEM IANA")?, r.u16("OEM payload id")?)),
            _ => None,
        };
        let session_id = r.u32("session id")?;
        let sequence = r.u32("session sequence")?;
        let length = r.u16("payload length")?;
        let payload = r.bytes("payload", length.into())?.to_vec();
        let authenticated = kind & 0x40 != 0;
        Ok(Self {
            payload_type,
            encrypted: kind & 0x80 != 0,
            authenticated,
            oem,
            session_id,
            sequence,
            payload,
            trailer: if authenticated {
                r.rest().to_vec()
            } else {
                Vec::new()
            },
        })
    }

    /// Writes what follows the RMCP header: 12 bytes (18 with `oem`), payload, trailer. A payload over 65535
    /// bytes is cut.
    pub fn emit(&self, out: &mut Vec<u8>) {
        self.emit_covered(out);
        out.extend(&self.trailer);
    }

    /// Writes all but the trailer.
    pub(in crate::hal::ipmi) fn emit_covered(&self, out: &mut Vec<u8>) {
        let payload = self.payload.get(..0xffff).unwrap_or(&self.payload);
        let encrypted = if self.encrypted { 0x80 } else { 0 };
        let authenticated = if self.authenticated { 0x40 } else { 0 };
        out.push(AUTH_TYPE_RMCP_PLUS);
        out.push(encrypted | authenticated | self.payload_type.to_wire());
        if self.payload_type == PayloadType::OemExplicit {
            let (iana, id) = self.oem.unwrap_or_default();
            out.extend(iana.to_le_bytes());
            out.extend(id.to_le_bytes());
        }
        out.extend(self.session_id.to_le_bytes());
        out.extend(self.sequence.to_le_bytes());
        out.extend((payload.len() as u16).to_le_bytes());
        out.extend(payload);
    }
}
