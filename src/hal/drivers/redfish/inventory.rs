//! FRU devices as Redfish shows them: the machine itself (chassis and system), and what its assembly lists.

use std::sync::Arc;
use std::time::Instant;

use serde_json::{Map, Value};

use super::read::{optional, parts};
use super::{meaningful, reading};
use crate::hal::caps::Inventory;
use crate::hal::error::{Error, Kind, Result};
use crate::hal::model::fru::FruDevice;
use crate::hal::model::{BoxFuture, Cx, Reading};
use crate::hal::redfish::{Client, Resource};

/// FRU devices over Redfish.
pub(crate) struct RedfishInventory(pub(crate) Arc<Client>);

impl Inventory for RedfishInventory {
    fn fru<'a>(
        &'a self,
        cx: &'a Cx,
        id: Option<u8>,
    ) -> BoxFuture<'a, Result<Reading<Vec<FruDevice>>>> {
        Box::pin(async move {
            let start = Instant::now();
            let client = &*self.0;
            let system = client.system(cx).await?;
            let chassis = match client.chassis(cx).await {
                Ok(chassis) => Some(chassis),
                Err(error) if error.kind() == Kind::Unsupported => None,
                Err(error) => return Err(error),
            };
            let mut devices = vec![machine(&system, chassis.as_deref())];
            let assembly = chassis.as_ref().and_then(|c| c.link("/Assembly"));
            if id != Some(0)
                && let Some(assembly) = optional(client, cx, assembly).await?
            {
                let list = parts(&assembly, "/Assemblies");
                for (part, id) in list.iter().zip(1..=u8::MAX) {
                    devices.extend(assembled(part, id));
                }
            }
            if let Some(id) = id {
                devices.retain(|device| device.id == id);
                if devices.is_empty() {
                    return Err(Error::new(
                        Kind::Refused,
                        format!("FRU {id}: this BMC has no such device"),
                    ));
                }
            }
            let at = chassis.as_ref().map_or(&system.path, |c| &c.path).clone();
            Ok(reading(client, start, at, devices))
        })
    }
}

/// Device 0: the product is the system, the chassis its case.
fn machine(system: &Resource, chassis: Option<&Resource>) -> FruDevice {
    let of_chassis = |pointer| chassis.and_then(|c| said(c, pointer));
    FruDevice {
        id: 0,
        name: said(system, "/Name").unwrap_or("System").to_owned(),
        chassis: area(&[
            ("type", of_chassis("/ChassisType")),
            ("part_number", of_chassis("/PartNumber")),
            ("serial_number", of_chassis("/SerialNumber")),
        ]),
        board: None,
        product: area(&[
            ("manufacturer", said(system, "/Manufacturer")),
            ("product_name", said(system, "/Model")),
            (
                "part_number",
                said(system, "/PartNumber").or_else(|| said(system, "/SKU")),
            ),
            ("serial_number", said(system, "/SerialNumber")),
            ("asset_tag", said(system, "/AssetTag")),
        ]),
        multirecord: Vec::new(),
        warnings: Vec::new(),
    }
}

/// One part of the assembly; `None` where nothing is known of it.
fn assembled(part: &Resource, id: u8) -> Option<FruDevice> {
    let name = said(part, "/Name").or_else(|| said(part, "/Model"))?;
    let board = area(&[
        ("mfg_date", said(part, "/ProductionDate")),
        (
            "manufacturer",
            said(part, "/Producer").or_else(|| said(part, "/Vendor")),
        ),
        ("product_name", said(part, "/Model")),
        ("serial_number", said(part, "/SerialNumber")),
        ("part_number", said(part, "/PartNumber")),
    ])?;
    Some(FruDevice {
        id,
        name: name.to_owned(),
        chassis: None,
        board: Some(board),
        product: None,
        multirecord: Vec::new(),
        warnings: Vec::new(),
    })
}

/// The text, unless it only holds a place.
fn said<'a>(resource: &'a Resource, pointer: &str) -> Option<&'a str> {
    resource.str(pointer).and_then(meaningful)
}

/// The area with the fields that are known; `None` without any.
fn area(fields: &[(&str, Option<&str>)]) -> Option<Map<String, Value>> {
    let known: Map<String, Value> = fields
        .iter()
        .filter_map(|(name, value)| Some(((*name).to_owned(), Value::from((*value)?))))
        .collect();
    (!known.is_empty()).then_some(known)
}

#[cfg(test)]
mod tests;
