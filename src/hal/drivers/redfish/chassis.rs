//! The chassis of a machine: its own, and those beside it where its own is only a component.

use std::sync::Arc;

use super::read::optional;
use crate::hal::error::Result;
use crate::hal::model::Cx;
use crate::hal::model::order::Order;
use crate::hal::redfish::{Client, Resource};

/// Chassis beside the machine's own that are read at most: an NVIDIA GB200 has 42, a DGX H100 47.
const MOST: usize = 64;

/// Is it a whole machine? Enclosures and racks hold several, components and modules are parts of one.
pub(super) fn is_whole(chassis: &Resource) -> bool {
    matches!(
        chassis.str("/ChassisType"),
        Some("RackMount" | "Blade" | "Sled" | "Shelf" | "StandAlone" | "Tower" | "Card")
    )
}

/// Is it only a part, so that what concerns the machine may stand at another chassis (NVIDIA links the system to
/// the BMC's module)?
pub(super) fn is_part(chassis: &Resource) -> bool {
    matches!(
        chassis.str("/ChassisType"),
        Some("Component" | "Module" | "Zone" | "Cartridge" | "Row")
    )
}

/// The machine's own chassis and, where that is only a part, the others; whole ones first.
pub(super) async fn all(client: &Client, cx: &Cx) -> Result<Vec<Arc<Resource>>> {
    let own = client.chassis(cx).await?;
    if !is_part(&own) {
        return Ok(vec![own]);
    }
    let mut others = Vec::new();
    let root = client.root(cx).await?;
    if let Some(collection) = optional(client, cx, root.link("/Chassis")).await? {
        for path in collection.links("/Members").into_iter().take(MOST) {
            if path != own.path {
                others.extend(optional(client, cx, Some(path)).await?);
            }
        }
    }
    others.order_by_key(|c| !is_whole(c));
    others.insert(0, own);
    Ok(others)
}
