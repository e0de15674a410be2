//! FRU inventory commands (§34).

use crate::hal::ipmi::cmd::{Command, Effect, NetFn, Privilege};
use crate::hal::ipmi::codec::{DecodeError, Reader};

/// Get FRU Inventory Area Info (§34.1): how large a FRU device is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetFruInventoryAreaInfo {
    /// FRU device id; 0 is the BMC's own.
    pub device: u8,
}

/// Size and addressing of a FRU device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FruInventoryArea {
    /// Size in bytes, also when access is by words.
    pub size: u16,
    /// Offsets and counts are in 16-bit words.
    pub words: bool,
}

impl Command for GetFruInventoryAreaInfo {
    type Reply = FruInventoryArea;
    const NETFN: NetFn = NetFn::STORAGE;
    const CMD: u8 = 0x10;
    const NAME: &'static str = "Get FRU Inventory Area Info";
    const PRIVILEGE: Privilege = Privilege::User;
    const EFFECT: Effect = Effect::Read;

    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.device);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            device: r.u8("FRU device ID")?,
        })
    }

    fn encode_reply(reply: &Self::Reply, out: &mut Vec<u8>) {
        out.extend(reply.size.to_le_bytes());
        out.push(u8::from(reply.words));
    }

    fn decode_reply(&self, r: &mut Reader<'_>) -> Result<Self::Reply, DecodeError> {
        Ok(FruInventoryArea {
            size: r.u16("FRU inventory area size")?,
            words: r.u8("device access")? & 0x01 != 0,
        })
    }
}

/// Read FRU Data (§34.2). Completion code 0x81: the FRU device is busy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadFruData {
    /// FRU device id.
    pub device: u8,
    /// Where to start, in bytes or words as the device has it.
    pub offset: u16,
    /// How many bytes or words.
    pub count: u8,
}

/// What Read FRU Data returned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadFruDataReply {
    /// Count as the BMC claims it, in bytes or words; it may differ from the length of the data.
    pub count: u8,
    /// The data that came.
    pub data: Vec<u8>,
}

impl Command for ReadFruData {
    type Reply = ReadFruDataReply;
    const NETFN: NetFn = NetFn::STORAGE;
    const CMD: u8 = 0x11;
    const NAME: &'static str = "Read FRU Data";
    const PRIVILEGE: Privilege = Privilege::User;
    const EFFECT: Effect = Effect::Read;

    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.device);
        out.extend(self.offset.to_le_bytes());
        out.push(self.count);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            device: r.u8("FRU device ID")?,
            offset: r.u16("FRU inventory offset")?,
            count: r.u8("count to read")?,
        })
    }

    fn encode_reply(reply: &Self::Reply, out: &mut Vec<u8>) {
        out.push(reply.count);
        out.extend(&reply.data);
    }

    fn decode_reply(&self, r: &mut Reader<'_>) -> Result<Self::Reply, DecodeError> {
        Ok(ReadFruDataReply {
            count: r.u8("count returned")?,
            data: r.rest().to_vec(),
        })
    }
}

/// Write FRU Data (§34.3). Completion codes 0x80: write-protected offset; 0x81: FRU device busy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteFruData {
    /// FRU device id.
    pub device: u8,
    /// Where to write, in bytes or words as the device has it.
    pub offset: u16,
    /// What to write.
    pub data: Vec<u8>,
}

impl Command for WriteFruData {
    /// Bytes or words written.
    type Reply = u8;
    const NETFN: NetFn = NetFn::STORAGE;
    const CMD: u8 = 0x12;
    const NAME: &'static str = "Write FRU Data";
    const PRIVILEGE: Privilege = Privilege::Operator;
    const EFFECT: Effect = Effect::Idempotent;

    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.device);
        out.extend(self.offset.to_le_bytes());
        out.extend(&self.data);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            device: r.u8("FRU device ID")?,
            offset: r.u16("FRU inventory offset")?,
            data: r.rest().to_vec(),
        })
    }

    fn encode_reply(reply: &Self::Reply, out: &mut Vec<u8>) {
        out.push(*reply);
    }

    fn decode_reply(&self, r: &mut Reader<'_>) -> Result<Self::Reply, DecodeError> {
        r.u8("count written")
    }
}
