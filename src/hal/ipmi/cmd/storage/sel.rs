//! System Event Log commands (§31).

use super::AllocationInfo;
use crate::hal::ipmi::cmd::{Command, Effect, NetFn, Privilege};
use crate::hal::ipmi::codec::{DecodeError, Reader};

/// The UTC offset is not known to the BMC.
pub const UTC_OFFSET_UNSPECIFIED: i16 = 0x07ff;

/// Get SEL Info (§31.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetSelInfo;

/// What the SEL holds and when it changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SelInfo {
    /// SEL version in BCD, 0x51 for IPMI 1.5 and 2.0.
    pub version: u8,
    /// Number of entries.
    pub entries: u16,
    /// Free bytes; 0xffff = 64 KiB or more, or unspecified.
    pub free: u16,
    /// Time of the most recent addition (seconds, the SEL's clock).
    pub addition: u32,
    /// Time of the most recent erase.
    pub erase: u32,
    /// Bit 7 overflow, 3 delete, 2 partial add, 1 reserve, 0 allocation info.
    pub operations: u8,
}

impl Command for GetSelInfo {
    type Reply = SelInfo;
    const NETFN: NetFn = NetFn::STORAGE;
    const CMD: u8 = 0x40;
    const NAME: &'static str = "Get SEL Info";
    const PRIVILEGE: Privilege = Privilege::User;
    const EFFECT: Effect = Effect::Read;

    no_request_data!();

    fn encode_reply(reply: &Self::Reply, out: &mut Vec<u8>) {
        out.push(reply.version);
        out.extend(reply.entries.to_le_bytes());
        out.extend(reply.free.to_le_bytes());
        out.extend(reply.addition.to_le_bytes());
        out.extend(reply.erase.to_le_bytes());
        out.push(reply.operations);
    }

    fn decode_reply(&self, r: &mut Reader<'_>) -> Result<Self::Reply, DecodeError> {
        Ok(SelInfo {
            version: r.u8("SEL version")?,
            entries: r.u16("entries")?,
            free: r.u16("free space")?,
            addition: r.u32("most recent addition timestamp")?,
            erase: r.u32("most recent erase timestamp")?,
            operations: r.u8("operation support")?,
        })
    }
}

/// Get SEL Allocation Info (§31.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetSelAllocationInfo;

impl Command for GetSelAllocationInfo {
    type Reply = AllocationInfo;
    const NETFN: NetFn = NetFn::STORAGE;
    const CMD: u8 = 0x41;
    const NAME: &'static str = "Get SEL Allocation Info";
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

/// Reserve SEL (§31.4). A new reservation cancels the one before. Completion code 0x81: an erase is in progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReserveSel;

impl Command for ReserveSel {
    /// Reservation id.
    type Reply = u16;
    const NETFN: NetFn = NetFn::STORAGE;
    const CMD: u8 = 0x42;
    const NAME: &'static str = "Reserve SEL";
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

/// Get SEL Entry (§31.5). The reservation may be 0 for a whole record. Completion code 0x81: an erase is in progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetSelEntry {
    /// Reservation id, or 0.
    pub reservation: u16,
    /// Record id; [`FIRST_RECORD`](super::FIRST_RECORD) for the first, [`LAST_RECORD`](super::LAST_RECORD) for the last.
    pub record: u16,
    /// Offset into the record in bytes.
    pub offset: u8,
    /// Bytes to read; 0xff = the whole record of 16 bytes.
    pub count: u8,
}

impl GetSelEntry {
    /// Asks for a whole record without a reservation.
    pub fn whole(record: u16) -> Self {
        Self {
            reservation: 0,
            record,
            offset: 0,
            count: 0xff,
        }
    }
}

/// What Get SEL Entry returns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GetSelEntryReply {
    /// Id of the next record; [`LAST_RECORD`](super::LAST_RECORD) = this is the last.
    pub next: u16,
    /// The bytes that were asked for.
    pub data: Vec<u8>,
}

impl Command for GetSelEntry {
    type Reply = GetSelEntryReply;
    const NETFN: NetFn = NetFn::STORAGE;
    const CMD: u8 = 0x43;
    const NAME: &'static str = "Get SEL Entry";
    const PRIVILEGE: Privilege = Privilege::User;
    const EFFECT: Effect = Effect::Read;

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend(self.reservation.to_le_bytes());
        out.extend(self.record.to_le_bytes());
        out.push(self.offset);
        out.push(self.count);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            reservation: r.u16("reservation ID")?,
            record: r.u16("SEL record ID")?,
            offset: r.u8("offset into record")?,
            count: r.u8("bytes to read")?,
        })
    }

    fn encode_reply(reply: &Self::Reply, out: &mut Vec<u8>) {
        out.extend(reply.next.to_le_bytes());
        out.extend(&reply.data);
    }

    fn decode_reply(&self, r: &mut Reader<'_>) -> Result<Self::Reply, DecodeError> {
        Ok(GetSelEntryReply {
            next: r.u16("next SEL record ID")?,
            data: r.rest().to_vec(),
        })
    }
}

/// Add SEL Entry (§31.6). The BMC sets record id and time itself. Completion codes 0x80: not supported for this
/// record type; 0x81: an erase is in progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddSelEntry {
    /// The record of 16 bytes.
    pub record: [u8; 16],
}

impl Command for AddSelEntry {
    /// Id of the new record.
    type Reply = u16;
    const NETFN: NetFn = NetFn::STORAGE;
    const CMD: u8 = 0x44;
    const NAME: &'static str = "Add SEL Entry";
    const PRIVILEGE: Privilege = Privilege::Operator;
    const EFFECT: Effect = Effect::Once;

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend(self.record);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            record: r.array("record data")?,
        })
    }

    fn encode_reply(reply: &Self::Reply, out: &mut Vec<u8>) {
        out.extend(reply.to_le_bytes());
    }

    fn decode_reply(&self, r: &mut Reader<'_>) -> Result<Self::Reply, DecodeError> {
        r.u16("record ID for added record")
    }
}

/// Delete SEL Entry (§31.8). Completion codes 0x80: not supported for this record type; 0x81: an erase is in progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeleteSelEntry {
    /// Reservation id.
    pub reservation: u16,
    /// Record id.
    pub record: u16,
}

impl Command for DeleteSelEntry {
    /// Id of the deleted record.
    type Reply = u16;
    const NETFN: NetFn = NetFn::STORAGE;
    const CMD: u8 = 0x46;
    const NAME: &'static str = "Delete SEL Entry";
    const PRIVILEGE: Privilege = Privilege::Operator;
    const EFFECT: Effect = Effect::Once;

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend(self.reservation.to_le_bytes());
        out.extend(self.record.to_le_bytes());
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            reservation: r.u16("reservation ID")?,
            record: r.u16("SEL record ID")?,
        })
    }

    fn encode_reply(reply: &Self::Reply, out: &mut Vec<u8>) {
        out.extend(reply.to_le_bytes());
    }

    fn decode_reply(&self, r: &mut Reader<'_>) -> Result<Self::Reply, DecodeError> {
        r.u16("record ID for deleted record")
    }
}

/// What Clear SEL is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EraseAction {
    /// Begin to erase.
    Initiate,
    /// Say how far it is.
    Status,
}

/// How far Clear SEL is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EraseProgress {
    /// Still erasing.
    InProgress,
    /// Done.
    Completed,
}

/// Clear SEL (§31.9): erases all records, or says how far that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClearSel {
    /// Reservation id.
    pub reservation: u16,
    /// Begin, or ask.
    pub action: EraseAction,
}

impl Command for ClearSel {
    type Reply = EraseProgress;
    const NETFN: NetFn = NetFn::STORAGE;
    const CMD: u8 = 0x47;
    const NAME: &'static str = "Clear SEL";
    const PRIVILEGE: Privilege = Privilege::Operator;
    const EFFECT: Effect = Effect::Idempotent;

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend(self.reservation.to_le_bytes());
        out.extend(*b"CLR");
        out.push(match self.action {
            EraseAction::Initiate => 0xaa,
            EraseAction::Status => 0x00,
        });
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let reservation = r.u16("reservation ID")?;
        let magic = r.u24("'CLR'")?;
        if magic != u32::from_le_bytes(*b"CLR\0") {
            return Err(DecodeError::Invalid {
                field: "'CLR'",
                value: magic.into(),
                expected: "the letters C, L, R",
            });
        }
        let action = match r.u8("erase action")? {
            0xaa => EraseAction::Initiate,
            0x00 => EraseAction::Status,
            other => {
                return Err(DecodeError::Invalid {
                    field: "erase action",
                    value: other.into(),
                    expected: "0xaa (initiate) or 0x00 (status)",
                });
            }
        };
        Ok(Self {
            reservation,
            action,
        })
    }

    fn encode_reply(reply: &Self::Reply, out: &mut Vec<u8>) {
        out.push(match reply {
            EraseProgress::InProgress => 0,
            EraseProgress::Completed => 1,
        });
    }

    fn decode_reply(&self, r: &mut Reader<'_>) -> Result<Self::Reply, DecodeError> {
        Ok(match r.u8("erasure progress")? & 0x0f {
            0 => EraseProgress::InProgress,
            _ => EraseProgress::Completed,
        })
    }
}

/// Get SEL Time (§31.10).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetSelTime;

impl Command for GetSelTime {
    /// Seconds since 1970.
    type Reply = u32;
    const NETFN: NetFn = NetFn::STORAGE;
    const CMD: u8 = 0x48;
    const NAME: &'static str = "Get SEL Time";
    const PRIVILEGE: Privilege = Privilege::User;
    const EFFECT: Effect = Effect::Read;

    no_request_data!();

    fn encode_reply(reply: &Self::Reply, out: &mut Vec<u8>) {
        out.extend(reply.to_le_bytes());
    }

    fn decode_reply(&self, r: &mut Reader<'_>) -> Result<Self::Reply, DecodeError> {
        r.u32("present timestamp")
    }
}

/// Set SEL Time (§31.11).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetSelTime {
    /// Seconds since 1970.
    pub time: u32,
}

impl Command for SetSelTime {
    type Reply = ();
    const NETFN: NetFn = NetFn::STORAGE;
    const CMD: u8 = 0x49;
    const NAME: &'static str = "Set SEL Time";
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

/// Get SEL Time UTC Offset (§31.11a).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetSelTimeUtcOffset;

impl Command for GetSelTimeUtcOffset {
    /// Minutes that the SEL's time is ahead of UTC, -1440..1440, or [`UTC_OFFSET_UNSPECIFIED`].
    type Reply = i16;
    const NETFN: NetFn = NetFn::STORAGE;
    const CMD: u8 = 0x5c;
    const NAME: &'static str = "Get SEL Time UTC Offset";
    const PRIVILEGE: Privilege = Privilege::User;
    const EFFECT: Effect = Effect::Read;

    no_request_data!();

    fn encode_reply(reply: &Self::Reply, out: &mut Vec<u8>) {
        out.extend(reply.to_le_bytes());
    }

    fn decode_reply(&self, r: &mut Reader<'_>) -> Result<Self::Reply, DecodeError> {
        r.array("UTC offset").map(i16::from_le_bytes)
    }
}

/// Set SEL Time UTC Offset (§31.11b).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetSelTimeUtcOffset {
    /// Minutes that the SEL's time is ahead of UTC, -1440..1440, or [`UTC_OFFSET_UNSPECIFIED`].
    pub minutes: i16,
}

impl Command for SetSelTimeUtcOffset {
    type Reply = ();
    const NETFN: NetFn = NetFn::STORAGE;
    const CMD: u8 = 0x5d;
    const NAME: &'static str = "Set SEL Time UTC Offset";
    const PRIVILEGE: Privilege = Privilege::Operator;
    const EFFECT: Effect = Effect::Idempotent;

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend(self.minutes.to_le_bytes());
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            minutes: r.array("UTC offset").map(i16::from_le_bytes)?,
        })
    }

    no_reply_data!();
}
