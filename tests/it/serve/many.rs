//! Many BMCs at once, some silent and some slow: every row right, no session left, no account locked. No time is asserted;
//! `just bench-serve` prints times.

use std::process::Command;

use crate::common::{oracle, root, stderr, stdout};

#[test]
fn a_thousand_bmcs_of_which_some_are_silent_or_slow() {
    let Some(python) = oracle("python3") else {
        return;
    };
    let out = Command::new(python)
        .arg(root().join("tests/bench_serve.py"))
        .arg(env!("CARGO_BIN_EXE_halbox"))
        .args(["1000", "--check"])
        .output()
        .unwrap();
    assert!(out.status.success(), "{}\n{}", stdout(&out), stderr(&out));
    assert!(stdout(&out).contains("bench-serve: all right"));
}
