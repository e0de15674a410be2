//! Commands inside a session: those of the session itself, and the privilege of all others.

use super::session::Version;
use super::{Answer, Caller, Event, Io, Responder, required};
use crate::hal::ipmi::cmd::{CompletionCode, NetFn, Privilege};
use crate::hal::ipmi::codec::Reader;
use crate::hal::ipmi::wire::BMC_ADDRESS;
use crate::hal::ipmi::wire::message::LanMessage;

/// What a request led to.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// Messages to send back, as bytes.
    pub(super) replies: Vec<Vec<u8>>,
    /// Ids of sessions that it closed.
    pub(super) closes: Vec<u32>,
}

type Reply = Result<Vec<u8>, CompletionCode>;

impl Responder {
    /// Executes a request of the session at `index`.
    pub(super) fn in_session(
        &mut self,
        io: &mut Io<'_>,
        index: usize,
        request: &LanMessage,
    ) -> Outcome {
        let mut outcome = Outcome::default();
        let Some(session) = self.table.sessions.get(index) else {
            return outcome;
        };
        if request.netfn.is_response() || request.to != BMC_ADDRESS {
            return outcome;
        }
        let caller = Caller {
            user: session.user,
            session: session.handle,
            privilege: session.privilege,
            channel: self.config.channel,
        };
        io.bmc.book(Event::Command);
        let need = required(request.netfn, request.cmd, &request.data);
        let answer = if need > caller.privilege {
            Answer::code(CompletionCode::INSUFFICIENT_PRIVILEGE)
        } else {
            match self.own(io, index, request, &mut outcome) {
                Some(Ok(data)) => Answer::Reply(CompletionCode::OK, data),
                Some(Err(code)) => Answer::code(code),
                None => io.bmc.execute(io.now, &caller, request),
            }
        };
        if let Answer::Reply(code, data) = answer {
            if self.config.oddities.stale_reply {
                let stale = LanMessage {
                    seq: request.seq.wrapping_sub(1) & 0x3f,
                    cmd: 0x01,
                    netfn: NetFn::APP,
                    ..request.clone()
                };
                outcome
                    .replies
                    .push(self.bytes(&stale.response(CompletionCode::OK, &[0xee; 15])));
            }
            outcome
                .replies
                .push(self.bytes(&request.response(code, &data)));
        }
        outcome
    }

    /// A message as this BMC writes it.
    pub(super) fn bytes(&self, message: &LanMessage) -> Vec<u8> {
        let mut bytes = message.to_vec();
        if self.config.oddities.wrong_checksum
            && let Some(sum) = bytes.last_mut()
        {
            *sum ^= 0x5a;
        }
        bytes
    }

    /// Commands that are about the session itself; `None` for all others.
    fn own(
        &mut self,
        io: &mut Io<'_>,
        index: usize,
        request: &LanMessage,
        outcome: &mut Outcome,
    ) -> Option<Reply> {
        if request.netfn != NetFn::APP || request.to_lun != 0 {
            return None;
        }
        Some(match request.cmd {
            0x38 => self.authentication_capabilities(io, &request.data),
            0x39 | 0x3a => Err(CompletionCode::NOT_IN_PRESENT_STATE),
            0x3b => self.set_privilege(io, index, &request.data),
            0x3c => self.close_session(index, &request.data).map(|id| {
                outcome.closes.push(id);
                Vec::new()
            }),
            0x3d => self.session_info(index, &request.data),
            0x54 => self.cipher_suites(&request.data),
            _ => return None,
        })
    }

    /// Set Session Privilege Level (§22.18).
    fn set_privilege(&mut self, io: &Io<'_>, index: usize, data: &[u8]) -> Reply {
        let [level] = data else {
            return Err(CompletionCode::LENGTH_INVALID);
        };
        let session = self
            .table
            .sessions
            .get_mut(index)
            .ok_or(CompletionCode::UNSPECIFIED)?;
        if *level != 0 {
            let asked = Privilege::from_wire(*level)
                .filter(|p| *p >= Privilege::User)
                .ok_or(CompletionCode::INVALID_FIELD)?;
            let account = io
                .bmc
                .account(session.user)
                .map_or(Privilege::None, |a| a.limit);
            if asked > account {
                // Not available for this user.
                return Err(CompletionCode(0x80));
            }
            if asked > session.limit {
                // Exceeds the limit of channel or session.
                return Err(CompletionCode(0x81));
            }
            session.privilege = asked;
        }
        Ok(vec![session.privilege as u8])
    }

    /// Close Session (§22.19). The id of the session that ends.
    fn close_session(&self, index: usize, data: &[u8]) -> Result<u32, CompletionCode> {
        let mut r = Reader::new(data);
        let id = r
            .u32("session id")
            .map_err(|_| CompletionCode::LENGTH_INVALID)?;
        let caller = self
            .table
            .sessions
            .get(index)
            .ok_or(CompletionCode::UNSPECIFIED)?;
        let victim = if id == 0 {
            let handle = r
                .u8("session handle")
                .map_err(|_| CompletionCode::LENGTH_INVALID)?;
            self.table
                .sessions
                .iter()
                .find(|s| s.handle == handle)
                .ok_or(CompletionCode(0x88))?
        } else {
            self.table
                .sessions
                .iter()
                .find(|s| s.id == id)
                .ok_or(CompletionCode(0x87))?
        };
        if victim.id != caller.id && caller.privilege < Privilege::Administrator {
            return Err(CompletionCode::INSUFFICIENT_PRIVILEGE);
        }
        Ok(victim.id)
    }

    /// Get Session Info (§22.20).
    fn session_info(&self, index: usize, data: &[u8]) -> Reply {
        let mut r = Reader::new(data);
        let which = r
            .u8("session index")
            .map_err(|_| CompletionCode::LENGTH_INVALID)?;
        let sessions = &self.table.sessions;
        let session = match which {
            0x00 => sessions.get(index),
            0xfe => {
                let handle = r
                    .u8("session handle")
                    .map_err(|_| CompletionCode::LENGTH_INVALID)?;
                sessions.iter().find(|s| s.handle == handle)
            }
            0xff => {
                let id = r
                    .u32("session id")
                    .map_err(|_| CompletionCode::LENGTH_INVALID)?;
                sessions.iter().find(|s| s.id == id)
            }
            n => sessions.get(usize::from(n) - 1),
        };
        let count = [
            self.config.max_sessions.min(63) as u8,
            sessions.len().min(63) as u8,
        ];
        let Some(session) = session else {
            let mut out = vec![0];
            out.extend(count);
            return Ok(out);
        };
        let protocol = match session.version {
            Version::V15 { .. } => 0x00,
            Version::V20 { .. } => 0x10,
        };
        let mut out = vec![session.handle];
        out.extend(count);
        out.extend([
            session.user,
            session.privilege as u8,
            protocol | self.config.channel & 0x0f,
        ]);
        match session.peer.ip() {
            std::net::IpAddr::V4(ip) => out.extend(ip.octets()),
            std::net::IpAddr::V6(_) => out.extend([0; 4]),
        }
        out.extend([0; 6]);
        out.extend(session.peer.port().to_le_bytes());
        Ok(out)
    }
}
