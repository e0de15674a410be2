//! AES-CBC-128 payloads (§13.29): 16 bytes of initialisation vector, then ciphertext of data, pad 1 2 3 … n and n.

use aes::Aes128;
use cbc::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use zeroize::Zeroizing;

const BLOCK: usize = 16;

/// Initialisation vector and ciphertext of `plain`.
pub(super) fn encrypt(key: &[u8; BLOCK], iv: [u8; BLOCK], plain: &[u8]) -> Vec<u8> {
    let pad = (BLOCK - (plain.len() + 1) % BLOCK) % BLOCK;
    let mut text = Vec::with_capacity(plain.len() + pad + 1);
    text.extend(plain);
    text.extend(1..=pad as u8);
    text.push(pad as u8);
    let (blocks, _) = aes::Block::slice_as_chunks_mut(&mut text);
    cbc::Encryptor::<Aes128>::new(key.into(), &iv.into()).encrypt_blocks(blocks);
    let mut out = Vec::with_capacity(BLOCK + text.len());
    out.extend(iv);
    out.extend(text);
    out
}

/// The data in `sealed`, or `None` if length or padding are wrong.
pub(super) fn decrypt(key: &[u8; BLOCK], sealed: &[u8]) -> Option<Vec<u8>> {
    let (iv, text) = sealed.split_first_chunk::<BLOCK>()?;
    if text.is_empty() || !text.len().is_multiple_of(BLOCK) {
        return None;
    }
    let mut text = Zeroizing::new(text.to_vec());
    let (blocks, _) = aes::Block::slice_as_chunks_mut(&mut text);
    cbc::Decryptor::<Aes128>::new(key.into(), iv.into()).decrypt_blocks(blocks);
    let (pad, rest) = text.split_last()?;
    let data = rest.len().checked_sub(usize::from(*pad))?;
    let (data, padding) = rest.split_at_checked(data)?;
    let right = usize::from(*pad) < BLOCK && padding.iter().copied().eq(1..=*pad);
    right.then(|| data.to_vec())
}
