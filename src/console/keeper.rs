//! Keeps every console open, where the configuration wants all of it recorded.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::hub::Hub;
use super::line::Line;
use crate::hal::Kind;
use crate::hal::model::{Cancel, DriverName, MacAddr};
use crate::inventory::{Record, Store};

/// Time between two looks at the table.
const LOOK: Duration = Duration::from_secs(5);
/// Lines that are opened at once.
const TOGETHER: usize = 32;
/// First pause after a line could not be opened; doubled up to the longest.
const FIRST: Duration = Duration::from_secs(30);
const LONGEST: Duration = Duration::from_mins(30);
const NEVER: Duration = Duration::from_hours(24 * 365);

/// A line that could not be opened.
struct Failed {
    pause: Duration,
    again: Instant,
    /// The row as it was: a changed one is tried at once.
    changed_at: u64,
}

impl Hub {
    /// Keeps the consoles of all rows open that can be, until `cancel`.
    pub async fn keep_all(self: Arc<Self>, store: Arc<dyn Store>, cancel: Cancel) {
        let mut failed: HashMap<MacAddr, Failed> = HashMap::new();
        let mut opening: Vec<(Arc<Line>, u64)> = Vec::new();
        loop {
            opening.retain(|(line, changed_at)| {
                let over = line.shared().over.clone();
                let Some(over) = over else {
                    return line.is_opening();
                };
                let error = over.0;
                log::info!(
                    "{}: the console is not kept open: {}",
                    line.mac,
                    error.as_ref().map(|e| e.chain()).unwrap_or_default()
                );
                let before = failed.get(&line.mac).map_or(FIRST / 2, |f| f.pause);
                let pause = match error.map(|e| e.kind()) {
                    // The same password is not tried twice; a changed row is looked at again.
                    Some(Kind::Auth | Kind::Privilege) => NEVER,
                    Some(Kind::Unsupported | Kind::NeedsLicense) => LONGEST,
                    _ => (before * 2).min(LONGEST),
                };
                let again = Instant::now() + pause;
                failed.insert(
                    line.mac,
                    Failed {
                        pause,
                        again,
                        changed_at: *changed_at,
                    },
                );
                false
            });
            let rows = store.all().await.unwrap_or_default();
            failed.retain(|mac, _| rows.iter().any(|r| r.mac == *mac));
            for row in rows.iter().filter(|r| may(r)) {
                if opening.len() >= TOGETHER {
                    break;
                }
                let wait = failed
                    .get(&row.mac)
                    .is_some_and(|f| f.again > Instant::now() && f.changed_at == row.changed_at);
                if !wait && let Some(line) = self.keep(row) {
                    opening.push((line, row.changed_at));
                }
            }
            tokio::select! {
                () = cancel.cancelled() => return,
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }
}

/// A password that was refused is not tried again.
fn may(row: &Record) -> bool {
    // One that an operator gave takes no password.
    let bmc = row.address.is_some()
        && row.has_credentials()
        && row.untrusted.is_none()
        && row.status.refused.is_none()
        && row.chosen_driver != Some(DriverName::Unmanaged);
    !row.removed && (bmc || row.console_url.is_some())
}
