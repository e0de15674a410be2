//! LAN configuration parameters (table 23-4). Addresses are in network byte order, VLAN ids little-endian.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use crate::hal::ipmi::codec::{DecodeError, Reader};
use crate::hal::model::MacAddr;

/// Parameter selectors.
#[expect(missing_docs, reason = "each is the parameter of that name")]
pub mod lan_selector {
    pub const SET_IN_PROGRESS: u8 = 0;
    pub const AUTH_TYPE_SUPPORT: u8 = 1;
    pub const AUTH_TYPE_ENABLES: u8 = 2;
    pub const IP: u8 = 3;
    pub const IP_SOURCE: u8 = 4;
    pub const MAC: u8 = 5;
    pub const SUBNET_MASK: u8 = 6;
    pub const IPV4_HEADER: u8 = 7;
    pub const GATEWAY: u8 = 12;
    pub const GATEWAY_MAC: u8 = 13;
    pub const BACKUP_GATEWAY: u8 = 14;
    pub const BACKUP_GATEWAY_MAC: u8 = 15;
    pub const COMMUNITY: u8 = 16;
    pub const VLAN_ID: u8 = 20;
    pub const VLAN_PRIORITY: u8 = 21;
    pub const CIPHER_SUITE_SUPPORT: u8 = 22;
    pub const CIPHER_SUITE_ENTRIES: u8 = 23;
    pub const CIPHER_SUITE_PRIVILEGES: u8 = 24;
    pub const IPV6_SUPPORT: u8 = 50;
    pub const IPV6_ENABLES: u8 = 51;
    pub const IPV6_STATUS: u8 = 55;
    pub const IPV6_STATIC_ADDRESS: u8 = 56;
    pub const IPV6_DYNAMIC_ADDRESS: u8 = 59;
    pub const IPV6_ROUTER_CONTROL: u8 = 64;
    pub const IPV6_STATIC_ROUTER: u8 = 65;
    pub const IPV6_DYNAMIC_ROUTER: u8 = 74;
}

/// One parameter and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LanParameter {
    /// 0: 0 set complete, 1 set in progress, 2 commit write.
    SetInProgress(u8),
    /// 1: bit 0 none, 1 MD2, 2 MD5, 4 straight password, 5 OEM.
    AuthTypeSupport(u8),
    /// 2: bits as in 1, for callback, user, operator, administrator, OEM.
    AuthTypeEnables([u8; 5]),
    /// 3: the BMC's address.
    Ip(Ipv4Addr),
    /// 4: where the address comes from.
    IpSource(IpSource),
    /// 5: the BMC's MAC.
    Mac(MacAddr),
    /// 6: netmask.
    SubnetMask(Ipv4Addr),
    /// 7: time to live, flags, precedence and type of service.
    Ipv4Header([u8; 3]),
    /// 12: default gateway.
    Gateway(Ipv4Addr),
    /// 13: its MAC.
    GatewayMac(MacAddr),
    /// 14: backup gateway.
    BackupGateway(Ipv4Addr),
    /// 15: its MAC.
    BackupGatewayMac(MacAddr),
    /// 16: SNMP community, zero-padded.
    Community(Community),
    /// 20: VLAN id and whether it is used.
    Vlan(VlanTag),
    /// 21: VLAN priority, low three bits.
    VlanPriority(u8),
    /// 22: number of cipher suite entries, low five bits.
    CipherSuiteSupport(u8),
    /// 23: the cipher suites.
    CipherSuiteEntries(CipherSuiteEntries),
    /// 24: highest privilege of each of these entries.
    CipherSuitePrivileges(CipherSuitePrivileges),
    /// 50: bit 2 IPv6 alerts, 1 IPv4 and IPv6 at once, 0 IPv6 alone.
    Ipv6Support(u8),
    /// 51: 0 IPv4 only, 1 IPv6 only, 2 both.
    Ipv6Enables(u8),
    /// 55: number of static addresses, number of dynamic ones, bits 1 SLAAC and 0 DHCPv6.
    Ipv6Status([u8; 3]),
    /// 56: one static address.
    Ipv6StaticAddress(Ipv6AddressEntry),
    /// 59: one dynamic address.
    Ipv6DynamicAddress(Ipv6AddressEntry),
    /// 64: bit 1 dynamic, 0 static router addresses are used.
    Ipv6RouterControl(u8),
    /// 65: address of static router 1.
    Ipv6StaticRouter(Ipv6Addr),
    /// 74: address of one dynamic router.
    Ipv6DynamicRouter {
        /// Set selector.
        set: u8,
        /// Its address.
        address: Ipv6Addr,
    },
    /// Any other parameter, or a known one without any data.
    Other {
        /// Parameter selector.
        selector: u8,
        /// Its data as they came.
        data: Vec<u8>,
    },
}

/// SNMP community: as good as a password, so it is never printed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Community(pub [u8; 18]);

impl fmt::Debug for Community {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Community(..)")
    }
}

/// Where the IPv4 address comes from, low four bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IpSource(pub u8);

impl IpSource {
    /// Unspecified.
    pub const UNSPECIFIED: Self = Self(0);
    /// Static.
    pub const STATIC: Self = Self(1);
    /// DHCP.
    pub const DHCP: Self = Self(2);
    /// BIOS or system software.
    pub const BIOS: Self = Self(3);
    /// Another protocol.
    pub const OTHER: Self = Self(4);
}

/// VLAN id (bits 11-0) and enable (bit 15).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VlanTag(pub u16);

impl VlanTag {
    /// The id when VLAN tagging is on.
    pub fn id(self) -> Option<u16> {
        (self.0 & 0x8000 != 0).then_some(self.0 & 0x0fff)
    }

    /// VLAN tagging with `id`, or none.
    pub fn of(id: Option<u16>) -> Self {
        Self(id.map_or(0, |id| 0x8000 | (id & 0x0fff)))
    }
}

/// Up to 16 cipher suite ids after a reserved byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CipherSuiteEntries {
    /// The reserved byte.
    pub reserved: u8,
    /// The ids; entries beyond the number of parameter 22 mean nothing.
    pub ids: Vec<u8>,
}

/// Highest privilege per cipher suite entry: a nibble each, the even entry in the low one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CipherSuitePrivileges {
    /// The reserved byte.
    pub reserved: u8,
    /// Nibbles of entries 0..15; 0 = the entry may not be used.
    pub levels: [u8; 8],
}

impl CipherSuitePrivileges {
    /// The level of `entry`.
    pub fn level(&self, entry: usize) -> Option<u8> {
        let byte = self.levels.get(entry / 2)?;
        Some(if entry.is_multiple_of(2) {
            byte & 0x0f
        } else {
            byte >> 4
        })
    }

    /// Changes the level of `entry`; one that does not exist is ignored.
    pub fn set_level(&mut self, entry: usize, level: u8) {
        if let Some(byte) = self.levels.get_mut(entry / 2) {
            *byte = if entry.is_multiple_of(2) {
                (*byte & 0xf0) | (level & 0x0f)
            } else {
                (*byte & 0x0f) | (level << 4)
            };
        }
    }
}

/// A static (56) or dynamic (59) IPv6 address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ipv6AddressEntry {
    /// Set selector: which address.
    pub set: u8,
    /// Static: bit 7 enabled; low four bits: source (static 0; dynamic 1 SLAAC, 2 DHCPv6).
    pub source: u8,
    /// The address.
    pub address: Ipv6Addr,
    /// Prefix length.
    pub prefix: u8,
    /// 0 active, 1 disabled, 2 pending, 3 failed, 4 deprecated, 5 invalid; not part of a write.
    pub status: Option<u8>,
}

impl Ipv6AddressEntry {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend([self.set, self.source]);
        out.extend(self.address.octets());
        out.push(self.prefix);
        out.extend(self.status);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            set: r.u8("IPv6 address selector")?,
            source: r.u8("IPv6 address source")?,
            address: r.array::<16>("IPv6 address")?.into(),
            prefix: r.u8("IPv6 prefix length")?,
            status: r.opt_u8(),
        })
    }
}

macro_rules! parameters {
    ($($variant:ident = $selector:ident: |$value:ident, $out:ident| $encode:expr, |$r:ident| $decode:expr;)*) => {
        impl LanParameter {
            /// Its parameter selector.
            pub fn selector(&self) -> u8 {
                match self {
                    $(Self::$variant(_) => lan_selector::$selector,)*
                    Self::Ipv6DynamicRouter { .. } => lan_selector::IPV6_DYNAMIC_ROUTER,
                    Self::Other { selector, .. } => *selector,
                }
            }

            /// Writes the parameter data.
            pub fn encode(&self, out: &mut Vec<u8>) {
                match self {
                    $(Self::$variant($value) => { let $out = out; $encode; })*
                    Self::Ipv6DynamicRouter { set, address } => {
                        out.push(*set);
                        out.extend(address.octets());
                    }
                    Self::Other { data, .. } => out.extend(data),
                }
            }

            /// Reads the data of parameter `selector`; more bytes than it has are dropped.
            pub fn decode(selector: u8, r: &mut Reader<'_>) -> Result<Self, DecodeError> {
                if r.is_empty() {
                    return Ok(Self::Other { selector, data: Vec::new() });
                }
                Ok(match selector {
                    $(lan_selector::$selector => { let $r = r; Self::$variant($decode) })*
                    lan_selector::IPV6_DYNAMIC_ROUTER => Self::Ipv6DynamicRouter {
                        set: r.u8("router selector")?,
                        address: r.array::<16>("router address")?.into(),
                    },
                    _ => Self::Other { selector, data: r.rest().to_vec() },
                })
            }
        }
    };
}

parameters! {
    SetInProgress = SET_IN_PROGRESS: |v, out| out.push(*v), |r| r.u8("set in progress")?;
    AuthTypeSupport = AUTH_TYPE_SUPPORT: |v, out| out.push(*v), |r| r.u8("authentication type support")?;
    AuthTypeEnables = AUTH_TYPE_ENABLES: |v, out| out.extend(v), |r| r.array("authentication type enables")?;
    Ip = IP: |v, out| out.extend(v.octets()), |r| r.array::<4>("IP address")?.into();
    IpSource = IP_SOURCE: |v, out| out.push(v.0), |r| IpSource(r.u8("IP address source")?);
    Mac = MAC: |v, out| out.extend(v.0), |r| MacAddr(r.array("MAC address")?);
    SubnetMask = SUBNET_MASK: |v, out| out.extend(v.octets()), |r| r.array::<4>("subnet mask")?.into();
    Ipv4Header = IPV4_HEADER: |v, out| out.extend(v), |r| r.array("IPv4 header parameters")?;
    Gateway = GATEWAY: |v, out| out.extend(v.octets()), |r| r.array::<4>("default gateway")?.into();
    GatewayMac = GATEWAY_MAC: |v, out| out.extend(v.0), |r| MacAddr(r.array("default gateway MAC")?);
    BackupGateway = BACKUP_GATEWAY: |v, out| out.extend(v.octets()), |r| r.array::<4>("backup gateway")?.into();
    BackupGatewayMac = BACKUP_GATEWAY_MAC: |v, out| out.extend(v.0), |r| MacAddr(r.array("backup gateway MAC")?);
    Community = COMMUNITY: |v, out| out.extend(v.0), |r| Community(r.array("community string")?);
    Vlan = VLAN_ID: |v, out| out.extend(v.0.to_le_bytes()), |r| VlanTag(r.u16("VLAN ID")?);
    VlanPriority = VLAN_PRIORITY: |v, out| out.push(*v), |r| r.u8("VLAN priority")?;
    CipherSuiteSupport = CIPHER_SUITE_SUPPORT: |v, out| out.push(*v), |r| r.u8("cipher suite entry support")?;
    CipherSuiteEntries = CIPHER_SUITE_ENTRIES: |v, out| { out.push(v.reserved); out.extend(&v.ids) }, |r| {
        let reserved = r.u8("cipher suite entries")?;
        let count = r.remaining().min(16);
        CipherSuiteEntries { reserved, ids: r.bytes("cipher suite entries", count)?.to_vec() }
    };
    CipherSuitePrivileges = CIPHER_SUITE_PRIVILEGES: |v, out| { out.push(v.reserved); out.extend(v.levels) }, |r| CipherSuitePrivileges {
        reserved: r.u8("cipher suite privilege levels")?,
        levels: r.array("cipher suite privilege levels")?,
    };
    Ipv6Support = IPV6_SUPPORT: |v, out| out.push(*v), |r| r.u8("IPv6 support")?;
    Ipv6Enables = IPV6_ENABLES: |v, out| out.push(*v), |r| r.u8("IPv6 addressing enables")?;
    Ipv6Status = IPV6_STATUS: |v, out| out.extend(v), |r| r.array("IPv6 status")?;
    Ipv6StaticAddress = IPV6_STATIC_ADDRESS: |v, out| v.encode(out), |r| Ipv6AddressEntry::decode(r)?;
    Ipv6DynamicAddress = IPV6_DYNAMIC_ADDRESS: |v, out| v.encode(out), |r| Ipv6AddressEntry::decode(r)?;
    Ipv6RouterControl = IPV6_ROUTER_CONTROL: |v, out| out.push(*v), |r| r.u8("IPv6 router address configuration control")?;
    Ipv6StaticRouter = IPV6_STATIC_ROUTER: |v, out| out.extend(v.octets()), |r| r.array::<16>("IPv6 static router 1")?.into();
}
