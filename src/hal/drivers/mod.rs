//! Drivers: the default implementation of each capability per protocol. They know no vendor by name; what a
//! vendor does differently is data, or an overwrite in `vendors`.

pub mod console;
pub mod idrac;
pub mod ipmi;
mod placeholder;
mod power_watch;
pub mod redfish;
pub mod unmanaged;
