//! halbox: the hardware abstraction layer of a bare-metal cloud, in one binary.
//!
//! [`hal`] talks to BMCs and knows nothing of the rest; [`inventory`] keeps what was learnt; [`discover`] finds BMCs by
//! their DHCP leases; [`applets`] is what a person or systemd sees. Imports go one way:
//! `main -> applets -> api -> discover -> inventory -> hal` (ARCHITECTURE.md has the whole map).

pub mod api;
pub mod applets;
pub mod discover;
pub mod hal;
pub mod inventory;
