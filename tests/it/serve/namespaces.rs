//! A real DHCP server leases an address to a BMC, in network namespaces that the test makes.

use std::process::Command;

use crate::common::{oracle, root, skip, stderr, stdout};

/// A BMC of this kind gets its address from this DHCP server, is found and driven.
fn lease(program: &str, server: &str, bmc: &str) {
    for tool in [program, "ip", "busybox"] {
        if oracle(tool).is_none() {
            return;
        }
    }
    if bmc == "ipmi_sim" && oracle("ipmi_sim").is_none() {
        return;
    }
    if !nix::unistd::geteuid().is_root() {
        return skip("needs root for network namespaces");
    }
    let out = Command::new(root().join("tests/netns.sh"))
        .arg(env!("CARGO_BIN_EXE_halbox"))
        .args([server, bmc])
        .output()
        .unwrap();
    if out.status.code() == Some(77) {
        return skip(&format!("needs network namespaces: {}", stderr(&out)));
    }
    assert!(out.status.success(), "{}\n{}", stdout(&out), stderr(&out));
    assert!(stdout(&out).contains("netns: all ok"));
}

#[test]
fn dnsmasq_leases_an_address_to_a_bmc() {
    lease("dnsmasq", "dnsmasq", "sim");
}

#[test]
fn isc_dhcpd_leases_an_address_to_a_bmc_with_redfish() {
    lease("dhcpd", "dhcpd", "redfish");
}

#[test]
fn kea_leases_an_address_to_ipmi_sim() {
    lease("kea-dhcp4", "kea", "ipmi_sim");
}
