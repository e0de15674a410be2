//! Power reading and power limit (§6.6).

use super::{GROUP_ID, group};
use crate::hal::error::Error;
use crate::hal::ipmi::cmd::{Command, CompletionCode, Effect, NetFn, Privilege};
use crate::hal::ipmi::codec::{DecodeError, Reader};
use crate::hal::ipmi::exchange::{Response, finish};

/// Completion code of Get Power Limit: no limit is active.
const NO_ACTIVE_LIMIT: CompletionCode = CompletionCode(0x80);

/// Get Power Reading (§6.6.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetPowerReading {
    /// Which statistics.
    pub mode: PowerReadingMode,
}

/// Which statistics are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PowerReadingMode {
    /// 1 system power statistics, 2 enhanced ones.
    pub mode: u8,
    /// For mode 2: the rolling average period as in the capabilities.
    pub period: u8,
}

impl PowerReadingMode {
    /// System power statistics.
    pub const SYSTEM: Self = Self { mode: 1, period: 0 };
}

/// Watts. With `active` false nothing is measured and the numbers mean nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PowerReading {
    /// Now, in watts.
    pub current: u16,
    /// Lowest in the period, in watts.
    pub minimum: u16,
    /// Highest in the period, in watts.
    pub maximum: u16,
    /// Average over the period, in watts.
    pub average: u16,
    /// End of the period, seconds as in the SEL.
    pub time: u32,
    /// Length of the period in milliseconds (mode 1).
    pub period_ms: u32,
    /// Bit 6: power is measured.
    pub state: u8,
}

impl PowerReading {
    /// `state`: power is measured.
    pub const ACTIVE: u8 = 0x40;

    /// Is power measured?
    pub fn is_active(self) -> bool {
        self.state & Self::ACTIVE != 0
    }
}

impl Command for GetPowerReading {
    type Reply = PowerReading;
    const NETFN: NetFn = NetFn::GROUP;
    const CMD: u8 = 0x02;
    const NAME: &'static str = "Get Power Reading";
    const PRIVILEGE: Privilege = Privilege::User;
    const EFFECT: Effect = Effect::Read;

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend([GROUP_ID, self.mode.mode, self.mode.period, 0]);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        group(r)?;
        let mode = r.u8("power reading mode")?;
        let period = r.u8("power reading mode attributes")?;
        r.u8("reserved")?;
        Ok(Self {
            mode: PowerReadingMode { mode, period },
        })
    }

    fn encode_reply(reply: &Self::Reply, out: &mut Vec<u8>) {
        out.push(GROUP_ID);
        for watts in [reply.current, reply.minimum, reply.maximum, reply.average] {
            out.extend(watts.to_le_bytes());
        }
        out.extend(reply.time.to_le_bytes());
        out.extend(reply.period_ms.to_le_bytes());
        out.push(reply.state);
    }

    fn decode_reply(&self, r: &mut Reader<'_>) -> Result<Self::Reply, DecodeError> {
        group(r)?;
        Ok(PowerReading {
            current: r.u16("current power")?,
            minimum: r.u16("minimum power")?,
            maximum: r.u16("maximum power")?,
            average: r.u16("average power")?,
            time: r.u32("power reading timestamp")?,
            period_ms: r.u32("statistics reporting time period")?,
            state: r.u8("power reading state")?,
        })
    }
}

/// Get Power Limit (§6.6.2). Completion code 0x80: no limit is active; some BMCs send the data nevertheless.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetPowerLimit;

/// A power limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PowerLimit {
    /// What happens when it is exceeded: 0 nothing, 1 hard power off and SEL, 0x11 SEL only, 2..0x10 OEM.
    pub action: u8,
    /// The limit in watts.
    pub watts: u16,
    /// How long it may be exceeded, in milliseconds.
    pub correction_ms: u32,
    /// How often statistics are sampled, in seconds.
    pub sampling_s: u16,
}

impl PowerLimit {
    /// The answer to [`GetPowerLimit`] as limit and whether it is active. Completion code 0x80 is "no active limit", with
    /// the limit that is set behind it or without.
    pub fn answered(response: &Response) -> Result<Option<(Self, bool)>, Error> {
        if response.code != NO_ACTIVE_LIMIT {
            return finish(&GetPowerLimit, response).map(|limit| Some((limit, true)));
        }
        let limit = GetPowerLimit.decode_reply(&mut Reader::new(&response.data));
        Ok(limit.ok().map(|limit| (limit, false)))
    }

    fn encode(self, out: &mut Vec<u8>) {
        out.push(self.action);
        out.extend(self.watts.to_le_bytes());
        out.extend(self.correction_ms.to_le_bytes());
        out.extend([0, 0]);
        out.extend(self.sampling_s.to_le_bytes());
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let action = r.u8("exception actions")?;
        let watts = r.u16("power limit")?;
        let correction_ms = r.u32("correction time limit")?;
        r.u16("reserved")?;
        Ok(Self {
            action,
            watts,
            correction_ms,
            sampling_s: r.u16("statistics sampling period")?,
        })
    }
}

impl Command for GetPowerLimit {
    type Reply = PowerLimit;
    const NETFN: NetFn = NetFn::GROUP;
    const CMD: u8 = 0x03;
    const NAME: &'static str = "Get Power Limit";
    const PRIVILEGE: Privilege = Privilege::User;
    const EFFECT: Effect = Effect::Read;

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend([GROUP_ID, 0, 0]);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        group(r)?;
        r.u16("reserved")?;
        Ok(Self)
    }

    fn encode_reply(reply: &Self::Reply, out: &mut Vec<u8>) {
        out.extend([GROUP_ID, 0, 0]);
        reply.encode(out);
    }

    fn decode_reply(&self, r: &mut Reader<'_>) -> Result<Self::Reply, DecodeError> {
        group(r)?;
        r.u16("reserved")?;
        PowerLimit::decode(r)
    }
}

/// Set Power Limit (§6.6.3): stored, not yet active. Completion codes 0x84: watts out of range; 0x85: correction time;
/// 0x89: sampling period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetPowerLimit {
    /// The limit.
    pub limit: PowerLimit,
}

impl Command for SetPowerLimit {
    type Reply = ();
    const NETFN: NetFn = NetFn::GROUP;
    const CMD: u8 = 0x04;
    const NAME: &'static str = "Set Power Limit";
    const PRIVILEGE: Privilege = Privilege::Operator;
    const EFFECT: Effect = Effect::Idempotent;

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend([GROUP_ID, 0, 0, 0]);
        self.limit.encode(out);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        group(r)?;
        r.u24("reserved")?;
        Ok(Self {
            limit: PowerLimit::decode(r)?,
        })
    }

    fn encode_reply((): &Self::Reply, out: &mut Vec<u8>) {
        out.push(GROUP_ID);
    }

    fn decode_reply(&self, r: &mut Reader<'_>) -> Result<Self::Reply, DecodeError> {
        group(r)
    }
}

/// Activate/Deactivate Power Limit (§6.6.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ActivatePowerLimit {
    /// Activate instead of deactivate.
    pub active: bool,
}

impl Command for ActivatePowerLimit {
    type Reply = ();
    const NETFN: NetFn = NetFn::GROUP;
    const CMD: u8 = 0x05;
    const NAME: &'static str = "Activate/Deactivate Power Limit";
    const PRIVILEGE: Privilege = Privilege::Operator;
    const EFFECT: Effect = Effect::Idempotent;

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend([GROUP_ID, u8::from(self.active), 0, 0]);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        group(r)?;
        let active = r.u8("power limit activation")? & 0x01 != 0;
        r.u16("reserved")?;
        Ok(Self { active })
    }

    fn encode_reply((): &Self::Reply, out: &mut Vec<u8>) {
        out.push(GROUP_ID);
    }

    fn decode_reply(&self, r: &mut Reader<'_>) -> Result<Self::Reply, DecodeError> {
        group(r)
    }
}
