//! Open Session and RAKP messages 1 to 4 (§13.17 to §13.24): the payloads of the RMCP+ handshake.
//!
//! Answers with an error status may end right after the status (ipmi_sim sends 2 bytes, OpenBMC 8): then the
//! missing fields read as 0.

use std::fmt;

use crate::hal::ipmi::codec::{DecodeError, Reader};

/// Status of the handshake's answers (§13.24).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct RakpStatus(pub u8);

impl RakpStatus {
    /// No errors.
    pub const OK: Self = Self(0x00);
    /// Insufficient resources to create a session.
    pub const INSUFFICIENT_RESOURCES: Self = Self(0x01);
    /// Invalid session id.
    pub const INVALID_SESSION_ID: Self = Self(0x02);
    /// Invalid payload type.
    pub const INVALID_PAYLOAD_TYPE: Self = Self(0x03);
    /// Invalid authentication algorithm.
    pub const INVALID_AUTH: Self = Self(0x04);
    /// Invalid integrity algorithm.
    pub const INVALID_INTEGRITY: Self = Self(0x05);
    /// Inactive session id.
    pub const INACTIVE_SESSION_ID: Self = Self(0x08);
    /// Invalid role.
    pub const INVALID_ROLE: Self = Self(0x09);
    /// Unauthorised role or privilege level.
    pub const UNAUTHORIZED_ROLE: Self = Self(0x0a);
    /// Insufficient resources to create a session at the requested role.
    pub const INSUFFICIENT_RESOURCES_FOR_ROLE: Self = Self(0x0b);
    /// Invalid name length.
    pub const INVALID_NAME_LENGTH: Self = Self(0x0c);
    /// Unauthorised name.
    pub const UNAUTHORIZED_NAME: Self = Self(0x0d);
    /// Unauthorised GUID.
    pub const UNAUTHORIZED_GUID: Self = Self(0x0e);
    /// Invalid integrity check value.
    pub const INVALID_ICV: Self = Self(0x0f);
    /// Invalid confidentiality algorithm.
    pub const INVALID_CONFIDENTIALITY: Self = Self(0x10);
    /// No cipher suite match with the proposed algorithms.
    pub const NO_SUITE_MATCH: Self = Self(0x11);
    /// Illegal or unrecognised parameter.
    pub const ILLEGAL_PARAMETER: Self = Self(0x12);

    /// Is it success?
    pub fn is_ok(self) -> bool {
        self == Self::OK
    }

    /// Does it say that this cipher suite, or a part of it, is not to be had?
    pub fn refuses_suite(self) -> bool {
        matches!(self.0, 0x04..=0x07 | 0x10 | 0x11)
    }

    /// What it means, in words.
    pub fn text(self) -> &'static str {
        match self.0 {
            0x00 => "no error",
            0x01 => "insufficient resources to create a session",
            0x02 => "invalid session ID",
            0x03 => "invalid payload type",
            0x04 => "invalid authentication algorithm",
            0x05 => "invalid integrity algorithm",
            0x06 => "no matching authentication payload",
            0x07 => "no matching integrity payload",
            0x08 => "inactive session ID",
            0x09 => "invalid role",
            0x0a => "unauthorized role or privilege level requested",
            0x0b => "insufficient resources to create a session at the requested role",
            0x0c => "invalid name length",
            0x0d => "unauthorized name",
            0x0e => "unauthorized GUID",
            0x0f => "invalid integrity check value",
            0x10 => "invalid confidentiality algorithm",
            0x11 => "no cipher suite match with proposed security algorithms",
            0x12 => "illegal or unrecognized parameter",
            _ => "reserved status",
        }
    }
}

impl fmt::Display for RakpStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (RMCP+ status {:#04x})", self.text(), self.0)
    }
}

impl fmt::Debug for RakpStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RakpStatus({:#04x})", self.0)
    }
}

impl std::error::Error for RakpStatus {}

/// The three algorithm numbers of a cipher suite, as Open Session carries them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Algorithms {
    /// Authentication algorithm (§13.28), 6 bits.
    pub auth: u8,
    /// Integrity algorithm (§13.28.4), 6 bits.
    pub integrity: u8,
    /// Confidentiality algorithm (§13.28.5), 6 bits.
    pub confidentiality: u8,
}

impl Algorithms {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            auth: Self::read_one(r, 0, "authentication payload")?,
            integrity: Self::read_one(r, 1, "integrity payload")?,
            confidentiality: Self::read_one(r, 2, "confidentiality payload")?,
        })
    }

    fn read_one(r: &mut Reader<'_>, kind: u8, field: &'static str) -> Result<u8, DecodeError> {
        let [got, _, _, _length, algorithm, ..] = r.array::<8>(field)?;
        if got != kind {
            return Err(DecodeError::Invalid {
                field,
                value: got.into(),
                expected: "payloads in the order 0, 1, 2",
            });
        }
        Ok(algorithm & 0x3f)
    }

    fn emit(self, out: &mut Vec<u8>) {
        for (kind, algorithm) in [
            (0, self.auth),
            (1, self.integrity),
            (2, self.confidentiality),
        ] {
            out.extend([kind, 0, 0, 8, algorithm & 0x3f, 0, 0, 0]);
        }
    }
}

/// RMCP+ Open Session Request (§13.17): 32 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenSessionRequest {
    /// Comes back in the answer.
    pub tag: u8,
    /// Highest privilege wanted, 4 bits; 0 lets the BMC choose.
    pub max_privilege: u8,
    /// Session id that the console chose for packets to it; not 0.
    pub console_id: u32,
    /// The algorithms proposed.
    pub algorithms: Algorithms,
}

impl OpenSessionRequest {
    /// Reads the payload.
    pub fn parse(payload: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(payload);
        let tag = r.u8("message tag")?;
        let max_privilege = r.u8("maximum privilege")? & 0x0f;
        let _reserved = r.u16("reserved")?;
        let console_id = r.u32("console session id")?;
        let algorithms = Algorithms::read(&mut r)?;
        Ok(Self {
            tag,
            max_privilege,
            console_id,
            algorithms,
        })
    }

    /// Writes the 32 bytes.
    pub fn emit(&self, out: &mut Vec<u8>) {
        out.extend([self.tag, self.max_privilege & 0x0f, 0, 0]);
        out.extend(self.console_id.to_le_bytes());
        self.algorithms.emit(out);
    }
}

/// RMCP+ Open Session Response (§13.18): 36 bytes, or 2 to 8 with an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenSessionResponse {
    /// Tag of the request.
    pub tag: u8,
    /// What became of it.
    pub status: RakpStatus,
    /// Highest privilege allowed, 4 bits.
    pub max_privilege: u8,
    /// Session id of the console, as in the request.
    pub console_id: u32,
    /// Session id that the managed system chose for packets to it; not 0.
    pub managed_id: u32,
    /// The algorithms chosen.
    pub algorithms: Algorithms,
}

impl OpenSessionResponse {
    /// The answer that refuses `request`.
    pub fn refusal(request: &OpenSessionRequest, status: RakpStatus) -> Self {
        Self {
            tag: request.tag,
            status,
            max_privilege: 0,
            console_id: request.console_id,
            managed_id: 0,
            algorithms: Algorithms::default(),
        }
    }

    /// Reads the payload.
    pub fn parse(payload: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(payload);
        let tag = r.u8("message tag")?;
        let status = RakpStatus(r.u8("status")?);
        if !status.is_ok() {
            return Ok(Self {
                tag,
                status,
                max_privilege: r.u8("maximum privilege").unwrap_or(0) & 0x0f,
                console_id: {
                    let _ = r.u8("reserved");
                    r.u32("console session id").unwrap_or(0)
                },
                managed_id: 0,
                algorithms: Algorithms::default(),
            });
        }
        let max_privilege = r.u8("maximum privilege")? & 0x0f;
        let _reserved = r.u8("reserved")?;
        Ok(Self {
            tag,
            status,
            max_privilege,
            console_id: r.u32("console session id")?,
            managed_id: r.u32("managed system session id")?,
            algorithms: Algorithms::read(&mut r)?,
        })
    }

    /// Writes 36 bytes, or 8 with an error.
    pub fn emit(&self, out: &mut Vec<u8>) {
        out.extend([self.tag, self.status.0, self.max_privilege & 0x0f, 0]);
        out.extend(self.console_id.to_le_bytes());
        if self.status.is_ok() {
            out.extend(self.managed_id.to_le_bytes());
            self.algorithms.emit(out);
        }
    }
}

/// RAKP message 1 (§13.20): 28 bytes and the user name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rakp1 {
    /// Comes back in RAKP 2.
    pub tag: u8,
    /// Session id of the managed system.
    pub managed_id: u32,
    /// The console's random number.
    pub console_random: [u8; 16],
    /// Role byte as sent (and hashed): privilege in bits 3..0, bit 4 = look the user up by name only.
    pub role: u8,
    /// User name, at most 16 bytes.
    pub user: Vec<u8>,
}

impl Rakp1 {
    /// Bit of `role`: the user is looked up by name alone, not by name and privilege.
    pub const NAME_ONLY: u8 = 0x10;

    /// Reads the payload. A name longer than 16 bytes is kept: the receiver refuses it with its own status.
    pub fn parse(payload: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(payload);
        let tag = r.u8("message tag")?;
        let _reserved = r.u24("reserved")?;
        let managed_id = r.u32("managed system session id")?;
        let console_random = r.array("console random number")?;
        let role = r.u8("role")?;
        let _reserved = r.u16("reserved")?;
        let length = r.u8("user name length")?;
        Ok(Self {
            tag,
            managed_id,
            console_random,
            role,
            user: r.bytes("user name", length.into())?.to_vec(),
        })
    }

    /// Writes 28 bytes and the name (cut to 255 bytes).
    pub fn emit(&self, out: &mut Vec<u8>) {
        let user = self.user.get(..255).unwrap_or(&self.user);
        out.extend([self.tag, 0, 0, 0]);
        out.extend(self.managed_id.to_le_bytes());
        out.extend(self.console_random);
        out.extend([self.role, 0, 0, user.len() as u8]);
        out.extend(user);
    }
}

/// RAKP message 2 (§13.21): 40 bytes and the code, or 8 with an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rakp2 {
    /// Tag of RAKP 1.
    pub tag: u8,
    /// What became of it.
    pub status: RakpStatus,
    /// Session id of the console.
    pub console_id: u32,
    /// The managed system's random number.
    pub managed_random: [u8; 16],
    /// The managed system's GUID.
    pub managed_guid: [u8; 16],
    /// Key exchange authentication code: 0, 16, 20 or 32 bytes.
    pub code: Vec<u8>,
}

impl Rakp2 {
    /// The answer that refuses.
    pub fn refusal(tag: u8, console_id: u32, status: RakpStatus) -> Self {
        Self {
            tag,
            status,
            console_id,
            managed_random: [0; 16],
            managed_guid: [0; 16],
            code: Vec::new(),
        }
    }

    /// Reads the payload.
    pub fn parse(payload: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(payload);
        let (tag, status, console_id) = read_head(&mut r)?;
        if !status.is_ok() {
            return Ok(Self::refusal(tag, console_id, status));
        }
        Ok(Self {
            tag,
            status,
            console_id,
            managed_random: r.array("managed system random number")?,
            managed_guid: r.array("managed system GUID")?,
            code: r.rest().to_vec(),
        })
    }

    /// Writes 40 bytes and the code, or 8 with an error.
    pub fn emit(&self, out: &mut Vec<u8>) {
        out.extend([self.tag, self.status.0, 0, 0]);
        out.extend(self.console_id.to_le_bytes());
        if self.status.is_ok() {
            out.extend(self.managed_random);
            out.extend(self.managed_guid);
            out.extend(&self.code);
        }
    }
}

/// RAKP message 3 (§13.22): 8 bytes and the code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rakp3 {
    /// Comes back in RAKP 4.
    pub tag: u8,
    /// What the console thought of RAKP 2; an error ends the handshake.
    pub status: RakpStatus,
    /// Session id of the managed system.
    pub managed_id: u32,
    /// Key exchange authentication code: 0, 16, 20 or 32 bytes.
    pub code: Vec<u8>,
}

impl Rakp3 {
    /// Reads the payload.
    pub fn parse(payload: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(payload);
        let (tag, status, managed_id) = read_head(&mut r)?;
        Ok(Self {
            tag,
            status,
            managed_id,
            code: r.rest().to_vec(),
        })
    }

    /// Writes 8 bytes and the code.
    pub fn emit(&self, out: &mut Vec<u8>) {
        out.extend([self.tag, self.status.0, 0, 0]);
        out.extend(self.managed_id.to_le_bytes());
        out.extend(&self.code);
    }
}

/// RAKP message 4 (§13.23): 8 bytes and the integrity check value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rakp4 {
    /// Tag of RAKP 3.
    pub tag: u8,
    /// What became of it.
    pub status: RakpStatus,
    /// Session id of the console.
    pub console_id: u32,
    /// Integrity check value: 0, 12 or 16 bytes.
    pub icv: Vec<u8>,
}

impl Rakp4 {
    /// Reads the payload.
    pub fn parse(payload: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(payload);
        let (tag, status, console_id) = read_head(&mut r)?;
        Ok(Self {
            tag,
            status,
            console_id,
            icv: r.rest().to_vec(),
        })
    }

    /// Writes 8 bytes and the value.
    pub fn emit(&self, out: &mut Vec<u8>) {
        out.extend([self.tag, self.status.0, 0, 0]);
        out.extend(self.console_id.to_le_bytes());
        out.extend(&self.icv);
    }
}

/// Tag, status and session id; with an error status the id may be missing.
fn read_head(r: &mut Reader<'_>) -> Result<(u8, RakpStatus, u32), DecodeError> {
    let tag = r.u8("message tag")?;
    let status = RakpStatus(r.u8("status")?);
    let rest = r.u16("reserved").and_then(|_| r.u32("session id"));
    match rest {
        Ok(id) => Ok((tag, status, id)),
        Err(_) if !status.is_ok() => Ok((tag, status, 0)),
        Err(e) => Err(e),
    }
}
