//! Data types of SSH (RFC 4251 §5), and numbers of messages.

use crate::hal::error::{Error, Kind, Result};

/// Numbers of messages (RFC 4250 §4.1.2).
pub(super) mod msg {
    pub(in super::super) const DISCONNECT: u8 = 1;
    pub(in super::super) const IGNORE: u8 = 2;
    pub(in super::super) const UNIMPLEMENTED: u8 = 3;
    pub(in super::super) const DEBUG: u8 = 4;
    pub(in super::super) const SERVICE_REQUEST: u8 = 5;
    pub(in super::super) const SERVICE_ACCEPT: u8 = 6;
    pub(in super::super) const EXT_INFO: u8 = 7;
    pub(in super::super) const KEXINIT: u8 = 20;
    pub(in super::super) const NEWKEYS: u8 = 21;
    pub(in super::super) const KEX_ECDH_INIT: u8 = 30;
    pub(in super::super) const KEX_ECDH_REPLY: u8 = 31;
    pub(in super::super) const USERAUTH_REQUEST: u8 = 50;
    pub(in super::super) const USERAUTH_FAILURE: u8 = 51;
    pub(in super::super) const USERAUTH_SUCCESS: u8 = 52;
    pub(in super::super) const USERAUTH_BANNER: u8 = 53;
    /// `PASSWD_CHANGEREQ` of the method password.
    pub(in super::super) const USERAUTH_INFO_REQUEST: u8 = 60;
    pub(in super::super) const USERAUTH_INFO_RESPONSE: u8 = 61;
    pub(in super::super) const GLOBAL_REQUEST: u8 = 80;
    pub(in super::super) const REQUEST_SUCCESS: u8 = 81;
    pub(in super::super) const REQUEST_FAILURE: u8 = 82;
    pub(in super::super) const CHANNEL_OPEN: u8 = 90;
    pub(in super::super) const CHANNEL_OPEN_CONFIRMATION: u8 = 91;
    pub(in super::super) const CHANNEL_OPEN_FAILURE: u8 = 92;
    pub(in super::super) const CHANNEL_WINDOW_ADJUST: u8 = 93;
    pub(in super::super) const CHANNEL_DATA: u8 = 94;
    pub(in super::super) const CHANNEL_EXTENDED_DATA: u8 = 95;
    pub(in super::super) const CHANNEL_EOF: u8 = 96;
    pub(in super::super) const CHANNEL_CLOSE: u8 = 97;
    pub(in super::super) const CHANNEL_REQUEST: u8 = 98;
    pub(in super::super) const CHANNEL_SUCCESS: u8 = 99;
    pub(in super::super) const CHANNEL_FAILURE: u8 = 100;
}

/// A message that does not keep to the protocol.
pub(super) fn broken(what: impl Into<String>) -> Error {
    Error::new(Kind::Protocol, "SSH").with_source(what.into())
}

/// Reads a message from its beginning; no read goes beyond its end.
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn take(&mut self, n: usize, field: &str) -> Result<&'a [u8]> {
        let have = self.0.len();
        let (head, tail) = self
            .0
            .split_at_checked(n)
            .ok_or_else(|| broken(format!("{field} needs {n} bytes and has {have}")))?;
        self.0 = tail;
        Ok(head)
    }

    pub(super) fn byte(&mut self, field: &str) -> Result<u8> {
        Ok(self.take(1, field)?.first().copied().unwrap_or_default())
    }

    pub(super) fn bool(&mut self, field: &str) -> Result<bool> {
        Ok(self.byte(field)? != 0)
    }

    pub(super) fn u32(&mut self, field: &str) -> Result<u32> {
        let bytes = self.take(4, field)?;
        Ok(bytes.iter().fold(0, |n, b| n << 8 | u32::from(*b)))
    }

    pub(super) fn string(&mut self, field: &str) -> Result<&'a [u8]> {
        let n = self.u32(field)? as usize;
        self.take(n, field)
    }

    pub(super) fn text(&mut self, field: &str) -> Result<String> {
        Ok(printable(self.string(field)?))
    }

    /// The names of a name-list.
    pub(super) fn names(&mut self, field: &str) -> Result<Vec<&'a str>> {
        let list = std::str::from_utf8(self.string(field)?)
            .map_err(|_| broken(format!("{field} is no list of names")))?;
        Ok(list.split(',').filter(|name| !name.is_empty()).collect())
    }

    /// The bytes of a positive number, without zeroes before it.
    pub(super) fn mpint(&mut self, field: &str) -> Result<&'a [u8]> {
        let bytes = self.string(field)?;
        let zeroes = bytes.iter().take_while(|b| **b == 0).count();
        Ok(bytes.get(zeroes..).unwrap_or_default())
    }
}

/// What a server says, fit for one line at a terminal.
pub(super) fn printable(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let words: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(200)
        .collect();
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

pub(super) fn put_u32(out: &mut Vec<u8>, n: u32) {
    out.extend(n.to_be_bytes());
}

pub(super) fn put_string(out: &mut Vec<u8>, bytes: &[u8]) {
    put_u32(out, bytes.len() as u32);
    out.extend(bytes);
}

/// A positive number from its big-endian bytes.
pub(super) fn put_mpint(out: &mut Vec<u8>, bytes: &[u8]) {
    let zeroes = bytes.iter().take_while(|b| **b == 0).count();
    let bytes = bytes.get(zeroes..).unwrap_or_default();
    let sign = bytes.first().is_some_and(|b| *b >= 0x80);
    put_u32(out, bytes.len() as u32 + u32::from(sign));
    if sign {
        out.push(0);
    }
    out.extend(bytes);
}
