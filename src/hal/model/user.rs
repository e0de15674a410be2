//! Accounts of the BMC.

use std::fmt;

use serde::Serialize;

use super::Secret;

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct User {
    /// Slot or id.
    pub id: String,
    /// Name; empty for the anonymous user.
    pub name: String,
    /// May it log in?
    pub enabled: bool,
    /// What it may do.
    pub role: Role,
    /// May it use the LAN channel?
    pub channel_access: bool,
}

/// An account to make.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// Its name.
    pub name: String,
    /// Its password.
    pub password: Secret,
    /// What it may do: administrator, operator or user.
    pub role: Role,
    /// May it use the serial console (IPMI: SOL payload)?
    pub console: bool,
}

/// What an account may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Role {
    /// Everything, users included.
    Administrator,
    /// Power and boot, but no users.
    Operator,
    /// Reading.
    User,
    /// Callback only.
    Callback,
    /// Nothing.
    None,
    /// Something that IPMI has no word for.
    Other,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Administrator => "ADMINISTRATOR",
            Self::Operator => "OPERATOR",
            Self::User => "USER",
            Self::Callback => "CALLBACK",
            Self::None => "NONE",
            Self::Other => "OTHER",
        })
    }
}
