//! The Redfish host interface: SMBIOS of the VM names it, the BMC gives its host an account over KCS, and the account of
//! ours is made or let in by Redfish. BMC and daemon are halbox's own.

use halbox::hal::sim::ProfileName;
use serde_json::{Value, json};

use super::document;
use super::served::Site;
use super::vm;
use crate::common::{halbox, stderr};

/// Does `metal` log in over Redfish?
fn logs_in(site: &Site, password: &str) -> bool {
    let service = site.sim.redfish_addrs()[0];
    let output = halbox()
        .args(["bmc", "--address", &service.ip().to_string()])
        .args(["--redfish-port", &service.port().to_string()])
        .args(["--driver", "Redfish", "-U", "metal", "-E", "--no-cache"])
        .args(["power", "status", "-o", "json"])
        .env("HALBOX_PASSWORD", password)
        .output()
        .unwrap();
    output.status.success()
}

/// Over IPMI alone a Dell's user has no role in Redfish; over the host interface it gets one.
#[test]
fn dells_user_gets_its_redfish_role() {
    let Some(site) = Site::with_redfish(13, 16_440, ProfileName::Dell) else {
        return;
    };
    let ran = site.run("#first\n/halbox -v inband-init\n#again\n/halbox inband-init\n");
    assert_eq!(ran.code, 0, "{}\n{}", ran.stdout, ran.stderr);
    let first = document(ran.step("first"));
    assert_eq!(
        (&first["created"], &first["driver"]),
        (&json!(true), &json!("IPMI")),
        "{first}\n{}",
        ran.stderr
    );
    assert!(
        ran.stderr.contains("Redfish role of metal (PATCH)"),
        "{}",
        ran.stderr
    );
    assert!(!ran.stderr.contains("no Redfish role"), "{}", ran.stderr);
    assert!(logs_in(&site, first["ipmi"]["password"].as_str().unwrap()));
    assert_eq!(document(ran.step("again"))["changes"], json!([]));
    // The host's own account is nobody else's: its password is shown nowhere.
    let host = site.sim.with_state(0, |s| s.web.host.clone()).unwrap();
    let secret = String::from_utf8(host.unwrap().1.expose().to_vec()).unwrap();
    for text in [&ran.stdout, &ran.stderr, &ran.console] {
        assert!(!text.contains(&secret));
    }
}

/// Without the host interface it has none, and that is told.
#[test]
fn where_the_bmc_gives_no_account_that_is_told() {
    let Some(site) = Site::with_redfish(14, 16_450, ProfileName::Dell) else {
        return;
    };
    site.sim.with_state(0, |s| s.bootstrap = false);
    let ran = site.run("#first\n/halbox inband-init\n");
    assert_eq!(ran.code, 0, "{}\n{}", ran.stdout, ran.stderr);
    let first = document(ran.step("first"));
    // The document was printed before: these are on stderr.
    for told in ["credentials for it: disabled", "Accounts/3"] {
        assert!(ran.stderr.contains(told), "{first}\n{}", ran.stderr);
    }
    assert!(!logs_in(&site, first["ipmi"]["password"].as_str().unwrap()));
}

/// IPMI over LAN is off and stays off: the account is one of Redfish, and the daemon logs in with it there.
#[test]
fn where_ipmi_over_lan_is_off_for_good_redfish_is_the_way() {
    for (n, profile) in [(15, ProfileName::OpenBmc), (16, ProfileName::Hpe)] {
        let Some(site) = Site::with_redfish(n, 16_400 + u16::from(n) * 10 + 4, profile) else {
            return;
        };
        site.sim
            .with_state(0, |s| (s.channel.flags, s.channel.limit) = (0, 2));
        let server = format!("{} --token-file /tmp/token", site.server());
        let ran = site.run(&format!(
            "#first\n/halbox -v inband-init --no-enable-lan {server}\n\
             #again\n/halbox inband-init --no-enable-lan {server}\n"
        ));
        assert_eq!(
            ran.code,
            0,
            "{}\n{}\n{}",
            ran.stdout,
            ran.stderr,
            site.daemon.log()
        );
        let first = document(ran.step("first"));
        assert_eq!(
            (
                &first["driver"],
                &first["bootstrap"],
                &first["created"],
                &first["registered"],
                &first["verified"]
            ),
            (
                &json!("Redfish"),
                &json!("granted"),
                &json!(true),
                &json!(true),
                &json!("out-of-band")
            ),
            "{profile}: {first}\n{}",
            ran.stderr
        );
        assert_eq!(first["redfish"]["password"], Value::Null);
        assert_eq!(first["ipmi"]["password"], Value::Null);
        let again = document(ran.step("again"));
        assert_eq!(
            (&again["created"], &again["changes"]),
            (&json!(false), &json!([])),
            "{again}"
        );
        let row = site
            .daemon
            .json(&format!("describe {} --with-passwords", site.mac));
        assert_eq!(
            (&row["redfish"]["user"], &row["machine_id"]),
            (&json!("metal"), &json!(vm::UUID)),
            "{row}"
        );
        assert_eq!(row["ipmi"]["user"], Value::Null, "{row}");
        let secret = row["redfish"]["password"].as_str().unwrap();
        assert!(logs_in(&site, secret));
        assert!(!ran.stderr.contains(secret) && !ran.stdout.contains(secret));
        let state = site.daemon.bmc(&format!("power status {}", site.mac));
        assert!(state.status.success(), "{}", stderr(&state));
    }
}
