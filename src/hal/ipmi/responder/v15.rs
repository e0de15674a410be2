//! IPMI 1.5: sessionless commands, Activate Session, and packets inside a session.

use super::handshake::{Handshake, Stage};
use super::lookup;
use super::session::{Login, Session, Version};
use super::v20::trim;
use super::window::{Verdict, Window};
use super::{Event, Io, Responder};
use crate::hal::ipmi::cmd::{CompletionCode, NetFn, Privilege};
use crate::hal::ipmi::codec::Reader;
use crate::hal::ipmi::crypto::{v15_datagram, v15_verify};
use crate::hal::ipmi::wire::ipmi_datagram;
use crate::hal::ipmi::wire::message::LanMessage;
use crate::hal::ipmi::wire::v15::{AuthType, Packet};

const ACTIVATE_SESSION: u8 = 0x3a;

impl Responder {
    pub(super) fn v15(&mut self, io: &mut Io<'_>, packet: &Packet, out: &mut Vec<Vec<u8>>) {
        if packet.session_id == 0 {
            if packet.auth_type == AuthType::None
                && self.config.sessionless_v15
                && let Some(reply) = self.sessionless(io, &packet.payload)
            {
                out.push(ipmi_datagram(|o| Packet::sessionless(reply).emit(o)));
            }
            return;
        }
        if self.table.find(packet.session_id).is_some() {
            self.v15_in_session(io, packet, out);
        } else if let Some(reply) = self
            .table
            .goodbye(packet.session_id, self.number(packet.sequence))
        {
            io.bmc.book(Event::Duplicate);
            out.extend_from_slice(reply);
        } else {
            self.activate(io, packet, out);
        }
    }

    /// A sequence number as this BMC reads it.
    fn number(&self, wire: u32) -> u32 {
        if self.config.oddities.big_endian_sequence {
            wire.swap_bytes()
        } else {
            wire
        }
    }

    /// Get Session Challenge (§22.16).
    pub(super) fn challenge(
        &mut self,
        io: &mut Io<'_>,
        data: &[u8],
    ) -> Result<Vec<u8>, CompletionCode> {
        let mut r = Reader::new(data);
        let (Ok(kind), Ok(name)) = (r.u8("auth type"), r.array::<16>("user name")) else {
            return Err(CompletionCode::LENGTH_INVALID);
        };
        let auth_type = AuthType::from_wire(kind).ok_or(CompletionCode::INVALID_FIELD)?;
        if !self.config.v15 || self.config.auth_types & auth_type.capability_bit() == 0 {
            return Err(CompletionCode::INVALID_FIELD);
        }
        let name = trim(&name);
        // 0x81 invalid user name, 0x82 null user name not enabled.
        let missing = CompletionCode(if name.is_empty() { 0x82 } else { 0x81 });
        let Some(account) = lookup::by_name(io.bmc, name).filter(|a| !a.long_password) else {
            io.bmc.book(Event::LoginFailed);
            return Err(missing);
        };
        if self.bouncer.is_locked(account.id, io.now) {
            return Err(missing);
        }
        let limit = account.limit.min(io.bmc.channel_access().limit);
        let (user, password) = (account.id, account.password.clone());
        let id = self.new_id(io);
        let challenge = io.random();
        let handshake = Handshake {
            id,
            peer: io.peer,
            begun: io.now,
            stage: Stage::Challenged {
                auth_type,
                user,
                password,
                limit,
                challenge,
            },
        };
        if self
            .table
            .add_handshake(handshake, self.config.max_handshakes)
        {
            io.bmc.book(Event::Abandoned);
        }
        let mut reply = id.to_le_bytes().to_vec();
        reply.extend(challenge);
        Ok(reply)
    }

    /// Activate Session (§22.17): the session keeps the id of the challenge.
    fn activate(&mut self, io: &mut Io<'_>, packet: &Packet, out: &mut Vec<Vec<u8>>) {
        let Some(index) =
            self.table.handshakes.iter().position(|h| {
                h.id == packet.session_id && matches!(h.stage, Stage::Challenged { .. })
            })
        else {
            return;
        };
        let Some(Stage::Challenged {
            auth_type,
            user,
            password,
            limit,
            challenge,
        }) = self.table.handshakes.get(index).map(|h| &h.stage)
        else {
            return;
        };
        let (auth_type, user, limit) = (*auth_type, *user, *limit);
        let authentic = packet.auth_type == auth_type
            && (auth_type == AuthType::None || v15_verify(packet, password));
        if !authentic {
            // §22.17.1: dropped without an answer.
            self.table.handshakes.remove(index);
            self.wrong_password(io, user);
            return;
        }
        let Ok(request) = LanMessage::parse(&packet.payload) else {
            return;
        };
        if request.netfn != NetFn::APP || request.cmd != ACTIVATE_SESSION {
            return;
        }
        let password = password.clone();
        let refuse = |code: u8| {
            let reply = request.response(CompletionCode(code), &[]).to_vec();
            v15_datagram(
                auth_type,
                &password,
                packet.session_id,
                packet.sequence,
                reply,
            )
        };
        let (asked, first) = match wanted(&request.data, auth_type, challenge, limit) {
            Ok(wanted) => wanted,
            Err(code) => {
                out.push(refuse(code));
                return;
            }
        };
        if self.table.sessions.len() >= self.config.max_sessions
            || !io.bmc.channel_access().available
        {
            // 0x81: no session slot.
            out.push(refuse(0x81));
            return;
        }
        self.table.handshakes.remove(index);
        let inbound = u32::from_le_bytes(io.random()).max(1);
        let handle = self.table.new_handle();
        let mut data = vec![auth_type.to_wire()];
        data.extend(packet.session_id.to_le_bytes());
        data.extend(inbound.to_le_bytes());
        data.push(asked as u8);
        let reply = request.response(CompletionCode::OK, &data).to_vec();
        let login = Login {
            id: packet.session_id,
            handle,
            user,
            limit: asked,
            now: io.now,
            peer: io.peer,
        };
        let mut session = Session::new(
            &login,
            Version::V15 {
                auth_type,
                password: password.clone(),
                activation: packet.payload.clone(),
            },
            Window::v15(inbound),
            first.max(1),
        );
        let number = session.next_outbound(1);
        let datagram = v15_datagram(
            auth_type,
            &password,
            packet.session_id,
            self.number(number),
            reply,
        );
        session.keep(0, std::slice::from_ref(&datagram));
        self.table.sessions.push(session);
        self.bouncer.welcome(user);
        io.bmc.book(Event::Opened);
        out.push(datagram);
    }

    fn v15_in_session(&mut self, io: &mut Io<'_>, packet: &Packet, out: &mut Vec<Vec<u8>>) {
        let Some(index) = self.table.find(packet.session_id) else {
            return;
        };
        let number = self.number(packet.sequence);
        let access = io.bmc.channel_access();
        let Some(session) = self.table.sessions.get_mut(index) else {
            return;
        };
        let Version::V15 {
            auth_type,
            password,
            activation,
        } = &session.version
        else {
            return;
        };
        let Ok(request) = LanMessage::parse(&packet.payload) else {
            return;
        };
        if *activation == packet.payload {
            // The answer to Activate Session was lost.
            if let Some(reply) = session.kept(0) {
                io.bmc.book(Event::Duplicate);
                out.extend_from_slice(reply);
            }
            return;
        }
        let bare = !access.per_message
            || (!access.user_level
                && super::required(request.netfn, request.cmd, &request.data) <= Privilege::User);
        let authentic = match packet.auth_type {
            AuthType::None => *auth_type == AuthType::None || bare,
            kind => kind == *auth_type && v15_verify(packet, password),
        };
        if !authentic {
            return;
        }
        match session.inbound.take(number) {
            Verdict::New => {}
            Verdict::Seen => {
                if let Some(reply) = session.kept(number) {
                    io.bmc.book(Event::Duplicate);
                    out.extend_from_slice(reply);
                }
                return;
            }
            Verdict::Outside => return,
        }
        session.used = io.now;
        session.peer = io.peer;
        let auth_type = packet.auth_type;
        let outcome = self.in_session(io, index, &request);
        let replies: Vec<Vec<u8>> = outcome
            .replies
            .iter()
            .filter_map(|reply| self.v15_reply(index, auth_type, &request, reply))
            .collect();
        out.extend_from_slice(&replies);
        self.finish(packet.session_id, number, false, &replies, &outcome, io);
    }

    fn v15_reply(
        &mut self,
        index: usize,
        auth_type: AuthType,
        request: &LanMessage,
        reply: &[u8],
    ) -> Option<Vec<u8>> {
        let oddities = self.config.oddities;
        let step = 1 + u32::from(oddities.skipping_sequence);
        let session = self.table.sessions.get_mut(index)?;
        let sequence = session.next_outbound(step);
        let sequence = if oddities.big_endian_sequence {
            sequence.swap_bytes()
        } else {
            sequence
        };
        let id = if oddities.zero_session_id {
            0
        } else {
            session.id
        };
        let Version::V15 { password, .. } = &session.version else {
            return None;
        };
        // 255 bytes is all that the length byte can say.
        let reply = if reply.len() > 255 {
            request
                .response(CompletionCode::CANNOT_RETURN, &[])
                .to_vec()
        } else {
            reply.to_vec()
        };
        Some(v15_datagram(auth_type, password, id, sequence, reply))
    }
}

/// Privilege and first outbound sequence number of an Activate Session request, or why it is refused.
fn wanted(
    data: &[u8],
    auth_type: AuthType,
    challenge: &[u8; 16],
    limit: Privilege,
) -> Result<(Privilege, u32), u8> {
    let mut r = Reader::new(data);
    let (Ok(kind), Ok(asked), Ok(echoed), Ok(first)) = (
        r.u8("auth type"),
        r.u8("privilege"),
        r.array::<16>("challenge"),
        r.u32("initial outbound sequence"),
    ) else {
        return Err(0xc7);
    };
    let asked = Privilege::from_wire(asked)
        .filter(|p| *p != Privilege::None)
        .ok_or(0xcc)?;
    if kind & 0x0f != auth_type.to_wire() || echoed != *challenge {
        return Err(0xcc);
    }
    if asked > limit {
        // The privilege exceeds that of user or channel.
        return Err(0x86);
    }
    Ok((asked, first))
}
