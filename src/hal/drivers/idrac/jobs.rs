//! The job queue. A configuration job that waits for the next boot blocks changes of the BIOS, the boot mode among them.

use crate::hal::error::Result;
use crate::hal::model::Cx;
use crate::hal::redfish::Client;

/// The youngest jobs that are looked at.
const LOOK: usize = 16;

/// Ids of configuration jobs that have not ended.
pub(super) async fn unfinished(client: &Client, cx: &Cx) -> Result<Vec<String>> {
    let manager = client.manager(cx).await?;
    let path = manager
        .link("/Links/Oem/Dell/Jobs")
        .unwrap_or_else(|| format!("{}/Oem/Dell/Jobs", manager.path.trim_end_matches('/')));
    let mut paths = client.member_paths(cx, &path).await?;
    // Their ids grow with time.
    paths.sort();
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
            found.extend(job.str("/Id").map(str::to_owned));
        }
    }
    Ok(found)
}
