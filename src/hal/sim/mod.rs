//! A simulated server: its state, its BMC, and many of them on loopback.
//!
//! The server half of the same IPMI code. Nothing in here prints or exits.

pub mod content;
