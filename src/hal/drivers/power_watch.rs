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
        now = watch(switch, cx, PowerState::Off, until).await?.state;
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
    let accepted = match switch.act(cx, action, now).await {
        Ok(accepted) => accepted,
        Err(error) => return not_done(switch, cx, action, error).await,
    };
    Ok(match (action, accepted) {
        (PowerAction::Reset, Accepted::Native) => outcome(now, Verified::NotObservable),
        _ if !wait => outcome(action.goal(), Verified::No),
        (PowerAction::Cycle, Accepted::Native) => watch_cycle(switch, cx).await?,
        _ => watch(switch, cx, action.goal(), cx.deadline).await?,
    })
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

/// Off, then on again. A cycle that was never seen off is not verified.
async fn watch_cycle(switch: &dyn Switch, cx: &Cx) -> Result<PowerOutcome> {
    let until = cx.deadline.min(clock() + OFF_PHASE);
    let off = watch(switch, cx, PowerState::Off, until).await?;
    match (off.verified, off.state) {
        (Verified::Yes, _) | (_, PowerState::PoweringOn | PowerState::PoweringOff) => {
            watch(switch, cx, PowerState::On, cx.deadline).await
        }
        _ => Ok(off),
    }
}

/// Looks until the state is `goal` or the time is over; the first time at once. Some BMCs (HP) lag behind their
/// own acknowledgement, others are busy or deaf for a while after a change: then the next look decides. A machine
/// that is still on its way at the deadline is an error: nobody knows where it will end.
pub(crate) async fn watch(
    switch: &dyn Switch,
    cx: &Cx,
    goal: PowerState,
    until: Instant,
) -> Result<PowerOutcome> {
    let until = tokio::time::Instant::from_std(until);
    let mut state = PowerState::Unknown;
    let mut wait = FIRST_PAUSE;
    loop {
        match switch.read(cx).await {
            Ok(now) => state = now,
            Err(error) if matches!(error.kind(), Kind::Busy | Kind::Timeout) => {
                log::debug!("power state after the action: {}", error.chain());
            }
            Err(error) => {
                return Err(error.context("the action was accepted, its result not readable"));
            }
        }
        let left = until.saturating_duration_since(tokio::time::Instant::now());
        if state == goal {
            return Ok(outcome(state, Verified::Yes));
        }
        if left.is_zero() {
            return ended(cx, state, goal);
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
