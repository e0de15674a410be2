//! Dell iDRAC.

use super::{Matches, PLAIN, RedfishRole, Row, Vendor, Why};
use crate::hal::model::console::SshConsole;
use crate::hal::redfish::Accounts;

pub(super) const VENDORS: &[Vendor] = &[
    Vendor {
        name: "dell",
        about: "Dell PowerEdge with iDRAC",
        matches: DELL,
        ipmi: &[Row {
            user_slot: Some(3),
            redfish_role: RedfishRole::Redfish,
            ..Row::of(&[674])
        }],
        redfish: |facts, q| {
            q.led_idle_lit = true;
            q.serial_is_sku = true;
            q.console = Some(SshConsole {
                port: 22,
                command: Some("console com2"),
                // Ctrl-Backslash
                leave: "\x1c",
                break_keys: None,
                first: true,
            });
            let generation = facts.manager_model.as_deref().and_then(generation);
            if generation.is_some_and(|g| (12..=16).contains(&g)) {
                q.accounts = Accounts::Slots { first: 3, last: 16 };
            }
            q.persistent_by_order = generation.is_some_and(|g| g <= 13);
        },
        why: &[
            Why {
                flag: "console",
                what: "IPMI over LAN is off as shipped: the console is 'console com2' over SSH, SOL only where SSH is off",
                seen_on: "iDRAC7 to 9: go-hal; mini-lab#116",
            },
            Why {
                flag: "user_slot",
                what: "slot 1 is reserved and 2 is root: accounts of ours have slot 3",
                seen_on: "iDRAC7 to 9: go-hal",
            },
            Why {
                flag: "redfish_role",
                what: "a user that IPMI makes has no Redfish role, and only Redfish gives it one: inband-init sets RoleId and Enabled over the host interface, else somebody who has a role does",
                seen_on: "iDRAC9: go-hal issue 88, iDRAC-Redfish-Scripting issue 332",
            },
            Why {
            flag: "led_idle_lit",
            what: "IndicatorLED is Lit while nobody looks for the machine, Blinking when it is identified",
            seen_on: "iDRAC9 6 and later; recorded: PowerEdge R750",
        },
        Why {
            flag: "serial_is_sku",
            what: "the service tag stands in SKU; SerialNumber and PartNumber are the system board's",
            seen_on: "all iDRAC; recorded: PowerEdge R750",
        },
        Why {
            flag: "persistent_by_order",
            what: "an override called Continuous lasts one boot: the boot order is changed instead",
            seen_on: "iDRAC8 up to 2.75 (13G): go-hal",
        },
        Why {
                flag: "accounts",
                what: "there are 16 slots, an account is made by filling one from 3 on, and deleted by emptying it",
                seen_on: "iDRAC7 to 9 (12G to 16G); recorded: PowerEdge R750. iDRAC10 takes POST",
            },
        ],
        notes: &[
            "needless power actions are answered by 409: taken as done",
            "If-Match on an action is refused with 412: never sent (ironcore-dev/metal-operator#1015)",
            "eight sessions: Basic logins, which leave none behind (RAC0218)",
            "503 SYS518 while it is not ready: asked again",
            "a BIOS job that waits for the next boot blocks the boot target: it is deleted, no other is (DellJobService)",
            "iDRAC9 3.34 has its accounts below Managers and no AccountService in the root",
        ],
        ..PLAIN
    },
];

const DELL: Matches = Matches {
    name: &["Dell"],
    ..PLAIN.matches
};

/// The generation of the server: `15G Monolithic` is 15.
fn generation(manager_model: &str) -> Option<u8> {
    manager_model.split('G').next()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generations() {
        assert_eq!(generation("15G Monolithic"), Some(15));
        assert_eq!(generation("13G DCS"), Some(13));
        assert_eq!(generation("iDRAC"), None);
    }
}
