//! A recording answers in place of the resources.

use std::time::Instant;

use super::http::{Ask, Refusal, Reply};
use super::messages::Message;
use crate::hal::sim::bmc::Bmc;

/// A recording that is replayed.
#[derive(Debug, Default)]
pub struct Replay {}

/// Answers from the recording.
pub fn answer(_bmc: &mut Bmc, _now: Instant, ask: &Ask) -> Result<Reply, Refusal> {
    Err(Refusal::new(
        404,
        Message::base("ResourceMissingAtURI", &[&ask.path]),
    ))
}
