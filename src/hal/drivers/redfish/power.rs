//! Power of the host by `ComputerSystem.Reset`; the result is read from `PowerState`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;

use super::{fresh_system, is_answer, may_try_another, reading, says, system_path, unsupported};
use crate::hal::caps::Power;
use crate::hal::drivers::power_watch::{self, Accepted, Switch, clock, pause, watch};
use crate::hal::error::{Error, Kind, Result};
use crate::hal::model::power::{PowerOutcome, Verified};
use crate::hal::model::{BoxFuture, Cancel, Cx, PowerAction, PowerState, Reading};
use crate::hal::redfish::{Client, Refusal, Resource};

/// The action of all changes.
const RESET: &str = "#ComputerSystem.Reset";
/// Its parameter.
const RESET_TYPE: &str = "ResetType";
/// At least so long is waited between "off" and "on", whatever the deadline: a machine that was switched off for a
/// reset must come up again.
const OFF_ON: Duration = Duration::from_mins(1);
/// Supplies and capacitors want a moment between off and on.
const REST: Duration = Duration::from_secs(10);

/// Power over Redfish.
pub(super) struct RedfishPower(pub(super) Arc<Client>);

impl RedfishPower {
    /// The state and where it stands. Systems that do not tell it: their chassis do.
    async fn look(&self, cx: &Cx, fresh: bool) -> Result<(PowerState, String)> {
        const PROPERTY: &str = "PowerState";
        let system = if fresh {
            fresh_system(&self.0, cx).await?
        } else {
            self.0.system(cx).await?
        };
        if let Some(state) = state_of(&system) {
            return Ok((state, system.at(PROPERTY)));
        }
        match self.0.chassis(cx).await {
            Ok(chassis) => {
                let chassis = if fresh {
                    self.0.fresh(cx, &chassis.path).await?
                } else {
                    chassis
                };
                if let Some(state) = state_of(&chassis) {
                    return Ok((state, chassis.at(PROPERTY)));
                }
            }
            Err(error) if is_answer(&error) => {}
            Err(error) => return Err(error),
        }
        Ok((PowerState::Unknown, system.at(PROPERTY)))
    }

    /// The values of `ResetType` to try for a list of candidates, in that order.
    async fn values(
        &self,
        cx: &Cx,
        system: &Resource,
        ladder: &[&'static str],
    ) -> Result<Vec<&'static str>> {
        let listed = self.0.action_values(cx, system, RESET, RESET_TYPE).await?;
        Ok(match listed {
            Some(list) if !list.is_empty() => ladder
                .iter()
                .filter(|value| list.iter().any(|l| l.eq_ignore_ascii_case(value)))
                .copied()
                .collect(),
            _ => ladder.to_vec(),
        })
    }

    /// What speaks for `action`, which is not done: where it stands, and in words.
    pub(super) async fn judge(&self, cx: &Cx, action: PowerAction) -> Result<(String, String)> {
        let system = self.0.system(cx).await?;
        if !system.has(&format!("/Actions/{RESET}")) {
            let why = format!("{} has no {RESET}", system.path);
            return Err(unsupported("power", why));
        }
        let at = system.at(RESET);
        let listed = self.0.action_values(cx, &system, RESET, RESET_TYPE).await?;
        let Some(listed) = listed.filter(|list| !list.is_empty()) else {
            return Ok((at.clone(), format!("{at}, which lists no values")));
        };
        let of = |ladder: &[&'static str]| {
            let has = |value: &&&str| listed.iter().any(|l| l.eq_ignore_ascii_case(value));
            ladder.iter().find(has).copied()
        };
        let in_parts = matches!(action, PowerAction::Reset | PowerAction::Cycle);
        let words = match (of(ladder(action)), of(OFF), of(ON)) {
            (Some(value), ..) => value.to_owned(),
            (None, Some(off), Some(on)) if in_parts => format!("{off} and {on}"),
            _ => {
                let why = format!("{at} allows only {}", listed.join(", "));
                return Err(unsupported("power", why));
            }
        };
        Ok((at.clone(), format!("{at} allows {words}")))
    }

    /// Sends the first value of `ladder` that the BMC has. `None` when it has none of them.
    async fn first_of(
        &self,
        cx: &Cx,
        system: &Resource,
        ladder: &[&'static str],
    ) -> Result<Option<&'static str>> {
        let values = self.values(cx, system, ladder).await?;
        let mut refused: Option<Error> = None;
        for value in values {
            let sent = self
                .0
                .action(cx, system, RESET, json!({ RESET_TYPE: value }))
                .await;
            match sent {
                Ok(_) => return Ok(Some(value)),
                Err(error) if is_unknown_value(&error) => {
                    log::debug!("{RESET_TYPE} {value}: {}", error.chain());
                    refused.get_or_insert(error);
                }
                Err(error) => return Err(error),
            }
        }
        refused.map_or(Ok(None), Err)
    }

    /// Off, wait until it is, on.
    async fn off_on(&self, cx: &Cx, system: &Resource, action: PowerAction) -> Result<Accepted> {
        let Some(off) = self.first_of(cx, system, OFF).await? else {
            return Err(no_value(system, action));
        };
        // From here on the machine must come up again, whoever gives up, and however long it took to go down.
        let mut cx = cx.clone().with_cancel(Cancel::new());
        cx.deadline = cx.deadline.max(clock() + OFF_ON);
        let seen = watch(self, &cx, PowerState::Off, clock() + OFF_ON).await;
        if let Ok(seen) = &seen
            && seen.verified != Verified::Yes
        {
            let what = format!(
                "power {}: {off} was accepted, but the machine stays {}",
                action.as_str(),
                seen.state
            );
            return Err(Error::new(Kind::Timeout, what));
        }
        cx.deadline = cx.deadline.max(clock() + OFF_ON);
        pause(&cx, REST).await?;
        let on = match self.first_of(&cx, system, ON).await {
            Ok(None) => Err(no_value(system, PowerAction::On)),
            Err(error) if !self.is_wrong_state(&error) => Err(error),
            _ => seen,
        };
        match on {
            Ok(_) => Ok(Accepted::SeenOff),
            Err(error) => Err(error.after_acting().context(format!(
                "{off} was accepted: look whether the machine is on"
            ))),
        }
    }
}

const ON: &[&str] = &["On", "ForceOn", "PushPowerButton"];
const OFF: &[&str] = &["ForceOff", "Off"];

/// Values that do an action, the best first.
fn ladder(action: PowerAction) -> &'static [&'static str] {
    match action {
        PowerAction::On => ON,
        PowerAction::Off => OFF,
        PowerAction::Reset => &["ForceRestart", "PowerCycle"],
        PowerAction::Cycle => &["PowerCycle"],
        PowerAction::Soft => &["GracefulShutdown", "PushPowerButton"],
    }
}

fn state_of(resource: &Resource) -> Option<PowerState> {
    Some(match resource.str("/PowerState")? {
        "On" => PowerState::On,
        "Off" => PowerState::Off,
        "PoweringOn" => PowerState::PoweringOn,
        "PoweringOff" => PowerState::PoweringOff,
        _ => PowerState::Unknown,
    })
}

fn no_value(system: &Resource, action: PowerAction) -> Error {
    unsupported(
        &format!("power {}", action.as_str()),
        format!("{} has no {RESET_TYPE} for it", system.path),
    )
}

/// The value itself was refused: nothing has happened, the next may do.
fn is_unknown_value(error: &Error) -> bool {
    const SAYS: &[&str] = &[
        "ActionParameterValueNotInList",
        "ActionParameterNotSupported",
        "ActionParameterValueTypeError",
        "ActionParameterValueFormatError",
        "PropertyValueNotInList",
        "ActionParameterUnknown",
        "ActionParameterValueError",
        "ActionNotSupported",
        "UnsupportedResetType",
    ];
    may_try_another(error) && says(error, SAYS)
}

impl Switch for RedfishPower {
    fn read<'a>(&'a self, cx: &'a Cx) -> BoxFuture<'a, Result<PowerState>> {
        Box::pin(async move { Ok(self.look(cx, true).await?.0) })
    }

    fn last_start<'a>(&'a self, cx: &'a Cx) -> BoxFuture<'a, Result<Option<String>>> {
        Box::pin(async move {
            let system = self.0.system(cx).await?;
            Ok(system.str("/LastResetTime").map(str::to_owned))
        })
    }

    fn act<'a>(
        &'a self,
        cx: &'a Cx,
        action: PowerAction,
        now: PowerState,
    ) -> BoxFuture<'a, Result<Accepted>> {
        Box::pin(async move {
            let system = self.0.system(cx).await?;
            let system = &*system;
            if action == PowerAction::Reset && self.0.quirks().reset_by_off_on {
                return self.off_on(cx, system, action).await;
            }
            let mut ladder = ladder(action).to_vec();
            // The button switches on what is off and off what is on: only where that is known.
            let button = match action {
                PowerAction::On => now == PowerState::Off,
                _ => now == PowerState::On,
            };
            ladder.retain(|value| button || *value != "PushPowerButton");
            match self.first_of(cx, system, &ladder).await {
                Ok(Some(_)) => Ok(Accepted::Native),
                Ok(None) if matches!(action, PowerAction::Reset | PowerAction::Cycle) => {
                    self.off_on(cx, system, action).await
                }
                Ok(None) => Err(no_value(system, action)),
                Err(error)
                    if matches!(action, PowerAction::Reset | PowerAction::Cycle)
                        && is_unknown_value(&error) =>
                {
                    self.off_on(cx, system, action).await
                }
                Err(error) => Err(error),
            }
        })
    }

    /// iDRAC says 409, iLO 400 with an id of its own, others nothing.
    fn is_wrong_state(&self, error: &Error) -> bool {
        const SAYS: &[&str] = &[
            "InvalidOperationForSystemState",
            "ActionParameterValueConflict",
            "PropertyValueConflict",
            "ServerAlreadyPoweredOn",
            "ServerAlreadyPoweredOff",
            "ResourceInStandby",
            "NoOperation",
        ];
        Refusal::find(error).is_some_and(|r| r.status == 409) || says(error, SAYS)
    }
}

impl Power for RedfishPower {
    fn state<'a>(&'a self, cx: &'a Cx) -> BoxFuture<'a, Result<Reading<PowerState>>> {
        Box::pin(async move {
            let start = Instant::now();
            let (state, at) = self.look(cx, false).await?;
            Ok(reading(&self.0, start, at, state))
        })
    }

    fn set<'a>(
        &'a self,
        cx: &'a Cx,
        action: PowerAction,
        wait: bool,
    ) -> BoxFuture<'a, Result<Reading<PowerOutcome>>> {
        Box::pin(async move {
            let start = Instant::now();
            let outcome = power_watch::set(self, cx, action, wait).await?;
            let at = format!("{} {RESET}", system_path(&self.0));
            Ok(reading(&self.0, start, at, outcome))
        })
    }
}

#[cfg(test)]
mod tests;
