//! The watchdog timer (§27).

use std::time::{Duration, Instant};

/// The watchdog timer.
#[derive(Debug, Clone, Copy, Default)]
pub struct Watchdog {
    use_byte: u8,
    actions: u8,
    pre_timeout: u8,
    expired_flags: u8,
    initial: u16,
    ends: Option<Instant>,
    was_set: bool,
}

impl Watchdog {
    /// Set Watchdog Timer: use, actions, pre-timeout, flags to clear, countdown in 100 ms.
    pub fn set(&mut self, now: Instant, data: [u8; 6]) {
        let [use_byte, actions, pre_timeout, clear, low, high] = data;
        // Bit 6: do not stop the timer when it runs.
        let keeps_running = use_byte & 0x40 != 0 && self.ends.is_some();
        self.use_byte = use_byte & 0x87;
        self.actions = actions & 0x77;
        self.pre_timeout = pre_timeout;
        self.expired_flags &= !clear;
        self.initial = u16::from_le_bytes([low, high]);
        self.was_set = true;
        self.ends = keeps_running.then(|| self.end(now));
    }

    /// Reset Watchdog Timer: starts the countdown. False if it was never set.
    pub fn reset(&mut self, now: Instant) -> bool {
        if self.was_set {
            self.ends = Some(self.end(now));
        }
        self.was_set
    }

    fn end(&self, now: Instant) -> Instant {
        now + Duration::from_millis(u64::from(self.initial) * 100)
    }

    /// Has the countdown ended?
    pub fn bites(&self, now: Instant) -> bool {
        self.ends.is_some_and(|end| now >= end)
    }

    /// Timeout action: 0 none, 1 reset, 2 off, 3 cycle.
    pub fn action(&self) -> u8 {
        self.actions & 7
    }

    /// Notes that the countdown has ended.
    pub fn expired(&mut self, _now: Instant) {
        self.ends = None;
        self.expired_flags |= 1u8.checked_shl((self.use_byte & 7).into()).unwrap_or(0);
    }

    /// The data of Get Watchdog Timer.
    pub fn get(&self, now: Instant) -> [u8; 8] {
        let left = self.ends.map_or(self.initial, |end| {
            let left = end.saturating_duration_since(now).as_millis() / 100;
            u16::try_from(left).unwrap_or(u16::MAX)
        });
        let running = if self.ends.is_some() { 0x40 } else { 0 };
        let [i0, i1] = self.initial.to_le_bytes();
        let [l0, l1] = left.to_le_bytes();
        [
            self.use_byte | running,
            self.actions,
            self.pre_timeout,
            self.expired_flags,
            i0,
            i1,
            l0,
            l1,
        ]
    }
}
