//! `sensors`, `power-metrics`.

use clap::{Arg, ArgAction};

use crate::applets::bmc::operation::{Done, Job, Operation, col, no_args, state, wide, work};
use crate::hal::model::metrics::PowerMetrics;
use crate::hal::model::{BoxFuture, Reading};
use crate::hal::{Kind, Result};

pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        path: &["sensors"],
        name: "sensors",
        about: "All sensors with their readings",
        writes: false,
        args: |command| {
            command.arg(
                Arg::new("live-thresholds")
                    .long("live-thresholds")
                    .action(ArgAction::SetTrue)
                    .help("Ask the BMC for each threshold instead of taking those of its sensor records"),
            )
        },
        plan: |m| {
            let live = m.get_flag("live-thresholds");
            Ok(work(move |job| {
                Box::pin(async move {
                    Done::of(
                        job.bmc
                            .sensors
                            .call("sensors", |s| s.sensors(&job.cx, live))
                            .await?,
                    )
                })
            }))
        },
        columns: &[
            col("NAME", "name"),
            col("TYPE", "type"),
            col("VALUE", "value"),
            col("UNIT", "unit"),
            state("STATUS", "status"),
            wide("LNR", "thresholds.lower_non_recoverable"),
            wide("LC", "thresholds.lower_critical"),
            wide("LNC", "thresholds.lower_non_critical"),
            wide("UNC", "thresholds.upper_non_critical"),
            wide("UC", "thresholds.upper_critical"),
            wide("UNR", "thresholds.upper_non_recoverable"),
        ],
    },
    Operation {
        path: &["power-metrics"],
        name: "power-metrics",
        about: "Watts, and the power supplies",
        writes: false,
        args: no_args,
        plan: |_| Ok(work(power_metrics)),
        columns: &[
            col("WATTS", "consumed_watts"),
            col("AVERAGE", "average_watts"),
            col("MIN", "min_watts"),
            col("MAX", "max_watts"),
            col("MINUTES", "interval_minutes"),
            col("SUPPLIES", "supplies"),
        ],
    },
];

/// Watts and supplies are two capabilities: a BMC that has only one of them still answers.
fn power_metrics(job: &Job) -> BoxFuture<'_, Result<Done>> {
    Box::pin(async move {
        let watts = job
            .bmc
            .metrics
            .call("power-metrics", |m| m.power_metrics(&job.cx))
            .await;
        let absent =
            matches!(&watts, Err(e) if matches!(e.kind(), Kind::Unsupported | Kind::NeedsLicense));
        if !absent && let Err(e) = watts {
            return Err(e);
        }
        let supplies = job
            .bmc
            .supplies
            .call("power-supplies", |s| s.power_supplies(&job.cx))
            .await;
        match (watts, supplies) {
            (Ok(mut metrics), Ok(supplies)) => {
                metrics.value.supplies = supplies.value;
                Done::of(metrics)
            }
            (Ok(metrics), Err(e)) if e.kind() == Kind::Unsupported => Done::of(metrics),
            (Err(_), Ok(supplies)) if !supplies.value.is_empty() => {
                let metrics: Reading<PowerMetrics> = supplies.map(|supplies| PowerMetrics {
                    supplies,
                    ..PowerMetrics::default()
                });
                Done::of(metrics)
            }
            (Err(e), _) | (_, Err(e)) => Err(e),
        }
    })
}
