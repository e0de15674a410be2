//! How much one caller may ask: so many calls per second, so many streams at a time. What is above is refused before
//! anything is done, with the time after which it may come again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tonic::Status;

use super::Server;
use super::peer::Caller;
use crate::api::crowd::{Seat, Seats};
use crate::api::fault::exhausted;

/// Seconds of calls that a caller who was quiet may ask at once.
const BURST: f64 = 5.0;
/// Callers that are remembered; those who could ask everything again are forgotten first.
const CALLERS: usize = 4096;
/// Streams of one caller, and of all.
const STREAMS: (usize, usize) = (256, 2048);

/// Calls per second of one caller, where nothing else is said.
pub const USUAL: u32 = 1000;

/// What each caller has left.
#[derive(Debug)]
pub struct Limits {
    /// Calls per second; 0 = as many as they like.
    rate: f64,
    buckets: Mutex<HashMap<String, Bucket>>,
    streams: Arc<Seats<String>>,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    left: f64,
    at: Instant,
}

impl Limits {
    /// `rate` calls per second for each caller; 0 = no limit.
    pub fn new(rate: u32) -> Self {
        Self {
            rate: rate.into(),
            buckets: Mutex::default(),
            streams: Seats::new(STREAMS.0, STREAMS.1),
        }
    }

    /// One call more; refused with the time that it has to wait.
    fn call(&self, caller: &str, now: Instant) -> Result<(), Duration> {
        if self.rate <= 0.0 {
            return Ok(());
        }
        let most = self.rate * BURST;
        let full = |bucket: &Bucket| {
            let gained = now.saturating_duration_since(bucket.at).as_secs_f64() * self.rate;
            (bucket.left + gained).min(most)
        };
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= CALLERS && !buckets.contains_key(caller) {
            buckets.retain(|_, b| full(b) < most);
        }
        let left = buckets.get(caller).map_or(most, full);
        let (left, answer) = if left >= 1.0 {
            (left - 1.0, Ok(()))
        } else {
            let wait = Duration::from_secs_f64((1.0 - left) / self.rate);
            (left, Err(wait))
        };
        buckets.insert(caller.to_owned(), Bucket { left, at: now });
        answer
    }
}

impl Server {
    /// Counts a call of a caller.
    pub(super) fn count(&self, caller: &str) -> Result<(), Status> {
        self.limits.call(caller, Instant::now()).map_err(|pause| {
            log::info!("{caller}: too many calls");
            exhausted(format!("too many calls from {caller}"), pause)
        })
    }

    /// A place for a stream, as long as it lasts.
    pub(super) fn stream(&self, caller: &Caller) -> Result<Seat<String>, Status> {
        self.limits
            .streams
            .take(caller.name.clone())
            .ok_or_else(|| {
                let words = format!(
                    "too many streams; {} has {} at most",
                    caller.name, STREAMS.0
                );
                exhausted(words, Duration::from_secs(5))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_too_much_waits_and_others_do_not() {
        let limits = Limits::new(10);
        let now = Instant::now();
        for _ in 0..50 {
            assert_eq!(limits.call("a", now), Ok(()));
        }
        let wait = limits.call("a", now).unwrap_err();
        assert!(wait > Duration::ZERO && wait <= Duration::from_millis(100));
        assert_eq!(limits.call("b", now), Ok(()));
        assert_eq!(limits.call("a", now + wait), Ok(()));
        assert!(limits.call("a", now + wait).is_err());
        assert_eq!(limits.call("a", now + Duration::from_mins(1)), Ok(()));
        assert!((0..10_000).all(|_| Limits::new(0).call("a", now).is_ok()));
    }
}
