//! Who calls, and what he may do.

use std::fmt;

use tonic::transport::server::UdsConnectInfo;
use tonic::{Code, Request, Status};

use crate::api::fault::with_code;
use crate::hal::{Error, Kind};

/// What a caller may do; each may what those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Look.
    Viewer,
    /// Change machines and rows.
    Operator,
    /// See passwords as well.
    Admin,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        })
    }
}

/// A caller.
#[derive(Debug, Clone)]
pub struct Caller {
    /// `uid 1000`, …
    pub name: String,
    /// What he may do.
    pub role: Role,
}

impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.role)
    }
}

/// Who calls. On the unix socket the kernel says it: root and the daemon's own user are administrators; whoever else
/// the mode of the socket lets in is an operator.
pub(super) fn caller<T>(request: &Request<T>) -> Option<Caller> {
    if let Some(caller) = request.extensions().get::<Caller>() {
        return Some(caller.clone());
    }
    let info = request.extensions().get::<UdsConnectInfo>()?;
    let uid = info.peer_cred?.uid();
    let own = nix::unistd::geteuid().as_raw();
    Some(Caller {
        name: format!("uid {uid}"),
        role: if uid == 0 || uid == own {
            Role::Admin
        } else {
            Role::Operator
        },
    })
}

/// The caller, if he may do what `role` may.
pub(super) fn need<T>(request: &Request<T>, role: Role) -> Result<Caller, Status> {
    let Some(caller) = caller(request) else {
        let error =
            Error::new(Kind::Auth, "who are you?").with_hint("a token or a certificate is needed");
        return Err(with_code(Code::Unauthenticated, &error, &[]));
    };
    if caller.role < role {
        let error = Error::new(Kind::Privilege, format!("{caller} may not do this"))
            .with_hint(format!("it needs the role {role}"));
        return Err(with_code(Code::PermissionDenied, &error, &[]));
    }
    Ok(caller)
}
