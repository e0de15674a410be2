//! Sensors: `Thermal` and `Power` (two requests for all of a chassis), else its collection of sensors, else
//! `ThermalSubsystem`.

mod classic;
mod modern;
mod words;

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::read::{optional, parts};
use super::{chassis, reading, unsupported};
use crate::hal::caps::Sensors;
use crate::hal::error::Result;
use crate::hal::model::sensor::SensorValue;
use crate::hal::model::{BoxFuture, Cx, Reading};
use crate::hal::redfish::{Client, Resource};

/// Sensors that are read one by one at most. A BMC takes 20 to 200 ms for each.
const MOST: usize = 160;
/// Time that is kept for what comes after: with less left, no more sensors are asked for.
const RESERVE: Duration = Duration::from_millis(1500);

/// Sensors over Redfish.
pub(crate) struct RedfishSensors(pub(crate) Arc<Client>);

impl Sensors for RedfishSensors {
    fn sensors<'a>(
        &'a self,
        cx: &'a Cx,
        _live_thresholds: bool,
    ) -> BoxFuture<'a, Result<Reading<Vec<SensorValue>>>> {
        Box::pin(async move {
            let start = Instant::now();
            let client = &*self.0;
            let mut walk = Walk {
                client,
                cx,
                left: MOST,
                skipped: 0,
                expands: true,
                places: Vec::new(),
            };
            let mut sensors = Vec::new();
            for (n, chassis) in chassis::all(client, cx).await?.iter().enumerate() {
                let found = walk.of_chassis(chassis).await?;
                // Other chassis are only there where the machine's own is a part; with a whole one found, that is enough.
                let enough = n > 0 && chassis::is_whole(chassis) && found.len() > 4;
                sensors.extend(found);
                if enough && walk.left == 0 {
                    break;
                }
            }
            if sensors.is_empty() {
                return Err(unsupported("sensors", "the machine's chassis has none"));
            }
            Ok(reading(client, start, walk.at(), sensors))
        })
    }
}

/// One walk over the chassis, with what it may still ask for.
struct Walk<'a> {
    client: &'a Client,
    cx: &'a Cx,
    /// Requests for single sensors that are left.
    left: usize,
    /// Sensors that were not asked for.
    skipped: usize,
    /// No sign yet that this BMC ignores `$expand`.
    expands: bool,
    places: Vec<String>,
}

impl Walk<'_> {
    async fn of_chassis(&mut self, chassis: &Resource) -> Result<Vec<SensorValue>> {
        let mut found = Vec::new();
        if let Some(thermal) = optional(self.client, self.cx, chassis.link("/Thermal")).await? {
            self.keep(&thermal.path, classic::of_thermal(&thermal), &mut found);
        }
        if let Some(power) = optional(self.client, self.cx, chassis.link("/Power")).await? {
            self.keep(&power.path, classic::of_power(&power), &mut found);
        }
        if !found.is_empty() {
            return Ok(found);
        }
        if let Some(link) = chassis.link("/Sensors") {
            let members = self.members(&link).await?;
            let values = members
                .iter()
                .filter_map(|m| modern::of_sensor(m))
                .collect();
            self.keep(&link, values, &mut found);
        }
        if found.is_empty() {
            self.subsystem(chassis, &mut found).await?;
        }
        Ok(found)
    }

    /// `ThermalSubsystem`: fans one by one, temperatures all at once.
    async fn subsystem(&mut self, chassis: &Resource, found: &mut Vec<SensorValue>) -> Result<()> {
        let link = chassis.link("/ThermalSubsystem");
        let Some(thermal) = optional(self.client, self.cx, link).await? else {
            return Ok(());
        };
        if let Some(link) = thermal.link("/Fans") {
            let fans = self.members(&link).await?;
            let values = fans.iter().filter_map(|f| modern::of_fan(f)).collect();
            self.keep(&link, values, found);
        }
        let link = thermal.link("/ThermalMetrics");
        if let Some(metrics) = optional(self.client, self.cx, link).await? {
            self.keep(&metrics.path, modern::of_thermal_metrics(&metrics), found);
        }
        Ok(())
    }

    fn keep(&mut self, place: &str, values: Vec<SensorValue>, found: &mut Vec<SensorValue>) {
        if !values.is_empty() {
            self.places.push(place.to_owned());
            found.extend(values);
        }
    }

    /// The members of a collection: all in one answer where the BMC expands, else one by one while requests and
    /// time are left.
    async fn members(&mut self, link: &str) -> Result<Vec<Arc<Resource>>> {
        if let Some(query) = self.client.quirks().expand.filter(|_| self.expands) {
            let expanded = format!("{link}?$expand={query}");
            if let Some(all) = optional(self.client, self.cx, Some(expanded)).await? {
                let members = parts(&all, "/Members");
                if members.iter().any(|m| m.has("/Name")) {
                    return Ok(members.into_iter().map(Arc::new).collect());
                }
                // An empty collection says nothing about it.
                self.expands = members.is_empty();
            }
        }
        let Some(collection) = optional(self.client, self.cx, Some(link.to_owned())).await? else {
            return Ok(Vec::new());
        };
        let mut members = Vec::new();
        for path in collection.links("/Members") {
            let late = self.cx.deadline.saturating_duration_since(Instant::now()) < RESERVE;
            if self.left == 0 || late {
                self.skipped += 1;
                continue;
            }
            self.left -= 1;
            members.extend(optional(self.client, self.cx, Some(path)).await?);
        }
        Ok(members)
    }

    /// Where it was read, and how much was left out.
    fn at(&self) -> String {
        let first = self.places.first().map(String::as_str).unwrap_or_default();
        let mut at = match self.places.len() {
            0 | 1 => first.to_owned(),
            n => format!("{first} and {} more", n - 1),
        };
        if self.skipped > 0 {
            let cut = format!("cut: {} sensors were not asked for", self.skipped);
            log::warn!("sensors of {first}: {cut}");
            at = format!("{at} ({cut})");
        }
        at
    }
}

#[cfg(test)]
mod tests;
