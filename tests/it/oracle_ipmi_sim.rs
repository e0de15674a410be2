//! The set-up itself: ipmitool sees what our configuration of ipmi_sim says. Without this a difference between
//! halbox and ipmi_sim could be a mistake of the fixture.

use std::process::Command;

use crate::common::ipmi_sim::{IpmiSim, Setup};
use crate::common::{oracle, stderr, stdout};

fn ipmitool(sim: &IpmiSim, user: &str, password: &str, line: &str) -> Option<String> {
    let output = Command::new(oracle("ipmitool")?)
        .args(["-I", "lanplus", "-C", "3", "-H"])
        .arg(sim.address.ip().to_string())
        .args(["-p", &sim.address.port().to_string(), "-U", user, "-E"])
        .env("IPMI_PASSWORD", password)
        .args(line.split_whitespace())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "ipmitool {line}: {}",
        stderr(&output)
    );
    Some(stdout(&output))
}

#[test]
fn testbed_has_sensors_inventory_events_and_users() {
    let Some(sim) = IpmiSim::start(Setup::Testbed) else {
        return;
    };
    let ask = |line| ipmitool(&sim, "ipmiusr", "test", line);
    let Some(sensors) = ask("sensor list") else {
        return;
    };
    assert_eq!(sensors.lines().count(), 24, "{sensors}");
    assert!(
        sensors.contains("Temp 3           | 92.000     | degrees C  | nc"),
        "{sensors}"
    );
    assert!(
        sensors.contains("Fan 0            | 5400.000   | RPM"),
        "{sensors}"
    );
    let fru = ask("fru print 0").unwrap();
    assert!(
        fru.contains("SYS-2029BT-HNR") && fru.contains("C217BAK18P0001"),
        "{fru}"
    );
    let sel = ask("sel list").unwrap();
    assert_eq!(sel.lines().count(), 32, "{sel}");
    let users = ask("user list 1").unwrap();
    assert!(
        users.contains("operator") && users.contains("reader"),
        "{users}"
    );
    assert!(ask("power status").unwrap().contains("is off"));
}

#[test]
fn minilab_has_its_accounts_and_guid() {
    let Some(sim) = IpmiSim::start(Setup::MiniLab) else {
        return;
    };
    let Some(guid) = ipmitool(&sim, "ADMIN", "ADMIN", "mc guid") else {
        return;
    };
    assert!(
        guid.to_ascii_lowercase().contains("a1234567") || guid.contains("efcdab"),
        "{guid}"
    );
    assert!(ipmitool(&sim, "", "test", "-L USER mc info").is_some());
}
