//! The eight fields of metal-stack, from System, Chassis and Assembly.

use std::sync::Arc;

use serde_json::Value;

use super::super::placeholder::meaningful;
use super::{is_answer, text};
use crate::hal::error::Result;
use crate::hal::model::Cx;
use crate::hal::model::fru::FruSummary;
use crate::hal::redfish::{Client, Resource};

/// How deep a vendor's part of a resource is searched.
const DEPTH: usize = 4;

/// Fills the fields. `chassis` is absent where the BMC shows none.
pub(super) async fn read(
    client: &Client,
    cx: &Cx,
    system: &Resource,
    chassis: Option<&Arc<Resource>>,
) -> Result<FruSummary> {
    let of_chassis = |pointer: &str| chassis.and_then(|c| text(c, pointer));
    let sku_is_serial = client.quirks().serial_is_sku;
    let part = text(system, "/PartNumber");
    let mut fru = FruSummary {
        chassis_part_number: of_chassis("/PartNumber"),
        chassis_part_serial: of_chassis("/SerialNumber"),
        product_manufacturer: text(system, "/Manufacturer").or_else(|| of_chassis("/Manufacturer")),
        product_serial: serial(client, system, chassis.map(|c| &**c)),
        ..FruSummary::default()
    };
    if sku_is_serial {
        // What System calls its own is the system board's.
        fru.board_part_number = part;
        fru.board_mfg_serial = text(system, "/SerialNumber");
        fru.product_part_number = text(system, "/Model");
    } else {
        fru.product_part_number = part
            .or_else(|| text(system, "/SKU").filter(|sku| !sku.starts_with("0x")))
            .or_else(|| text(system, "/Model"));
        fru.board_part_number = client
            .quirks()
            .board_part_at
            .iter()
            .find_map(|pointer| of_chassis(pointer));
    }
    let oem = |key: &str| {
        let of = |r: &Resource| r.json.get("Oem").and_then(|oem| find(oem, key, DEPTH));
        chassis.and_then(|c| of(c)).or_else(|| of(system))
    };
    fru.board_mfg_serial = fru
        .board_mfg_serial
        .or_else(|| oem("boardserialnumber"))
        .or_else(|| oem("systemboardserialnumber"));
    if fru.board_part_number.is_none()
        && let Some(list) = chassis.and_then(|c| c.link("/Assembly"))
    {
        board(client, cx, &list, &mut fru).await?;
    }
    if fru.board_part_number.is_some() || fru.board_mfg_serial.is_some() {
        fru.board_mfg = fru.board_mfg.or_else(|| fru.product_manufacturer.clone());
    }
    Ok(fru)
}

/// The serial number of the machine: what is printed on it.
pub(super) fn serial(
    client: &Client,
    system: &Resource,
    chassis: Option<&Resource>,
) -> Option<String> {
    let sku = client
        .quirks()
        .serial_is_sku
        .then(|| text(system, "/SKU"))
        .flatten();
    let whole = chassis.filter(|c| {
        matches!(
            c.str("/ChassisType"),
            Some("RackMount" | "Sled" | "Blade" | "StandAlone" | "Tower" | "Shelf" | "Enclosure")
        )
    });
    sku.or_else(|| text(system, "/SerialNumber"))
        .or_else(|| whole.and_then(|c| text(c, "/SerialNumber")))
}

/// The date of the firmware, where the vendor's part of System tells it.
pub(super) fn bios_date(system: &Resource) -> Option<String> {
    let version = system.str("/BiosVersion").unwrap_or_default();
    let in_version = version
        .split(['(', ')'])
        .map(str::trim)
        .find(|part| is_date(part))
        .map(str::to_owned);
    in_version.or_else(|| find(system.json.get("Oem")?, "biosreleasedate", DEPTH))
}

/// `09/14/2022`
fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('/').collect();
    let lengths: Vec<usize> = parts.iter().map(|p| p.len()).collect();
    lengths == [2, 2, 4] && parts.iter().all(|p| p.bytes().all(|b| b.is_ascii_digit()))
}

/// The system board among the parts of a chassis.
async fn board(client: &Client, cx: &Cx, list: &str, fru: &mut FruSummary) -> Result<()> {
    let assembly = match client.get(cx, list).await {
        Ok(assembly) => assembly,
        Err(error) if is_answer(&error) => {
            log::debug!("{list}: {}", error.chain());
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    let parts = assembly.list("/Assemblies");
    let Some(part) = parts.into_iter().find(|part| is_system_board(part)) else {
        return Ok(());
    };
    let get = |key: &str| {
        part.get(key)?
            .as_str()
            .and_then(meaningful)
            .map(str::to_owned)
    };
    fru.board_part_number = get("PartNumber");
    fru.board_mfg = get("Producer").or_else(|| get("Vendor"));
    fru.board_mfg_serial = fru.board_mfg_serial.take().or_else(|| get("SerialNumber"));
    Ok(())
}

fn is_system_board(part: &Value) -> bool {
    let is = |key: &str, words: &[&str]| {
        part.get(key).and_then(Value::as_str).is_some_and(|text| {
            let text = text.to_ascii_lowercase().replace([' ', '_'], "");
            words.iter().any(|w| text.contains(w))
        })
    };
    is("PhysicalContext", &["systemboard"])
        || is("Model", &["systemplanar", "motherboard", "systemboard"])
        || is(
            "Name",
            &["systemboard", "motherboard", "mainboard", "baseboard"],
        )
}

/// The text under a key (lower case, without blanks) somewhere in a vendor's object.
fn find(value: &Value, key: &str, depth: usize) -> Option<String> {
    let map = value.as_object()?;
    let plain = |k: &String| k.to_ascii_lowercase().replace([' ', '_'], "");
    if let Some((_, found)) = map.iter().find(|(k, _)| plain(k) == key) {
        return found.as_str().and_then(meaningful).map(str::to_owned);
    }
    if depth == 0 {
        return None;
    }
    map.values().find_map(|inner| find(inner, key, depth - 1))
}
