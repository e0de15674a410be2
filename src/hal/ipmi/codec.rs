//! Bounded reading of wire data. Nothing in here can panic, whatever the bytes are.

use std::fmt;

use crate::hal::error::{Error, Kind};

/// Why bytes could not be decoded: which field, and what was wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DecodeError {
    /// The data ends inside `field`.
    Short {
        /// The field that was being read.
        field: &'static str,
        /// Bytes that it needs.
        need: usize,
        /// Bytes that were left.
        have: usize,
    },
    /// `field` has a value that cannot be.
    Invalid {
        /// The field.
        field: &'static str,
        /// Its value.
        value: u64,
        /// What was expected instead.
        expected: &'static str,
    },
    /// A checksum does not fit.
    Checksum {
        /// What the checksum covers.
        field: &'static str,
        /// As computed.
        need: u8,
        /// As sent.
        have: u8,
    },
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Short { field, need, have } => {
                write!(f, "{field}: need {need} bytes, have {have}")
            }
            Self::Invalid {
                field,
                value,
                expected,
            } => write!(f, "{field}: {value:#x}, expected {expected}"),
            Self::Checksum { field, need, have } => {
                write!(f, "{field}: checksum {have:#04x}, expected {need:#04x}")
            }
        }
    }
}

impl std::error::Error for DecodeError {}

impl From<DecodeError> for Error {
    fn from(e: DecodeError) -> Self {
        Error::new(Kind::Protocol, "malformed data from the BMC").with_source(e)
    }
}

/// Reads fields off the front of a byte slice. IPMI is little-endian unless said otherwise.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    data: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Starts at the first byte.
    pub fn new(data: &'a [u8]) -> Self {
        Self { data }
    }

    /// Bytes that are left.
    pub fn remaining(&self) -> usize {
        self.data.len()
    }

    /// Nothing is left.
    pub fn is_empty(&self) -> bool {
        self.data.is_empty()
    }

    /// The next `n` bytes.
    pub fn bytes(&mut self, field: &'static str, n: usize) -> Result<&'a [u8], DecodeError> {
        match self.data.split_at_checked(n) {
            Some((head, tail)) => {
                self.data = tail;
                Ok(head)
            }
            None => Err(DecodeError::Short {
                field,
                need: n,
                have: self.data.len(),
            }),
        }
    }

    /// The next `N` bytes as an array.
    pub fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], DecodeError> {
        match self.data.split_first_chunk::<N>() {
            Some((head, tail)) => {
                self.data = tail;
                Ok(*head)
            }
            None => Err(DecodeError::Short {
                field,
                need: N,
                have: self.data.len(),
            }),
        }
    }

    /// One byte.
    pub fn u8(&mut self, field: &'static str) -> Result<u8, DecodeError> {
        self.array::<1>(field).map(|[b]| b)
    }

    /// One byte if there is one: replies of older BMCs end early.
    pub fn opt_u8(&mut self) -> Option<u8> {
        self.u8("optional byte").ok()
    }

    /// 16 bits, little-endian.
    pub fn u16(&mut self, field: &'static str) -> Result<u16, DecodeError> {
        self.array(field).map(u16::from_le_bytes)
    }

    /// 24 bits, little-endian.
    pub fn u24(&mut self, field: &'static str) -> Result<u32, DecodeError> {
        self.array(field)
            .map(|[a, b, c]| u32::from_le_bytes([a, b, c, 0]))
    }

    /// 32 bits, little-endian.
    pub fn u32(&mut self, field: &'static str) -> Result<u32, DecodeError> {
        self.array(field).map(u32::from_le_bytes)
    }

    /// 16 bits, big-endian (RMCP, LAN parameters).
    pub fn u16_be(&mut self, field: &'static str) -> Result<u16, DecodeError> {
        self.array(field).map(u16::from_be_bytes)
    }

    /// 32 bits, big-endian (ASF).
    pub fn u32_be(&mut self, field: &'static str) -> Result<u32, DecodeError> {
        self.array(field).map(u32::from_be_bytes)
    }

    /// All that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.data)
    }
}

/// The two's complement checksum of IPMI (§13.8): all bytes and the checksum sum up to 0.
pub fn checksum(data: &[u8]) -> u8 {
    data.iter().fold(0u8, |sum, b| sum.wrapping_sub(*b))
}

/// Lower-case hex without separators.
pub fn hex(data: &[u8]) -> String {
    use fmt::Write as _;
    data.iter()
        .fold(String::with_capacity(data.len() * 2), |mut out, b| {
            let _ = write!(out, "{b:02x}");
            out
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_field_need_and_have() {
        let mut r = Reader::new(&[1, 2, 3]);
        assert_eq!(r.u16("first"), Ok(0x0201));
        let err = r.u32("serial").unwrap_err();
        assert_eq!(err.to_string(), "serial: need 4 bytes, have 1");
        assert_eq!(r.u8("last"), Ok(3));
        assert!(r.is_empty());
    }

    #[test]
    fn checksum_sums_to_zero() {
        let data = [0x20, 0x18];
        assert_eq!(checksum(&data), 0xc8);
    }
}
