//! Supermicro.

use super::Row;

/// Manufacturer ids: Supermicro's own, and the one that X8DTH, X8DTG and X8DTU send by mistake.
const MANUFACTURERS: &[u32] = &[10_876, 47_488];

/// What its products need.
pub(super) const ROWS: &[Row] = &[Row {
    manufacturers: MANUFACTURERS,
    products: None,
    quirks: &["uefi_disk_0x24"],
    user_slot: Some(10),
}];
