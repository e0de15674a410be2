//! Commands: one struct with its reply, number, name, privilege and effect in one place.
//!
//! Framing knows nothing of them. Each command can be read and written in both directions, because the
//! simulator is the other half of the same code.

/// The request half of a [`Command`] that has no request data.
macro_rules! no_request_data {
    () => {
        fn encode(&self, _: &mut Vec<u8>) {}

        fn decode(_: &mut Reader<'_>) -> Result<Self, DecodeError> {
            Ok(Self)
        }
    };
}

/// The reply half of a [`Command`] whose reply is the completion code alone.
macro_rules! no_reply_data {
    () => {
        fn encode_reply(_: &Self::Reply, _: &mut Vec<u8>) {}

        fn decode_reply(&self, _: &mut Reader<'_>) -> Result<Self::Reply, DecodeError> {
            Ok(())
        }
    };
}

pub mod app;
pub mod catalogue;
pub mod chassis;
#[cfg(test)]
#[path = "tests/check.rs"]
mod check;
pub mod dcmi;
pub mod redfish;
pub mod sensor;
pub mod storage;
pub mod transport;

use std::fmt;

use super::codec::{DecodeError, Reader};
use crate::hal::error::{Error, Kind};

/// Network functions (§5.1). Requests are even; the response is one more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NetFn(pub u8);

impl NetFn {
    /// Chassis.
    pub const CHASSIS: NetFn = NetFn(0x00);
    /// Bridge.
    pub const BRIDGE: NetFn = NetFn(0x02);
    /// Sensor and event.
    pub const SENSOR_EVENT: NetFn = NetFn(0x04);
    /// Application.
    pub const APP: NetFn = NetFn(0x06);
    /// Firmware.
    pub const FIRMWARE: NetFn = NetFn(0x08);
    /// Storage.
    pub const STORAGE: NetFn = NetFn(0x0a);
    /// Transport.
    pub const TRANSPORT: NetFn = NetFn(0x0c);
    /// Group extension: the first data byte names the group (DCMI = 0xDC).
    pub const GROUP: NetFn = NetFn(0x2c);

    /// The network function of the response.
    #[must_use]
    pub fn response(self) -> NetFn {
        NetFn(self.0 | 1)
    }

    /// Is it a response?
    pub fn is_response(self) -> bool {
        self.0 & 1 == 1
    }
}

/// Privilege levels (§6.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Privilege {
    /// Before any session.
    None = 0,
    /// Callback.
    Callback = 1,
    /// Reads.
    User = 2,
    /// Power, boot, but no configuration.
    Operator = 3,
    /// Everything.
    Administrator = 4,
    /// OEM proprietary.
    Oem = 5,
}

impl Privilege {
    /// From the low four bits of a wire byte; `None` for reserved values.
    pub fn from_wire(byte: u8) -> Option<Self> {
        Some(match byte & 0x0f {
            0 => Self::None,
            1 => Self::Callback,
            2 => Self::User,
            3 => Self::Operator,
            4 => Self::Administrator,
            5 => Self::Oem,
            _ => return None,
        })
    }

    /// The next lower level of a session, down to USER.
    pub fn lower(self) -> Option<Self> {
        match self {
            Self::Oem => Some(Self::Administrator),
            Self::Administrator => Some(Self::Operator),
            Self::Operator => Some(Self::User),
            _ => None,
        }
    }
}

impl fmt::Display for Privilege {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::None => "NONE",
            Self::Callback => "CALLBACK",
            Self::User => "USER",
            Self::Operator => "OPERATOR",
            Self::Administrator => "ADMINISTRATOR",
            Self::Oem => "OEM",
        })
    }
}

/// What happens when a command is executed twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Nothing: it only reads.
    Read,
    /// The same as once: it sets a state.
    Idempotent,
    /// Something else than once (power cycle, add an entry): it is never sent as a new message again.
    Once,
}

/// One IPMI command.
pub trait Command: Sized + fmt::Debug {
    /// What the BMC answers on completion code 0.
    type Reply: fmt::Debug;
    /// Network function of the request.
    const NETFN: NetFn;
    /// Command number.
    const CMD: u8;
    /// The specification's name.
    const NAME: &'static str;
    /// Least privilege (specification, appendix G).
    const PRIVILEGE: Privilege;
    /// May it be executed twice?
    const EFFECT: Effect;

    /// Logical unit it is for.
    fn lun(&self) -> u8 {
        0
    }
    /// Writes the request data.
    fn encode(&self, out: &mut Vec<u8>);
    /// Reads the request data (the BMC's side).
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError>;
    /// Writes the reply after the completion code (the BMC's side).
    fn encode_reply(reply: &Self::Reply, out: &mut Vec<u8>);
    /// Reads the reply after the completion code. Excess bytes are accepted: real BMCs send them.
    fn decode_reply(&self, r: &mut Reader<'_>) -> Result<Self::Reply, DecodeError>;
}

/// Completion codes (§5.2). Command-specific codes (0x80..0xbe) are told apart by the command.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CompletionCode(pub u8);

impl CompletionCode {
    /// Done.
    pub const OK: Self = Self(0x00);
    /// Node busy.
    pub const NODE_BUSY: Self = Self(0xc0);
    /// Unknown command.
    pub const INVALID_COMMAND: Self = Self(0xc1);
    /// Command invalid for this LUN.
    pub const INVALID_FOR_LUN: Self = Self(0xc2);
    /// Timeout while processing.
    pub const TIMEOUT: Self = Self(0xc3);
    /// Out of space.
    pub const OUT_OF_SPACE: Self = Self(0xc4);
    /// Reservation cancelled or invalid.
    pub const RESERVATION: Self = Self(0xc5);
    /// Request data truncated.
    pub const TRUNCATED: Self = Self(0xc6);
    /// Request data length invalid.
    pub const LENGTH_INVALID: Self = Self(0xc7);
    /// Request data field length limit exceeded.
    pub const LENGTH_EXCEEDED: Self = Self(0xc8);
    /// Parameter out of range.
    pub const OUT_OF_RANGE: Self = Self(0xc9);
    /// Cannot return that many bytes.
    pub const CANNOT_RETURN: Self = Self(0xca);
    /// No such sensor, data or record.
    pub const NOT_PRESENT: Self = Self(0xcb);
    /// Invalid data field.
    pub const INVALID_FIELD: Self = Self(0xcc);
    /// Illegal for this sensor or record type.
    pub const ILLEGAL: Self = Self(0xcd);
    /// No response could be provided.
    pub const NO_RESPONSE: Self = Self(0xce);
    /// Cannot execute a duplicated request.
    pub const DUPLICATE: Self = Self(0xcf);
    /// SDR repository in update mode.
    pub const UPDATING: Self = Self(0xd0);
    /// Firmware in update mode.
    pub const FIRMWARE_UPDATE: Self = Self(0xd1);
    /// BMC initialisation in progress.
    pub const INITIALIZING: Self = Self(0xd2);
    /// Destination unavailable.
    pub const DESTINATION_UNAVAILABLE: Self = Self(0xd3);
    /// Insufficient privilege, or firmware firewall.
    pub const INSUFFICIENT_PRIVILEGE: Self = Self(0xd4);
    /// Not possible in the present state.
    pub const NOT_IN_PRESENT_STATE: Self = Self(0xd5);
    /// Sub-function disabled.
    pub const DISABLED: Self = Self(0xd6);
    /// Unspecified.
    pub const UNSPECIFIED: Self = Self(0xff);

    /// Is it success?
    pub fn is_ok(self) -> bool {
        self == Self::OK
    }

    /// Does the BMC say that the read was too long? Then half of it may work.
    pub fn wants_smaller_read(self) -> bool {
        matches!(self.0, 0xc7 | 0xc8 | 0xc9 | 0xca | 0xff)
    }

    /// The specification's words; command-specific and OEM codes are only named as such.
    pub fn text(self) -> &'static str {
        match self.0 {
            0x00 => "completed normally",
            0x01..=0x7e => "OEM code",
            0x80..=0xbe => "command-specific code",
            0xc0 => "node busy",
            0xc1 => "invalid command",
            0xc2 => "command invalid for given LUN",
            0xc3 => "timeout while processing command",
            0xc4 => "out of space",
            0xc5 => "reservation canceled or invalid reservation ID",
            0xc6 => "request data truncated",
            0xc7 => "request data length invalid",
            0xc8 => "request data field length limit exceeded",
            0xc9 => "parameter out of range",
            0xca => "cannot return number of requested data bytes",
            0xcb => "requested sensor, data, or record not present",
            0xcc => "invalid data field in request",
            0xcd => "command illegal for specified sensor or record type",
            0xce => "command response could not be provided",
            0xcf => "cannot execute duplicated request",
            0xd0 => "SDR repository in update mode",
            0xd1 => "device in firmware update mode",
            0xd2 => "BMC initialization in progress",
            0xd3 => "destination unavailable",
            0xd4 => "insufficient privilege level",
            0xd5 => "command not supported in present state",
            0xd6 => "command sub-function disabled",
            0xff => "unspecified error",
            _ => "reserved code",
        }
    }

    /// The kind of failure that the code means.
    pub fn kind(self) -> Kind {
        match self.0 {
            0xc1 | 0xc2 | 0xd6 => Kind::Unsupported,
            0xc0 | 0xc3 | 0xd0 | 0xd1 | 0xd2 => Kind::Busy,
            0xd4 => Kind::Privilege,
            _ => Kind::Refused,
        }
    }

    /// The failure of the command `name`.
    pub fn to_error(self, name: &'static str) -> Error {
        Error::new(self.kind(), name).with_source(CompletionError { code: self })
    }
}

impl fmt::Display for CompletionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (completion code {:#04x})", self.text(), self.0)
    }
}

impl fmt::Debug for CompletionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CompletionCode({:#04x})", self.0)
    }
}

/// A completion code as the cause of an [`Error`]; drivers find it by downcast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompletionError {
    /// The code.
    pub code: CompletionCode,
}

impl CompletionError {
    /// The completion code at the bottom of `error`, if one caused it.
    pub fn find(error: &Error) -> Option<CompletionCode> {
        let mut next = std::error::Error::source(error);
        while let Some(cause) = next {
            if let Some(found) = cause.downcast_ref::<CompletionError>() {
                return Some(found.code);
            }
            next = cause.source();
        }
        None
    }
}

impl fmt::Display for CompletionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.code, f)
    }
}

impl std::error::Error for CompletionError {}
