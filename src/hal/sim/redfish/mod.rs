//! The Redfish half of a simulated BMC: resources made from the same state that IPMI shows, and writes to it.
//!
//! [`answer`] is the service without sockets: a request goes in, an answer comes out. [`serve`] puts HTTP and TLS
//! around it. What vendors do otherwise is data ([`dialect`]).

pub mod auth;
pub(super) mod boot;
mod cert;
pub mod dialect;
pub(super) mod doors;
pub(super) mod entry;
pub mod http;
pub mod messages;
pub mod place;
mod query;
pub mod read;
pub(super) mod serve;
mod socket;
#[cfg(test)]
mod tests;
pub mod web;
mod write;

pub use dialect::Dialect;
pub use entry::answer;
pub use http::{Ask, Method, Reply};
pub use web::Web;

use std::time::Instant;

use serde_json::{Map, Value};

use super::bmc::Bmc;
use super::state::{Server, Step};
use crate::hal::model::Guid;

/// The dialect that a server speaks.
pub fn dialect(server: &Server) -> &'static Dialect {
    Dialect::of(server.profile.name)
}

/// A login to a session, of at most `limit`.
pub(super) fn login(
    bmc: &mut Bmc,
    now: Instant,
    limit: usize,
    body: &Map<String, Value>,
) -> Result<Reply, http::Refusal> {
    let d = dialect(&bmc.side.server);
    write::sessions::create(bmc, now, d, limit, body)
}

/// Carries out ComputerSystem.Reset as the server's dialect has it.
pub(super) fn reset(server: &mut Server, now: Instant, kind: &str) -> Result<(), http::Refusal> {
    let d = dialect(server);
    write::reset(server, now, d, kind)
}

/// A MAC as text, in lower case.
fn mac_text(mac: [u8; 6]) -> String {
    mac.map(|byte| format!("{byte:02x}")).join(":")
}

/// The UUID of the system: that of IPMI, or zeroes and the MAC.
fn uuid(server: &Server, d: &Dialect) -> String {
    if d.uuid_is_mac {
        let mac = server.lan.mac.map(|byte| format!("{byte:02x}")).concat();
        return format!("00000000-0000-0000-0000-{mac}");
    }
    Guid(server.guid).to_uuid(server.profile.guid_order)
}

/// PowerState.
pub(super) fn power_state(server: &Server, d: &Dialect) -> &'static str {
    match (server.power.next_step(), server.power.on) {
        (Some(Step::On), false) if d.shows_powering => "PoweringOn",
        (Some(Step::Off), true) if d.shows_powering => "PoweringOff",
        (_, true) => "On",
        (_, false) => "Off",
    }
}
