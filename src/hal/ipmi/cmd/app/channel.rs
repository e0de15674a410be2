//! Channels (§22.21 to §22.25): what they are, who may use them, and the keys of RMCP+.

use crate::hal::ipmi::cmd::{Command, Effect, NetFn, Privilege};
use crate::hal::ipmi::codec::{DecodeError, Reader};
use crate::hal::model::Secret;

use super::PrivilegeLevel;

/// Which copy of a setting is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stored {
    /// Reserved on reading; "do not change" on writing.
    Neither,
    /// The one that survives a restart.
    NonVolatile,
    /// The one in force.
    Volatile,
    /// Reserved.
    Both,
}

impl Stored {
    fn to_wire(self) -> u8 {
        match self {
            Self::Neither => 0x00,
            Self::NonVolatile => 0x40,
            Self::Volatile => 0x80,
            Self::Both => 0xc0,
        }
    }

    fn from_wire(byte: u8) -> Self {
        match byte & 0xc0 {
            0x00 => Self::Neither,
            0x40 => Self::NonVolatile,
            0x80 => Self::Volatile,
            _ => Self::Both,
        }
    }
}

/// When IPMI messages may come over a channel: three bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AccessMode(pub u8);

impl AccessMode {
    /// Never.
    pub const DISABLED: Self = Self(0);
    /// Only before the operating system runs.
    pub const PRE_BOOT: Self = Self(1);
    /// Always.
    pub const ALWAYS: Self = Self(2);
    /// Shared with the operating system (serial).
    pub const SHARED: Self = Self(3);
}

/// Access to a channel (§22.22).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChannelAccess {
    /// PEF does not alert over this channel.
    pub alerting_disabled: bool,
    /// IPMI 1.5 messages in a session need no authentication.
    pub no_per_message_auth: bool,
    /// IPMI 1.5 commands of User privilege need no authentication.
    pub no_user_level_auth: bool,
    /// When the channel can be used.
    pub mode: AccessMode,
    /// Highest privilege on this channel.
    pub limit: PrivilegeLevel,
}

impl ChannelAccess {
    fn settings(self) -> u8 {
        u8::from(self.alerting_disabled) << 5
            | u8::from(self.no_per_message_auth) << 4
            | u8::from(self.no_user_level_auth) << 3
            | self.mode.0 & 0x07
    }

    fn of(settings: u8, limit: u8) -> Self {
        Self {
            alerting_disabled: settings & 0x20 != 0,
            no_per_message_auth: settings & 0x10 != 0,
            no_user_level_auth: settings & 0x08 != 0,
            mode: AccessMode(settings & 0x07),
            limit: PrivilegeLevel::of(limit),
        }
    }
}

/// Get Channel Access (§22.23). Completion code 0x82: the channel has no sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetChannelAccess {
    /// Channel, 0..15.
    pub channel: u8,
    /// Which copy.
    pub copy: Stored,
}

impl Command for GetChannelAccess {
    type Reply = ChannelAccess;
    const NETFN: NetFn = NetFn::APP;
    const CMD: u8 = 0x41;
    const NAME: &'static str = "Get Channel Access";
    const PRIVILEGE: Privilege = Privilege::User;
    const EFFECT: Effect = Effect::Read;

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend([self.channel & 0x0f, self.copy.to_wire()]);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            channel: r.u8("channel number")? & 0x0f,
            copy: Stored::from_wire(r.u8("access to get")?),
        })
    }

    fn encode_reply(reply: &Self::Reply, out: &mut Vec<u8>) {
        out.extend([reply.settings(), reply.limit.0 & 0x0f]);
    }

    fn decode_reply(&self, r: &mut Reader<'_>) -> Result<Self::Reply, DecodeError> {
        let settings = r.u8("channel access")?;
        Ok(ChannelAccess::of(
            settings,
            r.u8("channel privilege limit")?,
        ))
    }
}

/// Set Channel Access (§22.22). Completion codes 0x82: the channel has no sessions; 0x83: access mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetChannelAccess {
    /// Channel, 0..15.
    pub channel: u8,
    /// Which copy of the settings is written; [`Stored::Neither`] leaves them.
    pub settings: Stored,
    /// Which copy of the privilege limit is written; [`Stored::Neither`] leaves it.
    pub limit: Stored,
    /// What is written. Some BMCs only take all of it.
    pub access: ChannelAccess,
}

impl Command for SetChannelAccess {
    type Reply = ();
    const NETFN: NetFn = NetFn::APP;
    const CMD: u8 = 0x40;
    const NAME: &'static str = "Set Channel Access";
    const PRIVILEGE: Privilege = Privilege::Administrator;
    const EFFECT: Effect = Effect::Idempotent;

    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.channel & 0x0f);
        out.push(self.settings.to_wire() | self.access.settings());
        out.push(self.limit.to_wire() | self.access.limit.0 & 0x0f);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let channel = r.u8("channel number")? & 0x0f;
        let settings = r.u8("channel access")?;
        let limit = r.u8("channel privilege limit")?;
        Ok(Self {
            channel,
            settings: Stored::from_wire(settings),
            limit: Stored::from_wire(limit),
            access: ChannelAccess::of(settings, limit),
        })
    }

    no_reply_data!();
}

/// Get Channel Info (§22.24).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetChannelInfo {
    /// Channel, 0..15; 0xE = the one that the request comes by.
    pub channel: u8,
}

/// What a channel is connected to (table 6-3): seven bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Medium(pub u8);

impl Medium {
    /// IPMB.
    pub const IPMB: Self = Self(0x01);
    /// 802.3 LAN.
    pub const LAN: Self = Self(0x04);
    /// Serial port or modem.
    pub const SERIAL: Self = Self(0x05);
    /// Other LAN; OpenBMC says so of its Ethernet.
    pub const OTHER_LAN: Self = Self(0x06);
    /// System interface (KCS, SMIC, BT).
    pub const SYSTEM: Self = Self(0x0c);

    /// A LAN of any kind?
    pub fn is_lan(self) -> bool {
        self == Self::LAN || self == Self::OTHER_LAN
    }
}

/// What a channel is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChannelInfo {
    /// Its number, when asked for 0xE.
    pub channel: u8,
    /// What it is connected to.
    pub medium: Medium,
    /// Protocol (table 6-2), five bits: 1 = IPMB, also for LAN.
    pub protocol: u8,
    /// Sessions: 0 none, 1 one, 2 several, 3 switched (serial).
    pub sessions: u8,
    /// Sessions active now, 0..63.
    pub active: u8,
    /// IANA enterprise number of the protocol's author; 7154 = IPMI.
    pub vendor: u32,
    /// Auxiliary channel info: interrupts of channel 0xF.
    pub auxiliary: [u8; 2],
}

impl Command for GetChannelInfo {
    type Reply = ChannelInfo;
    const NETFN: NetFn = NetFn::APP;
    const CMD: u8 = 0x42;
    const NAME: &'static str = "Get Channel Info";
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
        out.extend([
            reply.channel & 0x0f,
            reply.medium.0 & 0x7f,
            reply.protocol & 0x1f,
        ]);
        out.push(reply.sessions << 6 | reply.active & 0x3f);
        let [a, b, c, _] = reply.vendor.to_le_bytes();
        out.extend([a, b, c]);
        out.extend(reply.auxiliary);
    }

    fn decode_reply(&self, r: &mut Reader<'_>) -> Result<Self::Reply, DecodeError> {
        let channel = r.u8("channel number")? & 0x0f;
        let medium = Medium(r.u8("channel medium type")? & 0x7f);
        let protocol = r.u8("channel protocol type")? & 0x1f;
        // Nobody needs the rest to find the LAN channel: short answers do.
        let sessions = r.opt_u8().unwrap_or(0);
        Ok(ChannelInfo {
            channel,
            medium,
            protocol,
            sessions: sessions >> 6,
            active: sessions & 0x3f,
            vendor: r.u24("vendor ID").unwrap_or(0),
            auxiliary: r.array("auxiliary channel info").unwrap_or_default(),
        })
    }
}

/// Set Channel Security Keys (§22.25): reads, sets or locks K_R and K_G. Completion codes 0x80: locked; 0x81:
/// too few bytes; 0x82: too many; 0x83: the key is not good enough; 0x84: K_R is not used.
#[derive(Debug, Clone)]
pub struct SetChannelSecurityKeys {
    /// Channel, 0..15.
    pub channel: u8,
    /// 0 read, 1 set, 2 lock.
    pub operation: u8,
    /// 0 = K_R, 1 = K_G.
    pub key_id: u8,
    /// The key to set, 20 bytes; empty otherwise.
    pub key: Secret,
}

/// The state of a key.
#[derive(Debug, Clone)]
pub struct ChannelSecurityKey {
    /// 0 cannot be locked, 1 locked, 2 unlocked.
    pub lock: u8,
    /// The key, when it was read; else empty.
    pub key: Secret,
}

impl PartialEq for SetChannelSecurityKeys {
    fn eq(&self, other: &Self) -> bool {
        (self.channel, self.operation, self.key_id)
            == (other.channel, other.operation, other.key_id)
            && self.key.expose() == other.key.expose()
    }
}

impl PartialEq for ChannelSecurityKey {
    fn eq(&self, other: &Self) -> bool {
        self.lock == other.lock && self.key.expose() == other.key.expose()
    }
}

impl Command for SetChannelSecurityKeys {
    type Reply = ChannelSecurityKey;
    const NETFN: NetFn = NetFn::APP;
    const CMD: u8 = 0x56;
    const NAME: &'static str = "Set Channel Security Keys";
    const PRIVILEGE: Privilege = Privilege::Administrator;
    const EFFECT: Effect = Effect::Idempotent;

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend([self.channel & 0x0f, self.operation & 0x03, self.key_id]);
        out.extend(self.key.expose());
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            channel: r.u8("channel number")? & 0x0f,
            operation: r.u8("operation")? & 0x03,
            key_id: r.u8("key ID")?,
            key: Secret::new(r.rest()),
        })
    }

    fn encode_reply(reply: &Self::Reply, out: &mut Vec<u8>) {
        out.push(reply.lock & 0x03);
        out.extend(reply.key.expose());
    }

    fn decode_reply(&self, r: &mut Reader<'_>) -> Result<Self::Reply, DecodeError> {
        Ok(ChannelSecurityKey {
            lock: r.u8("lock status")? & 0x03,
            key: Secret::new(r.rest()),
        })
    }
}
