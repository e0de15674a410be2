//! Application commands (NetFn App, §20 to §28): the BMC itself, its channels, sessions, users, payloads and
//! watchdog. Only what goes over the wire: who logs in, and when, is the session's business.

mod auth;
mod channel;
mod cipher;
mod device;
mod payload;
mod session;
mod system_info;
mod user;
mod watchdog;

pub use auth::{
    AuthStatus, AuthTypes, ChannelAuthCapabilities, GetChannelAuthCapabilities, PRESENT_CHANNEL,
};
pub use channel::{
    AccessMode, ChannelAccess, ChannelInfo, ChannelSecurityKey, GetChannelAccess, GetChannelInfo,
    Medium, SetChannelAccess, SetChannelSecurityKeys, Stored,
};
pub use cipher::{
    CIPHER_SUITES, CipherSuiteChunk, CipherSuiteRecord, CipherSuiteRecords, GetChannelCipherSuites,
    MAX_CIPHER_LIST_INDEX,
};
pub use device::{
    AcpiPowerState, ColdReset, DeviceId, GetAcpiPowerState, GetDeviceGuid, GetDeviceId,
    GetSelfTestResults, GetSystemGuid, SelfTest, WarmReset,
};
pub use payload::{
    ActivatePayload, ChannelPayloadSupport, DeactivatePayload, GetChannelPayloadSupport,
    GetPayloadActivationStatus, GetPayloadInstanceInfo, GetUserPayloadAccess, PAYLOAD_SOL,
    PayloadActivated, PayloadActivationStatus, PayloadInstanceInfo, PayloadTypes,
    SetUserPayloadAccess,
};
pub use session::{
    ActivateSession, ActiveSession, CloseSession, GetSessionChallenge, GetSessionInfo, LanPeer,
    SessionChallenge, SessionEntry, SessionInfo, SessionSelector, SetSessionPrivilegeLevel,
};
pub use system_info::{
    GetBmcGlobalEnables, GetSystemInfoParameters, GlobalEnables, SystemInfoParameter,
};
pub use user::{
    GetUserAccess, GetUserName, PasswordOperation, SetUserAccess, SetUserName, SetUserPassword,
    UserAccess, UserAccessBits, UserName, UserStatus,
};
pub use watchdog::{
    GetWatchdogTimer, ResetWatchdogTimer, SetWatchdogTimer, WatchdogState, WatchdogTimer,
};

use std::fmt;

use super::Privilege;

/// A privilege level as it stands in four bits on the wire: reserved values are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct PrivilegeLevel(pub u8);

impl PrivilegeLevel {
    /// As a user's limit: no access to the channel.
    pub const NO_ACCESS: Self = Self(0x0f);

    /// The level if the specification knows it.
    pub fn known(self) -> Option<Privilege> {
        Privilege::from_wire(self.0)
    }

    /// The low four bits of a wire byte.
    fn of(byte: u8) -> Self {
        Self(byte & 0x0f)
    }
}

impl From<Privilege> for PrivilegeLevel {
    fn from(level: Privilege) -> Self {
        Self(level as u8)
    }
}

impl fmt::Display for PrivilegeLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.known(), *self) {
            (Some(level), _) => level.fmt(f),
            (None, Self::NO_ACCESS) => f.pad("NO ACCESS"),
            (None, Self(other)) => write!(f, "reserved ({other:#x})"),
        }
    }
}

#[cfg(test)]
mod tests;
