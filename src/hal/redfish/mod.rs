//! Redfish, sans-socket: what to ask a BMC, and what its answers mean. [`Door`] is the way to a BMC, [`Client`] what the
//! drivers use, [`Resource`] a document read so that one odd value costs nothing but itself.
//!
//! Nothing here does I/O: the door does, and time passes only in [`Door::pause`].

mod choose;
mod client;
mod door;
pub mod json;
pub mod learnt;
pub mod path;
mod quirks;
mod refusal;
mod resource;
mod task;
mod write;

pub use client::Client;
pub use door::{Answer, Ask, Door, Method};
pub use learnt::{About, Learnt, RedfishCell};
pub use quirks::{Accounts, AuthStyle, BootSend, BootVia, Etag, LedStyle, OemWatts, Quirks};
pub use refusal::Refusal;
pub use resource::Resource;
pub use write::Written;
