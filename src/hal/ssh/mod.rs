//! SSH, sans-IO: the client's half, as far as the serial console of a BMC needs it (RFC 4251 to 4254, 4256, 4335, 5647,
//! 5656, 8332, 8731): one login by password or keyboard-interactive, one channel. Bytes go in, bytes and news come out.
//!
//! Cryptography is ring's; only algorithms that are still safe. A server that has none of them is named legacy.

mod auth;
mod channel;
mod client;
mod host_key;
mod kex;
mod negotiation;
mod packet;
#[cfg(test)]
mod tests;
mod wire;

pub use client::{Client, Event, Settings};
