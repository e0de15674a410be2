//! Telnet, as console servers speak it (RFC 854, 855, 856, 857, 858): eight bits both ways, the other side echoes.

use super::{News, Plain, Protocol};
use crate::hal::error::Result;

const IAC: u8 = 255;
const DONT: u8 = 254;
const DO: u8 = 253;
const WONT: u8 = 252;
const WILL: u8 = 251;
const SB: u8 = 250;
const BRK: u8 = 243;
const SE: u8 = 240;

const BINARY: u8 = 0;
const ECHO: u8 = 1;
const SUPPRESS_GO_AHEAD: u8 = 3;

/// Where in a command we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Data,
    Command,
    /// Behind WILL, WONT, DO, DONT.
    Option(u8),
    Sub,
    SubCommand,
    /// Behind a carriage return: a zero belongs to it.
    Return,
}

/// One connection.
#[derive(Debug)]
pub(super) struct Telnet {
    plain: Plain,
    at: At,
    /// What we do, and what they do, by option number (we know the first few only).
    ours: u8,
    theirs: u8,
    asked_ours: u8,
    asked_theirs: u8,
    breaks: usize,
}

impl Telnet {
    /// Asks for a line without any treatment.
    pub(super) fn new() -> Self {
        let mut telnet = Self {
            plain: Plain::default(),
            at: At::Data,
            ours: 0,
            theirs: 0,
            asked_ours: 0,
            asked_theirs: 0,
            breaks: 0,
        };
        for (verb, option) in [
            (WILL, BINARY),
            (DO, BINARY),
            (WILL, SUPPRESS_GO_AHEAD),
            (DO, SUPPRESS_GO_AHEAD),
            (DO, ECHO),
        ] {
            telnet.say(verb, option);
            let asked = if verb == WILL {
                &mut telnet.asked_ours
            } else {
                &mut telnet.asked_theirs
            };
            *asked |= 1 << option;
        }
        telnet
    }

    fn say(&mut self, verb: u8, option: u8) {
        self.plain.out.extend([IAC, verb, option]);
    }

    /// Answers a request, but no answer to one of ours: that would go on for ever.
    fn negotiate(&mut self, verb: u8, option: u8) {
        let bit = 1u8.checked_shl(option.into()).unwrap_or_default();
        let (mine, theirs) = (
            bit & (1 << BINARY | 1 << SUPPRESS_GO_AHEAD),
            bit & (1 << BINARY | 1 << SUPPRESS_GO_AHEAD | 1 << ECHO),
        );
        match verb {
            DO if mine == 0 => self.say(WONT, option),
            DO => {
                if (self.ours | self.asked_ours) & bit == 0 {
                    self.say(WILL, option);
                }
                self.ours |= bit;
            }
            DONT => {
                if self.ours & bit != 0 {
                    self.say(WONT, option);
                }
                self.ours &= !bit;
                self.asked_ours &= !bit;
            }
            WILL if theirs == 0 => self.say(DONT, option),
            WILL => {
                if (self.theirs | self.asked_theirs) & bit == 0 {
                    self.say(DO, option);
                }
                self.theirs |= bit;
            }
            _ => {
                if self.theirs & bit != 0 {
                    self.say(DONT, option);
                }
                self.theirs &= !bit;
                self.asked_theirs &= !bit;
            }
        }
    }
}

impl Protocol for Telnet {
    fn receive(&mut self, bytes: &[u8]) -> Result<()> {
        let mut data = Vec::with_capacity(bytes.len());
        for &byte in bytes {
            self.at = match (self.at, byte) {
                (At::Data | At::Return, IAC) => At::Command,
                // Not in binary: a return alone is CR NUL.
                (At::Return, 0) if self.theirs & (1 << BINARY) == 0 => At::Data,
                (At::Data | At::Return, byte) => {
                    data.push(byte);
                    if byte == b'\r' { At::Return } else { At::Data }
                }
                (At::Command, IAC) => {
                    data.push(IAC);
                    At::Data
                }
                (At::Command, WILL | WONT | DO | DONT) => At::Option(byte),
                (At::Command, SB) => At::Sub,
                (At::Command, BRK) => {
                    self.breaks = self.breaks.saturating_add(1).min(16);
                    At::Data
                }
                (At::Command, _) | (At::SubCommand, SE) => At::Data,
                (At::Option(verb), option) => {
                    self.negotiate(verb, option);
                    At::Data
                }
                (At::Sub, IAC) => At::SubCommand,
                (At::Sub | At::SubCommand, _) => At::Sub,
            };
        }
        if data.is_empty() {
            Ok(())
        } else {
            self.plain.receive(&data)
        }
    }

    fn output(&self) -> &[u8] {
        self.plain.output()
    }

    fn sent(&mut self, n: usize) {
        self.plain.sent(n);
    }

    fn news(&mut self) -> Option<News> {
        self.plain.news().or_else(|| {
            self.breaks = self.breaks.checked_sub(1)?;
            Some(News::Break)
        })
    }

    fn write(&mut self, data: &[u8]) -> Result<usize> {
        let room = super::OUTPUT.saturating_sub(self.plain.out.len()) / 2;
        let taken = data.get(..room.min(data.len())).unwrap_or_default();
        for &byte in taken {
            self.plain.out.push(byte);
            if byte == IAC {
                self.plain.out.push(IAC);
            } else if byte == b'\r' && self.ours & (1 << BINARY) == 0 {
                self.plain.out.push(0);
            }
        }
        Ok(taken.len())
    }

    fn send_break(&mut self) -> Result<()> {
        self.plain.out.extend([IAC, BRK]);
        Ok(())
    }

    fn ping(&mut self) -> Result<bool> {
        Ok(false)
    }

    fn close(&mut self) -> Result<()> {
        Ok(())
    }

    fn is_encrypted(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(telnet: &mut Telnet, bytes: &[u8]) -> Vec<u8> {
        telnet.receive(bytes).unwrap();
        let mut data = Vec::new();
        while let Some(News::Data(more)) = telnet.news() {
            data.extend(more);
        }
        data
    }

    fn said(telnet: &mut Telnet) -> Vec<u8> {
        let out = telnet.output().to_vec();
        telnet.sent(out.len());
        out
    }

    #[test]
    fn every_byte_passes_both_ways() {
        let mut telnet = Telnet::new();
        said(&mut telnet);
        // Before binary is agreed on, a return is CR NUL.
        assert_eq!(telnet.write(b"a\r\xff").unwrap(), 3);
        assert_eq!(said(&mut telnet), b"a\r\0\xff\xff");
        assert_eq!(heard(&mut telnet, b"x\r\0y\xff"), b"x\ry");
        assert_eq!(heard(&mut telnet, b"\xff\r\n"), b"\xff\r\n");
        telnet
            .receive(&[IAC, DO, BINARY, IAC, WILL, BINARY])
            .unwrap();
        assert_eq!(said(&mut telnet), b"", "these answer our own requests");
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(telnet.write(&all).unwrap(), 256);
        let sent = said(&mut telnet);
        assert_eq!(sent.len(), 257, "only 255 is doubled");
        assert_eq!(heard(&mut telnet, &sent), all);
    }

    #[test]
    fn requests_are_answered_once() {
        let mut telnet = Telnet::new();
        said(&mut telnet);
        // Terminal type: we have none. Environment: they may not.
        telnet.receive(&[IAC, DO, 24, IAC, WILL, 39]).unwrap();
        assert_eq!(said(&mut telnet), [IAC, WONT, 24, IAC, DONT, 39]);
        telnet.receive(&[IAC, WILL, ECHO, IAC, WILL, ECHO]).unwrap();
        assert_eq!(said(&mut telnet), b"");
        telnet.receive(&[IAC, WONT, ECHO]).unwrap();
        assert_eq!(said(&mut telnet), [IAC, DONT, ECHO]);
        let sub = [b'a', IAC, SB, 24, 1, IAC, IAC, 7, IAC, SE, b'b'];
        assert_eq!(heard(&mut telnet, &sub), b"ab");
    }

    #[test]
    fn breaks() {
        let mut telnet = Telnet::new();
        said(&mut telnet);
        telnet.send_break().unwrap();
        assert_eq!(said(&mut telnet), [IAC, BRK]);
        telnet.receive(&[IAC, BRK]).unwrap();
        assert!(matches!(telnet.news(), Some(News::Break)));
        assert!(telnet.news().is_none());
    }
}
