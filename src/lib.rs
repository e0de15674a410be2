//! halbox: the hardware abstraction layer of a bare-metal cloud, in one binary.
//!
//! [`hal`] talks to BMCs and knows nothing of the rest; [`inventory`] keeps what was learnt; [`discover`] finds BMCs by
//! their DHCP leases; [`console`] shares serial consoles; [`applets`] is what a person or systemd sees. Imports go one way:
//! `main -> applets -> api -> console -> discover -> inventory -> hal` (ARCHITECTURE.md has the whole map).

pub mod api;
pub mod applets;
pub mod console;
pub mod discover;
pub mod hal;
pub mod inventory;
