//! ASRock Rack.

use super::{Matches, PLAIN, Row, Vendor, Why};
use crate::hal::redfish::BootSend;

pub(super) const VENDORS: &[Vendor] = &[Vendor {
    name: "asrockrack",
    about: "ASRock Rack boards (AMI MegaRAC)",
    matches: Matches {
        name: &["ASRockRack"],
        ..PLAIN.matches
    },
    ipmi: &[Row::of(&[49_622])],
    redfish: |_, q| q.boot_send = BootSend::Full,
    why: &[Why {
        flag: "boot_send",
        what: "boot target, duration and mode are only taken together",
        seen_on: "ASRock Rack: ironic's list of vendors that want full boot requests",
    }],
    notes: &[
        "numbers that are text, objects that are lists (gofish#99, #264): read as they come",
        "FRU checksums are wrong: a warning",
    ],
    ..PLAIN
}];
