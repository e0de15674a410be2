//! Power of the host by Chassis Control; the result is read from Get Chassis Status.

use std::sync::Arc;
use std::time::Instant;

use super::reading;
use crate::hal::caps::Power;
use crate::hal::drivers::power_watch::{self, Accepted, Switch};
use crate::hal::error::{Error, Result};
use crate::hal::ipmi::Exchange;
use crate::hal::ipmi::cmd::chassis::{ChassisControl, ControlAction, GetChassisStatus};
use crate::hal::ipmi::cmd::{Command, CompletionCode, CompletionError, Privilege};
use crate::hal::ipmi::exchange::run;
use crate::hal::model::power::PowerOutcome;
use crate::hal::model::{BoxFuture, Cx, PowerAction, PowerState, Reading};

/// Power over IPMI.
pub(crate) struct IpmiPower(pub(crate) Arc<dyn Exchange>);

impl IpmiPower {
    async fn status(&self, cx: &Cx) -> Result<PowerState> {
        let status = run(&*self.0, cx, &GetChassisStatus).await?;
        Ok(if status.is_on() {
            PowerState::On
        } else {
            PowerState::Off
        })
    }
}

impl Switch for IpmiPower {
    fn read<'a>(&'a self, cx: &'a Cx) -> BoxFuture<'a, Result<PowerState>> {
        Box::pin(self.status(cx))
    }

    fn act<'a>(
        &'a self,
        cx: &'a Cx,
        action: PowerAction,
        _: PowerState,
    ) -> BoxFuture<'a, Result<Accepted>> {
        Box::pin(async move {
            let command = ChassisControl {
                action: control(action),
            };
            run(&*self.0, cx, &command).await?;
            Ok(Accepted::Native)
        })
    }

    fn is_wrong_state(&self, error: &Error) -> bool {
        CompletionError::find(error) == Some(CompletionCode::NOT_IN_PRESENT_STATE)
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

impl Power for IpmiPower {
    fn state<'a>(&'a self, cx: &'a Cx) -> BoxFuture<'a, Result<Reading<PowerState>>> {
        Box::pin(async move {
            let start = Instant::now();
            let state = self.status(cx).await?;
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
            self.0.expect(Privilege::Operator);
            let outcome = power_watch::set(self, cx, action, wait).await?;
            Ok(reading(start, ChassisControl::NAME, outcome))
        })
    }
}

#[cfg(test)]
mod tests;
