//! Keeps rows up to date: which are due, and in which lane they are asked.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use crate::hal::meter;
use crate::hal::model::{BoxFuture, DriverName};
use crate::hal::{Error, Kind};
use crate::inventory::record::Record;

use super::run::Discovery;
use super::{aside, now, refresh};

/// BMCs that are refreshed at the same time.
const QUICK: usize = 256;

/// BMCs that take long, at the same time. They only wait, and cost little.
const SLOW: usize = 2048;

/// A BMC that takes longer goes to the lane of the slow ones.
const LONG: Duration = Duration::from_secs(2);

/// The shortest and the longest time after a refresh that failed.
const BACK_OFF: (Duration, Duration) = (Duration::from_mins(1), Duration::from_mins(30));

/// When a BMC is refreshed next.
#[derive(Debug, Clone, Copy)]
pub(super) struct Due {
    pub(super) at: Instant,
    pub(super) running: bool,
    failures: u32,
    slow: bool,
}

/// The slow and the dead never take the places of the others.
#[derive(Debug)]
pub(super) struct Lanes {
    quick: Semaphore,
    slow: Semaphore,
}

impl Default for Lanes {
    fn default() -> Self {
        Self {
            quick: Semaphore::new(QUICK),
            slow: Semaphore::new(SLOW),
        }
    }
}

impl Lanes {
    /// Runs `work` in its lane; what takes long in the quick one changes over to the other. It is made when its turn has
    /// come: thousands that wait are small.
    async fn run<'a, T>(&self, slow: bool, work: impl FnOnce() -> BoxFuture<'a, T>) -> T {
        if slow {
            let _permit = self.slow.acquire().await;
            return work().await;
        }
        let permit = self.quick.acquire().await;
        let mut work = work();
        if let Ok(done) = tokio::time::timeout(LONG, &mut work).await {
            return done;
        }
        tokio::select! {
            done = &mut work => done,
            _slow = self.slow.acquire() => {
                drop(permit);
                work.await
            }
        }
    }
}

impl Discovery {
    /// Begins the refreshes that are due.
    pub(super) fn refresh_due(self: &Arc<Self>, rows: &[Arc<Record>]) {
        let now = Instant::now();
        let mut begin = Vec::new();
        {
            let mut inner = self.inner();
            for row in rows {
                if !is_wanted(row) && !is_aside(row) {
                    inner.due.remove(&row.mac);
                    continue;
                }
                let due = inner.due.entry(row.mac).or_insert(Due {
                    at: now,
                    running: false,
                    failures: 0,
                    slow: false,
                });
                if !due.running && due.at <= now {
                    due.running = true;
                    begin.push((Arc::clone(row), due.slow));
                }
            }
        }
        for (row, slow) in begin {
            let this = Arc::clone(self);
            tokio::spawn(async move { this.refresh(row, slow).await });
        }
    }

    /// Tries what was put aside. `false`: there is nothing else to log in with.
    async fn look_aside(&self, row: &Arc<Record>) -> bool {
        let now = match self.try_aside(row, false).await {
            Ok(now) => now,
            Err(e) => {
                log::error!("{}", e.chain());
                Arc::clone(row)
            }
        };
        if is_wanted(&now) {
            return true;
        }
        if let Some(due) = self.inner().due.get_mut(&row.mac) {
            (due.running, due.at) = (false, Instant::now() + BACK_OFF.1);
        }
        false
    }

    async fn refresh(&self, due: Arc<Record>, slow: bool) {
        let mac = due.mac;
        if is_aside(&due) && !Box::pin(self.look_aside(&due)).await {
            return;
        }
        let ask = || -> BoxFuture<'_, _> {
            Box::pin(async {
                // It may have changed while it waited for its turn.
                let row = self.store.get(mac).await.ok().flatten().unwrap_or(due);
                let begun = Instant::now();
                let cx = refresh::context(&format!("refresh {mac}"));
                let asked = async {
                    let bmc = self.doors.open(&row, &cx).await?;
                    refresh::ask(&bmc, &cx).await
                };
                let result = asked.await;
                (row, result, begun.elapsed())
            })
        };
        let (row, result, took) = self.lanes.run(slow, ask).await;
        let failed = result.as_ref().err().map(Error::kind);
        let driver = row.driver().unwrap_or(DriverName::Unmanaged);
        meter::note("refresh", driver, took, failed);
        let slow = took > LONG || matches!(failed, Some(Kind::Unreachable | Kind::Timeout));
        let (used, at) = (Arc::clone(&row), now());
        let written = self
            .change(mac, move |row| match result {
                Ok(news) => news.apply(row, at),
                Err(e) => {
                    log::info!("{mac}: {}", e.chain());
                    refresh::note_failure(row, &used, &e, at);
                }
            })
            .await;
        if let Err(e) = written {
            log::error!("{}", e.chain());
        }
        let every = self.options().refresh;
        let after = self.store.get(mac).await.ok().flatten();
        let newer = |after: &Arc<Record>| after.status.given_at != row.status.given_at;
        let newer = after.as_ref().is_some_and(newer);
        let mut inner = self.inner();
        // Other firmware may speak other protocols.
        if row.bmc_version.is_some() && after.is_some_and(|a| a.bmc_version != row.bmc_version) {
            inner.looked.remove(&mac);
        }
        // Not there any more: somebody wants it again at once.
        if let Some(due) = inner.due.get_mut(&mac) {
            due.running = false;
            due.slow = slow;
            let wait = if newer {
                // Somebody waits for what the new password is worth.
                due.failures = 0;
                Duration::ZERO
            } else if failed.is_some() {
                due.failures = due.failures.saturating_add(1);
                let (least, most) = BACK_OFF;
                (least * 2u32.saturating_pow(due.failures.min(6) - 1)).min(most)
            } else {
                due.failures = 0;
                every
            };
            // Spread, so that thousands do not come at once.
            due.at = Instant::now() + wait.mul_f64(0.9 + 0.2 * fastrand::f64());
        }
    }
}

/// Is there something put aside that is to be tried by itself?
fn is_aside(row: &Record) -> bool {
    aside::is_due(row, now()) && row.address.is_some() && !row.removed && row.untrusted.is_none()
}

/// Is this row to be refreshed by itself? Not where its credentials might go to somebody else's BMC.
fn is_wanted(row: &Record) -> bool {
    row.has_credentials()
        && row.address.is_some()
        && !row.removed
        && row.status.refused.is_none()
        && row.untrusted.is_none()
        && !row.warnings.iter().any(|w| w.starts_with("duplicate"))
        && row.driver() != Some(DriverName::Unmanaged)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn slow_ones_make_room_for_the_others() {
        let lanes = Arc::new(Lanes::default());
        let mut tasks = tokio::task::JoinSet::new();
        for n in 0..2 * QUICK {
            let lanes = Arc::clone(&lanes);
            tasks.spawn(async move {
                let work =
                    || Box::pin(tokio::time::sleep(Duration::from_mins(1))) as BoxFuture<'_, _>;
                lanes.run(false, work).await;
                n
            });
        }
        tokio::time::sleep(3 * LONG).await;
        let at = tokio::time::Instant::now();
        lanes.run(false, || Box::pin(std::future::ready(()))).await;
        assert_eq!(tokio::time::Instant::now(), at, "no place was free");
        assert_eq!(tasks.join_all().await.len(), 2 * QUICK);
    }
}
