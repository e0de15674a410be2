//! Dell.

use super::Row;

/// What its products need. 256 is PowerEdge 2900, 2950, R410, R610 and others.
pub(super) const ROWS: &[Row] = &[
    Row {
        manufacturers: &[674],
        products: Some((256, 256)),
        quirks: &["ignorescanningdisabled"],
        user_slot: None,
    },
    Row {
        manufacturers: &[674],
        products: None,
        quirks: &[],
        user_slot: Some(3),
    },
];
