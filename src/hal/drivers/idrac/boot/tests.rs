use super::*;
use crate::hal::bmc::Bmc;
use crate::hal::drivers::redfish::scripted::{
    MANAGER, SYSTEM, Scripted, answer, obedient, refusal, server, within,
};
use crate::hal::model::{BootMode, BootTarget, DriverName};
use crate::hal::redfish::Quirks;
use serde_json::{Value, json};

const LC: &str = "/redfish/v1/Managers/1/LC";

fn system() -> Value {
    json!({"Boot": {"BootSourceOverrideEnabled": "Disabled", "BootSourceOverrideTarget": "None", "BootSourceOverrideMode": "UEFI",
        "BootOrder": ["Boot0001", "Boot0002"], "BootOptions": {"@odata.id": "/redfish/v1/Systems/1/BootOptions"}}})
}

fn manager(model: &str, version: &str) -> Value {
    json!({"Model": model, "FirmwareVersion": version, "Links": {"Oem": {"Dell": {
        "DellLCService": {"@odata.id": LC}, "Jobs": {"@odata.id": "/redfish/v1/Jobs"},
        "DellAttributes": [{"@odata.id": "/redfish/v1/Attributes"}]}}}})
}

async fn set(bmc: &Arc<Scripted>) -> Result<Reading<BootState>> {
    let quirks = Quirks {
        driver: DriverName::IDrac,
        ..Quirks::default()
    };
    let mut slots = Bmc::default();
    crate::hal::drivers::idrac::attach(&mut slots, bmc.client(quirks));
    let cx = within(60);
    let request = BootRequest {
        target: BootTarget::Pxe,
        mode: BootMode::Uefi,
        persistent: true,
    };
    slots.boot.call("boot.set", |b| b.set(&cx, request)).await
}

fn says(words: &str) -> crate::hal::redfish::Answer {
    answer(
        400,
        &json!({"error": {"@Message.ExtendedInfo": [{"MessageId": "IDRAC.2.8.X", "Message": words}]}}),
    )
}

#[tokio::test(start_paused = true)]
async fn old_versions_get_the_boot_order() {
    let options = "/redfish/v1/Systems/1/BootOptions";
    let net = format!("{options}/2");
    let tree = [
        (SYSTEM, system()),
        (MANAGER, manager("13G Monolithic", "2.63.60.61")),
        (options, json!({"Members": [{"@odata.id": net}]})),
        (
            net.as_str(),
            json!({"BootOptionReference": "Boot0002", "DisplayName": "PXE Device 1"}),
        ),
    ];
    let bmc = server(&tree, obedient);
    let got = set(&bmc).await.unwrap();
    assert_eq!(
        (got.value.target, got.source.to_string().as_str()),
        (BootTarget::Pxe, "idrac")
    );
    assert_eq!(
        bmc.writes(),
        [format!(
            "PATCH {SYSTEM} {{\"Boot\":{{\"BootOrder\":[\"Boot0002\",\"Boot0001\"]}}}}"
        )]
    );
    // What is still set for the next boot would come first.
    let mut set_once = tree;
    set_once[0].1["Boot"]["BootSourceOverrideEnabled"] = json!("Once");
    set_once[0].1["Boot"]["BootSourceOverrideTarget"] = json!("Hdd");
    let bmc = server(&set_once, obedient);
    set(&bmc).await.unwrap();
    assert!(
        bmc.writes()
            .last()
            .unwrap()
            .contains("Enabled\":\"Disabled"),
        "{:?}",
        bmc.writes()
    );
    let new = server(
        &[
            (SYSTEM, system()),
            (MANAGER, manager("15G Monolithic", "6.00.30.00")),
        ],
        obedient,
    );
    set(&new).await.unwrap();
    assert!(
        new.writes()[0].contains("BootSourceOverrideEnabled\":\"Continuous"),
        "{:?}",
        new.writes()
    );
}

#[tokio::test(start_paused = true)]
async fn the_lifecycle_controller_is_waited_for() {
    let lc = json!({"Actions": {"#DellLCService.GetRemoteServicesAPIStatus": {"target": "/redfish/v1/LC/Actions/Status"}}});
    let tree = [(SYSTEM, system()), (MANAGER, manager("15G", "6")), (LC, lc)];
    let mut looks = 0;
    let bmc = server(&tree, move |tree, ask| {
        if ask.path.ends_with("/Status") {
            looks += 1;
            return answer(
                200,
                &json!({"LCStatus": if looks > 2 { "Ready" } else { "NotReady" }}),
            );
        }
        if looks == 0 {
            return says("The Lifecycle Controller is not ready.");
        }
        obedient(tree, ask)
    });
    set(&bmc).await.unwrap();
    assert_eq!(
        bmc.writes()
            .iter()
            .filter(|w| w.ends_with("Status {}"))
            .count(),
        3
    );
}

/// An iDRAC whose boot override is blocked while `job` is in its queue.
fn blocked(job: Value) -> Arc<Scripted> {
    let service = "/redfish/v1/Managers/1/Oem/Dell/DellJobService";
    let delete = format!("{service}/Actions/DellJobService.DeleteJobQueue");
    let path = "/redfish/v1/Jobs/JID_1";
    let tree = [
        (SYSTEM, system()),
        (MANAGER, manager("15G", "6")),
        (
            "/redfish/v1/Jobs",
            json!({"Members": [{"@odata.id": path}]}),
        ),
        (path, job),
        (
            service,
            json!({"Actions": {"#DellJobService.DeleteJobQueue": {"target": delete}}}),
        ),
    ];
    server(&tree, move |tree, ask| {
        if ask.path == delete {
            assert_eq!(ask.body, Some(json!({"JobID": "JID_1"})));
            tree.get_mut(path).unwrap()["JobState"] = json!("Completed");
            return answer(200, &json!({}));
        }
        if tree[path]["JobState"] != "Completed" {
            return says("Pending configuration values are already committed.");
        }
        obedient(tree, ask)
    })
}

#[tokio::test(start_paused = true)]
async fn a_bios_job_that_waits_is_deleted_and_no_other() {
    let waiting = json!({"Id": "JID_1", "JobState": "Scheduled", "JobType": "BIOSConfiguration"});
    let bmc = blocked(waiting);
    assert_eq!(set(&bmc).await.unwrap().value.target, BootTarget::Pxe);
    let writes = bmc.writes();
    assert_eq!(writes.len(), 3, "{writes:?}");
    assert!(writes[1].contains("DeleteJobQueue"), "{writes:?}");
    for (state, kind) in [
        ("Running", "BIOSConfiguration"),
        ("Scheduled", "RAIDConfiguration"),
    ] {
        let bmc = blocked(json!({"Id": "JID_1", "JobState": state, "JobType": kind}));
        let error = set(&bmc).await.unwrap_err();
        assert!(error.hint().unwrap().contains("JID_1"), "{error:?}");
        assert_eq!(bmc.writes().len(), 1, "{:?}", bmc.writes());
    }
}

#[tokio::test(start_paused = true)]
async fn what_stands_in_the_way_is_named() {
    let jobs = json!({"Members": [{"@odata.id": "/redfish/v1/Jobs/JID_1"}, {"@odata.id": "/redfish/v1/Jobs/JID_2"}]});
    let tree = [
        (SYSTEM, system()),
        (MANAGER, manager("15G", "6")),
        ("/redfish/v1/Jobs", jobs),
        (
            "/redfish/v1/Jobs/JID_1",
            json!({"Id": "JID_1", "JobState": "Running", "JobType": "BIOSConfiguration"}),
        ),
        (
            "/redfish/v1/Jobs/JID_2",
            json!({"Id": "JID_2", "JobState": "Completed", "JobType": "BIOSConfiguration"}),
        ),
        (
            "/redfish/v1/Attributes",
            json!({"Attributes": {"Lockdown.1.SystemLockdown": "Enabled"}}),
        ),
    ];
    let pending = server(&tree, |_, _| {
        says("Pending configuration values are already committed.")
    });
    let error = set(&pending).await.unwrap_err();
    let hint = error.hint().unwrap();
    assert!(hint.contains("JID_1") && !hint.contains("JID_2"), "{hint}");
    let denied = server(&tree, |_, _| refusal(403, "InsufficientPrivilege"));
    let error = set(&denied).await.unwrap_err();
    assert!(error.hint().unwrap().contains("locked down"), "{error:?}");
}

#[test]
fn versions_are_compared_by_their_numbers() {
    assert!(version("2.63.60.61") <= FORGETS && version("2.75.100.75") > FORGETS);
    assert!(version("6.00.30.00") > FORGETS);
}
