//! Many addresses: bounded in flight, in any order of completion.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::{Detector, Findings, Subject};
use crate::hal::model::Cancel;

/// Asks all `subjects`, at most `fanout` at a time. `done` is called with the number of the subject as each finishes.
/// Ends early when cancelled.
pub async fn sweep(
    detector: &Arc<Detector>,
    subjects: impl Iterator<Item = Subject>,
    fanout: usize,
    cancel: &Cancel,
    mut done: impl FnMut(usize, Findings),
) {
    let mut running: JoinSet<(usize, Findings)> = JoinSet::new();
    let mut waiting = subjects.enumerate();
    loop {
        while running.len() < fanout.max(1)
            && let Some((number, subject)) = waiting.next()
        {
            let detector = Arc::clone(detector);
            running.spawn(async move { (number, detector.detect(&subject).await) });
        }
        tokio::select! {
            finished = running.join_next() => match finished {
                None => return,
                Some(Ok((number, found))) => done(number, found),
                // A panic ends one address only.
                Some(Err(e)) => log::error!("a detection failed: {e}"),
            },
            () = cancel.cancelled() => return,
        }
    }
}
