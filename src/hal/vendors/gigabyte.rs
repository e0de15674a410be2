//! Gigabyte (Giga Computing).

use super::{Matches, PLAIN, Row, Vendor, Why};

pub(super) const VENDORS: &[Vendor] = &[Vendor {
    name: "gigabyte",
    about: "Gigabyte servers (AMI MegaRAC)",
    matches: Matches {
        name: &["Gigabyte"],
        ..PLAIN.matches
    },
    ipmi: &[Row {
        user_slot: Some(3),
        ..Row::of(&[15_370])
    }],
    why: &[Why {
        flag: "user_slot",
        what: "accounts of ours have slot 3",
        seen_on: "go-hal",
    }],
    notes: &[
        "the same password again is refused over IPMI with 0x19: tested, and done if it is right (go-hal PR 75)",
        "MD90-FS0 obeys \"callback only\" on the LAN: cleared",
        "the Redfish tree may be empty until the BMC is reset (docs-csm#832)",
    ],
    ..PLAIN
}];
