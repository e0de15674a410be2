//! `sel …`.

use crate::applets::bmc::operation::{Done, Operation, col, no_args, state, wide, work};

pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        path: &["sel", "ls"],
        name: "sel",
        about: "All entries, the oldest first",
        writes: false,
        args: no_args,
        plan: |_| {
            Ok(work(|job| {
                Box::pin(async move {
                    Done::of(
                        job.bmc
                            .event_log
                            .call("sel", |l| l.entries(&job.cx))
                            .await?,
                    )
                })
            }))
        },
        columns: &[
            col("ID", "id"),
            col("TIME", "time"),
            col("SENSOR", "sensor"),
            col("EVENT", "event"),
            state("SEVERITY", "severity"),
            wide("RAW", "raw"),
        ],
    },
    Operation {
        path: &["sel", "clear"],
        name: "sel.clear",
        about: "Remove all entries",
        writes: true,
        args: no_args,
        plan: |_| {
            Ok(work(|job| {
                Box::pin(async move {
                    let cleared = job
                        .bmc
                        .event_log
                        .call("sel.clear", |l| l.clear(&job.cx))
                        .await?;
                    Done::of(cleared.map(|()| "CLEARED"))
                })
            }))
        },
        columns: &[col("SEL", "")],
    },
];
