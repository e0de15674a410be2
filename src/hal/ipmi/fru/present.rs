//! FRU data as the public JSON shows it.

use serde_json::{Map, Value, json};

use super::{
    BaseCompatibility, Board, Chassis, DcOutput, Field, Fru, ManagementAccess, MultiRecord,
    PowerSupplyInformation, Product, RecordBody,
};
use crate::hal::ipmi::codec::hex;
use crate::hal::ipmi::text::{Encoding, decode};
use crate::hal::ipmi::time::rfc3339;
use crate::hal::model::fru::{FruDevice, FruSummary};

/// Chassis types as SMBIOS names them (DSP0134 §7.4.1), from 1 on.
const CHASSIS: [&str; 36] = [
    "Other",
    "Unknown",
    "Desktop",
    "Low Profile Desktop",
    "Pizza Box",
    "Mini Tower",
    "Tower",
    "Portable",
    "Laptop",
    "Notebook",
    "Hand Held",
    "Docking Station",
    "All in One",
    "Sub Notebook",
    "Space-saving",
    "Lunch Box",
    "Main Server Chassis",
    "Expansion Chassis",
    "Sub Chassis",
    "Bus Expansion Chassis",
    "Peripheral Chassis",
    "RAID Chassis",
    "Rack Mount Chassis",
    "Sealed-case PC",
    "Multi-system Chassis",
    "Compact PCI",
    "Advanced TCA",
    "Blade",
    "Blade Enclosure",
    "Tablet",
    "Convertible",
    "Detachable",
    "IoT Gateway",
    "Embedded PC",
    "Mini PC",
    "Stick PC",
];

fn text(field: Option<&Field>) -> Option<String> {
    field.and_then(Field::text)
}

fn object(fields: &[(&str, Option<String>)], custom: &[Field]) -> Map<String, Value> {
    let mut out: Map<String, Value> = fields
        .iter()
        .filter_map(|(name, value)| Some(((*name).to_owned(), Value::String(value.clone()?))))
        .collect();
    let custom: Vec<Value> = custom
        .iter()
        .filter_map(Field::text)
        .map(Value::String)
        .collect();
    if !custom.is_empty() {
        out.insert("custom".to_owned(), Value::Array(custom));
    }
    out
}

impl Chassis {
    /// The specification's word for the chassis type.
    pub fn kind_name(&self) -> Option<&'static str> {
        let index = usize::from(self.kind).checked_sub(1)?;
        CHASSIS.get(index).copied()
    }

    fn json(&self) -> Map<String, Value> {
        let kind = match self.kind_name() {
            Some(name) => name.to_owned(),
            None => format!("{:#04x}", self.kind),
        };
        object(
            &[
                ("type", Some(kind)),
                ("part_number", text(self.part_number.as_ref())),
                ("serial_number", text(self.serial.as_ref())),
            ],
            &self.custom,
        )
    }
}

impl Board {
    fn json(&self) -> Map<String, Value> {
        object(
            &[
                ("mfg_date", self.mfg_unix().map(rfc3339)),
                ("manufacturer", text(self.manufacturer.as_ref())),
                ("product_name", text(self.product_name.as_ref())),
                ("serial_number", text(self.serial.as_ref())),
                ("part_number", text(self.part_number.as_ref())),
                ("fru_file_id", text(self.fru_file_id.as_ref())),
            ],
            &self.custom,
        )
    }
}

impl Product {
    fn json(&self) -> Map<String, Value> {
        object(
            &[
                ("manufacturer", text(self.manufacturer.as_ref())),
                ("product_name", text(self.product_name.as_ref())),
                ("part_number", text(self.part_number.as_ref())),
                ("version", text(self.version.as_ref())),
                ("serial_number", text(self.serial.as_ref())),
                ("asset_tag", text(self.asset_tag.as_ref())),
                ("fru_file_id", text(self.fru_file_id.as_ref())),
            ],
            &self.custom,
        )
    }
}

fn volts(ten_millivolts: impl Into<f64>) -> f64 {
    ten_millivolts.into() / 100.0
}

fn psu_json(psu: &PowerSupplyInformation) -> Value {
    let range = |(low, high): (u16, u16)| (high != 0).then(|| [volts(low), volts(high)]);
    json!({
        "capacity_watts": psu.capacity_watts,
        "peak_va": psu.peak_va,
        "inrush_amperes": psu.inrush_amperes,
        "inrush_ms": psu.inrush_ms,
        "input_volts_1": range(psu.input_range_1),
        "input_volts_2": range(psu.input_range_2),
        "input_hertz": [psu.input_hertz.0, psu.input_hertz.1],
        "dropout_ms": psu.dropout_ms,
        "predictive_fail": psu.flags & 0x01 != 0,
        "power_factor_correction": psu.flags & 0x02 != 0,
        "autoswitch": psu.flags & 0x04 != 0,
        "hot_swap": psu.flags & 0x08 != 0,
        "peak_watts": psu.peak_watts,
        "peak_hold_up_seconds": psu.peak_hold_up_seconds,
        "combined_watts": psu.combined_watts,
    })
}

fn dc_json(dc: DcOutput) -> Value {
    let amperes = |milliamperes: u16| f64::from(milliamperes) / 1000.0;
    json!({
        "number": dc.number,
        "standby": dc.standby,
        "nominal_volts": volts(dc.nominal),
        "min_volts": volts(dc.minimum),
        "max_volts": volts(dc.maximum),
        "ripple_millivolts": dc.ripple,
        "min_amperes": amperes(dc.min_current),
        "max_amperes": amperes(dc.max_current),
    })
}

fn access_json(access: &ManagementAccess) -> Value {
    let (kind, encoding) = match access.kind {
        1 => ("system management URL", Encoding::Latin1),
        2 => ("system name", Encoding::Latin1),
        3 => ("system ping address", Encoding::Latin1),
        4 => ("component management URL", Encoding::Latin1),
        5 => ("component name", Encoding::Latin1),
        6 => ("component ping address", Encoding::Latin1),
        7 => ("system unique ID", Encoding::Binary),
        _ => ("reserved", Encoding::Binary),
    };
    json!({ "kind": kind, "value": decode(encoding, &access.data) })
}

fn compatibility_json(base: &BaseCompatibility) -> Value {
    json!({
        "manufacturer_id": base.manufacturer,
        "entity_id": base.entity,
        "base": base.base,
        "start": base.start,
        "mask": hex(&base.mask),
    })
}

impl MultiRecord {
    fn json(&self) -> Value {
        let (name, value) = match &self.body {
            RecordBody::PowerSupply(psu) => ("power supply information", psu_json(psu)),
            RecordBody::DcOutput(output) => ("DC output", dc_json(*output)),
            RecordBody::DcLoad(load) => ("DC load", dc_json(*load)),
            RecordBody::ManagementAccess(access) => ("management access", access_json(access)),
            RecordBody::BaseCompatibility(base) => ("base compatibility", compatibility_json(base)),
            RecordBody::ExtendedCompatibility(base) => {
                ("extended compatibility", compatibility_json(base))
            }
            RecordBody::Oem { manufacturer } => ("OEM", json!({ "manufacturer_id": manufacturer })),
            RecordBody::Other => ("unknown", json!({})),
        };
        let mut out = Map::new();
        out.insert("type".to_owned(), name.into());
        out.insert("type_id".to_owned(), self.kind.into());
        if let Value::Object(fields) = value {
            out.extend(fields);
        }
        if matches!(self.body, RecordBody::Oem { .. } | RecordBody::Other) {
            out.insert("raw".to_owned(), hex(&self.raw).into());
        }
        Value::Object(out)
    }
}

impl Fru {
    /// The public form of device `id`.
    pub fn device(&self, id: u8, name: String) -> FruDevice {
        FruDevice {
            id,
            name,
            chassis: self.chassis.as_ref().map(Chassis::json),
            board: self.board.as_ref().map(Board::json),
            product: self.product.as_ref().map(Product::json),
            multirecord: self.multirecords.iter().map(MultiRecord::json).collect(),
            warnings: self.warnings.iter().map(ToString::to_string).collect(),
        }
    }

    /// Product name; the board's where the product has none.
    pub fn model(&self) -> Option<String> {
        let product = self.product.as_ref().and_then(|p| p.product_name.as_ref());
        let board = self.board.as_ref().and_then(|b| b.product_name.as_ref());
        text(product).or_else(|| text(board))
    }

    /// The eight fields of metal-stack, as far as this device has them.
    pub fn summary(&self) -> FruSummary {
        let chassis = self.chassis.as_ref();
        let board = self.board.as_ref();
        let product = self.product.as_ref();
        FruSummary {
            chassis_part_number: text(chassis.and_then(|c| c.part_number.as_ref())),
            chassis_part_serial: text(chassis.and_then(|c| c.serial.as_ref())),
            board_mfg: text(board.and_then(|b| b.manufacturer.as_ref())),
            board_mfg_serial: text(board.and_then(|b| b.serial.as_ref())),
            board_part_number: text(board.and_then(|b| b.part_number.as_ref())),
            product_manufacturer: text(product.and_then(|p| p.manufacturer.as_ref())),
            product_part_number: text(product.and_then(|p| p.part_number.as_ref())),
            product_serial: text(product.and_then(|p| p.serial.as_ref())),
        }
    }
}
