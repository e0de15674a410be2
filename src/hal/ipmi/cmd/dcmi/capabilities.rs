//! Get DCMI Capabilities Info (§6.1.1).

use super::{GROUP_ID, group};
use crate::hal::ipmi::cmd::{Command, Effect, NetFn, Privilege};
use crate::hal::ipmi::codec::{DecodeError, Reader};

/// Parameter selectors.
#[expect(missing_docs, reason = "each is the parameter of that name")]
pub mod capability_selector {
    pub const SUPPORTED: u8 = 1;
    pub const MANDATORY_ATTRIBUTES: u8 = 2;
    pub const OPTIONAL_ATTRIBUTES: u8 = 3;
    pub const ACCESS_ATTRIBUTES: u8 = 4;
    pub const POWER_STATISTICS: u8 = 5;
}

/// Get DCMI Capabilities Info (§6.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetDcmiCapabilities {
    /// Parameter selector.
    pub selector: u8,
}

/// Version and one parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DcmiCapabilities {
    /// Major version of the specification.
    pub major: u8,
    /// Minor version.
    pub minor: u8,
    /// Parameter revision: 2 for DCMI 1.5.
    pub revision: u8,
    /// The parameter.
    pub capability: DcmiCapability,
}

/// One parameter of Get DCMI Capabilities.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DcmiCapability {
    /// 1: what there is.
    Supported {
        /// Mandatory platform capabilities (DCMI 1.0); reserved since.
        mandatory: u8,
        /// Bit 0: power management.
        optional: u8,
        /// Bit 2 secondary LAN, 1 serial TMODE, 0 in-band.
        access: u8,
    },
    /// 2: as they come: SEL attributes (2 bytes), identification, temperature monitoring, sampling (1.5).
    MandatoryAttributes(Vec<u8>),
    /// 3: the controller that manages power.
    OptionalAttributes {
        /// 8-bit slave address.
        address: u8,
        /// Channel in bits 7-4, device revision in bits 3-0.
        channel: u8,
    },
    /// 4: channels: primary LAN, secondary LAN, serial; 0xff = none.
    AccessAttributes([u8; 3]),
    /// 5: rolling averages that Get Power Reading can give; unit in bits 7-6 (s, min, h, d), number in bits 5-0.
    PowerStatistics(Vec<u8>),
    /// Another parameter, or one without data.
    Other {
        /// Parameter selector.
        selector: u8,
        /// Its data as they came.
        data: Vec<u8>,
    },
}

impl DcmiCapability {
    /// Its parameter selector.
    pub fn selector(&self) -> u8 {
        match self {
            Self::Supported { .. } => capability_selector::SUPPORTED,
            Self::MandatoryAttributes(_) => capability_selector::MANDATORY_ATTRIBUTES,
            Self::OptionalAttributes { .. } => capability_selector::OPTIONAL_ATTRIBUTES,
            Self::AccessAttributes(_) => capability_selector::ACCESS_ATTRIBUTES,
            Self::PowerStatistics(_) => capability_selector::POWER_STATISTICS,
            Self::Other { selector, .. } => *selector,
        }
    }

    /// Does the platform manage power (Get Power Reading, limits)? `None` when this parameter does not say.
    pub fn power_management(&self) -> Option<bool> {
        match self {
            Self::Supported { optional, .. } => Some(optional & 0x01 != 0),
            _ => None,
        }
    }

    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Supported {
                mandatory,
                optional,
                access,
            } => out.extend([*mandatory, *optional, *access]),
            Self::MandatoryAttributes(data) | Self::Other { data, .. } => out.extend(data),
            Self::OptionalAttributes { address, channel } => out.extend([*address, *channel]),
            Self::AccessAttributes(channels) => out.extend(channels),
            Self::PowerStatistics(periods) => {
                // A count that the byte cannot hold would lie about what follows.
                let count = u8::try_from(periods.len()).unwrap_or(u8::MAX);
                out.push(count);
                out.extend(periods.iter().take(count.into()));
            }
        }
    }

    fn decode(selector: u8, r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        if r.is_empty() {
            return Ok(Self::Other {
                selector,
                data: Vec::new(),
            });
        }
        Ok(match selector {
            capability_selector::SUPPORTED => Self::Supported {
                mandatory: r.u8("mandatory platform capabilities")?,
                optional: r.u8("optional platform capabilities")?,
                access: r.u8("manageability access capabilities")?,
            },
            capability_selector::MANDATORY_ATTRIBUTES => {
                Self::MandatoryAttributes(r.rest().to_vec())
            }
            capability_selector::OPTIONAL_ATTRIBUTES => Self::OptionalAttributes {
                address: r.u8("power management device address")?,
                channel: r.u8("power management controller channel")?,
            },
            capability_selector::ACCESS_ATTRIBUTES => {
                Self::AccessAttributes(r.array("manageability access attributes")?)
            }
            capability_selector::POWER_STATISTICS => {
                let count = r.u8("number of rolling average periods")?;
                Self::PowerStatistics(r.bytes("rolling average periods", count.into())?.to_vec())
            }
            _ => Self::Other {
                selector,
                data: r.rest().to_vec(),
            },
        })
    }
}

impl Command for GetDcmiCapabilities {
    type Reply = DcmiCapabilities;
    const NETFN: NetFn = NetFn::GROUP;
    const CMD: u8 = 0x01;
    const NAME: &'static str = "Get DCMI Capabilities Info";
    const PRIVILEGE: Privilege = Privilege::User;
    const EFFECT: Effect = Effect::Read;

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend([GROUP_ID, self.selector]);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        group(r)?;
        Ok(Self {
            selector: r.u8("parameter selector")?,
        })
    }

    fn encode_reply(reply: &Self::Reply, out: &mut Vec<u8>) {
        out.extend([GROUP_ID, reply.major, reply.minor, reply.revision]);
        reply.capability.encode(out);
    }

    fn decode_reply(&self, r: &mut Reader<'_>) -> Result<Self::Reply, DecodeError> {
        group(r)?;
        Ok(DcmiCapabilities {
            major: r.u8("DCMI major version")?,
            minor: r.u8("DCMI minor version")?,
            revision: r.u8("parameter revision")?,
            capability: DcmiCapability::decode(self.selector, r)?,
        })
    }
}
