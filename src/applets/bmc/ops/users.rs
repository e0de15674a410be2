//! `user ls`.

use crate::applets::bmc::operation::{Done, Operation, col, no_args, work};

pub(super) const OPERATIONS: &[Operation] = &[Operation {
    path: &["user", "ls"],
    name: "users",
    about: "All accounts",
    writes: false,
    args: no_args,
    plan: |_| {
        Ok(work(|job| {
            Box::pin(
                async move { Done::of(job.bmc.users.call("users", |u| u.users(&job.cx)).await?) },
            )
        }))
    },
    columns: &[
        col("ID", "id"),
        col("NAME", "name"),
        col("ENABLED", "enabled"),
        col("ROLE", "role"),
        col("CHANNEL ACCESS", "channel_access"),
    ],
}];
