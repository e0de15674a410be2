//! A simulated BMC that answers from a recording. What is written is kept in memory and shown by both protocols.
//!
//! Reads are answered as they were recorded until a write changed what they say; from then on the state answers.

mod actions;
mod ipmi;
mod redfish;
mod seed;
#[cfg(test)]
mod tests;
mod tree;
mod users;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use serde_json::Value;

use crate::hal::recording::{IpmiAnswer, Recording, RedfishAnswer};

pub use ipmi::execute;
pub use redfish::answer;
pub use seed::{LOGIN_SLOT, profile, seed};

/// Bodies that were written, by path; `None`: deleted.
type Overlay = BTreeMap<String, Option<Value>>;
/// What an IPMI request is looked up by: bridged, LUN, network function, command, data.
type Key = (Option<(u8, u8)>, u8, u8, u8, Vec<u8>);

/// A recording, ready to be looked up. Shared by the BMCs that replay it.
#[derive(Debug, Default)]
pub struct Index {
    /// Answers to GETs by path.
    redfish: BTreeMap<String, RedfishAnswer>,
    /// Answers to commands, in their order.
    ipmi: HashMap<Key, Vec<IpmiAnswer>>,
    /// Path of the collection of sessions.
    sessions: String,
    /// Path of the collection of accounts.
    accounts: Option<String>,
    /// Path of the system that has a reset action, and the power state that was recorded.
    system: Option<(String, Option<String>)>,
}

impl Index {
    /// The index of a recording.
    pub fn new(recording: &Recording) -> Self {
        let mut index = Self::default();
        for answer in &recording.redfish {
            index
                .redfish
                .insert(tree::normal(&answer.path), answer.clone());
        }
        for answer in &recording.ipmi {
            let key = |data: &[u8]| {
                (
                    answer.bridged,
                    answer.lun,
                    answer.netfn,
                    answer.cmd,
                    data.to_vec(),
                )
            };
            index
                .ipmi
                .entry(key(&answer.data))
                .or_default()
                .push(answer.clone());
            if let Some(bare) = ipmi::without_reservation(answer.netfn, answer.cmd, &answer.data)
                && bare != answer.data
            {
                index
                    .ipmi
                    .entry(key(&bare))
                    .or_default()
                    .push(answer.clone());
            }
        }
        index.find_places();
        index
    }
}

/// What one BMC makes of a recording.
#[derive(Debug)]
pub struct Replay {
    index: Arc<Index>,
    overlay: Overlay,
    /// How often a command was answered.
    asked: HashMap<Key, usize>,
    /// Groups of commands that the state answers.
    touched: BTreeSet<ipmi::Group>,
    /// Was the host on when it was recorded?
    was_on: bool,
    /// Accounts made meanwhile: path and slot.
    made: u32,
}

impl Replay {
    /// Nothing is written yet.
    pub fn new(index: Arc<Index>, was_on: bool) -> Self {
        Self {
            index,
            overlay: Overlay::new(),
            asked: HashMap::new(),
            touched: BTreeSet::new(),
            was_on,
            made: 0,
        }
    }
}
