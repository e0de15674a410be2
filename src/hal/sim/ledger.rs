//! What a simulated BMC saw: tests assert gentleness from it.

use serde::Serialize;

use crate::hal::ipmi::responder::Event;

/// Counters of one BMC since it started.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Ledger {
    /// IPMI sessions that were activated.
    pub sessions_opened: u64,
    /// Those that were ended by Close Session.
    pub sessions_closed: u64,
    /// Those that nobody closed: idle too long, or lost in a reset of the BMC.
    pub sessions_expired: u64,
    /// Those that are open now.
    pub sessions_open: u64,
    /// Handshakes that are under way now.
    pub half_open: u64,
    /// Handshakes that were begun and never finished.
    pub handshakes_abandoned: u64,
    /// Wrong passwords and unknown users.
    pub failed_logins: u64,
    /// Accounts that were locked.
    pub lockouts: u64,
    /// Commands that were executed or refused.
    pub commands: u64,
    /// Power actions that were carried out.
    pub power_actions: u64,
    /// Requests that came again.
    pub duplicates: u64,
    /// Most commands that were unanswered at one time.
    pub most_in_flight: u64,
    /// Datagrams that came.
    pub datagrams_in: u64,
    /// Datagrams that were sent.
    pub datagrams_out: u64,
    /// Datagrams that got no answer because they were malformed, not authentic or of no session.
    pub datagrams_dropped: u64,
    /// HTTP requests.
    pub http_requests: u64,
    /// HTTP connections.
    pub http_connections: u64,
    /// HTTP connections that are open now.
    pub http_connections_open: u64,
    /// Most HTTP connections that were open at one time.
    pub http_most_connections: u64,
    /// Redfish sessions that were created.
    pub redfish_sessions_opened: u64,
    /// Those that were deleted.
    pub redfish_sessions_closed: u64,
    /// Those that nobody deleted: idle too long, of a deleted account, or lost in a reset of the BMC.
    pub redfish_sessions_expired: u64,
    /// Those that are open now.
    pub redfish_sessions_open: u64,
}

impl Ledger {
    /// Books an event of the sessions.
    pub fn book(&mut self, event: Event) {
        let counter = match event {
            Event::Opened => &mut self.sessions_opened,
            Event::Closed => &mut self.sessions_closed,
            Event::Expired => &mut self.sessions_expired,
            Event::Abandoned => &mut self.handshakes_abandoned,
            Event::LoginFailed => &mut self.failed_logins,
            Event::LockedOut => &mut self.lockouts,
            Event::Command => &mut self.commands,
            Event::Duplicate => &mut self.duplicates,
            Event::Dropped => &mut self.datagrams_dropped,
        };
        *counter += 1;
    }

    /// Adds another BMC's counters; the most in flight is the higher of both.
    pub fn add(&mut self, other: &Self) {
        self.sessions_opened += other.sessions_opened;
        self.sessions_closed += other.sessions_closed;
        self.sessions_expired += other.sessions_expired;
        self.sessions_open += other.sessions_open;
        self.half_open += other.half_open;
        self.handshakes_abandoned += other.handshakes_abandoned;
        self.failed_logins += other.failed_logins;
        self.lockouts += other.lockouts;
        self.commands += other.commands;
        self.power_actions += other.power_actions;
        self.duplicates += other.duplicates;
        self.most_in_flight = self.most_in_flight.max(other.most_in_flight);
        self.datagrams_in += other.datagrams_in;
        self.datagrams_out += other.datagrams_out;
        self.datagrams_dropped += other.datagrams_dropped;
        self.http_requests += other.http_requests;
        self.http_connections += other.http_connections;
        self.http_connections_open += other.http_connections_open;
        self.http_most_connections = self.http_most_connections.max(other.http_most_connections);
        self.redfish_sessions_opened += other.redfish_sessions_opened;
        self.redfish_sessions_closed += other.redfish_sessions_closed;
        self.redfish_sessions_expired += other.redfish_sessions_expired;
        self.redfish_sessions_open += other.redfish_sessions_open;
    }
}
