//! Power consumption: `Power`, `EnvironmentMetrics`, or the sum of what the supplies take.

use std::sync::Arc;
use std::time::Instant;

use super::read::{optional, parts};
use super::{chassis, reading, supplies, unsupported};
use crate::hal::caps::Metrics;
use crate::hal::error::Result;
use crate::hal::model::metrics::PowerMetrics;
use crate::hal::model::{BoxFuture, Cx, Reading};
use crate::hal::redfish::{Client, Resource};

/// Watts over Redfish.
pub(crate) struct RedfishMetrics(pub(crate) Arc<Client>);

impl Metrics for RedfishMetrics {
    fn power_metrics<'a>(&'a self, cx: &'a Cx) -> BoxFuture<'a, Result<Reading<PowerMetrics>>> {
        Box::pin(async move {
            let start = Instant::now();
            let client = &*self.0;
            match find(client, cx).await? {
                Some((metrics, at)) => Ok(reading(client, start, at, metrics)),
                None => Err(unsupported(
                    "power metrics",
                    "no resource of this BMC says how much the machine consumes",
                )),
            }
        })
    }
}

type Found = (PowerMetrics, String);

async fn find(client: &Client, cx: &Cx) -> Result<Option<Found>> {
    let all = chassis::all(client, cx).await?;
    let machines: Vec<&Arc<Resource>> = all
        .iter()
        .enumerate()
        .filter(|(n, c)| *n == 0 || chassis::is_whole(c))
        .map(|(_, c)| c)
        .collect();
    for chassis in &machines {
        if let Some(found) = of_chassis(client, cx, chassis).await? {
            return Ok(Some(found));
        }
    }
    for chassis in &machines {
        if let Some(found) = sum_of_supplies(client, cx, chassis).await? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// `Power`, and `EnvironmentMetrics` where that does not tell the present consumption.
async fn of_chassis(client: &Client, cx: &Cx, chassis: &Resource) -> Result<Option<Found>> {
    let classic = match optional(client, cx, chassis.link("/Power")).await? {
        Some(power) => of_vendor(client, &power).or_else(|| of_power(&power)),
        None => None,
    };
    if matches!(&classic, Some((metrics, _)) if metrics.consumed_watts.is_some()) {
        return Ok(classic);
    }
    let Some(environment) = optional(client, cx, chassis.link("/EnvironmentMetrics")).await? else {
        return Ok(classic);
    };
    let Some(watts) = excerpt(client, cx, &environment, "/PowerWatts").await? else {
        return Ok(classic);
    };
    let metrics = PowerMetrics {
        consumed_watts: Some(watts),
        ..classic.map(|(metrics, _)| metrics).unwrap_or_default()
    };
    Ok(Some((metrics, environment.at("PowerWatts"))))
}

/// The `PowerControl` of the whole machine: the first that tells its consumption (Lenovo lists processors and
/// memory behind it), else the first that tells anything.
fn of_power(power: &Resource) -> Option<Found> {
    let read: Vec<(usize, PowerMetrics)> = parts(power, "/PowerControl")
        .iter()
        .enumerate()
        .map(|(n, control)| (n, of_control(control)))
        .filter(|(_, metrics)| is_measured(metrics))
        .collect();
    let (n, metrics) = read
        .iter()
        .find(|(_, metrics)| metrics.consumed_watts.is_some())
        .or(read.first())?;
    let property = if metrics.consumed_watts.is_some() {
        "PowerConsumedWatts"
    } else {
        "PowerMetrics"
    };
    let at = power.at(&format!("PowerControl/{n}/{property}"));
    Some((metrics.clone(), at))
}

fn of_control(control: &Resource) -> PowerMetrics {
    PowerMetrics {
        consumed_watts: watts(control, "/PowerConsumedWatts"),
        average_watts: watts(control, "/PowerMetrics/AverageConsumedWatts"),
        min_watts: watts(control, "/PowerMetrics/MinConsumedWatts"),
        max_watts: watts(control, "/PowerMetrics/MaxConsumedWatts"),
        interval_minutes: control
            .num("/PowerMetrics/IntervalInMin")
            .filter(|m| *m >= 0.0),
        supplies: Vec::new(),
    }
}

/// The vendor's part of `Power`, where that is the one that tells it.
fn of_vendor(client: &Client, power: &Resource) -> Option<Found> {
    let oem = client.quirks().oem_watts?;
    let place = oem.at.iter().find(|pointer| power.has(pointer))?;
    let [now, average, least, most] = oem
        .names
        .map(|name| watts(power, &format!("{place}/{name}")));
    let metrics = PowerMetrics {
        consumed_watts: now,
        average_watts: average,
        min_watts: least,
        max_watts: most,
        ..PowerMetrics::default()
    };
    is_measured(&metrics).then(|| (metrics, power.at(place.trim_start_matches('/'))))
}

/// Zeroes without a present consumption say that nothing is measured (DGX H100).
fn is_measured(metrics: &PowerMetrics) -> bool {
    let rest = [metrics.average_watts, metrics.min_watts, metrics.max_watts];
    metrics.consumed_watts.is_some() || rest.into_iter().flatten().any(|watts| watts > 0.0)
}

fn watts(resource: &Resource, pointer: &str) -> Option<f64> {
    resource.num(pointer).filter(|watts| *watts >= 0.0)
}

/// What the supplies take in, where every one that is there says so.
async fn sum_of_supplies(client: &Client, cx: &Cx, chassis: &Resource) -> Result<Option<Found>> {
    let Some((at, members)) = supplies::subsystem(client, cx, chassis).await? else {
        return Ok(None);
    };
    // What they give is less than what they take, but all that some tell (DGX H100).
    for property in ["InputPowerWatts", "OutputPowerWatts"] {
        if let Some(sum) = sum(client, cx, &members, property).await? {
            let metrics = PowerMetrics {
                consumed_watts: Some(sum),
                ..PowerMetrics::default()
            };
            return Ok(Some((metrics, format!("{at} sum of {property}"))));
        }
    }
    Ok(None)
}

/// The sum of a property of all supplies; `None` where one that is there does not tell it.
async fn sum(
    client: &Client,
    cx: &Cx,
    supplies: &[Arc<Resource>],
    property: &str,
) -> Result<Option<f64>> {
    let mut sum = None;
    for supply in supplies {
        if supply.str("/Status/State") == Some("Absent") {
            continue;
        }
        let Some(metrics) = optional(client, cx, supply.link("/Metrics")).await? else {
            return Ok(None);
        };
        match excerpt(client, cx, &metrics, &format!("/{property}")).await? {
            Some(watts) => sum = Some(sum.unwrap_or(0.0) + watts),
            None => return Ok(None),
        }
    }
    Ok(sum)
}

/// The reading of a sensor excerpt: its own, else that of the sensor that it names.
async fn excerpt(client: &Client, cx: &Cx, of: &Resource, pointer: &str) -> Result<Option<f64>> {
    if let Some(own) = watts(of, &format!("{pointer}/Reading")) {
        return Ok(Some(own));
    }
    let sensor = optional(client, cx, of.link(&format!("{pointer}/DataSourceUri"))).await?;
    Ok(sensor.and_then(|sensor| watts(&sensor, "/Reading")))
}

#[cfg(test)]
mod tests;
