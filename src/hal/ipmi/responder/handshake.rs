//! A login that is on its way.

use std::net::SocketAddr;
use std::time::Instant;

use crate::hal::ipmi::cmd::Privilege;
use crate::hal::ipmi::crypto::{CipherSuite, Keys, Rakp};
use crate::hal::ipmi::wire::v15::AuthType;
use crate::hal::model::Secret;

/// How far a login is.
#[derive(Debug)]
pub(super) enum Stage {
    /// Open Session was answered.
    Opened {
        console_id: u32,
        suite: CipherSuite,
        limit: Privilege,
        /// The request as it came, and its answer.
        request: Vec<u8>,
        reply: Vec<u8>,
    },
    /// RAKP 1 was answered.
    Rakp2 {
        console_id: u32,
        suite: CipherSuite,
        /// What Open Session allowed.
        opened: Privilege,
        user: u8,
        limit: Privilege,
        expected: Box<Expected>,
        request: Vec<u8>,
        reply: Vec<u8>,
    },
    /// Get Session Challenge (IPMI 1.5) was answered.
    Challenged {
        auth_type: AuthType,
        user: u8,
        password: Secret,
        limit: Privilege,
        challenge: [u8; 16],
    },
}

/// What RAKP 3 must bring, and what follows from it.
#[derive(Debug)]
pub(super) struct Expected {
    /// Code of RAKP 3.
    pub(super) code: Vec<u8>,
    /// Check value of RAKP 4.
    pub(super) icv: Vec<u8>,
    /// Keys of the session.
    pub(super) keys: Keys,
}

impl Expected {
    /// All that follows once both random numbers are known.
    pub(super) fn of(rakp: &Rakp, password: &Secret, kg: Option<&Secret>) -> Self {
        let keys = Keys::derive(rakp, password, kg);
        Self {
            code: rakp.rakp3_code(password),
            icv: rakp.rakp4_icv(keys.sik()),
            keys,
        }
    }
}

/// A login that is on its way.
#[derive(Debug)]
pub(super) struct Handshake {
    /// Session id that the BMC gave.
    pub(super) id: u32,
    /// Who began it.
    pub(super) peer: SocketAddr,
    /// When it began.
    pub(super) begun: Instant,
    /// How far it is.
    pub(super) stage: Stage,
}
