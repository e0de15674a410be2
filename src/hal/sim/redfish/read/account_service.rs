//! AccountService and roles.

use super::{Parts, View, when};
use crate::hal::model::json::json;
use crate::hal::sim::profile::PasswordRule;
use crate::hal::sim::redfish::auth::Role;
use crate::hal::sim::redfish::place::Place;

/// Longest password: what the same account can have over IPMI.
pub(super) const MAX_PASSWORD: usize = 20;

pub(super) fn service(v: &View<'_>) -> Parts {
    let least = match v.server.profile.users.password {
        PasswordRule::Any => 1,
        PasswordRule::AtLeast(n) => n,
        PasswordRule::DigitsAndSpecials => 8,
    };
    let (attempts, seconds) = v.lockout.unwrap_or((0, 0));
    let rest = json!({
        "ServiceEnabled": true,
        "Status": {"State": "Enabled", "Health": "OK"},
        "AuthFailureLoggingThreshold": v.server.web.account_service.logging_threshold,
        "MinPasswordLength": least,
        "MaxPasswordLength": MAX_PASSWORD,
        "AccountLockoutThreshold": attempts,
        "AccountLockoutDuration": seconds,
        "AccountLockoutCounterResetAfter": when(seconds > 0, json!(seconds)),
        "HTTPBasicAuth": if v.d.challenge { "Enabled" } else { "Unadvertised" },
        "SupportedAccountTypes": ["Redfish", "IPMI"],
        "Accounts": v.link(Place::Accounts),
        "Roles": v.link(Place::Roles),
    });
    (
        "AccountService.v1_15_0.AccountService",
        "AccountService".to_owned(),
        "Account Service".to_owned(),
        rest,
    )
}

pub(super) fn role(index: u8) -> Option<Parts> {
    let role = Role::ALL.get(usize::from(index))?;
    let rest = json!({
        "IsPredefined": true,
        "RoleId": role.id(),
        "AssignedPrivileges": role.privileges(),
        "OemPrivileges": [],
    });
    Some((
        "Role.v1_3_1.Role",
        role.id().to_owned(),
        "User Role".to_owned(),
        rest,
    ))
}
