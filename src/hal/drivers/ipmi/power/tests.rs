use super::super::scripted::{Scripted, within};
use super::*;
use crate::hal::error::Kind;
use crate::hal::model::Cancel;
use crate::hal::model::power::Verified;
use std::time::Duration;

const STATUS: &str = "00 01";
const ON: &str = "00 01 00 00";
const OFF: &str = "00 00 00 00";

async fn set(bmc: &Arc<Scripted>, action: PowerAction, wait: bool) -> Result<PowerOutcome> {
    let power = IpmiPower(bmc.clone());
    let set = power.set(&within(60), action, wait).await;
    set.map(|r| r.value)
}

fn outcome(state: PowerState, verified: Verified) -> PowerOutcome {
    PowerOutcome { state, verified }
}

#[tokio::test(start_paused = true)]
async fn state() {
    for (answer, want) in [(ON, PowerState::On), ("00 60 00 00", PowerState::Off)] {
        let bmc = Scripted::in_order(&[(STATUS, answer)]);
        let got = IpmiPower(bmc).state(&within(5)).await.unwrap();
        assert_eq!(got.value, want);
        assert_eq!(got.source.to_string(), "ipmi");
    }
}

#[tokio::test(start_paused = true)]
async fn already_there_is_done_and_sends_nothing() {
    for (action, now, state) in [
        (PowerAction::On, ON, PowerState::On),
        (PowerAction::Off, OFF, PowerState::Off),
        (PowerAction::Soft, OFF, PowerState::Off),
    ] {
        let bmc = Scripted::in_order(&[(STATUS, now)]);
        let got = set(&bmc, action, true).await.unwrap();
        assert_eq!(got, outcome(state, Verified::Yes));
    }
}

#[tokio::test(start_paused = true)]
async fn reset_and_cycle_of_a_machine_that_is_off_are_refused() {
    for action in [PowerAction::Reset, PowerAction::Cycle] {
        let bmc = Scripted::in_order(&[(STATUS, OFF)]);
        let error = set(&bmc, action, true).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Refused);
        assert_eq!(error.hint(), Some("use 'power on'"));
        assert!(error.to_string().contains("the machine is off"));
    }
}

#[tokio::test(start_paused = true)]
async fn waits_until_it_is_reached_with_growing_pauses() {
    // HP: still "on" after the acknowledgement; then busy; then out of reach for a while.
    let bmc = Scripted::in_order(&[
        (STATUS, ON),
        ("00 02 00", "00"),
        (STATUS, ON),
        (STATUS, "c0"),
        (STATUS, "timeout"),
        (STATUS, OFF),
    ]);
    let start = tokio::time::Instant::now();
    let got = set(&bmc, PowerAction::Off, true).await.unwrap();
    assert_eq!(got, outcome(PowerState::Off, Verified::Yes));
    assert_eq!(start.elapsed().as_millis() / 10, 475);
    bmc.assert_done();
}

#[tokio::test(start_paused = true)]
async fn every_action_has_its_number() {
    for (action, before, number, after) in [
        (PowerAction::Off, ON, "00 02 00", OFF),
        (PowerAction::On, OFF, "00 02 01", ON),
        (PowerAction::Soft, ON, "00 02 05", OFF),
    ] {
        let bmc = Scripted::in_order(&[(STATUS, before), (number, "00"), (STATUS, after)]);
        let got = set(&bmc, action, true).await.unwrap();
        assert_eq!(got, outcome(action.goal(), Verified::Yes));
        bmc.assert_done();
    }
    let bmc = Scripted::in_order(&[(STATUS, ON), ("00 02 03", "00")]);
    let got = set(&bmc, PowerAction::Reset, true).await.unwrap();
    assert_eq!(got, outcome(PowerState::On, Verified::NotObservable));
    bmc.assert_done();
}

#[tokio::test(start_paused = true)]
async fn a_cycle_is_verified_when_it_was_seen_off() {
    let bmc = Scripted::in_order(&[
        (STATUS, ON),
        ("00 02 02", "00"),
        (STATUS, ON),
        (STATUS, OFF),
        (STATUS, OFF),
        (STATUS, ON),
    ]);
    let got = set(&bmc, PowerAction::Cycle, true).await.unwrap();
    assert_eq!(got, outcome(PowerState::On, Verified::Yes));
    bmc.assert_done();
    let too_fast = Scripted::answering(&[(STATUS, ON), ("00 02 02", "00")]);
    let start = tokio::time::Instant::now();
    let got = set(&too_fast, PowerAction::Cycle, true).await.unwrap();
    assert_eq!(got, outcome(PowerState::On, Verified::No));
    assert_eq!(start.elapsed().as_secs(), 20);
}

#[tokio::test(start_paused = true)]
async fn without_waiting_nothing_is_read_afterwards() {
    let bmc = Scripted::in_order(&[(STATUS, OFF), ("00 02 01", "00")]);
    let got = set(&bmc, PowerAction::On, false).await.unwrap();
    assert_eq!(got, outcome(PowerState::On, Verified::No));
    bmc.assert_done();
}

#[tokio::test(start_paused = true)]
async fn a_bmc_that_accepts_and_does_nothing_is_not_verified() {
    let bmc = Scripted::answering(&[(STATUS, ON), ("00 02 05", "00")]);
    let start = tokio::time::Instant::now();
    let got = set(&bmc, PowerAction::Soft, true).await.unwrap();
    assert_eq!(got, outcome(PowerState::On, Verified::No));
    assert_eq!(start.elapsed().as_secs(), 60);
    let control = bmc.sent().into_iter().filter(|r| r.starts_with("00 02"));
    assert_eq!(control.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn refusals() {
    for (answer, kind) in [
        ("d4", Kind::Privilege),
        ("c1", Kind::Unsupported),
        ("cc", Kind::Refused),
        ("lost", Kind::Indeterminate),
    ] {
        let bmc = Scripted::in_order(&[(STATUS, ON), ("00 02 00", answer)]);
        let error = set(&bmc, PowerAction::Off, true).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{answer}");
        bmc.assert_done();
    }
}

#[tokio::test(start_paused = true)]
async fn somebody_else_was_faster() {
    let bmc = Scripted::in_order(&[(STATUS, ON), ("00 02 00", "d5"), (STATUS, OFF)]);
    let got = set(&bmc, PowerAction::Off, true).await.unwrap();
    assert_eq!(got, outcome(PowerState::Off, Verified::Yes));
    let bmc = Scripted::in_order(&[(STATUS, ON), ("00 02 02", "d5"), (STATUS, OFF)]);
    let error = set(&bmc, PowerAction::Cycle, true).await.unwrap_err();
    assert!(error.hint().is_some());
    let bmc = Scripted::in_order(&[(STATUS, ON), ("00 02 05", "d5"), (STATUS, ON)]);
    let error = set(&bmc, PowerAction::Soft, true).await.unwrap_err();
    assert_eq!(
        CompletionError::find(&error),
        Some(CompletionCode::NOT_IN_PRESENT_STATE)
    );
}

#[tokio::test(start_paused = true)]
async fn the_caller_may_give_up_and_a_lost_login_ends_it() {
    let cancel = Cancel::new();
    let cx = within(60).with_cancel(cancel.clone());
    let bmc = Scripted::answering(&[(STATUS, ON), ("00 02 00", "00")]);
    let power = IpmiPower(bmc.clone());
    let stop = async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        cancel.cancel();
    };
    let (set, ()) = tokio::join!(power.set(&cx, PowerAction::Off, true), stop);
    assert_eq!(set.unwrap_err().kind(), Kind::Cancelled);
    assert_eq!(bmc.sent().len(), 4);
    let bmc = Scripted::in_order(&[(STATUS, ON), ("00 02 00", "00"), (STATUS, "auth")]);
    let power = IpmiPower(bmc);
    let error = power.set(&within(60), PowerAction::Off, true).await;
    assert_eq!(error.unwrap_err().kind(), Kind::Auth);
}
