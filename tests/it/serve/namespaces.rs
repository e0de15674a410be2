//! A real DHCP server leases an address to a simulated BMC, in network namespaces that the test makes.

use std::process::Command;

use crate::common::{oracle, root, skip, stderr, stdout};

#[test]
fn dnsmasq_leases_an_address_to_a_bmc() {
    for tool in ["dnsmasq", "ip", "busybox"] {
        if oracle(tool).is_none() {
            return;
        }
    }
    if !nix::unistd::geteuid().is_root() {
        return skip("needs root for network namespaces");
    }
    let out = Command::new(root().join("tests/netns.sh"))
        .arg(env!("CARGO_BIN_EXE_halbox"))
        .output()
        .unwrap();
    if out.status.code() == Some(77) {
        return skip(&format!("needs network namespaces: {}", stderr(&out)));
    }
    assert!(out.status.success(), "{}\n{}", stdout(&out), stderr(&out));
    assert!(stdout(&out).contains("netns: all ok"));
}
