//! The simulator against software that none of us wrote: ipmitool and FreeIPMI.

use std::process::{Command, Output};

use halbox::hal::sim::{self, Options, SimHandle};

use crate::common::{oracle, stderr, stdout};

fn start() -> SimHandle {
    sim::start(Options {
        port: 0,
        ..Options::default()
    })
    .unwrap()
}

struct Login<'a> {
    port: u16,
    user: &'a str,
    password: &'a str,
}

impl Login<'_> {
    fn admin(sim: &SimHandle) -> Login<'static> {
        Login {
            port: sim.addrs()[0].port(),
            user: "admin",
            password: "admin",
        }
    }

    /// ipmitool with `options` (interface, suite) and `line`.
    fn ipmitool(&self, options: &str, line: &str) -> Option<Output> {
        let mut command = Command::new(oracle("ipmitool")?);
        command
            .args(options.split_whitespace())
            .args(["-H", "127.0.0.1", "-p", &self.port.to_string()])
            .args(["-U", self.user, "-E"])
            .env("IPMI_PASSWORD", self.password)
            .args(line.split_whitespace());
        Some(command.output().unwrap())
    }

    /// ipmitool with suite 17; it must succeed.
    fn ask(&self, line: &str) -> Option<String> {
        let output = self.ipmitool("-I lanplus -C 17", line)?;
        assert!(
            output.status.success(),
            "ipmitool {line}: {}",
            stderr(&output)
        );
        Some(stdout(&output))
    }

    /// A tool of FreeIPMI with RMCP+ and cipher suite `suite`. It takes a bare 127.0.0.1 for in-band.
    fn freeipmi(
        &self,
        tool: &str,
        suite: u8,
        home: &std::path::Path,
        line: &str,
    ) -> Option<String> {
        let output = Command::new(oracle(tool)?)
            .args(["-D", "LAN_2_0", "-I", &suite.to_string()])
            .args(["-h", &format!("127.0.0.1:{}", self.port)])
            .args(["-u", self.user, "-p", self.password])
            .args(line.split_whitespace())
            .env("HOME", home)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{tool} {line}: {}",
            stderr(&output)
        );
        Some(stdout(&output))
    }
}

/// Everything that was opened was closed, and nobody guessed a password.
fn assert_gentle(sim: &SimHandle) {
    let total = sim.total();
    assert_eq!(total.sessions_opened, total.sessions_closed, "{total:?}");
    assert_eq!(
        (total.sessions_open, total.half_open, total.failed_logins),
        (0, 0, 0),
        "{total:?}"
    );
}

#[test]
fn ipmitool_logs_in_every_way() {
    let sim = start();
    let login = Login::admin(&sim);
    for options in [
        "-I lanplus -C 3",
        "-I lanplus -C 17",
        "-I lanplus",
        "-I lan",
        "-I lan -A MD5",
        "-I lan -A PASSWORD",
        "-I lan -A NONE",
    ] {
        let Some(output) = login.ipmitool(options, "power status") else {
            return;
        };
        assert_eq!(
            stdout(&output),
            "Chassis Power is on\n",
            "{options}: {}",
            stderr(&output)
        );
    }
    assert_gentle(&sim);
}

#[test]
fn ipmitool_reads_and_changes_the_server() {
    let sim = start();
    let login = Login::admin(&sim);
    let Some(info) = login.ask("mc info") else {
        return;
    };
    assert!(info.contains("Firmware Revision         : 2.17"), "{info}");
    let ask = |line: &str| login.ask(line).unwrap();
    assert!(ask("mc guid").contains("4c4c4544-0048-4210-8031-b7c04f000000"));
    assert_eq!(ask("sensor list").lines().count(), 24);
    assert!(ask("sensor list").contains("VBAT             | 3.040      | Volts"));
    assert_eq!(ask("sel list").lines().count(), 32);
    let fru = ask("fru print 0");
    assert!(
        fru.contains("Chassis Serial        : CHB000001") && fru.contains("2023"),
        "{fru}"
    );
    assert!(ask("lan print 1").contains("0a:1f:6b:00:00:01"));
    assert!(ask("dcmi power reading").contains("252 Watts"));

    ask("chassis bootdev pxe options=efiboot,persistent");
    let flags = sim.with_state(0, |s| s.boot.flags).unwrap();
    assert_eq!(flags, [0xe0, 0x04, 0, 0, 0]);
    ask("chassis policy always-off");
    assert_eq!(sim.with_state(0, |s| s.power.policy), Some(0));
    ask("sel clear");
    assert!(ask("sel info").contains("Entries          : 0"));
    ask("dcmi set_asset_tag rack-7");
    assert!(ask("dcmi asset_tag").contains("rack-7"));
    ask("sensor thresh FAN1 lower 100 200 300");
    assert!(ask("sensor get FAN1").contains("Lower Critical        : 200"));
    ask("lan set 1 vlan id 100");
    assert!(ask("lan print 1").contains("802.1q VLAN ID          : 100"));
    ask("chassis identify force");
    ask("chassis power off");
    assert_gentle(&sim);
}

#[test]
fn a_user_with_a_long_password_is_made_and_logs_in() {
    let sim = start();
    let admin = Login::admin(&sim);
    let password = "twenty-bytes-long-pw";
    if admin.ask("user set name 3 metal").is_none() {
        return;
    }
    for line in [
        &format!("user set password 3 {password} 20"),
        "channel setaccess 1 3 link=on ipmi=on callin=on privilege=3",
        "user enable 3",
        &format!("user test 3 20 {password}"),
    ] {
        admin.ask(line).unwrap();
    }
    let metal = Login {
        user: "metal",
        password,
        ..Login::admin(&sim)
    };
    let output = metal
        .ipmitool("-I lanplus -C 17 -L OPERATOR", "power status")
        .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    // An operator makes no users.
    let output = metal
        .ipmitool("-I lanplus -C 17 -L OPERATOR", "user set name 4 other")
        .unwrap();
    assert!(!output.status.success());
    assert_gentle(&sim);
    // More than the account may; the first 16 bytes of the password; a wrong password.
    let refused = |user, password: &str, options: &str| {
        let login = Login {
            user,
            password,
            ..Login::admin(&sim)
        };
        !login
            .ipmitool(options, "power status")
            .unwrap()
            .status
            .success()
    };
    assert!(refused(
        "metal",
        password,
        "-I lanplus -C 17 -L ADMINISTRATOR"
    ));
    assert!(refused(
        "metal",
        &password[..16],
        "-I lanplus -C 3 -L OPERATOR"
    ));
    assert!(refused("admin", "wrong", "-I lanplus -C 17"));
    assert!(refused("nobody", "admin", "-I lanplus -C 17"));
}

#[test]
fn freeipmi_logs_in_with_every_suite() {
    let sim = start();
    let login = Login::admin(&sim);
    let home = tempfile::tempdir().unwrap();
    for suite in [0, 1, 2, 3, 6, 7, 8, 11, 12, 15, 16, 17] {
        let Some(state) = login.freeipmi("ipmipower", suite, home.path(), "--stat") else {
            return;
        };
        assert!(state.trim_end().ends_with(": on"), "suite {suite}: {state}");
    }
    assert_gentle(&sim);
}

#[test]
fn freeipmi_reads_the_server() {
    let sim = start();
    let login = Login::admin(&sim);
    let home = tempfile::tempdir().unwrap();
    let ask = |tool, line| login.freeipmi(tool, 17, home.path(), line);
    let Some(info) = ask("bmc-info", "--get-device-id") else {
        return;
    };
    assert!(info.contains("Product ID            : 18498"), "{info}");
    let ask = |tool, line| ask(tool, line).unwrap();
    let fru = ask("ipmi-fru", "-Q");
    assert!(
        fru.contains("FRU Power Supply Overall Capacity: 750 Watts"),
        "{fru}"
    );
    assert!(!fru.to_lowercase().contains("invalid"), "{fru}");
    let sensors = ask("ipmi-sensors", "-Q --no-header-output");
    assert_eq!(sensors.lines().count(), 24, "{sensors}");
    assert!(sensors.contains("| 11.97      | V     |"), "{sensors}");
    let sel = ask("ipmi-sel", "-Q --no-header-output");
    assert_eq!(sel.lines().count(), 32, "{sel}");
    let power = ask("ipmi-dcmi", "--get-system-power-statistics");
    assert!(power.contains(": 252 Watts"), "{power}");
    let user = ask("ipmi-config", "--category=core --checkout -S User2");
    assert!(
        user.contains("Username") && user.contains("Administrator"),
        "{user}"
    );
    assert_gentle(&sim);
}

#[test]
fn pings_are_answered() {
    // rmcpping and ipmiping know no other port than 623.
    let Ok(sim) = sim::start(Options {
        listen: "127.66.23.1".parse().unwrap(),
        port: 623,
        ..Options::default()
    }) else {
        crate::common::skip("needs the privilege to bind port 623");
        return;
    };
    for (tool, line) in [
        ("rmcpping", "-c 1"),
        ("ipmiping", "-c 1"),
        ("ipmiping", "-r 2.0 -c 1"),
    ] {
        let Some(tool) = oracle(tool) else { return };
        let output = Command::new(tool)
            .args(line.split_whitespace())
            .arg("127.66.23.1")
            .output()
            .unwrap();
        assert!(
            stdout(&output).contains("0.0% packet loss"),
            "{}",
            stdout(&output)
        );
    }
    assert_gentle(&sim);
}
