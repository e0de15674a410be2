//! Which of the logs is the event log.

use std::sync::Arc;

use super::super::read::{last_segment, optional};
use crate::hal::error::Result;
use crate::hal::model::Cx;
use crate::hal::model::order::Order;
use crate::hal::redfish::{Client, Resource};

/// Log services that are looked at, at most.
const MOST: usize = 24;

/// The logs of the system, then those of its manager, the likeliest first.
pub(super) async fn candidates(client: &Client, cx: &Cx) -> Result<Vec<String>> {
    let system = client.system(cx).await?;
    let mut paths = services(client, cx, &system).await?;
    if !paths.iter().any(|path| certain(path)) {
        let manager = client.manager(cx).await?;
        for path in services(client, cx, &manager).await? {
            if !paths.contains(&path) {
                paths.push(path);
            }
        }
    }
    paths.truncate(MOST);
    // Where the names tell, nothing more is read for the choice.
    let named = paths.iter().any(|path| certain(path));
    let mut ranked = Vec::new();
    for path in paths {
        let mut rank = by_name(last_segment(&path));
        if !named && rank > 0 {
            match optional(client, cx, Some(path.clone())).await? {
                Some(log) => rank += by_content(&log),
                None => continue,
            }
        }
        if rank > 0 {
            ranked.push((rank, path));
        }
    }
    ranked.order_by_key(|(rank, _)| std::cmp::Reverse(*rank));
    Ok(ranked.into_iter().map(|(_, path)| path).collect())
}

async fn services(client: &Client, cx: &Cx, of: &Arc<Resource>) -> Result<Vec<String>> {
    let collection = optional(client, cx, of.link("/LogServices")).await?;
    Ok(collection.map(|c| c.links("/Members")).unwrap_or_default())
}

fn certain(path: &str) -> bool {
    by_name(last_segment(path)) >= 80
}

/// What the name of a log says: the System Event Log, what vendors have in its place (HPE's IML, Lenovo's PlatformLog),
/// a log of events of some kind, or one that is about something else (0).
fn by_name(id: &str) -> u32 {
    let id = id.to_ascii_lowercase();
    match id.as_str() {
        "sel" => 100,
        "systemeventlog" | "ipmisel" | "sel_log" => 95,
        "iml" => 90,
        "platformlog" => 60,
        "eventlog" | "event_log" => 50,
        "log1" | "log" | "1" | "bmceventlog" => 40,
        "event" | "activelog" | "bios" | "internaleventlog" => 20,
        _ if other(&id) => 0,
        _ => 10,
    }
}

fn other(id: &str) -> bool {
    const OTHER: &[&str] = &[
        "audit",
        "security",
        "journal",
        "dump",
        "diag",
        "lclog",
        "fault",
        "postcode",
        "debug",
        "hostlogger",
        "fdr",
        "maintenance",
        "telemetry",
        "crash",
        "iel",
        "console",
        "decoded",
        "salog",
        "redfish",
        "sol",
    ];
    id == "sl" || OTHER.iter().any(|word| id.contains(word))
}

/// What the log service says of itself.
fn by_content(log: &Resource) -> u32 {
    let sel = log.str("/LogEntryType") == Some("SEL");
    let clears = log.has("/Actions/#LogService.ClearLog");
    let name = log.str("/Name").unwrap_or_default().to_ascii_lowercase();
    u32::from(sel) * 30
        + u32::from(clears) * 5
        + u32::from(name.contains("sel") || name.contains("system event")) * 10
}
