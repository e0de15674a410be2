//! All operations, one file per group. A new operation is one entry in its group's list.

mod boot;
mod capabilities;
mod events;
mod identify;
mod inventory;
mod network;
mod power;
mod raw;
mod sensors;
mod users;

use super::operation::Operation;

/// All operations, in the order of the help.
pub(in crate::applets::bmc) fn all() -> impl Iterator<Item = &'static Operation> {
    [
        power::OPERATIONS,
        boot::OPERATIONS,
        identify::OPERATIONS,
        inventory::OPERATIONS,
        sensors::OPERATIONS,
        events::OPERATIONS,
        users::OPERATIONS,
        network::OPERATIONS,
        raw::OPERATIONS,
        capabilities::OPERATIONS,
    ]
    .into_iter()
    .flatten()
}

/// What the first word of two-word operations is about.
pub(in crate::applets::bmc) const GROUPS: &[(&str, &str)] = &[
    ("power", "Power of the machine"),
    ("boot", "What the machine boots next"),
    ("led", "Identify LED"),
    ("sel", "System Event Log"),
    ("user", "Accounts of the BMC"),
];
