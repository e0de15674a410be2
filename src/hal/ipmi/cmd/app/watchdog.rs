//! The watchdog timer (§27): restarts a host that does not report.

use crate::hal::ipmi::cmd::{Command, Effect, NetFn, Privilege};
use crate::hal::ipmi::codec::{DecodeError, Reader};

/// What the timer is for and what it does when it runs out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WatchdogTimer {
    /// Does not write to the SEL.
    pub no_log: bool,
    /// Set: the timer goes on while it is set. Get: it runs. Some BMCs of Sun never clear it.
    pub running: bool,
    /// 1 BIOS FRB2, 2 BIOS POST, 3 OS load, 4 SMS/OS, 5 OEM; three bits.
    pub usage: u8,
    /// Before it runs out: 0 nothing, 1 SMI, 2 NMI, 3 messaging interrupt; three bits.
    pub pre_action: u8,
    /// When it runs out: 0 nothing, 1 hard reset, 2 power down, 3 power cycle; three bits.
    pub action: u8,
    /// Seconds between `pre_action` and `action`.
    pub pre_interval: u8,
    /// Bit n = the timer ran out with usage n. Set: clears those that are 1.
    pub expired: u8,
    /// Countdown that it starts with, in steps of 100 ms.
    pub countdown: u16,
}

impl WatchdogTimer {
    fn encode(self, out: &mut Vec<u8>) {
        out.push(u8::from(self.no_log) << 7 | u8::from(self.running) << 6 | self.usage & 0x07);
        out.push((self.pre_action & 0x07) << 4 | self.action & 0x07);
        out.extend([self.pre_interval, self.expired]);
        out.extend(self.countdown.to_le_bytes());
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let usage = r.u8("timer use")?;
        let actions = r.u8("timer actions")?;
        Ok(Self {
            no_log: usage & 0x80 != 0,
            running: usage & 0x40 != 0,
            usage: usage & 0x07,
            pre_action: actions >> 4 & 0x07,
            action: actions & 0x07,
            pre_interval: r.u8("pre-timeout interval")?,
            expired: r.u8("timer use expiration flags")?,
            countdown: r.u16("initial countdown value")?,
        })
    }
}

/// Reset Watchdog Timer (§27.5): starts it anew. Completion code 0x80: it was never set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResetWatchdogTimer;

impl Command for ResetWatchdogTimer {
    type Reply = ();
    const NETFN: NetFn = NetFn::APP;
    const CMD: u8 = 0x22;
    const NAME: &'static str = "Reset Watchdog Timer";
    const PRIVILEGE: Privilege = Privilege::Operator;
    const EFFECT: Effect = Effect::Idempotent;

    no_request_data!();

    no_reply_data!();
}

/// Set Watchdog Timer (§27.6). Stops a running timer unless `running` is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetWatchdogTimer {
    /// The settings.
    pub timer: WatchdogTimer,
}

impl Command for SetWatchdogTimer {
    type Reply = ();
    const NETFN: NetFn = NetFn::APP;
    const CMD: u8 = 0x24;
    const NAME: &'static str = "Set Watchdog Timer";
    const PRIVILEGE: Privilege = Privilege::Operator;
    const EFFECT: Effect = Effect::Idempotent;

    fn encode(&self, out: &mut Vec<u8>) {
        self.timer.encode(out);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            timer: WatchdogTimer::decode(r)?,
        })
    }

    no_reply_data!();
}

/// Get Watchdog Timer (§27.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetWatchdogTimer;

/// The timer and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WatchdogState {
    /// The settings.
    pub timer: WatchdogTimer,
    /// Countdown now, in steps of 100 ms.
    pub present: u16,
}

impl Command for GetWatchdogTimer {
    type Reply = WatchdogState;
    const NETFN: NetFn = NetFn::APP;
    const CMD: u8 = 0x25;
    const NAME: &'static str = "Get Watchdog Timer";
    const PRIVILEGE: Privilege = Privilege::User;
    const EFFECT: Effect = Effect::Read;

    no_request_data!();

    fn encode_reply(reply: &Self::Reply, out: &mut Vec<u8>) {
        reply.timer.encode(out);
        out.extend(reply.present.to_le_bytes());
    }

    fn decode_reply(&self, r: &mut Reader<'_>) -> Result<Self::Reply, DecodeError> {
        Ok(WatchdogState {
            timer: WatchdogTimer::decode(r)?,
            present: r.u16("present countdown value")?,
        })
    }
}
