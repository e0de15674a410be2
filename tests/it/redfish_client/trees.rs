//! What is chosen on each recorded tree, and how many requests that takes.

use halbox::hal::Kind;
use halbox::hal::redfish::{About, Learnt};

use super::{client, client_of, config, cx};
use crate::common::mockup::Mockup;

/// Tree, options as its BMC behaves, and the host's system, manager and chassis: read in the trees by hand.
const TREES: &[(&str, &str, [&str; 3])] = &[
    (
        "cray_ex235a",
        "",
        ["Systems/Node0", "Managers/BMC", "Chassis/Node0"],
    ),
    (
        "dell_r750_idrac9_6_00",
        "--account-slots --conflict-409",
        [
            "Systems/System.Embedded.1",
            "Managers/iDRAC.Embedded.1",
            "Chassis/System.Embedded.1",
        ],
    ),
    (
        "dmtf_public_rackmount1",
        "",
        ["Systems/437XR1138R2", "Managers/BMC", "Chassis/1U"],
    ),
    (
        "gigabyte_h262_ami",
        "--if-match require --weak-etags",
        ["Systems/Self", "Managers/Self", "Chassis/Self"],
    ),
    (
        "hpe_dl360_g10p_ilo5_3_11",
        "--rst-on-reuse",
        ["Systems/1", "Managers/1", "Chassis/1"],
    ),
    (
        "hpe_dl385g10p_ilo5_2_72",
        "--rst-on-reuse",
        ["Systems/1", "Managers/1", "Chassis/1"],
    ),
    (
        "lenovo_sr670v2_xcc",
        "",
        ["Systems/1", "Managers/1", "Chassis/1"],
    ),
    (
        "nvidia_bf3_dpu",
        "",
        [
            "Systems/Bluefield",
            "Managers/Bluefield_BMC",
            "Chassis/Bluefield_BMC",
        ],
    ),
    (
        "nvidia_dgx_h100_ami",
        "--if-match require --weak-etags",
        ["Systems/DGX", "Managers/BMC", "Chassis/DGX"],
    ),
    (
        "nvidia_gb200",
        "",
        ["Systems/System_0", "Managers/BMC_0", "Chassis/BMC_0"],
    ),
    (
        "openbmc_stock_2_15",
        "",
        ["Systems/system", "Managers/bmc", "Chassis/chassis"],
    ),
    (
        "supermicro_x10sdv_a",
        "",
        ["Systems/1", "Managers/1", "Chassis/1"],
    ),
    (
        "supermicro_x13_821ge",
        "--close",
        ["Systems/1", "Managers/1", "Chassis/1"],
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn the_host_is_found_on_every_tree() {
    for (tree, options, [system, manager, chassis]) in TREES {
        let options = format!("--strict --https {options}");
        let Some(mockup) = Mockup::start(tree, &options) else {
            return;
        };
        let client = client_of(&mockup);
        let cx = cx("one");
        let path = |part: &str| format!("/redfish/v1/{part}");
        let own = |found: &halbox::hal::redfish::Resource| found.link("/@odata.id").unwrap();
        assert_eq!(
            own(&client.system(&cx).await.unwrap()),
            path(system),
            "{tree}"
        );
        assert_eq!(
            own(&client.manager(&cx).await.unwrap()),
            path(manager),
            "{tree}"
        );
        assert_eq!(
            own(&client.chassis(&cx).await.unwrap()),
            path(chassis),
            "{tree}"
        );
        let log = mockup.log();
        // Each resource once; a reset connection may double one request, which is not answered.
        let mut paths: Vec<_> = log.iter().map(|r| r.path.clone()).collect();
        let all = paths.len();
        paths.sort();
        paths.dedup();
        assert_eq!(paths.len(), all, "{tree}");
        assert!(
            log.iter().all(|r| r.status == 200 && r.auth == "basic"),
            "{tree}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_power_state_takes_three_requests_cold_and_one_warm() {
    let Some(mockup) = Mockup::start("dell_r750_idrac9_6_00", "--https --strict") else {
        return;
    };
    let cold = client_of(&mockup);
    let system = cold.system(&cx("a")).await.unwrap();
    assert_eq!(system.str("/PowerState"), Some("On"));
    assert_eq!(mockup.log().len(), 3);
    // In the same operation it is not read again, unless it must be new.
    cold.system(&cx("a")).await.unwrap();
    assert_eq!(mockup.log().len(), 3);
    cold.fresh(&cx("a"), &system.path).await.unwrap();
    assert_eq!(mockup.log().len(), 4);
    cold.system(&cx("b")).await.unwrap();
    assert_eq!(mockup.log().len(), 5);
    assert_eq!(mockup.log().last().unwrap().conn, mockup.log()[0].conn);

    let learnt = cold.door().learnt().snapshot();
    let stored = serde_json::to_string(&learnt).unwrap();
    mockup.reset();
    let mut again = config(&mockup.url, mockup.address);
    again.learnt = serde_json::from_str(&stored).unwrap();
    let warm = client(again);
    warm.system(&cx("c")).await.unwrap();
    assert_eq!(mockup.log().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn remembered_links_that_lead_nowhere_are_looked_up_again() {
    let Some(mockup) = Mockup::start("openbmc_stock_2_15", "") else {
        return;
    };
    for stale in [
        "/redfish/v1/Systems/old",
        "https://evil.example/redfish/v1/Systems/1",
    ] {
        let mut config = config(&mockup.url, mockup.address);
        config.learnt = Learnt {
            system: Some(stale.to_owned()),
            about: Some(About::default()),
            ..Learnt::default()
        };
        let client = client(config);
        let system = client.system(&cx("a")).await.unwrap();
        assert_eq!(system.path, "/redfish/v1/Systems/system");
        let learnt = client.door().learnt().snapshot();
        assert_eq!(learnt.about, None, "it may be another make now");
        assert_eq!(learnt.system.as_deref(), Some("/redfish/v1/Systems/system"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_documents_of_a_real_bmc_are_read() {
    // The server cannot send what it cannot read, so its two broken files are decoded as they lie.
    let Some(corpora) = crate::common::mockup::corpora() else {
        return;
    };
    let Some(tar) = crate::common::oracle("tar") else {
        return;
    };
    for (report, values) in [("PowerMetrics", 7), ("PowerSupplyStats", 16)] {
        let out = std::process::Command::new(&tar)
            .arg("-xJOf")
            .arg(corpora.join("lenovo_sr670v2_xcc.tar.xz"))
            .arg(format!(
                "lenovo_sr670v2_xcc/redfish/v1/TelemetryService/MetricReports/{report}/index.json"
            ))
            .output()
            .unwrap();
        assert!(serde_json::from_slice::<serde_json::Value>(&out.stdout).is_err());
        let read = halbox::hal::redfish::Resource::decode("/x", None, &out.stdout, "").unwrap();
        assert_eq!(read.str("/Id"), Some(report));
        assert!(read.etag.is_some());
        assert!(read.list("/MetricValues").len() >= values, "{report}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn members_that_are_missing_cost_only_themselves() {
    let Some(mockup) = Mockup::start("dell_r750_idrac9_6_00", "") else {
        return;
    };
    let collection = "/redfish/v1/AccountService/Accounts";
    mockup.change(
        collection,
        &serde_json::json!({"Members": [
            null,
            {"@odata.id": "/redfish/v1/AccountService/Accounts/2"},
            {"@odata.id": "/redfish/v1/AccountService/Accounts/99"},
            {"@odata.id": "https://other.example/redfish/v1/AccountService/Accounts/1"},
            {"@odata.id": "/redfish/v1/AccountService/Accounts/3/"},
        ]}),
    );
    let read = client_of(&mockup)
        .members(&cx("a"), collection)
        .await
        .unwrap();
    assert_eq!(read.len(), 3);
    assert_eq!(read[0].as_ref().unwrap().str("/Id"), Some("2"));
    assert_eq!(read[1].as_ref().unwrap_err().kind(), Kind::Unsupported);
    assert_eq!(read[2].as_ref().unwrap().str("/Id"), Some("3"));
}

#[tokio::test(flavor = "multi_thread")]
async fn allowable_values_come_inline_or_from_the_action_info() {
    for (tree, values) in [
        ("dell_r750_idrac9_6_00", 8),
        ("gigabyte_h262_ami", 4),
        ("openbmc_stock_2_15", 8),
    ] {
        let Some(mockup) = Mockup::start(tree, "") else {
            return;
        };
        let client = client_of(&mockup);
        let cx = cx("a");
        let system = client.system(&cx).await.unwrap();
        let found = client
            .action_values(&cx, &system, "#ComputerSystem.Reset", "ResetType")
            .await
            .unwrap()
            .unwrap();
        assert_eq!(found.len(), values, "{tree}: {found:?}");
        let none = client
            .action_values(&cx, &system, "#ComputerSystem.Fly", "X")
            .await;
        assert_eq!(none.unwrap(), None);
    }
}
