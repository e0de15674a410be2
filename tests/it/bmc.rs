//! `halbox bmc` against BMC software that none of us wrote: OpenIPMI's `ipmi_sim` in both configurations.

use std::process::Output;

use serde_json::Value;

use crate::common::ipmi_sim::{IpmiSim, Setup};
use crate::common::{halbox, stderr, stdout};

/// Who logs in, by default the administrator of the test bed.
const ADMIN: (&str, &str) = ("ipmiusr", "test");

/// Runs `halbox bmc` as `login` on `targets`.
fn call(targets: &[&str], login: (&str, &str), line: &str) -> Output {
    halbox()
        .args(["bmc", "--no-cache", "-U", login.0, "-E", "--address"])
        .args(targets)
        .args(line.split_whitespace())
        .env("HALBOX_PASSWORD", login.1)
        .output()
        .unwrap()
}

/// The value of an operation that must work.
fn value(sim: &IpmiSim, line: &str) -> Value {
    let out = call(&[&sim.target()], ADMIN, &format!("{line} -o json"));
    assert_eq!(
        out.status.code(),
        Some(0),
        "{line}: {}{}",
        stdout(&out),
        stderr(&out)
    );
    let document: Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(document["results"][0]["driver"], "IPMI", "{line}");
    document["results"][0]["value"].clone()
}

fn code(sim: &IpmiSim, login: (&str, &str), line: &str) -> Option<i32> {
    call(&[&sim.target()], login, line).status.code()
}

#[test]
fn power_follows_the_commands() {
    let Some(sim) = IpmiSim::start(Setup::Testbed) else {
        return;
    };
    assert_eq!(value(&sim, "power status"), "OFF");
    let refused = call(&[&sim.target()], ADMIN, "power reset");
    assert_eq!(
        refused.status.code(),
        Some(1),
        "a machine that is off is not reset"
    );
    assert!(stderr(&refused).contains("hint: "), "{}", stderr(&refused));
    assert_eq!(value(&sim, "power on"), "ON");
    assert_eq!(value(&sim, "power on"), "ON");
    assert_eq!(
        sim.chassis_log().matches("power 1").count(),
        1,
        "on is done when already on: {}",
        sim.chassis_log()
    );
    assert_eq!(value(&sim, "power reset"), "ON");
    assert!(sim.chassis_log().contains("reset 1"));
    assert_eq!(value(&sim, "power cycle"), "ON");
    assert_eq!(value(&sim, "power soft"), "OFF");
    assert!(sim.chassis_log().contains("shutdown 1"));
    assert_eq!(value(&sim, "power off"), "OFF");
}

#[test]
fn every_read_works() {
    let Some(sim) = IpmiSim::start(Setup::Testbed) else {
        return;
    };
    assert_eq!(value(&sim, "sensors").as_array().unwrap().len(), 24);
    assert_eq!(value(&sim, "sel ls").as_array().unwrap().len(), 32);
    assert_eq!(
        value(&sim, "fru")[0]["product"]["part_number"],
        "SYS-2029BT-HNR"
    );
    let users = value(&sim, "user ls");
    let reader = users
        .as_array()
        .unwrap()
        .iter()
        .find(|u| u["name"] == "reader")
        .unwrap();
    assert_eq!(
        (
            reader["id"].as_str(),
            reader["role"].as_str(),
            reader["enabled"].as_bool()
        ),
        (Some("4"), Some("USER"), Some(true))
    );
    let lan = value(&sim, "lan");
    assert_eq!(
        (lan["mac"].as_str(), lan["source"].as_str()),
        (Some("52:54:00:ab:cd:01"), Some("static"))
    );
    assert_eq!(lan["ip"], sim.address.ip().to_string());
    let info = value(&sim, "info");
    assert_eq!(info["uuid_raw"], "a123456789abcdefa123456789abcdef");
    assert_eq!(
        (info["vendor"].as_str(), info["serial"].as_str()),
        (Some("Supermicro"), Some("E262335X2304003C"))
    );
    assert_eq!(info["bmc"]["mac"], "52:54:00:ab:cd:01");
    assert_eq!(info["fru"]["board_mfg_serial"], "BSERIAL01");
    assert!(value(&sim, "led status").is_string());
    let raw = value(&sim, "raw 0x06 0x01");
    assert_eq!(raw["completion_code"], "00");
    assert!(
        raw["data"].as_str().unwrap().starts_with("00 03 09 08 02"),
        "{raw}"
    );
}

#[test]
fn writes_reach_the_bmc() {
    let Some(sim) = IpmiSim::start(Setup::Testbed) else {
        return;
    };
    assert_eq!(code(&sim, ADMIN, "led on"), Some(0));
    assert!(
        sim.chassis_log().contains("identify"),
        "{}",
        sim.chassis_log()
    );
    assert_eq!(value(&sim, "sel clear"), "CLEARED");
    assert_eq!(value(&sim, "sel ls"), Value::Array(Vec::new()));
    let boot = call(&[&sim.target()], ADMIN, "boot pxe");
    // ipmi_sim sets the device and forgets the persistent and EFI bits: that must not pass as done.
    assert!(
        sim.chassis_log().contains("boot pxe"),
        "{}{}",
        sim.chassis_log(),
        stderr(&boot)
    );
    assert_eq!(boot.status.code(), Some(1), "{}", stderr(&boot));
    assert!(
        stderr(&boot).contains("'PXE UEFI PERSISTENT'"),
        "{}",
        stderr(&boot)
    );
    // It never sets the bit that makes an override valid.
    assert_eq!(value(&sim, "boot status")["target"], "NONE");
}

#[test]
fn exit_codes_tell_why() {
    let Some(mut sim) = IpmiSim::start(Setup::Testbed) else {
        return;
    };
    assert_eq!(code(&sim, ("ipmiusr", "wrong"), "power status"), Some(4));
    assert_eq!(code(&sim, ("nobody", "test"), "power status"), Some(4));
    assert_eq!(code(&sim, ("reader", "rd-test"), "power status"), Some(0));
    assert_eq!(
        code(&sim, ("reader", "rd-test"), "-L user power on"),
        Some(4),
        "USER may not switch power (ipmi_sim lets the account open a higher session)"
    );
    assert_eq!(code(&sim, ("operator", "op-test"), "power on"), Some(0));
    assert_eq!(
        code(&sim, ADMIN, "raw 0x06 0x02"),
        Some(5),
        "cold reset is not there"
    );
    assert_eq!(
        code(&sim, ADMIN, "raw 0x05 0x02"),
        Some(2),
        "an odd network function"
    );
    let dead = format!("{}:9", sim.address.ip());
    let refused = call(&[&dead], ADMIN, "power status");
    assert_eq!(
        (refused.status.code(), refused.stdout.len()),
        (Some(3), 0),
        "{}",
        stderr(&refused)
    );
    assert!(
        stderr(&refused).starts_with(&format!("halbox: {dead}: ")),
        "{}",
        stderr(&refused)
    );
    assert!(sim.is_alive());
}

#[test]
fn the_choices_of_ipmi_are_obeyed() {
    let Some(sim) = IpmiSim::start(Setup::Testbed) else {
        return;
    };
    for choice in [
        "-C 3",
        "-C 2",
        "-C 1",
        "-C 0",
        "-L administrator",
        "-L user",
        "--ipmi-version 1.5",
    ] {
        assert_eq!(
            code(&sim, ADMIN, &format!("{choice} power status")),
            Some(0),
            "{choice}"
        );
    }
    let unknown = call(&[&sim.target()], ADMIN, "-C 17 power status");
    assert_ne!(unknown.status.code(), Some(0), "ipmi_sim has no suite 17");
    assert!(stderr(&unknown).contains("17"), "{}", stderr(&unknown));
}

#[test]
fn the_minilab_of_metal_stack_is_driven() {
    let Some(sim) = IpmiSim::start(Setup::MiniLab) else {
        return;
    };
    let out = call(
        &[&sim.target()],
        ("ADMIN", "ADMIN"),
        "info --template {value.uuid_raw}",
    );
    assert_eq!(
        stdout(&out),
        "a123456789abcdefa123456789abcdef\n",
        "{}",
        stderr(&out)
    );
    assert_eq!(code(&sim, ("ADMIN", "ADMIN"), "power on"), Some(0));
    let anonymous = call(&[&sim.target()], ("", "test"), "power status --no-headers");
    assert!(
        stdout(&anonymous).ends_with("   ON   ipmi\n"),
        "{}",
        stderr(&anonymous)
    );
}

#[test]
fn several_targets_have_one_line_each() {
    let Some(a) = IpmiSim::start(Setup::Testbed) else {
        return;
    };
    let Some(b) = IpmiSim::start(Setup::Testbed) else {
        return;
    };
    let (a, b) = (a.target(), b.target());
    let dead = format!("{}:9", a.split(':').next().unwrap());
    let both = call(&[&a, &b], ADMIN, "power status --no-headers");
    assert_eq!(both.status.code(), Some(0), "{}", stderr(&both));
    assert_eq!(
        stdout(&both).lines().collect::<Vec<_>>(),
        [format!("{a}   OFF   ipmi"), format!("{b}   OFF   ipmi")]
    );
    let some = call(&[&a, &dead, &b], ADMIN, "power status --fanout 2 -o json");
    assert_eq!(some.status.code(), Some(6));
    let document: Value = serde_json::from_slice(&some.stdout).unwrap();
    let ok: Vec<_> = document["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| (r["target"].clone(), r["ok"].clone()))
        .collect();
    assert_eq!(
        ok,
        [
            (a.clone().into(), true.into()),
            (dead.clone().into(), false.into()),
            (b.clone().into(), true.into())
        ]
    );
    let yaml = call(&[&a, &dead, &b], ADMIN, "power status -o yaml");
    assert!(
        stdout(&yaml).contains("kind: unreachable"),
        "{}",
        stdout(&yaml)
    );
    let write = call(&[&a, &b], ADMIN, "power on");
    assert_eq!(
        write.status.code(),
        Some(2),
        "a write on several targets wants --yes"
    );
    assert!(stderr(&write).contains("--yes"));
    assert_eq!(
        call(&[&a, &b], ADMIN, "power on --yes").status.code(),
        Some(0)
    );
}

#[test]
fn an_interrupt_ends_it_with_130() {
    use nix::sys::signal::{Signal, kill};
    use nix::unistd::Pid;
    // A BMC that never answers.
    let silent = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let target = silent.local_addr().unwrap().to_string();
    let child = halbox()
        .args([
            "bmc",
            "--no-cache",
            "-U",
            "a",
            "-E",
            "--timeout",
            "10m",
            "--address",
            &target,
            "power",
            "status",
        ])
        .env("HALBOX_PASSWORD", "b")
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    // It is at work: signals are watched since before the first datagram.
    silent.recv(&mut [0; 512]).unwrap();
    kill(
        Pid::from_raw(child.id().try_into().unwrap()),
        Signal::SIGINT,
    )
    .unwrap();
    let out = child.wait_with_output().unwrap();
    assert_eq!(out.status.code(), Some(130), "{}", stderr(&out));
    assert!(!stderr(&out).contains("panicked"), "{}", stderr(&out));
}

#[test]
fn an_interrupt_closes_the_session_that_is_open() {
    use halbox::hal::sim::{self, Options};
    use halbox::hal::transport::faults::Faults;
    use nix::sys::signal::{Signal, kill};
    use nix::unistd::Pid;
    // Sixty commands of 40 ms: time enough to be interrupted in the middle.
    let sim = sim::start(Options {
        port: 0,
        faults: Faults {
            delay: std::time::Duration::from_millis(20),
            ..Faults::default()
        },
        ..Options::default()
    })
    .unwrap();
    let child = halbox()
        .args(["bmc", "--no-cache", "-U", "admin", "-E", "--address"])
        .arg(sim.addrs()[0].to_string())
        .arg("sensors")
        .env("HALBOX_PASSWORD", "admin")
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    while sim.total().commands < 5 {
        std::thread::yield_now();
    }
    assert_eq!(sim.total().sessions_open, 1);
    let pid = Pid::from_raw(child.id().try_into().unwrap());
    kill(pid, Signal::SIGINT).unwrap();
    let out = child.wait_with_output().unwrap();
    assert_eq!(out.status.code(), Some(130), "{}", stderr(&out));
    assert!(!stderr(&out).contains("panicked"), "{}", stderr(&out));
    // It ended after the BMC had confirmed: nothing is left to happen.
    let seen = sim.total();
    assert_eq!(
        (seen.sessions_open, seen.sessions_closed),
        (0, 1),
        "{seen:?}"
    );
}

#[test]
fn a_second_interrupt_ends_it_at_once() {
    use halbox::hal::sim::{self, Options};
    use nix::sys::signal::{Signal, kill};
    use nix::unistd::Pid;
    let sim = sim::start(Options {
        port: 0,
        ..Options::default()
    })
    .unwrap();
    // Between them stands one who is mute once the session is open: the goodbye has to be waited for.
    let relay = crate::common::relay::Relay::start(sim.addrs()[0]);
    relay.mute_after(5);
    let mut child = halbox()
        .args(["bmc", "--no-cache", "-U", "admin", "-E", "--timeout", "10m"])
        .arg("--address")
        .arg(relay.address.to_string())
        .arg("sensors")
        .env("HALBOX_PASSWORD", "admin")
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    while sim.total().commands < 2 {
        std::thread::yield_now();
    }
    let pid = Pid::from_raw(child.id().try_into().unwrap());
    // Signals of one kind merge while they wait: they are sent until it is gone.
    while child.try_wait().unwrap().is_none() {
        let _ = kill(pid, Signal::SIGINT);
        std::thread::yield_now();
    }
    let out = child.wait_with_output().unwrap();
    assert_eq!(out.status.code(), Some(130), "{}", stderr(&out));
    assert!(
        stderr(&out).contains("interrupted twice"),
        "{}",
        stderr(&out)
    );
}
