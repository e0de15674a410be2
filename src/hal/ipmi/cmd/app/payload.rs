//! Payloads of RMCP+ sessions (§24): start and end of SOL, and who may use what.

use crate::hal::ipmi::cmd::{Command, Effect, NetFn, Privilege};
use crate::hal::ipmi::codec::{DecodeError, Reader};

/// Payload type of serial over LAN.
pub const PAYLOAD_SOL: u8 = 1;

/// Activate Payload (§24.1). Completion codes 0x80: active in another session; 0x81: disabled; 0x82: too many;
/// 0x83: not with encryption; 0x84: not without encryption.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ActivatePayload {
    /// Payload type, six bits; [`PAYLOAD_SOL`].
    pub payload: u8,
    /// Instance, 1..15.
    pub instance: u8,
    /// Depends on the payload. SOL: byte 0 has encryption (0x80), authentication (0x40), test mode (0x20),
    /// deferral of serial alerts (0x0c), and that CTS stays deasserted (0x02).
    pub auxiliary: [u8; 4],
}

/// Where the payload is to be exchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PayloadActivated {
    /// Depends on the payload. SOL: byte 0 bit 0 = test mode.
    pub auxiliary: [u8; 4],
    /// Largest payload that the BMC takes, in bytes. Several BMCs send it byte-swapped or make it up.
    pub inbound_size: u16,
    /// Largest payload that the BMC sends, in bytes. Not to be trusted either.
    pub outbound_size: u16,
    /// UDP port. Several BMCs send it byte-swapped or make it up.
    pub port: u16,
    /// VLAN; 0xffff = none.
    pub vlan: u16,
}

impl Command for ActivatePayload {
    type Reply = PayloadActivated;
    const NETFN: NetFn = NetFn::APP;
    const CMD: u8 = 0x48;
    const NAME: &'static str = "Activate Payload";
    const PRIVILEGE: Privilege = Privilege::User;
    const EFFECT: Effect = Effect::Once;

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend([self.payload & 0x3f, self.instance & 0x0f]);
        out.extend(self.auxiliary);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            payload: r.u8("payload type")? & 0x3f,
            instance: r.u8("payload instance")? & 0x0f,
            auxiliary: r.array("auxiliary request data")?,
        })
    }

    fn encode_reply(reply: &Self::Reply, out: &mut Vec<u8>) {
        out.extend(reply.auxiliary);
        for word in [
            reply.inbound_size,
            reply.outbound_size,
            reply.port,
            reply.vlan,
        ] {
            out.extend(word.to_le_bytes());
        }
    }

    fn decode_reply(&self, r: &mut Reader<'_>) -> Result<Self::Reply, DecodeError> {
        Ok(PayloadActivated {
            auxiliary: r.array("auxiliary response data")?,
            inbound_size: r.u16("inbound payload size")?,
            outbound_size: r.u16("outbound payload size")?,
            port: r.u16("payload UDP port number")?,
            vlan: r.u16("payload VLAN number").unwrap_or(0xffff),
        })
    }
}

/// Deactivate Payload (§24.2). Completion codes 0x80: already deactivated; 0x81: disabled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeactivatePayload {
    /// Payload type, six bits.
    pub payload: u8,
    /// Instance, 1..15.
    pub instance: u8,
    /// Depends on the payload; zeroes for SOL.
    pub auxiliary: [u8; 4],
}

impl Command for DeactivatePayload {
    type Reply = ();
    const NETFN: NetFn = NetFn::APP;
    const CMD: u8 = 0x49;
    const NAME: &'static str = "Deactivate Payload";
    const PRIVILEGE: Privilege = Privilege::User;
    const EFFECT: Effect = Effect::Idempotent;

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend([self.payload & 0x3f, self.instance & 0x0f]);
        out.extend(self.auxiliary);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            payload: r.u8("payload type")? & 0x3f,
            instance: r.u8("payload instance")? & 0x0f,
            auxiliary: r.array("payload auxiliary data")?,
        })
    }

    no_reply_data!();
}

/// Get Payload Activation Status (§24.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetPayloadActivationStatus {
    /// Payload type, six bits.
    pub payload: u8,
}

/// Which instances of a payload are active.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PayloadActivationStatus {
    /// Instances there can be, 1..15. Some BMCs say 0 and mean 1.
    pub capacity: u8,
    /// Bit n-1 = instance n is active.
    pub active: u16,
}

impl PayloadActivationStatus {
    /// Is instance `n` (1..=16) active?
    pub fn is_active(&self, n: u8) -> bool {
        n.checked_sub(1)
            .and_then(|bit| self.active.checked_shr(u32::from(bit)))
            .is_some_and(|bits| bits & 1 == 1)
    }
}

impl Command for GetPayloadActivationStatus {
    type Reply = PayloadActivationStatus;
    const NETFN: NetFn = NetFn::APP;
    const CMD: u8 = 0x4a;
    const NAME: &'static str = "Get Payload Activation Status";
    const PRIVILEGE: Privilege = Privilege::User;
    const EFFECT: Effect = Effect::Read;

    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.payload & 0x3f);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            payload: r.u8("payload type")? & 0x3f,
        })
    }

    fn encode_reply(reply: &Self::Reply, out: &mut Vec<u8>) {
        out.push(reply.capacity & 0x0f);
        out.extend(reply.active.to_le_bytes());
    }

    fn decode_reply(&self, r: &mut Reader<'_>) -> Result<Self::Reply, DecodeError> {
        Ok(PayloadActivationStatus {
            capacity: r.u8("instance capacity")? & 0x0f,
            active: r.u16("activation status")?,
        })
    }
}

/// Get Payload Instance Info (§24.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetPayloadInstanceInfo {
    /// Payload type, six bits.
    pub payload: u8,
    /// Instance, 1..15.
    pub instance: u8,
}

/// Who has an instance of a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PayloadInstanceInfo {
    /// Session id; 0 = the instance is not active.
    pub session: u32,
    /// Depends on the payload. SOL: byte 0 = serial port.
    pub specific: [u8; 8],
}

impl Command for GetPayloadInstanceInfo {
    type Reply = PayloadInstanceInfo;
    const NETFN: NetFn = NetFn::APP;
    const CMD: u8 = 0x4b;
    const NAME: &'static str = "Get Payload Instance Info";
    const PRIVILEGE: Privilege = Privilege::User;
    const EFFECT: Effect = Effect::Read;

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend([self.payload & 0x3f, self.instance & 0x0f]);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            payload: r.u8("payload type")? & 0x3f,
            instance: r.u8("payload instance")? & 0x0f,
        })
    }

    fn encode_reply(reply: &Self::Reply, out: &mut Vec<u8>) {
        out.extend(reply.session.to_le_bytes());
        out.extend(reply.specific);
    }

    fn decode_reply(&self, r: &mut Reader<'_>) -> Result<Self::Reply, DecodeError> {
        Ok(PayloadInstanceInfo {
            session: r.u32("session ID")?,
            specific: r.array("payload-specific information").unwrap_or_default(),
        })
    }
}

/// Payload types that a user may use: bit n = type n.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PayloadTypes {
    /// Standard payload types 0..15; SOL is bit 1.
    pub standard: u16,
    /// OEM payload types 0x20..0x2f.
    pub oem: u16,
}

/// Set User Payload Access (§24.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetUserPayloadAccess {
    /// Channel, 0..15.
    pub channel: u8,
    /// Slot, 0..63.
    pub user: u8,
    /// 0 = enable the types that are set, 1 = disable them.
    pub operation: u8,
    /// The types.
    pub types: PayloadTypes,
}

impl Command for SetUserPayloadAccess {
    type Reply = ();
    const NETFN: NetFn = NetFn::APP;
    const CMD: u8 = 0x4c;
    const NAME: &'static str = "Set User Payload Access";
    const PRIVILEGE: Privilege = Privilege::Administrator;
    const EFFECT: Effect = Effect::Idempotent;

    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.channel & 0x0f);
        out.push(self.operation << 6 | self.user & 0x3f);
        out.extend(self.types.standard.to_le_bytes());
        out.extend(self.types.oem.to_le_bytes());
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let channel = r.u8("channel number")? & 0x0f;
        let user = r.u8("operation and user ID")?;
        Ok(Self {
            channel,
            user: user & 0x3f,
            operation: user >> 6,
            types: PayloadTypes {
                standard: r.u16("standard payload enables")?,
                oem: r.u16("OEM payload enables")?,
            },
        })
    }

    no_reply_data!();
}

/// Get User Payload Access (§24.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetUserPayloadAccess {
    /// Channel, 0..15.
    pub channel: u8,
    /// Slot, 0..63.
    pub user: u8,
}

impl Command for GetUserPayloadAccess {
    type Reply = PayloadTypes;
    const NETFN: NetFn = NetFn::APP;
    const CMD: u8 = 0x4d;
    const NAME: &'static str = "Get User Payload Access";
    const PRIVILEGE: Privilege = Privilege::Operator;
    const EFFECT: Effect = Effect::Read;

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend([self.channel & 0x0f, self.user & 0x3f]);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            channel: r.u8("channel number")? & 0x0f,
            user: r.u8("user ID")? & 0x3f,
        })
    }

    fn encode_reply(reply: &Self::Reply, out: &mut Vec<u8>) {
        out.extend(reply.standard.to_le_bytes());
        out.extend(reply.oem.to_le_bytes());
    }

    fn decode_reply(&self, r: &mut Reader<'_>) -> Result<Self::Reply, DecodeError> {
        Ok(PayloadTypes {
            standard: r.u16("standard payload enables")?,
            oem: r.u16("OEM payload enables").unwrap_or(0),
        })
    }
}

/// Get Channel Payload Support (§24.8). The client side never sends it: some BMCs have it not, and channel
/// 0xE crashes Debian's ipmi_sim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetChannelPayloadSupport {
    /// Channel, 0..15.
    pub channel: u8,
}

/// Payload types that a channel has: bit n = type n.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ChannelPayloadSupport {
    /// Standard and OEM types.
    pub types: PayloadTypes,
    /// Session setup types 0x10..0x1f.
    pub session_setup: u16,
}

impl Command for GetChannelPayloadSupport {
    type Reply = ChannelPayloadSupport;
    const NETFN: NetFn = NetFn::APP;
    const CMD: u8 = 0x4e;
    const NAME: &'static str = "Get Channel Payload Support";
    const PRIVILEGE: Privilege = Privilege::User;
    const EFFECT: Effect = Effect::Read;

    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.channel & 0x0f);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            channel: r.u8("channel number")? & 0x0f,
        })
    }

    fn encode_reply(reply: &Self::Reply, out: &mut Vec<u8>) {
        out.extend(reply.types.standard.to_le_bytes());
        out.extend(reply.session_setup.to_le_bytes());
        out.extend(reply.types.oem.to_le_bytes());
        out.extend([0, 0]);
    }

    fn decode_reply(&self, r: &mut Reader<'_>) -> Result<Self::Reply, DecodeError> {
        let standard = r.u16("standard payload types")?;
        let session_setup = r.u16("session setup payload types")?;
        let oem = r.u16("OEM payload types")?;
        Ok(ChannelPayloadSupport {
            types: PayloadTypes { standard, oem },
            session_setup,
        })
    }
}
