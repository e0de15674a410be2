//! The HAL: everything that talks to a BMC. Imports nothing from outside `src/hal`.
//!
//! Layers, top to bottom: `connect` → `sim`, `detect`, `inband` → `vendors` → `drivers` → `bmc` → `fleet` → `transport` →
//! `redfish`, `ipmi` → `caps` → `meter` → `model`, `error`.

pub mod bmc;
pub mod caps;
pub mod connect;
pub mod detect;
pub mod drivers;
pub mod error;
pub mod fleet;
pub mod gate;
pub mod inband;
pub mod ipmi;
pub mod logins;
pub mod meter;
pub mod model;
pub mod recording;
pub mod redfish;
pub mod report;
pub mod sim;
pub mod ssh;
pub mod transport;
pub mod vendors;

pub use bmc::Bmc;
pub use error::{Error, Kind, Result};
