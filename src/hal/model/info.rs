//! What a machine and its BMC are.

use std::net::IpAddr;

use serde::Serialize;

use super::MacAddr;
use super::fru::FruSummary;

/// Identity of a machine, as one driver tells it. Absent = the BMC does not say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Info {
    /// Manufacturer of the machine.
    pub vendor: Option<String>,
    /// Product name.
    pub model: Option<String>,
    /// Serial number of the product.
    pub serial: Option<String>,
    /// The machine's UUID in the order its own firmware shows it.
    pub uuid: Option<String>,
    /// The 16 bytes as the BMC sent them, in hex.
    pub uuid_raw: Option<String>,
    /// The BMC itself.
    pub bmc: BmcInfo,
    /// The machine's firmware.
    pub bios: BiosInfo,
    /// The eight fields of metal-stack.
    pub fru: FruSummary,
}

/// The BMC itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct BmcInfo {
    /// MAC of the NIC that owns the dialled address.
    pub mac: Option<MacAddr>,
    /// Its address.
    pub ip: Option<IpAddr>,
    /// Firmware version.
    pub version: Option<String>,
}

/// The machine's firmware.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct BiosInfo {
    /// Version.
    pub version: Option<String>,
    /// Vendor.
    pub vendor: Option<String>,
    /// Release date, as the firmware writes it.
    pub date: Option<String>,
}
