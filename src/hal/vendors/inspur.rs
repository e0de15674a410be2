//! Inspur (IEIT).

use super::{Matches, PLAIN, Row, Vendor, Why};

pub(super) const VENDORS: &[Vendor] = &[Vendor {
    name: "inspur",
    about: "Inspur servers",
    matches: Matches {
        name: &["Inspur"],
        ..PLAIN.matches
    },
    ipmi: &[Row::of(&[37_945, 48_512, 52_893, 61_847])],
    redfish: |_, q| q.password = Some((1, 16)),
    why: &[Why {
        flag: "password",
        what: "passwords have at most 16 characters where the BMC does not say",
        seen_on: "Inspur servers",
    }],
    notes: &[
        "the administrator is in slot 1: never used for new accounts",
        "names begin with a letter",
        "the list of SDRs may have no end: it ends where it turns back on itself",
    ],
    ..PLAIN
}];
