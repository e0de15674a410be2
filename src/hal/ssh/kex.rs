//! Key exchange over elliptic curves, and the keys that follow from it (RFC 4253 §7.2, §8; RFC 5656 §4; RFC 8731).

use ring::agreement::{self, EphemeralPrivateKey, UnparsedPublicKey};
use ring::digest;
use ring::rand::SystemRandom;
use zeroize::Zeroizing;

use super::negotiation::Agreed;
use super::wire::{broken, put_mpint, put_string};
use crate::hal::error::{Error, Kind, Result};

/// Our half of the exchange.
pub(super) struct Ours {
    key: EphemeralPrivateKey,
    pub(super) public: Vec<u8>,
}

/// What both sides have said so far.
pub(super) struct Said<'a> {
    pub(super) our_version: &'a [u8],
    pub(super) their_version: &'a [u8],
    pub(super) our_init: &'a [u8],
    pub(super) their_init: &'a [u8],
}

/// What came out of it.
pub(super) struct Secrets {
    hash: &'static digest::Algorithm,
    /// The shared secret, as it goes into hashes.
    shared: Zeroizing<Vec<u8>>,
    /// The exchange hash, which the server has signed.
    pub(super) exchange: Vec<u8>,
}

/// Begins an exchange of the agreed kind.
pub(super) fn begin(agreed: &Agreed, random: &SystemRandom) -> Result<Ours> {
    let curve = match agreed.kex {
        "ecdh-sha2-nistp256" => &agreement::ECDH_P256,
        "ecdh-sha2-nistp384" => &agreement::ECDH_P384,
        _ => &agreement::X25519,
    };
    let failed = |_| Error::new(Kind::Other, "SSH: no random numbers");
    let key = EphemeralPrivateKey::generate(curve, random).map_err(failed)?;
    let public = key.compute_public_key().map_err(failed)?;
    Ok(Ours {
        key,
        public: public.as_ref().to_vec(),
    })
}

/// Ends it with the server's half and host key.
pub(super) fn finish(
    agreed: &Agreed,
    ours: Ours,
    said: &Said<'_>,
    host_key: &[u8],
    theirs: &[u8],
) -> Result<Secrets> {
    let hash = if agreed.kex == "ecdh-sha2-nistp384" {
        &digest::SHA384
    } else {
        &digest::SHA256
    };
    let peer = UnparsedPublicKey::new(ours.key.algorithm(), theirs);
    let public = ours.public;
    let shared = agreement::agree_ephemeral(ours.key, &peer, |secret| {
        let mut number = Zeroizing::new(Vec::with_capacity(secret.len() + 5));
        put_mpint(&mut number, secret);
        number
    })
    .map_err(|_| broken("the server's half of the key exchange is no point of the curve"))?;
    let mut text = Zeroizing::new(Vec::new());
    for part in [
        said.our_version,
        said.their_version,
        said.our_init,
        said.their_init,
        host_key,
        &public,
        theirs,
    ] {
        put_string(&mut text, part);
    }
    text.extend(&*shared);
    let exchange = digest::digest(hash, &text).as_ref().to_vec();
    Ok(Secrets {
        hash,
        shared,
        exchange,
    })
}

impl Secrets {
    /// `N` bytes of key material; `letter` says what for.
    pub(super) fn key(&self, session: &[u8], letter: u8, length: usize) -> Zeroizing<Vec<u8>> {
        let mut text = Zeroizing::new(Vec::new());
        text.extend(&*self.shared);
        text.extend(&self.exchange);
        let prefix = text.len();
        text.push(letter);
        text.extend(session);
        let mut key = Zeroizing::new(Vec::with_capacity(length + 64));
        key.extend(digest::digest(self.hash, &text).as_ref());
        while key.len() < length {
            text.truncate(prefix);
            text.extend(&*key);
            let more = digest::digest(self.hash, &text);
            key.extend(more.as_ref());
        }
        key.truncate(length);
        key
    }
}
