//! The IPMI message inside LAN packets (§13.8): addresses, network function, sequence, command, data and two
//! checksums. Requests and responses have the same layout with the roles of the addresses swapped.

use crate::hal::ipmi::cmd::{CompletionCode, NetFn};
use crate::hal::ipmi::codec::{DecodeError, Reader, checksum};

/// One IPMI message. In a response `data` begins with the completion code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LanMessage {
    /// Slave address or software id of the receiver: rsAddr in requests, rqAddr in responses.
    pub to: u8,
    /// Network function, 6 bits; odd in responses.
    pub netfn: NetFn,
    /// Logical unit of the receiver, 0..3.
    pub to_lun: u8,
    /// Slave address or software id of the sender: rqAddr in requests, rsAddr in responses.
    pub from: u8,
    /// rqSeq, 6 bits: a response repeats that of its request.
    pub seq: u8,
    /// Logical unit of the sender, 0..3.
    pub from_lun: u8,
    /// Command number.
    pub cmd: u8,
    /// Data; in a response the completion code comes first.
    pub data: Vec<u8>,
}

impl LanMessage {
    /// Bytes around the data: six in front (with the first checksum) and the second checksum.
    pub const OVERHEAD: usize = 7;

    /// Reads a message; both checksums must fit.
    pub fn parse(bytes: &[u8]) -> Result<Self, DecodeError> {
        Self::read(bytes, true)
    }

    /// Reads a message whatever its checksums are: for BMCs that get them wrong (Supermicro X9SCM-iiF, X9DRi-F,
    /// X9DRFR), and only where a session's HMAC has already vouched for every byte.
    pub fn parse_unchecked(bytes: &[u8]) -> Result<Self, DecodeError> {
        Self::read(bytes, false)
    }

    fn read(bytes: &[u8], checked: bool) -> Result<Self, DecodeError> {
        let mut r = Reader::new(bytes);
        let to = r.u8("message receiver")?;
        let netfn_lun = r.u8("message netFn/LUN")?;
        let head_sum = r.u8("message header checksum")?;
        let from = r.u8("message sender")?;
        let seq_lun = r.u8("message rqSeq/LUN")?;
        let cmd = r.u8("message command")?;
        let rest = r.rest();
        let Some((tail_sum, data)) = rest.split_last() else {
            return Err(DecodeError::Short {
                field: "message data checksum",
                need: 1,
                have: 0,
            });
        };
        if checked {
            check("message header", head_sum, &[to, netfn_lun])?;
            let need = checksum(data).wrapping_add(checksum(&[from, seq_lun, cmd]));
            if need != *tail_sum {
                return Err(DecodeError::Checksum {
                    field: "message data",
                    need,
                    have: *tail_sum,
                });
            }
        }
        Ok(Self {
            to,
            netfn: NetFn(netfn_lun >> 2),
            to_lun: netfn_lun & 3,
            from,
            seq: seq_lun >> 2,
            from_lun: seq_lun & 3,
            cmd,
            data: data.to_vec(),
        })
    }

    /// Writes the message with its checksums: 7 bytes and the data.
    pub fn emit(&self, out: &mut Vec<u8>) {
        let head = [self.to, (self.netfn.0 << 2) | (self.to_lun & 3)];
        let mid = [self.from, (self.seq << 2) | (self.from_lun & 3), self.cmd];
        out.extend(head);
        out.push(checksum(&head));
        out.extend(mid);
        out.extend(&self.data);
        out.push(checksum(&mid).wrapping_add(checksum(&self.data)));
    }

    /// The message as bytes.
    pub fn to_vec(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(Self::OVERHEAD + self.data.len());
        self.emit(&mut out);
        out
    }

    /// The response to this request: addresses swapped, same rqSeq and command.
    #[must_use]
    pub fn response(&self, code: CompletionCode, data: &[u8]) -> Self {
        let mut body = Vec::with_capacity(1 + data.len());
        body.push(code.0);
        body.extend(data);
        Self {
            to: self.from,
            netfn: self.netfn.response(),
            to_lun: self.from_lun,
            from: self.to,
            seq: self.seq,
            from_lun: self.to_lun,
            cmd: self.cmd,
            data: body,
        }
    }

    /// Completion code and data of a response; `None` if it has no completion code.
    pub fn completion(&self) -> Option<(CompletionCode, &[u8])> {
        let (code, data) = self.data.split_first()?;
        Some((CompletionCode(*code), data))
    }
}

fn check(field: &'static str, have: u8, covered: &[u8]) -> Result<(), DecodeError> {
    let need = checksum(covered);
    if need == have {
        Ok(())
    } else {
        Err(DecodeError::Checksum { field, need, have })
    }
}
