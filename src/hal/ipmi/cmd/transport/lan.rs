//! Set and Get LAN Configuration Parameters (§23.1, §23.2).

use super::LanParameter;
use crate::hal::ipmi::cmd::{Command, Effect, NetFn, Privilege};
use crate::hal::ipmi::codec::{DecodeError, Reader};

/// Set LAN Configuration Parameters (§23.1). Completion codes 0x80: parameter not supported; 0x81: set in progress by
/// another party; 0x82: parameter is read-only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetLanConfigurationParameters {
    /// Channel number (low four bits).
    pub channel: u8,
    /// Parameter and value.
    pub parameter: LanParameter,
}

impl Command for SetLanConfigurationParameters {
    type Reply = ();
    const NETFN: NetFn = NetFn::TRANSPORT;
    const CMD: u8 = 0x01;
    const NAME: &'static str = "Set LAN Configuration Parameters";
    const PRIVILEGE: Privilege = Privilege::Administrator;
    const EFFECT: Effect = Effect::Idempotent;

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend([self.channel, self.parameter.selector()]);
        self.parameter.encode(out);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let channel = r.u8("channel number")?;
        let selector = r.u8("parameter selector")?;
        Ok(Self {
            channel,
            parameter: LanParameter::decode(selector, r)?,
        })
    }

    no_reply_data!();
}

/// Get LAN Configuration Parameters (§23.2). Completion code 0x80: parameter not supported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetLanConfigurationParameters {
    /// Channel number (low four bits); bit 7: only the revision.
    pub channel: u8,
    /// Parameter selector.
    pub selector: u8,
    /// Set selector, 0 where the parameter has only one.
    pub set: u8,
    /// Block selector, 0 where the parameter has none.
    pub block: u8,
}

impl GetLanConfigurationParameters {
    /// The parameter `selector` of `channel`, which has only one set.
    pub fn of(channel: u8, selector: u8) -> Self {
        Self {
            channel,
            selector,
            set: 0,
            block: 0,
        }
    }
}

/// A parameter as the BMC has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LanConfiguration {
    /// Parameter revision: 0x11 as of today.
    pub revision: u8,
    /// Parameter and value; without data when only the revision was asked for.
    pub parameter: LanParameter,
}

impl Command for GetLanConfigurationParameters {
    type Reply = LanConfiguration;
    const NETFN: NetFn = NetFn::TRANSPORT;
    const CMD: u8 = 0x02;
    const NAME: &'static str = "Get LAN Configuration Parameters";
    const PRIVILEGE: Privilege = Privilege::Operator;
    const EFFECT: Effect = Effect::Read;

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend([self.channel, self.selector, self.set, self.block]);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            channel: r.u8("channel number")?,
            selector: r.u8("parameter selector")?,
            set: r.u8("set selector")?,
            block: r.u8("block selector")?,
        })
    }

    fn encode_reply(reply: &Self::Reply, out: &mut Vec<u8>) {
        out.push(reply.revision);
        reply.parameter.encode(out);
    }

    fn decode_reply(&self, r: &mut Reader<'_>) -> Result<Self::Reply, DecodeError> {
        Ok(LanConfiguration {
            revision: r.u8("parameter revision")?,
            parameter: LanParameter::decode(self.selector, r)?,
        })
    }
}
