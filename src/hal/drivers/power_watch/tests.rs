use std::sync::Mutex;

use super::*;

/// A machine that walks through states at its own pace after it was told.
struct Machine {
    /// Milliseconds after the action, and what it shows from then on.
    steps: &'static [(u64, PowerState)],
    /// It says when it last started.
    tells_start: bool,
    told: Mutex<Option<tokio::time::Instant>>,
    reads: Mutex<u32>,
}

fn machine(steps: &'static [(u64, PowerState)], tells_start: bool) -> Machine {
    Machine {
        steps,
        tells_start,
        told: Mutex::default(),
        reads: Mutex::default(),
    }
}

impl Machine {
    fn now(&self) -> (usize, PowerState) {
        let Some(told) = *self.told.lock().unwrap() else {
            return (0, PowerState::On);
        };
        let passed = told.elapsed().as_millis() as u64;
        let come = self.steps.iter().filter(|(at, _)| *at <= passed);
        come.enumerate()
            .last()
            .map_or((0, PowerState::On), |(i, (_, state))| (i + 1, *state))
    }
}

impl Switch for Machine {
    fn read<'a>(&'a self, _: &'a Cx) -> BoxFuture<'a, Result<PowerState>> {
        *self.reads.lock().unwrap() += 1;
        let state = self.now().1;
        Box::pin(async move { Ok(state) })
    }

    fn last_start<'a>(&'a self, _: &'a Cx) -> BoxFuture<'a, Result<Option<String>>> {
        let ended = self.now().0 == self.steps.len();
        let text = self.tells_start.then(|| format!("{ended}"));
        Box::pin(async move { Ok(text) })
    }

    fn act<'a>(
        &'a self,
        _: &'a Cx,
        _: PowerAction,
        _: PowerState,
    ) -> BoxFuture<'a, Result<Accepted>> {
        *self.told.lock().unwrap() = Some(tokio::time::Instant::now());
        Box::pin(async { Ok(Accepted::Native) })
    }

    fn is_wrong_state(&self, _: &Error) -> bool {
        false
    }
}

async fn cycle(machine: &Machine) -> PowerOutcome {
    let cx = Cx::until(clock() + Duration::from_mins(1));
    set(machine, &cx, PowerAction::Cycle, true).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_cycle_is_verified_by_every_sign_that_the_machine_left_on() {
    use PowerState::{Off, On, PoweringOff, PoweringOn};
    for steps in [
        // Off for two seconds, at any time: what the specification asks for at least is never missed.
        &[(50, Off), (2050, On)][..],
        &[(1600, Off), (3600, On)],
        &[(4100, Off), (6100, On)],
        &[(9_900, Off), (11_900, On)],
        // "Off" itself is never shown.
        &[(0, PoweringOff), (100, PoweringOn), (2000, On)],
        &[(0, PoweringOff), (300, Off), (700, On)],
        &[(500, PoweringOn), (40_000, On)],
    ] {
        let got = cycle(&machine(steps, false)).await;
        assert_eq!((got.state, got.verified), (On, Verified::Yes), "{steps:?}");
    }
    // Too quick to be seen, but it says that it has started anew.
    let quick = machine(&[(100, Off), (200, On)], true);
    assert_eq!(cycle(&quick).await.verified, Verified::Yes);
    let silent = machine(&[(100, Off), (200, On)], false);
    assert_eq!(cycle(&silent).await.verified, Verified::No);
    assert!(*silent.reads.lock().unwrap() <= 23, "it is asked gently");
}

#[tokio::test(start_paused = true)]
async fn a_cycle_that_ends_off_is_not_verified() {
    let stays = machine(&[(50, PowerState::Off)], true);
    let got = cycle(&stays).await;
    assert_eq!((got.state, got.verified), (PowerState::Off, Verified::No));
}
