//! How a channel may be logged in to (§22.13). BMCs lie here often: take it as a hint.

use crate::hal::ipmi::cmd::{Command, Effect, NetFn, Privilege};
use crate::hal::ipmi::codec::{DecodeError, Reader};

use super::PrivilegeLevel;

/// Channel number that stands for the channel the request came by (§6.3).
pub const PRESENT_CHANNEL: u8 = 0x0e;

/// Get Channel Authentication Capabilities (§22.13). Answered without a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetChannelAuthCapabilities {
    /// Channel, 0..15; [`PRESENT_CHANNEL`] = the one that the request comes by.
    pub channel: u8,
    /// Asks for IPMI 2.0 data. BMCs that know only 1.5 may answer 0xCC to that.
    pub extended: bool,
    /// Highest privilege that the login would ask for.
    pub privilege: PrivilegeLevel,
}

/// Bits of authentication types: 1 << the type's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AuthTypes(pub u8);

impl AuthTypes {
    /// None at all.
    pub const NONE: u8 = 0x01;
    /// MD2.
    pub const MD2: u8 = 0x02;
    /// MD5.
    pub const MD5: u8 = 0x04;
    /// Password in clear text.
    pub const STRAIGHT: u8 = 0x10;
    /// The manufacturer's own.
    pub const OEM: u8 = 0x20;

    /// The names of those that are set, weakest first: `none md2 md5 password oem`.
    pub fn names(self) -> Vec<&'static str> {
        [
            (Self::NONE, "none"),
            (Self::STRAIGHT, "password"),
            (Self::MD2, "md2"),
            (Self::MD5, "md5"),
            (Self::OEM, "oem"),
        ]
        .into_iter()
        .filter_map(|(bit, name)| (self.0 & bit != 0).then_some(name))
        .collect()
    }
}

/// What logins the channel has: bits of the authentication status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AuthStatus {
    /// K_G is set to something other than zero: logging in needs it (2.0 only).
    pub kg: bool,
    /// IPMI 1.5 messages in a session need no authentication.
    pub no_per_message_auth: bool,
    /// IPMI 1.5 commands of User privilege need no authentication.
    pub no_user_level_auth: bool,
    /// There are enabled users with a name.
    pub named_users: bool,
    /// There are enabled users without a name but with a password.
    pub null_users: bool,
    /// There is an enabled user without name and password: anybody may log in.
    pub anonymous: bool,
}

impl AuthStatus {
    fn to_wire(self) -> u8 {
        u8::from(self.kg) << 5
            | u8::from(self.no_per_message_auth) << 4
            | u8::from(self.no_user_level_auth) << 3
            | u8::from(self.named_users) << 2
            | u8::from(self.null_users) << 1
            | u8::from(self.anonymous)
    }

    fn from_wire(byte: u8) -> Self {
        Self {
            kg: byte & 0x20 != 0,
            no_per_message_auth: byte & 0x10 != 0,
            no_user_level_auth: byte & 0x08 != 0,
            named_users: byte & 0x04 != 0,
            null_users: byte & 0x02 != 0,
            anonymous: byte & 0x01 != 0,
        }
    }
}

/// How a channel may be logged in to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ChannelAuthCapabilities {
    /// Number of the channel.
    pub channel: u8,
    /// The extended byte below is valid: the BMC knows IPMI 2.0.
    pub extended: bool,
    /// IPMI 1.5 authentication types.
    pub types: AuthTypes,
    /// Logins there are.
    pub status: AuthStatus,
    /// Accepts IPMI 2.0 sessions. Without the extended byte this says nothing.
    pub v2_0: bool,
    /// Accepts IPMI 1.5 sessions. Without the extended byte this says nothing.
    pub v1_5: bool,
    /// IANA enterprise number behind the OEM authentication type, 24 bits; BMCs stuff other things in here.
    pub oem: u32,
    /// That manufacturer's data.
    pub oem_data: u8,
}

impl ChannelAuthCapabilities {
    /// Are IPMI 2.0 sessions accepted?
    pub fn speaks_v2_0(&self) -> bool {
        self.extended && self.v2_0
    }

    /// Are IPMI 1.5 sessions accepted? A BMC that knows nothing else says so by not being extended.
    pub fn speaks_v1_5(&self) -> bool {
        !self.extended || self.v1_5
    }
}

impl Command for GetChannelAuthCapabilities {
    type Reply = ChannelAuthCapabilities;
    const NETFN: NetFn = NetFn::APP;
    const CMD: u8 = 0x38;
    const NAME: &'static str = "Get Channel Authentication Capabilities";
    const PRIVILEGE: Privilege = Privilege::None;
    const EFFECT: Effect = Effect::Read;

    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.channel & 0x0f | u8::from(self.extended) << 7);
        out.push(self.privilege.0 & 0x0f);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let channel = r.u8("channel number")?;
        Ok(Self {
            channel: channel & 0x0f,
            extended: channel & 0x80 != 0,
            privilege: PrivilegeLevel::of(r.u8("requested maximum privilege level")?),
        })
    }

    fn encode_reply(reply: &Self::Reply, out: &mut Vec<u8>) {
        out.push(reply.channel & 0x0f);
        out.push(reply.types.0 & 0x7f | u8::from(reply.extended) << 7);
        out.push(reply.status.to_wire());
        out.push(u8::from(reply.v2_0) << 1 | u8::from(reply.v1_5));
        let [a, b, c, _] = reply.oem.to_le_bytes();
        out.extend([a, b, c, reply.oem_data]);
    }

    fn decode_reply(&self, r: &mut Reader<'_>) -> Result<Self::Reply, DecodeError> {
        let channel = r.u8("channel number")? & 0x0f;
        let types = r.u8("authentication type support")?;
        let status = AuthStatus::from_wire(r.u8("authentication status")?);
        let versions = r.opt_u8().unwrap_or(0);
        Ok(ChannelAuthCapabilities {
            channel,
            extended: types & 0x80 != 0,
            types: AuthTypes(types & 0x7f),
            status,
            v2_0: versions & 0x02 != 0,
            v1_5: versions & 0x01 != 0,
            oem: r.u24("OEM ID").unwrap_or(0),
            oem_data: r.opt_u8().unwrap_or(0),
        })
    }
}
