use super::super::scripted::{CHASSIS, SYSTEM, Scripted, deaf, obedient, refusal, server, within};
use super::*;
use crate::hal::redfish::Quirks;
use serde_json::Value;

fn bmc(system: Value, chassis: Value) -> Arc<Scripted> {
    server(&[(SYSTEM, system), (CHASSIS, chassis)], obedient)
}

async fn state(bmc: &Arc<Scripted>, quirks: Quirks) -> (LedState, String) {
    let led = RedfishLed(bmc.client(quirks));
    let got = led.state(&within(5)).await.unwrap();
    (got.value, got.source.at.replace("/redfish/v1/", ""))
}

fn idle_lit() -> Quirks {
    Quirks {
        led_idle_lit: true,
        ..Quirks::default()
    }
}

#[tokio::test(start_paused = true)]
async fn the_property_that_means_it() {
    let (on, off) = (LedState::On, LedState::Off);
    for (system, chassis, quirks, want, at) in [
        (
            json!({"IndicatorLED": "Lit"}),
            json!({}),
            Quirks::default(),
            on,
            "Systems/1 IndicatorLED",
        ),
        (
            json!({"IndicatorLED": "Lit"}),
            json!({}),
            idle_lit(),
            off,
            "Systems/1 IndicatorLED",
        ),
        (
            json!({"IndicatorLED": "Blinking"}),
            json!({}),
            idle_lit(),
            on,
            "Systems/1 IndicatorLED",
        ),
        (
            json!({"IndicatorLED": "Lit", "LocationIndicatorActive": false}),
            json!({}),
            Quirks::default(),
            off,
            "Systems/1 LocationIndicatorActive",
        ),
        (
            json!({"LocationIndicatorActive": null}),
            json!({"LocationIndicatorActive": true}),
            Quirks::default(),
            on,
            "Chassis/1 LocationIndicatorActive",
        ),
        (
            json!({}),
            json!({"IndicatorLED": "Off"}),
            Quirks::default(),
            off,
            "Chassis/1 IndicatorLED",
        ),
    ] {
        let bmc = bmc(system.clone(), chassis);
        assert_eq!(state(&bmc, quirks).await, (want, at.to_owned()), "{system}");
    }
    let none = bmc(json!({}), json!({"IndicatorLED": null}));
    let error = RedfishLed(none.client(Quirks::default()))
        .state(&within(5))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Unsupported);
}

#[tokio::test(start_paused = true)]
async fn what_is_written() {
    for (system, on, want) in [
        (
            json!({"IndicatorLED": "Off"}),
            true,
            r#"{"IndicatorLED":"Blinking"}"#,
        ),
        (
            json!({"IndicatorLED": "Off", "IndicatorLED@Redfish.AllowableValues": ["Lit", "Off"]}),
            true,
            r#"{"IndicatorLED":"Lit"}"#,
        ),
        (
            json!({"IndicatorLED": "Lit"}),
            false,
            r#"{"IndicatorLED":"Off"}"#,
        ),
        (
            json!({"IndicatorLED": "Off", "LocationIndicatorActive": false}),
            true,
            r#"{"LocationIndicatorActive":true}"#,
        ),
    ] {
        let bmc = bmc(system, json!({}));
        let led = RedfishLed(bmc.client(Quirks::default()));
        let got = led.set(&within(60), on).await.unwrap().value;
        assert_eq!(got, if on { LedState::On } else { LedState::Off });
        assert_eq!(
            bmc.writes(),
            [format!("PATCH /redfish/v1/Systems/1 {want}")]
        );
    }
}

#[tokio::test(start_paused = true)]
async fn refusals_lead_to_the_next_place_and_lies_are_errors() {
    let system = json!({"IndicatorLED": "Off", "LocationIndicatorActive": false});
    let picky = server(
        &[
            (SYSTEM, system.clone()),
            (CHASSIS, json!({"IndicatorLED": "Off"})),
        ],
        |tree, ask| {
            if ask.path == SYSTEM {
                return refusal(400, "PropertyNotWritable");
            }
            obedient(tree, ask)
        },
    );
    let led = RedfishLed(picky.client(Quirks::default()));
    let got = led.set(&within(60), true).await.unwrap();
    assert_eq!(got.source.at, "/redfish/v1/Chassis/1 IndicatorLED");
    let deaf = server(&[(SYSTEM, system)], deaf);
    let led = RedfishLed(deaf.client(Quirks::default()));
    let error = led.set(&within(60), true).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "identify LED: the BMC accepted ON but stays OFF"
    );
    assert_eq!(deaf.writes().len(), 1);
}
