//! The bmc table: records, where they are kept, and secrets; and what the CLI learnt of BMCs (`Cache`).

pub mod audit;
pub mod cache;
pub mod logins;
pub mod record;
pub mod requests;
pub mod seal;
pub mod sqlite;
pub mod store;
pub mod tokens;

pub use cache::Cache;
pub use logins::Logins;
pub use record::Record;
pub use sqlite::Sqlite;
pub use store::{Field, Store};
