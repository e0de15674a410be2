//! Accounts: the user slots of IPMI.

use super::{Parts, View, when};
use crate::hal::model::json::json;
use crate::hal::sim::redfish::auth::{Role, role_of};
use crate::hal::sim::redfish::dialect::{AccountStyle, Dialect};
use crate::hal::sim::state::Server;
use crate::hal::sim::state::users::User;

/// The name as text.
pub fn name_of(user: &User) -> String {
    String::from_utf8_lossy(user.trimmed()).into_owned()
}

/// Id of the account in slot `id`.
pub fn id_of(server: &Server, d: &Dialect, id: u8) -> String {
    match (d.accounts, server.users.get(id)) {
        (AccountStyle::Names, Some(user)) => name_of(user),
        _ => id.to_string(),
    }
}

pub(super) fn account(v: &View<'_>, id: u8) -> Option<Parts> {
    let user = v.server.users.get(id)?;
    let name = name_of(user);
    let empty = name.is_empty();
    if empty && v.d.accounts != AccountStyle::Slots {
        return None;
    }
    let role = if empty {
        Role::None
    } else {
        role_of(v.server, id, user)
    };
    let hpe = v.d.oem == Some("Hpe");
    let rest = json!({
        "Description": "User Account",
        "UserName": name,
        "Password": null,
        "RoleId": role.id(),
        "Enabled": user.enabled,
        "Locked": v.locked.contains(&id),
        "PasswordChangeRequired": v.server.web.must_change.contains(&id),
        "AccountTypes": if hpe { json!(["WebUI"]) } else { json!(["Redfish", "IPMI"]) },
        "Links": {"Role": {"@odata.id": format!("/redfish/v1/AccountService/Roles/{}", role.id())}},
        "Oem": when(hpe, json!({"Hpe": {
            "LoginName": name,
            "Privileges": {"LoginPriv": true, "UserConfigPriv": role == Role::Administrator},
        }})),
    });
    Some((
        "ManagerAccount.v1_12_0.ManagerAccount",
        id_of(v.server, v.d, id),
        "User Account".to_owned(),
        rest,
    ))
}
