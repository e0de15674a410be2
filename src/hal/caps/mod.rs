//! Capabilities: one small object-safe trait each. A driver implements those that it has.

pub mod bmc_reset;
pub mod boot;
pub mod console;
pub mod event_log;
pub mod evidence;
pub mod identity;
pub mod inventory;
pub mod led;
pub mod metrics;
pub mod network;
pub mod power;
pub mod raw;
pub mod sensors;
pub mod supplies;
pub mod users;

pub use bmc_reset::BmcReset;
pub use boot::Boot;
pub use console::Console;
pub use event_log::EventLog;
pub use evidence::Evidence;
pub use identity::Identity;
pub use inventory::Inventory;
pub use led::Led;
pub use metrics::Metrics;
pub use network::Network;
pub use power::Power;
pub use raw::Raw;
pub use sensors::Sensors;
pub use supplies::Supplies;
pub use users::Users;
