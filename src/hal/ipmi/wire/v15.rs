//! The session packet of IPMI 1.5 (§13.6, left column): everything after the RMCP header.

use crate::hal::ipmi::codec::{DecodeError, Reader};

/// How an IPMI 1.5 packet is authenticated (§13.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AuthType {
    /// No authentication code.
    None,
    /// MD2 keyed with the password.
    Md2,
    /// MD5 keyed with the password.
    Md5,
    /// The password itself.
    Straight,
    /// Vendor-defined.
    Oem,
}

impl AuthType {
    /// The four bits on the wire.
    pub fn to_wire(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Md2 => 1,
            Self::Md5 => 2,
            Self::Straight => 4,
            Self::Oem => 5,
        }
    }

    /// From the low four bits; `None` for reserved values and RMCP+ (6).
    pub fn from_wire(byte: u8) -> Option<Self> {
        Some(match byte & 0x0f {
            0 => Self::None,
            1 => Self::Md2,
            2 => Self::Md5,
            4 => Self::Straight,
            5 => Self::Oem,
            _ => return None,
        })
    }

    /// Its bit in Get Channel Authentication Capabilities.
    pub fn capability_bit(self) -> u8 {
        1 << self.to_wire()
    }
}

/// An IPMI 1.5 packet. The payload is one [`super::LanMessage`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    /// How it is authenticated.
    pub auth_type: AuthType,
    /// Session sequence number; 0 outside of a session.
    pub sequence: u32,
    /// Session id; 0 outside of a session.
    pub session_id: u32,
    /// 16 bytes unless `auth_type` is [`AuthType::None`].
    pub auth_code: Option<[u8; 16]>,
    /// At most 255 bytes.
    pub payload: Vec<u8>,
}

/// Total lengths (from RMCP on) at which some old LAN controllers lose packets; one pad byte avoids them.
const LEGACY_PAD: [usize; 5] = [56, 84, 112, 128, 156];
const RMCP_HEADER: usize = 4;

impl Packet {
    /// A packet outside of any session.
    pub fn sessionless(payload: Vec<u8>) -> Self {
        Self {
            auth_type: AuthType::None,
            sequence: 0,
            session_id: 0,
            auth_code: None,
            payload,
        }
    }

    /// Reads what follows the RMCP header.
    pub fn parse(body: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(body);
        let byte = r.u8("session auth type")?;
        let auth_type = AuthType::from_wire(byte).ok_or(DecodeError::Invalid {
            field: "session auth type",
            value: byte.into(),
            expected: "0, 1, 2, 4 or 5",
        })?;
        let sequence = r.u32("session sequence")?;
        let session_id = r.u32("session id")?;
        let auth_code = match auth_type {
            AuthType::None => None,
            _ => Some(r.array("session auth code")?),
        };
        let length = r.u8("payload length")?;
        let payload = r.bytes("payload", length.into())?.to_vec();
        Ok(Self {
            auth_type,
            sequence,
            session_id,
            auth_code,
            payload,
        })
    }

    /// Writes what follows the RMCP header; a payload over 255 bytes is cut. A missing code is written as zeroes.
    pub fn emit(&self, out: &mut Vec<u8>) {
        let start = out.len();
        let payload = self.payload.get(..255).unwrap_or(&self.payload);
        out.push(self.auth_type.to_wire());
        out.extend(self.sequence.to_le_bytes());
        out.extend(self.session_id.to_le_bytes());
        if self.auth_type != AuthType::None {
            out.extend(self.auth_code.unwrap_or_default());
        }
        out.push(payload.len() as u8);
        out.extend(payload);
        if LEGACY_PAD.contains(&(out.len() - start + RMCP_HEADER)) {
            out.push(0);
        }
    }
}
