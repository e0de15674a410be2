//! What kind of BMC the responder is.

use std::time::Duration;

use crate::hal::ipmi::wire::rakp::RakpStatus;

/// An account is locked after so many wrong passwords in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lockout {
    /// Wrong passwords that are borne.
    pub attempts: u8,
    /// How long the account stays locked.
    pub duration: Duration,
}

/// Deviations from the specification, each seen on real hardware. All off by default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Oddities {
    /// Refused Open Session Requests are answered with two bytes (ipmi_sim).
    pub short_open_error: bool,
    /// Message checksums of responses are wrong (Supermicro X9SCM-iiF).
    pub wrong_checksum: bool,
    /// Session sequence numbers go up by two (ASRock MT-C224).
    pub skipping_sequence: bool,
    /// RAKP 4 has a check value although nothing was authenticated (Supermicro X8DTG).
    pub icv_without_auth: bool,
    /// A requested privilege of 0 comes back as 0 (ipmi_sim).
    pub echo_zero_privilege: bool,
    /// Name and privilege must both be those of the account (OpenBMC).
    pub exact_lookup: bool,
    /// IPMI 1.5 responses carry session id 0 (Tyan S2882).
    pub zero_session_id: bool,
    /// IPMI 1.5 sequence numbers are big-endian (Sun ILOM).
    pub big_endian_sequence: bool,
    /// The list of cipher suites never ends.
    pub endless_suites: bool,
    /// The first packet after RAKP 4 is lost (OpenBMC).
    pub deaf_after_handshake: bool,
    /// Every response comes for another request first (single reply buffer).
    pub stale_reply: bool,
}

/// What kind of BMC it is. Shared by all that are alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Number of the LAN channel.
    pub channel: u8,
    /// Speaks RMCP+.
    pub v20: bool,
    /// Speaks IPMI 1.5 sessions.
    pub v15: bool,
    /// Authentication types of IPMI 1.5, as in Get Channel Authentication Capabilities (bit 0 none, 1 MD2, 2 MD5, 4 straight).
    pub auth_types: u8,
    /// Answers presence pings.
    pub presence: bool,
    /// Answers sessionless commands in IPMI 1.5 framing.
    pub sessionless_v15: bool,
    /// Answers sessionless commands in RMCP+ framing.
    pub sessionless_v20: bool,
    /// Answers Get Device ID without a session (AMI, Supermicro).
    pub sessionless_device_id: bool,
    /// Cipher suites, in the order in which they are listed.
    pub suites: Vec<u8>,
    /// Status with which other suites are refused; the specification's is 0x11.
    pub refusal: RakpStatus,
    /// Active sessions at most.
    pub max_sessions: usize,
    /// Unfinished handshakes at most; the oldest makes room for a new one.
    pub max_handshakes: usize,
    /// A session that is not used for so long ends (§6.12.15: 60 s).
    pub idle_timeout: Duration,
    /// A handshake that is not finished by then ends.
    pub handshake_timeout: Duration,
    /// Locks accounts.
    pub lockout: Option<Lockout>,
    /// Manufacturer id in Get Channel Authentication Capabilities; 0 = no OEM authentication.
    pub oem: u32,
    /// Deviations.
    pub oddities: Oddities,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            channel: 1,
            v20: true,
            v15: true,
            auth_types: 0x17,
            presence: true,
            sessionless_v15: true,
            sessionless_v20: true,
            sessionless_device_id: false,
            suites: vec![0, 1, 2, 3, 6, 7, 8, 11, 12, 15, 16, 17],
            refusal: RakpStatus::NO_SUITE_MATCH,
            max_sessions: 15,
            max_handshakes: 8,
            idle_timeout: Duration::from_mins(1),
            handshake_timeout: Duration::from_secs(20),
            lockout: None,
            oem: 0,
            oddities: Oddities::default(),
        }
    }
}
