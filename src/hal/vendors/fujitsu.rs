//! Fujitsu (Fsas) iRMC.

mod boot;
pub(super) mod role;

use super::{Matches, PLAIN, RedfishRole, Row, Vendor, Why};
use crate::hal::redfish::{Etag, OemWatts};

pub(super) const VENDORS: &[Vendor] = &[Vendor {
    name: "fujitsu",
    about: "Fujitsu PRIMERGY with iRMC",
    matches: Matches {
        name: &["Fujitsu"],
        ..PLAIN.matches
    },
    ipmi: &[Row {
        user_slot: Some(3),
        redfish_role: RedfishRole::Oem,
        ..Row::of(&[211, 231, 10_368])
    }],
    redfish: |_, q| {
        q.etag = Etag::Always;
        q.oem_watts = Some(OemWatts {
            at: &[
                "/Oem/ts_fujitsu/ChassisPowerConsumption",
                "/Oem/Fsas/ChassisPowerConsumption",
            ],
            names: [
                "CurrentPowerConsumptionW",
                "AveragePowerW",
                "MinimumPowerW",
                "PeakPowerW",
            ],
        });
    },
    apply: Some(|bmc, client| {
        if let Some(client) = client {
            boot::attach(bmc, client);
        }
    }),
    why: &[
        Why {
            flag: "user_slot",
            what: "accounts of ours have slot 3",
            seen_on: "go-hal PR 85",
        },
        Why {
            flag: "redfish_role",
            what: "a user that IPMI makes has no Redfish role: an OEM command in-band gives it one",
            seen_on: "iRMC S6: go-hal PR 85",
        },
        Why {
            flag: "etag",
            what: "writes need If-Match",
            seen_on: "iRMC S5, S6: go-hal PR 85",
        },
        Why {
            flag: "oem_watts",
            what: "PowerControl tells no consumption or 0: it stands in the vendor's part of Power",
            seen_on: "iRMC S5, S6: idrac_exporter, check_redfish",
        },
        Why {
            flag: "boot",
            what: "where the standard's Boot is refused, the override is set in iRMC's own BootConfig, and read back",
            seen_on: "iRMC S5, S6: go-hal PR 85",
        },
    ],
    notes: &[
        "the LAN is channel 2: found by looking",
        "IPMI over LAN is off by default from iRMC S6 2.00 on (ironic)",
    ],
    ..PLAIN
}];
