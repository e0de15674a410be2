//! Generic event/reading types (table 42-2): data.

use super::event::Severity::{Critical as C, Info as I, Presence as P, Warning as W};
use super::event::State;

/// Event/reading type code 0x02 to 0x0c and its offsets.
pub(super) const GENERIC: &[(u8, &[Option<State>])] = &[
    (
        0x02,
        &[
            Some((I, "Transition to Idle")),
            Some((I, "Transition to Active")),
            Some((I, "Transition to Busy")),
        ],
    ),
    (
        0x03,
        &[Some((I, "State Deasserted")), Some((I, "State Asserted"))],
    ),
    (
        0x04,
        &[
            Some((I, "Predictive Failure deasserted")),
            Some((W, "Predictive Failure asserted")),
        ],
    ),
    (
        0x05,
        &[Some((I, "Limit Not Exceeded")), Some((W, "Limit Exceeded"))],
    ),
    (
        0x06,
        &[Some((I, "Performance Met")), Some((W, "Performance Lags"))],
    ),
    (
        0x07,
        &[
            Some((I, "transition to OK")),
            Some((W, "transition to Non-Critical from OK")),
            Some((C, "transition to Critical from less severe")),
            Some((C, "transition to Non-recoverable from less severe")),
            Some((W, "transition to Non-Critical from more severe")),
            Some((C, "transition to Critical from Non-recoverable")),
            Some((C, "transition to Non-recoverable")),
            Some((I, "Monitor")),
            Some((I, "Informational")),
        ],
    ),
    (
        0x08,
        &[
            Some((W, "Device Removed / Device Absent")),
            Some((P, "Device Inserted / Device Present")),
        ],
    ),
    (
        0x09,
        &[Some((W, "Device Disabled")), Some((I, "Device Enabled"))],
    ),
    (
        0x0a,
        &[
            Some((I, "transition to Running")),
            Some((I, "transition to In Test")),
            Some((I, "transition to Power Off")),
            Some((I, "transition to On Line")),
            Some((I, "transition to Off Line")),
            Some((I, "transition to Off Duty")),
            Some((W, "transition to Degraded")),
            Some((I, "transition to Power Save")),
            Some((W, "Install Error")),
        ],
    ),
    (
        0x0b,
        &[
            Some((I, "Fully Redundant")),
            Some((C, "Redundancy Lost")),
            Some((W, "Redundancy Degraded")),
            Some((W, "Non-redundant: Sufficient Resources from Redundant")),
            Some((
                W,
                "Non-redundant: Sufficient Resources from Insufficient Resources",
            )),
            Some((C, "Non-redundant: Insufficient Resources")),
            Some((W, "Redundancy Degraded from Fully Redundant")),
            Some((W, "Redundancy Degraded from Non-redundant")),
        ],
    ),
    (
        0x0c,
        &[
            Some((I, "D0 Power State")),
            Some((I, "D1 Power State")),
            Some((I, "D2 Power State")),
            Some((I, "D3 Power State")),
        ],
    ),
];

/// Offsets of threshold events (event/reading type 0x01).
pub(super) const THRESHOLD: &[Option<State>] = &[
    Some((W, "Lower Non-critical - going low")),
    Some((W, "Lower Non-critical - going high")),
    Some((C, "Lower Critical - going low")),
    Some((C, "Lower Critical - going high")),
    Some((C, "Lower Non-recoverable - going low")),
    Some((C, "Lower Non-recoverable - going high")),
    Some((W, "Upper Non-critical - going low")),
    Some((W, "Upper Non-critical - going high")),
    Some((C, "Upper Critical - going low")),
    Some((C, "Upper Critical - going high")),
    Some((C, "Upper Non-recoverable - going low")),
    Some((C, "Upper Non-recoverable - going high")),
];
