//! The client's half of an IPMI session, sans-IO: datagrams and time go in, datagrams, replies and the next
//! time to call come out. No socket, clock, thread or random source.
//!
//! One [`Session`] lives as long as its BMC is of interest. Nothing is sent before the first request; then it
//! opens a session, keeps it, re-opens it when the BMC lost it, and always closes what it opened. It answers
//! each request exactly once: with the BMC's reply or with an error that says what is known of its fate.
//!
//! | file | concept |
//! |---|---|
//! | `config` | what the caller gives and gets |
//! | `core` | the long-lived object: jobs, outputs, which state is on |
//! | `opening` | one login: suites in turn, privileges, restarts |
//! | `handshake20`, `handshake15` | the messages of one attempt |
//! | `candidates` | which of several passwords RAKP 2 fits |
//! | `link` | an open session: sealing, sequence numbers |
//! | `active` | requests in flight on a link |
//! | `closing` | Close Session, acknowledged, a few tries |
//! | `bridge`, `window`, `retry`, `fault` | small tools of these |

mod active;
mod bridge;
mod candidates;
mod closing;
mod config;
mod core;
mod fault;
mod handshake15;
mod handshake20;
mod jobs;
mod link;
mod opening;
mod retry;
mod window;

pub use candidates::{Mismatch, Refusal};
pub use config::{Config, Entropy, Output, Phase, SessionInfo, Timers, Version};
pub use core::Session;
pub use fault::WrongKg;

#[cfg(test)]
mod tests;
