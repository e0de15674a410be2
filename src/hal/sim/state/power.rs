//! Power of the host, with the time it takes.

use std::time::Instant;

use crate::hal::ipmi::cmd::CompletionCode;
use crate::hal::sim::profile::PowerTiming;

/// A change that is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The host is off from then on.
    Off,
    /// The host starts.
    On,
}

/// Power of the host.
#[derive(Debug, Clone)]
pub struct Power {
    /// Is it on?
    pub on: bool,
    /// Power restore policy: 0 stay off, 1 as before, 2 always on.
    pub policy: u8,
    /// Why it last started (§28.11).
    pub restart_cause: u8,
    /// Last power event (Get Chassis Status, byte 2).
    pub last_event: u8,
    /// Starts of the host since the simulator runs.
    pub starts: u32,
    /// Power actions that were carried out since the simulator runs.
    pub actions: u64,
    /// Diagnostic interrupts since the simulator runs.
    pub interrupts: u32,
    /// Front panel buttons that are disabled (bits as in Set Front Panel Button Enables).
    pub buttons_disabled: u8,
    /// Power cycle interval in seconds.
    pub interval: u8,
    pending: Vec<(Instant, Step)>,
    on_since: Instant,
    /// Its last start or reset.
    pub last_start: Instant,
    minutes: u64,
}

impl Power {
    /// On since `now`, with some hours on the counter.
    pub fn new(now: Instant) -> Self {
        Self {
            on: true,
            policy: 2,
            restart_cause: 1,
            last_event: 0,
            starts: 0,
            actions: 0,
            interrupts: 0,
            buttons_disabled: 0,
            interval: 0,
            pending: Vec::new(),
            on_since: now,
            last_start: now,
            minutes: 123_456,
        }
    }

    /// Switches at once, without any delay.
    pub fn set(&mut self, on: bool, now: Instant) {
        self.pending.clear();
        self.apply(now, if on { Step::On } else { Step::Off });
    }

    /// Is a change on its way?
    pub fn is_changing(&self) -> bool {
        !self.pending.is_empty()
    }

    /// The change that comes next.
    pub fn next_step(&self) -> Option<Step> {
        self.pending.first().map(|(_, step)| *step)
    }

    /// Will the host be on when all that is under way has arrived?
    pub fn goal(&self) -> bool {
        self.pending.last().map_or(self.on, |(_, s)| *s == Step::On)
    }

    /// Shuts the host down and starts it again.
    pub fn graceful_restart(&mut self, now: Instant, timing: &PowerTiming) {
        self.restart_cause = 1;
        self.actions += 1;
        let down = now + timing.soft;
        self.plan(&[(down, Step::Off), (down + timing.gap, Step::On)]);
    }

    /// Minutes that the host has been on in its life.
    pub fn minutes(&self, now: Instant) -> u64 {
        let running = if self.on {
            now.saturating_duration_since(self.on_since).as_secs() / 60
        } else {
            0
        };
        self.minutes + running
    }

    /// Takes the next change that has arrived by `now`.
    pub fn settle(&mut self, now: Instant) -> Option<Step> {
        let (at, step) = *self.pending.first()?;
        if now < at {
            return None;
        }
        self.pending.remove(0);
        self.apply(at, step);
        Some(step)
    }

    fn apply(&mut self, at: Instant, step: Step) {
        match step {
            Step::On => {
                if !self.on {
                    self.on_since = at;
                }
                self.on = true;
                self.last_start = at;
                self.starts += 1;
                self.last_event = 0x10;
            }
            Step::Off => {
                self.minutes = self.minutes(at);
                self.on = false;
                self.last_event = 0;
            }
        }
    }

    /// Chassis Control (§28.3).
    pub fn control(
        &mut self,
        now: Instant,
        action: u8,
        timing: &PowerTiming,
    ) -> Result<(), CompletionCode> {
        let goal = self.goal();
        let off_only = || Err(CompletionCode::NOT_IN_PRESENT_STATE);
        match action {
            0x00 => self.plan(&[(now + timing.off, Step::Off)]),
            0x01 if goal => {}
            0x01 => {
                self.restart_cause = 1;
                self.plan(&[(now + timing.on, Step::On)]);
            }
            0x02..=0x05 if !goal => return off_only(),
            0x02 => {
                self.restart_cause = 1;
                let down = now + timing.off;
                self.plan(&[(down, Step::Off), (down + timing.gap, Step::On)]);
            }
            0x03 => {
                self.restart_cause = 1;
                self.plan(&[(now, Step::On)]);
            }
            0x04 => self.interrupts += 1,
            0x05 => self.plan(&[(now + timing.soft, Step::Off)]),
            _ => return Err(CompletionCode::INVALID_FIELD),
        }
        self.actions += 1;
        Ok(())
    }

    /// The watchdog ran out: 1 reset, 2 off, 3 cycle.
    pub fn watchdog(&mut self, now: Instant, action: u8, timing: &PowerTiming) {
        let control = match action {
            1 => 3,
            2 => 0,
            3 => 2,
            _ => return,
        };
        // Nothing to do when the host is off.
        if self.control(now, control, timing).is_ok() {
            self.restart_cause = 4;
        }
    }

    fn plan(&mut self, steps: &[(Instant, Step)]) {
        self.pending.clear();
        self.pending.extend_from_slice(steps);
    }
}
