//! System boot options (§28.12, §28.13, table 28-14): numbered parameters, typed where the specification has them.

use super::BootFlags;
use crate::hal::ipmi::cmd::{Command, Effect, NetFn, Privilege};
use crate::hal::ipmi::codec::{DecodeError, Reader};

/// Parameter selectors.
#[expect(missing_docs, reason = "each is the parameter of that name")]
pub mod boot_selector {
    pub const SET_IN_PROGRESS: u8 = 0;
    pub const SERVICE_PARTITION_SELECTOR: u8 = 1;
    pub const SERVICE_PARTITION_SCAN: u8 = 2;
    pub const VALID_BIT_CLEARING: u8 = 3;
    pub const INFO_ACKNOWLEDGE: u8 = 4;
    pub const FLAGS: u8 = 5;
    pub const INITIATOR_INFO: u8 = 6;
    pub const INITIATOR_MAILBOX: u8 = 7;
}

/// One parameter and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BootOption {
    /// 0: 0 set complete, 1 set in progress, 2 commit write.
    SetInProgress(u8),
    /// 1: which service partition; 0 = unspecified.
    ServicePartitionSelector(u8),
    /// 2: bit 1 BIOS shall scan for it, bit 0 it was found.
    ServicePartitionScan(u8),
    /// 3: when the BMC shall *not* clear the valid bit of the flags: bit 4 on a reset by PEF, 3 after 60 s without
    /// a Chassis Control command, 2 on a watchdog reset, 1 on a pushbutton or soft reset, 0 on a pushbutton power-up.
    ValidBitClearing(u8),
    /// 4: who has handled the boot info (0 BIOS, 1 OS loader, 2 OS or service partition, 3 SMS, 4 OEM).
    InfoAcknowledge {
        /// Bits to write (in a request).
        mask: u8,
        /// The bits.
        data: u8,
    },
    /// 5: the boot flags.
    Flags(BootFlags),
    /// 6: who set them.
    InitiatorInfo(BootInitiator),
    /// 7: one block of the mailbox.
    Mailbox {
        /// Block number.
        block: u8,
        /// Up to 16 bytes of it.
        data: Vec<u8>,
    },
    /// Any other parameter, or a known one without any data (which only marks it valid or invalid).
    Other {
        /// Parameter selector, seven bits.
        selector: u8,
        /// Its data as they came.
        data: Vec<u8>,
    },
}

/// Boot initiator info: which session asked for the boot, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BootInitiator {
    /// Channel number (low four bits).
    pub channel: u8,
    /// Session id.
    pub session: u32,
    /// Time of the request, seconds as in the SEL.
    pub time: u32,
}

impl BootOption {
    /// Its parameter selector.
    pub fn selector(&self) -> u8 {
        match self {
            Self::SetInProgress(_) => boot_selector::SET_IN_PROGRESS,
            Self::ServicePartitionSelector(_) => boot_selector::SERVICE_PARTITION_SELECTOR,
            Self::ServicePartitionScan(_) => boot_selector::SERVICE_PARTITION_SCAN,
            Self::ValidBitClearing(_) => boot_selector::VALID_BIT_CLEARING,
            Self::InfoAcknowledge { .. } => boot_selector::INFO_ACKNOWLEDGE,
            Self::Flags(_) => boot_selector::FLAGS,
            Self::InitiatorInfo(_) => boot_selector::INITIATOR_INFO,
            Self::Mailbox { .. } => boot_selector::INITIATOR_MAILBOX,
            Self::Other { selector, .. } => selector & 0x7f,
        }
    }

    /// Writes the parameter data.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::SetInProgress(v)
            | Self::ServicePartitionSelector(v)
            | Self::ServicePartitionScan(v)
            | Self::ValidBitClearing(v) => out.push(*v),
            Self::InfoAcknowledge { mask, data } => out.extend([*mask, *data]),
            Self::Flags(flags) => out.extend(flags.0),
            Self::InitiatorInfo(who) => {
                out.push(who.channel);
                out.extend(who.session.to_le_bytes());
                out.extend(who.time.to_le_bytes());
            }
            Self::Mailbox { block, data } => {
                out.push(*block);
                out.extend(data);
            }
            Self::Other { data, .. } => out.extend(data),
        }
    }

    /// Reads the data of parameter `selector`. More bytes than the parameter has are dropped (HP DL380 G5 sends 12);
    /// of the boot flags the last three may be missing.
    pub fn decode(selector: u8, r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let selector = selector & 0x7f;
        if r.is_empty() {
            return Ok(Self::Other {
                selector,
                data: Vec::new(),
            });
        }
        Ok(match selector {
            boot_selector::SET_IN_PROGRESS => Self::SetInProgress(r.u8("set in progress")?),
            boot_selector::SERVICE_PARTITION_SELECTOR => {
                Self::ServicePartitionSelector(r.u8("service partition selector")?)
            }
            boot_selector::SERVICE_PARTITION_SCAN => {
                Self::ServicePartitionScan(r.u8("service partition scan")?)
            }
            boot_selector::VALID_BIT_CLEARING => {
                Self::ValidBitClearing(r.u8("boot flag valid bit clearing")?)
            }
            boot_selector::INFO_ACKNOWLEDGE => Self::InfoAcknowledge {
                mask: r.u8("boot info acknowledge write mask")?,
                data: r.u8("boot info acknowledge")?,
            },
            boot_selector::FLAGS => {
                let [first, second] = r.array("boot flags")?;
                let mut tail = || r.opt_u8().unwrap_or(0);
                Self::Flags(BootFlags([first, second, tail(), tail(), tail()]))
            }
            boot_selector::INITIATOR_INFO => Self::InitiatorInfo(BootInitiator {
                channel: r.u8("boot initiator channel")?,
                session: r.u32("boot initiator session ID")?,
                time: r.u32("boot info timestamp")?,
            }),
            boot_selector::INITIATOR_MAILBOX => Self::Mailbox {
                block: r.u8("boot initiator mailbox block")?,
                data: r.rest().to_vec(),
            },
            _ => Self::Other {
                selector,
                data: r.rest().to_vec(),
            },
        })
    }
}

/// Set System Boot Options (§28.12). Completion codes 0x80: parameter not supported; 0x81: set in progress by another
/// party; 0x82: parameter is read-only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetSystemBootOptions {
    /// Marks the parameter invalid or locked.
    pub invalid: bool,
    /// Parameter and value.
    pub option: BootOption,
}

impl Command for SetSystemBootOptions {
    type Reply = ();
    const NETFN: NetFn = NetFn::CHASSIS;
    const CMD: u8 = 0x08;
    const NAME: &'static str = "Set System Boot Options";
    const PRIVILEGE: Privilege = Privilege::Operator;
    const EFFECT: Effect = Effect::Idempotent;

    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.option.selector() | (u8::from(self.invalid) << 7));
        self.option.encode(out);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let selector = r.u8("parameter selector")?;
        Ok(Self {
            invalid: selector & 0x80 != 0,
            option: BootOption::decode(selector, r)?,
        })
    }

    no_reply_data!();
}

/// Get System Boot Options (§28.13). Completion code 0x80: parameter not supported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetSystemBootOptions {
    /// Parameter selector, seven bits.
    pub selector: u8,
    /// Set selector: the block of the mailbox, 0 for all else.
    pub set: u8,
    /// Block selector, 0 unless an OEM parameter wants one.
    pub block: u8,
}

impl GetSystemBootOptions {
    /// The parameter `selector`, which has only one set.
    pub fn of(selector: u8) -> Self {
        Self {
            selector,
            set: 0,
            block: 0,
        }
    }
}

/// A parameter as the BMC has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GetSystemBootOptionsReply {
    /// Parameter version, 1 as of today.
    pub version: u8,
    /// The parameter is invalid or locked.
    pub invalid: bool,
    /// Parameter and value.
    pub option: BootOption,
}

impl Command for GetSystemBootOptions {
    type Reply = GetSystemBootOptionsReply;
    const NETFN: NetFn = NetFn::CHASSIS;
    const CMD: u8 = 0x09;
    const NAME: &'static str = "Get System Boot Options";
    const PRIVILEGE: Privilege = Privilege::Operator;
    const EFFECT: Effect = Effect::Read;

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend([self.selector, self.set, self.block]);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            selector: r.u8("parameter selector")?,
            set: r.u8("set selector")?,
            block: r.u8("block selector")?,
        })
    }

    fn encode_reply(reply: &Self::Reply, out: &mut Vec<u8>) {
        out.push(reply.version);
        out.push(reply.option.selector() | (u8::from(reply.invalid) << 7));
        reply.option.encode(out);
    }

    fn decode_reply(&self, r: &mut Reader<'_>) -> Result<Self::Reply, DecodeError> {
        let version = r.u8("parameter version")?;
        let selector = r.u8("parameter selector")?;
        Ok(GetSystemBootOptionsReply {
            version,
            invalid: selector & 0x80 != 0,
            option: BootOption::decode(selector, r)?,
        })
    }
}
