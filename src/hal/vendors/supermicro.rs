//! Supermicro.

mod boot;

use std::time::Duration;

use super::{Matches, PLAIN, Row, Vendor, Why};
use crate::hal::redfish::BootSend;

pub(super) const VENDORS: &[Vendor] = &[Vendor {
    name: "supermicro",
    about: "Supermicro boards, X10 and later",
    matches: Matches {
        name: &["Supermicro"],
        ..PLAIN.matches
    },
    // Its own number, and the one that X8DTH, X8DTG and X8DTU send by mistake.
    ipmi: &[Row {
        quirks: &["uefi_disk_0x24"],
        user_slot: Some(10),
        ..Row::of(&[10_876, 47_488])
    }],
    redfish: |_, q| {
        q.boot_send = BootSend::Full;
        q.read_back_after = Duration::from_secs(2);
        q.password = Some((8, 19));
        q.licence_ids = &["OemLicenseNotPassed", "SFT-OOB-LIC", "SFT-DCMS-SINGLE"];
    },
    apply: Some(|bmc, _| boot::attach(bmc)),
    why: &[
        Why {
            flag: "user_slot",
            what: "accounts of ours have slot 10, behind those that operators make",
            seen_on: "go-hal",
        },
        Why {
            flag: "boot_send",
            what: "a boot request with parts missing is ignored or refused",
            seen_on: "X11, X12: Redfishtool#106, ironic, metal-operator#982",
        },
        Why {
            flag: "read_back_after",
            what: "an override is accepted and reverts a moment later: read again after 2 s",
            seen_on: "AS-1015CS: bmclib#459",
        },
        Why {
            flag: "password",
            what: "passwords have 8 to 19 characters where the BMC does not say",
            seen_on: "X10SDV (recorded: 19), X13 (recorded: 20)",
        },
        Why {
            flag: "licence_ids",
            what: "what needs SFT-OOB-LIC or SFT-DCMS-SINGLE is refused as such",
            seen_on: "X11 and later: fwupd#5128, check_redfish#74",
        },
        Why {
            flag: "boot",
            what: "an override that Redfish refuses or does not keep is set by IPMI's boot flags, when IPMI is there too",
            seen_on: "AS-1015CS: bmclib#459; boards without a licence",
        },
    ],
    notes: &[
        "the UUID in Redfish is zeroes and the MAC: machines are keyed by MAC",
        "X10 has neither Vendor nor Oem in its root, and calls its role Admin",
    ],
    ..PLAIN
}];
