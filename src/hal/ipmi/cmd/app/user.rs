//! Users (§22.26 to §22.30): slots with a name, a password and what they may do on each channel.

use zeroize::Zeroizing;

use crate::hal::ipmi::cmd::{Command, Effect, NetFn, Privilege};
use crate::hal::ipmi::codec::{DecodeError, Reader};
use crate::hal::model::Secret;

use super::PrivilegeLevel;

/// Set User Access (§22.26).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetUserAccess {
    /// Channel, 0..15.
    pub channel: u8,
    /// Slot, 0..63.
    pub user: u8,
    /// Writes the three bits of `bits`; without it only the limits are written.
    pub change_bits: bool,
    /// The three bits.
    pub bits: UserAccessBits,
    /// Highest privilege of the user on the channel.
    pub limit: PrivilegeLevel,
    /// Sessions that the user may have at once, 0 = any number. Left out by default: some BMCs refuse it.
    pub session_limit: Option<u8>,
}

/// What a user may use a channel for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct UserAccessBits {
    /// Only call-back log-ins. Some BMCs honour it on the LAN: keep it clear.
    pub callback_only: bool,
    /// Link authentication (serial).
    pub link_auth: bool,
    /// IPMI messages.
    pub messaging: bool,
}

impl UserAccessBits {
    fn to_wire(self) -> u8 {
        u8::from(self.callback_only) << 6
            | u8::from(self.link_auth) << 5
            | u8::from(self.messaging) << 4
    }

    fn from_wire(byte: u8) -> Self {
        Self {
            callback_only: byte & 0x40 != 0,
            link_auth: byte & 0x20 != 0,
            messaging: byte & 0x10 != 0,
        }
    }
}

impl Command for SetUserAccess {
    type Reply = ();
    const NETFN: NetFn = NetFn::APP;
    const CMD: u8 = 0x43;
    const NAME: &'static str = "Set User Access";
    const PRIVILEGE: Privilege = Privilege::Administrator;
    const EFFECT: Effect = Effect::Idempotent;

    fn encode(&self, out: &mut Vec<u8>) {
        out.push(u8::from(self.change_bits) << 7 | self.bits.to_wire() | self.channel & 0x0f);
        out.extend([self.user & 0x3f, self.limit.0 & 0x0f]);
        out.extend(self.session_limit);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let first = r.u8("channel number")?;
        Ok(Self {
            channel: first & 0x0f,
            user: r.u8("user ID")? & 0x3f,
            change_bits: first & 0x80 != 0,
            bits: UserAccessBits::from_wire(first),
            limit: PrivilegeLevel::of(r.u8("user privilege limit")?),
            session_limit: r.opt_u8(),
        })
    }

    no_reply_data!();
}

/// Get User Access (§22.27).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetUserAccess {
    /// Channel, 0..15.
    pub channel: u8,
    /// Slot, 1..63.
    pub user: u8,
}

/// Is the user enabled? Two bits; BMCs older than IPMI 2.0 leave them 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UserStatus {
    /// The BMC does not say.
    Unspecified,
    /// Enabled by Set User Password.
    Enabled,
    /// Disabled by Set User Password.
    Disabled,
    /// Reserved.
    Reserved,
}

/// What a user may do on a channel, and how many users there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UserAccess {
    /// Slots there are, 0..63; slot 1 is the user without a name.
    pub max_users: u8,
    /// Is this one enabled?
    pub status: UserStatus,
    /// Slots that are enabled on the channel.
    pub enabled_users: u8,
    /// Slots from 1 on whose name cannot be changed.
    pub fixed_names: u8,
    /// What the user may use the channel for.
    pub bits: UserAccessBits,
    /// Highest privilege of the user on the channel.
    pub limit: PrivilegeLevel,
}

impl Command for GetUserAccess {
    type Reply = UserAccess;
    const NETFN: NetFn = NetFn::APP;
    const CMD: u8 = 0x44;
    const NAME: &'static str = "Get User Access";
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
        let status = match reply.status {
            UserStatus::Unspecified => 0x00,
            UserStatus::Enabled => 0x40,
            UserStatus::Disabled => 0x80,
            UserStatus::Reserved => 0xc0,
        };
        out.push(reply.max_users & 0x3f);
        out.push(status | reply.enabled_users & 0x3f);
        out.push(reply.fixed_names & 0x3f);
        out.push(reply.bits.to_wire() | reply.limit.0 & 0x0f);
    }

    fn decode_reply(&self, r: &mut Reader<'_>) -> Result<Self::Reply, DecodeError> {
        let max_users = r.u8("maximum number of user IDs")? & 0x3f;
        let enabled = r.u8("count of enabled users")?;
        let fixed_names = r.u8("count of fixed user names")? & 0x3f;
        let access = r.u8("channel access")?;
        Ok(UserAccess {
            max_users,
            status: match enabled >> 6 {
                0 => UserStatus::Unspecified,
                1 => UserStatus::Enabled,
                2 => UserStatus::Disabled,
                _ => UserStatus::Reserved,
            },
            enabled_users: enabled & 0x3f,
            fixed_names,
            bits: UserAccessBits::from_wire(access),
            limit: PrivilegeLevel::of(access),
        })
    }
}

/// A user name as it is stored: 16 bytes, padded with zeroes. A name of 16 bytes has no zero at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct UserName(pub [u8; 16]);

impl UserName {
    /// From text; `None` when it has more than 16 bytes or contains a zero.
    pub fn new(name: &str) -> Option<Self> {
        let bytes = name.as_bytes();
        let mut out = [0; 16];
        out.get_mut(..bytes.len())?.copy_from_slice(bytes);
        (!bytes.contains(&0)).then_some(Self(out))
    }

    /// The bytes before the first zero.
    pub fn bytes(&self) -> &[u8] {
        self.0.split(|b| *b == 0).next().unwrap_or_default()
    }

    /// As text. Slots that some BMCs fill with 0xFF count as empty; what is not UTF-8 is replaced.
    pub fn text(&self) -> String {
        let bytes = self.bytes();
        if bytes.iter().all(|b| *b == 0xff) {
            return String::new();
        }
        String::from_utf8_lossy(bytes).into_owned()
    }
}

/// Set User Name (§22.28).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetUserName {
    /// Slot, 2..63.
    pub user: u8,
    /// The name.
    pub name: UserName,
}

impl Command for SetUserName {
    type Reply = ();
    const NETFN: NetFn = NetFn::APP;
    const CMD: u8 = 0x45;
    const NAME: &'static str = "Set User Name";
    const PRIVILEGE: Privilege = Privilege::Administrator;
    const EFFECT: Effect = Effect::Idempotent;

    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.user & 0x3f);
        out.extend(self.name.0);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            user: r.u8("user ID")? & 0x3f,
            name: r.array("user name").map(UserName)?,
        })
    }

    no_reply_data!();
}

/// Get User Name (§22.29). Completion codes 0xCB and 0xCC of many BMCs: the slot is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetUserName {
    /// Slot, 1..63.
    pub user: u8,
}

impl Command for GetUserName {
    type Reply = UserName;
    const NETFN: NetFn = NetFn::APP;
    const CMD: u8 = 0x46;
    const NAME: &'static str = "Get User Name";
    const PRIVILEGE: Privilege = Privilege::Operator;
    const EFFECT: Effect = Effect::Read;

    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.user & 0x3f);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            user: r.u8("user ID")? & 0x3f,
        })
    }

    fn encode_reply(reply: &Self::Reply, out: &mut Vec<u8>) {
        out.extend(reply.0);
    }

    fn decode_reply(&self, r: &mut Reader<'_>) -> Result<Self::Reply, DecodeError> {
        r.array("user name").map(UserName)
    }
}

/// What Set User Password does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PasswordOperation {
    /// Disables the user.
    Disable,
    /// Enables the user.
    Enable,
    /// Sets the password.
    Set,
    /// Compares the password with the stored one.
    Test,
}

/// Set User Password (§22.30). Completion codes 0x80: the tested password is wrong; 0x81: it is stored with the
/// other size; 0x8F of Dell: not good enough for the BMC's policy.
#[derive(Debug, Clone)]
pub struct SetUserPassword {
    /// Slot, 1..63.
    pub user: u8,
    /// What to do.
    pub operation: PasswordOperation,
    /// The password is sent (and stored) in 20 bytes, else in 16. One stored in 20 cannot log in with IPMI 1.5.
    pub twenty: bool,
    /// The password without its padding. [`None`] leaves the field out, which only disable and enable may; some
    /// BMCs want it there, too.
    pub password: Option<Secret>,
}

impl PartialEq for SetUserPassword {
    fn eq(&self, other: &Self) -> bool {
        let bytes = |s: &Self| s.password.as_ref().map(Secret::padded::<20>);
        (self.user, self.operation, self.twenty) == (other.user, other.operation, other.twenty)
            && bytes(self) == bytes(other)
    }
}

impl Command for SetUserPassword {
    type Reply = ();
    const NETFN: NetFn = NetFn::APP;
    const CMD: u8 = 0x47;
    const NAME: &'static str = "Set User Password";
    const PRIVILEGE: Privilege = Privilege::Administrator;
    const EFFECT: Effect = Effect::Idempotent;

    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.user & 0x3f | u8::from(self.twenty) << 7);
        out.push(match self.operation {
            PasswordOperation::Disable => 0,
            PasswordOperation::Enable => 1,
            PasswordOperation::Set => 2,
            PasswordOperation::Test => 3,
        });
        match (&self.password, self.twenty) {
            (Some(password), false) => out.extend(password.padded::<16>().iter()),
            (Some(password), true) => out.extend(password.padded::<20>().iter()),
            (None, _) => {}
        }
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let user = r.u8("user ID")?;
        let operation = match r.u8("operation")? & 0x03 {
            0 => PasswordOperation::Disable,
            1 => PasswordOperation::Enable,
            2 => PasswordOperation::Set,
            _ => PasswordOperation::Test,
        };
        let twenty = user & 0x80 != 0;
        let size = if twenty { 20 } else { 16 };
        let needed = matches!(operation, PasswordOperation::Set | PasswordOperation::Test);
        let password = if needed || !r.is_empty() {
            let padded = Zeroizing::new(r.bytes("password", size)?.to_vec());
            let end = padded.iter().rposition(|b| *b != 0).map_or(0, |i| i + 1);
            Some(Secret::new(padded.get(..end).unwrap_or_default()))
        } else {
            None
        };
        Ok(Self {
            user: user & 0x3f,
            operation,
            twenty,
            password,
        })
    }

    no_reply_data!();
}
