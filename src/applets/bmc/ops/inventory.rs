//! `info`, `fru`.

use clap::{Arg, value_parser};

use crate::applets::bmc::operation::{Done, Operation, col, no_args, wide, work};

pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        path: &["info"],
        name: "info",
        about: "What the machine and its BMC are",
        writes: false,
        args: no_args,
        plan: |_| {
            Ok(work(|job| {
                Box::pin(async move {
                    Done::of(job.bmc.identity.call("info", |i| i.info(&job.cx)).await?)
                })
            }))
        },
        columns: &[
            col("VENDOR", "vendor"),
            col("MODEL", "model"),
            col("SERIAL", "serial"),
            col("UUID", "uuid"),
            col("BMC MAC", "bmc.mac"),
            col("BMC VERSION", "bmc.version"),
            wide("BMC IP", "bmc.ip"),
            wide("BIOS", "bios.version"),
            wide("BOARD", "fru.board_part_number"),
            wide("CHASSIS SERIAL", "fru.chassis_part_serial"),
        ],
    },
    Operation {
        path: &["fru"],
        name: "fru",
        about: "FRU devices: chassis, board, product, multirecords",
        writes: false,
        args: |command| {
            command.arg(
                Arg::new("id")
                    .long("id")
                    .value_name("ID")
                    .value_parser(value_parser!(u8))
                    .help("Only the device with this id"),
            )
        },
        plan: |m| {
            let id = m.get_one::<u8>("id").copied();
            Ok(work(move |job| {
                Box::pin(async move {
                    Done::of(
                        job.bmc
                            .inventory
                            .call("fru", |i| i.fru(&job.cx, id))
                            .await?,
                    )
                })
            }))
        },
        columns: &[
            col("ID", "id"),
            col("NAME", "name"),
            col("MANUFACTURER", "product.manufacturer"),
            col("PRODUCT", "product.name"),
            col("PART", "product.part_number"),
            col("SERIAL", "product.serial_number"),
            col("BOARD", "board.part_number"),
            col("BOARD SERIAL", "board.serial_number"),
            wide("BOARD MANUFACTURER", "board.manufacturer"),
            wide("CHASSIS", "chassis.part_number"),
            wide("CHASSIS SERIAL", "chassis.serial_number"),
        ],
    },
];
