//! RMCP+ packets inside a session: encrypted and authenticated as the suite says (§13.6, §13.28, §13.29).

use std::fmt;

use super::keys::Keys;
use super::suite::{AuthAlgorithm, Confidentiality, Integrity};
use super::{aes_cbc, hash};
use crate::hal::ipmi::codec::DecodeError;
use crate::hal::ipmi::wire::v20::{Packet, PayloadType};
use crate::hal::ipmi::wire::{self, RmcpHeader};

/// Next header: always IPMI.
const NEXT_HEADER: u8 = 0x07;
/// Pad length and next header.
const TRAILER_FIXED: usize = 2;
const RMCP_HEADER: usize = 4;

/// What goes into a sealed packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plain<'a> {
    /// What the payload is.
    pub payload_type: PayloadType,
    /// Session id of the receiver.
    pub session_id: u32,
    /// Session sequence number.
    pub sequence: u32,
    /// The payload in the clear.
    pub payload: &'a [u8],
}

/// Why a packet is not one of this session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OpenError {
    /// It is no RMCP+ packet at all.
    Malformed(DecodeError),
    /// Its authenticated or encrypted bit is not as negotiated.
    Unprotected,
    /// The integrity trailer does not fit, or the code is wrong.
    Integrity,
    /// Initialisation vector, length or padding are wrong.
    Confidentiality,
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(_) => f.write_str("malformed RMCP+ packet"),
            Self::Unprotected => {
                f.write_str("packet is not authenticated and encrypted as negotiated")
            }
            Self::Integrity => f.write_str("wrong integrity code"),
            Self::Confidentiality => f.write_str("wrong confidentiality padding"),
        }
    }
}

impl std::error::Error for OpenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Malformed(e) => Some(e),
            _ => None,
        }
    }
}

impl From<DecodeError> for OpenError {
    fn from(e: DecodeError) -> Self {
        Self::Malformed(e)
    }
}

/// A whole datagram that carries `plain`. `iv` must be random and fresh; it is not used without encryption.
pub fn seal(keys: &Keys, plain: &Plain<'_>, iv: [u8; 16]) -> Vec<u8> {
    let suite = keys.suite();
    let encrypted = suite.confidentiality != Confidentiality::None;
    let authenticated = suite.integrity != Integrity::None;
    let packet = Packet {
        payload_type: plain.payload_type,
        encrypted,
        authenticated,
        oem: None,
        session_id: plain.session_id,
        sequence: plain.sequence,
        payload: if encrypted {
            aes_cbc::encrypt(keys.k2(), iv, plain.payload)
        } else {
            plain.payload.to_vec()
        },
        trailer: Vec::new(),
    };
    let mut out = Vec::with_capacity(RMCP_HEADER + 12 + packet.payload.len() + 24);
    RmcpHeader::IPMI.emit(&mut out);
    packet.emit_covered(&mut out);
    if authenticated {
        let fixed = if keys.plain_integrity_pad() {
            0
        } else {
            TRAILER_FIXED
        };
        let covered = out.len() - RMCP_HEADER + fixed;
        let pad = (4 - covered % 4) % 4;
        out.extend(std::iter::repeat_n(0xff, pad));
        out.extend([pad as u8, NEXT_HEADER]);
        let code = integrity_code(keys, out.get(RMCP_HEADER..).unwrap_or_default());
        out.extend(code);
    }
    out
}

/// Opens a datagram of this session: the returned packet has its payload in the clear and no trailer. Session
/// id and sequence are for the caller to check.
pub fn open(keys: &Keys, datagram: &[u8]) -> Result<Packet, OpenError> {
    let header = RmcpHeader::parse(datagram)?;
    if header.ack || header.class != wire::rmcp::Class::Ipmi {
        return Err(OpenError::Malformed(DecodeError::Invalid {
            field: "RMCP class",
            value: header.class.to_wire().into(),
            expected: "IPMI (7)",
        }));
    }
    let body = datagram.get(RMCP_HEADER..).unwrap_or_default();
    let mut packet = Packet::parse(body)?;
    let suite = keys.suite();
    if packet.authenticated != (suite.integrity != Integrity::None)
        || packet.encrypted != (suite.confidentiality != Confidentiality::None)
    {
        return Err(OpenError::Unprotected);
    }
    if packet.authenticated {
        check_trailer(keys, body, &packet.trailer)?;
    }
    if packet.encrypted {
        packet.payload =
            aes_cbc::decrypt(keys.k2(), &packet.payload).ok_or(OpenError::Confidentiality)?;
    }
    packet.trailer.clear();
    Ok(packet)
}

fn check_trailer(keys: &Keys, body: &[u8], trailer: &[u8]) -> Result<(), OpenError> {
    let length = keys.suite().integrity.code_len();
    let end = body.len().checked_sub(length);
    let (covered, code) = end
        .and_then(|end| body.split_at_checked(end))
        .ok_or(OpenError::Integrity)?;
    if !hash::same(&integrity_code(keys, covered), code) {
        return Err(OpenError::Integrity);
    }
    match trailer
        .len()
        .checked_sub(length)
        .and_then(|end| trailer.get(..end))
    {
        Some([pad @ .., pad_length, NEXT_HEADER]) if pad.len() == usize::from(*pad_length) => {
            Ok(())
        }
        _ => Err(OpenError::Integrity),
    }
}

fn integrity_code(keys: &Keys, covered: &[u8]) -> Vec<u8> {
    let integrity = keys.suite().integrity;
    let hmac = |algorithm| hash::hmac(algorithm, keys.k1(), &[covered]).to_vec();
    let mut code = match integrity {
        Integrity::None => Vec::new(),
        Integrity::HmacSha1 => hmac(AuthAlgorithm::HmacSha1),
        Integrity::HmacMd5 => hmac(AuthAlgorithm::HmacMd5),
        Integrity::HmacSha256 => hmac(AuthAlgorithm::HmacSha256),
        Integrity::Md5 => hash::md5(&[keys.password(), covered, keys.password()]).to_vec(),
    };
    code.truncate(integrity.code_len());
    code
}
