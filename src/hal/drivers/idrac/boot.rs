//! The boot override of an iDRAC: the standard's, and what Dell's versions need around it.

use std::sync::Arc;
use std::time::Instant;

use super::{attributes, jobs, lifecycle};
use crate::hal::caps::Boot;
use crate::hal::drivers::redfish;
use crate::hal::error::{Error, Kind, Result};
use crate::hal::model::boot::BootRequest;
use crate::hal::model::{BootState, BoxFuture, Cx, Reading};
use crate::hal::redfish::{Client, Refusal};

/// iDRAC8 up to here forgets an override for every boot after one boot.
const FORGETS: [u32; 4] = [2, 75, 75, 75];

/// The boot override over Redfish, with Dell's paths around it.
pub(super) struct IDracBoot {
    pub(super) inner: Arc<dyn Boot>,
    pub(super) client: Arc<Client>,
}

impl IDracBoot {
    async fn change(&self, cx: &Cx, request: BootRequest) -> Result<Reading<BootState>> {
        if request.persistent && self.forgets(cx).await? {
            return redfish::put_first(&self.client, cx, request, Instant::now()).await;
        }
        let error = match self.inner.set(cx, request).await {
            Err(error) if Why::of(&error) == Why::NotReady => {
                log::info!("{}; waiting for the Lifecycle Controller", error.chain());
                lifecycle::wait_ready(&self.client, cx).await?;
                match self.inner.set(cx, request).await {
                    Err(error) => error,
                    done => return done,
                }
            }
            Err(error) if Why::of(&error) == Why::JobPending => {
                if !self.make_room(cx).await? {
                    return Err(self.explained(cx, error).await);
                }
                match self.inner.set(cx, request).await {
                    Err(error) => error,
                    done => return done,
                }
            }
            Err(error) => error,
            done => return done,
        };
        Err(self.explained(cx, error).await)
    }

    /// Deletes the BIOS jobs that wait for the next boot and block the change. `false` when there are none, or when one
    /// has begun.
    async fn make_room(&self, cx: &Cx) -> Result<bool> {
        let Ok(jobs) = jobs::unfinished(&self.client, cx).await else {
            return Ok(false);
        };
        if jobs.is_empty() || jobs.iter().any(|job| !job.waits) {
            return Ok(false);
        }
        lifecycle::wait_ready(&self.client, cx).await?;
        for job in jobs {
            if let Err(error) = jobs::delete(&self.client, cx, &job.id).await {
                return Err(self.explained(cx, error).await);
            }
            log::warn!(
                "{}: the BIOS job {} waited for the next boot and blocked the boot target; it is deleted",
                self.client.door().origin(),
                job.id
            );
        }
        Ok(true)
    }

    /// Is it a version whose override for every boot lasts for one?
    async fn forgets(&self, cx: &Cx) -> Result<bool> {
        let manager = self.client.manager(cx).await?;
        let old = manager
            .str("/Model")
            .is_some_and(|m| m.starts_with("12G") || m.starts_with("13G"));
        let version = manager.str("/FirmwareVersion").map(version);
        Ok(old && version.is_some_and(|v| v <= FORGETS))
    }

    /// The refusal with what stands in the way, where the iDRAC tells it.
    async fn explained(&self, cx: &Cx, error: Error) -> Error {
        match Why::of(&error) {
            Why::JobPending => match jobs::unfinished(&self.client, cx).await {
                Ok(ids) if !ids.is_empty() => error.with_hint(format!(
                    "configuration jobs wait for the next boot: {}; boot the machine, or delete them",
                    ids.iter().map(|j| j.id.as_str()).collect::<Vec<_>>().join(", ")
                )),
                _ => error,
            },
            Why::Locked => locked(error),
            Why::Denied => match attributes::locked_down(&self.client, cx).await {
                Ok(Some(true)) => locked(error),
                _ => error,
            },
            Why::NotReady | Why::Other => error,
        }
    }
}

fn locked(error: Error) -> Error {
    error.with_hint("the system is locked down (Lockdown.1.SystemLockdown): unlock it first")
}

/// Why an iDRAC refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    NotReady,
    JobPending,
    Locked,
    Denied,
    Other,
}

impl Why {
    fn of(error: &Error) -> Self {
        let Some(refusal) = Refusal::find(error) else {
            return Self::Other;
        };
        let words = refusal.messages.join(" ").to_ascii_lowercase();
        let has = |text: &str| words.contains(text);
        if has("lockdown") {
            Self::Locked
        } else if has("lifecycle controller") && (has("not ready") || has("in use")) {
            Self::NotReady
        } else if has("already committed") || has("pending") || has("job") {
            Self::JobPending
        } else if error.kind() == Kind::Privilege {
            Self::Denied
        } else {
            Self::Other
        }
    }
}

/// `2.63.60.61`; what is no number counts as 0.
fn version(text: &str) -> [u32; 4] {
    let mut out = [0; 4];
    for (part, text) in out.iter_mut().zip(text.split('.')) {
        *part = text.trim().parse().unwrap_or(0);
    }
    out
}

impl Boot for IDracBoot {
    fn state<'a>(&'a self, cx: &'a Cx) -> BoxFuture<'a, Result<Reading<BootState>>> {
        self.inner.state(cx)
    }

    fn set<'a>(
        &'a self,
        cx: &'a Cx,
        request: BootRequest,
    ) -> BoxFuture<'a, Result<Reading<BootState>>> {
        Box::pin(self.change(cx, request))
    }
}

#[cfg(test)]
mod tests;
