//! Secrets of an export: a key from a passphrase (PBKDF2-HMAC-SHA256 with a salt), one AEAD envelope each (AES-256-GCM),
//! bound to the BMC and the field.

use std::num::NonZeroU32;

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::pbkdf2;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::applets::common::exit::Failure;
use crate::hal::model::Secret;

/// Rounds of a new export.
const ROUNDS: u32 = 600_000;
/// What is accepted: fewer would be weak, more would take for ever.
const ACCEPTED: std::ops::RangeInclusive<u32> = 10_000..=10_000_000;
/// Bytes of a salt.
const SALT: usize = 16;
/// The only ones so far.
const KDF: &str = "pbkdf2-hmac-sha256";
const CIPHER: &str = "aes-256-gcm";

/// How the key was made, as it stands in the file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Recipe {
    kdf: String,
    iterations: u32,
    salt: String,
    cipher: String,
    /// A sealed word: shows a wrong passphrase before anything is done.
    check: String,
}

/// A key from a passphrase.
pub(super) struct Vault {
    key: LessSafeKey,
}

impl Vault {
    /// A new key.
    pub(super) fn make(passphrase: &Secret) -> Result<(Self, Recipe), Failure> {
        let mut salt = [0; SALT];
        random(&mut salt)?;
        let vault = Self::derive(passphrase, &salt, ROUNDS)?;
        let recipe = Recipe {
            kdf: KDF.to_owned(),
            iterations: ROUNDS,
            salt: hex(&salt),
            cipher: CIPHER.to_owned(),
            check: vault.seal("", "check", &Secret::new(CHECK))?,
        };
        Ok((vault, recipe))
    }

    /// The key of an export. A wrong passphrase is refused.
    pub(super) fn open_with(passphrase: &Secret, recipe: &Recipe) -> Result<Self, Failure> {
        if recipe.kdf != KDF || recipe.cipher != CIPHER {
            return Err(Failure::usage(format!(
                "secrets: {} with {} is not known here",
                recipe.cipher, recipe.kdf
            )));
        }
        if !ACCEPTED.contains(&recipe.iterations) {
            return Err(Failure::usage(format!(
                "secrets: iterations: {} is not between {} and {}",
                recipe.iterations,
                ACCEPTED.start(),
                ACCEPTED.end()
            )));
        }
        let salt = unhex(&recipe.salt)
            .filter(|s| s.len() >= SALT)
            .ok_or_else(|| Failure::usage("secrets: salt: not 16 bytes in hexadecimal digits"))?;
        let vault = Self::derive(passphrase, &salt, recipe.iterations)?;
        match vault.open("", "check", &recipe.check) {
            Ok(word) if word.expose() == CHECK => Ok(vault),
            _ => Err(Failure::usage("the passphrase does not open this export")
                .hint("it is the one that was given to halbox bmc export")),
        }
    }

    fn derive(passphrase: &Secret, salt: &[u8], rounds: u32) -> Result<Self, Failure> {
        let broken = || Failure::failed("no key can be made of the passphrase");
        let rounds = NonZeroU32::new(rounds).ok_or_else(broken)?;
        let mut key = Zeroizing::new([0u8; 32]);
        pbkdf2::derive(
            pbkdf2::PBKDF2_HMAC_SHA256,
            rounds,
            salt,
            passphrase.expose(),
            key.as_mut_slice(),
        );
        let key = UnboundKey::new(&AES_256_GCM, key.as_slice()).map_err(|_| broken())?;
        Ok(Self {
            key: LessSafeKey::new(key),
        })
    }

    /// Seals a secret of a BMC.
    pub(super) fn seal(&self, mac: &str, field: &str, secret: &Secret) -> Result<String, Failure> {
        let mut nonce = [0; NONCE_LEN];
        random(&mut nonce)?;
        let mut bytes = Zeroizing::new(secret.expose().to_vec());
        let tag = self
            .key
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(bound(mac, field)),
                &mut bytes,
            )
            .map_err(|_| Failure::failed(format!("{field} of {mac} cannot be sealed")))?;
        Ok(format!(
            "{}{}{}",
            hex(&nonce),
            hex(&bytes),
            hex(tag.as_ref())
        ))
    }

    /// Opens what was sealed for this BMC and field.
    pub(super) fn open(&self, mac: &str, field: &str, sealed: &str) -> Result<Secret, String> {
        let bytes = unhex(sealed).ok_or("not sealed by halbox: no hexadecimal digits")?;
        let (nonce, rest) = bytes
            .split_first_chunk::<NONCE_LEN>()
            .ok_or("not sealed by halbox: too short")?;
        let mut rest = Zeroizing::new(rest.to_vec());
        let plain = self
            .key
            .open_in_place(
                Nonce::assume_unique_for_key(*nonce),
                Aad::from(bound(mac, field)),
                &mut rest,
            )
            .map_err(|_| "it was changed, or belongs to another BMC or field")?;
        Ok(Secret::new(&*plain))
    }
}

const CHECK: &[u8] = b"halbox";

fn bound(mac: &str, field: &str) -> Vec<u8> {
    format!("halbox export 1 {mac} {field}").into_bytes()
}

fn random(bytes: &mut [u8]) -> Result<(), Failure> {
    getrandom::fill(bytes).map_err(|e| Failure::failed(format!("random bytes: {e}")))
}

fn hex(bytes: &[u8]) -> String {
    let digit = |n: u8| char::from_digit(n.into(), 16).unwrap_or('0');
    let digits = bytes.iter().flat_map(|b| [digit(b >> 4), digit(b & 15)]);
    digits.collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let digit = |b: u8| char::from(b).to_digit(16).unwrap_or(0) as u8;
    let pairs = text.as_bytes().chunks_exact(2);
    Some(
        pairs
            .map(|p| p.iter().fold(0, |n, b| n << 4 | digit(*b)))
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bound_to_passphrase_bmc_and_field() {
        let (vault, recipe) = Vault::make(&Secret::new("correct horse")).unwrap();
        let sealed = vault
            .seal("a", "ipmi.password", &Secret::new("pw"))
            .unwrap();
        assert!(!sealed.contains("7077"), "{sealed}");
        let again = Vault::open_with(&Secret::new("correct horse"), &recipe).unwrap();
        assert_eq!(
            again.open("a", "ipmi.password", &sealed).unwrap().expose(),
            b"pw"
        );
        assert!(again.open("b", "ipmi.password", &sealed).is_err());
        assert!(again.open("a", "redfish.password", &sealed).is_err());
        let changed = format!("{}0", &sealed[..sealed.len() - 1]);
        let last = format!("{}1", &sealed[..sealed.len() - 1]);
        assert!(
            [changed, last]
                .iter()
                .any(|s| again.open("a", "ipmi.password", s).is_err())
        );
        for broken in ["", "zz", "00", "0"] {
            assert!(
                again.open("a", "ipmi.password", broken).is_err(),
                "{broken}"
            );
        }
        let wrong = Vault::open_with(&Secret::new("wrong"), &recipe);
        assert_eq!(wrong.err().unwrap().code(), 2);
        let mut weak = recipe;
        weak.iterations = 1;
        let weak = Vault::open_with(&Secret::new("correct horse"), &weak);
        assert!(weak.err().unwrap().message().contains("iterations"));
    }
}
