//! `lan`, `bmc-reset`.

use crate::applets::bmc::operation::{Done, Operation, col, no_args, work};

pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        path: &["lan"],
        name: "lan",
        about: "The BMC's network configuration",
        writes: false,
        args: no_args,
        plan: |_| {
            Ok(work(|job| {
                Box::pin(
                    async move { Done::of(job.bmc.network.call("lan", |n| n.lan(&job.cx)).await?) },
                )
            }))
        },
        columns: &[
            col("CHANNEL", "channel"),
            col("MAC", "mac"),
            col("IP", "ip"),
            col("NETMASK", "netmask"),
            col("GATEWAY", "gateway"),
            col("SOURCE", "source"),
            col("VLAN", "vlan"),
        ],
    },
    Operation {
        path: &["bmc-reset"],
        name: "bmc-reset",
        about: "Restart the BMC itself; the machine keeps running",
        writes: true,
        args: no_args,
        plan: |_| {
            Ok(work(|job| {
                Box::pin(async move {
                    let reset = job
                        .bmc
                        .bmc_reset
                        .call("bmc-reset", |b| b.bmc_reset(&job.cx))
                        .await?;
                    Done::of(reset.map(|()| "RESTARTING"))
                })
            }))
        },
        columns: &[col("BMC", "")],
    },
];
