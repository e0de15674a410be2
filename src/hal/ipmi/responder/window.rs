//! Session sequence numbers: what is new, what came before (§6.12.13).

/// What a sequence number is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Not seen before.
    New,
    /// Seen before.
    Seen,
    /// Too old or too far ahead.
    Outside,
}

/// A sliding window over the highest number seen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    highest: u32,
    /// Bit i: `highest - i` was seen.
    seen: u32,
    ahead: u32,
    behind: u32,
}

impl Window {
    /// RMCP+: 15 ahead, 16 behind; the first number is 1.
    pub(super) fn v20() -> Self {
        Self {
            highest: 0,
            seen: 1,
            ahead: 15,
            behind: 16,
        }
    }

    /// IPMI 1.5: eight each way; `first` is the first number.
    pub(super) fn v15(first: u32) -> Self {
        Self {
            highest: first.wrapping_sub(1),
            seen: 1,
            ahead: 8,
            behind: 8,
        }
    }

    /// Says what `number` is and remembers it.
    pub(super) fn take(&mut self, number: u32) -> Verdict {
        let ahead = number.wrapping_sub(self.highest);
        let behind = self.highest.wrapping_sub(number);
        if ahead != 0 && ahead <= self.ahead {
            self.highest = number;
            self.seen = self.seen.checked_shl(ahead).unwrap_or(0) | 1;
            Verdict::New
        } else if behind <= self.behind {
            let bit = 1u32.checked_shl(behind).unwrap_or(0);
            if self.seen & bit == 0 {
                self.seen |= bit;
                Verdict::New
            } else {
                Verdict::Seen
            }
        } else {
            Verdict::Outside
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_seen_outside_and_wrap() {
        let mut w = Window::v20();
        assert_eq!(w.take(0), Verdict::Seen);
        assert_eq!(w.take(3), Verdict::New);
        assert_eq!(w.take(1), Verdict::New);
        assert_eq!(w.take(1), Verdict::Seen);
        assert_eq!(w.take(19), Verdict::Outside);
        assert_eq!(w.take(18), Verdict::New);
        assert_eq!(w.take(1), Verdict::Outside);
        assert_eq!(w.take(2), Verdict::New);

        let mut w = Window::v15(u32::MAX);
        assert_eq!(w.take(u32::MAX), Verdict::New);
        assert_eq!(w.take(1), Verdict::New);
        assert_eq!(w.take(u32::MAX), Verdict::Seen);
        assert_eq!(w.take(10), Verdict::Outside);
    }
}
