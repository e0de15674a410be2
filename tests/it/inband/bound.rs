//! What bounds a run, against a real daemon: no BMC, one that hangs, one that is not to be touched; a certificate of one
//! machine; a run that is killed and never comes back.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use halbox::api::client::registration::{Access, Registration};
use halbox::hal::Kind;
use halbox::hal::model::{Cx, Secret};
use halbox::hal::sim::{Manners, ProfileName};
use serde_json::json;

use super::document;
use super::served::{Site, hold_up};
use super::vm;
use crate::serve::daemon::PATIENCE;

/// The VM's network card.
const NIC: &str = "52:54:00:12:34:56";

#[test]
fn a_machine_whose_bmc_is_left_alone_or_missing_is_unmanaged() {
    let Some(mut site) = Site::new(17, 16_480, ProfileName::Generic) else {
        return;
    };
    let line = format!("{} --token-file /tmp/token", site.server());
    let ran = site.run(&format!("#first\n/halbox inband-init --unmanaged {line}\n"));
    assert_eq!(ran.code, 0, "{}\n{}", ran.stdout, ran.stderr);
    let check = |site: &Site, ran: &vm::Ran| {
        let first = document(ran.step("first"));
        assert_eq!(
            (&first["driver"], &first["registered"], &first["bmc"]["mac"]),
            (&json!("Unmanaged"), &json!(true), &json!(NIC)),
            "{first}"
        );
        let row = site.daemon.json(&format!("describe {NIC}"));
        assert_eq!(
            (&row["driver"], &row["machine_id"]),
            (&json!("Unmanaged"), &json!(vm::UUID)),
            "{row}"
        );
    };
    check(&site, &ran);
    let users = site.sim.with_state(0, |s| s.users.enabled());
    assert_eq!(users, Some(1), "the BMC was touched");
    assert!(site.daemon.bmc(&format!("rm {NIC} --yes")).status.success());
    site.vm = site.vm.with_vendor("QEMU");
    let ran = site.run_without_bmc(&format!("#first\n/halbox inband-init {line}\n"));
    assert_eq!(ran.code, 0, "{}\n{}", ran.stdout, ran.stderr);
    check(&site, &ran);
}

#[test]
fn a_bmc_that_hangs_costs_the_given_time_and_no_more() {
    let Some(site) = Site::new(18, 16_490, ProfileName::Generic) else {
        return;
    };
    let over = AtomicBool::new(false);
    let line = format!("{} --token-file /tmp/token", site.server());
    let ran = std::thread::scope(|scope| {
        scope.spawn(|| {
            let until = Instant::now() + PATIENCE;
            let there = || site.sim.with_state(0, |s| s.users.enabled()) == Some(2);
            while !there() && !over.load(Ordering::Relaxed) && Instant::now() < until {
                std::thread::yield_now();
            }
            let manners = Manners {
                slow: Duration::from_mins(10),
                ..Manners::default()
            };
            site.sim.with_bmc(0, |bmc| bmc.set_manners(manners));
        });
        // The second begins when the BMC has fallen silent. Only a run that does not end is ended by `timeout` (143).
        let ran = site.run(&format!(
            "/halbox inband-init >/dev/null\n\
             while /halbox bmc --inband --timeout 1s raw 6 1 >/dev/null; do :; done\n\
             #hung\ntimeout 40 /halbox inband-init --timeout 3s --rotate {line}; echo \"code $?\"\n"
        ));
        over.store(true, Ordering::Relaxed);
        ran
    });
    assert_eq!(ran.code, 0, "{}\n{}", ran.stdout, ran.stderr);
    assert!(
        ran.step("hung").contains("code 3"),
        "{}\n{}",
        ran.stdout,
        ran.stderr
    );
}

/// Killed when the user is let in, and the machine never asks again: the daemon tries what it put aside when the time of
/// that run is over.
#[test]
fn what_was_put_aside_is_tried_without_being_asked() {
    let Some(site) = Site::new(19, 16_500, ProfileName::Generic) else {
        return;
    };
    let server = format!("{} --token-file /tmp/token", site.server());
    let over = AtomicBool::new(false);
    let ran = std::thread::scope(|scope| {
        scope.spawn(|| hold_up(&site.sim, &over));
        let ran = site.run(&format!(
            "mkfifo /tmp/log\n/halbox -v inband-init --timeout 20s {server} 2>/tmp/log >/tmp/out &\npid=$!\n\
             while read -r line; do case \"$line\" in *' 0x01)'*) kill -9 $pid; echo killed;; esac; done </tmp/log >/tmp/killed\n\
             #killed\ncat /tmp/killed\n#printed\ncat /tmp/out\n"
        ));
        over.store(true, Ordering::Relaxed);
        ran
    });
    assert!(
        ran.step("killed").contains("killed"),
        "{}\n{}",
        ran.stdout,
        ran.stderr
    );
    assert_eq!(ran.step("printed"), "", "it was through");
    let before = site.daemon.json(&format!("describe {}", site.mac));
    assert_eq!(before["machine_id"], vm::UUID, "{before}");
    assert_eq!(site.sim.total().failed_logins, 0, "{}", site.daemon.log());
    site.assert_adopted(&ran);
}

#[test]
fn the_certificate_of_one_machine_speaks_for_no_other() {
    let Some(site) = Site::new(20, 16_510, ProfileName::Generic) else {
        return;
    };
    let paper = |name: &str| std::fs::read(site.papers.path().join(name)).unwrap();
    let access = Access {
        server: format!("https://127.0.0.1:{}", site.port + 2),
        ca: Some(paper("ca.pem")),
        identity: Some((paper("own.pem"), Secret::new(paper("own.key")))),
        token: None,
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let cx = Cx::until(Instant::now() + PATIENCE);
        let daemon = Registration::connect(&access).await.unwrap();
        let own = daemon.lookup(&cx, vm::UUID).await.unwrap();
        assert!(!own.manageable);
        let other = "47c43c25-69fe-4f88-b69d-4e71dc4070d0";
        let error = daemon.lookup(&cx, other).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Privilege, "{}", error.chain());
        let error = daemon.lookup(&cx, "").await.unwrap_err();
        assert_eq!(error.kind(), Kind::Privilege, "{}", error.chain());
    });
}
