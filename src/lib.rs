//! halbox: the hardware abstraction layer of a bare-metal cloud, in one binary.
//!
//! [`hal`] talks to BMCs and knows nothing of the rest; [`inventory`] keeps what was learnt;
//! [`applets`] is what a person or systemd sees. Imports go one way:
//! `main -> applets -> inventory -> hal` (ARCHITECTURE.md has the whole map).

pub mod applets;
pub mod hal;
pub mod inventory;
