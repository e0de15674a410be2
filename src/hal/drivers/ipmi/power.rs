//! Power of the host by Chassis Control; the result is read from Get Chassis Status.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{pause, reading};
use crate::hal::caps::Power;
use crate::hal::error::{Error, Kind, Result};
use crate::hal::ipmi::Exchange;
use crate::hal::ipmi::cmd::chassis::{ChassisControl, ControlAction, GetChassisStatus};
use crate::hal::ipmi::cmd::{Command, CompletionCode, CompletionError};
use crate::hal::ipmi::exchange::run;
use crate::hal::model::power::{PowerOutcome, Verified};
use crate::hal::model::{BoxFuture, Cx, PowerAction, PowerState, Reading};

/// First wait between two looks at the state; each next one is half as long again.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// Longest wait between two looks.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// How long a power cycle may take until the host is seen off. A short off phase can fall between two looks.
const OFF_PHASE: Duration = Duration::from_secs(20);

/// Power over IPMI.
pub(crate) struct IpmiPower(pub(crate) Arc<dyn Exchange>);

impl IpmiPower {
    async fn read(&self, cx: &Cx) -> Result<PowerState> {
        let status = run(&*self.0, cx, &GetChassisStatus).await?;
        Ok(if status.is_on() {
            PowerState::On
        } else {
            PowerState::Off
        })
    }

    async fn act(&self, cx: &Cx, action: PowerAction, wait: bool) -> Result<PowerOutcome> {
        let before = self.read(cx).await?;
        let goal = action.goal();
        let already = PowerOutcome {
            state: before,
            verified: Verified::Yes,
        };
        match action {
            PowerAction::On | PowerAction::Off | PowerAction::Soft if before == goal => {
                return Ok(already);
            }
            PowerAction::Reset | PowerAction::Cycle if before == PowerState::Off => {
                return Err(refused_off(action));
            }
            _ => {}
        }
        let command = ChassisControl {
            action: control(action),
        };
        if let Err(error) = run(&*self.0, cx, &command).await {
            return self.not_done(cx, action, error).await;
        }
        Ok(match action {
            PowerAction::Reset => PowerOutcome {
                state: before,
                verified: Verified::NotObservable,
            },
            _ if !wait => PowerOutcome {
                state: goal,
                verified: Verified::No,
            },
            PowerAction::Cycle => self.watch_cycle(cx).await?,
            PowerAction::On | PowerAction::Off | PowerAction::Soft => {
                self.watch(cx, goal, cx.deadline).await?
            }
        })
    }

    /// The BMC did not accept it. "Not in the present state" may mean that somebody was faster.
    async fn not_done(&self, cx: &Cx, action: PowerAction, error: Error) -> Result<PowerOutcome> {
        if CompletionError::find(&error) != Some(CompletionCode::NOT_IN_PRESENT_STATE) {
            return Err(error);
        }
        let state = self.read(cx).await?;
        match action {
            PowerAction::On | PowerAction::Off | PowerAction::Soft if state == action.goal() => {
                Ok(PowerOutcome {
                    state,
                    verified: Verified::Yes,
                })
            }
            PowerAction::Reset | PowerAction::Cycle if state == PowerState::Off => {
                Err(refused_off(action))
            }
            _ => Err(error),
        }
    }

    /// Off, then on again. A cycle that was never seen off is not verified.
    async fn watch_cycle(&self, cx: &Cx) -> Result<PowerOutcome> {
        let now = tokio::time::Instant::now().into_std();
        let until = cx.deadline.min(now + OFF_PHASE);
        let off = self.watch(cx, PowerState::Off, until).await?;
        match off.verified {
            Verified::Yes => self.watch(cx, PowerState::On, cx.deadline).await,
            _ => Ok(off),
        }
    }

    /// Looks until the state is `goal` or the time is over; the first time at once. Some BMCs (HP) lag behind their
    /// own acknowledgement, others are busy or deaf for a while after a change: then the next look decides.
    async fn watch(&self, cx: &Cx, goal: PowerState, until: Instant) -> Result<PowerOutcome> {
        let until = tokio::time::Instant::from_std(until);
        let mut state = PowerState::Unknown;
        let mut wait = FIRST_PAUSE;
        loop {
            match self.read(cx).await {
                Ok(now) => state = now,
                Err(error) if matches!(error.kind(), Kind::Busy | Kind::Timeout) => {
                    log::debug!("power state after the action: {}", error.chain());
                }
                Err(error) => {
                    return Err(error.context("the action was accepted, its result not readable"));
                }
            }
            let left = until.saturating_duration_since(tokio::time::Instant::now());
            if state == goal || left.is_zero() {
                let verified = if state == goal {
                    Verified::Yes
                } else {
                    Verified::No
                };
                return Ok(PowerOutcome { state, verified });
            }
            pause(cx, wait.min(left)).await?;
            wait = (wait * 3 / 2).min(LONGEST_PAUSE);
        }
    }
}

fn control(action: PowerAction) -> ControlAction {
    match action {
        PowerAction::On => ControlAction::POWER_UP,
        PowerAction::Off => ControlAction::POWER_DOWN,
        PowerAction::Reset => ControlAction::HARD_RESET,
        PowerAction::Cycle => ControlAction::POWER_CYCLE,
        PowerAction::Soft => ControlAction::SOFT_SHUTDOWN,
    }
}

fn refused_off(action: PowerAction) -> Error {
    let what = format!("power {}: the machine is off", action.as_str());
    Error::new(Kind::Refused, what).with_hint("use 'power on'")
}

impl Power for IpmiPower {
    fn state<'a>(&'a self, cx: &'a Cx) -> BoxFuture<'a, Result<Reading<PowerState>>> {
        Box::pin(async move {
            let start = Instant::now();
            let state = self.read(cx).await?;
            Ok(reading(start, GetChassisStatus::NAME, state))
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
            let outcome = self.act(cx, action, wait).await?;
            Ok(reading(start, ChassisControl::NAME, outcome))
        })
    }
}

#[cfg(test)]
mod tests;
