//! Keyed hashes over several parts.

use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use sha1::Sha1;
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::suite::AuthAlgorithm;

/// HMAC of the concatenated `parts`, whole digest; empty for [`AuthAlgorithm::None`].
pub(super) fn hmac(algorithm: AuthAlgorithm, key: &[u8], parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(match algorithm {
        AuthAlgorithm::None => Vec::new(),
        AuthAlgorithm::HmacSha1 => run::<Hmac<Sha1>>(key, parts),
        AuthAlgorithm::HmacMd5 => run::<Hmac<Md5>>(key, parts),
        AuthAlgorithm::HmacSha256 => run::<Hmac<Sha256>>(key, parts),
    })
}

/// HMAC keys of any length are legal, so the error of `new_from_slice` cannot occur; an empty code, which
/// matches nothing, stands for it.
fn run<M: Mac + KeyInit>(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let Ok(mut mac) = <M as KeyInit>::new_from_slice(key) else {
        return Vec::new();
    };
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().to_vec()
}

/// MD5 of the concatenated `parts`.
pub(super) fn md5(parts: &[&[u8]]) -> [u8; 16] {
    use md5::Digest as _;
    let mut hash = Md5::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}

/// Are two codes equal? In time that does not depend on where they differ.
pub fn same(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}
