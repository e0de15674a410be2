//! What the caller of a session gives and gets.

use std::fmt;
use std::time::Duration;

use super::fault::Fault;
use crate::hal::error::{Error, Kind};
use crate::hal::ipmi::cmd::Privilege;
use crate::hal::ipmi::crypto::CipherSuite;
use crate::hal::ipmi::exchange::Response;
use crate::hal::ipmi::quirks::Quirks;
use crate::hal::ipmi::wire::v15::AuthType;
use crate::hal::model::Secret;

/// Which sessions are opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Version {
    /// RMCP+.
    #[default]
    V2_0,
    /// IPMI 1.5: only for BMCs that know nothing else.
    V1_5,
}

/// When a datagram is sent again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timers {
    /// First wait while no round trip was measured.
    pub initial: Duration,
    /// Least first wait; above it four round trips are waited.
    pub min: Duration,
    /// Longest wait between two transmissions.
    pub max: Duration,
    /// Transmissions of a handshake message before the handshake starts again with new ids.
    pub handshake_tries: u8,
    /// Transmissions of a request without any answer after which the BMC has lost the session, or the fate of a
    /// request that must not run twice is unknown.
    pub tries: u8,
    /// Transmissions of Close Session.
    pub close_tries: u8,
    /// First pause after "busy"; doubled each time up to eight times this.
    pub busy_pause: Duration,
}

impl Default for Timers {
    fn default() -> Self {
        Self {
            initial: Duration::from_millis(500),
            min: Duration::from_millis(250),
            max: Duration::from_secs(4),
            handshake_tries: 4,
            tries: 6,
            close_tries: 3,
            busy_pause: Duration::from_millis(250),
        }
    }
}

/// How to log in and how to behave.
#[derive(Debug, Clone)]
pub struct Config {
    /// User name, at most 16 bytes; empty is the anonymous user.
    pub user: Vec<u8>,
    /// Password, at most 20 bytes (IPMI 1.5: 16).
    pub password: Secret,
    /// Other passwords that may be the right one (RMCP+ only). RAKP 2 tells which it is, before anything is sent that
    /// the BMC could count as a failed login.
    pub alternatives: Vec<Secret>,
    /// K_G, at most 20 bytes, if the BMC has one.
    pub kg: Option<Secret>,
    /// Which sessions are opened.
    pub version: Version,
    /// Cipher suites in the order in which they are tried. Suites 0 and 1 are used only if listed here.
    pub suites: Vec<u8>,
    /// The suite that worked before on this BMC: tried first, and a weaker one is refused. Leave it out where
    /// the operator has named a suite.
    pub pinned: Option<u8>,
    /// Authentication types of IPMI 1.5 in the order of preference. `Straight` sends the password in the clear.
    pub auth_types: Vec<AuthType>,
    /// A fixed privilege level; `None` is the lowest that the requests need.
    pub privilege: Option<Privilege>,
    /// Requests in flight at once, 1..=8. One is what every BMC bears.
    pub window: u8,
    /// Idle time after which Get Device ID keeps the session alive, at most 30 s; `None` lets it lapse.
    pub keepalive: Option<Duration>,
    /// When a datagram is sent again.
    pub timers: Timers,
    /// Oddities of this BMC that are known.
    pub quirks: Quirks,
}

impl Config {
    /// The defaults: RMCP+, suites 17 and 3, lowest privilege, one request at a time, no keep-alive.
    pub fn new(user: impl Into<Vec<u8>>, password: Secret) -> Self {
        Self {
            user: user.into(),
            password,
            alternatives: Vec::new(),
            kg: None,
            version: Version::V2_0,
            suites: vec![17, 3],
            pinned: None,
            auth_types: vec![AuthType::Md5, AuthType::Md2],
            privilege: None,
            window: 1,
            keepalive: None,
            timers: Timers::default(),
            quirks: Quirks::default(),
        }
    }

    /// Refuses what cannot be sent, instead of cutting it.
    pub(super) fn check(&self) -> Result<(), Fault> {
        let config = |what: String| Err(Fault::new(Kind::Config, what));
        if self.user.len() > 16 {
            return config(format!(
                "user name has {} bytes, IPMI allows 16",
                self.user.len()
            ));
        }
        let most = match self.version {
            Version::V2_0 => 20,
            Version::V1_5 => 16,
        };
        let longest = self.alternatives.iter().map(Secret::len).max();
        let have = self.password.len().max(longest.unwrap_or(0));
        if have > most {
            return config(match self.version {
                Version::V2_0 => format!("password has {have} bytes, IPMI 2.0 allows 20"),
                Version::V1_5 => format!("password has {have} bytes, IPMI 1.5 allows 16"),
            });
        }
        if self.kg.as_ref().is_some_and(|kg| kg.len() > 20) {
            return config("K_G has more than 20 bytes".into());
        }
        match self.version {
            Version::V2_0 => {
                for id in &self.suites {
                    if CipherSuite::by_id(*id).is_none() {
                        return config(format!("cipher suite {id} is not supported"));
                    }
                }
                if self.suites.is_empty() {
                    return config("no cipher suite is allowed".into());
                }
            }
            Version::V1_5 => {
                if self.auth_types.is_empty() || self.auth_types.contains(&AuthType::Oem) {
                    return config("no usable IPMI 1.5 authentication type is allowed".into());
                }
            }
        }
        Ok(())
    }

    /// Requests in flight, within the bounds of the specification.
    pub(super) fn window(&self) -> usize {
        usize::from(self.window.clamp(1, 8))
    }

    /// Keep-alive interval, within the 60 s after which BMCs drop a session.
    pub(super) fn keepalive(&self) -> Option<Duration> {
        let bounds = Duration::from_secs(1)..=Duration::from_secs(30);
        self.keepalive
            .map(|d| d.clamp(*bounds.start(), *bounds.end()))
    }
}

/// Where random bytes come from: session ids, random numbers, initialisation vectors, jitter.
pub trait Entropy: Send {
    /// Fills `out`. Must be unpredictable outside of tests.
    fn fill(&mut self, out: &mut [u8]);
}

/// `N` random bytes.
pub(super) fn random<const N: usize>(entropy: &mut dyn Entropy) -> [u8; N] {
    let mut out = [0; N];
    entropy.fill(&mut out);
    out
}

/// A random number that is not 0.
pub(super) fn random_id(entropy: &mut dyn Entropy) -> u32 {
    u32::from_le_bytes(random(entropy)).max(1)
}

/// Where a session stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// No session, and nothing to do. Also after everything was closed.
    Idle,
    /// Logging in.
    Opening,
    /// A session is open.
    Active,
    /// Closing what was open.
    Closing,
}

/// What is known of an open session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionInfo {
    /// Cipher suite; `None` with IPMI 1.5.
    pub suite: Option<u8>,
    /// Highest privilege that this session can have.
    pub privilege: Privilege,
    /// Session id of the managed system.
    pub managed_id: u32,
    /// GUID that the managed system sent in RAKP 2, as sent.
    pub guid: Option<[u8; 16]>,
    /// The password that was right: 0 is the first, 1 the first of [`Config::alternatives`].
    pub password: usize,
}

/// What a session wants done. Taken by `poll` until there is no more.
pub enum Output {
    /// Send this datagram to the BMC.
    Send(Vec<u8>),
    /// The request `token` was answered; the completion code may be an error.
    Reply {
        /// As given to `submit`.
        token: u64,
        /// The answer.
        response: Response,
    },
    /// The request `token` has no answer.
    Failed {
        /// As given to `submit`.
        token: u64,
        /// Why.
        error: Error,
    },
    /// A SOL payload came, authentic and once.
    Sol {
        /// Session sequence number of its datagram.
        order: u32,
        /// The payload.
        bytes: Vec<u8>,
    },
    /// A session was opened.
    Active(SessionInfo),
    /// Nothing is open any more: after `close`, or when the BMC lost an idle session.
    Closed,
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Send(bytes) => write!(f, "Send({})", crate::hal::ipmi::codec::hex(bytes)),
            Self::Reply { token, response } => write!(f, "Reply({token}, {response:?})"),
            Self::Failed { token, error } => write!(f, "Failed({token}, {error:?})"),
            // Not the bytes: a console shows passwords.
            Self::Sol { order, bytes } => write!(f, "Sol({order}, {} bytes)", bytes.len()),
            Self::Active(info) => write!(f, "Active({info:?})"),
            Self::Closed => f.write_str("Closed"),
        }
    }
}
