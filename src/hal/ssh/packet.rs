//! Packets, in the clear and sealed (RFC 4253 §6, RFC 5647, OpenSSH's PROTOCOL and PROTOCOL.chacha20poly1305).

use aes::cipher::{Array, BlockCipherEncrypt, KeyInit};
use aes::{Aes128, Aes256};
use ring::aead::chacha20_poly1305_openssh as chacha;
use ring::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};

use super::negotiation::Protection;
use super::wire::broken;
use crate::hal::error::{Error, Kind, Result};

/// Longest packet that is read: RFC 4253 asks for 35,000 bytes, and we let nobody send more than 32 KiB of data.
const LONGEST: usize = 64 << 10;
const TAG: usize = 16;
/// HMAC-SHA-512's.
const LONGEST_TAG: usize = 64;

/// What protects one direction. `A` to `F` of RFC 4253 §7.2 are asked of `key`.
pub(super) struct Lock {
    number: u32,
    /// Packets under this key.
    pub(super) used: u64,
    how: How,
}

#[allow(
    clippy::large_enum_variant,
    reason = "there are two in a connection, and they do not move"
)]
enum How {
    Clear,
    Seal(chacha::SealingKey),
    Open(chacha::OpeningKey),
    Gcm {
        key: LessSafeKey,
        iv: [u8; 12],
    },
    Ctr {
        stream: Ctr,
        mac: hmac::Key,
        /// The MAC covers what is sent, and the length is in the clear.
        etm: bool,
        /// The next packet's length, once decrypted.
        length: Option<usize>,
    },
}

impl Lock {
    pub(super) fn clear() -> Self {
        Self {
            number: 0,
            used: 0,
            how: How::Clear,
        }
    }

    /// The lock for a direction, from its key material: `key(what, length)`, what being 0 = IV, 1 = key, 2 = MAC.
    pub(super) fn new(
        protection: Protection,
        seals: bool,
        number: u32,
        key: impl Fn(u8, usize) -> zeroize::Zeroizing<Vec<u8>>,
    ) -> Result<Self> {
        let wrong = || broken("key of the wrong length");
        let how = match protection.cipher {
            "chacha20-poly1305@openssh.com" => {
                let material = key(1, chacha::KEY_LEN);
                let material = material.as_slice().try_into().map_err(|_| wrong())?;
                if seals {
                    How::Seal(chacha::SealingKey::new(material))
                } else {
                    How::Open(chacha::OpeningKey::new(material))
                }
            }
            "aes256-gcm@openssh.com" | "aes128-gcm@openssh.com" => {
                let algorithm = if protection.cipher.starts_with("aes256") {
                    &AES_256_GCM
                } else {
                    &AES_128_GCM
                };
                let material = key(1, algorithm.key_len());
                let key_of = UnboundKey::new(algorithm, &material).map_err(|_| wrong())?;
                How::Gcm {
                    key: LessSafeKey::new(key_of),
                    iv: key(0, 12).as_slice().try_into().map_err(|_| wrong())?,
                }
            }
            cipher => {
                let length = if cipher == "aes256-ctr" { 32 } else { 16 };
                let iv = key(0, 16).as_slice().try_into().map_err(|_| wrong())?;
                let hash = if protection.mac.starts_with("hmac-sha2-512") {
                    hmac::HMAC_SHA512
                } else {
                    hmac::HMAC_SHA256
                };
                let mac_key = key(2, hash.digest_algorithm().output_len());
                How::Ctr {
                    stream: Ctr::new(&key(1, length), iv).ok_or_else(wrong)?,
                    mac: hmac::Key::new(hash, &mac_key),
                    etm: protection.mac.ends_with("-etm@openssh.com"),
                    length: None,
                }
            }
        };
        Ok(Self {
            number,
            used: 0,
            how,
        })
    }

    /// The number of the next packet, for the key after this one.
    pub(super) fn number(&self) -> u32 {
        self.number
    }

    fn step(&mut self) {
        self.number = self.number.wrapping_add(1);
        self.used += 1;
    }

    /// Appends the packet with `payload` to `out`.
    pub(super) fn seal(
        &mut self,
        payload: &[u8],
        random: &SystemRandom,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        let failed = |_| Error::new(Kind::Other, "SSH: a packet could not be sealed");
        let block = match &self.how {
            How::Clear | How::Seal(_) | How::Open(_) => 8,
            How::Gcm { .. } | How::Ctr { .. } => 16,
        };
        // Where the length is not encrypted with the rest, the rest alone fills blocks.
        let apart = match &self.how {
            How::Clear => false,
            How::Ctr { etm, .. } => *etm,
            _ => true,
        };
        let unpadded = 1 + payload.len() + if apart { 0 } else { 4 };
        let mut padding = block - unpadded % block;
        if padding < 4 {
            padding += block;
        }
        let start = out.len();
        // What moves leaves a copy behind, and this may be the password.
        out.reserve(4 + 1 + payload.len() + padding + LONGEST_TAG);
        out.extend(((1 + payload.len() + padding) as u32).to_be_bytes());
        out.push(padding as u8);
        out.extend(payload);
        let pad_at = out.len();
        out.resize(pad_at + padding, 0);
        random
            .fill(out.get_mut(pad_at..).unwrap_or_default())
            .map_err(failed)?;
        let number = self.number;
        let packet = out.get_mut(start..).unwrap_or_default();
        match &mut self.how {
            How::Clear | How::Open(_) => {}
            How::Seal(key) => {
                let mut tag = [0; TAG];
                key.seal_in_place(number, packet, &mut tag);
                out.extend(tag);
            }
            How::Gcm { key, iv } => {
                let (length, rest) = packet.split_at_mut(4);
                let nonce = Nonce::assume_unique_for_key(*iv);
                let tag = key
                    .seal_in_place_separate_tag(nonce, Aad::from(length), rest)
                    .map_err(failed)?;
                count_up(iv);
                out.extend(tag.as_ref());
            }
            How::Ctr {
                stream, mac, etm, ..
            } => {
                let tag = if *etm {
                    stream.apply(packet.get_mut(4..).unwrap_or_default());
                    authenticate(mac, number, packet)
                } else {
                    let tag = authenticate(mac, number, packet);
                    stream.apply(packet);
                    tag
                };
                out.extend(tag.as_ref());
            }
        }
        self.step();
        Ok(())
    }

    /// Takes the next packet off the beginning of `bytes`: its payload, or `None` while it is not complete.
    pub(super) fn open(&mut self, bytes: &mut Vec<u8>) -> Result<Option<Vec<u8>>> {
        let forged = |_| broken("a packet was changed on its way");
        let Some(head) = bytes.first_chunk::<4>().copied() else {
            return Ok(None);
        };
        let number = self.number;
        let clear = |head: [u8; 4]| u32::from_be_bytes(head) as usize;
        let length = match &mut self.how {
            How::Open(key) => clear(key.decrypt_packet_length(number, head)),
            How::Ctr {
                stream,
                etm: false,
                length,
                ..
            } => {
                if length.is_none() {
                    // The length is in the first block, which may be decrypted once only.
                    let Some(first) = bytes.get_mut(..BLOCK) else {
                        return Ok(None);
                    };
                    stream.apply(first);
                    *length = Some(clear(bytes.first_chunk().copied().unwrap_or_default()));
                }
                length.unwrap_or_default()
            }
            _ => clear(head),
        };
        if !(2..=LONGEST).contains(&length) {
            return Err(broken(format!("a packet of {length} bytes")));
        }
        let tag_length = match &self.how {
            How::Clear => 0,
            How::Ctr { mac, .. } => mac.algorithm().digest_algorithm().output_len(),
            _ => TAG,
        };
        let whole = 4 + length;
        if bytes.len() < whole + tag_length {
            return Ok(None);
        }
        let rest = bytes.split_off(whole + tag_length);
        let mut packet = std::mem::replace(bytes, rest);
        let tag = packet.split_off(whole);
        match &mut self.how {
            How::Clear | How::Seal(_) => {}
            How::Open(key) => {
                let tag = tag.as_slice().try_into().map_err(|_| broken("no tag"))?;
                let plain = key
                    .open_in_place(number, &mut packet, tag)
                    .map_err(forged)?;
                let plain = plain.to_vec();
                packet.truncate(4);
                packet.extend(plain);
            }
            How::Gcm { key, iv } => {
                let (length, rest) = packet.split_at_mut(4);
                let nonce = Nonce::assume_unique_for_key(*iv);
                let mut sealed = rest.to_vec();
                sealed.extend(&tag);
                let plain = key
                    .open_in_place(nonce, Aad::from(&*length), &mut sealed)
                    .map_err(forged)?;
                rest.copy_from_slice(plain);
                count_up(iv);
            }
            How::Ctr {
                stream,
                mac,
                etm,
                length,
            } => {
                let begin = if *etm { 4 } else { BLOCK };
                if *etm {
                    check(mac, number, &packet, &tag).map_err(forged)?;
                }
                stream.apply(packet.get_mut(begin..).unwrap_or_default());
                if !*etm {
                    check(mac, number, &packet, &tag).map_err(forged)?;
                }
                *length = None;
            }
        }
        self.step();
        let padding = usize::from(packet.get(4).copied().unwrap_or_default());
        let end = packet.len().checked_sub(padding).filter(|end| *end > 5);
        let end = end.ok_or_else(|| broken("a packet without content"))?;
        Ok(Some(packet.get(5..end).unwrap_or_default().to_vec()))
    }
}

fn count_up(iv: &mut [u8; 12]) {
    for byte in iv.iter_mut().skip(4).rev() {
        *byte = byte.wrapping_add(1);
        if *byte != 0 {
            break;
        }
    }
}

fn authenticate(key: &hmac::Key, number: u32, packet: &[u8]) -> hmac::Tag {
    let mut context = hmac::Context::with_key(key);
    context.update(&number.to_be_bytes());
    context.update(packet);
    context.sign()
}

fn check(
    key: &hmac::Key,
    number: u32,
    packet: &[u8],
    tag: &[u8],
) -> Result<(), ring::error::Unspecified> {
    let text = [&number.to_be_bytes(), packet].concat();
    hmac::verify(key, &text, tag)
}

const BLOCK: usize = 16;

/// For the test with the standard's own numbers.
#[cfg(test)]
pub(super) fn ctr(key: &[u8], iv: [u8; BLOCK], text: &mut [u8]) {
    if let Some(mut stream) = Ctr::new(key, iv) {
        stream.apply(text);
    }
}

/// AES in counter mode (RFC 4344 §4).
struct Ctr {
    key: Aes,
    counter: u128,
    pool: [u8; BLOCK],
    /// Bytes of the pool that are used up.
    used: usize,
}

enum Aes {
    Short(Box<Aes128>),
    Long(Box<Aes256>),
}

impl Ctr {
    fn new(key: &[u8], iv: [u8; BLOCK]) -> Option<Self> {
        let key = match key.len() {
            16 => Aes::Short(Box::new(Aes128::new_from_slice(key).ok()?)),
            _ => Aes::Long(Box::new(Aes256::new_from_slice(key).ok()?)),
        };
        Some(Self {
            key,
            counter: u128::from_be_bytes(iv),
            pool: [0; BLOCK],
            used: BLOCK,
        })
    }

    fn apply(&mut self, text: &mut [u8]) {
        for byte in text {
            if self.used == BLOCK {
                let mut block = Array::from(self.counter.to_be_bytes());
                match &self.key {
                    Aes::Short(key) => key.encrypt_block(&mut block),
                    Aes::Long(key) => key.encrypt_block(&mut block),
                }
                self.pool = block.into();
                self.counter = self.counter.wrapping_add(1);
                self.used = 0;
            }
            *byte ^= self.pool.get(self.used).copied().unwrap_or_default();
            self.used += 1;
        }
    }
}
