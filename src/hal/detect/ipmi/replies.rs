//! The answers to the few commands that need no session, read leniently: what lies or is missing costs a field, not
//! the detection.

use crate::hal::detect::findings::IpmiVersion;
use crate::hal::ipmi::wire::v15::AuthType;
use crate::hal::ipmi::{DecodeError, Reader};

/// Get Channel Authentication Capabilities (§22.13), what detection wants of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthCapabilities {
    /// Versions, oldest first.
    pub versions: Vec<IpmiVersion>,
    /// Authentication types of IPMI 1.5.
    pub auth_types: Vec<&'static str>,
    /// Bit 5 of the status: a K_G that is not the default.
    pub kg_set: bool,
    /// Bit 1: users with an empty name.
    pub null_users: bool,
    /// Bit 0: a login with empty name and empty password.
    pub anonymous: bool,
    /// IANA number; 0 is none.
    pub oem_iana: Option<u32>,
}

/// The 1.5 authentication types and their names.
const AUTH_TYPES: [(AuthType, &str); 5] = [
    (AuthType::None, "none"),
    (AuthType::Md2, "md2"),
    (AuthType::Md5, "md5"),
    (AuthType::Straight, "straight"),
    (AuthType::Oem, "oem"),
];

impl AuthCapabilities {
    /// Reads what follows the completion code.
    pub fn parse(data: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(data);
        let _channel = r.u8("channel")?;
        let types = r.u8("authentication types")?;
        let status = r.u8("authentication status")?;
        let extended = r.opt_u8().unwrap_or(0);
        let oem_iana = r.u24("OEM IANA number").ok().filter(|n| *n != 0);
        let versions = if types & 0x80 == 0 {
            vec![IpmiVersion::V1_5]
        } else {
            // Bit 7 alone already means IPMI 2.0; some leave the extended byte empty.
            match extended & 0x03 {
                0x01 => vec![IpmiVersion::V1_5],
                0x03 => vec![IpmiVersion::V1_5, IpmiVersion::V2_0],
                _ => vec![IpmiVersion::V2_0],
            }
        };
        Ok(Self {
            versions,
            auth_types: AUTH_TYPES
                .iter()
                .filter(|(t, _)| types & t.capability_bit() != 0)
                .map(|(_, name)| *name)
                .collect(),
            kg_set: status & 0x20 != 0,
            null_users: status & 0x02 != 0,
            anonymous: status & 0x01 != 0,
            oem_iana,
        })
    }
}

/// Bytes of record data that one answer to Get Channel Cipher Suites carries when more follow (§22.15).
const SUITE_CHUNK: usize = 16;

/// Highest list index: 6 bits.
const LAST_INDEX: u8 = 0x3f;

/// Collects the records of Get Channel Cipher Suites over its answers.
#[derive(Debug, Clone, Default)]
pub struct SuiteList {
    data: Vec<u8>,
    last_chunk: Vec<u8>,
    index: u8,
}

impl SuiteList {
    /// The list index to ask for next.
    pub fn index(&self) -> u8 {
        self.index
    }

    /// Takes what follows the completion code; `true` when another index has to be asked for. A list that repeats
    /// itself or never ends is cut.
    pub fn push(&mut self, data: &[u8]) -> bool {
        // The first byte is the channel.
        let chunk = data.get(1..).unwrap_or_default();
        let repeated = self.index > 0 && chunk == self.last_chunk;
        if repeated {
            return false;
        }
        self.data.extend_from_slice(chunk);
        self.last_chunk = chunk.to_vec();
        if chunk.len() == SUITE_CHUNK && self.index < LAST_INDEX {
            self.index += 1;
            true
        } else {
            false
        }
    }

    /// The ids of the standard suites, ascending. Records without a start byte (OpenBMC's bare tags) are skipped,
    /// as are OEM suites.
    pub fn ids(&self) -> Vec<u8> {
        let mut ids = Vec::new();
        let mut r = Reader::new(&self.data);
        while let Ok(byte) = r.u8("start of record") {
            match byte {
                0xc0 => {
                    if let Ok(id) = r.u8("cipher suite id")
                        && !ids.contains(&id)
                    {
                        ids.push(id);
                    }
                }
                // OEM: id and three bytes of IANA number.
                0xc1 => drop(r.bytes("OEM cipher suite", 4)),
                _ => {}
            }
        }
        ids.sort_unstable();
        ids
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_of_a_two_point_zero_bmc() {
        // Channel 1, 2.0 and MD5+MD2+none, per-message authentication off and non-null users, 1.5 and 2.0.
        let caps =
            AuthCapabilities::parse(&[0x01, 0x87, 0x14, 0x03, 0xa2, 0x02, 0x00, 0x00]).unwrap();
        assert_eq!(caps.versions, [IpmiVersion::V1_5, IpmiVersion::V2_0]);
        assert_eq!(caps.auth_types, ["none", "md2", "md5"]);
        assert_eq!(caps.oem_iana, Some(674));
        assert!(!caps.kg_set && !caps.null_users && !caps.anonymous);
    }

    #[test]
    fn short_answers_cost_fields_only() {
        let old = AuthCapabilities::parse(&[0x01, 0x15, 0x23]).unwrap();
        assert_eq!(old.versions, [IpmiVersion::V1_5]);
        assert_eq!(old.auth_types, ["none", "md5", "straight"]);
        assert!(old.kg_set && old.null_users && old.anonymous);
        assert_eq!(old.oem_iana, None);
        assert!(AuthCapabilities::parse(&[0x01, 0x15]).is_err());
    }

    #[test]
    fn suites_over_two_chunks_with_oem_and_bare_records() {
        let mut list = SuiteList::default();
        assert!(list.push(&[
            0x01, 0xc0, 0x03, 0x01, 0x41, 0x81, 0xc0, 0x11, 0x03, 0x44, 0x81, 0xc1, 0x80, 0xa2,
            0x02, 0x00, 0x01,
        ]));
        assert_eq!(list.index(), 1);
        assert!(!list.push(&[0x01, 0x03, 0x44, 0x81, 0xc0, 0x00]));
        assert_eq!(list.ids(), [0, 3, 17]);
    }

    #[test]
    fn lists_that_repeat_or_never_end_are_cut() {
        let same = [
            0x01, 0xc0, 3, 1, 0x41, 0x81, 0xc0, 3, 1, 0x41, 0x81, 0xc0, 3, 1, 0x41, 0x81, 0,
        ];
        let mut list = SuiteList::default();
        assert!(list.push(&same));
        assert!(!list.push(&same));
        assert_eq!(list.ids(), [3]);
        let mut endless = SuiteList::default();
        let mut asked = 0u8;
        loop {
            let mut chunk = same;
            chunk[16] = asked;
            asked += 1;
            if !endless.push(&chunk) {
                break;
            }
        }
        assert_eq!(asked, 64);
    }
}
