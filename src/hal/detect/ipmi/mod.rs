//! What IPMI tells before a session, as a state machine without I/O: time and datagrams go in, datagrams come out.
//!
//! Presence ping and Get Channel Authentication Capabilities go out together; the first answer of either brings the
//! rest. Nothing here logs in. Open Session, which leaves a half-open slot on the BMC until it times out, is only
//! sent when the BMC will not name its cipher suites, and never again once one was accepted.

mod probe;
mod question;
pub mod run;

use super::findings::IpmiVersion;
use crate::hal::ipmi::cmd::CompletionCode;
use crate::hal::ipmi::cmd::app::ChannelAuthCapabilities;
use crate::hal::model::Guid;
pub use probe::IpmiProbe;

/// What was learnt.
#[derive(Debug, Clone, Default)]
pub struct IpmiFacts {
    /// A pong came.
    pub pong: bool,
    /// An IPMI message or handshake answer came.
    pub ipmi: bool,
    /// Datagrams came that are no RMCP.
    pub garbage: bool,
    /// The host said that the port is closed.
    pub refused: bool,
    /// Authentication capabilities.
    pub capabilities: Option<ChannelAuthCapabilities>,
    /// Why there are none, if the BMC answered.
    pub capabilities_error: Option<CompletionCode>,
    /// Cipher suites, ascending.
    pub suites: Option<Vec<u8>>,
    /// RMCP+ framing works.
    pub rmcp_plus: bool,
    /// System GUID.
    pub guid: Option<Guid>,
}

impl IpmiFacts {
    /// Did anything come at all?
    pub fn answered(&self) -> bool {
        self.pong || self.ipmi || self.garbage
    }

    /// Versions, oldest first.
    pub fn versions(&self) -> Vec<IpmiVersion> {
        let told = self.capabilities.as_ref();
        let mut versions = Vec::new();
        if told.is_some_and(ChannelAuthCapabilities::speaks_v1_5) {
            versions.push(IpmiVersion::V1_5);
        }
        // Extended data alone already mean IPMI 2.0: some leave the byte that says so empty.
        if self.rmcp_plus || told.is_some_and(|c| c.extended && (c.v2_0 || !c.v1_5)) {
            versions.push(IpmiVersion::V2_0);
        }
        versions
    }
}
