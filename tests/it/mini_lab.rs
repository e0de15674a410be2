//! The BMCs for metal-stack's mini-lab, as packaging/mini-lab describes them.

use std::process::Command;

use crate::common::{oracle, root, stdout};

#[test]
fn both_kinds_of_bmc_are_found_and_driven() {
    if oracle("ipmi_sim").is_none() {
        return;
    }
    let done = Command::new(root().join("packaging/mini-lab/smoke.sh"))
        .env("HALBOX", env!("CARGO_BIN_EXE_halbox"))
        .output()
        .unwrap();
    let said = stdout(&done);
    assert!(done.status.success(), "{done:?}");
    assert!(said.ends_with("smoke: ok\n"), "{said}");
}
