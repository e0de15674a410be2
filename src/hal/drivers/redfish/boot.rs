//! The boot override: `Boot` of the system or of its settings object, written, read back.

mod wanted;

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::boot_value::{mode, target};
use super::{boot_order, fresh_system, is_answer, may_try_another, reading, says, unsupported};
use crate::hal::caps::Boot;
use crate::hal::drivers::power_watch::{clock, pause};
use crate::hal::error::{Error, Kind, Result};
use crate::hal::model::boot::BootRequest;
use crate::hal::model::{BootMode, BootPersistence, BootState, BootTarget, BoxFuture, Cx, Reading};
use crate::hal::redfish::{BootVia, Client, Resource};
use wanted::{Failed, Wanted};

const TARGET: &str = "/Boot/BootSourceOverrideTarget";
const ENABLED: &str = "/Boot/BootSourceOverrideEnabled";
const MODE: &str = "/Boot/BootSourceOverrideMode";
const SETTINGS: &str = "/@Redfish.Settings/SettingsObject";
/// How often it is read back before it counts as reverted, a second apart: some BMCs commit late.
const READS: u32 = 3;
/// A machine in its self-test may refuse changes; wait so long before the next try.
const POST_PAUSE: Duration = Duration::from_secs(10);

/// The boot override over Redfish.
pub(super) struct RedfishBoot(pub(super) Arc<Client>);

fn has_override(resource: &Resource) -> bool {
    resource.str(TARGET).is_some() || resource.str(ENABLED).is_some()
}

impl RedfishBoot {
    /// The settings object, where there is one with an override.
    async fn settings(&self, cx: &Cx, system: &Resource) -> Result<Option<Arc<Resource>>> {
        let Some(path) = system.link(SETTINGS) else {
            return Ok(None);
        };
        match self.0.get(cx, &path).await {
            Ok(settings) => Ok(Some(settings).filter(|s| has_override(s))),
            Err(error) if is_answer(&error) => {
                log::debug!("{path}: {}", error.chain());
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Where the override stands: in the system, or in its settings object where that holds one that is not yet in
    /// force, or where only that has it.
    async fn read(&self, cx: &Cx) -> Result<Arc<Resource>> {
        let system = self.0.system(cx).await?;
        let here = has_override(&system);
        if here && self.0.quirks().boot_via != BootVia::Settings {
            return Ok(system);
        }
        match self.settings(cx, &system).await? {
            Some(settings) if !here || is_set(&settings) => Ok(settings),
            _ if here => Ok(system),
            _ => Err(no_override("boot.state", &system.path)),
        }
    }

    /// Is it the settings object? For each place, in the order in which they are written.
    fn places(&self) -> &'static [bool] {
        match self.0.quirks().boot_via {
            BootVia::Auto => &[false, true],
            BootVia::System => &[false],
            BootVia::Settings => &[true, false],
        }
    }

    async fn place(&self, cx: &Cx, settings: bool) -> Result<Option<Arc<Resource>>> {
        let system = self.0.system(cx).await?;
        if settings {
            self.settings(cx, &system).await
        } else {
            Ok(Some(system).filter(|s| has_override(s)))
        }
    }

    /// What speaks for this target, which is not set: where it stands, and in words.
    pub(super) async fn judge(&self, cx: &Cx, target: BootTarget) -> Result<(String, String)> {
        let mut first = None;
        for settings in self.places() {
            let Some(place) = self.place(cx, *settings).await? else {
                continue;
            };
            let request = BootRequest {
                target,
                mode: place.str(MODE).and_then(mode).unwrap_or(BootMode::Uefi),
                persistent: false,
            };
            match Wanted::of(self.0.quirks(), &place, request) {
                Ok(wanted) => {
                    let at = place.at("BootSourceOverrideTarget");
                    return Ok((at.clone(), format!("{at} takes {}", wanted.target)));
                }
                Err(Failed::Here(error) | Failed::Everywhere(error)) => {
                    first.get_or_insert(error);
                }
                Err(Failed::NotPersistent) => {}
            }
        }
        let system = self.0.system(cx).await?;
        match first {
            Some(error) => Err(error),
            None => match boot_order::plan(&self.0, cx, &system, target).await {
                Ok(plan) => Ok((plan.at(), format!("{}, for every boot", plan.at()))),
                Err(error) if may_try_another(&error) => Err(no_override("boot.set", &system.path)),
                Err(error) => Err(error),
            },
        }
    }

    async fn change(&self, cx: &Cx, request: BootRequest) -> Result<(BootState, String)> {
        let system = self.0.system(cx).await?;
        let mut first: Option<Error> = None;
        let mut once_only = false;
        for settings in self.places() {
            let Some(place) = self.place(cx, *settings).await? else {
                continue;
            };
            match self.write(cx, &place, request).await {
                Ok(now) => return Ok((state(&now), now.at("Boot"))),
                Err(Failed::Everywhere(error)) => return Err(error),
                Err(Failed::NotPersistent) => once_only = true,
                Err(Failed::Here(error)) => {
                    log::debug!("{}: {}", place.path, error.chain());
                    first.get_or_insert(error);
                }
            }
        }
        // No override at all (Cray): what holds for every boot can still be the boot order.
        if once_only || (request.persistent && first.is_none()) {
            match self.put_first(cx, request).await {
                Ok(done) => return Ok(done),
                Err(error) if may_try_another(&error) && once_only => {
                    let error =
                        error.context("this BMC overrides the next boot only, and its boot order");
                    first.get_or_insert(error.with_hint("--once"));
                }
                Err(error) if may_try_another(&error) => log::debug!("{}", error.chain()),
                Err(error) => return Err(error),
            }
        }
        Err(first.unwrap_or_else(|| no_override("boot.set", &system.path)))
    }

    /// The boot order instead of an override, which goes before it.
    pub(super) async fn put_first(
        &self,
        cx: &Cx,
        request: BootRequest,
    ) -> Result<(BootState, String)> {
        let system = self.0.system(cx).await?;
        let done = boot_order::put_first(&self.0, cx, &system, request.target).await?;
        self.clear(cx, &system, request).await?;
        Ok(done)
    }

    /// An override that is still set is taken away where it says something else.
    async fn clear(&self, cx: &Cx, system: &Resource, request: BootRequest) -> Result<()> {
        if !is_set(system) || state(system).target == request.target {
            return Ok(());
        }
        let none = BootRequest {
            target: BootTarget::None,
            ..request
        };
        match self.write(cx, system, none).await {
            Ok(_) | Err(Failed::NotPersistent) => Ok(()),
            Err(Failed::Here(error) | Failed::Everywhere(error)) => Err(error),
        }
    }

    /// Writes to one place and reads it back.
    async fn write(
        &self,
        cx: &Cx,
        place: &Resource,
        request: BootRequest,
    ) -> Result<Arc<Resource>, Failed> {
        let wanted = Wanted::of(self.0.quirks(), place, request)?;
        self.patch(cx, &place.path, &wanted.body).await?;
        let mut wait = self.0.quirks().read_back_after;
        let mut now = None;
        for _ in 0..READS {
            pause(cx, wait).await?;
            let read = self.0.fresh(cx, &place.path).await;
            let read = read.map_err(Error::after_acting)?;
            if wanted.kept(&read) {
                return Ok(read);
            }
            now = Some(read);
            wait = Duration::from_secs(1);
        }
        let has = now.map_or_else(String::new, |now| words(&now));
        let what = format!("boot override: the BMC accepted '{wanted}' but has '{has}'");
        Err(Failed::Here(Error::new(Kind::Refused, what)))
    }

    /// Some BMCs refuse changes while the machine runs its self-test, which ends by itself.
    async fn patch(&self, cx: &Cx, path: &str, body: &Value) -> Result<()> {
        const IN_POST: &[&str] = &["UnableToModifyDuringSystemPOST", "SystemInPOST"];
        loop {
            match self.0.patch(cx, path, body.clone()).await {
                Ok(_) => return Ok(()),
                Err(error) if says(&error, IN_POST) && clock() + POST_PAUSE < cx.deadline => {
                    log::info!("{path}: {}; trying again", error.chain());
                    pause(cx, POST_PAUSE).await?;
                }
                Err(error) => return Err(error),
            }
        }
    }
}

/// The override in the BMC's own words.
fn words(now: &Resource) -> String {
    [TARGET, MODE, ENABLED]
        .into_iter()
        .filter_map(|pointer| now.str(pointer))
        .collect::<Vec<_>>()
        .join(" ")
}

fn no_override(operation: &str, system: &str) -> Error {
    let why = format!("{system} has no Boot/BootSourceOverrideTarget");
    unsupported(operation, why)
}

/// Is an override in force?
fn is_set(resource: &Resource) -> bool {
    state(resource).target != BootTarget::None
}

fn state(resource: &Resource) -> BootState {
    let nothing = BootState {
        target: BootTarget::None,
        mode: None,
        persistence: BootPersistence::None,
    };
    let persistence = match resource.str(ENABLED) {
        Some("Once") => BootPersistence::Once,
        Some("Continuous") => BootPersistence::Persistent,
        _ => return nothing,
    };
    match resource.str(TARGET).map(target) {
        None | Some(BootTarget::None) => nothing,
        Some(target) => BootState {
            target,
            mode: resource.str(MODE).and_then(mode),
            persistence,
        },
    }
}

impl Boot for RedfishBoot {
    fn state<'a>(&'a self, cx: &'a Cx) -> BoxFuture<'a, Result<Reading<BootState>>> {
        Box::pin(async move {
            let start = Instant::now();
            let place = self.read(cx).await?;
            let at = place.at("Boot/BootSourceOverrideTarget");
            Ok(reading(&self.0, start, at, state(&place)))
        })
    }

    fn set<'a>(
        &'a self,
        cx: &'a Cx,
        request: BootRequest,
    ) -> BoxFuture<'a, Result<Reading<BootState>>> {
        Box::pin(async move {
            let start = Instant::now();
            fresh_system(&self.0, cx).await?;
            let (state, at) = self.change(cx, request).await?;
            Ok(reading(&self.0, start, at, state))
        })
    }
}

#[cfg(test)]
mod tests;
