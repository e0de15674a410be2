//! Runs that ask and tell the daemon.

use serde_json::{Value, json};

use super::daemon::{Daemon, pixie};
use super::vm::{self, Vm};
use super::{document, ipmitool};
use crate::common::ipmi_sim::{IpmiSim, Setup};

#[test]
fn the_daemon_gets_the_password_and_the_second_run_writes_nothing() {
    let (Some(vm), Some(sim)) = (Vm::find(), IpmiSim::start(Setup::InBand(1))) else {
        return;
    };
    let daemon = Daemon::start();
    let pixie = pixie(&daemon);
    let vm = vm
        .with_ports(&[daemon.port, pixie])
        .with_words(&format!("PIXIE_API_URL=http://10.0.2.100:{pixie}/certs"));
    let (files, options) = (daemon.files(), daemon.options());
    let ran = vm.run(
        sim.kcs,
        &format!(
            "{files}#first\n/halbox -vv inband-init {options}\n\
             #second\n/halbox inband-init {options}\n\
             #pixie\n/halbox inband-init\n\
             #foreign\n/halbox inband-init --server https://10.0.2.100:{} --ca /tmp/ca; echo \"code $?\"\n",
            daemon.port
        ),
    );
    assert_eq!(ran.code, 0, "{}\n{}", ran.stdout, ran.stderr);
    let first = document(ran.step("first"));
    assert_eq!(
        (&first["created"], &first["registered"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(
        first["ipmi"]["password"],
        Value::Null,
        "printed though the daemon has it"
    );
    for step in ["second", "pixie"] {
        let again = document(ran.step(step));
        assert_eq!(
            (&again["created"], &again["registered"]),
            (&json!(false), &json!(true)),
            "{step}"
        );
        assert_eq!(again["changes"], json!([]), "{step}");
        assert_eq!(again["bmc"]["mac"], first["bmc"]["mac"]);
    }
    // Neither certificate nor token: not let in, and nothing was changed.
    assert!(
        ran.step("foreign").contains("code 4"),
        "{}\n{}",
        ran.stdout,
        ran.stderr
    );
    let table = daemon.table.lock().unwrap();
    // Put aside before the user was let in, and then for good.
    let [aside, row] = table.registered.as_slice() else {
        panic!("{} registrations", table.registered.len());
    };
    assert!(aside.pending && !row.pending && aside.ipmi_password == row.ipmi_password);
    assert_eq!((row.machine_id.as_str(), table.lookups), (vm::UUID, 3));
    assert_eq!(row.mac, first["bmc"]["mac"].as_str().unwrap());
    assert_eq!(
        row.address.as_deref(),
        Some(sim.address.ip().to_string().as_str())
    );
    assert_eq!(
        (row.vendor.as_deref(), row.error.as_deref()),
        (Some("Supermicro"), None)
    );
    let secret = String::from_utf8(row.ipmi_password.as_ref().unwrap().value.clone()).unwrap();
    assert!(ipmitool(&sim, row.ipmi_user.as_ref().unwrap(), &secret));
    for text in [&ran.stdout, &ran.stderr] {
        assert!(!text.contains(&secret), "the password is printed or logged");
    }
    assert!(!format!("{row:?}").contains(&secret));
}

#[test]
fn without_a_user_the_machine_is_registered_nevertheless() {
    let (Some(vm), Some(sim)) = (Vm::find(), IpmiSim::start(Setup::InBand(62))) else {
        return;
    };
    let daemon = Daemon::start();
    let vm = vm.with_ports(&[daemon.port]);
    let ran = vm.run(
        sim.kcs,
        &format!(
            "{}#first\n/halbox inband-init {}\n",
            daemon.files(),
            daemon.options()
        ),
    );
    assert_eq!(ran.code, 1, "{}\n{}", ran.stdout, ran.stderr);
    let first = document(ran.step("first"));
    assert_eq!(
        (&first["created"], &first["registered"]),
        (&json!(false), &json!(true))
    );
    let table = daemon.table.lock().unwrap();
    let row = &table.registered[0];
    assert!(row.error.as_ref().unwrap().contains("no slot"), "{row:?}");
    assert!(row.ipmi_user.is_none() && row.ipmi_password.is_none());
    assert_eq!(
        (row.machine_id.as_str(), row.board.is_some()),
        (vm::UUID, true)
    );
}

#[test]
fn a_user_of_that_name_is_only_ours_when_the_daemon_knows_it() {
    let (Some(vm), Some(sim)) = (Vm::find(), IpmiSim::start(Setup::InBand(1))) else {
        return;
    };
    let daemon = Daemon::start();
    let vm = vm.with_ports(&[daemon.port]);
    let (files, options) = (daemon.files(), daemon.options());
    let ran = vm.run(
        sim.kcs,
        &format!(
            "{files}#foreign\n/halbox inband-init --user user2 {options}; echo \"code $?\"\n\
             #ours\n/halbox inband-init --user user2 --take-over {options}\n"
        ),
    );
    assert_eq!(ran.code, 0, "{}\n{}", ran.stdout, ran.stderr);
    assert!(
        ran.step("foreign").contains("code 1"),
        "{}\n{}",
        ran.stdout,
        ran.stderr
    );
    assert!(ran.stderr.contains("--take-over"), "{}", ran.stderr);
    let ours = document(ran.step("ours"));
    assert_eq!(
        (&ours["created"], &ours["ipmi"]["user_id"]),
        (&json!(true), &json!(2))
    );
    assert!(!ipmitool(&sim, "user2", "pw2"));
}

#[test]
fn a_virtual_machine_without_a_bmc_is_unmanaged() {
    let Some(vm) = Vm::find() else { return };
    let daemon = Daemon::start();
    let vm = vm.with_ports(&[daemon.port]).with_vendor("QEMU");
    let ran = vm.run(
        0,
        &format!(
            "{}#first\n/halbox inband-init {}\n",
            daemon.files(),
            daemon.options()
        ),
    );
    assert_eq!(ran.code, 0, "{}\n{}", ran.stdout, ran.stderr);
    let first = document(ran.step("first"));
    assert_eq!(
        (&first["driver"], &first["registered"]),
        (&json!("Unmanaged"), &json!(true))
    );
    let table = daemon.table.lock().unwrap();
    let row = &table.registered[0];
    assert_eq!(row.driver(), halbox::api::proto::Driver::Unmanaged);
    assert_eq!(row.mac, first["bmc"]["mac"].as_str().unwrap());
}

#[test]
fn the_password_is_nowhere_else() {
    let (Some(vm), Some(sim)) = (Vm::find(), IpmiSim::start(Setup::InBand(1))) else {
        return;
    };
    let secret = "N0where+else#pw7";
    // Whoever is killed with a core limit and a core pattern leaves no core; no process shows it; no log has it.
    let ran = vm.run(
        sim.kcs,
        &format!(
            "printf %s '{secret}' >/tmp/pw\necho /tmp/core >/proc/sys/kernel/core_pattern\nulimit -c unlimited\n\
             (while [ ! -f /tmp/done ]; do grep -lFf /tmp/pw /proc/[0-9]*/cmdline /proc/[0-9]*/environ; usleep 5000; done) >/tmp/hits 2>/dev/null &\n\
             mkfifo /tmp/log\n/halbox -vv inband-init --password-file /tmp/pw 2>/tmp/log >/dev/null &\npid=$!\n\
             while read -r line; do echo \"$line\" >>/tmp/kept; case \"$line\" in *'Set User Name ('*) kill -ABRT $pid;; esac; done </tmp/log\n\
             wait $pid; echo $? >/tmp/first\n\
             /halbox -vv inband-init --rotate --password-file /tmp/pw >/tmp/out 2>>/tmp/kept; echo $? >/tmp/code\n\
             touch /tmp/done\nwait\ndmesg >>/tmp/kept\n\
             #first\ncat /tmp/first\n#code\ncat /tmp/code\n#hits\ncat /tmp/hits\n#logs\ngrep -cFf /tmp/pw /tmp/kept\n#lines\nwc -l </tmp/kept\n#core\nls /tmp\n#out\ngrep -cFf /tmp/pw /tmp/out\nexit 0\n"
        ),
    );
    assert_eq!(ran.code, 0, "{}\n{}", ran.stdout, ran.stderr);
    assert_eq!(ran.step("first").trim(), "134", "not killed by SIGABRT");
    assert_eq!(ran.step("code").trim(), "0");
    assert_eq!(ran.step("hits").trim(), "", "a process shows it");
    assert_eq!(ran.step("logs").trim(), "0", "a log has it");
    assert_ne!(ran.step("lines").trim(), "0");
    assert!(!ran.step("core").contains("core"), "{}", ran.step("core"));
    assert_eq!(
        ran.step("out").trim(),
        "1",
        "printed once, as nobody else has it"
    );
    assert!(ipmitool(&sim, "metal", secret));
}
