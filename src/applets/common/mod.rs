//! What all applets share: options, output, exit codes. Nothing here speaks a protocol.

pub mod candidates;
pub mod confirm;
pub mod credentials;
pub mod duration;
pub mod exit;
pub mod input;
pub mod new_password;
pub mod output;
pub mod process;
pub mod progress;
pub mod results;
pub mod services;
pub mod table;
pub mod targets;
pub mod template;
pub mod tty;
pub mod wanted;
