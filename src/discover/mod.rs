//! From lease files to rows of the table: leases (pure) → plan (pure) → run; and keeping rows up to date.

mod aside;
pub mod doors;
pub mod files;
pub mod find;
pub mod leases;
pub mod look;
pub mod neighbours;
pub mod plan;
pub mod refresh;
pub mod run;
mod step;
pub mod turns;
mod upkeep;

pub use aside::Offer;
pub use doors::{Contacts, Doors};
pub use run::{Discovery, Options};

use std::time::SystemTime;

/// The wall clock, in milliseconds since 1970.
pub fn now() -> u64 {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX))
}
