//! The boot override by iRMC's own BootConfig, where the standard's Boot is refused or missing.

use std::sync::Arc;
use std::time::Instant;

use serde_json::json;

use crate::hal::bmc::Bmc;
use crate::hal::caps::Boot;
use crate::hal::error::{Error, Kind, Result};
use crate::hal::model::boot::BootRequest;
use crate::hal::model::{
    BootPersistence, BootState, BootTarget, BoxFuture, Cx, DriverName, Reading,
};
use crate::hal::redfish::{Client, Resource};

const DEVICE: &str = "/BootDevice";
const ONCE: &str = "/NextBootOnlyEnabled";

struct OrBootConfig {
    standard: Arc<dyn Boot>,
    client: Arc<Client>,
}

/// Replaces Redfish's slot.
pub(super) fn attach(bmc: &mut Bmc, client: &Arc<Client>) {
    let client = Arc::clone(client);
    bmc.boot
        .overwrite(DriverName::Redfish, "fujitsu", |standard| {
            Arc::new(OrBootConfig { standard, client })
        });
}

impl Boot for OrBootConfig {
    fn state<'a>(&'a self, cx: &'a Cx) -> BoxFuture<'a, Result<Reading<BootState>>> {
        Box::pin(async move {
            let start = Instant::now();
            match self.standard.state(cx).await {
                Err(error) if error.kind() == Kind::Unsupported => {
                    match self.config(cx).await {
                        Ok(config) => Ok(self.reading(start, &config)),
                        // The standard's refusal is the one that tells something.
                        Err(e) if e.kind() == Kind::Unsupported => Err(error),
                        Err(e) => Err(e),
                    }
                }
                other => other,
            }
        })
    }

    fn set<'a>(
        &'a self,
        cx: &'a Cx,
        request: BootRequest,
    ) -> BoxFuture<'a, Result<Reading<BootState>>> {
        Box::pin(async move {
            let start = Instant::now();
            match self.standard.set(cx, request).await {
                Err(error) if matches!(error.kind(), Kind::Unsupported | Kind::Refused) => {
                    log::info!("boot: {}; BootConfig instead", error.chain());
                    match self.config(cx).await {
                        Ok(config) => self.change(cx, start, &config, request).await,
                        Err(e) if e.kind() == Kind::Unsupported => Err(error),
                        Err(e) => Err(e),
                    }
                }
                other => other,
            }
        })
    }
}

impl OrBootConfig {
    async fn config(&self, cx: &Cx) -> Result<Arc<Resource>> {
        let system = self.client.system(cx).await?;
        let link = ["ts_fujitsu", "Fsas"]
            .iter()
            .find_map(|key| system.link(&format!("/Oem/{key}/BootConfig")));
        let usual = || format!("{}/Oem/ts_fujitsu/BootConfig", system.path.trim_end_matches('/'));
        let config = self.client.fresh(cx, &link.unwrap_or_else(usual)).await?;
        if config.str(DEVICE).is_none() {
            let what = format!("{} has no BootDevice", config.path);
            return Err(Error::new(Kind::Unsupported, what));
        }
        Ok(config)
    }

    async fn change(
        &self,
        cx: &Cx,
        start: Instant,
        config: &Resource,
        request: BootRequest,
    ) -> Result<Reading<BootState>> {
        let device = device(config, request.target)?;
        let body = json!({ "BootDevice": device, "NextBootOnlyEnabled": !request.persistent });
        self.client.patch(cx, &config.path, body).await?;
        let now = self.client.fresh(cx, &config.path).await?;
        let kept = now.str(DEVICE).is_some_and(|d| d.eq_ignore_ascii_case(&device))
            && now.bool(ONCE).is_none_or(|once| once != request.persistent);
        if kept {
            return Ok(self.reading(start, &now));
        }
        let has = now.str(DEVICE).unwrap_or_default();
        let what = format!("{}: the BMC accepted BootDevice {device} but has '{has}'", now.path);
        Err(Error::new(Kind::Refused, what))
    }

    fn reading(&self, start: Instant, config: &Resource) -> Reading<BootState> {
        let target = match config.str(DEVICE).unwrap_or_default().to_ascii_lowercase() {
            d if d.is_empty() || d == "none" => BootTarget::None,
            d if d.contains("pxe") => BootTarget::Pxe,
            d if d.contains("hdd") || d.contains("harddisk") => BootTarget::Disk,
            d if d.contains("bios") => BootTarget::Bios,
            d if d.contains("cd") => BootTarget::Cdrom,
            _ => BootTarget::Other,
        };
        let persistence = match (target, config.bool(ONCE)) {
            (BootTarget::None, _) => BootPersistence::None,
            (_, Some(false)) => BootPersistence::Persistent,
            (_, Some(true) | None) => BootPersistence::Once,
        };
        let mut source = self.client.source(config.at("BootDevice"));
        source.overwrite = Some("fujitsu");
        Reading {
            value: BootState {
                target,
                mode: None,
                persistence,
            },
            source,
            took: start.elapsed(),
        }
    }
}

/// The BMC's word for a target: of those that it lists, else the usual one.
fn device(config: &Resource, target: BootTarget) -> Result<String> {
    let words: &[&str] = match target {
        BootTarget::None => &["None"],
        BootTarget::Pxe => &["Pxe"],
        BootTarget::Disk => &["Hdd", "HardDisk"],
        BootTarget::Bios => &["BiosSetup", "Bios"],
        BootTarget::Cdrom => &["Cd", "CdDvd"],
        _ => &[],
    };
    let found = match config.allowable(DEVICE) {
        Some(list) => list
            .into_iter()
            .find(|value| words.iter().any(|w| value.eq_ignore_ascii_case(w))),
        None => words.first().map(|w| (*w).to_owned()),
    };
    found.ok_or_else(|| {
        let what = format!("{} offers no {target}", config.path);
        Error::new(Kind::Unsupported, what)
    })
}

#[cfg(test)]
mod tests;
