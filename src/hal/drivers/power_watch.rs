//! What every driver does around a power action: look at the state first, act only when that is needed, read until
//! the goal is reached or the time is over.

use std::time::{Duration, Instant};

use crate::hal::error::{Error, Kind, Result};
use crate::hal::model::power::{PowerOutcome, Verified};
use crate::hal::model::{BoxFuture, Cx, PowerAction, PowerState};

/// First wait between two looks at the state; each next one is half as long again.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// Longest wait between two looks.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// How long a power cycle may take until the host is seen off. A short off phase can fall between two looks.
const OFF_PHASE: Duration = Duration::from_secs(20);
/// How long a machine on its way down may take before reset and cycle are decided.
const SETTLE: Duration = Duration::from_secs(30);

/// What an accepted action leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Accepted {
    /// The BMC does the rest by itself.
    Native,
    /// It was made of "off" and "on", and the machine was seen off in between.
    SeenOff,
}

/// What a driver brings: reading and acting, nothing else.
pub(crate) trait Switch: Send + Sync {
    /// The present state.
    fn read<'a>(&'a self, cx: &'a Cx) -> BoxFuture<'a, Result<PowerState>>;

    /// Sends what does `action` to a machine that is in state `now`.
    fn act<'a>(
        &'a self,
        cx: &'a Cx,
        action: PowerAction,
        now: PowerState,
    ) -> BoxFuture<'a, Result<Accepted>>;

    /// When the host last started, in the BMC's words, as far as the last read told.
    fn last_start<'a>(&'a self, cx: &'a Cx) -> BoxFuture<'a, Result<Option<String>>> {
        let _ = cx;
        Box::pin(async { Ok(None) })
    }

    /// Does this refusal say that the machine is not in a state for the action? Then somebody may have been faster.
    fn is_wrong_state(&self, error: &Error) -> bool;
}

/// Does `action` and, with `wait`, reads until its goal is reached or the deadline comes.
pub(crate) async fn set(
    switch: &dyn Switch,
    cx: &Cx,
    action: PowerAction,
    wait: bool,
) -> Result<PowerOutcome> {
    let mut now = switch.read(cx).await?;
    if under_way(action, now) {
        if !wait {
            return Ok(outcome(now, Verified::No));
        }
        return watch(switch, cx, action.goal(), cx.deadline).await;
    }
    if now == PowerState::PoweringOff && action != PowerAction::Off && wait {
        let until = cx.deadline.min(clock() + SETTLE);
        now = match watch(switch, cx, PowerState::Off, until).await {
            Ok(seen) => seen.state,
            // Nothing was done yet: the action itself will tell.
            Err(error) if error.kind() == Kind::Indeterminate => now,
            Err(error) => return Err(error),
        };
    }
    match action {
        PowerAction::On | PowerAction::Off | PowerAction::Soft if now == action.goal() => {
            return Ok(outcome(now, Verified::Yes));
        }
        PowerAction::Reset | PowerAction::Cycle if now == PowerState::Off => {
            return Err(refused_off(action));
        }
        _ => {}
    }
    let before = match action {
        PowerAction::Cycle if wait => switch.last_start(cx).await?,
        _ => None,
    };
    let accepted = match switch.act(cx, action, now).await {
        Ok(accepted) => accepted,
        Err(error) => return not_done(switch, cx, action, error).await,
    };
    let seen = match (action, accepted) {
        (PowerAction::Reset, Accepted::Native) => Ok(outcome(now, Verified::NotObservable)),
        _ if !wait => Ok(outcome(action.goal(), Verified::No)),
        (PowerAction::Cycle, Accepted::Native) => watch_cycle(switch, cx, before).await,
        _ => watch(switch, cx, action.goal(), cx.deadline).await,
    };
    seen.map_err(Error::after_acting)
}

/// Is the machine on its way to the goal already, so that nothing has to be sent?
fn under_way(action: PowerAction, now: PowerState) -> bool {
    matches!(
        (action, now),
        (PowerAction::On, PowerState::PoweringOn) | (PowerAction::Soft, PowerState::PoweringOff)
    )
}

/// The BMC did not accept it. "Not in the present state" may mean that somebody was faster.
async fn not_done(
    switch: &dyn Switch,
    cx: &Cx,
    action: PowerAction,
    error: Error,
) -> Result<PowerOutcome> {
    if !switch.is_wrong_state(&error) {
        return Err(error);
    }
    let state = switch.read(cx).await?;
    match action {
        PowerAction::On | PowerAction::Off | PowerAction::Soft if state == action.goal() => {
            Ok(outcome(state, Verified::Yes))
        }
        PowerAction::Reset | PowerAction::Cycle if state == PowerState::Off => {
            Err(refused_off(action))
        }
        _ => Err(error),
    }
}

/// Looks until the machine is on again. A cycle is verified by any sign that the machine was not on in between; one
/// that was too quick to be seen only where the BMC says that the host has started anew.
async fn watch_cycle(switch: &dyn Switch, cx: &Cx, before: Option<String>) -> Result<PowerOutcome> {
    let until = tokio::time::Instant::from_std(cx.deadline.min(clock() + OFF_PHASE));
    let mut state = None;
    loop {
        state = look(switch, cx).await?.or(state);
        match state {
            Some(PowerState::Off | PowerState::PoweringOff | PowerState::PoweringOn) => {
                return watch(switch, cx, PowerState::On, cx.deadline).await;
            }
            Some(PowerState::On) if before.is_some() => {
                let last = switch.last_start(cx).await?;
                if last.is_some() && last != before {
                    return Ok(outcome(PowerState::On, Verified::Yes));
                }
            }
            _ => {}
        }
        let left = until.saturating_duration_since(tokio::time::Instant::now());
        if left.is_zero() {
            let state = state.ok_or_else(unread)?;
            return Ok(outcome(state, Verified::No));
        }
        // Steady: off may last no longer than two seconds.
        pause(cx, FIRST_PAUSE.min(left)).await?;
    }
}

const UNREAD: &str = "the action was accepted, its result not readable";

fn unread() -> Error {
    Error::new(Kind::Indeterminate, UNREAD)
}

/// The state after an accepted action; `None` when the BMC is busy, deaf or away for a while after a change (some are):
/// then the next look decides.
async fn look(switch: &dyn Switch, cx: &Cx) -> Result<Option<PowerState>> {
    match switch.read(cx).await {
        Ok(now) => Ok(Some(now)),
        Err(error) if matches!(error.kind(), Kind::Busy | Kind::Timeout | Kind::Unreachable) => {
            log::debug!("power state after the action: {}", error.chain());
            Ok(None)
        }
        Err(error) => Err(error.context(UNREAD)),
    }
}

/// Looks until the state is `goal` or the time is over; the first time at once. Some BMCs (HP) lag behind their
/// own acknowledgement. A machine that is still on its way at the deadline is an error: nobody knows where it will end.
pub(crate) async fn watch(
    switch: &dyn Switch,
    cx: &Cx,
    goal: PowerState,
    until: Instant,
) -> Result<PowerOutcome> {
    let until = tokio::time::Instant::from_std(until);
    let mut state = None;
    let mut wait = FIRST_PAUSE;
    loop {
        state = look(switch, cx).await?.or(state);
        let left = until.saturating_duration_since(tokio::time::Instant::now());
        if state == Some(goal) {
            return Ok(outcome(goal, Verified::Yes));
        }
        if left.is_zero() {
            return ended(cx, state.ok_or_else(unread)?, goal);
        }
        pause(cx, wait.min(left)).await?;
        wait = (wait * 3 / 2).min(LONGEST_PAUSE);
    }
}

/// The time is over and the goal was not reached.
fn ended(cx: &Cx, state: PowerState, goal: PowerState) -> Result<PowerOutcome> {
    let moving = matches!(state, PowerState::PoweringOn | PowerState::PoweringOff);
    if moving && clock() >= cx.deadline {
        let what =
            format!("the action was accepted, but the machine stays {state} and is not {goal}");
        return Err(Error::new(Kind::Timeout, what).with_hint("--wait DURATION waits longer"));
    }
    Ok(outcome(state, Verified::No))
}

/// tokio's clock, which tests can pause.
pub(crate) fn clock() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// Waits for `time`, but not beyond the deadline; an error when the caller gave up. By tokio's clock.
pub(crate) async fn pause(cx: &Cx, time: Duration) -> Result<()> {
    let end = tokio::time::Instant::from_std(cx.deadline);
    let until = (tokio::time::Instant::now() + time).min(end);
    tokio::select! {
        () = cx.cancel.cancelled() => Err(Error::new(Kind::Cancelled, "waiting for the BMC")),
        () = tokio::time::sleep_until(until) => Ok(()),
    }
}

fn outcome(state: PowerState, verified: Verified) -> PowerOutcome {
    PowerOutcome { state, verified }
}

fn refused_off(action: PowerAction) -> Error {
    let what = format!("power {}: the machine is off", action.as_str());
    Error::new(Kind::Refused, what).with_hint("use 'power on'")
}

#[cfg(test)]
mod tests;
