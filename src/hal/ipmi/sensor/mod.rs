//! Sensors: from raw readings to values, units and the specification's words.
//!
//! Pure functions over what an SDR and Get Sensor Reading say; nothing in here talks to a BMC.

pub mod factors;

pub use factors::{AnalogFormat, Factors, Linearization};
