//! SDR repository commands (§33).

use super::AllocationInfo;
use crate::hal::ipmi::cmd::{Command, Effect, NetFn, Privilege};
use crate::hal::ipmi::codec::{DecodeError, Reader};

/// Get SDR Repository Info (§33.9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetSdrRepositoryInfo;

/// What the SDR repository holds and when it changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SdrRepositoryInfo {
    /// SDR version in BCD, 0x51 for IPMI 1.5 and 2.0.
    pub version: u8,
    /// Number of records.
    pub count: u16,
    /// Free bytes; 0xffff = unspecified, 0xfffe = 64 KiB or more.
    pub free: u16,
    /// Time of the most recent addition (seconds, the SDR repository's clock).
    pub addition: u32,
    /// Time of the most recent erase.
    pub erase: u32,
    /// Bit 7 overflow, 6..5 modal/non-modal update, 3 delete, 2 partial add, 1 reserve, 0 allocation info.
    pub operations: u8,
}

impl Command for GetSdrRepositoryInfo {
    type Reply = SdrRepositoryInfo;
    const NETFN: NetFn = NetFn::STORAGE;
    const CMD: u8 = 0x20;
    const NAME: &'static str = "Get SDR Repository Info";
    const PRIVILEGE: Privilege = Privilege::User;
    const EFFECT: Effect = Effect::Read;

    no_request_data!();

    fn encode_reply(reply: &Self::Reply, out: &mut Vec<u8>) {
        out.push(reply.version);
        out.extend(reply.count.to_le_bytes());
        out.extend(reply.free.to_le_bytes());
        out.extend(reply.addition.to_le_bytes());
        out.extend(reply.erase.to_le_bytes());
        out.push(reply.operations);
    }

    fn decode_reply(&self, r: &mut Reader<'_>) -> Result<Self::Reply, DecodeError> {
        Ok(SdrRepositoryInfo {
            version: r.u8("SDR version")?,
            count: r.u16("record count")?,
            free: r.u16("free space")?,
            addition: r.u32("most recent addition timestamp")?,
            erase: r.u32("most recent erase timestamp")?,
            operations: r.u8("operation support")?,
        })
    }
}

/// Get SDR Repository Allocation Info (§33.10).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetSdrRepositoryAllocationInfo;

impl Command for GetSdrRepositoryAllocationInfo {
    type Reply = AllocationInfo;
    const NETFN: NetFn = NetFn::STORAGE;
    const CMD: u8 = 0x21;
    const NAME: &'static str = "Get SDR Repository Allocation Info";
    const PRIVILEGE: Privilege = Privilege::User;
    const EFFECT: Effect = Effect::Read;

    no_request_data!();

    fn encode_reply(reply: &Self::Reply, out: &mut Vec<u8>) {
        reply.encode(out);
    }

    fn decode_reply(&self, r: &mut Reader<'_>) -> Result<Self::Reply, DecodeError> {
        AllocationInfo::decode(r)
    }
}

/// Reserve SDR Repository (§33.11). A new reservation cancels the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReserveSdrRepository;

impl Command for ReserveSdrRepository {
    /// Reservation id.
    type Reply = u16;
    const NETFN: NetFn = NetFn::STORAGE;
    const CMD: u8 = 0x22;
    const NAME: &'static str = "Reserve SDR Repository";
    const PRIVILEGE: Privilege = Privilege::User;
    const EFFECT: Effect = Effect::Read;

    no_request_data!();

    fn encode_reply(reply: &Self::Reply, out: &mut Vec<u8>) {
        out.extend(reply.to_le_bytes());
    }

    fn decode_reply(&self, r: &mut Reader<'_>) -> Result<Self::Reply, DecodeError> {
        r.u16("reservation ID")
    }
}

/// Get SDR (§33.12). The reservation may be 0 for a read from offset 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetSdr {
    /// Reservation id, or 0.
    pub reservation: u16,
    /// Record id; [`FIRST_RECORD`](super::FIRST_RECORD) for the first, [`LAST_RECORD`](super::LAST_RECORD) for the last.
    pub record: u16,
    /// Offset into the record in bytes; the 5 bytes of the header count.
    pub offset: u8,
    /// Bytes to read; 0xff = the whole record.
    pub count: u8,
}

/// What Get SDR and Get Device SDR return.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GetSdrReply {
    /// Id of the next record; [`LAST_RECORD`](super::LAST_RECORD) = this is the last.
    pub next: u16,
    /// The bytes that were asked for.
    pub data: Vec<u8>,
}

impl GetSdr {
    pub(in crate::hal::ipmi::cmd) fn write(self, out: &mut Vec<u8>) {
        out.extend(self.reservation.to_le_bytes());
        out.extend(self.record.to_le_bytes());
        out.push(self.offset);
        out.push(self.count);
    }

    pub(in crate::hal::ipmi::cmd) fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            reservation: r.u16("reservation ID")?,
            record: r.u16("record ID")?,
            offset: r.u8("offset into record")?,
            count: r.u8("bytes to read")?,
        })
    }
}

impl GetSdrReply {
    pub(in crate::hal::ipmi::cmd) fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.next.to_le_bytes());
        out.extend(&self.data);
    }

    pub(in crate::hal::ipmi::cmd) fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            next: r.u16("record ID for next record")?,
            data: r.rest().to_vec(),
        })
    }
}

impl Command for GetSdr {
    type Reply = GetSdrReply;
    const NETFN: NetFn = NetFn::STORAGE;
    const CMD: u8 = 0x23;
    const NAME: &'static str = "Get SDR";
    const PRIVILEGE: Privilege = Privilege::User;
    const EFFECT: Effect = Effect::Read;

    fn encode(&self, out: &mut Vec<u8>) {
        self.write(out);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Self::read(r)
    }

    fn encode_reply(reply: &Self::Reply, out: &mut Vec<u8>) {
        reply.write(out);
    }

    fn decode_reply(&self, r: &mut Reader<'_>) -> Result<Self::Reply, DecodeError> {
        GetSdrReply::read(r)
    }
}

/// Get SDR Repository Time (§33.17).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetSdrRepositoryTime;

impl Command for GetSdrRepositoryTime {
    /// Seconds since 1970.
    type Reply = u32;
    const NETFN: NetFn = NetFn::STORAGE;
    const CMD: u8 = 0x28;
    const NAME: &'static str = "Get SDR Repository Time";
    const PRIVILEGE: Privilege = Privilege::User;
    const EFFECT: Effect = Effect::Read;

    no_request_data!();

    fn encode_reply(reply: &Self::Reply, out: &mut Vec<u8>) {
        out.extend(reply.to_le_bytes());
    }

    fn decode_reply(&self, r: &mut Reader<'_>) -> Result<Self::Reply, DecodeError> {
        r.u32("time")
    }
}

/// Set SDR Repository Time (§33.18).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetSdrRepositoryTime {
    /// Seconds since 1970.
    pub time: u32,
}

impl Command for SetSdrRepositoryTime {
    type Reply = ();
    const NETFN: NetFn = NetFn::STORAGE;
    const CMD: u8 = 0x29;
    const NAME: &'static str = "Set SDR Repository Time";
    const PRIVILEGE: Privilege = Privilege::Operator;
    const EFFECT: Effect = Effect::Idempotent;

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend(self.time.to_le_bytes());
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            time: r.u32("time")?,
        })
    }

    no_reply_data!();
}
