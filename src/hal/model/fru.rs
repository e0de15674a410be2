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

/// One FRU device, in the words of the FRU specification. Absent areas are `None`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct FruDevice {
    /// FRU device id.
    pub id: u8,
    /// Name from its SDR; `Builtin FRU Device` for id 0 without one.
    pub name: String,
    /// Chassis info area: field name -> value.
    pub chassis: Option<serde_json::Map<String, serde_json::Value>>,
    /// Board info area.
    pub board: Option<serde_json::Map<String, serde_json::Value>>,
    /// Product info area.
    pub product: Option<serde_json::Map<String, serde_json::Value>>,
    /// Multirecords, decoded as far as they are known.
    pub multirecord: Vec<serde_json::Value>,
    /// What was wrong with the data, in words; it was decoded all the same.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}
