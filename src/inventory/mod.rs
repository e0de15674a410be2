//! What halbox keeps on disk: nothing secret here yet, only what the CLI learnt of BMCs.

pub mod cache;

pub use cache::Cache;
