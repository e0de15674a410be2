//! The codes of the RAKP handshake (§13.31 to §13.33) from both sides' numbers.

use zeroize::Zeroizing;

use super::hash::hmac;
use super::suite::{AuthAlgorithm, CipherSuite, Integrity};
use crate::hal::ipmi::wire::rakp::Rakp1;
use crate::hal::model::Secret;

/// Ways in which old firmware hashes other than the specification says. All off is the specification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Variant {
    /// The user name is hashed padded to 16 bytes (Intel SE7520AF2).
    pub padded_user: bool,
    /// With HMAC-MD5 the password is cut to 16 bytes (Intel SE7520AF2).
    pub short_md5_password: bool,
    /// The check value in RAKP 4 is computed with the integrity algorithm (Intel SE7520AF2).
    pub icv_by_integrity: bool,
    /// The role is hashed without the name-only bit (Intel 82571 super pass-through).
    pub role_without_name_only: bool,
}

/// What both sides know after RAKP 2. User name and role are as sent in RAKP 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rakp {
    /// The suite that was agreed on.
    pub suite: CipherSuite,
    /// Session id of the console (SIDm).
    pub console_id: u32,
    /// Session id of the managed system (SIDc).
    pub managed_id: u32,
    /// The console's random number (Rm).
    pub console_random: [u8; 16],
    /// The managed system's random number (Rc).
    pub managed_random: [u8; 16],
    /// The managed system's GUID, as sent.
    pub managed_guid: [u8; 16],
    /// Role byte as sent, including bit 4.
    pub role: u8,
    /// User name as sent.
    pub user: Vec<u8>,
    /// Deviations of old firmware.
    pub variant: Variant,
}

impl Rakp {
    /// Code of RAKP 2, whole digest: the managed system proves that it knows the password.
    pub fn rakp2_code(&self, password: &Secret) -> Vec<u8> {
        let (role, length, user) = self.identity();
        self.hmac(
            &self.user_key(password),
            &[
                &self.console_id.to_le_bytes(),
                &self.managed_id.to_le_bytes(),
                &self.console_random,
                &self.managed_random,
                &self.managed_guid,
                &[role, length],
                &user,
            ],
        )
        .to_vec()
    }

    /// Code of RAKP 3, whole digest: the console proves the same.
    pub fn rakp3_code(&self, password: &Secret) -> Vec<u8> {
        let (role, length, user) = self.identity();
        self.hmac(
            &self.user_key(password),
            &[
                &self.managed_random,
                &self.console_id.to_le_bytes(),
                &[role, length],
                &user,
            ],
        )
        .to_vec()
    }

    /// The session integrity key, keyed with K_G if there is one, else with the password.
    pub fn sik(&self, password: &Secret, kg: Option<&Secret>) -> Zeroizing<Vec<u8>> {
        let key = match kg {
            Some(kg) if kg.expose().iter().any(|b| *b != 0) => kg.padded::<20>().to_vec().into(),
            _ => self.user_key(password),
        };
        let (role, length, user) = self.identity();
        self.hmac(
            &key,
            &[
                &self.console_random,
                &self.managed_random,
                &[role, length],
                &user,
            ],
        )
    }

    /// Integrity check value of RAKP 4: 12 or 16 bytes, none without authentication.
    pub fn rakp4_icv(&self, sik: &[u8]) -> Vec<u8> {
        let (algorithm, length) = if self.variant.icv_by_integrity {
            match self.suite.integrity {
                Integrity::None => (AuthAlgorithm::None, 0),
                Integrity::HmacSha1 => (AuthAlgorithm::HmacSha1, 12),
                Integrity::HmacMd5 | Integrity::Md5 => (AuthAlgorithm::HmacMd5, 16),
                Integrity::HmacSha256 => (AuthAlgorithm::HmacSha256, 16),
            }
        } else {
            (self.suite.auth, self.suite.auth.icv_len())
        };
        let mut icv = hmac(
            algorithm,
            sik,
            &[
                &self.console_random,
                &self.managed_id.to_le_bytes(),
                &self.managed_guid,
            ],
        )
        .to_vec();
        icv.truncate(length);
        icv
    }

    fn hmac(&self, key: &[u8], parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
        hmac(self.suite.auth, key, parts)
    }

    /// Kuid: the password padded with zeroes to 20 bytes.
    fn user_key(&self, password: &Secret) -> Zeroizing<Vec<u8>> {
        let mut key = Zeroizing::new(password.padded::<20>().to_vec());
        if self.variant.short_md5_password && self.suite.auth == AuthAlgorithm::HmacMd5 {
            key.truncate(16);
        }
        key
    }

    /// Role, length of the name and name, as hashed.
    fn identity(&self) -> (u8, u8, Vec<u8>) {
        let role = if self.variant.role_without_name_only {
            self.role & !Rakp1::NAME_ONLY
        } else {
            self.role
        };
        let mut user = self.user.clone();
        if self.variant.padded_user {
            user.resize(user.len().max(16), 0);
        }
        (role, self.user.len() as u8, user)
    }
}
