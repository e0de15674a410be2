//! Who asks: Basic or a session's token, roles and what they may do.

use std::time::Instant;

use base64::Engine as _;

use super::http::{Ask, Refusal};
use super::messages::Message;
use crate::hal::ipmi::responder::Event;
use crate::hal::sim::bmc::Bmc;
use crate::hal::sim::state::Server;
use crate::hal::sim::state::users::{NO_ACCESS, User};

/// The roles of the specification (DSP0266), as privilege limits of the same accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// No access.
    None,
    /// Reads.
    ReadOnly,
    /// Reads, power and boot.
    Operator,
    /// Everything.
    Administrator,
}

impl Role {
    /// Those that accounts can have.
    pub const ALL: [Self; 3] = [Self::Administrator, Self::Operator, Self::ReadOnly];

    /// RoleId.
    pub fn id(self) -> &'static str {
        match self {
            Self::Administrator => "Administrator",
            Self::Operator => "Operator",
            Self::ReadOnly => "ReadOnly",
            Self::None => "None",
        }
    }

    /// By its RoleId.
    pub fn named(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.id() == id)
    }

    /// Of a privilege limit.
    pub fn of(limit: u8) -> Self {
        match limit {
            4 | 5 => Self::Administrator,
            3 => Self::Operator,
            1 | 2 => Self::ReadOnly,
            _ => Self::None,
        }
    }

    /// The privilege limit.
    pub fn limit(self) -> u8 {
        match self {
            Self::Administrator => 4,
            Self::Operator => 3,
            Self::ReadOnly => 2,
            Self::None => NO_ACCESS,
        }
    }

    /// AssignedPrivileges.
    pub fn privileges(self) -> &'static [&'static str] {
        match self {
            Self::Administrator => &[
                "Login",
                "ConfigureManager",
                "ConfigureUsers",
                "ConfigureComponents",
                "ConfigureSelf",
            ],
            Self::Operator => &["Login", "ConfigureComponents", "ConfigureSelf"],
            Self::ReadOnly => &["Login", "ConfigureSelf"],
            Self::None => &[],
        }
    }
}

/// Who is logged in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Who {
    /// Slot of the account.
    pub user: u8,
    /// Its role.
    pub role: Role,
    /// Session, if it came with a token.
    pub session: Option<u32>,
}

/// Slot of the host's own account, which is in no table.
const HOST: u8 = 0;

/// The role of the account in slot `id`.
pub fn role_of(server: &Server, id: u8, user: &User) -> Role {
    if server.web.no_role.contains(&id) {
        Role::None
    } else {
        Role::of(user.limit)
    }
}

/// The account of that name, if it may log in.
fn find<'a>(server: &'a Server, name: &str) -> Option<(u8, &'a User)> {
    server.users.iter().find(|(id, user)| {
        user.enabled
            && !name.is_empty()
            && user.trimmed() == name.as_bytes()
            && role_of(server, *id, user) > Role::None
    })
}

/// Checks a name and a password. Wrong ones are booked and count for the lock, as over IPMI.
pub fn login(bmc: &mut Bmc, now: Instant, name: &str, password: &[u8]) -> Option<Who> {
    if let Some((host, secret)) = &bmc.side.server.web.host
        && host == name
        && secret.expose() == password
    {
        return Some(Who {
            user: HOST,
            role: Role::Administrator,
            session: None,
        });
    }
    let found = find(&bmc.side.server, name).map(|(id, user)| {
        let role = Role::of(user.limit);
        (id, role, user.password.expose() == password)
    });
    match found {
        Some((id, _, _)) if bmc.is_locked(id, now) => {
            bmc.side.ledger.book(Event::LoginFailed);
            None
        }
        Some((user, role, true)) => {
            bmc.login_succeeded(user);
            Some(Who {
                user,
                role,
                session: None,
            })
        }
        Some((id, _, false)) => {
            bmc.login_failed(id, now);
            None
        }
        None => {
            bmc.side.ledger.book(Event::LoginFailed);
            None
        }
    }
}

/// Who sends the request; `None`: without credentials.
pub fn who(bmc: &mut Bmc, now: Instant, ask: &Ask) -> Result<Option<Who>, Refusal> {
    let refused = |bmc: &Bmc| {
        let refusal = Refusal::new(401, Message::base("NoValidSession", &[]));
        Err(challenged(bmc, refusal))
    };
    if let Some(token) = &ask.token {
        let session = bmc.side.server.web.sessions.touch(token, now);
        let Some((id, user)) = session else {
            return refused(bmc);
        };
        let account = bmc.side.server.users.get(user);
        let role = account.filter(|a| a.enabled).map(|a| Role::of(a.limit));
        return match role {
            Some(role) if role > Role::None => Ok(Some(Who {
                user,
                role,
                session: Some(id),
            })),
            _ => refused(bmc),
        };
    }
    let Some(authorization) = &ask.authorization else {
        return Ok(None);
    };
    let (scheme, value) = authorization.split_once(' ').unwrap_or((authorization, ""));
    if !scheme.eq_ignore_ascii_case("basic") {
        return refused(bmc);
    }
    let decoded = base64::engine::general_purpose::STANDARD
        .decode(value.trim())
        .unwrap_or_default();
    let colon = decoded.iter().position(|byte| *byte == b':');
    let Some((name, password)) = colon.map(|at| decoded.split_at(at)) else {
        return refused(bmc);
    };
    let name = String::from_utf8_lossy(name).into_owned();
    let password = password.get(1..).unwrap_or_default();
    match login(bmc, now, &name, password) {
        Some(who) => Ok(Some(who)),
        None => refused(bmc),
    }
}

/// 401 with a challenge, where the service makes one.
pub fn challenged(bmc: &Bmc, refusal: Refusal) -> Refusal {
    if super::dialect(&bmc.side.server).challenge {
        refusal.with("WWW-Authenticate", "Basic realm=\"Redfish\"")
    } else {
        refusal
    }
}
