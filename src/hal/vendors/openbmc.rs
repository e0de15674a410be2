//! OpenBMC (bmcweb, phosphor): firmware in machines of many vendors.

use super::{Level, Matches, PLAIN, Row, Vendor, Why};
use crate::hal::model::console::SshConsole;
use crate::hal::redfish::Accounts;

pub(super) const VENDORS: &[Vendor] = &[Vendor {
    name: "openbmc",
    about: "OpenBMC firmware, whoever made the machine",
    level: Level::Class,
    matches: Matches {
        service: &["OpenBMC"],
        ..PLAIN.matches
    },
    ipmi: &[Row::of(&[49_871])],
    redfish: |_, q| {
        q.accounts = Accounts::Post;
        q.console = Some(SshConsole {
            port: 2200,
            command: None,
            leave: "",
            break_keys: None,
            first: false,
        });
    },
    why: &[
        Why {
            flag: "console",
            what: "port 2200 is the host's console over SSH; behind SOL, which every account may use that IPMI lets in",
            seen_on: "recorded: stock OpenBMC 2.15, NVIDIA GB200, BlueField-3 (SerialConsole of the system)",
        },
        Why {
            flag: "accounts",
            what: "an account's id is its name: there are no slots, accounts are posted",
            seen_on: "bmcweb; recorded: stock OpenBMC 2.15, NVIDIA GB200, BlueField-3",
        },
    ],
    notes: &[
        "PATCH of IndicatorLED is PropertyUnknown in its default build: LocationIndicatorActive",
        "no Power and Thermal in its default build: PowerSubsystem and sensors",
        "values of Reset stand only in ActionInfo",
        "over IPMI: names of letters, digits and _, passwords in fields of exactly 16 or 20 bytes",
        "the first encrypted packet after the handshake may be dropped: sent again",
    ],
    ..PLAIN
}];
