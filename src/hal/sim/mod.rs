//! A simulated server: its state, its BMC, and many of them on loopback.
//!
//! The server half of the same IPMI code: [`start`] runs BMCs on UDP addresses, [`LocalBmc`] is one without
//! sockets. Nothing in here prints or exits. [`redfish`] stands beside [`handlers`], on the same [`state`].

pub mod bmc;
pub mod content;
pub mod control;
pub mod handlers;
mod host;
pub mod ledger;
pub mod local;
pub mod options;
pub mod profile;
pub mod redfish;
pub mod replay;
pub mod state;
mod store;
mod vm;
mod worker;

pub use bmc::{Bmc, Manners};
pub use host::{SimHandle, start};
pub use ledger::Ledger;
pub use local::LocalBmc;
pub use options::{Options, RedfishOptions};
pub use profile::{Profile, ProfileName};
pub use state::Server;
