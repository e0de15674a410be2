//! One attempt at an RMCP+ session: Open Session, RAKP 1 to 4 (§13.15 to §13.24).
//!
//! A state is consumed by each answer and says what comes next. What does not fit the question (tag, session
//! id) changes nothing: it belongs to an earlier attempt, or to somebody else.

use super::candidates::{fitting, passwords};
use super::config::{Config, Entropy, random, random_id};
use super::fault::{Fault, HINT_PASSWORD, HINT_PRIVILEGE};
use super::link::{Channel, Link, Link20};
use super::window::Window;
use crate::hal::error::Kind;
use crate::hal::ipmi::cmd::Privilege;
use crate::hal::ipmi::crypto::{self, AuthAlgorithm, CipherSuite, Keys, Rakp, Variant};
use crate::hal::ipmi::wire;
use crate::hal::ipmi::wire::rakp::{
    OpenSessionRequest, OpenSessionResponse, Rakp1, Rakp2, Rakp3, Rakp4, RakpStatus,
};
use crate::hal::ipmi::wire::v20::{Packet, PayloadType};

/// What comes of an answer, in a handshake whose states are `S`.
#[derive(Debug)]
pub(super) enum Step<S> {
    /// Not an answer to what was asked.
    Wait(S),
    /// It looks like one, but cannot be read.
    Odd(S, String),
    /// The next message.
    Send(S, Vec<u8>),
    /// The session is open.
    Done(Box<Link>),
    /// The attempt is over; what the BMC may have opened is to be closed.
    Fail(Reason, Option<Box<Link>>),
}

impl<S> Step<S> {
    /// The same with other states.
    pub fn map<T>(self, f: impl FnOnce(S) -> T) -> Step<T> {
        match self {
            Self::Wait(state) => Step::Wait(f(state)),
            Self::Odd(state, text) => Step::Odd(f(state), text),
            Self::Send(state, datagram) => Step::Send(f(state), datagram),
            Self::Done(link) => Step::Done(link),
            Self::Fail(reason, link) => Step::Fail(reason, link),
        }
    }
}

/// What a failed attempt means for the next one.
#[derive(Debug, Clone)]
pub(super) enum Reason {
    /// This cipher suite (or authentication type) is not to be had; another may be.
    Suite(Fault),
    /// This role is not to be had; a lower one may be.
    Role(Fault),
    /// The BMC forgot the attempt: the same again, with new ids.
    Stale(Fault),
    /// No further attempt makes sense.
    Fatal(Fault),
}

/// The states of an attempt.
#[derive(Debug)]
pub(super) enum Handshake20 {
    Open(Attempt),
    Rakp2(Attempt, Box<Rakp>),
    Rakp4(Attempt, Box<Rakp>, Box<Keys>),
}

/// What stays the same through an attempt.
#[derive(Debug)]
pub(super) struct Attempt {
    suite: CipherSuite,
    role: Privilege,
    console_id: u32,
    tag: u8,
    /// Which of the passwords is right, once RAKP 2 has told.
    password: usize,
}

/// Starts an attempt: the state, and Open Session Request.
pub(super) fn begin(
    suite: CipherSuite,
    role: Privilege,
    entropy: &mut dyn Entropy,
) -> (Handshake20, Vec<u8>) {
    let [tag] = random(entropy);
    let attempt = Attempt {
        suite,
        role,
        console_id: random_id(entropy),
        tag,
        password: 0,
    };
    let request = OpenSessionRequest {
        tag,
        max_privilege: role as u8,
        console_id: attempt.console_id,
        algorithms: suite.algorithms(),
    };
    let datagram = sessionless(PayloadType::OpenSessionRequest, |out| request.emit(out));
    (Handshake20::Open(attempt), datagram)
}

impl Handshake20 {
    /// The message that is waited for, in words.
    pub fn waits_for(&self) -> &'static str {
        match self {
            Self::Open(_) => "Open Session",
            Self::Rakp2(..) => "RAKP message 1",
            Self::Rakp4(..) => "RAKP message 3",
        }
    }

    /// The session that the BMC may have opened if the attempt ends here.
    pub fn abandon(self) -> Option<Box<Link>> {
        match self {
            Self::Open(_) | Self::Rakp2(..) => None,
            Self::Rakp4(attempt, rakp, keys) => Some(attempt.link(&rakp, *keys)),
        }
    }

    /// Takes an answer.
    pub fn step(self, config: &Config, entropy: &mut dyn Entropy, packet: &Packet) -> Step<Self> {
        if packet.session_id != 0 || packet.encrypted || packet.authenticated {
            return Step::Wait(self);
        }
        match (self, packet.payload_type) {
            (Self::Open(attempt), PayloadType::OpenSessionResponse) => {
                match OpenSessionResponse::parse(&packet.payload) {
                    Ok(answer) => attempt.opened(config, entropy, &answer),
                    Err(e) => Step::Odd(Self::Open(attempt), format!("Open Session Response: {e}")),
                }
            }
            (Self::Rakp2(attempt, rakp), PayloadType::Rakp2) => {
                match Rakp2::parse(&packet.payload) {
                    Ok(answer) => attempt.rakp2(config, rakp, &answer),
                    Err(e) => Step::Odd(Self::Rakp2(attempt, rakp), format!("RAKP message 2: {e}")),
                }
            }
            (Self::Rakp4(attempt, rakp, keys), PayloadType::Rakp4) => {
                match Rakp4::parse(&packet.payload) {
                    Ok(answer) => attempt.rakp4(rakp, keys, &answer),
                    Err(e) => Step::Odd(
                        Self::Rakp4(attempt, rakp, keys),
                        format!("RAKP message 4: {e}"),
                    ),
                }
            }
            (state, _) => Step::Wait(state),
        }
    }
}

impl Attempt {
    fn opened(
        mut self,
        config: &Config,
        entropy: &mut dyn Entropy,
        answer: &OpenSessionResponse,
    ) -> Step<Handshake20> {
        if answer.tag != self.tag {
            return Step::Wait(Handshake20::Open(self));
        }
        let what = format!("Open Session with {}", self.suite);
        if !answer.status.is_ok() {
            let fault = Fault::status(open_kind(answer.status), what, answer.status);
            return Step::Fail(Reason::Suite(fault), None);
        }
        if answer.console_id != self.console_id {
            return Step::Wait(Handshake20::Open(self));
        }
        if answer.algorithms != self.suite.algorithms() {
            let fault = Fault::new(Kind::Protocol, what)
                .because(Some("the BMC answered with other algorithms".into()));
            return Step::Fail(Reason::Suite(fault), None);
        }
        if answer.managed_id == 0 {
            let fault = Fault::new(Kind::Protocol, what)
                .because(Some("the BMC answered with session id 0".into()));
            return Step::Fail(Reason::Suite(fault), None);
        }
        self.tag = self.tag.wrapping_add(1);
        let name_only = if config.quirks.name_and_privilege_lookup {
            0
        } else {
            Rakp1::NAME_ONLY
        };
        let rakp1 = Rakp1 {
            tag: self.tag,
            managed_id: answer.managed_id,
            console_random: random(entropy),
            role: self.role as u8 | name_only,
            user: config.user.clone(),
        };
        let datagram = sessionless(PayloadType::Rakp1, |out| {
            rakp1.emit(out);
            if config.quirks.fixed_rakp1 {
                out.resize(out.len() + 16usize.saturating_sub(rakp1.user.len()), 0);
            }
        });
        let rakp = Box::new(Rakp {
            suite: self.suite,
            console_id: self.console_id,
            managed_id: rakp1.managed_id,
            console_random: rakp1.console_random,
            managed_random: [0; 16],
            managed_guid: [0; 16],
            role: rakp1.role,
            user: rakp1.user,
            variant: Variant::default(),
        });
        Step::Send(Handshake20::Rakp2(self, rakp), datagram)
    }

    fn rakp2(mut self, config: &Config, mut rakp: Box<Rakp>, answer: &Rakp2) -> Step<Handshake20> {
        if answer.tag != self.tag
            || (answer.console_id != self.console_id
                && (answer.status.is_ok() || answer.console_id != 0))
        {
            return Step::Wait(Handshake20::Rakp2(self, rakp));
        }
        if !answer.status.is_ok() {
            return Step::Fail(refusal("RAKP message 1", answer.status), None);
        }
        rakp.managed_random = answer.managed_random;
        rakp.managed_guid = answer.managed_guid;
        let password = match self.verify_rakp2(config, &mut rakp, answer) {
            Ok(which) => {
                self.password = which;
                passwords(config).nth(which).unwrap_or(&config.password)
            }
            Err(reason) => return Step::Fail(reason, None),
        };
        self.tag = self.tag.wrapping_add(1);
        let rakp3 = Rakp3 {
            tag: self.tag,
            status: RakpStatus::OK,
            managed_id: rakp.managed_id,
            code: rakp.rakp3_code(password),
        };
        let keys = Box::new(
            Keys::derive(&rakp, password, config.kg.as_ref())
                .with_plain_integrity_pad(config.quirks.plain_integrity_pad),
        );
        let datagram = sessionless(PayloadType::Rakp3, |out| rakp3.emit(out));
        Step::Send(Handshake20::Rakp4(self, rakp, keys), datagram)
    }

    /// Does the BMC know the password, and which of them? The ways in which old firmware hashes are tried on the same
    /// answer: each of them proves it.
    fn verify_rakp2(
        &self,
        config: &Config,
        rakp: &mut Rakp,
        answer: &Rakp2,
    ) -> Result<usize, Reason> {
        let need = self.suite.auth.code_len();
        if need == 0 {
            return Ok(0);
        }
        let what = format!("RAKP message 2 of {}", self.suite);
        if answer.code.len() < need {
            let have = answer.code.len();
            return Err(Reason::Fatal(Fault::new(Kind::Protocol, what).because(
                Some(format!("key exchange code: need {need} bytes, have {have}")),
            )));
        }
        if answer.code.iter().all(|b| *b == 0) {
            return Err(Reason::Suite(
                Fault::new(Kind::Protocol, what)
                    .because(Some("the key exchange code is all zeroes".into())),
            ));
        }
        let code = answer.code.get(..need).unwrap_or_default();
        for variant in variants(self.suite) {
            rakp.variant = variant;
            if let Some(which) = fitting(config, rakp, code) {
                return Ok(which);
            }
        }
        Err(Reason::Fatal(
            Fault::mismatch(1 + config.alternatives.len()).hint(HINT_PASSWORD),
        ))
    }

    fn rakp4(self, mut rakp: Box<Rakp>, keys: Box<Keys>, answer: &Rakp4) -> Step<Handshake20> {
        if answer.tag != self.tag
            || (answer.console_id != self.console_id
                && (answer.status.is_ok() || answer.console_id != 0))
        {
            return Step::Wait(Handshake20::Rakp4(self, rakp, keys));
        }
        if !answer.status.is_ok() {
            // Nothing vouches for an error: the session may be open all the same.
            let mut reason = refusal("RAKP message 3", answer.status);
            if answer.status == RakpStatus::INVALID_ICV
                && self.suite.auth != AuthAlgorithm::None
                && let Reason::Fatal(fault) = reason
            {
                // RAKP 2 has shown that both know the same password. What differs is the managed system's
                // random number, of which it made a second one when RAKP 1 came twice.
                reason = Reason::Stale(fault);
            }
            let link = self.link(&rakp, *keys);
            return Step::Fail(reason, Some(link));
        }
        if !verify_rakp4(&mut rakp, &keys, &answer.icv) {
            let link = self.link(&rakp, *keys);
            return Step::Fail(Reason::Fatal(Fault::kg()), Some(link));
        }
        Step::Done(self.link(&rakp, *keys))
    }

    fn link(self, rakp: &Rakp, keys: Keys) -> Box<Link> {
        let channel = Channel::V20(Link20 {
            keys,
            password: self.password,
            console_id: self.console_id,
            managed_id: rakp.managed_id,
            guid: rakp.managed_guid,
            next_sequence: 1,
            window: Window::v20(),
        });
        Box::new(Link::new(channel, self.role))
    }
}

/// A BMC may send more than the check value (X8DTG sends one even with suite 0, where no key could check it).
fn verify_rakp4(rakp: &mut Rakp, keys: &Keys, icv: &[u8]) -> bool {
    if rakp.suite.auth == AuthAlgorithm::None {
        return true;
    }
    // Intel SE7520AF2 takes the integrity algorithm, which may be none; it is known by how it hashed RAKP 2.
    let ways: &[bool] = if rakp.variant.padded_user || rakp.variant.short_md5_password {
        &[false, true]
    } else {
        &[false]
    };
    ways.iter().any(|by_integrity| {
        rakp.variant.icv_by_integrity = *by_integrity;
        let need = rakp.rakp4_icv(keys.sik());
        icv.get(..need.len())
            .is_some_and(|have| crypto::same(&need, have))
    })
}

/// The ways of hashing RAKP 2, the specification's first.
fn variants(suite: CipherSuite) -> impl Iterator<Item = Variant> {
    let short_passwords: &[bool] = if suite.auth == AuthAlgorithm::HmacMd5 {
        &[false, true]
    } else {
        &[false]
    };
    short_passwords.iter().flat_map(|short| {
        [(false, false), (false, true), (true, false), (true, true)].map(|(padded, bare)| Variant {
            padded_user: padded,
            short_md5_password: *short,
            icv_by_integrity: false,
            role_without_name_only: bare,
        })
    })
}

/// What an Open Session error is if no other suite works.
fn open_kind(status: RakpStatus) -> Kind {
    match status {
        RakpStatus::INSUFFICIENT_RESOURCES | RakpStatus::INSUFFICIENT_RESOURCES_FOR_ROLE => {
            Kind::Busy
        }
        RakpStatus::INVALID_ROLE | RakpStatus::UNAUTHORIZED_ROLE => Kind::Privilege,
        _ => Kind::Refused,
    }
}

/// What an error status of RAKP 2 or 4 means.
fn refusal(what: &str, status: RakpStatus) -> Reason {
    match status {
        RakpStatus::INSUFFICIENT_RESOURCES | RakpStatus::INSUFFICIENT_RESOURCES_FOR_ROLE => {
            Reason::Suite(Fault::status(Kind::Busy, what, status))
        }
        RakpStatus::INVALID_ROLE | RakpStatus::UNAUTHORIZED_ROLE => {
            Reason::Role(Fault::status(Kind::Privilege, what, status).hint(HINT_PRIVILEGE))
        }
        // Some BMCs look for name and privilege together and know no such name at this privilege.
        RakpStatus::UNAUTHORIZED_NAME => {
            Reason::Role(Fault::status(Kind::Auth, what, status).hint(HINT_PASSWORD))
        }
        RakpStatus::UNAUTHORIZED_GUID
        | RakpStatus::INVALID_NAME_LENGTH
        | RakpStatus::INVALID_ICV => {
            Reason::Fatal(Fault::status(Kind::Auth, what, status).hint(HINT_PASSWORD))
        }
        RakpStatus::INVALID_SESSION_ID | RakpStatus::INACTIVE_SESSION_ID => {
            Reason::Stale(Fault::status(Kind::Protocol, what, status))
        }
        status if status.refuses_suite() => {
            Reason::Suite(Fault::status(Kind::Refused, what, status))
        }
        status => Reason::Fatal(Fault::status(Kind::Refused, what, status)),
    }
}

fn sessionless(payload_type: PayloadType, emit: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut payload = Vec::with_capacity(64);
    emit(&mut payload);
    let packet = Packet::sessionless(payload_type, payload);
    wire::ipmi_datagram(|out| packet.emit(out))
}
