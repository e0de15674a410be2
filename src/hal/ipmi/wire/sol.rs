//! The payload of serial over LAN (§15.9): four bytes of header, then characters. Both directions.

use crate::hal::ipmi::codec::{DecodeError, Reader};

/// Bytes before the characters.
pub const HEADER: usize = 4;
/// Characters in one packet at most: their number is acknowledged in one byte.
pub const MOST_DATA: usize = 255;

/// Operation bits, console to BMC.
pub mod operation {
    /// The packet named by the acknowledgement was not taken; nothing more is to be sent until released.
    pub const NACK: u8 = 0x40;
    /// Assert ring.
    pub const RING: u8 = 0x20;
    /// Send a break.
    pub const BREAK: u8 = 0x10;
    /// Deassert CTS to the baseboard.
    pub const CTS_PAUSE: u8 = 0x08;
    /// Deassert DCD and DSR to the baseboard.
    pub const DROP_DCD: u8 = 0x04;
    /// Throw away what is on its way to the baseboard.
    pub const FLUSH_INBOUND: u8 = 0x02;
    /// Throw away what is on its way to the console.
    pub const FLUSH_OUTBOUND: u8 = 0x01;
}

/// Status bits, BMC to console.
pub mod status {
    /// The packet named by the acknowledgement was not (wholly) taken.
    pub const NACK: u8 = 0x40;
    /// Characters cannot be passed on now: the host is off or in reset.
    pub const UNAVAILABLE: u8 = 0x20;
    /// SOL is being deactivated.
    pub const DEACTIVATING: u8 = 0x10;
    /// Characters from the baseboard were lost in the BMC.
    pub const OVERRUN: u8 = 0x08;
    /// The baseboard sent a break.
    pub const BREAK: u8 = 0x04;
}

/// One SOL packet.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SolPacket {
    /// Sequence number 1..15; 0 = nothing to acknowledge.
    pub sequence: u8,
    /// Sequence number of the packet that is acknowledged; 0 = none.
    pub ack: u8,
    /// Characters of that packet that were taken.
    pub accepted: u8,
    /// [`operation`] or [`status`] bits.
    pub flags: u8,
    /// Characters.
    pub data: Vec<u8>,
}

impl SolPacket {
    /// Reads a whole payload.
    pub fn parse(payload: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(payload);
        Ok(Self {
            sequence: r.u8("SOL packet sequence number")? & 0x0f,
            ack: r.u8("SOL acknowledged sequence number")? & 0x0f,
            accepted: r.u8("SOL accepted character count")?,
            flags: r.u8("SOL operation or status")?,
            data: r.rest().to_vec(),
        })
    }

    /// The payload.
    pub fn to_vec(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEADER + self.data.len());
        out.extend([
            self.sequence & 0x0f,
            self.ack & 0x0f,
            self.accepted,
            self.flags,
        ]);
        out.extend(&self.data);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let packet = SolPacket {
            sequence: 15,
            ack: 1,
            accepted: 243,
            flags: operation::BREAK,
            data: b"root\r".to_vec(),
        };
        let bytes = packet.to_vec();
        assert_eq!(bytes, b"\x0f\x01\xf3\x10root\r");
        assert_eq!(SolPacket::parse(&bytes), Ok(packet));
        for n in 0..HEADER {
            assert!(SolPacket::parse(&bytes[..n]).is_err(), "{n}");
        }
    }
}
