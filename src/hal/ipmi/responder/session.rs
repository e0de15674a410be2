//! The table of sessions and handshakes, bounded in every dimension.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::handshake::Handshake;
use super::window::Window;
use crate::hal::ipmi::cmd::Privilege;
use crate::hal::ipmi::crypto::Keys;
use crate::hal::ipmi::wire::v15::AuthType;
use crate::hal::model::Secret;

/// Replies that are kept for requests that come again.
const KEPT_REPLIES: usize = 8;
/// Closed sessions whose last reply is kept: the answer to Close Session may be lost.
const KEPT_GOODBYES: usize = 2;

/// How the packets of a session are made.
#[derive(Debug)]
pub(super) enum Version {
    /// IPMI 1.5.
    V15 {
        auth_type: AuthType,
        password: Secret,
        /// Activate Session as it came, and its answer.
        activation: Vec<u8>,
    },
    /// RMCP+.
    V20 {
        console_id: u32,
        keys: Box<Keys>,
        /// RAKP 3 as it came, and RAKP 4.
        rakp3: Vec<u8>,
        rakp4: Vec<u8>,
    },
}

/// Who logged in, when, and as what.
#[derive(Debug, Clone, Copy)]
pub(super) struct Login {
    pub(super) id: u32,
    pub(super) handle: u8,
    pub(super) user: u8,
    pub(super) limit: Privilege,
    pub(super) now: Instant,
    pub(super) peer: SocketAddr,
}

/// An active session.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) id: u32,
    pub(super) handle: u8,
    pub(super) peer: SocketAddr,
    pub(super) user: u8,
    pub(super) limit: Privilege,
    pub(super) privilege: Privilege,
    pub(super) used: Instant,
    pub(super) version: Version,
    pub(super) inbound: Window,
    pub(super) outbound: u32,
    /// The first request is not heard.
    pub(super) deaf: bool,
    replies: VecDeque<(u32, Vec<Vec<u8>>)>,
}

impl Session {
    /// A session that begins at USER level, or lower if it may no more.
    pub(super) fn new(login: &Login, version: Version, inbound: Window, outbound: u32) -> Self {
        Self {
            id: login.id,
            handle: login.handle,
            peer: login.peer,
            user: login.user,
            limit: login.limit,
            privilege: login.limit.min(Privilege::User),
            used: login.now,
            version,
            inbound,
            outbound,
            deaf: false,
            replies: VecDeque::new(),
        }
    }

    /// The number for the next packet to the console; 0 is never used.
    pub(super) fn next_outbound(&mut self, step: u32) -> u32 {
        let number = self.outbound;
        self.outbound = self.outbound.wrapping_add(step).max(1);
        number
    }

    /// Remembers what was answered to the request `number`.
    pub(super) fn keep(&mut self, number: u32, reply: &[Vec<u8>]) {
        if self.replies.len() >= KEPT_REPLIES {
            self.replies.pop_front();
        }
        self.replies.push_back((number, reply.to_vec()));
    }

    /// What was answered to the request `number`.
    pub(super) fn kept(&self, number: u32) -> Option<&[Vec<u8>]> {
        self.replies
            .iter()
            .rev()
            .find(|(n, _)| *n == number)
            .map(|(_, reply)| reply.as_slice())
    }
}

/// The last words of a session that was closed.
#[derive(Debug)]
struct Goodbye {
    id: u32,
    number: u32,
    reply: Vec<Vec<u8>>,
}

/// What ended.
#[derive(Debug, Default, Clone)]
pub(super) struct Ended {
    /// Handles of the sessions.
    pub(super) sessions: Vec<u8>,
    pub(super) handshakes: usize,
}

/// All sessions and handshakes of a BMC.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) sessions: Vec<Session>,
    pub(super) handshakes: Vec<Handshake>,
    goodbyes: VecDeque<Goodbye>,
    last_handle: u8,
}

impl Table {
    /// The index of the session with this id.
    pub(super) fn find(&self, id: u32) -> Option<usize> {
        self.sessions.iter().position(|s| s.id == id)
    }

    /// Is the id taken?
    pub(super) fn knows(&self, id: u32) -> bool {
        self.find(id).is_some() || self.handshakes.iter().any(|h| h.id == id)
    }

    /// A handle that no session has.
    pub(super) fn new_handle(&mut self) -> u8 {
        for _ in 0..=u8::MAX {
            self.last_handle = self.last_handle.wrapping_add(1).max(1);
            if self.sessions.iter().all(|s| s.handle != self.last_handle) {
                break;
            }
        }
        self.last_handle
    }

    /// Adds a handshake; the oldest one goes if there are `most`. True if one had to go.
    pub(super) fn add_handshake(&mut self, handshake: Handshake, most: usize) -> bool {
        let full = self.handshakes.len() >= most.max(1);
        if full {
            self.handshakes.remove(0);
        }
        self.handshakes.push(handshake);
        full
    }

    /// Removes a session that said goodbye with request `number` and got `reply`.
    pub(super) fn close(&mut self, id: u32, number: u32, reply: Vec<Vec<u8>>) {
        self.sessions.retain(|s| s.id != id);
        if self.goodbyes.len() >= KEPT_GOODBYES {
            self.goodbyes.pop_front();
        }
        self.goodbyes.push_back(Goodbye { id, number, reply });
    }

    /// What a closed session was answered to the request `number`.
    pub(super) fn goodbye(&self, id: u32, number: u32) -> Option<&[Vec<u8>]> {
        self.goodbyes
            .iter()
            .find(|g| g.id == id && g.number == number)
            .map(|g| g.reply.as_slice())
    }

    /// Ends what is overdue.
    pub(super) fn expire(&mut self, now: Instant, idle: Duration, unfinished: Duration) -> Ended {
        let handshakes = self.handshakes.len();
        let ended = self
            .sessions
            .extract_if(.., |s| now.saturating_duration_since(s.used) >= idle);
        let sessions = ended.map(|s| s.handle).collect();
        self.handshakes
            .retain(|h| now.saturating_duration_since(h.begun) < unfinished);
        Ended {
            sessions,
            handshakes: handshakes - self.handshakes.len(),
        }
    }

    /// The next moment at which something is overdue.
    pub(super) fn next_expiry(&self, idle: Duration, unfinished: Duration) -> Option<Instant> {
        let sessions = self
            .sessions
            .iter()
            .filter_map(|s| s.used.checked_add(idle));
        let handshakes = self
            .handshakes
            .iter()
            .filter_map(|h| h.begun.checked_add(unfinished));
        sessions.chain(handshakes).min()
    }
}
