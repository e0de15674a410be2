//! Privileges of HPE's own, where accounts have no RoleId: iLO 4 (`Oem.Hp`) and early iLO 5 (`Oem.Hpe`).

use serde_json::{Map, Value, json};

use super::account::Account;
use super::locate::Table;
use crate::hal::model::user::Role;

/// The vendor's part of an account, by age.
const KEYS: [&str; 2] = ["Hpe", "Hp"];
/// What an operator has; an administrator has all, a user the login.
const OPERATOR: [&str; 4] = [
    "LoginPriv",
    "RemoteConsolePriv",
    "VirtualMediaPriv",
    "VirtualPowerAndResetPriv",
];
const LOGIN: &str = "LoginPriv";

fn of(account: &Account) -> Option<(&'static str, &Map<String, Value>)> {
    KEYS.into_iter().find_map(|key| {
        let privileges = account.0.json.get("Oem")?.get(key)?.get("Privileges")?;
        Some((key, privileges.as_object()?))
    })
}

/// A new account in this form; `None` where roles have names.
pub(super) fn body(table: &Table, name: &str, password: &str, role: Role) -> Option<Value> {
    if table.accounts.iter().any(|a| a.0.has("/RoleId")) {
        return None;
    }
    let (key, known) = table.accounts.iter().find_map(of)?;
    let has = |privilege: &String| match role {
        Role::Administrator => true,
        Role::Operator => OPERATOR.contains(&privilege.as_str()),
        _ => privilege == LOGIN,
    };
    // Those that its accounts show: versions know more and more of them.
    let privileges: Map<String, Value> = known
        .keys()
        .filter(|name| name.ends_with("Priv"))
        .map(|name| (name.clone(), json!(has(name))))
        .collect();
    Some(json!({
        "UserName": name,
        "Password": password,
        "Oem": {key: {"LoginName": name, "Privileges": privileges}},
    }))
}

/// What an account's privileges amount to.
pub(super) fn role(account: &Account) -> Option<Role> {
    let (_, privileges) = of(account)?;
    let has = |name: &str| privileges.get(name).and_then(Value::as_bool) == Some(true);
    Some(if has("UserConfigPriv") {
        Role::Administrator
    } else if has("VirtualPowerAndResetPriv") {
        Role::Operator
    } else if has(LOGIN) {
        Role::User
    } else {
        Role::None
    })
}
