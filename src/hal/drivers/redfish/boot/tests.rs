use super::super::scripted::{SYSTEM, Scripted, deaf, obedient, refusal, server, within};
use super::*;
use crate::hal::redfish::{BootSend, Quirks};
use serde_json::json;

const PENDING: &str = "/redfish/v1/Systems/1/Settings";

fn boot(mode: &str) -> Value {
    json!({"BootSourceOverrideEnabled": "Disabled", "BootSourceOverrideTarget": "None", "BootSourceOverrideMode": mode,
        "BootSourceOverrideTarget@Redfish.AllowableValues": ["None", "Pxe", "Hdd", "BiosSetup"]})
}

fn with_settings(boot: &Value) -> Value {
    json!({"Boot": boot, "@Redfish.Settings": {"SettingsObject": {"@odata.id": PENDING}}})
}

fn pxe(persistent: bool) -> BootRequest {
    BootRequest {
        target: BootTarget::Pxe,
        mode: BootMode::Uefi,
        persistent,
    }
}

async fn set(bmc: &Arc<Scripted>, request: BootRequest, quirks: Quirks) -> Result<BootState> {
    let boot = RedfishBoot(bmc.client(quirks));
    boot.set(&within(60), request).await.map(|r| r.value)
}

fn state_is(target: BootTarget, mode: BootMode, persistence: BootPersistence) -> BootState {
    BootState {
        target,
        mode: Some(mode),
        persistence,
    }
}

#[tokio::test(start_paused = true)]
async fn the_body_is_as_the_quirks_say() {
    let (t, e, m) = (
        "\"BootSourceOverrideTarget\":\"Pxe\"",
        "\"BootSourceOverrideEnabled\":\"Once\"",
        "\"BootSourceOverrideMode\":\"UEFI\"",
    );
    for (present, send, want) in [
        ("UEFI", BootSend::Changed, format!("{{{t},{e}}}")),
        ("Legacy", BootSend::Changed, format!("{{{t},{e},{m}}}")),
        ("UEFI", BootSend::Full, format!("{{{t},{e},{m}}}")),
        ("UEFI", BootSend::NoMode, format!("{{{t},{e}}}")),
    ] {
        let bmc = server(&[(SYSTEM, json!({"Boot": boot(present)}))], obedient);
        let quirks = Quirks {
            boot_send: send,
            ..Quirks::default()
        };
        let got = set(&bmc, pxe(false), quirks).await.unwrap();
        assert_eq!(
            got,
            state_is(BootTarget::Pxe, BootMode::Uefi, BootPersistence::Once)
        );
        assert_eq!(
            bmc.writes(),
            [format!("PATCH {SYSTEM} {{\"Boot\":{want}}}")]
        );
    }
    let bmc = server(&[(SYSTEM, json!({"Boot": boot("Legacy")}))], obedient);
    let quirks = Quirks {
        boot_send: BootSend::NoMode,
        ..Quirks::default()
    };
    let error = set(&bmc, pxe(false), quirks).await.unwrap_err();
    assert_eq!((error.kind(), bmc.writes().len()), (Kind::Unsupported, 0));
}

#[tokio::test(start_paused = true)]
async fn the_state_in_our_words() {
    for (enabled, target, want) in [
        ("Disabled", "Pxe", BootTarget::None),
        ("Once", "UefiHttp", BootTarget::Pxe),
        ("Continuous", "UsbCd", BootTarget::Cdrom),
        ("Once", "BiosSetup", BootTarget::Bios),
    ] {
        let mut boot = boot("UEFI");
        boot["BootSourceOverrideEnabled"] = json!(enabled);
        boot["BootSourceOverrideTarget"] = json!(target);
        let bmc = server(&[(SYSTEM, json!({"Boot": boot}))], obedient);
        let got = RedfishBoot(bmc.client(Quirks::default()))
            .state(&within(5))
            .await
            .unwrap();
        assert_eq!(got.value.target, want);
        assert_eq!(
            got.source.at,
            "/redfish/v1/Systems/1 Boot/BootSourceOverrideTarget"
        );
    }
    let none = server(&[(SYSTEM, json!({"Boot": {"BootOrder": []}}))], obedient);
    let error = RedfishBoot(none.client(Quirks::default()))
        .state(&within(5))
        .await
        .unwrap_err();
    assert_eq!(
        error.chain(),
        "boot.state: /redfish/v1/Systems/1 has no Boot/BootSourceOverrideTarget"
    );
    let error = set(&none, pxe(true), Quirks::default()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unsupported);
}

#[tokio::test(start_paused = true)]
async fn a_silent_revert_is_an_error_that_says_so() {
    let bmc = server(&[(SYSTEM, json!({"Boot": boot("Legacy")}))], deaf);
    let error = set(&bmc, pxe(true), Quirks::default()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Refused);
    assert_eq!(
        error.to_string(),
        "boot override: the BMC accepted 'Pxe UEFI Continuous' but has 'None Legacy Disabled'"
    );
    assert_eq!(bmc.writes().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_settings_object_is_used_where_the_system_refuses_or_the_quirks_say_so() {
    let tree = [
        (SYSTEM, with_settings(&boot("UEFI"))),
        (PENDING, json!({"Boot": boot("UEFI")})),
    ];
    let bmc = server(&tree, |tree, ask| {
        if ask.path == SYSTEM {
            return refusal(405, "OperationNotAllowed");
        }
        obedient(tree, ask)
    });
    set(&bmc, pxe(false), Quirks::default()).await.unwrap();
    let paths = |bmc: &Scripted| -> Vec<String> {
        bmc.writes()
            .iter()
            .filter_map(|w| w.split(' ').nth(1).map(str::to_owned))
            .collect()
    };
    assert_eq!(paths(&bmc), [SYSTEM, PENDING]);
    let bmc = server(&tree, obedient);
    let quirks = Quirks {
        boot_via: BootVia::Settings,
        ..Quirks::default()
    };
    set(&bmc, pxe(false), quirks.clone()).await.unwrap();
    assert_eq!(paths(&bmc), [PENDING]);
    // What waits there is the override that is set.
    let got = RedfishBoot(bmc.client(quirks))
        .state(&within(5))
        .await
        .unwrap();
    assert_eq!(got.value.target, BootTarget::Pxe);
    let denied = server(&tree, |_, _| refusal(403, "InsufficientPrivilege"));
    let error = set(&denied, pxe(false), Quirks::default())
        .await
        .unwrap_err();
    assert_eq!((error.kind(), denied.writes().len()), (Kind::Privilege, 1));
}

#[tokio::test(start_paused = true)]
async fn where_only_the_next_boot_can_be_overridden_the_order_is_changed_and_nothing_dropped() {
    let mut only_once = boot("UEFI");
    only_once["BootSourceOverrideEnabled@Redfish.AllowableValues"] = json!(["Once", "Disabled"]);
    let options = "/redfish/v1/Systems/1/BootOptions";
    only_once["BootOptions"] = json!({"@odata.id": options});
    let disk = format!("{options}/Boot0002");
    let net = format!("{options}/Boot0003");
    let tree = [
        (SYSTEM, with_settings(&only_once)),
        (
            PENDING,
            json!({"Boot": {"BootOrder": ["Boot0002", "Boot0009", "Boot0003"]}}),
        ),
        (
            options,
            json!({"Members": [{"@odata.id": disk}, {"@odata.id": net}]}),
        ),
        (
            disk.as_str(),
            json!({"Id": "Boot0002", "DisplayName": "HardDisk"}),
        ),
        (
            net.as_str(),
            json!({"BootOptionReference": "Boot0003", "DisplayName": "Network"}),
        ),
    ];
    let bmc = server(&tree, obedient);
    let got = set(&bmc, pxe(true), Quirks::default()).await.unwrap();
    assert_eq!(
        got,
        state_is(BootTarget::Pxe, BootMode::Uefi, BootPersistence::Persistent)
    );
    let order = r#"{"Boot":{"BootOrder":["Boot0003","Boot0002","Boot0009"]}}"#;
    assert_eq!(bmc.writes(), [format!("PATCH {PENDING} {order}")]);
    let bmc = server(
        &[(
            SYSTEM,
            json!({"Boot": {"BootSourceOverrideEnabled": "Disabled",
        "BootSourceOverrideEnabled@Redfish.AllowableValues": ["Once", "Disabled"], "BootSourceOverrideTarget": "None"}}),
        )],
        obedient,
    );
    let error = set(&bmc, pxe(true), Quirks::default()).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.hint()),
        (Kind::Unsupported, Some("--once"))
    );
}

#[tokio::test(start_paused = true)]
async fn an_override_that_was_taken_is_not_set_once_more_by_another_driver() {
    let bmc = server(&[(SYSTEM, json!({"Boot": boot("UEFI")}))], |tree, ask| {
        tree.insert(SYSTEM.to_owned(), json!("gone"));
        deaf(tree, ask)
    });
    let error = set(&bmc, pxe(false), Quirks::default()).await.unwrap_err();
    assert!(!error.kind().falls_through(), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn without_any_override_every_boot_is_by_the_order() {
    let options = "/redfish/v1/Systems/1/BootOptions";
    let net = format!("{options}/2");
    let system = json!({"Boot": {"BootOrder": ["A", "B"], "BootOptions": {"@odata.id": options}}});
    let tree = [
        (SYSTEM, system),
        (options, json!({"Members": [{"@odata.id": net}]})),
        (
            net.as_str(),
            json!({"BootOptionReference": "B", "DisplayName": "NIC0 PXE IPv4"}),
        ),
    ];
    let bmc = server(&tree, obedient);
    let error = set(&bmc, pxe(false), Quirks::default()).await.unwrap_err();
    assert_eq!((error.kind(), bmc.writes().len()), (Kind::Unsupported, 0));
    let got = set(&bmc, pxe(true), Quirks::default()).await.unwrap();
    assert_eq!(got.persistence, BootPersistence::Persistent);
    assert_eq!(
        bmc.writes(),
        [format!(
            "PATCH {SYSTEM} {{\"Boot\":{{\"BootOrder\":[\"B\",\"A\"]}}}}"
        )]
    );
    let disk = BootRequest {
        target: BootTarget::Disk,
        ..pxe(true)
    };
    let error = set(&bmc, disk, Quirks::default()).await.unwrap_err();
    assert!(
        error.chain().contains("BootSourceOverrideTarget"),
        "{}",
        error.chain()
    );
}
