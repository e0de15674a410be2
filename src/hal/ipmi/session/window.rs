//! The receive window of session sequence numbers: nothing is taken twice (§6.12.13, §6.12.14).

/// Which sequence numbers are still acceptable.
#[derive(Debug, Clone)]
pub(super) struct Window {
    highest: u32,
    /// Bit n: `highest - n` was seen.
    seen: u32,
    ahead: u32,
    behind: u32,
}

impl Window {
    /// RMCP+: 15 ahead, 16 behind; the first number is 1.
    pub fn v20() -> Self {
        Self {
            highest: 0,
            // 0 is never valid, and nothing before it either.
            seen: u32::MAX,
            ahead: 15,
            behind: 16,
        }
    }

    /// IPMI 1.5: 8 either way; the first number is `initial`.
    pub fn v15(initial: u32) -> Self {
        Self {
            highest: initial.wrapping_sub(1),
            seen: u32::MAX,
            ahead: 8,
            behind: 8,
        }
    }

    /// Is the number inside and new?
    pub fn fits(&self, sequence: u32) -> bool {
        let forward = sequence.wrapping_sub(self.highest);
        let back = self.highest.wrapping_sub(sequence);
        if (1..=self.ahead).contains(&forward) {
            true
        } else if back <= self.behind {
            self.seen & (1u32 << back) == 0
        } else {
            false
        }
    }

    /// Takes the number, if it fits.
    pub fn accept(&mut self, sequence: u32) -> bool {
        if !self.fits(sequence) {
            return false;
        }
        let forward = sequence.wrapping_sub(self.highest);
        if forward <= self.ahead {
            self.seen = (self.seen << forward) | 1;
            self.highest = sequence;
        } else {
            self.seen |= 1u32 << self.highest.wrapping_sub(sequence);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_is_taken_once_within_15_ahead_and_16_behind() {
        let mut w = Window::v20();
        assert!(!w.accept(0));
        assert!(!w.accept(16));
        assert!(w.accept(15));
        assert!(!w.accept(15));
        assert!(w.accept(1), "14 behind and not seen");
        assert!(!w.accept(1));
        assert!(w.accept(30));
        assert!(w.accept(14), "16 behind");
        assert!(!w.accept(13), "17 behind");
        assert!(!w.accept(46));
        assert!(w.accept(45));
    }

    #[test]
    fn gaps_of_asrock_mt_c224_are_no_replay() {
        let mut w = Window::v20();
        for sequence in (1..2000).step_by(2) {
            assert!(w.accept(sequence));
        }
    }

    #[test]
    fn window_of_ipmi_15_wraps() {
        let mut w = Window::v15(u32::MAX);
        assert!(!w.fits(u32::MAX - 1));
        assert!(w.accept(u32::MAX));
        assert!(w.accept(0));
        assert!(!w.accept(u32::MAX));
        assert!(!w.fits(9));
        assert!(w.fits(8));
    }

    proptest::proptest! {
        /// Against the obvious model: a set of what was taken, and the highest number.
        #[test]
        fn agrees_with_a_set(numbers in proptest::collection::vec(1u32..80, 0..200)) {
            let mut w = Window::v20();
            let mut taken = std::collections::BTreeSet::new();
            let mut highest = 0u32;
            for n in numbers {
                let expect = n <= highest + 15 && n + 16 >= highest && !taken.contains(&n);
                proptest::prop_assert_eq!(w.accept(n), expect);
                if expect {
                    taken.insert(n);
                    highest = highest.max(n);
                }
            }
        }
    }
}
