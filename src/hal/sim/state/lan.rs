//! LAN configuration parameters (§23).

use std::net::IpAddr;

use crate::hal::ipmi::cmd::CompletionCode;

const UNSUPPORTED: CompletionCode = CompletionCode(0x80);
const BUSY: CompletionCode = CompletionCode(0x81);
const READ_ONLY: CompletionCode = CompletionCode(0x82);
/// IPv6 addresses that can be set, and that are told.
const V6_SLOTS: u8 = 1;
/// IPv6 hop limit.
const MAX_HOPS: u8 = 64;

/// Configuration of the LAN channel.
#[derive(Debug, Clone)]
pub struct Lan {
    in_progress: bool,
    /// Authentication types by level: callback, user, operator, administrator, OEM (parameter 2).
    pub auth_enables: [u8; 5],
    /// IPv4 address.
    pub address: [u8; 4],
    /// 1 static, 2 DHCP.
    pub source: u8,
    /// MAC address.
    pub mac: [u8; 6],
    /// Subnet mask.
    pub netmask: [u8; 4],
    /// IPv4 header: TTL, flags, precedence.
    header: [u8; 3],
    /// RMCP port.
    port: u16,
    arp: [u8; 2],
    /// Default and backup gateway with their MACs.
    pub gateway: [u8; 4],
    gateway_mac: [u8; 6],
    backup_gateway: [u8; 4],
    backup_mac: [u8; 6],
    community: [u8; 18],
    /// VLAN id; bit 15 = used.
    pub vlan: u16,
    vlan_priority: u8,
    /// Cipher suites in the order of `privileges`.
    suites: Vec<u8>,
    /// Highest privilege by suite, two in a byte (parameter 24, without its first byte).
    pub privileges: [u8; 8],
    bad_password: [u8; 6],
    /// Is IPv4, IPv6 or both used (parameter 51)?
    family: u8,
    /// IPv6 address and prefix length, static.
    pub static_v6: ([u8; 16], u8, bool),
    /// IPv6 address of the link.
    dynamic_v6: [u8; 16],
}

impl Lan {
    /// The configuration of server `index` at `address`.
    pub fn new(index: u32, address: IpAddr, suites: &[u8]) -> Self {
        let [_, b, c, d] = index.saturating_add(1).to_be_bytes();
        let mac = [0x0a, 0x1f, 0x6b, b, c, d];
        let mut v6 = [0; 16];
        let v4 = match address {
            IpAddr::V4(ip) => ip.octets(),
            IpAddr::V6(ip) => {
                v6 = ip.octets();
                [0; 4]
            }
        };
        let [m0, m1, m2, m3, m4, m5] = mac;
        let [n0, n1, n2, _] = v4;
        let gateway = [n0, n1, n2, 254];
        Self {
            in_progress: false,
            auth_enables: [0x17; 5],
            address: v4,
            source: 1,
            mac,
            netmask: [255, 255, 255, 0],
            header: [0x40, 0x40, 0x10],
            port: 623,
            arp: [0x03, 0x02],
            gateway,
            gateway_mac: [0x0a, 0, 0, 0, 0, 0xfe],
            backup_gateway: [0; 4],
            backup_mac: [0; 6],
            community: *b"public\0\0\0\0\0\0\0\0\0\0\0\0",
            vlan: 0,
            vlan_priority: 0,
            suites: suites.to_vec(),
            privileges: [0x44; 8],
            bad_password: [0; 6],
            family: 2,
            static_v6: (v6, 64, v6 != [0; 16]),
            dynamic_v6: [
                0xfe,
                0x80,
                0,
                0,
                0,
                0,
                0,
                0,
                m0 ^ 2,
                m1,
                m2,
                0xff,
                0xfe,
                m3,
                m4,
                m5,
            ],
        }
    }

    /// Highest privilege with cipher suite `id`, as in parameter 24; 0 = switched off.
    pub fn suite_privilege(&self, id: u8) -> u8 {
        let Some(index) = self.suites.iter().position(|s| *s == id) else {
            return 0;
        };
        let byte = self.privileges.get(index / 2).copied().unwrap_or(0);
        if index % 2 == 0 {
            byte & 0x0f
        } else {
            byte >> 4
        }
    }

    /// The data of a parameter.
    pub fn get(&self, parameter: u8, set: u8) -> Result<Vec<u8>, CompletionCode> {
        Ok(match parameter {
            0 => vec![u8::from(self.in_progress)],
            1 => vec![0x17],
            2 => self.auth_enables.to_vec(),
            3 => self.address.to_vec(),
            4 => vec![self.source],
            5 => self.mac.to_vec(),
            6 => self.netmask.to_vec(),
            7 => self.header.to_vec(),
            8 | 9 => (self.port + u16::from(parameter == 9) * 41)
                .to_le_bytes()
                .to_vec(),
            10 => vec![self.arp[0]],
            11 => vec![self.arp[1]],
            12 => self.gateway.to_vec(),
            13 => self.gateway_mac.to_vec(),
            14 => self.backup_gateway.to_vec(),
            15 => self.backup_mac.to_vec(),
            16 => self.community.to_vec(),
            // Alert destinations there are; IPv6 traffic class.
            17 | 52 => vec![0],
            20 => self.vlan.to_le_bytes().to_vec(),
            21 => vec![self.vlan_priority],
            22 => vec![self.suites.len().min(16) as u8],
            23 => {
                let mut out = vec![0];
                out.extend(self.suites.iter().take(16));
                out.resize(17, 0);
                out
            }
            24 => {
                let mut out = vec![0];
                out.extend(self.privileges);
                out
            }
            26 => self.bad_password.to_vec(),
            50 => vec![0x06],
            51 => vec![self.family],
            53 | 54 => vec![MAX_HOPS],
            55 => vec![V6_SLOTS, V6_SLOTS, 0x03],
            56 if set < V6_SLOTS => {
                let (address, prefix, enabled) = self.static_v6;
                let mut out = vec![set, u8::from(enabled) << 7];
                out.extend(address);
                out.extend([prefix, 0]);
                out
            }
            59 if set < V6_SLOTS => {
                let mut out = vec![set, 0x01];
                out.extend(self.dynamic_v6);
                out.extend([64, 0]);
                out
            }
            56 | 59 => return Err(CompletionCode::OUT_OF_RANGE),
            64 => vec![0x02],
            _ => return Err(UNSUPPORTED),
        })
    }

    /// Sets a parameter.
    pub fn set(&mut self, parameter: u8, data: &[u8]) -> Result<(), CompletionCode> {
        match (parameter, data) {
            (0, [0 | 2]) => self.in_progress = false,
            (0, [1]) if self.in_progress => return Err(BUSY),
            (0, [1]) => self.in_progress = true,
            (1 | 5 | 17 | 22 | 23 | 50 | 55 | 59, _) => return Err(READ_ONLY),
            (2, _) => fill(&mut self.auth_enables, data)?,
            // The address of DHCP is not to be set.
            (3 | 6 | 12, _) if self.source == 2 => {
                return Err(CompletionCode::NOT_IN_PRESENT_STATE);
            }
            (3, _) => fill(&mut self.address, data)?,
            (4, [source]) if (1..=4).contains(&(source & 0x0f)) => self.source = source & 0x0f,
            (0 | 4, [_]) => return Err(CompletionCode::INVALID_FIELD),
            (6, _) => fill(&mut self.netmask, data)?,
            (7, _) => fill(&mut self.header, data)?,
            (8, [low, high]) => self.port = u16::from_le_bytes([*low, *high]),
            (10, [value]) => self.arp[0] = *value,
            (11, [value]) => self.arp[1] = *value,
            (12, _) => fill(&mut self.gateway, data)?,
            (13, _) => fill(&mut self.gateway_mac, data)?,
            (14, _) => fill(&mut self.backup_gateway, data)?,
            (15, _) => fill(&mut self.backup_mac, data)?,
            (16, _) => fill(&mut self.community, data)?,
            (20, [low, high]) => {
                let vlan = u16::from_le_bytes([*low, *high]);
                if vlan & 0x8000 != 0 && matches!(vlan & 0x0fff, 0 | 0x0fff) {
                    return Err(CompletionCode::INVALID_FIELD);
                }
                self.vlan = vlan & 0x8fff;
            }
            (21, [value]) => self.vlan_priority = value & 7,
            (24, [_, rest @ ..]) => fill(&mut self.privileges, rest)?,
            (26, _) => fill(&mut self.bad_password, data)?,
            (51, [value]) if *value <= 2 => self.family = *value,
            (56, [set, enable, rest @ ..]) if *set < V6_SLOTS => {
                let (address, tail) = rest
                    .split_first_chunk::<16>()
                    .ok_or(CompletionCode::LENGTH_INVALID)?;
                let [prefix, _status] = tail else {
                    return Err(CompletionCode::LENGTH_INVALID);
                };
                self.static_v6 = (*address, *prefix, enable & 0x80 != 0);
            }
            (0 | 4 | 8 | 10 | 11 | 20 | 21 | 24 | 51 | 56, _) => {
                return Err(CompletionCode::LENGTH_INVALID);
            }
            _ => return Err(UNSUPPORTED),
        }
        Ok(())
    }
}

fn fill<const N: usize>(to: &mut [u8; N], from: &[u8]) -> Result<(), CompletionCode> {
    *to = from
        .try_into()
        .map_err(|_| CompletionCode::LENGTH_INVALID)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn set_and_get_of_the_common_ones() {
        let mut lan = Lan::new(0, "127.0.0.1".parse().unwrap(), &[3, 17]);
        assert_eq!(lan.get(3, 0), Ok(vec![127, 0, 0, 1]));
        lan.set(3, &[10, 0, 0, 9]).unwrap();
        lan.set(20, &[0x64, 0x80]).unwrap();
        assert_eq!(lan.get(3, 0), Ok(vec![10, 0, 0, 9]));
        assert_eq!(lan.get(20, 0), Ok(vec![0x64, 0x80]));
        assert_eq!(lan.set(5, &[0; 6]), Err(READ_ONLY));
        assert_eq!(lan.set(3, &[1, 2]), Err(CompletionCode::LENGTH_INVALID));
        assert_eq!(lan.get(200, 0), Err(UNSUPPORTED));
        lan.set(24, &[0, 0x40, 0, 0, 0, 0, 0, 0, 0]).unwrap();
        assert_eq!((lan.suite_privilege(3), lan.suite_privilege(17)), (0, 4));
        assert_eq!(lan.suite_privilege(8), 0);
    }
}
