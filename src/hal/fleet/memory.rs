//! Where what was learnt of a BMC outlives the process. No secrets go through here.

use std::net::SocketAddr;

use crate::hal::ipmi::learnt::Learnt;
use crate::hal::redfish;

/// Keeps [`Learnt`] between runs: the CLI's cache, the daemon's table. Must be quick and must not fail: it is only
/// a memory.
pub trait Memory: Send + Sync {
    /// What is known of the BMC at this address (default when nothing is).
    fn recall(&self, bmc: SocketAddr) -> Learnt;
    /// Keeps what is known now.
    fn remember(&self, bmc: SocketAddr, learnt: &Learnt);

    /// What is known of the Redfish service at this address (default when nothing is).
    fn recall_redfish(&self, bmc: SocketAddr) -> redfish::Learnt {
        let _ = bmc;
        redfish::Learnt::default()
    }

    /// Keeps what is known of it now.
    fn remember_redfish(&self, bmc: SocketAddr, learnt: &redfish::Learnt) {
        let _ = (bmc, learnt);
    }
}

/// Remembers nothing (`--no-cache`).
#[derive(Debug, Clone, Copy, Default)]
pub struct Forgetful;

impl Memory for Forgetful {
    fn recall(&self, _: SocketAddr) -> Learnt {
        Learnt::default()
    }

    fn remember(&self, _: SocketAddr, _: &Learnt) {}
}
