//! What speaks for each change over Redfish: actions and their allowable values, properties that are there, methods that
//! the collection of accounts allows.

use std::sync::Arc;
use std::time::Instant;

use super::boot::RedfishBoot;
use super::power::RedfishPower;
use super::{reading, unsupported, users};
use crate::hal::caps::{Evidence, Led};
use crate::hal::error::Result;
use crate::hal::model::write::Write;
use crate::hal::model::{BootTarget, BoxFuture, Cx, PowerAction, Reading};
use crate::hal::redfish::{Ask, Client};

/// Evidence over Redfish.
pub(crate) struct RedfishEvidence(pub(crate) Arc<Client>);

impl RedfishEvidence {
    fn power(&self) -> RedfishPower {
        RedfishPower(Arc::clone(&self.0))
    }

    fn boot(&self) -> RedfishBoot {
        RedfishBoot(Arc::clone(&self.0))
    }

    async fn led(&self, cx: &Cx) -> Result<(String, String)> {
        let state = super::led::RedfishLed(Arc::clone(&self.0))
            .state(cx)
            .await?;
        Ok((
            state.source.at.clone(),
            format!("{} is there", state.source.at),
        ))
    }

    /// `Allow` of the collection of accounts; where that is not told, that it can be read.
    async fn users(&self, cx: &Cx, write: Write) -> Result<(String, String)> {
        let path = users::collection(&self.0, cx).await?;
        let answer = self.0.door().ask(cx, Ask::get(path.clone())).await?;
        let allow = answer.header("allow").unwrap_or_default().to_owned();
        let words = match (write, allow.is_empty()) {
            (_, true) => format!("{path} can be read"),
            (Write::UserCreate, _) if !allow.to_ascii_uppercase().contains("POST") => {
                format!("{path} allows {allow}: accounts are slots")
            }
            _ => format!("{path} allows {allow}"),
        };
        Ok((path, words))
    }

    async fn sel_clear(&self, cx: &Cx) -> Result<(String, String)> {
        const ACTION: &str = "/Actions/#LogService.ClearLog";
        let logs = super::event_log::candidates(&self.0, cx).await?;
        for path in &logs {
            let Ok(log) = self.0.get(cx, path).await else {
                continue;
            };
            return if log.has(ACTION) {
                let at = log.at("#LogService.ClearLog");
                Ok((at.clone(), format!("{at} is there")))
            } else {
                Err(unsupported("sel.clear", format!("{path} has no ClearLog")))
            };
        }
        Err(unsupported("sel.clear", "there is no log"))
    }

    async fn bmc_reset(&self, cx: &Cx) -> Result<(String, String)> {
        let manager = self.0.manager(cx).await?;
        if !manager.has("/Actions/#Manager.Reset/target") {
            let why = format!("{} has no #Manager.Reset", manager.path);
            return Err(unsupported("bmc-reset", why));
        }
        let at = manager.at("#Manager.Reset");
        Ok((at.clone(), format!("{at} is there")))
    }

    async fn judge(&self, cx: &Cx, write: Write) -> Result<(String, String)> {
        match write {
            Write::PowerOn => self.power().judge(cx, PowerAction::On).await,
            Write::PowerOff => self.power().judge(cx, PowerAction::Off).await,
            Write::PowerReset => self.power().judge(cx, PowerAction::Reset).await,
            Write::PowerCycle => self.power().judge(cx, PowerAction::Cycle).await,
            Write::PowerSoft => self.power().judge(cx, PowerAction::Soft).await,
            Write::BootPxe => self.boot().judge(cx, BootTarget::Pxe).await,
            Write::BootDisk => self.boot().judge(cx, BootTarget::Disk).await,
            Write::BootBios => self.boot().judge(cx, BootTarget::Bios).await,
            Write::LedOn | Write::LedOff => self.led(cx).await,
            Write::SelClear => self.sel_clear(cx).await,
            Write::UserCreate
            | Write::UserSetPassword
            | Write::UserEnable
            | Write::UserDisable
            | Write::UserDelete => self.users(cx, write).await,
            Write::BmcReset => self.bmc_reset(cx).await,
        }
    }
}

impl Evidence for RedfishEvidence {
    fn evidence<'a>(&'a self, cx: &'a Cx, write: Write) -> BoxFuture<'a, Result<Reading<String>>> {
        Box::pin(async move {
            let start = Instant::now();
            let (at, words) = self.judge(cx, write).await?;
            Ok(reading(&self.0, start, at, words))
        })
    }
}

#[cfg(test)]
mod tests;
