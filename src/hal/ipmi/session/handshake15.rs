//! One attempt at an IPMI 1.5 session: Get Channel Authentication Capabilities, Get Session Challenge,
//! Activate Session (§13.14, §22.13 to §22.17).
//!
//! The capabilities are a hint: BMCs lie in them. Every message is authenticated, whatever they say.

use super::config::{Config, Entropy, random, random_id};
use super::fault::{Fault, HINT_PASSWORD, HINT_PRIVILEGE, HINT_SESSIONS};
use super::handshake20::{Reason, Step};
use super::link::{Channel, Link, Link15};
use crate::hal::error::Kind;
use crate::hal::ipmi::cmd::{CompletionCode, NetFn, Privilege};
use crate::hal::ipmi::codec::{DecodeError, Reader};
use crate::hal::ipmi::crypto;
use crate::hal::ipmi::wire;
use crate::hal::ipmi::wire::v15::{AuthType, Packet};
use crate::hal::ipmi::wire::{BMC_ADDRESS, LanMessage};

const GET_CHANNEL_AUTHENTICATION_CAPABILITIES: u8 = 0x38;
const GET_SESSION_CHALLENGE: u8 = 0x39;
const ACTIVATE_SESSION: u8 = 0x3a;
/// "The channel this comes by".
const THIS_CHANNEL: u8 = 0x0e;

/// The states of an attempt.
#[derive(Debug)]
pub(super) enum Handshake15 {
    Capabilities(Attempt),
    Challenge(Attempt),
    Activate(Attempt, Activate),
}

/// What stays the same through an attempt.
#[derive(Debug)]
pub(super) struct Attempt {
    auth_type: AuthType,
    role: Privilege,
    seq: u8,
    unauthenticated: bool,
}

/// What was asked of Activate Session.
#[derive(Debug)]
pub(super) struct Activate {
    temporary_id: u32,
    outbound: u32,
}

/// Starts an attempt: the state, and Get Channel Authentication Capabilities.
pub(super) fn begin(
    auth_type: AuthType,
    role: Privilege,
    entropy: &mut dyn Entropy,
) -> (Handshake15, Vec<u8>) {
    let [seq] = random(entropy);
    let attempt = Attempt {
        auth_type,
        role,
        seq: seq & 0x3f,
        unauthenticated: false,
    };
    let datagram = attempt.sessionless(
        GET_CHANNEL_AUTHENTICATION_CAPABILITIES,
        vec![THIS_CHANNEL, role as u8],
    );
    (Handshake15::Capabilities(attempt), datagram)
}

impl Handshake15 {
    /// The message that is waited for, in words.
    pub fn waits_for(&self) -> &'static str {
        match self {
            Self::Capabilities(_) => "Get Channel Authentication Capabilities",
            Self::Challenge(_) => "Get Session Challenge",
            Self::Activate(..) => "Activate Session",
        }
    }

    /// Has the password been sent? Then silence means that it was wrong, and another try would be a second one.
    pub fn proved(&self) -> bool {
        matches!(self, Self::Activate(..))
    }

    /// Takes an answer.
    pub fn step(self, config: &Config, entropy: &mut dyn Entropy, packet: &Packet) -> Step<Self> {
        let message = match LanMessage::parse(&packet.payload) {
            Ok(message) => message,
            Err(e) => {
                let text = format!("{}: {e}", self.waits_for());
                return Step::Odd(self, text);
            }
        };
        let (attempt, cmd) = match &self {
            Self::Capabilities(attempt) => (attempt, GET_CHANNEL_AUTHENTICATION_CAPABILITIES),
            Self::Challenge(attempt) => (attempt, GET_SESSION_CHALLENGE),
            Self::Activate(attempt, _) => (attempt, ACTIVATE_SESSION),
        };
        if message.seq != attempt.seq
            || message.cmd != cmd
            || message.netfn != NetFn::APP.response()
            || message.from != BMC_ADDRESS
        {
            return Step::Wait(self);
        }
        let Some((code, data)) = message.completion() else {
            let text = format!("{}: no completion code", self.waits_for());
            return Step::Odd(self, text);
        };
        let r = Reader::new(data);
        match self {
            Self::Capabilities(attempt) => attempt.capabilities(config, code, r),
            Self::Challenge(attempt) => attempt.challenge(config, entropy, code, r),
            Self::Activate(attempt, asked) => attempt.activated(config, &asked, packet, code, r),
        }
    }
}

impl Attempt {
    fn capabilities(
        mut self,
        config: &Config,
        code: CompletionCode,
        mut r: Reader<'_>,
    ) -> Step<Handshake15> {
        if code.is_ok() {
            let _channel = r.opt_u8();
            let offered = r.opt_u8().unwrap_or(0) & 0x3f;
            let status = r.opt_u8().unwrap_or(0);
            self.unauthenticated = status & 0x10 != 0;
            if offered != 0 && offered & self.auth_type.capability_bit() == 0 {
                let what = format!("IPMI 1.5 login with {:?}", self.auth_type);
                let fault = Fault::new(Kind::Refused, what).because(Some(format!(
                    "the BMC offers other authentication types (bits {offered:#04x})"
                )));
                return Step::Fail(Reason::Suite(fault), None);
            }
        }
        self.seq = (self.seq + 1) & 0x3f;
        let mut data = vec![self.auth_type.to_wire()];
        data.extend(&config.user);
        data.resize(17, 0);
        let datagram = self.sessionless(GET_SESSION_CHALLENGE, data);
        Step::Send(Handshake15::Challenge(self), datagram)
    }

    fn challenge(
        mut self,
        config: &Config,
        entropy: &mut dyn Entropy,
        code: CompletionCode,
        mut r: Reader<'_>,
    ) -> Step<Handshake15> {
        let what = "Get Session Challenge";
        match code.0 {
            0 => {}
            0x81 | 0x82 => {
                let fault = Fault::code(Kind::Auth, what, code).hint(HINT_PASSWORD);
                return Step::Fail(Reason::Fatal(fault), None);
            }
            _ => {
                return Step::Fail(Reason::Suite(Fault::code(code.kind(), what, code)), None);
            }
        }
        let parsed = r
            .u32("temporary session id")
            .and_then(|id| Ok((id, r.array::<16>("challenge")?)));
        let (temporary_id, challenge) = match parsed {
            Ok(parsed) => parsed,
            Err(e) => return Step::Odd(Handshake15::Challenge(self), format!("{what}: {e}")),
        };
        self.seq = (self.seq + 1) & 0x3f;
        let outbound = random_id(entropy);
        let mut data = vec![self.auth_type.to_wire(), self.role as u8];
        data.extend(challenge);
        data.extend(outbound.to_le_bytes());
        let message = Link::message(self.seq, NetFn::APP, 0, ACTIVATE_SESSION, data);
        let datagram = crypto::v15_datagram(
            self.auth_type,
            &config.password,
            temporary_id,
            0,
            message.to_vec(),
        );
        let asked = Activate {
            temporary_id,
            outbound,
        };
        Step::Send(Handshake15::Activate(self, asked), datagram)
    }

    fn activated(
        self,
        config: &Config,
        asked: &Activate,
        packet: &Packet,
        code: CompletionCode,
        mut r: Reader<'_>,
    ) -> Step<Handshake15> {
        let trusted = match packet.auth_type {
            AuthType::None => {
                self.auth_type == AuthType::None || self.unauthenticated || !code.is_ok()
            }
            kind => {
                kind == self.auth_type
                    && (config.quirks.no_auth_code_check
                        || crypto::v15_verify(packet, &config.password))
            }
        };
        if !trusted || (packet.session_id != asked.temporary_id && packet.session_id != 0) {
            let text = "Activate Session: the answer is not authenticated".into();
            return Step::Odd(self.activate_again(asked), text);
        }
        let what = "Activate Session";
        if !code.is_ok() {
            let reason = match code.0 {
                0x81..=0x83 => {
                    Reason::Fatal(Fault::code(Kind::Busy, what, code).hint(HINT_SESSIONS))
                }
                0x86 => Reason::Role(Fault::code(Kind::Privilege, what, code).hint(HINT_PRIVILEGE)),
                0x85 => Reason::Stale(Fault::code(Kind::Protocol, what, code)),
                0xc0 | 0xc3 | 0xd2 => Reason::Fatal(Fault::code(Kind::Busy, what, code)),
                _ => Reason::Fatal(Fault::code(Kind::Auth, what, code).hint(HINT_PASSWORD)),
            };
            return Step::Fail(reason, None);
        }
        match active(&mut r) {
            Ok((auth_type, session_id, inbound)) => {
                // A BMC may go on without authentication; every message is authenticated all the same.
                let unauthenticated = self.unauthenticated || auth_type == Some(AuthType::None);
                let mut link =
                    Link15::new(config, self.auth_type, session_id, inbound, asked.outbound);
                link.unauthenticated = unauthenticated;
                link.swapped = packet.sequence != asked.outbound
                    && packet.sequence == asked.outbound.swap_bytes();
                Step::Done(Box::new(Link::new(Channel::V15(link), self.role)))
            }
            Err(e) => Step::Odd(self.activate_again(asked), format!("{what}: {e}")),
        }
    }

    fn activate_again(self, asked: &Activate) -> Handshake15 {
        Handshake15::Activate(
            self,
            Activate {
                temporary_id: asked.temporary_id,
                outbound: asked.outbound,
            },
        )
    }

    fn sessionless(&self, cmd: u8, data: Vec<u8>) -> Vec<u8> {
        let message = Link::message(self.seq, NetFn::APP, 0, cmd, data);
        let packet = Packet::sessionless(message.to_vec());
        wire::ipmi_datagram(|out| packet.emit(out))
    }
}

/// Authentication type for the rest of the session, session id, first number of our messages.
fn active(r: &mut Reader<'_>) -> Result<(Option<AuthType>, u32, u32), DecodeError> {
    let auth_type = AuthType::from_wire(r.u8("authentication type")?);
    let session_id = r.u32("session id")?;
    let inbound = r.u32("initial inbound sequence")?;
    Ok((auth_type, session_id, inbound))
}
