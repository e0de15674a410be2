//! Runs whose BMC is halbox's simulator: what ipmi_sim lacks.

use halbox::hal::sim::{self, ProfileName, SimHandle};
use serde_json::{Value, json};

use super::document;
use super::vm::{Ran, Vm};
use crate::common::halbox;

fn simulated(net: u8, port: u16, profile: ProfileName) -> SimHandle {
    sim::start(sim::Options {
        listen: format!("127.88.{net}.1").parse().unwrap(),
        port,
        profile,
        vm: Some("127.0.0.1:0".parse().unwrap()),
        ..sim::Options::default()
    })
    .unwrap()
}

fn run(vm: &Vm, sim: &SimHandle, script: &str) -> Ran {
    let ran = vm.run(sim.vm_addrs()[0].port(), script);
    assert_eq!(ran.code, 0, "{}\n{}", ran.stdout, ran.stderr);
    ran
}

/// Does `halbox bmc --address` log in as `metal`, as administrator?
fn logs_in(sim: &SimHandle, password: &str) -> bool {
    let output = halbox()
        .args(["bmc", "--address", &sim.addrs()[0].to_string()])
        .args(["-U", "metal", "-E", "-L", "administrator", "--no-cache"])
        .args(["user", "ls", "-o", "json"])
        .env("HALBOX_PASSWORD", password)
        .output()
        .unwrap();
    output.status.success()
}

/// The code that a step ended with.
fn code(ran: &Ran, step: &str) -> i32 {
    let text = ran.step(step);
    let (_, code) = text
        .rsplit_once("code ")
        .unwrap_or_else(|| panic!("{step}: {text}"));
    code.trim().parse().unwrap()
}

#[test]
fn the_options_do_what_they_say() {
    let Some(vm) = Vm::find() else { return };
    let sim = simulated(11, 16_420, ProfileName::Generic);
    sim.with_state(0, |s| {
        (s.channel.flags, s.channel.limit, s.lan.source) = (0, 2, 1);
    });
    let ran = run(
        &vm,
        &sim,
        "#off\n/halbox inband-init --no-enable-lan --user other; echo code $?\n\
         #long\n/halbox inband-init --password-length 20 --ip-source dhcp; echo code $?\n\
         #kept\n/halbox inband-init --password-length 20; echo code $?\n\
         #lan\n/halbox inband-init --rotate --verify-lan; echo code $?\n\
         #show\n/halbox inband-init --show; echo code $?\n\
         #dry\n/halbox inband-init --rotate --dry-run; echo code $?\n\
         #table\n/halbox inband-init --show -o table; echo code $?\n\
         echo 'N0where+else#pw7' >/tmp/pw\n\
         #file\n/halbox inband-init --take-over --password-file /tmp/pw; echo code $?\n\
         echo nodigitsandmorethantwentybytes >/tmp/long\n\
         #toolong\n/halbox inband-init --password-file /tmp/long; echo code $?\n\
         #usage\n/halbox inband-init --show --remove; echo code $?\n\
         #nodevice\n/halbox inband-init --device /dev/null; echo code $?\n\
         #removed\n/halbox inband-init --user other --remove; echo code $?\n\
         #nobody\n/halbox inband-init --user other --remove; echo code $?\n\
         #after\n/halbox inband-init --user other --show; echo code $?\n",
    );
    let off = document(ran.step("off"));
    assert_eq!((code(&ran, "off"), &off["created"]), (0, &json!(true)));
    assert!(
        off["warnings"].to_string().contains("is off and stays off"),
        "{off}"
    );
    let long = document(ran.step("long"));
    assert_eq!(
        (code(&ran, "long"), &long["verified"]),
        (0, &json!("in-band"))
    );
    assert_eq!(long["ipmi"]["password"].as_str().unwrap().len(), 20);
    let kept = document(ran.step("kept"));
    assert_eq!(
        (code(&ran, "kept"), &kept["created"], &kept["changes"]),
        (0, &json!(false), &json!([]))
    );
    // The VM's network has no way to the BMC: that is told, and the account is there.
    let lan = document(ran.step("lan"));
    assert_eq!(
        (code(&ran, "lan"), &lan["verified"]),
        (0, &json!("in-band"))
    );
    assert!(
        lan["warnings"]
            .to_string()
            .contains("not verified over the LAN"),
        "{lan}"
    );
    let show = document(ran.step("show"));
    assert_eq!(
        (&show["ipmi"]["user_id"], &show["ipmi"]["privilege"]),
        (&lan["ipmi"]["user_id"], &json!("ADMINISTRATOR"))
    );
    let dry = document(ran.step("dry"));
    assert_eq!(
        (&dry["created"], &dry["ipmi"]["password"]),
        (&json!(false), &Value::Null)
    );
    assert!(
        ran.step("table").starts_with("MACHINE ID"),
        "{}",
        ran.step("table")
    );
    assert_eq!(document(ran.step("file"))["created"], true);
    assert!(logs_in(&sim, "N0where+else#pw7"));
    let rotated = lan["ipmi"]["password"].as_str().unwrap();
    assert!(!logs_in(&sim, rotated), "--take-over left the old password");
    for (step, wanted) in [
        ("toolong", 2),
        ("usage", 2),
        ("nodevice", 3),
        ("removed", 0),
        ("nobody", 0),
    ] {
        assert_eq!(code(&ran, step), wanted, "{step}: {}", ran.stderr);
    }
    assert_eq!(document(ran.step("after"))["ipmi"]["user_id"], Value::Null);
    let (flags, limit, source) = sim
        .with_state(0, |s| (s.channel.flags & 7, s.channel.limit, s.lan.source))
        .unwrap();
    assert_eq!((flags, limit, source), (2, 4, 2));
    // The real driver's own guest commands, and ours, on the simulator's books.
    assert!(sim.ledger()[0].commands > 200);
}

/// Power off reaches the guest: QEMU ends, as a machine does.
#[test]
fn the_guest_switches_itself_off_through_its_bmc() {
    let Some(vm) = Vm::find() else { return };
    let sim = simulated(12, 16_430, ProfileName::OpenBmc);
    let ran = vm.run_until_off(
        sim.vm_addrs()[0].port(),
        "#before\n/halbox bmc --inband power status -o json\n#off\n/halbox bmc --inband power off --yes --no-wait\nsleep 60\necho alive\n",
    );
    assert_eq!(document(ran.step("before"))["results"][0]["value"], "ON");
    assert!(!ran.stdout.contains("alive"), "{}", ran.stdout);
    assert_eq!(sim.with_state(0, |s| s.power.on), Some(false));
}
