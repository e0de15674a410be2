//! Randomness for sessions: a generator of its own per BMC, seeded by the kernel.

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::hal::error::{Error, Kind, Result};
use crate::hal::ipmi::session::Entropy;

/// SHA-256 in counter mode over a 256-bit seed: session ids and nonces that nobody can guess, without a
/// system call (and its failure) in the middle of a handshake.
pub(super) struct SeededEntropy {
    seed: Zeroizing<[u8; 32]>,
    counter: u64,
}

impl SeededEntropy {
    /// A generator with a fresh seed of the kernel.
    pub(super) fn from_kernel() -> Result<Self> {
        let mut seed = Zeroizing::new([0; 32]);
        getrandom::fill(seed.as_mut_slice()).map_err(|e| {
            Error::new(Kind::Other, "the kernel gives no random bytes").with_source(e)
        })?;
        Ok(Self { seed, counter: 0 })
    }
}

impl Entropy for SeededEntropy {
    fn fill(&mut self, out: &mut [u8]) {
        for chunk in out.chunks_mut(32) {
            let block = Sha256::new()
                .chain_update(self.seed.as_slice())
                .chain_update(self.counter.to_le_bytes());
            self.counter += 1;
            for (to, from) in chunk.iter_mut().zip(block.finalize()) {
                *to = from;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_the_same_bytes() {
        let mut entropy = SeededEntropy::from_kernel().unwrap();
        let (mut a, mut b) = ([0; 48], [0; 48]);
        entropy.fill(&mut a);
        entropy.fill(&mut b);
        assert_ne!(a, b);
        assert_ne!(a[..16], a[32..]);
    }
}
