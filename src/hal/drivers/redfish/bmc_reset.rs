//! Restart of the BMC by `Manager.Reset`.

use std::sync::Arc;
use std::time::Instant;

use serde_json::{Value, json};

use super::{may_try_another, reading, unsupported};
use crate::hal::caps::BmcReset;
use crate::hal::error::{Error, Kind, Result};
use crate::hal::model::{BoxFuture, Cx, Reading};
use crate::hal::redfish::{Client, Resource};

const RESET: &str = "#Manager.Reset";
const RESET_TYPE: &str = "ResetType";

/// Restart of the BMC over Redfish.
pub(super) struct RedfishBmcReset(pub(super) Arc<Client>);

impl RedfishBmcReset {
    async fn restart(&self, cx: &Cx, manager: &Resource) -> Result<()> {
        if !manager.has("/Actions/#Manager.Reset/target") {
            let why = format!("{} has no {RESET}", manager.path);
            return Err(unsupported("bmc-reset", why));
        }
        let mut refused: Option<Error> = None;
        for body in self.bodies(cx, manager).await? {
            match self.0.action(cx, manager, RESET, body).await {
                Ok(_) => return Ok(()),
                // It went down before it could answer.
                Err(error) if matches!(error.kind(), Kind::Indeterminate) => {
                    log::debug!("{RESET}: {}", error.chain());
                    return Ok(());
                }
                Err(error) if may_try_another(&error) => {
                    refused.get_or_insert(error);
                }
                Err(error) => return Err(error),
            }
        }
        Err(refused.unwrap_or_else(|| {
            let why = format!("{} restarts in no way that we know", manager.path);
            unsupported("bmc-reset", why)
        }))
    }

    /// What to send, the gentlest first. BMCs that list nothing (Redfish 1.0) take the action without a value, too.
    async fn bodies(&self, cx: &Cx, manager: &Resource) -> Result<Vec<Value>> {
        let ladder = ["GracefulRestart", "ForceRestart"];
        let listed = self.0.action_values(cx, manager, RESET, RESET_TYPE).await?;
        let with = |value: &str| json!({ RESET_TYPE: value });
        Ok(match listed {
            Some(list) if !list.is_empty() => ladder
                .into_iter()
                .filter(|v| list.iter().any(|l| l.eq_ignore_ascii_case(v)))
                .map(with)
                .collect(),
            _ => vec![with("GracefulRestart"), with("ForceRestart"), json!({})],
        })
    }
}

impl BmcReset for RedfishBmcReset {
    fn bmc_reset<'a>(&'a self, cx: &'a Cx) -> BoxFuture<'a, Result<Reading<()>>> {
        Box::pin(async move {
            let start = Instant::now();
            let manager = self.0.manager(cx).await?;
            self.restart(cx, &manager).await?;
            Ok(reading(&self.0, start, manager.at(RESET), ()))
        })
    }
}
