//! `capabilities`: the report of `probe`, through the drivers that this command would use.

use std::time::{Duration, Instant};

use clap::ArgMatches;

use crate::applets::bmc::operation::{Col, Done, Operation, Work, col, no_args, state, wide, work};
use crate::hal::model::{DriverName, Reading, Source};
use crate::hal::report::{self, Options};
use crate::hal::{Error, Kind};

/// Every read of every driver takes longer than one operation.
const WHOLE: Duration = Duration::from_mins(3);

const COLUMNS: &[Col] = &[
    col("OPERATION", "operation"),
    col("BY", "by"),
    state("STATUS", "status"),
    col("VALUE", "value"),
    wide("DIFFERS", "differs"),
    wide("EVIDENCE", "evidence"),
    wide("ERROR", "error"),
    wide("MS", "took_ms"),
];

pub(super) const OPERATIONS: &[Operation] = &[Operation {
    path: &["capabilities"],
    name: "capabilities",
    about: "What works, by which driver: every read is done, no change",
    writes: false,
    args: no_args,
    plan: |m| Ok(all(m)),
    columns: COLUMNS,
}];

fn all(m: &ArgMatches) -> Work {
    let whole = m.try_get_one::<Duration>("timeout").ok().flatten().copied();
    work(move |job| {
        Box::pin(async move {
            let begun = Instant::now();
            let mut cx = job.cx.clone();
            if whole.is_none() {
                cx.deadline = begun + WHOLE;
            }
            let made = report::report(&job.bmc, &cx, &Options::default()).await;
            let first = made.entries.first();
            let driver = first.map_or(DriverName::Unmanaged, |e| e.driver);
            let needs = made.needs();
            let failed = if made.is_denied() {
                let why = first.and_then(|e| e.error.clone()).unwrap_or_default();
                Some(Error::new(Kind::Auth, "capabilities").with_source(why))
            } else if needs.complete {
                None
            } else {
                let what = format!("no driver has {}", needs.missing.join(", "));
                Some(Error::new(Kind::Unsupported, what))
            };
            let mut done = Done::of(Reading {
                value: made.entries,
                source: Source::new(driver, "capability report"),
                took: begun.elapsed(),
            })?;
            done.failed = failed;
            Ok(done)
        })
    })
}

#[cfg(test)]
mod tests {
    use crate::applets::bmc::ops;
    use crate::hal::report::operations;

    /// An operation of the command line that the report does not know would be one of which nobody hears whether it
    /// works.
    #[test]
    fn every_operation_stands_in_the_report() {
        let others = [
            ("info", "info.uuid"),
            ("reinstall", "boot.pxe"),
            ("users.create-ipmi", "users.create"),
            ("capabilities", "power.state"),
        ];
        for operation in ops::all() {
            let name = others
                .iter()
                .find_map(|(name, stands_for)| (*name == operation.name).then_some(*stands_for))
                .unwrap_or(operation.name);
            assert!(operations().any(|o| o == name), "{name}");
        }
    }
}
