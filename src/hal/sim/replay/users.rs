//! Accounts of a recorded BMC that are made, changed and deleted meanwhile.

use serde_json::{Map, Value};

use super::tree::normal;
use crate::hal::model::Secret;
use crate::hal::model::json::json;
use crate::hal::sim::redfish::auth::{Role, Who};
use crate::hal::sim::redfish::http::{Refusal, Reply};
use crate::hal::sim::redfish::messages::Message;
use crate::hal::sim::state::Server;
use crate::hal::sim::state::users::MESSAGING;

/// Longest name and password: the accounts log in over IPMI too.
const NAME: usize = 16;
const PASSWORD: usize = 20;

fn missing(path: &str) -> Refusal {
    Refusal::new(404, Message::base("ResourceMissingAtURI", &[path]))
}

/// Is it the account of who asks?
pub(super) fn is_own(server: &Server, path: &str, who: Who) -> bool {
    let state = server.replay.as_deref();
    let Some(resource) = state.and_then(|state| state.resource(path)) else {
        return false;
    };
    let user = server.users.get(who.user);
    let name = resource.get("UserName").and_then(Value::as_str);
    let is_account = state.is_some_and(|state| {
        state
            .index
            .accounts
            .as_deref()
            .is_some_and(|accounts| path.starts_with(accounts))
    });
    is_account
        && name
            .zip(user)
            .is_some_and(|(name, user)| user.trimmed() == name.as_bytes())
}

/// POST on a collection: only on that of the accounts.
pub(super) fn create(
    server: &mut Server,
    path: &str,
    body: &Map<String, Value>,
) -> Result<Reply, Refusal> {
    let refused = || Refusal::new(405, Message::base("OperationNotAllowed", &[]));
    let state = server.replay.as_deref_mut().ok_or_else(|| missing(path))?;
    let mut list = state.resource(path).ok_or_else(|| missing(path))?;
    let accounts = state.index.accounts.clone();
    let allow = state.recorded(path).and_then(|answer| {
        let found = answer.headers.iter().find(|(name, _)| name == "allow");
        found.map(|(_, value)| value.to_ascii_uppercase())
    });
    // Slots: there are empty members.
    let members: Vec<String> = links(&list);
    let slots = members.iter().any(|member| {
        let account = state.resource(member);
        account.is_some_and(|account| account.get("UserName").and_then(Value::as_str) == Some(""))
    });
    if accounts.as_deref() != Some(path)
        || slots
        || allow.is_some_and(|allow| !allow.contains("POST"))
    {
        return Err(refused());
    }
    let text = |name: &str| {
        let absent = || {
            Refusal::new(
                400,
                Message::base("CreateFailedMissingReqProperties", &[name]),
            )
        };
        body.get(name).and_then(Value::as_str).ok_or_else(absent)
    };
    let (name, password) = (text("UserName")?, text("Password")?);
    let template = members.iter().find_map(|member| state.resource(member));
    let base = list
        .get("@odata.id")
        .and_then(Value::as_str)
        .unwrap_or(path);
    // Past all ids that were recorded.
    let highest = members
        .iter()
        .filter_map(|member| member.rsplit('/').next()?.parse::<u32>().ok())
        .max()
        .unwrap_or(0);
    state.made += 1;
    let id = highest + state.made;
    let uri = format!("{}/{id}", base.trim_end_matches('/'));
    let mut account = template
        .and_then(|t| t.as_object().cloned())
        .unwrap_or_default();
    for (key, value) in [
        ("@odata.id", json!(uri)),
        ("Id", json!(id.to_string())),
        ("UserName", json!(name)),
        ("Password", Value::Null),
        (
            "RoleId",
            body.get("RoleId")
                .cloned()
                .unwrap_or_else(|| json!("ReadOnly")),
        ),
        (
            "Enabled",
            body.get("Enabled").cloned().unwrap_or(json!(true)),
        ),
        ("Locked", json!(false)),
    ] {
        account.insert(key.to_owned(), value);
    }
    if let Some(members) = list.get_mut("Members").and_then(Value::as_array_mut) {
        members.push(json!({ "@odata.id": uri }));
        let count = members.len();
        if let Some(map) = list.as_object_mut() {
            map.insert("Members@odata.count".to_owned(), json!(count));
        }
    }
    let account = Value::Object(account);
    state.put(path, Some(list));
    state.put(&uri, Some(account.clone()));
    state.touch_users();
    adopt(server, None, &account, Some(password))?;
    Ok(Reply::json(201, &account).with("Location", uri))
}

fn links(list: &Value) -> Vec<String> {
    let members = list.get("Members").and_then(Value::as_array);
    let members = members.into_iter().flatten();
    members
        .filter_map(|member| Some(member.get("@odata.id")?.as_str()?.to_owned()))
        .collect()
}

/// DELETE: only of accounts.
pub(super) fn delete(server: &mut Server, path: &str) -> Result<Reply, Refusal> {
    let state = server.replay.as_deref_mut().ok_or_else(|| missing(path))?;
    let accounts = state.index.accounts.clone().unwrap_or_default();
    if !path.starts_with(&format!("{accounts}/")) {
        return Err(Refusal::new(405, Message::base("OperationNotAllowed", &[])));
    }
    let account = state.resource(path);
    if let Some(mut list) = state.resource(&accounts) {
        if let Some(map) = list.as_object_mut() {
            let kept: Vec<Value> = map
                .get("Members")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .filter(|member| {
                    let link = member.get("@odata.id").and_then(Value::as_str);
                    link.map(normal).as_deref() != Some(path)
                })
                .cloned()
                .collect();
            map.insert("Members@odata.count".to_owned(), json!(kept.len()));
            map.insert("Members".to_owned(), Value::Array(kept));
        }
        state.put(&accounts, Some(list));
    }
    state.put(path, None);
    state.touch_users();
    let name = account
        .as_ref()
        .and_then(|a| a.get("UserName"))
        .and_then(Value::as_str);
    if let Some(slot) = name.and_then(|name| slot_of(server, name)) {
        server.users.clear(slot);
        server.web.sessions.forget(Some(slot));
    }
    Ok(Reply::empty(204))
}

fn slot_of(server: &Server, name: &str) -> Option<u8> {
    let found = server
        .users
        .iter()
        .find(|(_, user)| !name.is_empty() && user.trimmed() == name.as_bytes());
    found.map(|(id, _)| id)
}

/// A PATCH of an account: what logs in follows.
pub(super) fn password(
    server: &mut Server,
    path: &str,
    present: &Map<String, Value>,
    change: &Map<String, Value>,
) -> Result<(), Refusal> {
    let state = server.replay.as_deref_mut();
    let is_account = state.as_ref().is_some_and(|state| {
        let accounts = state.index.accounts.as_deref();
        accounts.is_some_and(|accounts| path.starts_with(&format!("{accounts}/")))
    });
    if !is_account {
        return Ok(());
    }
    if let Some(state) = state {
        state.touch_users();
    }
    let old = present.get("UserName").and_then(Value::as_str);
    let slot = old.and_then(|name| slot_of(server, name));
    let mut account = present.clone();
    super::tree::merge(&mut account, change);
    let secret = change.get("Password").and_then(Value::as_str);
    adopt(server, slot, &Value::Object(account), secret)
}

/// Makes the slot of an account what the resource says.
fn adopt(
    server: &mut Server,
    slot: Option<u8>,
    account: &Value,
    password: Option<&str>,
) -> Result<(), Refusal> {
    let text = |name: &str| {
        account
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let name = text("UserName");
    let bad = |property: &str| {
        Refusal::new(
            400,
            Message::base("PropertyValueFormatError", &["******", property]).about(property),
        )
    };
    if name.len() > NAME {
        return Err(bad("UserName"));
    }
    if password.is_some_and(|password| password.is_empty() || password.len() > PASSWORD) {
        return Err(bad("Password"));
    }
    // The slot of the same number where that is free: most BMCs number alike.
    let number = text("Id").parse::<u8>().ok();
    let free = |id: &u8| {
        server
            .users
            .get(*id)
            .is_some_and(|user| user.trimmed().is_empty())
    };
    let slot = slot
        .or_else(|| slot_of(server, name))
        .or(number.filter(free))
        .or_else(|| (2..super::LOGIN_SLOT).find(free));
    let Some(slot) = slot else {
        return Err(Refusal::new(
            400,
            Message::base("CreateLimitReachedForResource", &[]),
        ));
    };
    if name.is_empty() {
        server.users.clear(slot);
        return Ok(());
    }
    let role = text("RoleId");
    let role = Role::named(role).unwrap_or(if role.starts_with("Admin") {
        Role::Administrator
    } else {
        Role::ReadOnly
    });
    if let Some(user) = server.users.get_mut(slot) {
        user.name = [0; 16];
        for (to, from) in user.name.iter_mut().zip(name.bytes()) {
            *to = from;
        }
        user.enabled = account
            .get("Enabled")
            .and_then(Value::as_bool)
            .unwrap_or(true);
        user.limit = role.limit();
        user.access = MESSAGING;
        if let Some(password) = password {
            user.password = Secret::new(password);
            user.long_password = password.len() > 16;
        }
    }
    Ok(())
}
