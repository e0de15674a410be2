//! The server's key: that it signed this exchange, and how it is called.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use ring::{digest, signature};

use super::negotiation::kind_of_key;
use super::wire::{Reader, broken};
use crate::hal::error::{Error, Kind, Result};

/// Kind and fingerprint as ssh-keygen prints them: `ssh-ed25519 SHA256:…`.
pub(super) fn name(blob: &[u8]) -> Result<String> {
    let kind = Reader::new(blob).text("host key")?;
    let hash = digest::digest(&digest::SHA256, blob);
    Ok(format!("{kind} SHA256:{}", STANDARD_NO_PAD.encode(hash)))
}

/// Did the owner of the key sign `message`, with the algorithm that was agreed on?
pub(super) fn verify(algorithm: &str, blob: &[u8], sealed: &[u8], message: &[u8]) -> Result<()> {
    let mut key = Reader::new(blob);
    let kind = key.string("host key")?;
    let mut sealed = Reader::new(sealed);
    let signed_with = sealed.string("signature")?;
    let sealed = sealed.string("signature")?;
    if kind != kind_of_key(algorithm).as_bytes() || signed_with != algorithm.as_bytes() {
        return Err(broken("the host key is not of the kind that was agreed on"));
    }
    let forged = |_| {
        Error::new(Kind::Refused, "SSH")
            .with_source("the server did not prove that the host key is its own")
    };
    if algorithm.starts_with("rsa-") {
        let (e, n) = (key.mpint("host key")?, key.mpint("host key")?);
        let bits = n.len() * 8;
        if bits < 2048 {
            let cause = format!("legacy SSH: the host key is RSA with only {bits} bits");
            return Err(Error::new(Kind::Tls, "SSH").with_source(cause));
        }
        let how = if algorithm == "rsa-sha2-256" {
            &signature::RSA_PKCS1_2048_8192_SHA256
        } else {
            &signature::RSA_PKCS1_2048_8192_SHA512
        };
        let key = signature::RsaPublicKeyComponents { n, e };
        return key.verify(how, message, sealed).map_err(forged);
    }
    let check = |how: &'static dyn signature::VerificationAlgorithm, key: &[u8], sealed: &[u8]| {
        signature::UnparsedPublicKey::new(how, key)
            .verify(message, sealed)
            .map_err(forged)
    };
    if algorithm == "ssh-ed25519" {
        return check(&signature::ED25519, key.string("host key")?, sealed);
    }
    key.string("curve of the host key")?;
    let point = key.string("host key")?;
    let (how, size): (&signature::EcdsaVerificationAlgorithm, _) =
        if algorithm == "ecdsa-sha2-nistp384" {
            (&signature::ECDSA_P384_SHA384_FIXED, 48)
        } else {
            (&signature::ECDSA_P256_SHA256_FIXED, 32)
        };
    let mut numbers = Reader::new(sealed);
    let mut fixed = Vec::with_capacity(2 * size);
    for _ in 0..2 {
        let number = numbers.mpint("signature")?;
        let zeroes = size
            .checked_sub(number.len())
            .ok_or_else(|| broken("a number of the signature is too long"))?;
        fixed.resize(fixed.len() + zeroes, 0);
        fixed.extend(number);
    }
    check(how, point, &fixed)
}
