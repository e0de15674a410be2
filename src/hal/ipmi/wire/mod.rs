//! The datagrams of IPMI over LAN, both directions, for the client and for the BMC's side.
//!
//! One protocol a file: a plain struct, `parse`, `emit`. Nothing here knows keys, state or time: `crypto`
//! guards packets, `session` and `responder` say what they mean. `parse` never panics; bytes after the last
//! field are ignored unless a field says that they belong to it, as real BMCs send padding.

pub mod asf;
pub mod message;
pub mod rakp;
pub mod rmcp;
pub mod sol;
pub mod v15;
pub mod v20;

#[cfg(test)]
mod tests;

pub use message::LanMessage;
pub use rmcp::RmcpHeader;

use super::codec::{DecodeError, Reader};

/// UDP port of RMCP.
pub const PORT: u16 = 623;
/// Longest datagram that is worth reading, in bytes: IPMI payloads are far shorter.
pub const MAX_DATAGRAM: usize = 1500;
/// Slave address of the BMC.
pub const BMC_ADDRESS: u8 = 0x20;
/// Software id of a remote console.
pub const CONSOLE_ADDRESS: u8 = 0x81;

/// One datagram, opened as far as it can be without keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Datagram {
    /// ASF presence ping (to the BMC).
    Ping(asf::Ping),
    /// ASF presence pong (from the BMC).
    Pong(asf::Pong),
    /// RMCP acknowledgement of a message; carries nothing.
    Ack(RmcpHeader),
    /// IPMI 1.5 framing, also used for commands before a session.
    V15(v15::Packet),
    /// RMCP+ framing, not yet authenticated or decrypted; see [`crate::hal::ipmi::crypto::open`].
    V20(v20::Packet),
}

impl Datagram {
    /// Takes a whole UDP payload apart.
    pub fn parse(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(bytes);
        let header = RmcpHeader::read(&mut r)?;
        if header.ack {
            return Ok(Self::Ack(header));
        }
        match header.class {
            rmcp::Class::Asf => asf::parse_any(r.rest()),
            rmcp::Class::Ipmi => {
                let body = r.rest();
                if body.first() == Some(&v20::AUTH_TYPE_RMCP_PLUS) {
                    v20::Packet::parse(body).map(Self::V20)
                } else {
                    v15::Packet::parse(body).map(Self::V15)
                }
            }
            rmcp::Class::Oem | rmcp::Class::Other(_) => Err(DecodeError::Invalid {
                field: "RMCP class",
                value: header.class.to_wire().into(),
                expected: "ASF (6) or IPMI (7)",
            }),
        }
    }
}

/// An IPMI datagram: RMCP header and what `body` writes after it.
pub fn ipmi_datagram(body: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::with_capacity(64);
    RmcpHeader::IPMI.emit(&mut out);
    body(&mut out);
    out
}
