//! Set and Get SOL Configuration Parameters (§26.2, §26.3, table 26-5).

use crate::hal::ipmi::cmd::{Command, Effect, NetFn, Privilege};
use crate::hal::ipmi::codec::{DecodeError, Reader};

/// Parameter selectors.
#[expect(missing_docs, reason = "each is the parameter of that name")]
pub mod sol_selector {
    pub const SET_IN_PROGRESS: u8 = 0;
    pub const ENABLE: u8 = 1;
    pub const AUTHENTICATION: u8 = 2;
    pub const ACCUMULATE: u8 = 3;
    pub const RETRY: u8 = 4;
    pub const BIT_RATE: u8 = 5;
    pub const VOLATILE_BIT_RATE: u8 = 6;
    pub const CHANNEL: u8 = 7;
    pub const PORT: u8 = 8;
}

/// One parameter and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SolParameter {
    /// 0: 0 set complete, 1 set in progress, 2 commit write.
    SetInProgress(u8),
    /// 1: bit 0 enables SOL.
    Enable(u8),
    /// 2: bit 7 force encryption, 6 force authentication, low four bits least privilege.
    Authentication(u8),
    /// 3: when characters are sent.
    Accumulate {
        /// After how many 5 ms.
        interval: u8,
        /// After how many characters.
        threshold: u8,
    },
    /// 4: retries.
    Retry {
        /// How often (low three bits).
        count: u8,
        /// After how many 10 ms.
        interval: u8,
    },
    /// 5: bit rate that is kept, low four bits: 6 9.6k, 7 19.2k, 8 38.4k, 9 57.6k, 10 115.2k; 0 = the serial port's.
    BitRate(u8),
    /// 6: bit rate of now.
    VolatileBitRate(u8),
    /// 7: channel of the payload (read-only).
    Channel(u8),
    /// 8: UDP port of the payload.
    Port(u16),
    /// Any other parameter, or a known one without any data.
    Other {
        /// Parameter selector.
        selector: u8,
        /// Its data as they came.
        data: Vec<u8>,
    },
}

impl SolParameter {
    /// Its parameter selector.
    pub fn selector(&self) -> u8 {
        match self {
            Self::SetInProgress(_) => sol_selector::SET_IN_PROGRESS,
            Self::Enable(_) => sol_selector::ENABLE,
            Self::Authentication(_) => sol_selector::AUTHENTICATION,
            Self::Accumulate { .. } => sol_selector::ACCUMULATE,
            Self::Retry { .. } => sol_selector::RETRY,
            Self::BitRate(_) => sol_selector::BIT_RATE,
            Self::VolatileBitRate(_) => sol_selector::VOLATILE_BIT_RATE,
            Self::Channel(_) => sol_selector::CHANNEL,
            Self::Port(_) => sol_selector::PORT,
            Self::Other { selector, .. } => *selector,
        }
    }

    /// Writes the parameter data.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::SetInProgress(v)
            | Self::Enable(v)
            | Self::Authentication(v)
            | Self::BitRate(v)
            | Self::VolatileBitRate(v)
            | Self::Channel(v) => out.push(*v),
            Self::Accumulate {
                interval,
                threshold,
            } => out.extend([*interval, *threshold]),
            Self::Retry { count, interval } => out.extend([*count, *interval]),
            Self::Port(port) => out.extend(port.to_le_bytes()),
            Self::Other { data, .. } => out.extend(data),
        }
    }

    /// Reads the data of parameter `selector`; more bytes than it has are dropped.
    pub fn decode(selector: u8, r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        if r.is_empty() {
            return Ok(Self::Other {
                selector,
                data: Vec::new(),
            });
        }
        Ok(match selector {
            sol_selector::SET_IN_PROGRESS => Self::SetInProgress(r.u8("set in progress")?),
            sol_selector::ENABLE => Self::Enable(r.u8("SOL enable")?),
            sol_selector::AUTHENTICATION => Self::Authentication(r.u8("SOL authentication")?),
            sol_selector::ACCUMULATE => Self::Accumulate {
                interval: r.u8("character accumulate interval")?,
                threshold: r.u8("character send threshold")?,
            },
            sol_selector::RETRY => Self::Retry {
                count: r.u8("SOL retry count")?,
                interval: r.u8("SOL retry interval")?,
            },
            sol_selector::BIT_RATE => Self::BitRate(r.u8("SOL bit rate")?),
            sol_selector::VOLATILE_BIT_RATE => {
                Self::VolatileBitRate(r.u8("SOL volatile bit rate")?)
            }
            sol_selector::CHANNEL => Self::Channel(r.u8("SOL payload channel")?),
            sol_selector::PORT => Self::Port(r.u16("SOL payload port")?),
            _ => Self::Other {
                selector,
                data: r.rest().to_vec(),
            },
        })
    }
}

/// Set SOL Configuration Parameters (§26.2). Completion codes 0x80: parameter not supported; 0x81: set in progress by
/// another party; 0x82: parameter is read-only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetSolConfigurationParameters {
    /// Channel number (low four bits).
    pub channel: u8,
    /// Parameter and value.
    pub parameter: SolParameter,
}

impl Command for SetSolConfigurationParameters {
    type Reply = ();
    const NETFN: NetFn = NetFn::TRANSPORT;
    const CMD: u8 = 0x21;
    const NAME: &'static str = "Set SOL Configuration Parameters";
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
            parameter: SolParameter::decode(selector, r)?,
        })
    }

    no_reply_data!();
}

/// Get SOL Configuration Parameters (§26.3). Completion code 0x80: parameter not supported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetSolConfigurationParameters {
    /// Channel number (low four bits); bit 7: only the revision.
    pub channel: u8,
    /// Parameter selector.
    pub selector: u8,
    /// Set selector, 0 where the parameter has only one.
    pub set: u8,
    /// Block selector, 0 where the parameter has none.
    pub block: u8,
}

impl GetSolConfigurationParameters {
    /// The parameter `selector` of `channel`.
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
pub struct SolConfiguration {
    /// Parameter revision: 0x11 as of today.
    pub revision: u8,
    /// Parameter and value; without data when only the revision was asked for.
    pub parameter: SolParameter,
}

impl Command for GetSolConfigurationParameters {
    type Reply = SolConfiguration;
    const NETFN: NetFn = NetFn::TRANSPORT;
    const CMD: u8 = 0x22;
    const NAME: &'static str = "Get SOL Configuration Parameters";
    const PRIVILEGE: Privilege = Privilege::User;
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
        Ok(SolConfiguration {
            revision: r.u8("parameter revision")?,
            parameter: SolParameter::decode(self.selector, r)?,
        })
    }
}
