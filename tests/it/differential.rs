//! halbox's answers against ipmitool's and FreeIPMI's, field by field, on the same `ipmi_sim`.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::common::ipmi_sim::{IpmiSim, Setup};
use crate::common::{halbox, oracle, stderr, stdout};

/// One BMC, asked by all three.
struct Bench {
    sim: IpmiSim,
    ipmitool: std::path::PathBuf,
    freeipmi: std::path::PathBuf,
    cache: tempfile::TempDir,
}

impl Bench {
    fn new() -> Option<Self> {
        Some(Self {
            sim: IpmiSim::start(Setup::Testbed)?,
            ipmitool: oracle("ipmitool")?,
            freeipmi: oracle("ipmi-sensors")?,
            cache: tempfile::tempdir().unwrap(),
        })
    }

    fn ours(&self, line: &str) -> Value {
        let target = self.sim.target();
        let out = halbox()
            .args([
                "bmc",
                "--no-cache",
                "-U",
                "ipmiusr",
                "-E",
                "-o",
                "json",
                "--address",
                &target,
            ])
            .args(line.split_whitespace())
            .env("HALBOX_PASSWORD", "test")
            .output()
            .unwrap();
        assert!(out.status.success(), "halbox {line}: {}", stderr(&out));
        serde_json::from_slice::<Value>(&out.stdout).unwrap()["results"][0]["value"].clone()
    }

    fn run(mut command: Command) -> String {
        let out = command
            .env("TZ", "UTC")
            .env("LC_ALL", "C")
            .output()
            .unwrap();
        assert!(out.status.success(), "{command:?}: {}", stderr(&out));
        stdout(&out)
    }

    fn ipmitool(&self, line: &str) -> String {
        let address = self.sim.address;
        let mut command = Command::new(&self.ipmitool);
        command
            .args([
                "-I",
                "lanplus",
                "-C",
                "3",
                "-U",
                "ipmiusr",
                "-E",
                "-H",
                &address.ip().to_string(),
            ])
            .args(["-p", &address.port().to_string()])
            .args(line.split_whitespace())
            .env("IPMI_PASSWORD", "test");
        Self::run(command)
    }

    /// A program of FreeIPMI. (`opensesspriv`: ipmi_sim echoes the wrong privilege, see the test bed's notes.)
    fn freeipmi(&self, program: &str, line: &str) -> String {
        let mut command = Command::new(self.freeipmi.with_file_name(program));
        command
            .args([
                "-h",
                &self.sim.target(),
                "-u",
                "ipmiusr",
                "-p",
                "test",
                "-D",
                "LAN_2_0",
                "-I",
                "3",
            ])
            .args(["-W", "opensesspriv"])
            .args(line.split_whitespace());
        Self::run(command)
    }

    fn cached(&self, line: &str) -> String {
        let dir = self.cache.path().to_str().unwrap();
        format!(
            "--quiet-cache --comma-separated-output --no-header-output --sdr-cache-directory {dir} {line}"
        )
    }
}

/// `Key : value` lines of ipmitool.
fn field<'a>(text: &'a str, key: &str) -> &'a str {
    let line = text.lines().find_map(|l| {
        let (name, value) = l.split_once(':')?;
        (name.trim() == key).then(|| value.trim())
    });
    line.unwrap_or_else(|| panic!("no '{key}' in {text}"))
}

fn number(text: &str) -> Option<f64> {
    text.trim().parse().ok()
}

/// Equal within what the other prints (`digits` after the point).
fn same(ours: &Value, theirs: Option<f64>, digits: i32) -> bool {
    match (ours.as_f64(), theirs) {
        (Some(a), Some(b)) => (a - b).abs() <= 0.500_1 * 10f64.powi(-digits),
        (None, None) => true,
        _ => false,
    }
}

const THRESHOLDS: [&str; 6] = [
    "lower_non_recoverable",
    "lower_critical",
    "lower_non_critical",
    "upper_non_critical",
    "upper_critical",
    "upper_non_recoverable",
];

#[test]
fn power_and_guid() {
    let Some(bench) = Bench::new() else { return };
    for state in ["off", "on"] {
        bench.ours(&format!("power {state}"));
        let ours = bench
            .ours("power status")
            .as_str()
            .unwrap()
            .to_ascii_lowercase();
        assert_eq!(ours, state);
        assert_eq!(
            bench.ipmitool("power status").trim(),
            format!("Chassis Power is {state}")
        );
        assert!(
            bench
                .freeipmi("ipmipower", "--stat")
                .trim()
                .ends_with(state)
        );
    }
    // Both print all 16 bytes reversed, as IPMI orders them.
    let raw = bench.ours("info")["uuid_raw"].as_str().unwrap().to_owned();
    let bytes: Vec<&str> = (0..16).rev().map(|i| &raw[2 * i..2 * i + 2]).collect();
    let reversed = bytes.concat();
    let plain = |text: &str| text.replace('-', "");
    assert_eq!(
        plain(field(&bench.ipmitool("mc guid"), "System GUID")),
        reversed
    );
    assert_eq!(
        plain(bench.freeipmi("bmc-info", "--get-system-guid").trim()),
        reversed
    );
    let version = bench.ours("info")["bmc"]["version"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        field(&bench.ipmitool("mc info"), "Firmware Revision"),
        version
    );
}

#[test]
fn every_sensor() {
    let Some(bench) = Bench::new() else { return };
    let ours = bench.ours("sensors");
    let ours = ours.as_array().unwrap();
    let theirs = bench.ipmitool("sensor list");
    assert_eq!(ours.len(), theirs.lines().count());
    let units = [
        ("degrees C", "degrees C"),
        ("Volts", "Volts"),
        ("RPM", "RPM"),
        ("Watts", "Watts"),
    ];
    for (sensor, line) in ours.iter().zip(theirs.lines()) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        assert_eq!(sensor["name"], cells[0]);
        if cells[2] == "discrete" {
            assert_eq!(sensor["value"], Value::Null, "{line}");
            continue;
        }
        assert!(
            same(&sensor["value"], number(cells[1]), 3),
            "{line}: {sensor}"
        );
        let unit = units
            .iter()
            .find(|(theirs, _)| *theirs == cells[2])
            .unwrap()
            .1;
        assert_eq!(
            sensor["unit"].as_str().unwrap().to_ascii_lowercase(),
            unit.to_ascii_lowercase()
        );
        assert_eq!(
            sensor["status"] == "ok",
            cells[3] == "ok",
            "{line}: {sensor}"
        );
        for (name, cell) in THRESHOLDS.iter().zip(&cells[4..]) {
            assert!(
                same(&sensor["thresholds"][name], number(cell), 3),
                "{name}: {line}: {sensor}"
            );
        }
    }
    let theirs = bench.freeipmi("ipmi-sensors", &bench.cached("--output-sensor-thresholds"));
    assert_eq!(ours.len(), theirs.lines().count());
    for (sensor, line) in ours.iter().zip(theirs.lines()) {
        let cells: Vec<&str> = line.split(',').collect();
        assert_eq!(sensor["name"], cells[1]);
        assert_eq!(
            sensor["type"]
                .as_str()
                .unwrap()
                .to_ascii_lowercase()
                .replace('-', " "),
            // FreeIPMI leaves out the specification's hyphens.
            cells[2].to_ascii_lowercase()
        );
        assert!(
            same(&sensor["value"], number(cells[3]), 2),
            "{line}: {sensor}"
        );
        for (name, cell) in THRESHOLDS.iter().zip(&cells[5..11]) {
            assert!(
                same(&sensor["thresholds"][name], number(cell), 2),
                "{name}: {line}: {sensor}"
            );
        }
        if cells[11] == "'Presence detected'" {
            assert!(
                sensor["status"]
                    .as_str()
                    .unwrap()
                    .to_ascii_lowercase()
                    .contains("presence detected"),
                "{sensor}"
            );
        }
    }
}

#[test]
fn fru_fields() {
    let Some(bench) = Bench::new() else { return };
    let ours = bench.ours("fru");
    let theirs = bench.ipmitool("fru print 0");
    let free = bench.freeipmi(
        "ipmi-fru",
        &format!("--sdr-cache-directory {}", path(bench.cache.path())),
    );
    for (area, key, tool, other) in [
        (
            "chassis",
            "part_number",
            "Chassis Part Number",
            "FRU Chassis Part Number",
        ),
        (
            "chassis",
            "serial_number",
            "Chassis Serial",
            "FRU Chassis Serial Number",
        ),
        (
            "board",
            "manufacturer",
            "Board Mfg",
            "FRU Board Manufacturer",
        ),
        (
            "board",
            "serial_number",
            "Board Serial",
            "FRU Board Serial Number",
        ),
        (
            "board",
            "part_number",
            "Board Part Number",
            "FRU Board Part Number",
        ),
        (
            "product",
            "manufacturer",
            "Product Manufacturer",
            "FRU Product Manufacturer Name",
        ),
        (
            "product",
            "part_number",
            "Product Part Number",
            "FRU Product Part/Model Number",
        ),
        (
            "product",
            "serial_number",
            "Product Serial",
            "FRU Product Serial Number",
        ),
    ] {
        let value = ours[0][area][key]
            .as_str()
            .unwrap_or_else(|| panic!("no {area}.{key} in {ours}"));
        assert_eq!(value, field(&theirs, tool), "{area}.{key}");
        assert_eq!(value, field(&free, other), "{area}.{key}");
    }
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn event_log() {
    let Some(bench) = Bench::new() else { return };
    let ours = bench.ours("sel ls");
    let ours = ours.as_array().unwrap();
    let tool = bench.ipmitool("-c sel list");
    let free = bench.freeipmi("ipmi-sel", &bench.cached(""));
    assert_eq!(
        (ours.len(), ours.len()),
        (tool.lines().count(), free.lines().count())
    );
    for ((entry, tool), free) in ours.iter().zip(tool.lines()).zip(free.lines()) {
        let tool: Vec<&str> = tool.split(',').collect();
        let free: Vec<&str> = free.split(',').collect();
        // ipmitool prints ids in hex, FreeIPMI in decimal; ours may be either as long as it is the same number.
        let id = u32::from_str_radix(tool[0].trim(), 16).unwrap();
        assert_eq!(free[0].parse(), Ok(id));
        let own = entry["id"].as_str().unwrap();
        let hex = own.trim_start_matches("0x");
        assert!(
            own.parse() == Ok(id) || u32::from_str_radix(hex, 16) == Ok(id),
            "{entry}"
        );
        // The specification's words, without the readings and the spaces that the tools add.
        let words = |text: &str| text.to_ascii_lowercase().replace([' ', '-'], "");
        let event = words(entry["event"].as_str().unwrap());
        let theirs = words(free[5].split(" ; ").next().unwrap());
        assert!(event.contains(&theirs), "{entry} and {free:?}");
        if tool[5] == "Deasserted" {
            assert!(event.contains("deassert"), "{entry}");
        }
        assert_eq!(
            entry["time"].is_null(),
            free[1] == "PostInit" || free[1] == "PreInit",
            "{entry}"
        );
    }
}

#[test]
fn users_and_network() {
    let Some(bench) = Bench::new() else { return };
    let theirs = bench.ipmitool("-c user list 1");
    let named: Vec<Vec<&str>> = theirs
        .lines()
        .map(|l| l.split(',').collect::<Vec<_>>())
        .filter(|cells| !cells[1].is_empty())
        .collect();
    let ours = bench.ours("user ls");
    let ours: Vec<&Value> = ours
        .as_array()
        .unwrap()
        .iter()
        .filter(|u| u["name"] != "")
        .collect();
    assert_eq!(ours.len(), named.len());
    for (user, cells) in ours.iter().zip(named) {
        assert_eq!(user["id"], cells[0]);
        assert_eq!(user["name"], cells[1]);
        assert_eq!(user["channel_access"], cells[4] == "true", "{user}");
        assert_eq!(user["role"], cells[5], "{user}");
    }
    let lan = bench.ours("lan");
    let theirs = bench.ipmitool("lan print 1");
    for (key, name) in [
        ("mac", "MAC Address"),
        ("ip", "IP Address"),
        ("netmask", "Subnet Mask"),
        ("gateway", "Default Gateway IP"),
    ] {
        assert_eq!(lan[key], field(&theirs, name), "{key}");
    }
    assert_eq!(
        lan["vlan"].is_null(),
        field(&theirs, "802.1q VLAN ID") == "Disabled"
    );
    assert!(
        field(&theirs, "IP Address Source")
            .to_ascii_lowercase()
            .starts_with(lan["source"].as_str().unwrap())
    );
}
