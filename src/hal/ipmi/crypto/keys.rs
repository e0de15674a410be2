//! The keys of an RMCP+ session (§13.32).

use std::fmt;

use zeroize::Zeroizing;

use super::hash::hmac;
use super::rakp::Rakp;
use super::suite::CipherSuite;
use crate::hal::model::Secret;

/// Keys of one session. Never printed, wiped when dropped.
#[derive(Clone)]
pub struct Keys {
    suite: CipherSuite,
    sik: Zeroizing<Vec<u8>>,
    k1: Zeroizing<Vec<u8>>,
    k2: Zeroizing<[u8; 16]>,
    password: Zeroizing<[u8; 20]>,
    plain_integrity_pad: bool,
}

/// The constants are 20 bytes whatever the algorithm is.
const K1: [u8; 20] = [1; 20];
const K2: [u8; 20] = [2; 20];

impl Keys {
    /// The keys that a finished handshake gives.
    pub fn derive(rakp: &Rakp, password: &Secret, kg: Option<&Secret>) -> Self {
        let sik = rakp.sik(password, kg);
        Self::from_sik(rakp.suite, sik, password)
    }

    /// The keys that follow from a session integrity key; the password is only for MD5-128 integrity.
    pub fn from_sik(suite: CipherSuite, sik: Zeroizing<Vec<u8>>, password: &Secret) -> Self {
        let k1 = hmac(suite.auth, &sik, &[&K1]);
        let mut k2 = Zeroizing::new([0; 16]);
        for (to, from) in k2.iter_mut().zip(hmac(suite.auth, &sik, &[&K2]).iter()) {
            *to = *from;
        }
        Self {
            suite,
            sik,
            k1,
            k2,
            password: password.padded(),
            plain_integrity_pad: false,
        }
    }

    /// Pads packets to a multiple of 4 without counting pad length and next header, as ICTS firmware does.
    #[must_use]
    pub fn with_plain_integrity_pad(mut self, on: bool) -> Self {
        self.plain_integrity_pad = on;
        self
    }

    /// The suite that they are for.
    pub fn suite(&self) -> CipherSuite {
        self.suite
    }

    /// The session integrity key: for the check value of RAKP 4.
    pub fn sik(&self) -> &[u8] {
        &self.sik
    }

    pub(super) fn k1(&self) -> &[u8] {
        &self.k1
    }

    pub(super) fn k2(&self) -> &[u8; 16] {
        &self.k2
    }

    pub(super) fn password(&self) -> &[u8; 20] {
        &self.password
    }

    pub(super) fn plain_integrity_pad(&self) -> bool {
        self.plain_integrity_pad
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys")
            .field("suite", &self.suite.id)
            .finish_non_exhaustive()
    }
}
