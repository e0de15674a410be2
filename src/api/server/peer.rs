//! Who calls, and what he may do.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::PoisonError;

use tonic::{Code, Request, Status};

use super::Server;
use crate::api::entry::{Introduction, Peer};
use crate::api::fault::with_code;
use crate::discover::now;
use crate::hal::inband::machine::is_uuid;
use crate::hal::transport::http::x509::CertificateFields;
use crate::hal::{Error, Kind};
use crate::inventory::Record;
use crate::inventory::tokens::Token;

/// What a caller may do; each may what those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Use the console of one machine, and nothing else.
    Console,
    /// Register, and operate its own machine.
    Hammer,
    /// Look.
    Viewer,
    /// Change machines and rows.
    Operator,
    /// See passwords and make tokens as well.
    Admin,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Console,
        Self::Hammer,
        Self::Viewer,
        Self::Operator,
        Self::Admin,
    ];
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Console => "console",
            Self::Hammer => "hammer",
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        })
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|r| r.to_string() == s)
            .ok_or_else(|| {
                format!("'{s}' is no role; one of viewer, operator, admin, hammer, console")
            })
    }
}

/// A caller.
#[derive(Debug, Clone)]
pub struct Caller {
    /// `uid 1000`, `token 12ab…`, `certificate NAME`.
    pub name: String,
    /// What he may do.
    pub role: Role,
    /// The only machine that he may do it to.
    pub machine: Option<String>,
    /// The token that he showed.
    pub token: Option<Token>,
}

impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.role)
    }
}

/// The name in [`Roles`] that stands for all machines: a certificate whose CN is a machine's UUID has the role, for that
/// machine alone.
const MACHINE: &str = "machine";

/// Roles of certificates, by the CN of their subject.
pub type Roles = HashMap<String, Role>;

fn unknown(words: &str) -> Status {
    let error = Error::new(Kind::Auth, words)
        .with_hint("a token (--token-file) or a certificate (--cert, --key) is needed");
    with_code(Code::Unauthenticated, &error, &[])
}

impl Server {
    /// Who calls; he may have asked too much already.
    pub(super) fn caller<T>(&self, request: &Request<T>) -> Result<Caller, Status> {
        let caller = self.who(request);
        match &caller {
            Ok(caller) => self.count(&caller.name)?,
            // Guessing is counted as well.
            Err(_) => self.count(&origin(request))?,
        }
        caller
    }

    /// Who calls. A token counts first; on the unix socket the kernel says it: root and the daemon's own user are
    /// administrators, whoever else the mode of the socket lets in is an operator; over TLS the certificate says it.
    fn who<T>(&self, request: &Request<T>) -> Result<Caller, Status> {
        if let Some(value) = request.metadata().get("authorization") {
            let token = value
                .to_str()
                .ok()
                .and_then(|v| v.strip_prefix("Bearer "))
                .and_then(|text| self.tokens.check(text.trim(), now()))
                .ok_or_else(|| unknown("the token is not known, or has ended"))?;
            return Ok(Caller {
                name: format!("token {}", token.id),
                role: token.role.parse().map_err(|e: String| unknown(&e))?,
                machine: token.machine.clone(),
                token: Some(token),
            });
        }
        let introduction = request.extensions().get::<Introduction>();
        if let Some(Peer::User(Some(uid))) = introduction.map(|i| &i.peer) {
            let uid = *uid;
            let own = nix::unistd::geteuid().as_raw();
            return Ok(Caller {
                name: format!("uid {uid}"),
                role: if uid == 0 || uid == own {
                    Role::Admin
                } else {
                    Role::Operator
                },
                machine: None,
                token: None,
            });
        }
        let name = introduction
            .and_then(|i| i.certificates.as_ref())
            .and_then(|list| list.first())
            .and_then(|der| CertificateFields::parse(der).ok())
            .and_then(|fields| {
                let parts = fields.subject.split(',').map(str::trim);
                let mut names = parts.filter_map(|p| p.strip_prefix("CN="));
                names.next().map(str::to_owned)
            })
            .ok_or_else(|| unknown("who are you?"))?;
        let roles = self.roles.read().unwrap_or_else(PoisonError::into_inner);
        let machine = is_uuid(&name).then(|| name.to_ascii_lowercase());
        let role = match &machine {
            Some(_) => roles.get(MACHINE),
            None => roles.get(&name),
        };
        role.map(|role| Caller {
            name: format!("certificate {name}"),
            role: *role,
            machine,
            token: None,
        })
        .ok_or_else(|| unknown(&format!("the certificate of '{name}' has no role here")))
    }

    /// The caller, if he may do what `role` may, to any machine.
    pub(super) fn need<T>(&self, request: &Request<T>, role: Role) -> Result<Caller, Status> {
        let caller = self.caller(request)?;
        if caller.role < role || caller.machine.is_some() {
            return Err(refuse(&caller, role));
        }
        Ok(caller)
    }
}

/// Where somebody calls from of whom nothing else is known.
fn origin<T>(request: &Request<T>) -> String {
    match request.extensions().get::<Introduction>().map(|i| &i.peer) {
        Some(Peer::Address(address)) => address.to_string(),
        _ => "the socket".to_owned(),
    }
}

/// May the caller do this to the machine of this row? Who registers one machine may operate that one.
pub(super) fn may(caller: &Caller, role: Role, row: &Record) -> Result<(), Status> {
    let allowed = match &caller.machine {
        _ if caller.role == Role::Console => false,
        Some(_) => owns(caller, row) && caller.role.max(Role::Operator) >= role,
        None => caller.role >= role,
    };
    if allowed {
        Ok(())
    } else {
        Err(refuse(caller, role))
    }
}

/// Is it the machine that the caller's token is for?
pub(super) fn owns(caller: &Caller, row: &Record) -> bool {
    let own = caller.machine.as_ref().zip(row.machine_id.as_ref());
    own.is_some_and(|(own, id)| own.eq_ignore_ascii_case(id))
}

fn refuse(caller: &Caller, role: Role) -> Status {
    let error = Error::new(Kind::Privilege, format!("{caller} may not do this"))
        .with_hint(format!("it needs the role {role}"));
    with_code(Code::PermissionDenied, &error, &[])
}
