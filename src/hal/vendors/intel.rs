//! Intel server boards.

use super::{Matches, PLAIN, Row, Vendor};

pub(super) const VENDORS: &[Vendor] = &[Vendor {
    name: "intel",
    about: "Intel server boards",
    matches: Matches {
        name: &["Intel"],
        ..PLAIN.matches
    },
    ipmi: &[Row::of(&[343])],
    notes: &[
        "MACs are written with dashes, disabled NICs are listed: both are minded for everyone",
        "users 1 and 2 have fixed names: never used for new accounts",
        "S9200WK has its LAN on channel 3: found by looking",
        "the same user name again is refused with 0xCC: not sent",
    ],
    ..PLAIN
}];
