//! Round-trip times, and the datagram that is on its way with the time at which it is sent again.

use std::time::{Duration, Instant};

use super::config::{Entropy, Timers, random};

/// Smoothed round-trip time (RFC 6298 without the variance: BMCs are slow, not jittery).
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Rtt(Option<Duration>);

impl Rtt {
    /// Takes a measurement; only of datagrams that were sent once.
    pub fn sample(&mut self, measured: Duration) {
        self.0 = Some(match self.0 {
            Some(smooth) => (smooth * 7 + measured) / 8,
            None => measured,
        });
    }

    /// How long to wait for the first answer.
    pub fn first_wait(&self, timers: &Timers) -> Duration {
        match self.0 {
            Some(smooth) => (smooth * 4).max(timers.min).min(timers.max),
            None => timers.initial.min(timers.max),
        }
    }
}

/// A datagram on its way.
#[derive(Debug)]
pub(super) struct Transmission {
    datagram: Vec<u8>,
    first_sent: Instant,
    wait: Duration,
    /// When to do something if no answer has come.
    pub due: Instant,
    /// How often something was sent for this answer.
    pub sends: u32,
}

impl Transmission {
    /// The first transmission is now; the caller sends it.
    pub fn new(now: Instant, datagram: Vec<u8>, wait: Duration) -> Self {
        Self {
            datagram,
            first_sent: now,
            wait,
            due: now + wait,
            sends: 1,
        }
    }

    /// Sends the same bytes again, and waits longer.
    pub fn again(&mut self, now: Instant, timers: &Timers, entropy: &mut dyn Entropy) -> Vec<u8> {
        self.back_off(now, timers, entropy);
        self.datagram.clone()
    }

    /// Sends other bytes for the same answer, and waits longer.
    pub fn replace(
        &mut self,
        now: Instant,
        datagram: Vec<u8>,
        timers: &Timers,
        entropy: &mut dyn Entropy,
    ) -> Vec<u8> {
        self.datagram = datagram;
        self.again(now, timers, entropy)
    }

    fn back_off(&mut self, now: Instant, timers: &Timers, entropy: &mut dyn Entropy) {
        let [jitter] = random::<1>(entropy);
        let factor = 384 + u32::from(jitter) / 2;
        self.wait = (self.wait * factor / 256).min(timers.max);
        self.due = now + self.wait;
        self.sends += 1;
    }

    /// The present wait: what a restart after silence goes on with.
    pub fn wait(&self) -> Duration {
        self.wait
    }

    /// The round trip if the answer comes now; not measurable once something was sent again (Karn).
    pub fn round_trip(&self, now: Instant) -> Option<Duration> {
        (self.sends == 1).then(|| now.saturating_duration_since(self.first_sent))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(u8);
    impl Entropy for Fixed {
        fn fill(&mut self, out: &mut [u8]) {
            out.fill(self.0);
        }
    }

    #[test]
    fn first_wait_follows_the_round_trip() {
        let timers = Timers::default();
        let ms = Duration::from_millis;
        let mut rtt = Rtt::default();
        assert_eq!(rtt.first_wait(&timers), ms(500));
        rtt.sample(ms(1));
        assert_eq!(rtt.first_wait(&timers), ms(250));
        rtt = Rtt::default();
        rtt.sample(ms(400));
        assert_eq!(rtt.first_wait(&timers), ms(1600));
        rtt.sample(ms(1200));
        assert_eq!(rtt.first_wait(&timers), ms(2000));
        rtt.sample(ms(60_000));
        assert_eq!(rtt.first_wait(&timers), ms(4000));
    }

    #[test]
    fn waits_grow_by_half_to_double_up_to_the_cap() {
        let timers = Timers::default();
        for jitter in [0u8, 255] {
            let start = Instant::now();
            let mut tx = Transmission::new(start, vec![1], Duration::from_millis(500));
            let mut before = tx.wait();
            for n in 2..12 {
                let now = tx.due;
                assert_eq!(tx.again(now, &timers, &mut Fixed(jitter)), [1]);
                assert_eq!(tx.sends, n);
                assert!(tx.wait() >= (before * 3 / 2).min(timers.max));
                assert!(tx.wait() <= (before * 2).min(timers.max));
                assert_eq!(tx.due, now + tx.wait());
                before = tx.wait();
            }
            assert_eq!(before, timers.max);
            assert_eq!(tx.round_trip(start), None);
        }
    }
}
