//! The command line through the daemon: from shipped credentials to our own, files in and out, what only shows.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::Duration;

use halbox::hal::sim;
use halbox::hal::transport::faults::Faults;
use serde_json::{Value, json};

use super::daemon::Daemon;
use super::{MAC, OTHER, simulated, value};
use crate::common::{halbox, stderr, stdout};

const THIRD: &str = "ac:1f:6b:00:00:03";

/// A command line with words that hold blanks, and nothing but what it needs in the environment.
fn bmc(daemon: &Daemon, words: &[&str]) -> std::process::Output {
    halbox()
        .env("HALBOX_SERVER", daemon.server())
        .arg("bmc")
        .args(words)
        .output()
        .unwrap()
}

#[test]
fn init_makes_our_account_and_the_row_uses_it() {
    let sim = sim::start(sim::Options {
        listen: "127.88.21.1".parse().unwrap(),
        port: 16_341,
        redfish: Some(sim::options::RedfishOptions {
            port: 16_342,
            ..sim::options::RedfishOptions::default()
        }),
        ..sim::Options::default()
    })
    .unwrap();
    let mut daemon = Daemon::start("--ipmi-port 16341 --redfish-port 16342");
    daemon.lease(&[(MAC, "127.88.21.1")]);
    daemon.until(MAC, |row| row["drivers"] == json!(["IPMI", "Redfish"]));

    let rehearsed = daemon.bmc(&format!("init {MAC} --dry-run"));
    assert!(stdout(&rehearsed).contains("make the account 'metal'"));
    let none = daemon.bmc(&format!("init {MAC}"));
    assert_eq!(none.status.code(), Some(4), "{}", stderr(&none));

    let done = daemon.bmc_with(&format!("init {MAC} -U admin"), "admin");
    let said = stderr(&done);
    assert!(done.status.success(), "{said}");
    for words in [
        "logged in as 'admin'",
        "made the account 'metal'",
        "logged in as 'metal' over IPMI",
        "logged in as 'metal' over Redfish",
        "the row uses 'metal'",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let row = daemon.until(MAC, |row| row["powermetric"]["powerstate"] == "ON");
    assert_eq!(
        (&row["ipmi"]["user"], &row["redfish"]["user"]),
        (&json!("metal"), &json!("metal"))
    );
    for driver in ["IPMI", "Redfish"] {
        assert!(
            daemon
                .bmc(&format!("update {MAC} --only-driver {driver}"))
                .status
                .success()
        );
        assert_eq!(value(&daemon.json(&format!("power status {MAC}"))), "ON");
    }
    let again = daemon.bmc(&format!("init {MAC}"));
    assert!(
        stderr(&again).contains("nothing to do"),
        "{}",
        stderr(&again)
    );

    // Back to the shipped ones: an account of that name is there, and nobody says that it is ours.
    let back = format!("update {MAC} --ipmi-user admin --redfish-user admin");
    assert!(daemon.bmc_with(&back, "admin").status.success());
    let taken = daemon.bmc(&format!("init {MAC}"));
    assert_eq!(taken.status.code(), Some(1));
    assert!(stderr(&taken).contains("--take-over"), "{}", stderr(&taken));
    let taken = daemon.bmc(&format!("init {MAC} --take-over"));
    assert!(taken.status.success(), "{}", stderr(&taken));
    assert_eq!(value(&daemon.json(&format!("power status {MAC}"))), "ON");

    assert_eq!(daemon.terminate(), Some(0));
    let total = sim.total();
    assert_eq!(
        (total.sessions_open, total.failed_logins),
        (0, 0),
        "{}",
        daemon.log()
    );
}

#[test]
fn an_init_that_was_killed_is_taken_up_again() {
    let sim = sim::start(sim::Options {
        listen: "127.88.22.1".parse().unwrap(),
        port: 16_345,
        // The login that proves the account takes many of these: long enough to be killed in.
        faults: Faults {
            delay: Duration::from_millis(40),
            ..Faults::default()
        },
        ..sim::Options::default()
    })
    .unwrap();
    let mut daemon = Daemon::start("--ipmi-port 16345 --redfish-port 16346");
    daemon.lease(&[(MAC, "127.88.22.1")]);
    daemon.until(MAC, |row| row["drivers"] == json!(["IPMI"]));
    let update = format!("update {MAC} --only-driver IPMI --ipmi-user admin");
    assert!(daemon.bmc_with(&update, "admin").status.success());
    let mut init = halbox()
        .env("HALBOX_SERVER", daemon.server())
        .args(["bmc", "init", MAC])
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(init.stderr.take().unwrap()).lines();
    let made = lines.find(|line| line.as_ref().is_ok_and(|l| l.contains("made the account")));
    assert!(made.is_some(), "{}", daemon.log());
    daemon.murder();
    init.wait().unwrap();

    daemon.begin();
    let row = daemon.json(&format!("describe {MAC}"));
    assert_eq!(row["ipmi"]["user"], "admin", "the row has what works");
    let done = daemon.bmc(&format!("init {MAC}"));
    assert!(done.status.success(), "{}", stderr(&done));
    let row = daemon.json(&format!("describe {MAC}"));
    assert_eq!(row["ipmi"]["user"], "metal");
    assert_eq!(sim.total().failed_logins, 0);
}

#[test]
fn a_dry_run_sends_nothing_to_a_bmc() {
    let sim = simulated("127.88.23.1", 16_350, 2, "admin");
    let daemon = Daemon::start("--ipmi-port 16350 --redfish-port 16351 --refresh 1h");
    daemon.lease(&[(MAC, "127.88.23.1"), (OTHER, "127.88.23.2")]);
    for mac in [MAC, OTHER] {
        daemon.until(mac, |row| row["drivers"] == json!(["IPMI"]));
    }
    let update = "update --all --yes --ipmi-user admin";
    assert!(daemon.bmc_with(update, "admin").status.success());
    for mac in [MAC, OTHER] {
        daemon.until(mac, |row| row["powermetric"]["powerstate"] == "ON");
    }
    let before = (sim.total(), daemon.json("ls"));
    for line in [
        "power off --all",
        "power cycle -l vendor=Nobody",
        "boot pxe 127.88.23.1 --once",
        "led on --all",
        "reinstall --all",
        "sel clear --all",
        "bmc-reset --all",
        "user delete admin --all",
        "create-ipmi-user --all --ipmi-password x",
        "update --all --partition p",
        "rm --all",
        "trust --all",
        "init --all",
    ] {
        let out = daemon.json(&format!("{line} --dry-run"));
        assert_eq!(out["dry_run"], true, "{line}");
        let targets = out["targets"].as_array().unwrap();
        let want = match line {
            l if l.contains("--all") => 2,
            l if l.contains("127.88") => 1,
            _ => 0,
        };
        assert_eq!(targets.len(), want, "{line}: {out}");
        assert!(targets.iter().all(|t| t["would"].is_string()), "{out}");
    }
    let shown = daemon.bmc("boot pxe 127.88.23.1 --once --dry-run");
    assert_eq!(
        stdout(&shown).lines().last().unwrap(),
        format!("127.88.23.1   {MAC}   127.88.23.1   IPMI     boot pxe --once")
    );
    // What could not be meant is refused as it would be.
    let prefix = daemon.bmc("power off 127.88.23 --dry-run");
    assert_eq!(prefix.status.code(), Some(2), "{}", stderr(&prefix));
    let direct = daemon.bmc("--address 127.88.23.1-2 --ipmi-port 16350 power off --dry-run");
    assert!(direct.status.success(), "{}", stderr(&direct));
    assert_eq!(stdout(&direct).matches("power off").count(), 2);
    let after = (sim.total(), daemon.json("ls"));
    assert_eq!(before.0.commands, after.0.commands);
    assert_eq!(before.0.sessions_opened, after.0.sessions_opened);
    assert_eq!(before.1, after.1);
}

#[test]
fn one_that_fails_does_not_keep_the_others() {
    let _sim = simulated("127.88.24.1", 16_355, 1, "admin");
    let daemon = Daemon::start("--ipmi-port 16355 --redfish-port 16356");
    for (mac, ip) in [(MAC, "127.88.24.1"), (OTHER, "127.88.24.2")] {
        assert!(daemon.bmc(&format!("add {mac} --ip {ip}")).status.success());
    }
    let some = daemon.bmc(&format!(
        "update {MAC} {THIRD} {OTHER} --partition fra --yes"
    ));
    assert_eq!(some.status.code(), Some(6), "{}", stderr(&some));
    assert!(stderr(&some).contains(THIRD) && stdout(&some).contains(OTHER));
    assert_eq!(
        daemon.json(&format!("describe {OTHER}"))["partition"],
        "fra"
    );
    let nobody = daemon.bmc("update --partition fra");
    assert_eq!(nobody.status.code(), Some(2));
    assert!(stderr(&nobody).contains("--all"), "{}", stderr(&nobody));
    let nothing = daemon.bmc(&format!("update {MAC}"));
    assert_eq!(nothing.status.code(), Some(2));

    // What was chosen by the content of rows; other words for commands.
    let listed = daemon.bmc("list -l partition=fra --template {mac}");
    assert_eq!(stdout(&listed), format!("{MAC}\n{OTHER}\n"));
    let gone = daemon.bmc(&format!("delete {OTHER} {THIRD} -y"));
    assert_eq!(gone.status.code(), Some(6));
    assert!(!stdout(&daemon.bmc("ls --all")).contains(OTHER));

    // The MAC of a BMC by its address: it says it to those who log in.
    let added = daemon.bmc_with("add 127.88.24.1 -U admin", "admin");
    assert_eq!(
        added.status.code(),
        Some(2),
        "it is there: {}",
        stdout(&added)
    );
    assert!(stderr(&added).contains(MAC), "{}", stderr(&added));
    assert!(daemon.bmc(&format!("rm {MAC}")).status.success());
    let added = daemon.bmc_with("add 127.88.24.1 -U admin", "admin");
    assert!(added.status.success(), "{}", stderr(&added));
    let row = &daemon.json("ls --all")["bmcs"][0];
    assert_eq!(row["address"], "127.88.24.1");
    let lan = daemon.json("lan 127.88.24.1");
    assert_eq!(value(&lan)["mac"], row["mac"]);
}

#[test]
fn what_operators_gave_goes_out_and_comes_back() {
    const SECRET: &str = "s3cret: \"x\", #1";
    let daemon = Daemon::start("--ipmi-port 16360 --redfish-port 16361");
    let dir = daemon.dir.path().to_owned();
    let path = |name: &str| dir.join(name).to_string_lossy().into_owned();
    std::fs::write(path("kg"), "key of the BMC").unwrap();
    std::fs::write(path("phrase"), "correct horse battery\n").unwrap();
    std::fs::write(path("wrong"), "another phrase\n").unwrap();
    assert!(
        daemon
            .bmc(&format!("add {MAC} --ip 127.88.25.1"))
            .status
            .success()
    );
    assert!(daemon.bmc(&format!("add {OTHER}")).status.success());
    let update = format!(
        "update {MAC} --only-driver IPMI --ipmi-user admin --ipmi-port 6231 --redfish-user root --redfish-port 8444 \
         --machine-id 4c4c4544-0048-4210-8031-b7c04f000000 --partition fra --kg-file {}",
        path("kg")
    );
    let out = daemon.bmc_with(&update, SECRET);
    assert!(out.status.success(), "{}", stderr(&out));

    // Without being asked for, no secret is in it; with, none can be read.
    let plain = stdout(&daemon.bmc("export"));
    assert!(
        !plain.contains("password") && plain.contains("user: admin"),
        "{plain}"
    );
    let export = format!(
        "export --with-passwords --passphrase-file {}",
        path("phrase")
    );
    let short = bmc(
        &daemon,
        &[
            "export",
            "--with-passwords",
            "--passphrase-file",
            &path("kg2"),
        ],
    );
    assert_eq!(short.status.code(), Some(2));
    let out = daemon.bmc(&format!("{export} --file {}", path("all.yaml")));
    assert!(out.status.success(), "{}", stderr(&out));
    let text = std::fs::read_to_string(path("all.yaml")).unwrap();
    assert!(
        !text.contains("s3cret") && text.contains("sealed"),
        "{text}"
    );
    let json_text = stdout(&daemon.bmc(&format!("{export} -o json")));
    std::fs::write(path("all.json"), &json_text).unwrap();
    let audit = std::fs::read_to_string(dir.join("state/audit.log")).unwrap();
    assert!(audit.contains("passwords shown"));

    for file in ["all.yaml", "all.json"] {
        let other = Daemon::start("--ipmi-port 16362 --redfish-port 16363");
        let wrong = other.bmc(&format!(
            "import {} --passphrase-file {}",
            path(file),
            path("wrong")
        ));
        assert_eq!(wrong.status.code(), Some(2));
        assert!(stderr(&wrong).contains("passphrase"), "{}", stderr(&wrong));
        let import = format!("import {} --passphrase-file {}", path(file), path("phrase"));
        let dry = other.bmc(&format!("{import} --dry-run"));
        assert!(dry.status.success(), "{}", stderr(&dry));
        assert!(stdout(&dry).ends_with("2 rows: 2 would be made, 0 would be changed, 0 failed\n"));
        assert_eq!(other.json("ls --all")["bmcs"], json!([]));
        let done = other.bmc(&format!("{import} --yes"));
        assert!(done.status.success(), "{file}: {}", stderr(&done));
        let keys = [
            "mac",
            "address",
            "machine_id",
            "protocol",
            "driver_policy",
            "partition",
            "ipmi",
            "redfish",
        ];
        for mac in [MAC, OTHER] {
            let describe = format!("describe {mac} --with-passwords");
            let (was, is) = (daemon.json(&describe), other.json(&describe));
            for key in keys {
                assert_eq!(was[key], is[key], "{file}: {key} of {mac}");
            }
        }
        let shown = other.json(&format!("describe {MAC} --with-passwords"));
        assert_eq!(shown["ipmi"]["password"], SECRET);
        // K_G as well: a second export has it, too.
        let out: Value =
            serde_json::from_str(&stdout(&other.bmc(&format!("{export} -o json")))).unwrap();
        assert!(out["bmcs"][0]["ipmi"]["kg"]["sealed"].is_string());
        let again = other.json(&format!("{import} --yes"));
        assert_eq!((&again["made"], &again["changed"]), (&json!(0), &json!(2)));
    }
}

#[test]
fn a_list_of_shipped_credentials_is_taken_but_for_its_bad_rows() {
    let _sim = simulated("127.88.26.1", 16_365, 1, "admin");
    let daemon = Daemon::start("--ipmi-port 16365 --redfish-port 16366");
    daemon.lease(&[(MAC, "127.88.26.1")]);
    daemon.until(MAC, |row| row["drivers"] == json!(["IPMI"]));
    let csv = daemon.dir.path().join("shipped.csv");
    let text = format!(
        "mac;user;password;driver\n{MAC};admin;admin;IPMI\nnonsense;admin;x;IPMI\n{OTHER};ADMIN;\"a;\"\"b\";\n{THIRD};a;b;IPNI\n"
    );
    std::fs::write(&csv, text).unwrap();
    let line = format!("import {} --yes", csv.display());
    let out = daemon.bmc(&line);
    assert_eq!(out.status.code(), Some(6));
    let said = stderr(&out);
    let of = |words: &str| assert!(said.contains(words), "{words}: {said}");
    of("shipped.csv: line 3");
    of("mac: 'nonsense' is no MAC");
    of(&format!("shipped.csv: line 5 ({THIRD}): driver:"));
    assert!(
        stdout(&out).ends_with("4 rows: 1 made, 1 changed, 2 failed\n"),
        "{}",
        stdout(&out)
    );
    // What was there is driven at once; what was not waits for its lease.
    daemon.until(MAC, |row| row["powermetric"]["powerstate"] == "ON");
    let row = daemon.json(&format!("describe {OTHER} --with-passwords"));
    assert_eq!(row["ipmi"]["password"], "a;\"b");
    assert_eq!(row["redfish"]["user"], "ADMIN");
    let document = daemon.bmc(&format!("{line} -o json"));
    let document: Value = serde_json::from_str(&stdout(&document)).unwrap();
    assert_eq!(
        (&document["failed"], &document["rows"][1]["field"]),
        (&json!(2), &json!("mac"))
    );
}

#[test]
fn events_say_what_happens() {
    let _sim = simulated("127.88.27.1", 16_370, 1, "admin");
    let daemon = Daemon::start("--ipmi-port 16370 --redfish-port 16371");
    let mut events = halbox()
        .env("HALBOX_SERVER", daemon.server())
        .args(["bmc", "events", "-o", "json"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(events.stdout.take().unwrap()).lines();
    daemon.lease(&[(MAC, "127.88.27.1")]);
    daemon.until(MAC, |row| row["drivers"] == json!(["IPMI"]));
    let update = format!("update {MAC} --ipmi-user admin");
    assert!(daemon.bmc_with(&update, "wrong").status.success());
    daemon.until(MAC, |row| row["status"]["kind"] == "auth");
    assert!(daemon.bmc_with(&update, "admin").status.success());
    daemon.until(MAC, |row| row["powermetric"]["powerstate"] == "ON");
    let mut wanted = vec!["IPMI user: unknown -> admin", "fails: ", "works again"];
    wanted.reverse();
    let mut seen = Vec::new();
    for line in &mut lines {
        let event: Value = serde_json::from_str(&line.unwrap()).unwrap();
        assert_eq!(event["mac"], MAC);
        let words = event["event"].as_str().unwrap().to_owned();
        if wanted.last().is_some_and(|w| words.starts_with(w)) {
            wanted.pop();
        }
        seen.push(words);
        if wanted.is_empty() {
            break;
        }
    }
    events.kill().unwrap();
    events.wait().unwrap();
    assert!(wanted.is_empty(), "{seen:?}");
    // What is kept is the last change of each row.
    let past = stdout(&daemon.bmc("events --since 1h --no-follow"));
    assert_eq!(past.lines().count(), 1, "{past}");
    assert!(past.contains("power ON"), "{past}");
}

#[test]
fn status_names_failing_bmcs_and_what_to_do() {
    let _sim = simulated("127.88.28.1", 16_375, 1, "admin");
    let daemon = Daemon::start("--ipmi-port 16375 --redfish-port 16376");
    daemon.lease(&[(MAC, "127.88.28.1")]);
    daemon.until(MAC, |row| row["drivers"] == json!(["IPMI"]));
    assert!(stdout(&daemon.bmc("status")).contains("no BMC fails"));
    let update = format!("update {MAC} --ipmi-user admin");
    assert!(daemon.bmc_with(&update, "wrong").status.success());
    daemon.until(MAC, |row| row["status"]["kind"] == "auth");
    let text = stdout(&daemon.bmc("status"));
    let line = text
        .lines()
        .find(|l| l.starts_with("auth"))
        .unwrap_or_else(|| panic!("{text}"));
    assert!(line.contains(MAC) && line.contains("bmc update"), "{line}");
    let document = daemon.json("status");
    assert_eq!(document["failing"], json!({"auth": 1}));
    assert_eq!(document["failing_bmcs"], json!({"auth": [MAC]}));
}
