//! What simulated BMCs have in their stores: FRU images, sensor records, event log entries.
//!
//! Written byte by byte from the specification and not with the client's decoders, so that a common
//! misunderstanding does not hide itself.

pub mod fru;
pub mod sdr;
pub mod sel;
pub mod sensors;

pub use fru::{Area, FruImage};
pub use sensors::{Kind, SensorSpec};
