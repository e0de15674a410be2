//! How many BMCs to simulate, where, of which kind, and what goes wrong with them.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::profile::ProfileName;
use crate::hal::model::Secret;
use crate::hal::recording::Recording;
use crate::hal::transport::faults::Faults;

/// Port that is used unless another one is asked for: above 1023, so that no privilege is needed.
pub const DEFAULT_PORT: u16 = 6230;
/// Name and password of the administrator unless others are given.
pub const DEFAULT_USER: &str = "admin";

/// TCP port of Redfish unless another one is asked for.
pub const DEFAULT_REDFISH_PORT: u16 = 8443;

/// How the BMCs answer Redfish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RedfishOptions {
    /// TCP port of HTTPS. 0 = any free ports.
    pub port: u16,
    /// TCP port of plain HTTP, beside it.
    pub http_port: Option<u16>,
    /// The second request of a connection is answered with a reset (iLO does).
    pub rst_on_reuse: bool,
}

impl Default for RedfishOptions {
    fn default() -> Self {
        Self {
            port: DEFAULT_REDFISH_PORT,
            http_port: None,
            rst_on_reuse: false,
        }
    }
}

/// What to simulate.
#[derive(Debug, Clone)]
pub struct Options {
    /// Number of BMCs.
    pub count: u32,
    /// Address of the first one; the others follow.
    pub listen: IpAddr,
    /// UDP port of all. 0 = any free ports, all on the first address (for tests).
    pub port: u16,
    /// Redfish, if the BMCs speak it.
    pub redfish: Option<RedfishOptions>,
    /// TCP address at which a VM finds the first BMC as its own (QEMU's `ipmi-bmc-extern`), the others at the ports behind
    /// it. Port 0 = any free ports.
    pub vm: Option<SocketAddr>,
    /// Recordings that the BMCs replay, in turn; empty: they are of the profile's kind.
    pub recordings: Vec<Arc<Recording>>,
    /// Kind of BMC.
    pub profile: ProfileName,
    /// Name of the administrator.
    pub user: String,
    /// Its password.
    pub password: Secret,
    /// Faults of the network, each way.
    pub faults: Faults,
    /// Probability (0..=1) that a command is refused as busy.
    pub busy: f64,
    /// Share (0..=1) of BMCs that do not answer.
    pub unresponsive: f64,
    /// Share (0..=1) of BMCs that answer slowly.
    pub slow: f64,
    /// How slowly.
    pub slow_by: Duration,
    /// Wrong passwords after which an account is locked; 0 = never.
    pub lockout: u8,
    /// Start of all random streams.
    pub seed: u64,
    /// Directory in which the state of the servers is kept.
    pub state: Option<PathBuf>,
    /// Path of the control socket.
    pub control: Option<PathBuf>,
    /// Replies per second, all BMCs together: a client has one receive buffer for them all.
    pub pace: u32,
    /// Threads; 0 = one per core, at most four.
    pub threads: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            count: 1,
            listen: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: DEFAULT_PORT,
            redfish: None,
            vm: None,
            recordings: Vec::new(),
            profile: ProfileName::Generic,
            user: DEFAULT_USER.to_owned(),
            password: Secret::new(DEFAULT_USER),
            faults: Faults::default(),
            busy: 0.0,
            unresponsive: 0.0,
            slow: 0.0,
            slow_by: Duration::from_millis(1500),
            lockout: 0,
            seed: 0,
            state: None,
            control: None,
            pace: 25_000,
            threads: 0,
        }
    }
}
