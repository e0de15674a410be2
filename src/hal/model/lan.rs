//! The BMC's network.

use std::net::Ipv4Addr;

use serde::Serialize;

use super::MacAddr;

/// IPv4 configuration of the BMC's LAN channel.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct LanInfo {
    /// IPMI channel number; other protocols have none.
    pub channel: Option<u8>,
    /// MAC address.
    pub mac: Option<MacAddr>,
    /// IPv4 address.
    pub ip: Option<Ipv4Addr>,
    /// Subnet mask.
    pub netmask: Option<Ipv4Addr>,
    /// Default gateway.
    pub gateway: Option<Ipv4Addr>,
    /// `static`, `dhcp`, `bios`, `other`, `unspecified`.
    pub source: Option<String>,
    /// VLAN id, when one is used.
    pub vlan: Option<u16>,
}
