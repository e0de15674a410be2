//! From lease files to rows of the table: leases (pure) → plan (pure) → run.

pub mod leases;
pub mod plan;
