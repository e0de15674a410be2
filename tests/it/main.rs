//! The one integration test binary: linked once, its modules run in parallel.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test's helper fails by panicking"
)]
#![allow(clippy::similar_names, reason = "ping and pong")]

mod bmc;
mod common;
mod console;
mod console_ipmi_sim;
mod console_oracles;
mod deb;
mod differential;
mod dispatch;
mod fleet;
mod inband;
mod line_console;
mod mini_lab;
mod oracle_ipmi_sim;
mod probe;
mod redfish;
mod redfish_client;
mod round_trips;
mod serve;
mod session;
mod sim;
mod sim_oracles;
mod sim_profiles;
mod sim_redfish;
mod ssh_console;
mod static_binary;
mod tidy;
mod users;
mod vendors;
