//! Inventory as the FRU devices tell it.

use serde::Serialize;

/// The eight fields that metal-stack keeps of a board.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct FruSummary {
    /// Chassis part number.
    pub chassis_part_number: Option<String>,
    /// Chassis serial number.
    pub chassis_part_serial: Option<String>,
    /// Board manufacturer.
    pub board_mfg: Option<String>,
    /// Board serial number.
    pub board_mfg_serial: Option<String>,
    /// Board part number.
    pub board_part_number: Option<String>,
    /// Product manufacturer.
    pub product_manufacturer: Option<String>,
    /// Product part (model) number.
    pub product_part_number: Option<String>,
    /// Product serial number.
    pub product_serial: Option<String>,
}
