//! Rows of the table on the wire.

use super::{driver, millis, secret};
use crate::api::proto;
use crate::hal::model::Secret;
use crate::inventory::record::{IpmiAccess, Origin, Policy, Record, RedfishAccess};

/// The secrets of a row, where they are shown.
#[derive(Debug, Clone, Default)]
pub struct Secrets {
    /// Password for IPMI.
    pub ipmi: Option<Secret>,
    /// K_G of IPMI.
    pub kg: Option<Secret>,
    /// Password for Redfish.
    pub redfish: Option<Secret>,
}

/// A row on the wire. `port`: where IPMI is asked when the row names no port.
pub fn bmc(row: &Record, port: u16, secrets: &Secrets) -> proto::Bmc {
    let watts = row.watts.map(|w| proto::Watts {
        consumed: w.consumed,
        average: w.average,
        min: w.min,
        max: w.max,
        interval_minutes: w.interval_minutes,
    });
    proto::Bmc {
        mac: row.mac.to_string(),
        aliases: row.aliases.iter().map(ToString::to_string).collect(),
        address: row.address.map(|a| a.to_string()),
        vendor: row.vendor.clone(),
        model: row.model.clone(),
        driver: row.driver().map(|d| driver(d).into()),
        drivers: row.drivers.iter().map(|d| driver(*d).into()).collect(),
        policy: match row.policy {
            Policy::Prefer => proto::Policy::Prefer,
            Policy::Only => proto::Policy::Only,
        }
        .into(),
        machine_id: row.machine_id.clone(),
        created_at: Some(millis(row.created_at)),
        changed_at: Some(millis(row.changed_at)),
        revision: row.revision,
        candidate: row.candidate,
        removed: row.removed,
        partition: row.partition.clone(),
        console_url: row.console_url.clone(),
        lease: row.lease.as_ref().map(|lease| proto::Lease {
            ends: lease.ends.map(|s| millis(s.saturating_mul(1000))),
            hostname: lease.hostname.clone(),
            stale: lease.stale,
        }),
        ipmi: (row.ipmi != IpmiAccess::default()).then(|| proto::IpmiAccess {
            user: row.ipmi.user.clone(),
            password: secrets.ipmi.as_ref().map(secret),
            port: row.ipmi.port.unwrap_or(port).into(),
            kg: secrets.kg.as_ref().map(secret),
            chosen_port: row.ipmi.port.map(Into::into),
        }),
        redfish: (row.redfish != RedfishAccess::default()).then(|| proto::RedfishAccess {
            user: row.redfish.user.clone(),
            password: secrets.redfish.as_ref().map(secret),
            port: row.redfish.port.map(Into::into),
            url: row.redfish.url.clone(),
        }),
        tls: row.tls.as_ref().map(|tls| proto::Tls {
            sha256: tls.sha256.clone(),
            changed: tls.changed.clone(),
        }),
        bios: Some(proto::Bios {
            date: row.bios.date.clone(),
            vendor: row.bios.vendor.clone(),
            version: row.bios.version.clone(),
        }),
        board: Some(proto::Board {
            board_mfg: row.board.board_mfg.clone(),
            board_mfg_serial: row.board.board_mfg_serial.clone(),
            board_part_number: row.board.board_part_number.clone(),
            chassis_part_number: row.board.chassis_part_number.clone(),
            chassis_part_serial: row.board.chassis_part_serial.clone(),
            product_manufacturer: row.board.product_manufacturer.clone(),
            product_part_number: row.board.product_part_number.clone(),
            product_serial: row.board.product_serial.clone(),
        }),
        bmc_version: row.bmc_version.clone(),
        power_state: row.power_state.clone(),
        watts,
        supplies: row
            .supplies
            .iter()
            .map(|s| proto::PowerSupply {
                name: s.name.clone(),
                health: s.health.clone(),
                state: s.state.clone(),
            })
            .collect(),
        led: row.led.clone(),
        sources: row.sources.clone().into_iter().collect(),
        warnings: row.warnings.clone(),
        status: Some(proto::Status {
            last_updated: row.status.last_updated.map(millis),
            last_error: row.status.last_error.clone(),
            kind: row.status.kind.clone(),
        }),
        chosen_driver: row.chosen_driver.map(|d| driver(d).into()),
        origin: match row.origin {
            Origin::Lease => "lease",
            Origin::Added => "added",
            Origin::Registered => "registered",
        }
        .to_owned(),
        untrusted: row.untrusted.clone(),
    }
}
