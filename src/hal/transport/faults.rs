//! Seeded network faults, for tests and the simulator: what happens to a datagram on its way.

use std::time::Duration;

use fastrand::Rng;

/// Probabilities (0..=1) and the delay of a bad network.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Faults {
    /// A datagram is lost.
    pub loss: f64,
    /// A datagram arrives twice.
    pub duplicate: f64,
    /// A datagram is overtaken by later ones (it is held back by `reorder_by`).
    pub reorder: f64,
    /// How long an overtaken datagram is held back.
    pub reorder_by: Duration,
    /// One bit of a datagram flips.
    pub corrupt: f64,
    /// Every datagram takes this long.
    pub delay: Duration,
}

impl Faults {
    /// Nothing happens to any datagram.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// Decides the fate of datagrams; the same seed gives the same fates.
#[derive(Debug, Clone)]
pub struct FaultInjector {
    faults: Faults,
    rng: Rng,
}

/// Copies of one datagram that arrive, each with its delay. Empty = lost.
pub type Fate = Vec<(Duration, Vec<u8>)>;

impl FaultInjector {
    /// An injector of these faults.
    pub fn new(faults: Faults, seed: u64) -> Self {
        Self {
            faults,
            rng: Rng::with_seed(seed),
        }
    }

    /// What arrives of `datagram`, and when.
    pub fn fate(&mut self, datagram: &[u8]) -> Fate {
        if self.hit(self.faults.loss) {
            return Fate::new();
        }
        let copies = if self.hit(self.faults.duplicate) {
            2
        } else {
            1
        };
        (0..copies).map(|_| self.one(datagram)).collect()
    }

    fn one(&mut self, datagram: &[u8]) -> (Duration, Vec<u8>) {
        let mut bytes = datagram.to_vec();
        if self.hit(self.faults.corrupt) && !bytes.is_empty() {
            let at = self.rng.usize(..bytes.len());
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << self.rng.u8(..8);
            }
        }
        let late = if self.hit(self.faults.reorder) {
            self.faults.reorder_by
        } else {
            Duration::ZERO
        };
        (self.faults.delay + late, bytes)
    }

    fn hit(&mut self, probability: f64) -> bool {
        probability > 0.0 && self.rng.f64() < probability
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeded_and_about_as_often_as_asked() {
        let faults = Faults {
            loss: 0.3,
            duplicate: 0.3,
            ..Faults::default()
        };
        let run = |seed| {
            let mut injector = FaultInjector::new(faults, seed);
            (0..1000)
                .map(|_| injector.fate(&[1, 2, 3]).len())
                .collect::<Vec<_>>()
        };
        assert_eq!(run(1), run(1));
        assert_ne!(run(1), run(2));
        let lost = run(1).iter().filter(|n| **n == 0).count();
        let doubled = run(1).iter().filter(|n| **n == 2).count();
        assert!((250..350).contains(&lost), "{lost} lost");
        assert!((160..260).contains(&doubled), "{doubled} doubled");
    }

    #[test]
    fn corruption_flips_one_bit() {
        let mut injector = FaultInjector::new(
            Faults {
                corrupt: 1.0,
                ..Faults::default()
            },
            7,
        );
        let fate = injector.fate(&[0; 16]);
        let ones: u32 = fate[0].1.iter().map(|b| b.count_ones()).sum();
        assert_eq!(ones, 1);
    }
}
