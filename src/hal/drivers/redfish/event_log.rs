//! The event log: the log service that holds the System Event Log, or what the BMC has instead of it.

mod choose;
mod entry;
mod time;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Instant;

use super::read::{is_absent, last_segment, optional, part};
use super::{reading, unsupported};
use crate::hal::caps::EventLog;
use crate::hal::error::{Error, Result};
use crate::hal::model::event::LogEntry;
use crate::hal::model::{BoxFuture, Cx, Reading};
use crate::hal::redfish::{Client, Resource};

/// Entries that are kept at most, and pages that are read for them.
const MOST_ENTRIES: usize = 8192;
const MOST_PAGES: usize = 256;
/// Entries that are read one by one at most, where the collection only links to them: the newest are at its end
/// on most BMCs.
const MOST_LINKED: usize = 128;

/// Logs that may be the event log, the best first.
pub(super) async fn candidates(client: &Client, cx: &Cx) -> Result<Vec<String>> {
    choose::candidates(client, cx).await
}

/// The event log over Redfish.
pub(crate) struct RedfishEventLog(pub(crate) Arc<Client>);

impl EventLog for RedfishEventLog {
    fn entries<'a>(&'a self, cx: &'a Cx) -> BoxFuture<'a, Result<Reading<Vec<LogEntry>>>> {
        Box::pin(async move {
            let start = Instant::now();
            let client = &*self.0;
            let mut refused = None;
            for path in choose::candidates(client, cx).await? {
                match entries_of(client, cx, &path).await {
                    Ok((at, entries)) => {
                        return Ok(reading(client, start, at, entry::sorted(entries)));
                    }
                    // A link that leads nowhere: the next log may be there.
                    Err(error) if is_absent(&error) => {
                        log::debug!("{}", error.chain());
                        refused.get_or_insert(error);
                    }
                    Err(error) => return Err(error),
                }
            }
            Err(refused.map_or_else(none, |error| error.context("event log")))
        })
    }

    fn clear<'a>(&'a self, cx: &'a Cx) -> BoxFuture<'a, Result<Reading<()>>> {
        Box::pin(async move {
            let start = Instant::now();
            let client = &*self.0;
            for path in choose::candidates(client, cx).await? {
                // Only the log that `entries` shows is cleared: the first whose entries are there.
                let Some(log) = optional(client, cx, Some(path)).await? else {
                    continue;
                };
                if optional(client, cx, Some(entries_link(&log)))
                    .await?
                    .is_none()
                {
                    continue;
                }
                let at = clear(client, cx, &log).await?;
                return Ok(reading(client, start, at, ()));
            }
            Err(none())
        })
    }
}

async fn entries_of(client: &Client, cx: &Cx, path: &str) -> Result<(String, Vec<LogEntry>)> {
    let log = client.get(cx, path).await?;
    let link = entries_link(&log);
    let entries = read(client, cx, &link).await?;
    Ok((link, entries))
}

fn entries_link(log: &Resource) -> String {
    log.link("/Entries")
        .unwrap_or_else(|| format!("{}/Entries", log.path.trim_end_matches('/')))
}

/// `LogService.ClearLog`, with what the action demands.
async fn clear(client: &Client, cx: &Cx, log: &Resource) -> Result<String> {
    const ACTION: &str = "#LogService.ClearLog";
    if !log.has(&format!("/Actions/{ACTION}")) {
        // Nothing was done: IPMI may do it.
        return Err(unsupported(
            &format!("clearing {}", log.path),
            "this log has no ClearLog",
        ));
    }
    let wanted = client.action_values(cx, log, ACTION, "ClearType").await?;
    let all = wanted.and_then(|values| values.into_iter().find(|v| v.contains("All")));
    let body = match all {
        Some(value) => serde_json::json!({ "ClearType": value }),
        None => serde_json::json!({}),
    };
    client.action(cx, log, ACTION, body).await?;
    Ok(log.at("ClearLog"))
}

/// All entries behind `link`, page by page.
async fn read(client: &Client, cx: &Cx, link: &str) -> Result<Vec<LogEntry>> {
    let mut entries = Vec::new();
    let mut linked = Vec::new();
    let mut seen = HashSet::new();
    let mut listed = HashSet::new();
    let mut next = Some(link.to_owned());
    while let Some(page) = next.take() {
        if !seen.insert(page.clone()) || seen.len() > MOST_PAGES {
            log::warn!("{page}: the pages of this log do not end");
            break;
        }
        let collection = match client.get(cx, &page).await {
            // A page that is missing costs what is on it, not the rest.
            Err(error) if is_absent(&error) && seen.len() > 1 => {
                log::warn!("{}", error.chain());
                break;
            }
            other => other?,
        };
        for (n, member) in collection.list("/Members").into_iter().enumerate() {
            let place = format!("/Members/{n}");
            // Pages that overlap, or that are all the first one, list nothing twice.
            let id = member.pointer("/@odata.id").and_then(|id| id.as_str());
            if id.is_some_and(|id| !listed.insert(id.to_owned())) {
                continue;
            }
            if is_inline(member) {
                entries.extend(entry::of(&part(&collection, &place, member)));
            }
        }
        if entries.is_empty() {
            linked.extend(collection.links("/Members"));
        }
        if entries.len().max(linked.len()) >= MOST_ENTRIES {
            log::warn!("{link}: cut after {MOST_ENTRIES} entries");
            break;
        }
        next = collection
            .link("/Members@odata.nextLink")
            .or_else(|| collection.link("/@odata.nextLink"));
    }
    if entries.is_empty() {
        let skipped = linked.len().saturating_sub(MOST_LINKED);
        if skipped > 0 {
            log::warn!("{link}: cut, the first {skipped} entries were not read");
        }
        for path in linked.into_iter().skip(skipped) {
            if let Some(resource) = optional(client, cx, Some(path)).await? {
                entries.extend(entry::of(&resource));
            }
        }
    }
    Ok(entries)
}

/// A member that is the entry itself and not only a link to it.
fn is_inline(member: &serde_json::Value) -> bool {
    member
        .as_object()
        .is_some_and(|o| o.keys().any(|k| !k.starts_with("@odata.")))
}

/// "No log", with the reason.
fn none() -> Error {
    unsupported(
        "event log",
        "neither the system nor the manager has one that can be read",
    )
}

#[cfg(test)]
mod tests;
