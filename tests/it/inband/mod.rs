//! `inband-init` on a real kernel: a VM whose BMC is ipmi_sim, with halbox as its only IPMI program.

mod bound;
mod daemon;
mod host;
mod registered;
mod served;
mod simulated;
pub mod vm;

use serde_json::Value;

use crate::common::ipmi_sim::{IpmiSim, Setup};
use crate::common::{halbox, oracle, stderr, stdout};
use vm::Vm;

/// The customary slot of Supermicro, whose manufacturer id ipmi_sim is given.
const SLOT: u8 = 10;

/// Does `ipmitool` log in as that user?
fn ipmitool(sim: &IpmiSim, user: &str, password: &str) -> bool {
    let program = oracle("ipmitool").unwrap();
    let output = std::process::Command::new(program)
        .args([
            "-I",
            "lanplus",
            "-C",
            "3",
            "-N",
            "1",
            "-R",
            "2",
            "-L",
            "ADMINISTRATOR",
            "-U",
            user,
            "-E",
        ])
        .args([
            "-H",
            &sim.address.ip().to_string(),
            "-p",
            &sim.address.port().to_string(),
        ])
        .args(["chassis", "power", "status"])
        .env("IPMITOOL_PASSWORD", password)
        .env("IPMI_PASSWORD", password)
        .output()
        .unwrap();
    output.status.success() && stdout(&output).contains("Chassis Power is")
}

/// Does `halbox bmc --address` log in as that user?
fn halbox_logs_in(sim: &IpmiSim, user: &str, password: &str) -> bool {
    let output = halbox()
        .args([
            "bmc",
            "--address",
            &sim.target(),
            "-C",
            "3",
            "-U",
            user,
            "-E",
            "-L",
            "administrator",
            "--no-cache",
        ])
        .args(["user", "ls", "-o", "json"])
        .env("HALBOX_PASSWORD", password)
        .output()
        .unwrap();
    output.status.success()
}

/// The one JSON document in what a step printed.
fn document(text: &str) -> Value {
    let start = text
        .find('{')
        .unwrap_or_else(|| panic!("no document: {text}"));
    serde_json::Deserializer::from_str(&text[start..])
        .into_iter::<Value>()
        .next()
        .unwrap()
        .unwrap_or_else(|e| panic!("{e}: {text}"))
}

/// The password of a run, and that it is a good one.
fn password(run: &Value) -> String {
    let password = run["ipmi"]["password"].as_str().unwrap().to_owned();
    assert_eq!(password.len(), 16);
    password
}

#[test]
fn a_fresh_machine_becomes_manageable() {
    let (Some(vm), Some(sim)) = (Vm::find(), IpmiSim::start(Setup::InBand(0))) else {
        return;
    };
    assert!(
        !ipmitool(&sim, "metal", "whatever"),
        "a login before the run"
    );
    let ran = vm.run(
        sim.kcs,
        "#show\n/halbox inband-init --show\n\
         #dry\n/halbox inband-init --dry-run\n\
         #first\ntime -v /halbox -v inband-init 2>/tmp/log; code=$?; cat /tmp/log >&2\n[ $code = 0 ] || exit $code\n\
         #second\n/halbox inband-init\n\
         #power\n/halbox bmc --inband power status -o json\n\
         #users\n/halbox bmc --inband user ls -o json\n\
         #raw\n/halbox bmc --inband raw 6 1 -o json\n\
         #info\n/halbox bmc --inband info -o json\n\
         #led\n/halbox bmc --inband led on -o json\n\
         #boot\n/halbox bmc --inband boot status -o json\n\
         #fru\n/halbox bmc --inband fru -o json\n\
         #sensors\n/halbox bmc --inband sensors -o json\n\
         #sel\n/halbox bmc --inband sel ls -o json\n",
    );
    assert_eq!(ran.code, 0, "{}\n{}", ran.stdout, ran.stderr);
    let show = document(ran.step("show"));
    assert_eq!(show["machine_id"], vm::UUID);
    assert_eq!(show["bmc"]["ip"], sim.address.ip().to_string());
    assert_eq!(
        (&show["ipmi"]["user_id"], &show["created"]),
        (&Value::Null, &Value::Bool(false))
    );
    assert_eq!(show["changes"], serde_json::json!([]));
    let dry = document(ran.step("dry"));
    assert_eq!(
        (&dry["created"], &dry["ipmi"]["password"]),
        (&Value::Bool(false), &Value::Null)
    );
    assert!(!dry["changes"].as_array().unwrap().is_empty());
    let first = document(ran.step("first"));
    assert_eq!(
        (&first["created"], &first["registered"]),
        (&Value::Bool(true), &Value::Bool(false))
    );
    // ipmi_sim says yes to every password: that proves nothing.
    assert_eq!(first["verified"], "none");
    assert_eq!(
        (&first["ipmi"]["user"], &first["ipmi"]["user_id"]),
        (&Value::from("metal"), &Value::from(SLOT))
    );
    let password = password(&first);
    assert!(
        !ran.stderr.contains(&password),
        "the password is in the log"
    );
    let second = document(ran.step("second"));
    assert_eq!(
        (&second["created"], &second["ipmi"]["password"]),
        (&Value::Bool(false), &Value::Null)
    );
    assert_eq!(second["changes"], serde_json::json!([]));
    for step in [
        "power", "users", "raw", "info", "led", "boot", "fru", "sensors", "sel",
    ] {
        let result = &document(ran.step(step))["results"][0];
        assert_eq!(result["ok"], true, "{step}: {result}");
        assert_eq!(result["driver"], "IPMI", "{step}");
    }
    assert!(ipmitool(&sim, "metal", &password), "ipmitool cannot log in");
    assert!(!ipmitool(&sim, "metal", "wrong-password-1"));
    assert!(
        halbox_logs_in(&sim, "metal", &password),
        "halbox cannot log in"
    );
    vm::report(&ran);
}

#[test]
fn taken_slots_are_left_alone() {
    let (Some(vm), Some(sim)) = (Vm::find(), IpmiSim::start(Setup::InBand(9))) else {
        return;
    };
    let ran = vm.run(
        sim.kcs,
        "#first\n/halbox inband-init\n#other\n/halbox inband-init --user user3; exit 0\n#gone\n",
    );
    assert_eq!(ran.code, 0, "{}\n{}", ran.stdout, ran.stderr);
    let first = document(ran.step("first"));
    assert_eq!(first["ipmi"]["user_id"], 11);
    assert!(ipmitool(&sim, "metal", &password(&first)));
    for id in [2, 5, 10] {
        assert!(
            ipmitool(&sim, &format!("user{id}"), &format!("pw{id}")),
            "user {id} was changed"
        );
    }
    assert_eq!(document(ran.step("other"))["created"], false);
}

#[test]
fn a_full_table_is_told_and_nobody_is_changed() {
    let (Some(vm), Some(sim)) = (Vm::find(), IpmiSim::start(Setup::InBand(62))) else {
        return;
    };
    let ran = vm.run(sim.kcs, "#first\n/halbox inband-init\n");
    assert_eq!(ran.code, 1, "{}\n{}", ran.stdout, ran.stderr);
    assert!(
        ran.stderr.contains("no slot for another user"),
        "{}",
        ran.stderr
    );
    let first = document(ran.step("first"));
    assert_eq!(first["created"], false);
    assert!(first["error"].as_str().unwrap().contains("no slot"));
    assert!(first["bmc"]["mac"].is_string());
    assert!(ipmitool(&sim, "user2", "pw2"));
}

#[test]
fn without_a_device_the_exit_code_is_3() {
    let Some(vm) = Vm::find() else { return };
    let ran = vm.run(0, "#first\n/halbox inband-init\n");
    assert_eq!(ran.code, 3, "{}\n{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains("ipmi_si"), "{}", ran.stderr);
}

#[test]
fn killed_in_the_middle_the_next_run_finishes() {
    let (Some(vm), Some(sim)) = (Vm::find(), IpmiSim::start(Setup::InBand(1))) else {
        return;
    };
    // The log tells each write: the process is killed as soon as it tells the first, and the second time the password.
    let ran = vm.run(
        sim.kcs,
        "killed() {\n  mkfifo /tmp/log\n  /halbox -v inband-init 2>/tmp/log >/dev/null &\n  pid=$!\n\
         while read -r line; do case \"$line\" in *\"$1 (\"*) kill -9 $pid; echo killed;; esac; done </tmp/log\n  rm /tmp/log\n}\n\
         #one\nkilled 'Set User Name'\n#two\nkilled 'Set User Password'\n#last\n/halbox inband-init\n#users\n/halbox bmc --inband user ls -o json\n",
    );
    assert_eq!(ran.code, 0, "{}\n{}", ran.stdout, ran.stderr);
    for step in ["one", "two"] {
        assert!(ran.step(step).contains("killed"), "{step}: {}", ran.stderr);
    }
    let last = document(ran.step("last"));
    assert_eq!(
        (&last["created"], &last["ipmi"]["user_id"]),
        (&Value::Bool(true), &Value::from(SLOT))
    );
    let users = &document(ran.step("users"))["results"][0]["value"];
    let names: Vec<_> = users
        .as_array()
        .unwrap()
        .iter()
        .map(|u| u["name"].clone())
        .collect();
    assert_eq!(names.iter().filter(|n| *n == "metal").count(), 1, "{users}");
    assert!(ipmitool(&sim, "metal", &password(&last)));
    assert!(ipmitool(&sim, "user2", "pw2"));
}

#[test]
fn help_is_complete() {
    let output = halbox().args(["inband-init", "--help"]).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(stdout(&output).contains("/dev/ipmi0"));
}
