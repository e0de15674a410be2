//! Keys and codes of IPMI sessions, for the client and for the BMC's side.
//!
//! Pure functions of their arguments: initialisation vectors and random numbers are given by the caller. Codes
//! are compared in constant time, keys are wiped when dropped.

mod aes_cbc;
mod hash;
mod keys;
mod md2;
mod rakp;
mod sealed;
mod suite;
mod v15;

pub use hash::same;
pub use keys::Keys;
pub use rakp::{Rakp, Variant};
pub use sealed::{OpenError, Plain, open, seal};
pub use suite::{AuthAlgorithm, CipherSuite, Confidentiality, Integrity};
pub use v15::{v15_code, v15_datagram, v15_verify};

#[cfg(test)]
mod tests;
