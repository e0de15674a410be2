//! A console that an operator gave: of a machine that nobody drives, and instead of a BMC's.

use std::process::Output;

use super::*;
use crate::common::console::echo;
use crate::common::stdout;

fn well(out: &Output) -> String {
    assert!(out.status.success(), "{}", stderr(out));
    stdout(out)
}

#[test]
fn a_machine_that_nobody_drives_has_the_console_that_was_given() {
    let daemon = Daemon::start("");
    let say = |line: &str| daemon.bmc(line);
    well(&say(&format!("add {MAC}")));
    let row = daemon.json(&format!("describe {MAC}"));
    assert_eq!(row.get("console_url"), None, "only where there is one");
    let out = say(&format!("update {MAC} --console-url ssh://h"));
    assert_eq!(out.status.code(), Some(2), "{}", stderr(&out));
    assert!(stderr(&out).contains("is no console"), "{}", stderr(&out));
    let url = format!("tcp://127.0.0.1:{}", echo());
    well(&say(&format!(
        "update {MAC} --unmanaged --console-url {url}"
    )));
    let row = daemon.json(&format!("describe {MAC}"));
    assert_eq!(row["console_url"], url);
    let state = daemon.json(&format!("console {MAC} --state"));
    assert_eq!(
        (&state["protocol"], &state["open"]),
        (&json!("TCP"), &json!(false))
    );
    let mut command = halbox();
    command
        .env("HALBOX_SERVER", daemon.server())
        .args(["bmc", "console", MAC]);
    let mut anna = Visitor::start(command);
    anna.expect("NOT ENCRYPTED");
    anna.types("anybody?\r");
    anna.expect("anybody?");
    anna.leaves();
    // It is no way to drive the machine.
    let out = say(&format!("power status {MAC}"));
    assert_eq!(out.status.code(), Some(5), "{}", stderr(&out));

    // It moves with the table.
    let file = daemon.dir.path().join("export");
    let exported = well(&say("export"));
    assert!(exported.contains(&url), "{exported}");
    std::fs::write(&file, &exported).unwrap();
    let other = Daemon::start("");
    well(&other.bmc(&format!("import {}", file.display())));
    assert_eq!(other.json(&format!("describe {MAC}"))["console_url"], url);

    // Forgotten again.
    let mut forget = halbox();
    forget
        .env("HALBOX_SERVER", daemon.server())
        .args(["bmc", "update", MAC, "--console-url", ""]);
    well(&forget.output().unwrap());
    let row = daemon.json(&format!("describe {MAC}"));
    assert_eq!(row.get("console_url"), None);
}
