use super::super::scripted::{SYSTEM, Scripted, Tree, answer, obedient, refusal, server, within};
use super::*;
use crate::hal::redfish::{Answer, Ask, Quirks};
use serde_json::Value;

const ACTION: &str = "/redfish/v1/Systems/1/Actions/ComputerSystem.Reset";

fn system(state: &str, values: &[&str]) -> Value {
    let mut action = json!({"target": ACTION});
    if !values.is_empty() {
        action["ResetType@Redfish.AllowableValues"] = json!(values);
    }
    json!({"PowerState": state, "Actions": {"#ComputerSystem.Reset": action}})
}

/// A machine that obeys at once.
fn machine(state: &str, values: &[&str]) -> Arc<Scripted> {
    server(&[(SYSTEM, system(state, values))], |tree, ask| {
        let value = ask.body.as_ref().unwrap()["ResetType"].clone();
        let after = match value.as_str().unwrap() {
            "ForceOff" | "Off" | "GracefulShutdown" => "Off",
            "PushPowerButton" if tree[SYSTEM]["PowerState"] == "On" => "Off",
            _ => "On",
        };
        tree.get_mut(SYSTEM).unwrap()["PowerState"] = json!(after);
        answer(204, &Value::Null)
    })
}

async fn set(bmc: &Arc<Scripted>, action: PowerAction, quirks: Quirks) -> Result<PowerOutcome> {
    let power = RedfishPower(bmc.client(quirks));
    let set = power.set(&within(60), action, true).await;
    set.map(|r| r.value)
}

fn sent(bmc: &Scripted) -> Vec<String> {
    let of = |line: &String| {
        line.split("ResetType\":\"")
            .nth(1)?
            .split('"')
            .next()
            .map(str::to_owned)
    };
    bmc.writes().iter().filter_map(of).collect()
}

const ALL: &[&str] = &[
    "On",
    "ForceOff",
    "ForceRestart",
    "GracefulShutdown",
    "PowerCycle",
    "PushPowerButton",
];

#[tokio::test(start_paused = true)]
async fn states_of_the_specification_and_where_they_stand() {
    for (word, want) in [
        ("On", PowerState::On),
        ("Off", PowerState::Off),
        ("PoweringOn", PowerState::PoweringOn),
        ("PoweringOff", PowerState::PoweringOff),
        ("Paused", PowerState::Unknown),
    ] {
        let bmc = machine(word, ALL);
        let power = RedfishPower(bmc.client(Quirks::default()));
        let got = power.state(&within(5)).await.unwrap();
        assert_eq!(
            (got.value, got.source.at.as_str()),
            (want, "/redfish/v1/Systems/1 PowerState")
        );
        assert_eq!(bmc.reads(), 3, "cold");
        power.state(&within(5)).await.unwrap();
        assert_eq!(bmc.reads(), 4, "warm");
    }
    let chassis = server(
        &[
            (SYSTEM, json!({})),
            ("/redfish/v1/Chassis/1", json!({"PowerState": "On"})),
        ],
        obedient,
    );
    let got = RedfishPower(chassis.client(Quirks::default()))
        .state(&within(5))
        .await
        .unwrap();
    assert_eq!(
        (got.value, got.source.at.as_str()),
        (PowerState::On, "/redfish/v1/Chassis/1 PowerState")
    );
}

#[tokio::test(start_paused = true)]
async fn the_best_value_that_is_listed_is_sent() {
    use PowerAction::{Cycle, Off, On, Reset, Soft};
    for (action, before, values, want) in [
        (On, "Off", ALL, &["On"][..]),
        (On, "Off", &["ForceOn"], &["ForceOn"]),
        (On, "Off", &["PushPowerButton"], &["PushPowerButton"]),
        (Off, "On", ALL, &["ForceOff"]),
        (Off, "On", &["Off"], &["Off"]),
        (Soft, "On", ALL, &["GracefulShutdown"]),
        (Soft, "On", &["PushPowerButton"], &["PushPowerButton"]),
        (Reset, "On", ALL, &["ForceRestart"]),
        (Reset, "On", &["PowerCycle"], &["PowerCycle"]),
        (Reset, "On", &["On", "ForceOff", "Off"], &["ForceOff", "On"]),
        (
            Cycle,
            "On",
            &["On", "ForceOff", "ForceRestart"],
            &["ForceOff", "On"],
        ),
        (On, "Off", &[], &["On"]),
        (On, "On", ALL, &[]),
        (Off, "Off", ALL, &[]),
        (Soft, "Off", ALL, &[]),
    ] {
        let bmc = machine(before, values);
        let got = set(&bmc, action, Quirks::default()).await.unwrap();
        assert_eq!(got.state, action.goal(), "{action:?} {values:?}");
        assert_eq!(sent(&bmc), want, "{action:?} {values:?}");
    }
    let off_on = Quirks {
        reset_by_off_on: true,
        ..Quirks::default()
    };
    let bmc = machine("On", ALL);
    let got = set(&bmc, Reset, off_on).await.unwrap();
    assert_eq!(
        (got.verified, sent(&bmc)),
        (Verified::Yes, vec!["ForceOff".to_owned(), "On".to_owned()])
    );
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_done_is_said_before_anything_is_sent() {
    let bmc = machine("On", &["On", "ForceOff"]);
    let error = set(&bmc, PowerAction::Soft, Quirks::default())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Unsupported);
    assert_eq!(
        error.chain(),
        "power soft: /redfish/v1/Systems/1 has no ResetType for it"
    );
    for action in [PowerAction::Reset, PowerAction::Cycle] {
        let bmc = machine("Off", ALL);
        let error = set(&bmc, action, Quirks::default()).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.hint()),
            (Kind::Refused, Some("use 'power on'"))
        );
        assert!(bmc.writes().is_empty());
    }
}

/// The state that a read shows after the action, one after the other.
fn late(
    states: &'static [&'static str],
    reply: impl Fn() -> Answer + Send + 'static,
) -> Arc<Scripted> {
    let _ = states;
    server(
        &[(SYSTEM, system("Off", ALL))],
        move |tree: &mut Tree, _: &Ask| {
            tree.get_mut(SYSTEM).unwrap()["PowerState"] = json!(states[0]);
            reply()
        },
    )
}

#[tokio::test(start_paused = true)]
async fn a_refusal_because_it_is_there_already_is_done() {
    for reply in [
        || refusal(409, "ActionParameterValueConflict"),
        || refusal(400, "InvalidOperationForSystemState"),
    ] {
        let bmc = late(&["On"], reply);
        let got = set(&bmc, PowerAction::On, Quirks::default()).await.unwrap();
        assert_eq!((got.state, got.verified), (PowerState::On, Verified::Yes));
        let bmc = late(&["Off"], reply);
        let error = set(&bmc, PowerAction::On, Quirks::default())
            .await
            .unwrap_err();
        assert_eq!(error.kind(), Kind::Refused);
    }
    let denied = late(&["Off"], || refusal(403, "InsufficientPrivilege"));
    let error = set(&denied, PowerAction::On, Quirks::default())
        .await
        .unwrap_err();
    assert_eq!((error.kind(), denied.writes().len()), (Kind::Privilege, 1));
}

#[tokio::test(start_paused = true)]
async fn a_refused_value_leads_to_the_next() {
    let bmc = server(&[(SYSTEM, system("On", &[]))], |tree, ask| {
        if ask.body.as_ref().unwrap()["ResetType"] == "ForceOff" {
            return refusal(400, "ActionParameterNotSupported");
        }
        tree.get_mut(SYSTEM).unwrap()["PowerState"] = json!("Off");
        answer(202, &Value::Null)
    });
    set(&bmc, PowerAction::Off, Quirks::default())
        .await
        .unwrap();
    assert_eq!(sent(&bmc), ["ForceOff", "Off"]);
}

#[tokio::test(start_paused = true)]
async fn powering_on_for_ever_is_an_error_in_time() {
    let bmc = late(&["PoweringOn"], || answer(204, &Value::Null));
    let start = tokio::time::Instant::now();
    let error = set(&bmc, PowerAction::On, Quirks::default())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Timeout);
    assert!(error.chain().contains("POWERING_ON"), "{}", error.chain());
    assert_eq!(start.elapsed().as_secs(), 60);
    // It is on its way: nothing is sent a second time.
    let error = set(&bmc, PowerAction::On, Quirks::default())
        .await
        .unwrap_err();
    assert_eq!((error.kind(), bmc.writes().len()), (Kind::Timeout, 1));
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_does_not_go_off_is_not_switched_on() {
    let bmc = server(&[(SYSTEM, system("On", &["On", "ForceOff"]))], |_, _| {
        answer(204, &Value::Null)
    });
    let error = set(&bmc, PowerAction::Cycle, Quirks::default())
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), sent(&bmc)),
        (Kind::Timeout, vec!["ForceOff".to_owned()])
    );
}

/// Kind of the error of `action` at a BMC that cannot be reached any more once it was told.
async fn told_and_gone(action: PowerAction, values: &[&str]) -> (Kind, Vec<String>) {
    let bmc = server(&[(SYSTEM, system("On", values))], |tree, _| {
        tree.insert(SYSTEM.to_owned(), json!("gone"));
        answer(204, &Value::Null)
    });
    let error = set(&bmc, action, Quirks::default()).await.unwrap_err();
    (error.kind(), sent(&bmc))
}

#[tokio::test(start_paused = true)]
async fn what_was_accepted_is_not_done_once_more_by_another_driver() {
    for action in [PowerAction::Off, PowerAction::Cycle, PowerAction::Soft] {
        let (kind, sent) = told_and_gone(action, ALL).await;
        assert!(
            !kind.falls_through() && sent.len() == 1,
            "{action:?} {kind:?} {sent:?}"
        );
    }
    // The machine may be off now: it is switched on all the same.
    let (kind, sent) = told_and_gone(PowerAction::Reset, &["On", "ForceOff"]).await;
    assert!(!kind.falls_through(), "{kind:?}");
    assert_eq!(sent, ["ForceOff", "On"]);
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_goes_off_late_is_switched_on_all_the_same() {
    let off = Arc::new(std::sync::Mutex::new(None));
    let bmc = server(&[(SYSTEM, system("On", &["On", "ForceOff"]))], {
        let off = Arc::clone(&off);
        move |_, ask| {
            if ask.body.as_ref().unwrap()["ResetType"] == "ForceOff" {
                *off.lock().unwrap() = Some(clock());
            }
            answer(204, &Value::Null)
        }
    });
    let late = async {
        tokio::time::sleep(Duration::from_secs(59)).await;
        bmc.add(SYSTEM, system("Off", &["On", "ForceOff"]));
    };
    let power = RedfishPower(bmc.client(Quirks::default()));
    let cx = within(65);
    let (got, ()) = tokio::join!(power.set(&cx, PowerAction::Reset, true), late);
    assert_eq!(sent(&bmc), ["ForceOff", "On"], "{got:?}");
}

#[tokio::test(start_paused = true)]
async fn a_bmc_that_is_away_for_a_while_after_the_action_is_looked_at_again() {
    let bmc = server(&[(SYSTEM, system("On", ALL))], |tree, _| {
        tree.insert(SYSTEM.to_owned(), json!("gone"));
        answer(204, &Value::Null)
    });
    let back = async {
        tokio::time::sleep(Duration::from_secs(8)).await;
        bmc.add(SYSTEM, system("Off", ALL));
    };
    let (got, ()) = tokio::join!(set(&bmc, PowerAction::Off, Quirks::default()), back);
    let got = got.unwrap();
    assert_eq!((got.state, got.verified), (PowerState::Off, Verified::Yes));
    assert_eq!(sent(&bmc), ["ForceOff"]);
}
