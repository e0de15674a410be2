//! One operation on many BMCs, so many at a time, the results in the order of the targets.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::applets::common::progress::Progress;
use crate::applets::common::results::{Outcome, Results};
use crate::applets::common::targets::Target;
use crate::hal::Result;
use crate::hal::model::order::Order;
use crate::hal::model::{Cancel, Cx};

use super::connect::Door;
use super::operation::{Done, Job, Operation, Wait, Work};
use super::options::Options;

/// Runs `work` on every target. After a cancel nothing new is begun; what runs ends on its own.
pub(super) async fn run(
    options: &Options,
    door: &Door,
    operation: &'static Operation,
    work: Work,
    cancel: Cancel,
) -> Results {
    let mut progress = Progress::new(options.targets.count());
    let mut running: JoinSet<(usize, Outcome)> = JoinSet::new();
    let mut results: Vec<(usize, Outcome)> = Vec::new();
    let mut targets = options.targets.iter().enumerate();
    loop {
        while running.len() < options.fanout && !cancel.is_cancelled() {
            let Some((i, target)) = targets.next() else {
                break;
            };
            let one = One {
                door: door.clone(),
                operation,
                work: Arc::clone(&work),
                target,
                timeout: options.timeout,
                wait: options.wait,
                cancel: cancel.clone(),
            };
            running.spawn(async move { (i, one.outcome().await) });
        }
        match running.join_next().await {
            None => break,
            Some(Ok(result)) => {
                progress.step(result.1.ok);
                results.push(result);
            }
            // A panic of one BMC's task must not hide the others' results; the hook has printed it.
            Some(Err(e)) => log::error!("{} ended unexpectedly: {e}", operation.name),
        }
    }
    progress.clear();
    results.order_by_key(|(i, _)| *i);
    Results {
        results: results.into_iter().map(|(_, outcome)| outcome).collect(),
    }
}

/// The operation on one target.
struct One {
    door: Door,
    operation: &'static Operation,
    work: Work,
    target: Target,
    timeout: Duration,
    wait: Wait,
    cancel: Cancel,
}

impl One {
    async fn outcome(self) -> Outcome {
        let begun = Instant::now();
        let result = self.done(begun).await;
        let took = begun.elapsed();
        let (result, verified, failed) = match result {
            Ok(Done {
                reading,
                verified,
                failed,
            }) => (Ok(reading), verified, failed),
            Err(e) => (Err(e.context(self.target.text.clone())), None, None),
        };
        let mut outcome = Outcome::new(self.target.text.clone(), self.operation.name, result, took);
        outcome.verified = verified;
        if let Some(error) = failed {
            outcome.refuse(&error.context(self.target.text));
        }
        outcome
    }

    async fn done(&self, begun: Instant) -> Result<Done> {
        let mut cx = Cx::until(begun + self.timeout).with_cancel(self.cancel.clone());
        cx.request_id = Arc::from(self.target.text.as_str());
        let bmc = self.door.bmc(&cx, &self.target).await?;
        let job = Job {
            bmc,
            cx,
            wait: self.wait,
        };
        (self.work)(&job).await
    }
}
