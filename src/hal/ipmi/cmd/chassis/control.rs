//! What can be done to the chassis: power, identify, what happens when AC comes back.

use crate::hal::ipmi::cmd::{Command, Effect, NetFn, Privilege};
use crate::hal::ipmi::codec::{DecodeError, Reader};

/// Chassis Control (§28.3). Sent as a new message it would act again, so it is never repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChassisControl {
    /// What to do.
    pub action: ControlAction,
}

/// What Chassis Control does; low four bits, others are reserved and kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ControlAction(pub u8);

impl ControlAction {
    /// Hard power off.
    pub const POWER_DOWN: Self = Self(0);
    /// Power on.
    pub const POWER_UP: Self = Self(1);
    /// Off, the power cycle interval, on.
    pub const POWER_CYCLE: Self = Self(2);
    /// Hard reset.
    pub const HARD_RESET: Self = Self(3);
    /// Pulse the diagnostic interrupt (NMI).
    pub const DIAGNOSTIC_INTERRUPT: Self = Self(4);
    /// Ask the operating system to shut down (emulated fatal over-temperature, ACPI).
    pub const SOFT_SHUTDOWN: Self = Self(5);
}

impl Command for ChassisControl {
    type Reply = ();
    const NETFN: NetFn = NetFn::CHASSIS;
    const CMD: u8 = 0x02;
    const NAME: &'static str = "Chassis Control";
    const PRIVILEGE: Privilege = Privilege::Operator;
    const EFFECT: Effect = Effect::Once;

    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.action.0);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            action: ControlAction(r.u8("chassis control")?),
        })
    }

    no_reply_data!();
}

/// Chassis Identify (§28.5). Both bytes are optional on the wire; without any it is 15 seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChassisIdentify {
    /// Seconds; 0 = off.
    pub interval: Option<u8>,
    /// Bit 0: on until switched off, whatever the interval. Only sent with an interval.
    pub force: Option<u8>,
}

impl ChassisIdentify {
    /// On until switched off (IPMI 2.0; not every BMC takes the second byte).
    pub const FORCE_ON: Self = Self {
        interval: Some(0),
        force: Some(1),
    };
    /// Off.
    pub const OFF: Self = Self {
        interval: Some(0),
        force: None,
    };

    /// On for `seconds`.
    pub fn timed(seconds: u8) -> Self {
        Self {
            interval: Some(seconds),
            force: None,
        }
    }

    /// Is it asked to stay on for ever?
    pub fn is_forced(self) -> bool {
        self.force.is_some_and(|f| f & 0x01 != 0)
    }
}

impl Command for ChassisIdentify {
    type Reply = ();
    const NETFN: NetFn = NetFn::CHASSIS;
    const CMD: u8 = 0x04;
    const NAME: &'static str = "Chassis Identify";
    const PRIVILEGE: Privilege = Privilege::Operator;
    const EFFECT: Effect = Effect::Idempotent;

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend(self.interval);
        if self.interval.is_some() {
            out.extend(self.force);
        }
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            interval: r.opt_u8(),
            force: r.opt_u8(),
        })
    }

    no_reply_data!();
}

/// What the host does when AC comes back; low three bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PowerRestorePolicy(pub u8);

impl PowerRestorePolicy {
    /// Stays off.
    pub const STAY_OFF: Self = Self(0);
    /// As it was.
    pub const LAST_STATE: Self = Self(1);
    /// Goes on.
    pub const ALWAYS_ON: Self = Self(2);
    /// In a request: change nothing, only say what is supported. In a status: unknown.
    pub const NO_CHANGE: Self = Self(3);
}

/// Policies that the chassis supports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RestorePolicies(pub u8);

impl RestorePolicies {
    /// Is `policy` supported?
    pub fn supports(self, policy: PowerRestorePolicy) -> bool {
        policy.0 < 3 && self.0 & (1 << policy.0) != 0
    }
}

/// Set Power Restore Policy (§28.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetPowerRestorePolicy {
    /// The policy from now on.
    pub policy: PowerRestorePolicy,
}

impl Command for SetPowerRestorePolicy {
    type Reply = RestorePolicies;
    const NETFN: NetFn = NetFn::CHASSIS;
    const CMD: u8 = 0x06;
    const NAME: &'static str = "Set Power Restore Policy";
    const PRIVILEGE: Privilege = Privilege::Operator;
    const EFFECT: Effect = Effect::Idempotent;

    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.policy.0);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            policy: PowerRestorePolicy(r.u8("power restore policy")?),
        })
    }

    fn encode_reply(reply: &Self::Reply, out: &mut Vec<u8>) {
        out.push(reply.0);
    }

    fn decode_reply(&self, r: &mut Reader<'_>) -> Result<Self::Reply, DecodeError> {
        Ok(RestorePolicies(r.u8("power restore policy support")?))
    }
}

/// Set Power Cycle Interval (§28.9): how long a power cycle stays off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetPowerCycleInterval {
    /// Seconds; 0 = no delay.
    pub seconds: u8,
}

impl Command for SetPowerCycleInterval {
    type Reply = ();
    const NETFN: NetFn = NetFn::CHASSIS;
    const CMD: u8 = 0x0b;
    const NAME: &'static str = "Set Power Cycle Interval";
    const PRIVILEGE: Privilege = Privilege::Administrator;
    const EFFECT: Effect = Effect::Idempotent;

    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.seconds);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            seconds: r.u8("power cycle interval")?,
        })
    }

    no_reply_data!();
}
