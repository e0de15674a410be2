//! What is sent to a place, and whether it was kept.

use serde_json::{Map, Value, json};

use super::super::boot_value::{mode, mode_word, value};
use super::super::{may_try_another, unsupported};
use super::{ENABLED, MODE, TARGET, is_set};
use crate::hal::error::{Error, Result};
use crate::hal::model::boot::BootRequest;
use crate::hal::model::{BootMode, BootTarget};
use crate::hal::redfish::{BootSend, Quirks, Resource};

/// What is sent to a place.
pub(super) struct Wanted {
    pub(super) target: String,
    enabled: &'static str,
    /// What the mode must be afterwards, where the place tells it.
    mode: Option<BootMode>,
    pub(super) body: Value,
}

/// Why a place did not do it.
pub(super) enum Failed {
    /// It says no, has not the value, or forgot it: another place may do it.
    Here(Error),
    /// It offers no override for every boot.
    NotPersistent,
    /// No place will do it.
    Everywhere(Error),
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        if may_try_another(&error) {
            Self::Here(error)
        } else {
            Self::Everywhere(error)
        }
    }
}

impl Wanted {
    /// What to send to a place. Modes and durations that it does not have are told before anything is written.
    pub(super) fn of(
        quirks: &Quirks,
        place: &Resource,
        request: BootRequest,
    ) -> Result<Self, Failed> {
        let none = request.target == BootTarget::None;
        let present = place.str(MODE).and_then(mode);
        let listed = place.allowable(TARGET);
        let plain = present.is_none();
        let target = value(request.target, request.mode, listed.as_deref(), plain)
            .map_err(Failed::Everywhere)?
            .ok_or_else(|| {
                let list = listed.unwrap_or_default().join(", ");
                let why = format!("{} offers {list}", place.path);
                unsupported(&format!("boot target {}", request.target), why)
            })?;
        let enabled = match (none, request.persistent) {
            (true, _) => "Disabled",
            (false, true) => "Continuous",
            (false, false) => "Once",
        };
        if enabled == "Continuous" && quirks.persistent_by_order {
            return Err(Failed::NotPersistent);
        }
        if let Some(list) = place.allowable(ENABLED)
            && !list.is_empty()
            && !list.iter().any(|l| l.eq_ignore_ascii_case(enabled))
        {
            if enabled == "Continuous" {
                return Err(Failed::NotPersistent);
            }
            let why = format!("{} offers {}", place.path, list.join(", "));
            return Err(unsupported("boot.set", why).into());
        }
        let differs = !none && present.is_some_and(|mode| mode != request.mode);
        let send_mode = match quirks.boot_send {
            BootSend::Changed => differs,
            BootSend::Full => place.str(MODE).is_some(),
            BootSend::NoMode => false,
        };
        if differs && !send_mode {
            let why = format!(
                "the firmware boots in {} mode, which this BMC does not change",
                present.map_or("another", mode_word)
            );
            let error = unsupported("boot mode", why);
            return Err(error
                .with_hint("--legacy or --uefi, or change it in the BIOS")
                .into());
        }
        let mut boot = Map::new();
        boot.insert("BootSourceOverrideTarget".into(), json!(target));
        boot.insert("BootSourceOverrideEnabled".into(), json!(enabled));
        if send_mode {
            let word = if none {
                present.unwrap_or(request.mode)
            } else {
                request.mode
            };
            boot.insert("BootSourceOverrideMode".into(), json!(mode_word(word)));
        }
        Ok(Self {
            target,
            enabled,
            mode: (!none && (send_mode || present.is_some())).then_some(request.mode),
            body: json!({ "Boot": boot }),
        })
    }

    /// Does `now` say what was set?
    pub(super) fn kept(&self, now: &Resource) -> bool {
        let is = |pointer, want: &str| {
            now.str(pointer)
                .is_some_and(|has| has.eq_ignore_ascii_case(want))
        };
        if self.enabled == "Disabled" {
            return !is_set(now);
        }
        let mode_kept = match (self.mode, now.str(MODE).and_then(mode)) {
            (Some(want), Some(has)) => want == has,
            _ => true,
        };
        is(ENABLED, self.enabled) && is(TARGET, &self.target) && mode_kept
    }
}

impl std::fmt::Display for Wanted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.target)?;
        if let Some(mode) = self.mode {
            write!(f, " {}", mode_word(mode))?;
        }
        write!(f, " {}", self.enabled)
    }
}
