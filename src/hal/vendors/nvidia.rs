//! NVIDIA: BlueField, GB200 and GB300, GH200, DGX.

use super::{Matches, PLAIN, Row, Vendor, Why};
use crate::hal::redfish::BootVia;

pub(super) const VENDORS: &[Vendor] = &[Vendor {
    name: "nvidia",
    about: "NVIDIA BlueField, Grace and DGX systems",
    matches: Matches {
        name: &["NVIDIA"],
        not_service: &["AMI"],
        ..PLAIN.matches
    },
    ipmi: &[Row::of(&[5_703, 33_049])],
    redfish: |_, q| q.boot_via = BootVia::Settings,
    why: &[Why {
        flag: "boot_via",
        what: "the override is written to the system's settings object",
        seen_on: "BlueField-3, GB200 (recorded), GH200: NICo",
    }],
    notes: &[
        "the factory's password must be changed first, until then all is 403: set without reading anything",
        "two systems and two managers: the host is the one with a Reset action",
        "watts only in EnvironmentMetrics and sensors; the system's UUID may be empty",
        "$expand drops fields on GB300 and DGX: not used",
    ],
    ..PLAIN
}];
