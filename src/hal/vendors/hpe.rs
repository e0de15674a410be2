//! HPE iLO.

use super::{Level, Matches, PLAIN, Row, Vendor, Why};
use crate::hal::model::console::SshConsole;
use crate::hal::redfish::{Accounts, AuthStyle, BootSend};

pub(super) const VENDORS: &[Vendor] = &[
    Vendor {
        name: "hpe",
        about: "HPE ProLiant with iLO 4 to 7",
        matches: Matches {
            name: &["HPE"],
            service: &["HPE"],
            ..PLAIN.matches
        },
        ipmi: &[Row::of(&[11, 47_196])],
        redfish: |_, q| {
            q.boot_send = BootSend::NoMode;
            q.auth = AuthStyle::Basic;
            q.accounts = Accounts::Post;
            q.expand = Some(".");
            q.console = Some(SshConsole {
                port: 22,
                command: Some("vsp"),
                leave: "\x1b(",
                break_keys: None,
                first: true,
            });
        },
        why: &[
            Why {
                flag: "boot_send",
                what: "the boot mode is read-only in the override: it is left out",
                seen_on: "iLO 5 (community.general#3509), DL160 Gen10 (bmclib); Gen9 has none",
            },
            Why {
                flag: "auth",
                what: "Basic works and is not advertised by a challenge: the password is sent with the first request",
                seen_on: "iLO 5, 6, 7 (HTTPBasicAuth Unadvertised); recorded: DL385 Gen10 Plus v2, DL360 Gen10 Plus",
            },
            Why {
                flag: "accounts",
                what: "ids of accounts are no slots (65536 on iLO 7): accounts are posted",
                seen_on: "iLO 5 to 7",
            },
            Why {
                flag: "console",
                what: "the virtual serial port is the command vsp over SSH, which is on as shipped; IPMI over LAN is not",
                seen_on: "iLO 5; recorded: DL360 Gen10 Plus, DL385 Gen10 Plus v2 (SSH on, IPMI off, 13 console sessions)",
            },
            Why {
                flag: "expand",
                what: "$expand=. works, one level deep",
                seen_on: "iLO 4 to 7: check_redfish; recorded: DL385 Gen10 Plus v2, DL360 Gen10 Plus",
            },
        ],
        notes: &[
            "a connection that is used again may be reset: asked once more on a new one",
            "On when on is answered by 400 InvalidOperationForSystemState: taken as done",
            "writes during the self-test are refused (UnableToModifyDuringSystemPOST): tried again",
            "iLO 6 and 7 have no IndicatorLED; iLO 7's System has a null LocationIndicatorActive, its Chassis the true one",
            "Accept-Encoding other than identity is answered by 406 (Gen10 Plus)",
            "empty slots of IPMI are named (Empty User)",
        ],
        ..PLAIN
    },
    Vendor {
        name: "hpe-ilo4",
        about: "HPE ProLiant Gen8 and Gen9 with iLO 4",
        level: Level::Model,
        matches: Matches {
            oem: &["Hp"],
            ..PLAIN.matches
        },
        notes: &[
            "the vendor's part is called Hp, not Hpe",
            "accounts have no RoleId: their privileges stand in Oem.Hp.Privileges",
        ],
        ..PLAIN
    },
];
