//! Facts about the host that it told the BMC (§22.14a), and the BMC's message enables (§22.2).

use crate::hal::ipmi::cmd::{Command, Effect, NetFn, Privilege};
use crate::hal::ipmi::codec::{DecodeError, Reader};

/// Get System Info Parameters (§22.14b). Completion code 0x80: no such parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetSystemInfoParameters {
    /// Only the revision is wanted, no data.
    pub revision_only: bool,
    /// Parameter: 1 firmware version, 2 system name, 3 primary OS, 4 OS name, 5 OS version, 6 BMC URL.
    pub parameter: u8,
    /// Which 16-byte piece of a text, from 0.
    pub set: u8,
    /// 0 in all parameters there are.
    pub block: u8,
}

impl GetSystemInfoParameters {
    /// System firmware version (the BIOS's).
    pub const FIRMWARE_VERSION: u8 = 1;
    /// System name.
    pub const SYSTEM_NAME: u8 = 2;

    /// Piece `set` of the text `parameter`.
    pub fn text(parameter: u8, set: u8) -> Self {
        Self {
            revision_only: false,
            parameter,
            set,
            block: 0,
        }
    }
}

/// A parameter as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SystemInfoParameter {
    /// Revision of the parameter's format.
    pub revision: u8,
    /// Its data. Texts: set, then in set 0 encoding and total length, then up to 16 bytes.
    pub data: Vec<u8>,
}

impl Command for GetSystemInfoParameters {
    type Reply = SystemInfoParameter;
    const NETFN: NetFn = NetFn::APP;
    const CMD: u8 = 0x59;
    const NAME: &'static str = "Get System Info Parameters";
    const PRIVILEGE: Privilege = Privilege::User;
    const EFFECT: Effect = Effect::Read;

    fn encode(&self, out: &mut Vec<u8>) {
        out.push(u8::from(self.revision_only) << 7);
        out.extend([self.parameter, self.set, self.block]);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            revision_only: r.u8("get parameter revision only")? & 0x80 != 0,
            parameter: r.u8("parameter selector")?,
            set: r.u8("set selector")?,
            block: r.u8("block selector")?,
        })
    }

    fn encode_reply(reply: &Self::Reply, out: &mut Vec<u8>) {
        out.push(reply.revision);
        out.extend(&reply.data);
    }

    fn decode_reply(&self, r: &mut Reader<'_>) -> Result<Self::Reply, DecodeError> {
        Ok(SystemInfoParameter {
            revision: r.u8("parameter revision")?,
            data: r.rest().to_vec(),
        })
    }
}

/// Get BMC Global Enables (§22.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetBmcGlobalEnables;

/// What the BMC tells the host's software.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GlobalEnables(pub u8);

impl GlobalEnables {
    /// Interrupt when a message came.
    pub const MESSAGE_INTERRUPT: u8 = 0x01;
    /// Interrupt when the event buffer is full.
    pub const EVENT_BUFFER_INTERRUPT: u8 = 0x02;
    /// Event message buffer.
    pub const EVENT_BUFFER: u8 = 0x04;
    /// Event logging.
    pub const EVENT_LOGGING: u8 = 0x08;

    /// Are events written to the SEL?
    pub fn logs_events(self) -> bool {
        self.0 & Self::EVENT_LOGGING != 0
    }
}

impl Command for GetBmcGlobalEnables {
    type Reply = GlobalEnables;
    const NETFN: NetFn = NetFn::APP;
    const CMD: u8 = 0x2f;
    const NAME: &'static str = "Get BMC Global Enables";
    const PRIVILEGE: Privilege = Privilege::User;
    const EFFECT: Effect = Effect::Read;

    no_request_data!();

    fn encode_reply(reply: &Self::Reply, out: &mut Vec<u8>) {
        out.push(reply.0);
    }

    fn decode_reply(&self, r: &mut Reader<'_>) -> Result<Self::Reply, DecodeError> {
        r.u8("global enables").map(GlobalEnables)
    }
}
