//! Roles: the BMC's names and privileges, and our words for them.

use super::super::read::optional;
use super::account::Account;
use super::locate::Table;
use super::privileges;
use crate::hal::error::{Error, Kind, Result};
use crate::hal::model::Cx;
use crate::hal::model::user::{Role, User};
use crate::hal::redfish::{Client, Resource};

/// The role that a name stands for; `None` for names that the vendor or an operator made up.
fn known(id: &str) -> Option<Role> {
    match id.to_ascii_lowercase().as_str() {
        "administrator" | "admin" | "hostinterfaceadministrator" => Some(Role::Administrator),
        "operator" => Some(Role::Operator),
        "readonly" | "readonlyuser" | "user" | "guest" => Some(Role::User),
        "none" | "noaccess" | "" => Some(Role::None),
        _ => None,
    }
}

/// What the privileges of a role amount to (Redfish DSP0266 "Roles").
fn by_privileges(role: &Resource) -> Role {
    let has = |name: &str| {
        role.list("/AssignedPrivileges")
            .into_iter()
            .any(|p| p.as_str() == Some(name))
    };
    if has("ConfigureUsers") {
        Role::Administrator
    } else if has("ConfigureComponents") {
        Role::Operator
    } else if has("Login") {
        Role::User
    } else if role.has("/AssignedPrivileges") {
        Role::None
    } else {
        Role::Other
    }
}

/// The account in our words. The role resource is only read where its name says nothing.
pub(super) async fn user(client: &Client, cx: &Cx, account: &Account) -> Result<User> {
    let link = account.0.link("/Links/Role");
    let id = account.0.str("/RoleId").map(str::to_owned).or_else(|| {
        link.as_deref()
            .map(|l| super::super::read::last_segment(l).to_owned())
    });
    let role = match id.as_deref().map(known) {
        Some(Some(role)) => role,
        Some(None) => match optional(client, cx, link).await? {
            Some(resource) => by_privileges(&resource),
            None => Role::Other,
        },
        None => privileges::role(account).unwrap_or(Role::Other),
    };
    Ok(User {
        id: account.id(),
        name: account.name().to_owned(),
        enabled: account.enabled(),
        role,
        // Redfish is reached over the LAN only.
        channel_access: role != Role::None,
    })
}

/// The BMC's name for a role that a new account gets.
pub(super) fn name(role: Role, table: &Table) -> Result<&'static str> {
    let used = |id: &str| {
        table
            .accounts
            .iter()
            .any(|a| a.0.str("/RoleId") == Some(id))
    };
    match role {
        // Supermicro X10 calls it by its short name, in roles and accounts alike.
        Role::Administrator if used("Admin") && !used("Administrator") => Ok("Admin"),
        Role::Administrator => Ok("Administrator"),
        Role::Operator => Ok("Operator"),
        Role::User => Ok("ReadOnly"),
        Role::Callback | Role::None | Role::Other => Err(Error::new(
            Kind::Config,
            format!("the role {role}: Redfish has administrator, operator and user"),
        )),
    }
}

/// The new account, with the role that was asked for. Where each slot has a role of its own (Lenovo's CustomRoleN),
/// that role is given the privileges.
pub(super) async fn verified(
    client: &Client,
    cx: &Cx,
    account: &Account,
    wanted: Role,
) -> Result<User> {
    let user_now = user(client, cx, account).await?;
    if user_now.role == wanted {
        return Ok(user_now);
    }
    if let Some(link) = custom(account) {
        let body = serde_json::json!({ "AssignedPrivileges": privileges(wanted) });
        client.patch(cx, &link, body).await?;
        client.fresh(cx, &link).await?;
        let user_now = user(client, cx, account).await?;
        if user_now.role == wanted {
            return Ok(user_now);
        }
    }
    Err(Error::new(
        Kind::Refused,
        format!(
            "{}: the account was made, but with the role {} instead of {wanted}",
            account.path(),
            user_now.role
        ),
    )
    .with_hint("delete it, or change its role at the BMC"))
}

/// The role of this slot alone, where it has one.
pub(super) fn custom(account: &Account) -> Option<String> {
    let link = account.0.link("/Links/Role")?;
    let id = super::super::read::last_segment(&link).to_ascii_lowercase();
    id.starts_with("customrole").then_some(link)
}

fn privileges(role: Role) -> &'static [&'static str] {
    match role {
        Role::Administrator => &[
            "Login",
            "ConfigureManager",
            "ConfigureUsers",
            "ConfigureSelf",
            "ConfigureComponents",
        ],
        Role::Operator => &["Login", "ConfigureSelf", "ConfigureComponents"],
        _ => &["Login", "ConfigureSelf"],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_roles() {
        for (id, role) in [
            ("Administrator", Some(Role::Administrator)),
            ("Admin", Some(Role::Administrator)),
            ("Operator", Some(Role::Operator)),
            ("ReadOnly", Some(Role::User)),
            ("None", Some(Role::None)),
            ("dirgroup9d4546a03a03bb977c03086a", None),
            ("CustomRole3", None),
        ] {
            assert_eq!(known(id), role, "{id}");
        }
    }
}
