use serde_json::{Value, json};

use super::super::scripted::{SYSTEM, deaf, server, within};
use super::*;
use crate::hal::error::Kind;
use crate::hal::redfish::Quirks;

/// What is said of `write` at a system like this.
async fn judged(system: &Value, write: Write) -> Result<String, Kind> {
    let bmc = server(&[(SYSTEM, system.clone())], deaf);
    let evidence = RedfishEvidence(bmc.client(Quirks::default()));
    let said = evidence.evidence(&within(5), write).await;
    assert!(bmc.writes().is_empty());
    said.map(|r| r.value).map_err(|e| e.kind())
}

#[tokio::test]
async fn power_is_judged_by_what_the_driver_would_send() {
    let system = |values: &[&str]| {
        json!({"PowerState": "On", "Actions": {"#ComputerSystem.Reset":
            {"target": "/x", "ResetType@Redfish.AllowableValues": values}}})
    };
    for (values, write, want) in [
        (&["On", "Off"][..], Write::PowerOff, Some("allows Off")),
        (&["On", "PushPowerButton"], Write::PowerOff, None),
        (&["On", "Off"], Write::PowerCycle, Some("allows Off and On")),
        (&["ForceRestart"], Write::PowerCycle, None),
        (&["FullPowerCycle"], Write::PowerCycle, None),
        (&["ForceOff"], Write::PowerReset, None),
        (&["ForceOn"], Write::PowerOn, Some("allows ForceOn")),
        (&[], Write::PowerSoft, Some("lists no values")),
    ] {
        let got = judged(&system(values), write).await;
        match want {
            Some(want) => assert!(got.as_ref().unwrap().ends_with(want), "{values:?} {got:?}"),
            None => assert_eq!(got, Err(Kind::Unsupported), "{values:?} {write:?}"),
        }
    }
}

#[tokio::test]
async fn boot_is_judged_by_what_the_driver_would_send() {
    let system = |values: &[&str]| {
        json!({"Boot": {"BootSourceOverrideTarget": "None", "BootSourceOverrideEnabled": "Disabled",
            "BootSourceOverrideTarget@Redfish.AllowableValues": values}})
    };
    for (values, write, want) in [
        // HTTP boot is no PXE, and a boot option no disk: they are never sent for them.
        (&["None", "UefiHttp"][..], Write::BootPxe, None),
        (
            &["None", "UefiTarget", "UefiBootNext"],
            Write::BootDisk,
            None,
        ),
        (&["None", "UefiHdd"], Write::BootDisk, Some("takes UefiHdd")),
        (&["None", "Pxe"], Write::BootPxe, Some("takes Pxe")),
        (
            &["None", "BiosSetup"],
            Write::BootBios,
            Some("takes BiosSetup"),
        ),
    ] {
        let got = judged(&system(values), write).await;
        match want {
            Some(want) => assert!(got.as_ref().unwrap().ends_with(want), "{values:?} {got:?}"),
            None => assert_eq!(got, Err(Kind::Unsupported), "{values:?} {write:?}"),
        }
    }
    assert_eq!(
        judged(&json!({}), Write::BootPxe).await,
        Err(Kind::Unsupported)
    );
}
