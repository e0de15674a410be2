//! One row of the table: what is known of one BMC and its machine. Plain data, no secrets.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::hal::model::{DriverName, MacAddr};

/// May other drivers than the chosen one be used?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Policy {
    /// The chosen driver is asked first; others fill its gaps.
    #[default]
    Prefer,
    /// No other is ever used.
    Only,
}

/// How a row came into the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// By a DHCP lease.
    #[default]
    Lease,
    /// By an operator.
    Added,
    /// By the machine itself.
    Registered,
}

/// A row. The key is the MAC. Times are milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The BMC's MAC: the lease's.
    pub mac: MacAddr,
    /// Other MACs of the same BMC.
    #[serde(default)]
    pub aliases: Vec<MacAddr>,
    /// Where it is.
    #[serde(default)]
    pub address: Option<IpAddr>,
    /// Manufacturer of the machine.
    #[serde(default)]
    pub vendor: Option<String>,
    /// Product name.
    #[serde(default)]
    pub model: Option<String>,
    /// UUID of the machine.
    #[serde(default)]
    pub machine_id: Option<String>,
    /// When the row was made.
    #[serde(default)]
    pub created_at: u64,
    /// When its content changed last.
    #[serde(default)]
    pub changed_at: u64,
    /// Number of the last change; grows over the whole table.
    #[serde(default)]
    pub revision: u64,
    /// How it came here.
    #[serde(default)]
    pub origin: Origin,
    /// A lease at which no driver was found yet.
    #[serde(default)]
    pub candidate: bool,
    /// Removed by an operator while its lease lasts.
    #[serde(default)]
    pub removed: bool,
    /// Drivers that answered.
    #[serde(default)]
    pub drivers: Vec<DriverName>,
    /// The best of them, as detection sees it.
    #[serde(default)]
    pub best_driver: Option<DriverName>,
    /// The driver that an operator chose.
    #[serde(default)]
    pub chosen_driver: Option<DriverName>,
    /// What the choice means.
    #[serde(default)]
    pub policy: Policy,
    /// Partition of the data centre.
    #[serde(default)]
    pub partition: Option<String>,
    /// The console that an operator gave; it is used instead of the BMC's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub console_url: Option<String>,
    /// The DHCP lease.
    #[serde(default)]
    pub lease: Option<LeaseSeen>,
    /// IPMI: how to log in.
    #[serde(default)]
    pub ipmi: IpmiAccess,
    /// The account that the machine is making, as it last said: its password is put aside until a login with it works.
    #[serde(default)]
    pub pending: Option<String>,
    /// The run that makes it is over then (milliseconds since 1970): from then on it is tried without being asked.
    #[serde(default)]
    pub pending_until: Option<u64>,
    /// A login with such an account failed then.
    #[serde(default)]
    pub pending_failed: Option<u64>,
    /// That account is one of Redfish.
    #[serde(default)]
    pub pending_redfish: bool,
    /// Redfish: how to log in.
    #[serde(default)]
    pub redfish: RedfishAccess,
    /// The certificate that was seen first.
    #[serde(default)]
    pub tls: Option<Tls>,
    /// Why no credentials are sent there (certificate or vendor changed), until an operator trusts it again.
    #[serde(default)]
    pub untrusted: Option<String>,
    /// Firmware of the machine.
    #[serde(default)]
    pub bios: Bios,
    /// Board, chassis and product.
    #[serde(default)]
    pub board: Board,
    /// Firmware version of the BMC.
    #[serde(default)]
    pub bmc_version: Option<String>,
    /// ON, OFF, …
    #[serde(default)]
    pub power_state: Option<String>,
    /// Watts.
    #[serde(default)]
    pub watts: Option<Watts>,
    /// Power supplies.
    #[serde(default)]
    pub supplies: Vec<Supply>,
    /// LED-ON or LED-OFF.
    #[serde(default)]
    pub led: Option<String>,
    /// Where the values came from: `power` → `ipmi`.
    #[serde(default)]
    pub sources: BTreeMap<String, String>,
    /// What an operator should know: moved address, duplicate, certificate changed.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// The last contact.
    #[serde(default)]
    pub status: Status,
}

/// The DHCP lease of a row.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct LeaseSeen {
    /// End, seconds since 1970; absent = never.
    pub ends: Option<u64>,
    /// The client's name.
    pub hostname: Option<String>,
    /// It has ended.
    pub stale: bool,
}

/// IPMI: how to log in; the password is a secret of the row.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct IpmiAccess {
    /// User name.
    pub user: Option<String>,
    /// UDP port; absent = 623.
    pub port: Option<u16>,
}

/// Redfish: how to log in; the password is a secret of the row.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RedfishAccess {
    /// User name.
    pub user: Option<String>,
    /// TCP port; absent = 443.
    pub port: Option<u16>,
    /// Scheme, host and port instead of the row's address.
    pub url: Option<String>,
}

/// The certificate of a BMC.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Tls {
    /// SHA-256 of the certificate that is trusted.
    pub sha256: String,
    /// Another one that was seen since; no credentials are sent until it is trusted.
    pub changed: Option<String>,
}

/// Firmware of the machine.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "each field says its name")]
pub struct Bios {
    pub date: Option<String>,
    pub vendor: Option<String>,
    pub version: Option<String>,
}

/// The eight fields of metal-stack.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "each field says its name")]
pub struct Board {
    pub board_mfg: Option<String>,
    pub board_mfg_serial: Option<String>,
    pub board_part_number: Option<String>,
    pub chassis_part_number: Option<String>,
    pub chassis_part_serial: Option<String>,
    pub product_manufacturer: Option<String>,
    pub product_part_number: Option<String>,
    pub product_serial: Option<String>,
}

/// Watts over an interval.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "each field says its name")]
pub struct Watts {
    pub consumed: Option<f64>,
    pub average: Option<f64>,
    pub min: Option<f64>,
    pub max: Option<f64>,
    pub interval_minutes: Option<f64>,
}

/// A power supply.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "each field says its name")]
pub struct Supply {
    pub name: String,
    pub health: Option<String>,
    pub state: Option<String>,
}

/// The last contact with the BMC.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Status {
    /// When it was tried last, in milliseconds since 1970.
    pub last_updated: Option<u64>,
    /// Why it failed; absent = it worked.
    pub last_error: Option<String>,
    /// Kind of the error.
    pub kind: Option<String>,
    /// These credentials were refused (a mark of user and password): not tried again by itself.
    pub refused: Option<String>,
    /// When a password was given last: a login that began before says nothing of it.
    pub given_at: Option<u64>,
}

impl Record {
    /// A row of which nothing is known but its MAC.
    pub fn new(mac: MacAddr) -> Self {
        Self {
            mac,
            aliases: Vec::new(),
            address: None,
            vendor: None,
            model: None,
            machine_id: None,
            created_at: 0,
            changed_at: 0,
            revision: 0,
            origin: Origin::Lease,
            candidate: false,
            removed: false,
            drivers: Vec::new(),
            best_driver: None,
            chosen_driver: None,
            policy: Policy::Prefer,
            partition: None,
            console_url: None,
            lease: None,
            ipmi: IpmiAccess::default(),
            pending: None,
            pending_until: None,
            pending_failed: None,
            pending_redfish: false,
            redfish: RedfishAccess::default(),
            tls: None,
            untrusted: None,
            bios: Bios::default(),
            board: Board::default(),
            bmc_version: None,
            power_state: None,
            watts: None,
            supplies: Vec::new(),
            led: None,
            sources: BTreeMap::new(),
            warnings: Vec::new(),
            status: Status::default(),
        }
    }

    /// The driver that is asked first.
    pub fn driver(&self) -> Option<DriverName> {
        self.chosen_driver.or(self.best_driver)
    }

    /// Can anybody log in?
    pub fn has_credentials(&self) -> bool {
        self.ipmi.user.is_some() || self.redfish.user.is_some()
    }

    /// Is the content the same? What only says when (`last_updated`, end of the lease) is no content.
    pub fn same_content(&self, other: &Self) -> bool {
        let plain = |record: &Self| {
            let mut record = record.clone();
            record.changed_at = 0;
            record.revision = 0;
            record.status.last_updated = None;
            record.status.given_at = None;
            if let Some(lease) = &mut record.lease {
                lease.ends = None;
            }
            record
        };
        plain(self) == plain(other)
    }
}
