//! AMI MegaRAC: firmware in machines of many vendors.

use super::{Level, Matches, PLAIN, Row, Vendor, Why};
use crate::hal::redfish::{BootSend, Etag};

pub(super) const VENDORS: &[Vendor] = &[Vendor {
    name: "ami",
    about: "AMI MegaRAC firmware, whoever made the machine",
    level: Level::Class,
    matches: Matches {
        service: &["AMI"],
        ..PLAIN.matches
    },
    ipmi: &[Row::of(&[20_974])],
    redfish: |_, q| {
        q.etag = Etag::Always;
        q.boot_send = BootSend::Full;
    },
    why: &[
        Why {
            flag: "etag",
            what: "every PATCH without If-Match is refused with 428; the tag is fetched first",
            seen_on: "AMI MegaRAC SP-X (NVIDIA DGX H100, Gigabyte, Lenovo SR655): NICo, libredfish, gofish#171",
        },
        Why {
            flag: "boot_send",
            what: "boot target, duration and mode are only taken together",
            seen_on: "AMI, ASRockRack: ironic's list of vendors that want full boot requests",
        },
    ],
    notes: &[
        "values of Reset stand only in ActionInfo",
        "boot settings may have to be written to Systems/Self/SD (Redfish-Tacklebox#111)",
        "accounts 1 and 2 (anonymous, administrator) are never used for new accounts",
        "$expand drops fields: not used",
    ],
    ..PLAIN
}];
