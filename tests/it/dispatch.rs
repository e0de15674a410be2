//! One binary, several names: the main program from outside.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::common::{halbox, run, stderr, stdout};

const BINARY: &str = env!("CARGO_BIN_EXE_halbox");

/// Runs the binary under another argv\[0\].
fn called(name: &str, line: &[&str]) -> Output {
    Command::new(BINARY).arg0(name).args(line).output().unwrap()
}

#[test]
fn link_names_pick_the_applet() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["probe", "bmc", "sim"] {
        let link = dir.path().join(format!("halbox-{name}"));
        symlink(BINARY, &link).unwrap();
        let help = Command::new(&link).arg("--help").output().unwrap();
        assert!(help.status.success());
        let usage = format!("Usage: halbox {name}");
        assert!(stdout(&help).contains(&usage), "{}", stdout(&help));
    }
}

#[test]
fn every_other_name_is_the_main_program() {
    for name in [
        "halbox-1.2",
        "",
        "-halbox",
        "/x/myprobe",
        "halbox-probe.old",
    ] {
        let out = called(name, &["probe", "--help"]);
        assert!(
            stdout(&out).contains("Usage: halbox probe"),
            "{name}: {}",
            stderr(&out)
        );
        let out = called(name, &["--version"]);
        assert_eq!(
            stdout(&out),
            format!("halbox {}\n", env!("CARGO_PKG_VERSION"))
        );
    }
}

#[test]
fn lists_are_sorted_and_take_no_arguments() {
    let list = stdout(&run("--list"));
    let names: Vec<&str> = list.lines().collect();
    assert!(
        names.is_sorted()
            && names.contains(&"bmc")
            && names.contains(&"probe")
            && names.contains(&"sim"),
        "{list}"
    );
    let full = stdout(&run("--list-full"));
    assert!(full.lines().any(|l| l == "probe halbox-probe"), "{full}");
    for line in ["--list x", "--list --list-full", "--list probe 1.2.3.4"] {
        assert_eq!(run(line).status.code(), Some(2), "{line}");
    }
}

#[test]
fn usage_errors_are_one_line_with_a_hint() {
    for line in [
        "prob",
        "probe",
        "--frobnicate",
        "man",
        "completions tcsh",
        "--hard",
    ] {
        let out = run(line);
        assert_eq!(out.status.code(), Some(2), "{line}");
        assert!(out.stdout.is_empty(), "{line}");
        let text = stderr(&out);
        assert!(
            text.starts_with("halbox: ") && text.lines().count() <= 2,
            "{line}: {text}"
        );
    }
    let bare = run("");
    assert_eq!(bare.status.code(), Some(2));
    assert!(stdout(&bare).contains("Usage: halbox"));
}

#[test]
fn completions_and_manual_know_every_applet() {
    for shell in ["bash", "zsh", "fish"] {
        let text = stdout(&run(&format!("completions {shell}")));
        assert!(
            text.contains("probe") && text.contains("--install") || text.contains("install"),
            "{shell}"
        );
    }
    let dir = tempfile::tempdir().unwrap();
    let out = halbox().arg("man").arg(dir.path()).output().unwrap();
    assert!(out.status.success(), "{}", stderr(&out));
    for page in ["halbox.1", "halbox-probe.1", "halbox-bmc.1", "halbox-sim.1"] {
        assert!(dir.path().join(page).is_file(), "{page}");
    }
    assert_eq!(run("man /nowhere/at/all").status.code(), Some(1));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let mut child = halbox()
        .args(["completions", "bash"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let out = child.wait_with_output().unwrap();
    assert_eq!((out.status.code(), stderr(&out).as_str()), (Some(0), ""));
}

fn install(how: &[&str], dir: &Path) -> Output {
    halbox()
        .arg("--install")
        .arg(dir)
        .args(how)
        .output()
        .unwrap()
}

#[test]
fn install_makes_relative_links_and_respects_what_is_there() {
    // On one file system with the binary, so that hard links are possible.
    let top = tempfile::tempdir_in(Path::new(BINARY).parent().unwrap()).unwrap();
    let dir = top.path().join("bin");
    fs::create_dir(&dir).unwrap();
    assert!(install(&[], &dir).status.success());
    let link = dir.join("halbox-probe");
    let target = fs::read_link(&link).unwrap();
    assert!(target.is_relative(), "{}", target.display());
    assert!(
        stdout(&Command::new(&link).arg("--help").output().unwrap())
            .contains("Usage: halbox probe")
    );
    assert!(install(&[], &dir).status.success(), "again: nothing to do");

    fs::remove_file(&link).unwrap();
    fs::write(&link, "mine").unwrap();
    fs::remove_file(dir.join("halbox-bmc")).unwrap();
    let refused = install(&[], &dir);
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        stderr(&refused).contains("halbox-probe exists"),
        "{}",
        stderr(&refused)
    );
    assert_eq!(fs::read(&link).unwrap(), b"mine");
    assert!(
        !dir.join("halbox-bmc").exists(),
        "nothing is done when one is in the way"
    );

    assert!(install(&["--force", "--hard"], &dir).status.success());
    assert!(fs::symlink_metadata(&link).unwrap().is_file());
    assert_eq!(
        fs::metadata(&link).unwrap().len(),
        fs::metadata(BINARY).unwrap().len()
    );
    assert_eq!(
        fs::read_dir(&dir).unwrap().count(),
        // A name of its own and others, where an applet has them: metal-bmc.
        stdout(&run("--list-full"))
            .lines()
            .map(|l| l.split(' ').count() - 1)
            .sum::<usize>(),
        "no temporary file is left"
    );
    assert_eq!(
        install(&[], Path::new("/nowhere/at/all")).status.code(),
        Some(1)
    );
}
