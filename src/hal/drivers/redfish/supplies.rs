//! Power supplies: `Power`, or `PowerSubsystem` with one resource each.

use std::sync::Arc;
use std::time::Instant;

use super::read::{is_absent, members, optional, parts};
use super::{chassis, meaningful, reading, unsupported};
use crate::hal::caps::Supplies;
use crate::hal::error::Result;
use crate::hal::model::metrics::PowerSupply;
use crate::hal::model::{BoxFuture, Cx, Reading};
use crate::hal::redfish::{Client, Resource};

/// Power supplies over Redfish.
pub(crate) struct RedfishSupplies(pub(crate) Arc<Client>);

impl Supplies for RedfishSupplies {
    fn power_supplies<'a>(
        &'a self,
        cx: &'a Cx,
    ) -> BoxFuture<'a, Result<Reading<Vec<PowerSupply>>>> {
        Box::pin(async move {
            let start = Instant::now();
            let client = &*self.0;
            let all = chassis::all(client, cx).await?;
            for (n, chassis) in all.iter().enumerate() {
                if n > 0 && !chassis::is_whole(chassis) {
                    continue;
                }
                if let Some((at, supplies)) = of_chassis(client, cx, chassis).await? {
                    return Ok(reading(client, start, at, supplies));
                }
            }
            Err(unsupported(
                "power supplies",
                "this BMC lists none for the machine",
            ))
        })
    }
}

/// `Power` is one request for all of them; where it lists none, `PowerSubsystem`.
async fn of_chassis(
    client: &Client,
    cx: &Cx,
    chassis: &Resource,
) -> Result<Option<(String, Vec<PowerSupply>)>> {
    if let Some(power) = optional(client, cx, chassis.link("/Power")).await? {
        let supplies = parts(&power, "/PowerSupplies");
        if !supplies.is_empty() {
            return Ok(Some((power.at("PowerSupplies"), named(&supplies))));
        }
    }
    let found = subsystem(client, cx, chassis).await?;
    Ok(found.map(|(at, members)| {
        let supplies: Vec<&Resource> = members.iter().map(AsRef::as_ref).collect();
        (at, named(&supplies))
    }))
}

/// The members of `PowerSubsystem/PowerSupplies` and where they stand; `None` where there are none.
pub(super) async fn subsystem(
    client: &Client,
    cx: &Cx,
    chassis: &Resource,
) -> Result<Option<(String, Vec<Arc<Resource>>)>> {
    let Some(subsystem) = optional(client, cx, chassis.link("/PowerSubsystem")).await? else {
        return Ok(None);
    };
    let Some(link) = subsystem.link("/PowerSupplies") else {
        return Ok(None);
    };
    let members = match members(client, cx, &link).await {
        Ok(members) => members.into_iter().filter_map(Result::ok).collect(),
        Err(error) if is_absent(&error) => Vec::new(),
        Err(error) => return Err(error),
    };
    Ok((!members.is_empty()).then_some((link, members)))
}

/// Supplies with names that differ: HPE gives all of them the same one.
fn named<R: std::borrow::Borrow<Resource>>(supplies: &[R]) -> Vec<PowerSupply> {
    let names: Vec<Option<&str>> = supplies
        .iter()
        .map(|s| s.borrow().str("/Name").and_then(meaningful))
        .collect();
    supplies
        .iter()
        .zip(&names)
        .enumerate()
        .map(|(n, (supply, name))| {
            let supply = supply.borrow();
            let unique = name.is_some() && names.iter().filter(|other| *other == name).count() == 1;
            let number = supply
                .str("/MemberId")
                .or_else(|| supply.str("/Id"))
                .map_or_else(|| n.to_string(), str::to_owned);
            PowerSupply {
                name: match name {
                    Some(name) if unique => (*name).to_owned(),
                    Some(name) => format!("{name} {number}"),
                    None => format!("Power Supply {number}"),
                },
                health: supply.str("/Status/Health").map(str::to_owned),
                state: supply.str("/Status/State").map(str::to_owned),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests;
