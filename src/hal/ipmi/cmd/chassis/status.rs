//! What the chassis is and how it is: capabilities, status, restart cause, power-on hours.

use super::PowerRestorePolicy;
use crate::hal::ipmi::cmd::{Command, Effect, NetFn, Privilege};
use crate::hal::ipmi::codec::{DecodeError, Reader};

/// Get Chassis Capabilities (§28.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetChassisCapabilities;

/// What the chassis has, and which controllers (8-bit slave addresses) look after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChassisCapabilities {
    /// Bit 3 power interlock, 2 diagnostic interrupt, 1 front panel lockout, 0 intrusion sensor.
    pub flags: u8,
    /// Chassis FRU info device.
    pub fru: u8,
    /// Chassis SDR device.
    pub sdr: u8,
    /// Chassis SEL device.
    pub sel: u8,
    /// Chassis system management device.
    pub management: u8,
    /// Chassis bridge device; `None` = not sent, which means 0x20.
    pub bridge: Option<u8>,
}

impl Command for GetChassisCapabilities {
    type Reply = ChassisCapabilities;
    const NETFN: NetFn = NetFn::CHASSIS;
    const CMD: u8 = 0x00;
    const NAME: &'static str = "Get Chassis Capabilities";
    const PRIVILEGE: Privilege = Privilege::User;
    const EFFECT: Effect = Effect::Read;

    no_request_data!();

    fn encode_reply(reply: &Self::Reply, out: &mut Vec<u8>) {
        out.extend([
            reply.flags,
            reply.fru,
            reply.sdr,
            reply.sel,
            reply.management,
        ]);
        out.extend(reply.bridge);
    }

    fn decode_reply(&self, r: &mut Reader<'_>) -> Result<Self::Reply, DecodeError> {
        Ok(ChassisCapabilities {
            flags: r.u8("chassis capabilities flags")?,
            fru: r.u8("chassis FRU info device address")?,
            sdr: r.u8("chassis SDR device address")?,
            sel: r.u8("chassis SEL device address")?,
            management: r.u8("chassis system management device address")?,
            bridge: r.opt_u8(),
        })
    }
}

/// Get Chassis Status (§28.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetChassisStatus;

/// The bytes of Get Chassis Status; the constants name their bits, the methods the values of several bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ChassisStatus {
    /// Current power state.
    pub power: u8,
    /// Last power event.
    pub last_event: u8,
    /// Miscellaneous chassis state.
    pub misc: u8,
    /// Front panel button capabilities and state (bits 7-4 may be disabled, 3-0 are disabled: standby,
    /// diagnostic interrupt, reset, power off); optional.
    pub buttons: Option<u8>,
}

impl ChassisStatus {
    /// `power`: the host is on.
    pub const POWER_ON: u8 = 0x01;
    /// `power`: shut down because of overload.
    pub const OVERLOAD: u8 = 0x02;
    /// `power`: shut down because an interlock switch is open.
    pub const INTERLOCK: u8 = 0x04;
    /// `power`: a fault of the main power subsystem.
    pub const POWER_FAULT: u8 = 0x08;
    /// `power`: turning on or off did not lead to that state.
    pub const CONTROL_FAULT: u8 = 0x10;
    /// `last_event`: AC failed.
    pub const EVENT_AC_FAILED: u8 = 0x01;
    /// `last_event`: down by overload.
    pub const EVENT_OVERLOAD: u8 = 0x02;
    /// `last_event`: down by the interlock.
    pub const EVENT_INTERLOCK: u8 = 0x04;
    /// `last_event`: down by a power fault.
    pub const EVENT_FAULT: u8 = 0x08;
    /// `last_event`: switched on by an IPMI command.
    pub const EVENT_ON_BY_COMMAND: u8 = 0x10;
    /// `misc`: the chassis is open.
    pub const INTRUSION: u8 = 0x01;
    /// `misc`: the front panel is locked.
    pub const FRONT_PANEL_LOCKOUT: u8 = 0x02;
    /// `misc`: a drive failed.
    pub const DRIVE_FAULT: u8 = 0x04;
    /// `misc`: cooling failed.
    pub const COOLING_FAULT: u8 = 0x08;
    /// `misc`: the identify state in bits 5-4 is valid.
    pub const IDENTIFY_SUPPORTED: u8 = 0x40;

    /// Is the host on?
    pub fn is_on(self) -> bool {
        self.power & Self::POWER_ON != 0
    }

    /// What happens when AC comes back; as a value of 3 it is not known.
    pub fn restore_policy(self) -> PowerRestorePolicy {
        PowerRestorePolicy((self.power >> 5) & 0x03)
    }

    /// State of the identify LED; `None` where the BMC does not say.
    pub fn identify(self) -> Option<IdentifyState> {
        (self.misc & Self::IDENTIFY_SUPPORTED != 0).then_some(match (self.misc >> 4) & 0x03 {
            0 => IdentifyState::Off,
            1 => IdentifyState::Timed,
            2 => IdentifyState::Indefinite,
            _ => IdentifyState::Reserved,
        })
    }
}

/// State of the identify LED.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdentifyState {
    /// Dark.
    Off,
    /// Lit for the interval of Chassis Identify.
    Timed,
    /// Lit until switched off.
    Indefinite,
    /// The value that the specification does not use.
    Reserved,
}

impl Command for GetChassisStatus {
    type Reply = ChassisStatus;
    const NETFN: NetFn = NetFn::CHASSIS;
    const CMD: u8 = 0x01;
    const NAME: &'static str = "Get Chassis Status";
    const PRIVILEGE: Privilege = Privilege::User;
    const EFFECT: Effect = Effect::Read;

    no_request_data!();

    fn encode_reply(reply: &Self::Reply, out: &mut Vec<u8>) {
        out.extend([reply.power, reply.last_event, reply.misc]);
        out.extend(reply.buttons);
    }

    fn decode_reply(&self, r: &mut Reader<'_>) -> Result<Self::Reply, DecodeError> {
        Ok(ChassisStatus {
            power: r.u8("current power state")?,
            last_event: r.u8("last power event")?,
            misc: r.u8("misc chassis state")?,
            buttons: r.opt_u8(),
        })
    }
}

/// Get System Restart Cause (§28.11).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetSystemRestartCause;

/// Why the host started last, in the low four bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RestartCause(pub u8);

impl RestartCause {
    /// The specification's words.
    pub fn text(self) -> &'static str {
        match self.0 & 0x0f {
            0x0 => "unknown",
            0x1 => "Chassis Control command",
            0x2 => "reset by pushbutton",
            0x3 => "power-up by power pushbutton",
            0x4 => "watchdog expiration",
            0x5 => "OEM",
            0x6 => "automatic power-up on AC: always restore",
            0x7 => "automatic power-up on AC: restore previous state",
            0x8 => "reset by PEF",
            0x9 => "power cycle by PEF",
            0xa => "soft reset",
            0xb => "power-up by RTC",
            _ => "reserved",
        }
    }
}

/// Cause and channel of the last restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SystemRestartCause {
    /// Why.
    pub cause: RestartCause,
    /// Channel on which the command came; 0 where the BMC leaves it out.
    pub channel: u8,
}

impl Command for GetSystemRestartCause {
    type Reply = SystemRestartCause;
    const NETFN: NetFn = NetFn::CHASSIS;
    const CMD: u8 = 0x07;
    const NAME: &'static str = "Get System Restart Cause";
    const PRIVILEGE: Privilege = Privilege::User;
    const EFFECT: Effect = Effect::Read;

    no_request_data!();

    fn encode_reply(reply: &Self::Reply, out: &mut Vec<u8>) {
        out.extend([reply.cause.0, reply.channel]);
    }

    fn decode_reply(&self, r: &mut Reader<'_>) -> Result<Self::Reply, DecodeError> {
        Ok(SystemRestartCause {
            cause: RestartCause(r.u8("restart cause")?),
            channel: r.opt_u8().unwrap_or(0),
        })
    }
}

/// Get POH Counter (§28.14): how long the host has been on in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetPohCounter;

/// Power-on time as counter and unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PohCounter {
    /// Minutes of one count.
    pub minutes_per_count: u8,
    /// Counts.
    pub count: u32,
}

impl PohCounter {
    /// Power-on time in minutes.
    pub fn minutes(self) -> u64 {
        u64::from(self.minutes_per_count) * u64::from(self.count)
    }
}

impl Command for GetPohCounter {
    type Reply = PohCounter;
    const NETFN: NetFn = NetFn::CHASSIS;
    const CMD: u8 = 0x0f;
    const NAME: &'static str = "Get POH Counter";
    const PRIVILEGE: Privilege = Privilege::User;
    const EFFECT: Effect = Effect::Read;

    no_request_data!();

    fn encode_reply(reply: &Self::Reply, out: &mut Vec<u8>) {
        out.push(reply.minutes_per_count);
        out.extend(reply.count.to_le_bytes());
    }

    fn decode_reply(&self, r: &mut Reader<'_>) -> Result<Self::Reply, DecodeError> {
        Ok(PohCounter {
            minutes_per_count: r.u8("minutes per count")?,
            count: r.u32("counter reading")?,
        })
    }
}
