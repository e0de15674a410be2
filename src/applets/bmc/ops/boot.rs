//! `boot …`.

use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::applets::bmc::operation::{Col, Done, Operation, Work, col, no_args, work};
use crate::applets::common::exit::Failure;
use crate::hal::model::boot::BootRequest;
use crate::hal::model::{BootMode, BootTarget};

const COLUMNS: &[Col] = &[
    col("BOOT", "target"),
    col("MODE", "mode"),
    col("PERSISTENCE", "persistence"),
];

pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        path: &["boot", "status"],
        name: "boot.state",
        about: "The override that is set",
        writes: false,
        args: no_args,
        plan: |_| {
            Ok(work(|job| {
                Box::pin(async move {
                    Done::of(
                        job.bmc
                            .boot
                            .call("boot.state", |b| b.state(&job.cx))
                            .await?,
                    )
                })
            }))
        },
        columns: COLUMNS,
    },
    Operation {
        path: &["boot", "pxe"],
        name: "boot.pxe",
        about: "Boot from the network, from now on [default: --persistent --uefi]",
        writes: true,
        args,
        plan: |m| Ok(set(m, BootTarget::Pxe, true)),
        columns: COLUMNS,
    },
    Operation {
        path: &["boot", "disk"],
        name: "boot.disk",
        about: "Boot from disk, from now on [default: --persistent --uefi]",
        writes: true,
        args,
        plan: |m| Ok(set(m, BootTarget::Disk, true)),
        columns: COLUMNS,
    },
    Operation {
        path: &["boot", "bios"],
        name: "boot.bios",
        about: "Enter the firmware setup at the next boot [default: --once --uefi]",
        writes: true,
        args: |command| {
            args(command).arg(
                Arg::new("force")
                    .long("force")
                    .action(ArgAction::SetTrue)
                    .help("Allow --persistent: the machine then enters the setup at every boot"),
            )
        },
        plan: |m| {
            if m.get_flag("persistent") && !m.get_flag("force") {
                return Err(Failure::usage(
                    "boot bios --persistent: the machine would never boot again by itself",
                )
                .hint("--once, or --force if that is meant"));
            }
            Ok(set(m, BootTarget::Bios, false))
        },
        columns: COLUMNS,
    },
];

fn args(command: Command) -> Command {
    let flag = |name: &'static str, other: &'static str, help: &'static str| {
        Arg::new(name)
            .long(name)
            .action(ArgAction::SetTrue)
            .conflicts_with(other)
            .help(help)
    };
    command
        .arg(flag("once", "persistent", "For the next boot only"))
        .arg(flag("persistent", "once", "For every boot"))
        .arg(flag("uefi", "legacy", "UEFI boot"))
        .arg(flag("legacy", "uefi", "PC-compatible (BIOS) boot"))
}

fn set(m: &ArgMatches, target: BootTarget, persistent: bool) -> Work {
    let request = BootRequest {
        target,
        mode: if m.get_flag("legacy") {
            BootMode::Legacy
        } else {
            BootMode::Uefi
        },
        persistent: m.get_flag("persistent") || (persistent && !m.get_flag("once")),
    };
    work(move |job| {
        Box::pin(async move {
            Done::of(
                job.bmc
                    .boot
                    .call("boot.set", |b| b.set(&job.cx, request))
                    .await?,
            )
        })
    })
}
