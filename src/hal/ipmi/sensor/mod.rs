//! Sensors: from raw readings to values, units and the specification's words.
//!
//! Pure functions over what an SDR and Get Sensor Reading say; nothing in here talks to a BMC.

pub mod event;
pub mod factors;
mod generic;
mod types;
pub mod units;

pub use event::Severity;
pub use factors::{AnalogFormat, Factors, Linearization};
