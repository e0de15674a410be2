//! The DMTF's protocol validator, sushy and redfishtool.

use std::process::{Command, Output};

use halbox::hal::sim::{ProfileName, SimHandle};

use super::{PASSWORD, start};
use crate::common::{lacks, oracle, stderr, stdout};

fn address(sim: &SimHandle) -> String {
    sim.redfish_addrs()[0].to_string()
}

/// Programs of Python's requests must not take certificate authorities from the environment.
fn plain(mut command: Command) -> Command {
    for name in ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"] {
        command.env_remove(name);
    }
    command
}

/// Every assertion of the Redfish specification (DSP0266) that the validator tests and the generic profile claims.
#[test]
fn the_protocol_validator_finds_no_fault() {
    let Some(program) = oracle("rf_protocol_validator") else {
        return;
    };
    let sim = start(ProfileName::Generic);
    let dir = tempfile::tempdir().unwrap();
    let output = plain(Command::new(program))
        .args([
            "-u",
            "admin",
            "-p",
            PASSWORD,
            "--no-cert-check",
            "--avoid-http-redirect",
        ])
        .args(["-r", &format!("https://{}", address(&sim)), "--report-dir"])
        .arg(dir.path())
        .output()
        .unwrap();
    let reports = std::fs::read_dir(dir.path()).unwrap();
    let report = reports
        .flatten()
        .find(|entry| entry.path().extension().is_some_and(|ext| ext == "tsv"))
        .unwrap_or_else(|| panic!("no report: {}", stderr(&output)));
    let text = std::fs::read_to_string(report.path()).unwrap();
    let lines = |word: &str| -> Vec<&str> {
        let tab = format!("\t{word}\t");
        text.lines().filter(|line| line.contains(&tab)).collect()
    };
    assert_eq!(lines("FAIL"), Vec::<&str>::new());
    assert!(lines("PASS").len() > 300, "{}", lines("PASS").len());
}

const SUSHY: &str = r"
import sys, time, sushy
from sushy import auth
def wait(system, state):
    end = time.monotonic() + 60
    while system.power_state != state:
        assert time.monotonic() < end, system.power_state
        system.refresh(force=True)
for login in (auth.BasicAuth, auth.SessionAuth):
    login = login('admin', sys.argv[2])
    root = sushy.Sushy('https://%s/redfish/v1' % sys.argv[1], verify=False, auth=login)
    system = root.get_system_collection().get_members()[0]
    assert system.uuid == '4c4c4544-0048-4210-8031-b7c04f000000', system.uuid
    wait(system, sushy.PowerState.ON)
    system.set_system_boot_options(target=sushy.BootSource.PXE, enabled=sushy.BootSourceOverrideEnabled.ONCE,
                                   mode=sushy.BootSourceOverrideMode.UEFI)
    system.refresh(force=True)
    assert system.boot.target == sushy.BootSource.PXE, system.boot.target
    system.set_indicator_led(sushy.IndicatorLED.BLINKING)
    system.refresh(force=True)
    assert system.indicator_led == sushy.IndicatorLED.BLINKING
    system.set_indicator_led(sushy.IndicatorLED.OFF)
    system.reset_system(sushy.ResetType.FORCE_OFF)
    wait(system, sushy.PowerState.OFF)
    system.reset_system(sushy.ResetType.ON)
    wait(system, sushy.PowerState.ON)
    system.refresh(force=True)
    assert system.boot.enabled == sushy.BootSourceOverrideEnabled.DISABLED, 'used up'
    manager = root.get_manager_collection().get_members()[0]
    assert manager.firmware_version == '2.17'
    assert [nic.mac_address for nic in manager.ethernet_interfaces.get_members()] == ['0a:1f:6b:00:00:01']
    chassis = root.get_chassis_collection().get_members()[0]
    assert chassis.power.power_supplies[0].power_capacity_watts == 750
    assert [t.reading_celsius for t in chassis.thermal.temperatures][:3] == [45, 47, 23]
    if hasattr(login, 'close'):
        login.close()
print('done')
";

#[test]
fn sushy_drives_it() {
    let Some(python) = oracle("python3") else {
        return;
    };
    let has = Command::new(&python)
        .args(["-c", "import sushy"])
        .output()
        .unwrap();
    if !has.status.success() {
        return lacks("sushy", "tests/setup.sh installs it");
    }
    let sim = start(ProfileName::Generic);
    let output = plain(Command::new(python))
        .args(["-W", "ignore", "-c", SUSHY, &address(&sim), PASSWORD])
        .output()
        .unwrap();
    assert_eq!(stdout(&output), "done\n", "{}", stderr(&output));
    let total = sim.total();
    assert_eq!(
        (total.redfish_sessions_opened, total.redfish_sessions_open),
        (1, 0)
    );
    assert_eq!(total.failed_logins, 0);
    assert_eq!(sim.with_state(0, |s| s.boot.flags), Some([0; 5]));
}

#[test]
fn redfishtool_drives_it() {
    let Some(program) = oracle("redfishtool") else {
        return;
    };
    let sim = start(ProfileName::Generic);
    let tool = |auth: &str, line: &str| -> Output {
        let output = plain(Command::new(&program))
            .args(["-r", &address(&sim), "-S", "Always", "-A", auth])
            .args(["-u", "admin", "-p", PASSWORD])
            .args(line.split(' '))
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{auth} {line}: {}{}",
            stdout(&output),
            stderr(&output)
        );
        output
    };
    for auth in ["Basic", "Session"] {
        assert!(stdout(&tool(auth, "Systems -F get")).contains("\"PowerState\": \"On\""));
        tool(auth, "Systems -F setBootOverride Once Pxe");
        let flags = sim.with_state(0, |s| s.boot.flags).unwrap();
        assert_eq!(flags[..2], [0xa0, 0x04]);
        tool(auth, "Systems -F setIndicatorLed Blinking");
        tool(auth, "Systems -F reset ForceRestart");
        tool(auth, "AccountService adduser metal S3cret-pass1 Operator");
        let user = |sim: &SimHandle| {
            sim.with_state(0, |s| s.users.get(3).cloned())
                .flatten()
                .unwrap()
        };
        assert_eq!((user(&sim).trimmed(), user(&sim).limit), (&b"metal"[..], 3));
        tool(auth, "AccountService setpassword metal S3cret-pass2");
        assert_eq!(user(&sim).password.expose(), b"S3cret-pass2");
        tool(auth, "AccountService useradmin metal disable");
        assert!(!user(&sim).enabled);
        tool(auth, "AccountService deleteuser metal");
        assert_eq!(user(&sim).trimmed(), b"");
    }
    let total = sim.total();
    assert_eq!(
        total.redfish_sessions_opened, total.redfish_sessions_closed,
        "{total:?}"
    );
    assert_eq!(total.failed_logins, 0);
}
