//! Lenovo.

use super::Row;

/// What its products need.
pub(super) const ROWS: &[Row] = &[Row {
    manufacturers: &[19_046],
    products: None,
    quirks: &[],
    user_slot: Some(3),
}];
