//! RMCP+: Open Session, RAKP 1 to 4, and packets inside a session.

use super::handshake::{Expected, Handshake, Stage};
use super::lookup;
use super::message::Outcome;
use super::session::{Login, Session, Version};
use super::window::{Verdict, Window};
use super::{Caller, Event, Io, Responder};
use crate::hal::ipmi::cmd::Privilege;
use crate::hal::ipmi::crypto::{
    AuthAlgorithm, CipherSuite, Plain, Rakp, Variant, open, same, seal,
};
use crate::hal::ipmi::wire::ipmi_datagram;
use crate::hal::ipmi::wire::message::LanMessage;
use crate::hal::ipmi::wire::rakp::{
    Algorithms, OpenSessionRequest, OpenSessionResponse, Rakp1, Rakp2, Rakp3, Rakp4, RakpStatus,
};
use crate::hal::ipmi::wire::v20::{Packet, PayloadType};

/// A datagram outside of any session.
fn sessionless(kind: PayloadType, emit: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut payload = Vec::new();
    emit(&mut payload);
    ipmi_datagram(|out| Packet::sessionless(kind, payload).emit(out))
}

impl Responder {
    pub(super) fn v20(
        &mut self,
        io: &mut Io<'_>,
        packet: Packet,
        bytes: &[u8],
        out: &mut Vec<Vec<u8>>,
    ) {
        match packet.payload_type {
            PayloadType::OpenSessionRequest if packet.session_id == 0 => {
                self.open_session(io, packet.payload, out);
            }
            PayloadType::Rakp1 if packet.session_id == 0 => self.rakp1(io, packet.payload, out),
            PayloadType::Rakp3 if packet.session_id == 0 => self.rakp3(io, packet.payload, out),
            PayloadType::Ipmi if packet.session_id == 0 => {
                if packet.encrypted || packet.authenticated || !self.config.sessionless_v20 {
                    return;
                }
                if let Some(reply) = self.sessionless(io, &packet.payload) {
                    out.push(sessionless(PayloadType::Ipmi, |o| o.extend(reply)));
                }
            }
            _ if packet.session_id != 0 => self.v20_in_session(io, &packet, bytes, out),
            _ => {}
        }
    }

    fn open_session(&mut self, io: &mut Io<'_>, payload: Vec<u8>, out: &mut Vec<Vec<u8>>) {
        let Ok(request) = OpenSessionRequest::parse(&payload) else {
            return;
        };
        // The same request again: the answer was lost.
        for handshake in &self.table.handshakes {
            if let Stage::Opened { request, reply, .. } = &handshake.stage
                && same_but_tag(request, &payload)
                && handshake.peer == io.peer
            {
                io.bmc.book(Event::Duplicate);
                out.push(retagged(reply, &payload));
                return;
            }
        }
        let response = match self.choose(io, &request) {
            Ok((suite, limit)) => {
                let id = self.new_id(io);
                let asked = Privilege::from_wire(request.max_privilege);
                let told =
                    if self.config.oddities.echo_zero_privilege && asked == Some(Privilege::None) {
                        Privilege::None
                    } else {
                        limit
                    };
                let response = OpenSessionResponse {
                    tag: request.tag,
                    status: RakpStatus::OK,
                    max_privilege: told as u8,
                    console_id: request.console_id,
                    managed_id: id,
                    algorithms: suite.algorithms(),
                };
                let reply = sessionless(PayloadType::OpenSessionResponse, |o| response.emit(o));
                let handshake = Handshake {
                    id,
                    peer: io.peer,
                    begun: io.now,
                    stage: Stage::Opened {
                        console_id: request.console_id,
                        suite,
                        limit,
                        request: payload,
                        reply: reply.clone(),
                    },
                };
                if self
                    .table
                    .add_handshake(handshake, self.config.max_handshakes)
                {
                    io.bmc.book(Event::Abandoned);
                }
                out.push(reply);
                return;
            }
            Err(status) => OpenSessionResponse::refusal(&request, status),
        };
        out.push(sessionless(PayloadType::OpenSessionResponse, |o| {
            if self.config.oddities.short_open_error {
                o.extend([response.tag, response.status.0]);
            } else {
                response.emit(o);
            }
        }));
    }

    /// The suite of an Open Session Request and the highest privilege that it may have.
    fn choose(
        &self,
        io: &Io<'_>,
        request: &OpenSessionRequest,
    ) -> Result<(CipherSuite, Privilege), RakpStatus> {
        let asked = Privilege::from_wire(request.max_privilege).ok_or(RakpStatus::INVALID_ROLE)?;
        if request.console_id == 0 {
            return Err(RakpStatus::INVALID_SESSION_ID);
        }
        let suite = CipherSuite::by_algorithms(request.algorithms)
            .ok_or_else(|| unknown(request.algorithms))?;
        let limit = io
            .bmc
            .suite_limit(suite.id)
            .min(io.bmc.channel_access().limit);
        if !self.config.suites.contains(&suite.id) || limit == Privilege::None {
            return Err(self.config.refusal);
        }
        if !io.bmc.channel_access().available
            || self.table.sessions.len() >= self.config.max_sessions
        {
            return Err(RakpStatus::INSUFFICIENT_RESOURCES);
        }
        if asked == Privilege::None {
            return Ok((suite, limit));
        }
        if asked > limit {
            return Err(RakpStatus::UNAUTHORIZED_ROLE);
        }
        Ok((suite, asked))
    }

    /// A session id that nobody has.
    pub(super) fn new_id(&self, io: &mut Io<'_>) -> u32 {
        // A bound instead of "until": the random source of a test may repeat itself.
        for _ in 0..64 {
            let id = u32::from_le_bytes(io.random());
            if id != 0 && !self.table.knows(id) {
                return id;
            }
        }
        (1..=u32::MAX)
            .find(|id| !self.table.knows(*id))
            .unwrap_or(1)
    }

    fn rakp1(&mut self, io: &mut Io<'_>, payload: Vec<u8>, out: &mut Vec<Vec<u8>>) {
        let Ok(rakp1) = Rakp1::parse(&payload) else {
            return;
        };
        let found = self
            .table
            .handshakes
            .iter()
            .position(|h| h.id == rakp1.managed_id);
        let Some(handshake) = found.and_then(|i| self.table.handshakes.get(i)) else {
            out.push(refusal(rakp1.tag, 0, RakpStatus::INVALID_SESSION_ID));
            return;
        };
        let (console_id, suite, most) = match &handshake.stage {
            Stage::Opened {
                console_id,
                suite,
                limit,
                ..
            } => (*console_id, *suite, *limit),
            Stage::Rakp2 { request, reply, .. } if *request == payload => {
                io.bmc.book(Event::Duplicate);
                out.push(reply.clone());
                return;
            }
            Stage::Rakp2 {
                console_id,
                suite,
                opened,
                ..
            } => (*console_id, *suite, *opened),
            Stage::Challenged { .. } => return,
        };
        if rakp1.user.len() > 16 {
            out.push(refusal(
                rakp1.tag,
                console_id,
                RakpStatus::INVALID_NAME_LENGTH,
            ));
            return;
        }
        let managed_random = io.random();
        let managed_guid = io.bmc.guid();
        let rakp = Rakp {
            suite,
            console_id,
            managed_id: rakp1.managed_id,
            console_random: rakp1.console_random,
            managed_random,
            managed_guid,
            role: rakp1.role,
            user: rakp1.user,
            variant: Variant::default(),
        };
        let (user, limit, code, expected) = match self.identify(io, &rakp, most) {
            Ok(challenge) => challenge,
            Err(status) => {
                self.table.handshakes.retain(|h| h.id != rakp1.managed_id);
                out.push(refusal(rakp1.tag, console_id, status));
                return;
            }
        };
        let rakp2 = Rakp2 {
            tag: rakp1.tag,
            status: RakpStatus::OK,
            console_id,
            managed_random,
            managed_guid,
            code,
        };
        let reply = sessionless(PayloadType::Rakp2, |o| rakp2.emit(o));
        out.push(reply.clone());
        if let Some(handshake) = found.and_then(|i| self.table.handshakes.get_mut(i)) {
            handshake.stage = Stage::Rakp2 {
                console_id,
                suite,
                opened: most,
                user,
                limit,
                expected: Box::new(expected),
                request: payload,
                reply,
            };
        }
    }

    /// The account that is meant, what it may do, the code of RAKP 2, and what RAKP 3 must bring.
    fn identify(
        &mut self,
        io: &mut Io<'_>,
        rakp: &Rakp,
        most: Privilege,
    ) -> Result<(u8, Privilege, Vec<u8>, Expected), RakpStatus> {
        let kg = io.bmc.kg();
        let exact = self.config.oddities.exact_lookup;
        // Names may come padded with zeroes; they are hashed as sent.
        let found = lookup::by_role(io.bmc, rakp.role, trim(&rakp.user), most, exact);
        match found {
            // Said as if there were no such account, but not booked again: the lock is what it is about.
            Ok((account, _)) if self.bouncer.is_locked(account.id, io.now) => {
                Err(RakpStatus::UNAUTHORIZED_NAME)
            }
            Ok((account, limit)) => {
                let code = rakp.rakp2_code(account.password);
                let expected = Expected::of(rakp, account.password, kg.as_ref());
                Ok((account.id, limit, code, expected))
            }
            Err(status) => {
                if status == RakpStatus::UNAUTHORIZED_NAME {
                    io.bmc.book(Event::LoginFailed);
                }
                Err(status)
            }
        }
    }

    fn rakp3(&mut self, io: &mut Io<'_>, payload: Vec<u8>, out: &mut Vec<Vec<u8>>) {
        let Ok(rakp3) = Rakp3::parse(&payload) else {
            return;
        };
        if let Some(session) = self
            .table
            .find(rakp3.managed_id)
            .and_then(|i| self.table.sessions.get(i))
        {
            // RAKP 4 was lost.
            if let Version::V20 { rakp3, rakp4, .. } = &session.version
                && same_but_tag(rakp3, &payload)
            {
                io.bmc.book(Event::Duplicate);
                out.push(retagged(rakp4, &payload));
            }
            return;
        }
        let refuse = |out: &mut Vec<Vec<u8>>, console_id, status| {
            let refusal = Rakp4 {
                tag: rakp3.tag,
                status,
                console_id,
                icv: Vec::new(),
            };
            out.push(sessionless(PayloadType::Rakp4, |o| refusal.emit(o)));
        };
        let Some(index) = self
            .table
            .handshakes
            .iter()
            .position(|h| h.id == rakp3.managed_id && matches!(h.stage, Stage::Rakp2 { .. }))
        else {
            refuse(out, 0, RakpStatus::INACTIVE_SESSION_ID);
            return;
        };
        let handshake = self.table.handshakes.remove(index);
        let Stage::Rakp2 {
            console_id,
            suite,
            user,
            limit,
            expected,
            ..
        } = handshake.stage
        else {
            return;
        };
        if !rakp3.status.is_ok() {
            // The console did not believe RAKP 2: as a rule it has the wrong password. No answer (§13.22).
            if rakp3.status == RakpStatus::INVALID_ICV {
                self.wrong_password(io, user);
            }
            io.bmc.book(Event::Abandoned);
            return;
        }
        if !same(&expected.code, &rakp3.code) {
            self.wrong_password(io, user);
            refuse(out, console_id, RakpStatus::INVALID_ICV);
            return;
        }
        if self.table.sessions.len() >= self.config.max_sessions {
            refuse(out, console_id, RakpStatus::INSUFFICIENT_RESOURCES);
            return;
        }
        let mut icv = expected.icv;
        if suite.auth == AuthAlgorithm::None && self.config.oddities.icv_without_auth {
            icv = vec![0x5a; 12];
        }
        let rakp4 = Rakp4 {
            tag: rakp3.tag,
            status: RakpStatus::OK,
            console_id,
            icv,
        };
        let reply = sessionless(PayloadType::Rakp4, |o| rakp4.emit(o));
        let handle = self.table.new_handle();
        let login = Login {
            id: handshake.id,
            handle,
            user,
            limit,
            now: io.now,
            peer: io.peer,
        };
        let mut session = Session::new(
            &login,
            Version::V20 {
                console_id,
                keys: Box::new(expected.keys),
                rakp3: payload,
                rakp4: reply.clone(),
            },
            Window::v20(),
            1,
        );
        session.deaf = self.config.oddities.deaf_after_handshake;
        self.table.sessions.push(session);
        self.bouncer.welcome(user);
        io.bmc.book(Event::Opened);
        out.push(reply);
    }

    /// Books a wrong password of `user`.
    pub(super) fn wrong_password(&mut self, io: &mut Io<'_>, user: u8) {
        io.bmc.book(Event::LoginFailed);
        if self.bouncer.failed(user, io.now, self.config.lockout) {
            io.bmc.book(Event::LockedOut);
        }
    }

    fn v20_in_session(
        &mut self,
        io: &mut Io<'_>,
        packet: &Packet,
        bytes: &[u8],
        out: &mut Vec<Vec<u8>>,
    ) {
        let id = packet.session_id;
        let Some(index) = self.table.find(id) else {
            if let Some(reply) = self.table.goodbye(id, packet.sequence) {
                io.bmc.book(Event::Duplicate);
                out.extend_from_slice(reply);
            }
            return;
        };
        let Some(session) = self.table.sessions.get_mut(index) else {
            return;
        };
        let Version::V20 { keys, .. } = &session.version else {
            return;
        };
        let Ok(opened) = open(keys, bytes) else {
            return;
        };
        if opened.payload_type == PayloadType::Sol {
            let fresh = session.inbound.take(opened.sequence) == Verdict::New;
            if fresh {
                session.used = io.now;
                session.peer = io.peer;
                let caller = Caller {
                    user: session.user,
                    session: session.handle,
                    privilege: session.privilege,
                    channel: self.config.channel,
                };
                self.taken = true;
                let (order, payload) = (opened.sequence, &opened.payload);
                io.bmc.sol(io.now, &caller, order, payload);
            }
            return;
        }
        if opened.payload_type != PayloadType::Ipmi {
            return;
        }
        let Ok(request) = LanMessage::parse(&opened.payload) else {
            return;
        };
        if session.deaf {
            session.deaf = false;
            return;
        }
        let unnumbered = opened.sequence == 0 && !opened.authenticated;
        match session.inbound.take(opened.sequence) {
            Verdict::New => {}
            // Some consoles leave the number of unauthenticated packets at 0.
            _ if unnumbered => {}
            Verdict::Seen => {
                if let Some(reply) = session.kept(opened.sequence) {
                    io.bmc.book(Event::Duplicate);
                    out.extend_from_slice(reply);
                }
                return;
            }
            Verdict::Outside => return,
        }
        session.used = io.now;
        session.peer = io.peer;
        let outcome = self.in_session(io, index, &request);
        let replies: Vec<Vec<u8>> = outcome
            .replies
            .iter()
            .filter_map(|reply| self.v20_reply(io, index, reply))
            .collect();
        out.extend_from_slice(&replies);
        self.finish(id, opened.sequence, unnumbered, &replies, &outcome, io);
    }

    fn v20_reply(&mut self, io: &mut Io<'_>, index: usize, reply: &[u8]) -> Option<Vec<u8>> {
        self.v20_seal(io, index, PayloadType::Ipmi, reply)
    }

    pub(super) fn v20_seal(
        &mut self,
        io: &mut Io<'_>,
        index: usize,
        payload_type: PayloadType,
        payload: &[u8],
    ) -> Option<Vec<u8>> {
        let iv = io.random();
        let step = 1 + u32::from(self.config.oddities.skipping_sequence);
        let session = self.table.sessions.get_mut(index)?;
        let sequence = session.next_outbound(step);
        let Version::V20 {
            console_id, keys, ..
        } = &session.version
        else {
            return None;
        };
        let plain = Plain {
            payload_type,
            session_id: *console_id,
            sequence,
            payload,
        };
        Some(seal(keys, &plain, iv))
    }

    /// Keeps the replies for a repetition, and ends the sessions that the request closed.
    pub(super) fn finish(
        &mut self,
        id: u32,
        number: u32,
        unnumbered: bool,
        replies: &[Vec<u8>],
        outcome: &Outcome,
        io: &mut Io<'_>,
    ) {
        for closed in &outcome.closes {
            if let Some(session) = self.table.sessions.iter().find(|s| s.id == *closed) {
                io.bmc.session_ended(session.handle);
            }
            if *closed == id {
                self.table.close(id, number, replies.to_vec());
            } else {
                self.table.sessions.retain(|s| s.id != *closed);
            }
            io.bmc.book(Event::Closed);
        }
        if !unnumbered
            && let Some(session) = self
                .table
                .find(id)
                .and_then(|i| self.table.sessions.get_mut(i))
        {
            session.keep(number, replies);
        }
    }
}

/// Is it the same message? FreeIPMI gives each repetition a new tag, which is the first byte.
fn same_but_tag(before: &[u8], now: &[u8]) -> bool {
    before.get(1..) == now.get(1..)
}

/// The datagram `reply` with the tag of `payload`.
fn retagged(reply: &[u8], payload: &[u8]) -> Vec<u8> {
    // RMCP header, session header.
    const TAG: usize = 16;
    let mut out = reply.to_vec();
    if let (Some(to), Some(tag)) = (out.get_mut(TAG), payload.first()) {
        *to = *tag;
    }
    out
}

/// The RAKP 2 that refuses.
fn refusal(tag: u8, console_id: u32, status: RakpStatus) -> Vec<u8> {
    sessionless(PayloadType::Rakp2, |out| {
        Rakp2::refusal(tag, console_id, status).emit(out);
    })
}

/// Which of three algorithms without a suite is to blame.
fn unknown(algorithms: Algorithms) -> RakpStatus {
    if algorithms.auth > 3 {
        RakpStatus::INVALID_AUTH
    } else if algorithms.integrity > 4 {
        RakpStatus::INVALID_INTEGRITY
    } else if algorithms.confidentiality > 1 {
        RakpStatus::INVALID_CONFIDENTIALITY
    } else {
        RakpStatus::NO_SUITE_MATCH
    }
}

/// A name without the zeroes that fill it up.
pub(super) fn trim(name: &[u8]) -> &[u8] {
    let end = name.iter().position(|b| *b == 0).unwrap_or(name.len());
    name.get(..end).unwrap_or(name)
}
