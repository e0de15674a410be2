//! Lenovo: XClarity Controller, and the AMD models that run AMI MegaRAC.

use super::{Level, Matches, PLAIN, Row, Vendor, Why};
use crate::hal::redfish::Etag;

pub(super) const VENDORS: &[Vendor] = &[
    Vendor {
        name: "lenovo",
        about: "Lenovo ThinkSystem with XClarity Controller",
        matches: Matches {
            name: &["Lenovo"],
            not_service: &["AMI"],
            ..PLAIN.matches
        },
        ipmi: &[Row {
            user_slot: Some(3),
            ..Row::of(&[19_046])
        }],
        redfish: |_, q| {
            q.password = Some((10, 32));
            q.account_ipmi = true;
            q.expand = Some("*");
        },
        why: &[
            Why {
                flag: "user_slot",
                what: "accounts of ours have slot 3",
                seen_on: "go-hal",
            },
            Why {
                flag: "password",
                what: "passwords have 10 to 32 characters; older firmware does not say so",
                seen_on: "SR650, SR670 V2 (recorded)",
            },
            Why {
                flag: "account_ipmi",
                what: "new accounts are not let in over IPMI: AccountTypes is written, with the password again",
                seen_on: "XCC: python-redfish-lenovo#394",
            },
            Why {
                flag: "expand",
                what: "$expand=* works, and saves a request for each sensor",
                seen_on: "XCC: check_redfish; recorded: SR670 V2",
            },
        ],
        notes: &[
            "If-Match is checked, and demanded by some versions: sent when there is a tag (community.general#11261)",
            "an override lasts for one boot: for every boot the boot order is changed",
            "SR650 has 12 slots, each with a CustomRoleN of its own: filled, and the role given its privileges",
            "disabling an account over IPMI fails or takes its access: enabled accounts are left alone",
        ],
        ..PLAIN
    },
    Vendor {
        name: "lenovo-sr675v3",
        about: "Lenovo ThinkSystem SR675 V3",
        level: Level::Model,
        matches: Matches {
            name: &["Lenovo"],
            model: &["sr675"],
            ..PLAIN.matches
        },
        redfish: |_, q| q.reset_by_off_on = true,
        why: &[Why {
            flag: "reset_by_off_on",
            what: "ForceRestart hangs: off, wait, on instead",
            seen_on: "SR675 V3: libredfish",
        }],
        ..PLAIN
    },
    Vendor {
        name: "lenovo-ami",
        about: "Lenovo ThinkSystem SR635, SR655 (AMI MegaRAC)",
        level: Level::Model,
        matches: Matches {
            name: &["Lenovo"],
            service: &["AMI"],
            ..PLAIN.matches
        },
        redfish: |_, q| q.etag = Etag::Always,
        why: &[Why {
            flag: "etag",
            what: "everything that is written needs If-Match",
            seen_on: "SR655: gofish#171",
        }],
        ..PLAIN
    },
];
