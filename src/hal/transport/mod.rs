//! All I/O of the HAL. Nothing above opens a socket or a device.

pub mod faults;
pub mod http;
pub mod kcs;
pub mod lan;
pub mod line;
pub mod redfish;
pub mod resolve;

pub use kcs::Kcs;
pub use lan::{Lan, Port};
