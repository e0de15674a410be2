//! `halbox bmc --address` through Redfish: which driver, what it costs, whom it trusts.

use std::process::Output;

use serde_json::{Value, json};

use crate::common::mockup::Mockup;
use crate::common::{halbox, stderr, stdout};

/// A recorded server and a cache of our own.
struct Cli {
    mock: Mockup,
    cache: tempfile::TempDir,
}

impl Cli {
    fn open(tree: &str, options: &str) -> Option<Self> {
        let options = format!("--https --strict --if-match check {options}");
        Some(Self {
            mock: Mockup::start(tree, &options)?,
            cache: tempfile::tempdir().unwrap(),
        })
    }

    fn run(&self, line: &str) -> Output {
        let port = self.mock.address.port().to_string();
        halbox()
            .env("XDG_CACHE_HOME", self.cache.path())
            .env("HALBOX_PASSWORD", "password")
            .args(["bmc", "--address", "127.0.0.1", "--redfish-port", &port])
            .args(["-U", "admin", "-E"])
            .args(line.split_whitespace())
            .output()
            .unwrap()
    }

    /// The value of an operation, its driver and overwrite.
    fn value(&self, line: &str) -> (Value, String, String) {
        let output = self.run(&format!("{line} -o json"));
        let document: Value = serde_json::from_str(&stdout(&output))
            .unwrap_or_else(|e| panic!("{line}: {e}: {}", stderr(&output)));
        let result = &document["results"][0];
        assert_eq!(result["ok"], true, "{line}: {result}");
        let text = |key: &str| result[key].as_str().unwrap_or_default().to_owned();
        (result["value"].clone(), text("driver"), text("by"))
    }

    /// Requests since the last time, which all came over one connection.
    fn requests(&self) -> usize {
        let log = self.mock.log();
        let connections: std::collections::BTreeSet<u64> = log.iter().map(|r| r.conn).collect();
        assert!(connections.len() <= 1, "{connections:?}");
        self.mock.reset();
        log.len()
    }
}

#[test]
fn a_dell_is_driven_by_idrac_in_three_requests_and_then_in_one() {
    let options = "--account-slots --conflict-409";
    let Some(cli) = Cli::open("dell_r750_idrac9_6_00", options) else {
        return;
    };
    let (state, driver, by) = cli.value("power status");
    assert_eq!(
        (state, driver.as_str(), by.as_str()),
        (json!("ON"), "iDrac", "dell(idrac)")
    );
    assert!(cli.requests() <= 3, "cold");
    cli.value("power status");
    assert_eq!(cli.requests(), 1, "warm");
    let (info, _, _) = cli.value("info");
    let warm = cli.requests();
    let (watts, _, _) = cli.value("power-metrics");
    assert!(warm + cli.requests() <= 7, "the whole record");
    assert_eq!(info["vendor"], "Dell");
    assert_eq!(info["model"], "PowerEdge R750");
    assert_eq!(info["serial"], "F54P1G3");
    assert_eq!(info["uuid"], "4c4c4544-0035-3410-8050-c6c04f314733");
    assert_eq!(info["bmc"]["mac"], "b0:7b:25:d6:51:82");
    assert_eq!(info["bmc"]["version"], "6.00.30.00");
    assert_eq!(info["bios"]["date"], "09/14/2022");
    assert_eq!(info["fru"]["board_mfg_serial"], "CNIVC0014M0388");
    assert_eq!(watts["consumed_watts"], 614.0);
    // Lit means that nobody looks for it.
    assert_eq!(cli.value("led status").0, "OFF");
    let plain = cli.value("--driver redfish power status");
    assert_eq!(
        (plain.1.as_str(), plain.2.as_str()),
        ("Redfish", "dell(redfish)")
    );
    let table = stdout(&cli.run("power status"));
    assert!(table.contains("dell(idrac)"), "{table}");
}

#[test]
fn writes_are_what_the_server_wants() {
    let Some(cli) = Cli::open("lenovo_sr670v2_xcc", "") else {
        return;
    };
    cli.value("led on");
    cli.value("boot pxe --once");
    cli.value("boot disk");
    cli.value("power off --no-wait");
    let error = stderr(&cli.run("power cycle --no-wait"));
    assert!(error.contains("the machine is off"), "{error}");
    cli.value("reinstall --no-wait");
    let sent: Vec<(String, Value)> = cli
        .mock
        .writes()
        .into_iter()
        .map(|w| (w.path, w.body))
        .collect();
    let system = "/redfish/v1/Systems/1";
    let reset = "/redfish/v1/Systems/1/Actions/ComputerSystem.Reset";
    let once =
        json!({"Boot": {"BootSourceOverrideTarget": "Pxe", "BootSourceOverrideEnabled": "Once"}});
    let want = [
        (system, json!({"IndicatorLED": "Blinking"})),
        (system, once),
        // It overrides the next boot only: every boot is the order's, whose other entries stay.
        (
            "/redfish/v1/Systems/1/Pending",
            json!({"Boot": {"BootOrder": ["Boot0002", "Boot0003"]}}),
        ),
        (
            system,
            json!({"Boot": {"BootSourceOverrideTarget": "None", "BootSourceOverrideEnabled": "Disabled"}}),
        ),
        (reset, json!({"ResetType": "ForceOff"})),
        (
            "/redfish/v1/Systems/1/Pending",
            json!({"Boot": {"BootOrder": ["Boot0003", "Boot0002"]}}),
        ),
        (reset, json!({"ResetType": "On"})),
    ];
    let want: Vec<(String, Value)> = want.into_iter().map(|(p, b)| (p.to_owned(), b)).collect();
    assert_eq!(sent, want);
    assert_eq!(cli.mock.sessions_left(), 0);
}

#[test]
fn a_bmc_that_names_no_vendor_is_known_by_its_firmware() {
    let Some(cli) = Cli::open("openbmc_stock_2_15", "") else {
        return;
    };
    for requests in [5, 1] {
        let (state, _, by) = cli.value("power status");
        assert_eq!((state, by.as_str()), (json!("OFF"), "openbmc(redfish)"));
        assert!(cli.requests() <= requests);
    }
}

#[test]
fn a_forced_driver_is_the_only_one() {
    let Some(cli) = Cli::open("openbmc_stock_2_15", "") else {
        return;
    };
    // Nothing listens for IPMI here, and nobody may ask Redfish.
    let output = cli.run("--driver ipmi --ipmi-port 9 --timeout 2s power status");
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert_eq!(cli.requests(), 0);
    let output = cli.run("--driver idrac power status");
    assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));
    let output = cli.run("--driver unmanaged power off");
    assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));
    assert!(stderr(&output).contains("unmanaged"));
    cli.requests();
    // What only IPMI has leads to nobody else.
    let output = cli.run("--driver redfish raw 6 1");
    assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));
}

#[test]
fn refused_passwords_and_certificates_end_it() {
    let Some(cli) = Cli::open("openbmc_stock_2_15", "--user admin:another") else {
        return;
    };
    let output = cli.run("--ipmi-port 9 power status");
    assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
    // As Basic, and as a session where the server says that it misses one; never again.
    let logins = |auth: &str| cli.mock.log().iter().filter(|r| r.auth == auth).count();
    assert!(
        logins("basic") == 1 && logins("login") <= 1,
        "{:?}",
        cli.mock.log()
    );
    cli.mock.reset();
    let pin = "00".repeat(32);
    let output = cli.run(&format!("--tls-pin {pin} power status"));
    assert!(
        !output.status.success() && stderr(&output).contains("certificate"),
        "{}",
        stderr(&output)
    );
    assert_eq!(cli.requests(), 0, "nothing is said to a stranger");
}
