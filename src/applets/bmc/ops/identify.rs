//! `led …`.

use crate::applets::bmc::operation::{Col, Done, Operation, Work, no_args, state, work};

const COLUMNS: &[Col] = &[state("LED", "")];

pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        path: &["led", "status"],
        name: "led.state",
        about: "Is it lit?",
        writes: false,
        args: no_args,
        plan: |_| {
            Ok(work(|job| {
                Box::pin(async move {
                    Done::of(job.bmc.led.call("led.state", |l| l.state(&job.cx)).await?)
                })
            }))
        },
        columns: COLUMNS,
    },
    Operation {
        path: &["led", "on"],
        name: "led.on",
        about: "Light it, until it is switched off",
        writes: true,
        args: no_args,
        plan: |_| Ok(set(true)),
        columns: COLUMNS,
    },
    Operation {
        path: &["led", "off"],
        name: "led.off",
        about: "Switch it off",
        writes: true,
        args: no_args,
        plan: |_| Ok(set(false)),
        columns: COLUMNS,
    },
];

fn set(on: bool) -> Work {
    work(move |job| {
        Box::pin(
            async move { Done::of(job.bmc.led.call("led.set", |l| l.set(&job.cx, on)).await?) },
        )
    })
}
