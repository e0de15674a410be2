//! The job queue. A configuration job that waits for the next boot blocks changes of the BIOS, the boot mode among them.

use serde_json::json;

use crate::hal::error::{Error, Result};
use crate::hal::model::Cx;
use crate::hal::model::order::Order;
use crate::hal::redfish::Client;

/// The youngest jobs that are looked at.
const LOOK: usize = 16;

const SERVICE: &str = "/Links/Oem/Dell/DellJobService";
const DELETE: &str = "#DellJobService.DeleteJobQueue";

/// A configuration job that has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Job {
    pub(super) id: String,
    /// It changes the BIOS and waits for the next boot: nothing of it has happened.
    pub(super) waits: bool,
}

/// Configuration jobs that have not ended.
pub(super) async fn unfinished(client: &Client, cx: &Cx) -> Result<Vec<Job>> {
    let manager = client.manager(cx).await?;
    let path = manager
        .link("/Links/Oem/Dell/Jobs")
        .unwrap_or_else(|| format!("{}/Oem/Dell/Jobs", manager.path.trim_end_matches('/')));
    let mut paths = client.member_paths(cx, &path).await?;
    // Their ids grow with time.
    paths.order_by(Ord::cmp);
    let mut found = Vec::new();
    for path in paths.into_iter().rev().take(LOOK) {
        let Ok(job) = client.get(cx, &path).await else {
            continue;
        };
        let state = job
            .str("/JobState")
            .unwrap_or_default()
            .to_ascii_lowercase();
        let ended = ["complet", "fail", "cancel", "timed"]
            .iter()
            .any(|word| state.contains(word));
        let kind = job.str("/JobType").unwrap_or_default().to_ascii_lowercase();
        if !state.is_empty() && !ended && kind.contains("config") {
            // iDRAC's words: Scheduled, New, ReadyForExecution; Running, RebootPending and the like have begun.
            let waits = kind.contains("bios")
                && ["new", "scheduled", "readyforexecution"].contains(&state.as_str());
            found.extend(job.str("/Id").map(|id| Job {
                id: id.to_owned(),
                waits,
            }));
        }
    }
    Ok(found)
}

/// Takes a job out of the queue.
pub(super) async fn delete(client: &Client, cx: &Cx, id: &str) -> Result<()> {
    let within = |e: Error| e.context(format!("delete the configuration job {id}"));
    let manager = client.manager(cx).await?;
    let path = manager.link(SERVICE).unwrap_or_else(|| {
        format!(
            "{}/Oem/Dell/DellJobService",
            manager.path.trim_end_matches('/')
        )
    });
    let service = client.get(cx, &path).await.map_err(within)?;
    // Only this one: JID_CLEARALL would take everybody's.
    client
        .action(cx, &service, DELETE, json!({"JobID": id}))
        .await
        .map(drop)
        .map_err(within)
}
