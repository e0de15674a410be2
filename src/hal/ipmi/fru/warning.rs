//! What was wrong with FRU data that could be read all the same.

use std::fmt;

/// One thing that was wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Warning {
    /// A format version that the specification does not know.
    Version {
        /// Where.
        area: &'static str,
        /// The byte.
        value: u8,
    },
    /// A checksum does not fit; the data was used all the same.
    Checksum {
        /// Where.
        area: &'static str,
        /// As computed.
        need: u8,
        /// As stored.
        have: u8,
    },
    /// Something reaches beyond what holds it.
    BeyondEnd {
        /// What.
        area: &'static str,
        /// Bytes that it wants.
        need: usize,
        /// Bytes that there are.
        have: usize,
    },
    /// An area says that it is 0 bytes long.
    ZeroLength {
        /// Where.
        area: &'static str,
    },
    /// An area's fields go on behind its length; the larger extent was used.
    LengthTooSmall {
        /// Where.
        area: &'static str,
        /// Bytes that its fields take.
        need: usize,
        /// Bytes as it says.
        have: usize,
    },
    /// The 0xC1 behind the last field is missing.
    NoEndMarker {
        /// Where.
        area: &'static str,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version { area, value } => {
                write!(f, "{area}: format version {value:#04x}, expected 0x01")
            }
            Self::Checksum { area, need, have } => {
                write!(f, "{area}: checksum {have:#04x}, expected {need:#04x}")
            }
            Self::BeyondEnd { area, need, have } => {
                write!(f, "{area}: needs {need} bytes, there are {have}")
            }
            Self::ZeroLength { area } => write!(f, "{area}: length 0"),
            Self::LengthTooSmall { area, need, have } => {
                write!(
                    f,
                    "{area}: its fields take {need} bytes, its length is {have}"
                )
            }
            Self::NoEndMarker { area } => {
                write!(f, "{area}: no 0xc1 behind the last field")
            }
        }
    }
}
