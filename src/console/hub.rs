//! All consoles: opens lines, gives seats, keeps lines warm where the configuration wants it.

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;

use super::history::{self, History, Limits};
use super::line::{Line, Pending, Shut, Snapshot};
use super::open::Opener;
use super::recorder;
use super::seat::Seat;
use crate::hal::model::console::ConsoleOptions;
use crate::hal::model::{Cancel, MacAddr};
use crate::hal::{Error, Kind, Result};
use crate::inventory::Record;

/// Where a line takes typed characters from.
type Typed = mpsc::Receiver<(u64, Pending)>;

/// A lost line is tried again for so long.
const RECONNECT: Duration = Duration::from_hours(24);

/// Time between two looks at what all histories take.
const SWEEP: Duration = Duration::from_mins(1);
/// How long closing a line may take.
const CLOSING: Duration = Duration::from_secs(5);

/// What somebody wants of a console.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// Write if nobody does, else read.
    Any,
    /// Only read.
    Read,
    /// Write, or be refused.
    Write,
    /// Write, whoever did before.
    TakeOver,
}

/// All consoles.
pub struct Hub {
    opener: Arc<dyn Opener>,
    lines: Mutex<HashMap<MacAddr, Arc<Line>>>,
    histories: Mutex<HashMap<MacAddr, Arc<History>>>,
    /// Where the histories are; `None`: nothing is recorded.
    recordings: Option<(PathBuf, Limits)>,
    ended: AtomicBool,
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub")
            .field("lines", &self.lines().len())
            .finish_non_exhaustive()
    }
}

impl Hub {
    /// Consoles that `opener` opens, recorded below the folder that is named.
    pub fn new(opener: Arc<dyn Opener>, recordings: Option<(PathBuf, Limits)>) -> Arc<Self> {
        Arc::new(Self {
            opener,
            lines: Mutex::default(),
            histories: Mutex::default(),
            recordings,
            ended: AtomicBool::new(false),
        })
    }

    fn lines(&self) -> MutexGuard<'_, HashMap<MacAddr, Arc<Line>>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A seat at the console of the BMC of a row. The first one opens the line; that it stands, or why it cannot, is
    /// what the seat reads.
    pub async fn attach(
        self: &Arc<Self>,
        row: &Arc<Record>,
        who: &str,
        wish: Wish,
        mut options: ConsoleOptions,
    ) -> Result<Seat> {
        options.reconnect = Some(RECONNECT);
        loop {
            if self.ended.load(Ordering::Acquire) {
                return Err(Error::new(Kind::Cancelled, "the daemon ends"));
            }
            let (line, typed) = self.line(row.mac);
            match line.join(who, wish) {
                Ok(number) => {
                    // It deserts itself when nobody is in: it begins when somebody is.
                    if let Some(typed) = typed {
                        self.start(&line, row, options, typed);
                    }
                    return Ok(Seat::new(line, number));
                }
                Err(Shut::Refused(error)) => return Err(error),
                Err(Shut::Closing) => {
                    line.over().await;
                    self.forget(&line);
                }
            }
        }
    }

    /// The line of a BMC: the one that is there, or a new one that has to be started.
    fn line(&self, mac: MacAddr) -> (Arc<Line>, Option<Typed>) {
        let mut lines = self.lines();
        if let Some(line) = lines.get(&mac) {
            return (Arc::clone(line), None);
        }
        let (line, typed) = Line::new(mac, self.recordings.is_some());
        lines.insert(mac, Arc::clone(&line));
        (line, Some(typed))
    }

    fn start(
        self: &Arc<Self>,
        line: &Arc<Line>,
        row: &Arc<Record>,
        options: ConsoleOptions,
        typed: Typed,
    ) {
        if let Some(history) = self.history(line.mac) {
            tokio::spawn(recorder::record(Arc::clone(line), history));
        }
        let opener = Arc::clone(&self.opener);
        let run = Arc::clone(line).run(opener, Arc::clone(row), options, typed);
        let (line, hub) = (Arc::clone(line), Arc::downgrade(self));
        tokio::spawn(async move {
            run.await;
            if let Some(hub) = hub.upgrade() {
                hub.forget(&line);
            }
        });
    }

    fn forget(&self, line: &Arc<Line>) {
        let mut lines = self.lines();
        if lines.get(&line.mac).is_some_and(|l| Arc::ptr_eq(l, line)) {
            lines.remove(&line.mac);
        }
    }

    /// Who is in; `None`: the line is not open here.
    pub fn snapshot(&self, mac: MacAddr) -> Option<Snapshot> {
        let line = self.lines().get(&mac).cloned()?;
        Some(line.snapshot())
    }

    /// How many lines are open, and how many people are in, all together.
    pub fn count(&self) -> (usize, usize) {
        let lines: Vec<_> = self.lines().values().cloned().collect();
        let people = lines.iter().map(|line| line.snapshot().people.len());
        (lines.len(), people.sum())
    }

    /// What was recorded of a BMC; `None`: nothing is.
    pub fn history(&self, mac: MacAddr) -> Option<Arc<History>> {
        let (folder, limits) = self.recordings.as_ref()?;
        let mut histories = self
            .histories
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if histories.len() > 1024 {
            histories.retain(|_, h| Arc::strong_count(h) > 1);
        }
        let new = || Arc::new(History::new(folder, mac, *limits));
        Some(Arc::clone(histories.entry(mac).or_insert_with(new)))
    }

    /// Closes the line of a BMC and takes its history away: its row is removed.
    pub async fn erase(&self, mac: MacAddr) {
        let line = self.lines().get(&mac).cloned();
        if let Some(line) = line {
            line.close();
            let _ = tokio::time::timeout(CLOSING, line.over()).await;
        }
        let Some(history) = self.history(mac) else {
            return;
        };
        self.histories
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&mac);
        let erased = tokio::task::spawn_blocking(move || history.erase()).await;
        if let Ok(Err(error)) = erased {
            log::error!("{}", error.chain());
        }
    }

    /// Keeps what is recorded of all BMCs within its limit, until `cancel`.
    pub async fn sweep(self: Arc<Self>, cancel: Cancel) {
        let Some((root, limits)) = self.recordings.clone() else {
            return;
        };
        loop {
            let folder = root.clone();
            let done = tokio::task::spawn_blocking(move || history::sweep(&folder, limits.all));
            if let Ok(Err(error)) = done.await {
                log::error!("console histories: {error}");
            }
            tokio::select! {
                () = cancel.cancelled() => return,
                () = tokio::time::sleep(SWEEP) => {}
            }
        }
    }

    /// Keeps the line of a row open without people. The line, where it had to be opened.
    pub(super) fn keep(self: &Arc<Self>, row: &Arc<Record>) -> Option<Arc<Line>> {
        let there = self.lines().get(&row.mac).cloned();
        if let Some(line) = there {
            line.warm.store(true, Ordering::Release);
            return None;
        }
        if self.ended.load(Ordering::Acquire) {
            return None;
        }
        let options = ConsoleOptions {
            reconnect: Some(RECONNECT),
            ..ConsoleOptions::default()
        };
        let (line, typed) = self.line(row.mac);
        line.warm.store(true, Ordering::Release);
        self.start(&line, row, options, typed?);
        Some(line)
    }

    /// Closes all lines, and waits for that.
    pub async fn close(&self, patience: Duration) {
        self.ended.store(true, Ordering::Release);
        let lines: Vec<_> = self.lines().values().cloned().collect();
        for line in &lines {
            line.close();
        }
        let all = async {
            for line in &lines {
                line.over().await;
            }
        };
        let _ = tokio::time::timeout(patience, all).await;
    }
}
