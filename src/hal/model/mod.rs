//! Plain data of the HAL: no I/O, no protocol. Serialised forms are those of the public JSON.

pub mod boot;
pub mod console;
pub mod cx;
pub mod driver;
pub mod event;
pub mod fru;
pub mod guid;
pub mod info;
pub mod json;
pub mod lan;
pub mod led;
pub mod mac;
pub mod metrics;
pub mod order;
pub mod power;
pub mod raw;
pub mod reading;
pub mod secret;
pub mod sensor;
pub mod user;
pub mod write;

pub use boot::{BootMode, BootPersistence, BootState, BootTarget};
pub use cx::{BoxFuture, Cancel, Cx, Priority};
pub use driver::DriverName;
pub use guid::Guid;
pub use led::LedState;
pub use mac::MacAddr;
pub use power::{PowerAction, PowerState};
pub use reading::{Reading, Source};
pub use secret::Secret;
