//! Commands before a session: what the BMC speaks, who it is, and the challenge of IPMI 1.5.

use super::{Answer, Caller, Event, Io, Responder};
use crate::hal::ipmi::cmd::{CompletionCode, NetFn, Privilege};
use crate::hal::ipmi::crypto::CipherSuite;
use crate::hal::ipmi::wire::BMC_ADDRESS;
use crate::hal::ipmi::wire::message::LanMessage;

/// Channel number that means "the one you hear me on".
const THIS_CHANNEL: u8 = 0x0e;
/// Bytes of a list of cipher suites in one answer.
const SUITE_CHUNK: usize = 16;

type Reply = Result<Vec<u8>, CompletionCode>;

impl Responder {
    /// Answers a message outside of any session; the response as bytes.
    pub(super) fn sessionless(&mut self, io: &mut Io<'_>, payload: &[u8]) -> Option<Vec<u8>> {
        let request = LanMessage::parse(payload).ok()?;
        if request.netfn.is_response() || request.to != BMC_ADDRESS {
            return None;
        }
        let reply = match (request.netfn, request.cmd) {
            (NetFn::APP, 0x38) => self.authentication_capabilities(io, &request.data),
            (NetFn::APP, 0x54) => self.cipher_suites(&request.data),
            (NetFn::APP, 0x39) => self.challenge(io, &request.data),
            (NetFn::APP, 0x37 | 0x01)
                if request.cmd == 0x37 || self.config.sessionless_device_id =>
            {
                let caller = Caller::anonymous(self.config.channel);
                io.bmc.book(Event::Command);
                match io.bmc.execute(io.now, &caller, &request) {
                    Answer::Reply(CompletionCode::OK, data) => Ok(data),
                    Answer::Reply(code, _) => Err(code),
                    Answer::Silence => return None,
                }
            }
            _ => Err(CompletionCode::INSUFFICIENT_PRIVILEGE),
        };
        let response = match reply {
            Ok(data) => request.response(CompletionCode::OK, &data),
            Err(code) => request.response(code, &[]),
        };
        Some(self.bytes(&response))
    }

    fn is_my_channel(&self, byte: u8) -> bool {
        let channel = byte & 0x0f;
        channel == THIS_CHANNEL || channel == self.config.channel
    }

    /// Get Channel Authentication Capabilities (§22.13).
    pub(super) fn authentication_capabilities(&self, io: &Io<'_>, data: &[u8]) -> Reply {
        let [channel, level] = data else {
            return Err(CompletionCode::LENGTH_INVALID);
        };
        if !self.is_my_channel(*channel) {
            return Err(CompletionCode::INVALID_FIELD);
        }
        Privilege::from_wire(*level).ok_or(CompletionCode::INVALID_FIELD)?;
        let extended = channel & 0x80 != 0 && self.config.v20;
        let access = io.bmc.channel_access();
        let mut types = if self.config.v15 {
            self.config.auth_types & 0x3f
        } else {
            0
        };
        if extended {
            types |= 0x80;
        }
        let mut status = 0;
        if io.bmc.kg().is_some() {
            status |= 0x20;
        }
        if !access.per_message {
            status |= 0x10;
        }
        if !access.user_level {
            status |= 0x08;
        }
        for account in (1..=io.bmc.accounts()).filter_map(|id| io.bmc.account(id)) {
            status |= match (account.name.is_empty(), account.password.expose()) {
                (false, _) => 0x04,
                (true, password) if password.iter().all(|b| *b == 0) => 0x01,
                (true, _) => 0x02,
            };
        }
        let versions = if extended {
            0x02 | u8::from(self.config.v15)
        } else {
            0
        };
        let [m0, m1, m2, _] = self.config.oem.to_le_bytes();
        Ok(vec![
            self.config.channel,
            types,
            status,
            versions,
            m0,
            m1,
            m2,
            0,
        ])
    }

    /// Get Channel Cipher Suites (§22.15).
    pub(super) fn cipher_suites(&self, data: &[u8]) -> Reply {
        let [channel, _payload, index] = data else {
            return Err(CompletionCode::LENGTH_INVALID);
        };
        if !self.is_my_channel(*channel) || !self.config.v20 {
            return Err(CompletionCode::INVALID_FIELD);
        }
        let suites = || {
            self.config
                .suites
                .iter()
                .filter_map(|id| CipherSuite::by_id(*id))
        };
        let list: Vec<u8> = if index & 0x80 == 0 {
            // The algorithms alone, each once.
            let mut list = Vec::new();
            for tagged in suites().flat_map(tags) {
                if !list.contains(&tagged) {
                    list.push(tagged);
                }
            }
            list
        } else {
            suites()
                .flat_map(|suite| [0xc0, suite.id].into_iter().chain(tags(suite)))
                .collect()
        };
        let index = usize::from(index & 0x3f);
        let start = if self.config.oddities.endless_suites {
            0
        } else {
            index * SUITE_CHUNK
        };
        let mut reply = vec![self.config.channel];
        reply.extend(list.iter().skip(start).take(SUITE_CHUNK));
        Ok(reply)
    }
}

/// The three algorithms with their tags.
fn tags(suite: CipherSuite) -> [u8; 3] {
    let algorithms = suite.algorithms();
    [
        algorithms.auth,
        0x40 | algorithms.integrity,
        0x80 | algorithms.confidentiality,
    ]
}
