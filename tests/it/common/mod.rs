//! What the integration tests share.
#![allow(
    dead_code,
    reason = "helpers for all modules; not each is used in each build"
)]

pub mod console;
pub mod fru;
pub mod ipmi_sim;
pub mod mockup;
pub mod relay;
pub mod sdrs;
pub mod sshd;

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output};

/// The binary under test.
pub fn halbox() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_halbox"));
    command
        .env_remove("HALBOX_PASSWORD")
        .env_remove("IPMI_PASSWORD")
        .env_remove("HALBOX_LOG")
        .stdin(std::process::Stdio::null());
    command
}

/// Runs a command line of halbox; blanks separate arguments.
pub fn run(line: &str) -> Output {
    halbox().args(line.split_whitespace()).output().unwrap()
}

/// stdout as text.
pub fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// stderr as text.
pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The repository.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Says past the test runner's capture that a test could not do its work.
pub fn skip(why: &str) {
    let _ = writeln!(std::io::stderr(), "skipped: {why}");
}

/// A folder beside the repository, or in `HALBOX_SHARED`: recorded trees, lease files of real servers. Missing: the test is
/// skipped with words.
pub fn shared(folder: &str) -> Option<PathBuf> {
    let shared =
        std::env::var_os("HALBOX_SHARED").map_or_else(|| root().join("../shared"), PathBuf::from);
    let found = shared.join(folder);
    if found.is_dir() {
        return Some(found);
    }
    lacks("corpora", &format!("../shared/{folder}, or HALBOX_SHARED"));
    None
}

/// Software that halbox is compared with. Missing: the test is skipped with words, or fails where
/// HALBOX_REQUIRE_ORACLES is set (CI, which installs them with tests/setup.sh).
pub fn oracle(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/sbin".into()])
        .map(|dir| dir.join(name))
        .find(|file| file.is_file());
    if found.is_none() {
        lacks(name, "tests/setup.sh installs it");
    }
    found
}

/// Says that a test is left out because `name` is missing; a failure where HALBOX_REQUIRE_ORACLES is set, unless
/// HALBOX_WITHOUT names it: what the machine of CI cannot have, which .ci/run finds out and says.
pub fn lacks(name: &str, how: &str) {
    let without = std::env::var("HALBOX_WITHOUT").unwrap_or_default();
    assert!(
        std::env::var_os("HALBOX_REQUIRE_ORACLES").is_none()
            || without.split_whitespace().any(|word| word == name),
        "needs {name}: {how}"
    );
    skip(&format!("needs {name} ({how})"));
}
