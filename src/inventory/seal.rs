//! Secrets at rest: one AEAD envelope each (AES-256-GCM), bound to the row and the field.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::hal::model::{MacAddr, Secret};
use crate::hal::{Error, Kind, Result};

use super::store::Field;

/// Bytes of a key.
const KEY: usize = 32;

/// The keys: the first seals, all open. So a key is changed by putting a new one in front.
pub struct Sealer {
    keys: Vec<([u8; 8], LessSafeKey)>,
    /// Of the newest key.
    salt: [u8; 16],
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealer")
            .field("keys", &self.keys.len())
            .finish_non_exhaustive()
    }
}

/// A secret of its own from a key.
fn derived(key: &[u8]) -> [u8; 16] {
    let digest = Sha256::new()
        .chain_update(b"halbox hashes of credentials")
        .chain_update(key)
        .finalize();
    let mut out = [0; 16];
    for (to, from) in out.iter_mut().zip(digest) {
        *to = from;
    }
    out
}

/// A sealed secret: which key, and nonce + ciphertext + tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// First bytes of the key's SHA-256.
    pub key: [u8; 8],
    /// Nonce, ciphertext, tag.
    pub bytes: Vec<u8>,
}

impl Sealer {
    /// From keys of 32 bytes, the newest first.
    pub fn new(keys: &[Secret]) -> Result<Self> {
        let mut out = Vec::new();
        let mut salt = None;
        for key in keys {
            let bytes = key.expose();
            salt.get_or_insert_with(|| derived(bytes));
            let unbound = UnboundKey::new(&AES_256_GCM, bytes).map_err(|_| {
                Error::new(
                    Kind::Config,
                    format!("a key has {} bytes instead of {KEY}", bytes.len()),
                )
            })?;
            let mut id = [0; 8];
            for (to, from) in id.iter_mut().zip(Sha256::digest(bytes)) {
                *to = from;
            }
            out.push((id, LessSafeKey::new(unbound)));
        }
        if out.is_empty() {
            return Err(Error::new(Kind::Config, "there is no key in the key file"));
        }
        Ok(Self {
            keys: out,
            salt: salt.unwrap_or_default(),
        })
    }

    /// A secret for hashes of credentials, from the newest key.
    pub fn salt(&self) -> [u8; 16] {
        self.salt
    }

    /// Reads the keys of a file: one per line in hex, the newest first. Others than its owner must not read it.
    pub fn load(path: &Path) -> Result<Self> {
        let failed = |e: io::Error| {
            Error::new(Kind::Config, format!("key file {}", path.display())).with_source(e)
        };
        let mode = fs::metadata(path).map_err(failed)?.mode();
        if mode & 0o077 != 0 {
            return Err(Error::new(
                Kind::Config,
                format!("key file {}: others may read it", path.display()),
            )
            .with_hint(format!("chmod 600 {}", path.display())));
        }
        let text = Zeroizing::new(fs::read_to_string(path).map_err(failed)?);
        let mut keys = Vec::new();
        for line in text.lines().map(str::trim).filter(|l| !l.is_empty()) {
            keys.push(unhex(line).ok_or_else(|| {
                Error::new(
                    Kind::Config,
                    format!("key file {}: a line is no key", path.display()),
                )
                .with_hint("64 hexadecimal digits per line")
            })?);
        }
        Self::new(&keys)
    }

    /// The same; the file is made, with a new key, when there is none.
    pub fn load_or_make(path: &Path) -> Result<Self> {
        let mut options = OpenOptions::new();
        match options.write(true).create_new(true).mode(0o600).open(path) {
            Ok(mut file) => {
                let failed = |e: io::Error| {
                    Error::new(Kind::Config, format!("making key file {}", path.display()))
                        .with_source(e)
                };
                let mut key = Zeroizing::new([0u8; KEY]);
                getrandom::fill(key.as_mut_slice())
                    .map_err(|e| failed(io::Error::other(e.to_string())))?;
                let mut text = Zeroizing::new(String::with_capacity(2 * KEY + 1));
                for byte in key.iter() {
                    let digit = |n: u8| char::from_digit(n.into(), 16).unwrap_or('0');
                    text.push(digit(byte >> 4));
                    text.push(digit(byte & 15));
                }
                text.push('\n');
                file.write_all(text.as_bytes())
                    .and_then(|()| file.sync_all())
                    .map_err(failed)?;
            }
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            Err(e) => {
                return Err(Error::new(
                    Kind::Config,
                    format!("making key file {}", path.display()),
                )
                .with_source(e));
            }
        }
        Self::load(path)
    }

    /// Seals a secret of a row.
    pub fn seal(&self, mac: MacAddr, field: Field, secret: &Secret) -> Result<Sealed> {
        self.seal_as(&format!("{mac} {}", field.as_str()), secret.expose())
    }

    /// Seals bytes; they open only under the same words.
    pub fn seal_as(&self, what: &str, plain: &[u8]) -> Result<Sealed> {
        let failed = || Error::new(Kind::Other, format!("sealing {what}"));
        let (id, key) = self.keys.first().ok_or_else(failed)?;
        let mut nonce = [0u8; NONCE_LEN];
        getrandom::fill(&mut nonce).map_err(|_| failed())?;
        let mut bytes = plain.to_vec();
        key.seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(aad(what)),
            &mut bytes,
        )
        .map_err(|_| failed())?;
        let mut out = nonce.to_vec();
        out.append(&mut bytes);
        Ok(Sealed {
            key: *id,
            bytes: out,
        })
    }

    /// Opens what was sealed for this row and field.
    pub fn open(&self, mac: MacAddr, field: Field, sealed: &Sealed) -> Result<Secret> {
        let plain = self.open_as(&format!("{mac} {}", field.as_str()), sealed)?;
        Ok(Secret::new(plain.to_vec()))
    }

    /// Opens what was sealed under these words.
    pub fn open_as(&self, what: &str, sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>> {
        let failed = |why: &str| {
            Error::new(Kind::Config, format!("{what} cannot be opened")).with_source(why.to_owned())
        };
        let (_, key) = self
            .keys
            .iter()
            .find(|(id, _)| *id == sealed.key)
            .ok_or_else(|| {
                failed("it was sealed with another key").with_hint("put that key into the key file")
            })?;
        let (nonce, bytes) = sealed
            .bytes
            .split_first_chunk::<NONCE_LEN>()
            .ok_or_else(|| failed("it is too short"))?;
        let mut bytes = Zeroizing::new(bytes.to_vec());
        let plain = key
            .open_in_place(
                Nonce::assume_unique_for_key(*nonce),
                Aad::from(aad(what)),
                &mut bytes,
            )
            .map_err(|_| failed("it was changed, or belongs to another row"))?;
        Ok(Zeroizing::new(plain.to_vec()))
    }

    /// Was it sealed with an older key?
    pub fn is_old(&self, sealed: &Sealed) -> bool {
        self.keys.first().is_some_and(|(id, _)| *id != sealed.key)
    }
}

fn aad(what: &str) -> Vec<u8> {
    format!("halbox 1 {what}").into_bytes()
}

fn unhex(line: &str) -> Option<Secret> {
    if line.len() != 2 * KEY || !line.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let digit = |b: u8| char::from(b).to_digit(16).unwrap_or(0) as u8;
    let pairs = line.as_bytes().chunks_exact(2);
    Some(Secret::new(
        pairs
            .map(|p| p.iter().fold(0, |n, b| n << 4 | digit(*b)))
            .collect::<Vec<u8>>(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bound_to_row_field_and_key() {
        let (one, two) = (MacAddr([2; 6]), MacAddr([4; 6]));
        let sealer = Sealer::new(&[Secret::new([7; 32])]).unwrap();
        let envelope = sealer
            .seal(one, Field::IpmiPassword, &Secret::new("pw"))
            .unwrap();
        let open = |mac, field, envelope: &Sealed| sealer.open(mac, field, envelope);
        let plain = open(one, Field::IpmiPassword, &envelope).unwrap();
        assert_eq!(plain.expose(), b"pw");
        assert!(open(two, Field::IpmiPassword, &envelope).is_err());
        assert!(open(one, Field::RedfishPassword, &envelope).is_err());
        let mut torn = envelope.clone();
        torn.bytes[NONCE_LEN] ^= 1;
        assert!(open(one, Field::IpmiPassword, &torn).is_err());
        torn.bytes.truncate(3);
        assert!(open(one, Field::IpmiPassword, &torn).is_err());
        // A new key in front: the old one still opens.
        let newer = Sealer::new(&[Secret::new([8; 32]), Secret::new([7; 32])]).unwrap();
        assert!(newer.is_old(&envelope));
        assert!(newer.open(one, Field::IpmiPassword, &envelope).is_ok());
        let other = Sealer::new(&[Secret::new([8; 32])]).unwrap();
        let error = other.open(one, Field::IpmiPassword, &envelope).unwrap_err();
        assert!(error.chain().contains("another key"), "{error:?}");
    }

    #[test]
    fn the_key_file_is_made_once_and_kept_private() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        let envelope = Sealer::load_or_make(&path)
            .unwrap()
            .seal(MacAddr([2; 6]), Field::IpmiKg, &Secret::new("k"))
            .unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        let again = Sealer::load_or_make(&path).unwrap();
        assert!(
            again
                .open(MacAddr([2; 6]), Field::IpmiKg, &envelope)
                .is_ok()
        );
        let mut open = fs::metadata(&path).unwrap().permissions();
        std::os::unix::fs::PermissionsExt::set_mode(&mut open, 0o644);
        fs::set_permissions(&path, open).unwrap();
        assert!(Sealer::load(&path).unwrap_err().hint().is_some());
    }
}
