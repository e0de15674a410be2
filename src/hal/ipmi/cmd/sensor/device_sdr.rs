//! Device SDRs (§35.2 to §35.4): how a controller without an SDR repository tells of its sensors.

use crate::hal::ipmi::cmd::storage::{GetSdr, GetSdrReply};
use crate::hal::ipmi::cmd::{Command, Effect, NetFn, Privilege};
use crate::hal::ipmi::codec::{DecodeError, Reader};

/// Get Device SDR Info (§35.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetDeviceSdrInfo {
    /// Count SDRs instead of sensors. Controllers of IPMI 1.0 do not know this byte.
    pub count_sdrs: bool,
}

/// What Get Device SDR Info returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeviceSdrInfo {
    /// Number of sensors (of this LUN) or of SDRs (of the controller).
    pub count: u8,
    /// Bit 7: the population may change; bits 3..0: LUN 3..0 has sensors.
    pub flags: u8,
    /// Changes when the population changes; only of controllers whose population may change.
    pub change: Option<u32>,
}

impl Command for GetDeviceSdrInfo {
    type Reply = DeviceSdrInfo;
    const NETFN: NetFn = NetFn::SENSOR_EVENT;
    const CMD: u8 = 0x20;
    const NAME: &'static str = "Get Device SDR Info";
    const PRIVILEGE: Privilege = Privilege::User;
    const EFFECT: Effect = Effect::Read;

    fn encode(&self, out: &mut Vec<u8>) {
        if self.count_sdrs {
            out.push(1);
        }
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            count_sdrs: r.opt_u8().unwrap_or(0) & 0x01 != 0,
        })
    }

    fn encode_reply(reply: &Self::Reply, out: &mut Vec<u8>) {
        out.push(reply.count);
        out.push(reply.flags);
        if let Some(change) = reply.change {
            out.extend(change.to_le_bytes());
        }
    }

    fn decode_reply(&self, r: &mut Reader<'_>) -> Result<Self::Reply, DecodeError> {
        Ok(DeviceSdrInfo {
            count: r.u8("number of sensors")?,
            flags: r.u8("flags")?,
            change: r.u32("sensor population change indicator").ok(),
        })
    }
}

/// Get Device SDR (§35.3); fields as those of [`GetSdr`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetDeviceSdr(pub GetSdr);

impl Command for GetDeviceSdr {
    type Reply = GetSdrReply;
    const NETFN: NetFn = NetFn::SENSOR_EVENT;
    const CMD: u8 = 0x21;
    const NAME: &'static str = "Get Device SDR";
    const PRIVILEGE: Privilege = Privilege::User;
    const EFFECT: Effect = Effect::Read;

    fn encode(&self, out: &mut Vec<u8>) {
        self.0.write(out);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        GetSdr::read(r).map(Self)
    }

    fn encode_reply(reply: &Self::Reply, out: &mut Vec<u8>) {
        reply.write(out);
    }

    fn decode_reply(&self, r: &mut Reader<'_>) -> Result<Self::Reply, DecodeError> {
        GetSdrReply::read(r)
    }
}

/// Reserve Device SDR Repository (§35.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReserveDeviceSdrRepository;

impl Command for ReserveDeviceSdrRepository {
    /// Reservation id.
    type Reply = u16;
    const NETFN: NetFn = NetFn::SENSOR_EVENT;
    const CMD: u8 = 0x22;
    const NAME: &'static str = "Reserve Device SDR Repository";
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
