//! The asking itself: one slot after the other, each with its deadline, and nobody asked in vain twice.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::Options;
use super::entry::{Entry, Status};
use crate::hal::bmc::{Slot, Slots};
use crate::hal::error::{Error, Kind, Result};
use crate::hal::model::{BoxFuture, Cancel, Cx, DriverName, Reading, Source};

/// A driver may take this much longer than its deadline to come to an end by itself.
const GRACE: Duration = Duration::from_secs(1);

/// Silences in a row after which a driver is asked no more.
const SILENCES: u32 = 2;

/// How long putting something back may take, also after a Ctrl-C or the end of all time.
const PUTTING_BACK: Duration = Duration::from_secs(30);

/// Operations and what was read for each; `None` = the BMC does not say.
pub(super) type Shown = Vec<(&'static str, Option<Value>)>;

/// Why a driver is asked no more.
#[derive(Debug, Clone)]
struct Halt {
    status: Status,
    why: String,
}

/// A report that is being made.
pub(super) struct Run<'a> {
    /// The driver that is asked now.
    pub driver: DriverName,
    pub entries: Vec<Entry>,
    cx: Cx,
    options: &'a Options,
    halted: HashMap<DriverName, Halt>,
    /// The login was refused: for all drivers.
    refused: Option<Halt>,
    silences: u32,
}

impl<'a> Run<'a> {
    pub fn new(cx: &Cx, options: &'a Options) -> Self {
        let mut cx = cx.clone();
        if cx.request_id.is_empty() {
            // One operation: what it reads once it need not read again.
            cx.request_id = Arc::from("report");
        }
        Self {
            driver: DriverName::Unmanaged,
            entries: Vec::new(),
            cx,
            options,
            halted: HashMap::new(),
            refused: None,
            silences: 0,
        }
    }

    /// The present driver's slot.
    pub fn slot<'s, T: ?Sized>(&self, slots: &'s Slots<T>) -> Option<&'s Slot<T>> {
        slots.iter().find(|s| s.driver == self.driver)
    }

    /// Time for one operation.
    pub fn cx(&self) -> Cx {
        let mut cx = self.cx.clone();
        cx.deadline = cx.deadline.min(Instant::now() + self.options.each);
        cx
    }

    /// Time for putting something back: nobody can call that off.
    pub fn restoring(&self) -> Cx {
        let mut cx = self.cx.clone().with_cancel(Cancel::new());
        cx.deadline = Instant::now() + PUTTING_BACK;
        cx.request_id = Arc::from("");
        cx
    }

    /// The same, for a change that may be called off.
    pub fn changing(&self) -> Cx {
        let mut cx = self.cx();
        cx.request_id = Arc::from("");
        cx
    }

    /// The same with this much time.
    pub fn taking(&self, time: Duration) -> Cx {
        let mut cx = self.changing();
        cx.deadline = self.cx.deadline.min(Instant::now() + time);
        cx
    }

    /// Must `operations` be left out? Then their entries say why.
    pub fn left_out(&mut self, operations: &[&'static str], by: &str) -> bool {
        let halt = if self.cx.cancel.is_cancelled() {
            Some(Halt::not_tried("interrupted"))
        } else if self.cx.deadline <= Instant::now() {
            Some(Halt::not_tried("no time was left"))
        } else {
            let refused = self.refused.as_ref();
            refused.or_else(|| self.halted.get(&self.driver)).cloned()
        };
        let Some(Halt { status, why }) = halt else {
            return false;
        };
        for operation in operations {
            self.add(
                operation,
                by,
                status,
                None,
                Some(why.clone()),
                Duration::ZERO,
            );
        }
        true
    }

    /// Asks the present driver's slot, if it has one. `operations` are those that the answer is shown as.
    pub async fn ask<T, R>(
        &mut self,
        operations: &[&'static str],
        slots: &Slots<T>,
        f: impl for<'b> Fn(&'b T, &'b Cx) -> BoxFuture<'b, Result<Reading<R>>>,
        show: impl FnOnce(R) -> Shown,
    ) where
        T: ?Sized,
    {
        let Some(slot) = self.slot(slots) else {
            return;
        };
        let by = by(slot);
        if self.left_out(operations, &by) {
            return;
        }
        let cx = self.cx();
        let begun = Instant::now();
        let answer = bounded(&cx, f(&slot.implementation, &cx)).await;
        let took = begun.elapsed();
        match answer {
            Ok(reading) => {
                self.silences = 0;
                let Reading { value, source, .. } = reading;
                for (operation, value) in show(value) {
                    match value {
                        Some(value) => self.worked(operation, &source, value, took),
                        None => self.add(
                            operation,
                            &source.to_string(),
                            Status::Unsupported,
                            Some(source.at.clone()),
                            Some("the BMC does not say".to_owned()),
                            took,
                        ),
                    }
                }
            }
            Err(error) => {
                // A console over SSH has a port of its own: that it is closed says nothing of the driver.
                let elsewhere = operations == ["console"] && error.kind() == Kind::Unreachable;
                if !elsewhere {
                    self.notice(&error);
                }
                for operation in operations {
                    self.failed(operation, &by, &error, took);
                }
            }
        }
    }

    /// An operation that works.
    pub fn worked(
        &mut self,
        operation: &'static str,
        source: &Source,
        value: Value,
        took: Duration,
    ) {
        let by = source.to_string();
        let at = Some(source.at.clone());
        self.add(operation, &by, Status::Works, at, None, took);
        if let Some(entry) = self.entries.last_mut() {
            entry.value = value;
        }
    }

    /// An operation that does not.
    pub fn failed(&mut self, operation: &'static str, by: &str, error: &Error, took: Duration) {
        let status = Status::of(error.kind());
        self.add(operation, by, status, None, Some(error.chain()), took);
    }

    /// Adds an entry; one that is there already for this operation and driver is replaced.
    pub fn add(
        &mut self,
        operation: &'static str,
        by: &str,
        status: Status,
        evidence: Option<String>,
        error: Option<String>,
        took: Duration,
    ) {
        let driver = self.driver;
        self.entries
            .retain(|e| e.operation != operation || e.driver != driver);
        self.entries.push(Entry {
            operation,
            driver,
            by: by.to_owned(),
            status,
            value: Value::Null,
            evidence,
            differs: false,
            error,
            took_ms: (took.as_secs_f64() * 10_000.0).round() / 10.0,
        });
    }

    /// Draws the conclusion of an error for what comes next.
    pub fn notice(&mut self, error: &Error) {
        let halt = match error.kind() {
            Kind::Auth => Halt {
                status: Status::Denied,
                why: format!("not tried after {} refused the login", self.driver),
            },
            Kind::Unreachable | Kind::Tls => Halt {
                status: Status::Failed,
                why: format!("not tried, as {} cannot be reached", self.driver),
            },
            Kind::Timeout => {
                self.silences += 1;
                if self.silences < SILENCES {
                    return;
                }
                Halt {
                    status: Status::Failed,
                    why: format!("not tried, as {} does not answer any more", self.driver),
                }
            }
            _ => {
                self.silences = 0;
                return;
            }
        };
        if error.kind() == Kind::Auth && self.options.one_login {
            self.refused = Some(halt);
        } else {
            self.halted.insert(self.driver, halt);
        }
        self.silences = 0;
    }
}

impl Halt {
    fn not_tried(why: &str) -> Self {
        Self {
            status: Status::NotTried,
            why: why.to_owned(),
        }
    }
}

/// Who does it, before it is done.
pub(super) fn by<T: ?Sized>(slot: &Slot<T>) -> String {
    let source = Source {
        driver: slot.driver,
        overwrite: slot.overwrite,
        at: String::new(),
    };
    source.to_string()
}

/// A driver that does not keep its deadline ends all the same.
pub(super) async fn bounded<R>(cx: &Cx, work: BoxFuture<'_, Result<R>>) -> Result<R> {
    let end = cx.deadline + GRACE;
    match tokio::time::timeout_at(end.into(), work).await {
        Ok(result) => result,
        Err(_) => Err(Error::new(Kind::Timeout, "no end in time")),
    }
}
