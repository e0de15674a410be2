//! HPE Cray EX.

use super::{Level, Matches, PLAIN, Row, Vendor};

pub(super) const VENDORS: &[Vendor] = &[Vendor {
    name: "cray",
    about: "HPE Cray EX blades; their controllers are no iLO",
    level: Level::Model,
    matches: Matches {
        name: &["HPE", "Cray"],
        model: &["cray"],
        ..PLAIN.matches
    },
    ipmi: &[Row::of(&[34, 38_067])],
    notes: &[
        "Reset knows On, ForceOff and Off only: a cycle is ForceOff, wait, On",
        "no boot override: PXE at every boot by the boot order, other boot targets are unsupported",
        "one BMC has several nodes: the host is the system with a Reset action",
    ],
    ..PLAIN
}];
