//! What operations on BMCs come to, counted over the whole process: how many, how long, which errors. Operations and
//! drivers are few and fixed, so this stays small however many BMCs there are.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::error::Kind;
use super::model::DriverName;

/// Upper ends of the classes of times, in seconds: IPMI on the rack's switch takes milliseconds, a slow BMC a minute.
pub const SECONDS: [f64; 13] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0,
];

/// What one operation of one driver came to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tally {
    /// How many took at most [`SECONDS`] and more than the class before.
    pub within: [u64; SECONDS.len()],
    /// All of them.
    pub count: u64,
    /// Their times together.
    pub took: Duration,
    /// Those that failed, by kind.
    pub errors: BTreeMap<&'static str, u64>,
}

static ALL: Mutex<BTreeMap<(&'static str, DriverName), Tally>> = Mutex::new(BTreeMap::new());

/// Counts one operation.
pub fn note(operation: &'static str, driver: DriverName, took: Duration, error: Option<Kind>) {
    let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
    let tally = all.entry((operation, driver)).or_default();
    let seconds = took.as_secs_f64();
    if let Some(class) = SECONDS.iter().position(|end| seconds <= *end)
        && let Some(class) = tally.within.get_mut(class)
    {
        *class += 1;
    }
    tally.count += 1;
    tally.took = tally.took.saturating_add(took);
    if let Some(kind) = error {
        *tally.errors.entry(kind.as_str()).or_default() += 1;
    }
}

/// All of it until now.
pub fn tallies() -> BTreeMap<(&'static str, DriverName), Tally> {
    ALL.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_fall_into_classes_and_errors_are_told_apart() {
        let name = "test.meter";
        for (ms, error) in [
            (3, None),
            (5, None),
            (30_000, Some(Kind::Auth)),
            (90_000, Some(Kind::Timeout)),
        ] {
            note(name, DriverName::Ipmi, Duration::from_millis(ms), error);
        }
        let tally = tallies()
            .remove(&(name, DriverName::Ipmi))
            .unwrap_or_default();
        assert_eq!((tally.within[0], tally.within[11], tally.count), (2, 1, 4));
        assert_eq!(tally.within.iter().sum::<u64>(), 3);
        assert_eq!(tally.took, Duration::from_millis(120_008));
        assert_eq!(tally.errors, BTreeMap::from([("auth", 1), ("timeout", 1)]));
    }
}
