//! Accounts: names, passwords and roles of the user slots, by the vendor's rules.

use std::time::Instant;

use serde_json::{Map, Value};

use super::{Done, read_only, resource, said, wrong};
use crate::hal::sim::bmc::Bmc;
use crate::hal::sim::redfish::auth::{Role, Who};
use crate::hal::sim::redfish::dialect::{AccountStyle, Dialect, Success};
use crate::hal::sim::redfish::http::{Refusal, Reply};
use crate::hal::sim::redfish::messages::Message;
use crate::hal::sim::redfish::place::Place;
use crate::hal::sim::state::Server;
use crate::hal::sim::state::users::MESSAGING;

/// Longest name and password: the same accounts log in over IPMI.
const NAME: usize = 16;
const PASSWORD: usize = 20;

/// Sets one property of the account in slot `id`.
pub(super) fn set(bmc: &mut Bmc, d: &Dialect, who: Who, id: u8, name: &str, value: &Value) -> Done {
    // With ConfigureSelf only: the own password.
    if who.role < Role::Administrator && name != "Password" {
        return Err(Message::base("InsufficientPrivilege", &[]).about(name));
    }
    let server = &mut bmc.side.server;
    match name {
        "UserName" => {
            let text = value.as_str().ok_or_else(|| wrong(name, value))?;
            if text.is_empty() {
                if d.accounts != AccountStyle::Slots {
                    return Err(wrong(name, value));
                }
                clear(server, id);
                return Ok(());
            }
            set_name(server, id, text)
        }
        "Password" => {
            let text = value.as_str().ok_or_else(|| wrong(name, &Value::Null))?;
            set_password(server, id, text)
        }
        "RoleId" => set_role(server, id, value),
        "Enabled" => {
            let on = value.as_bool().ok_or_else(|| wrong(name, value))?;
            set_enabled(server, id, on)
        }
        "Locked" => match value.as_bool() {
            Some(false) => {
                bmc.login_succeeded(id);
                Ok(())
            }
            Some(true) => Err(read_only(name)),
            None => Err(wrong(name, value)),
        },
        "PasswordChangeRequired" => {
            if value.as_bool().ok_or_else(|| wrong(name, value))? {
                server.web.must_change.insert(id);
            } else {
                server.web.must_change.remove(&id);
            }
            Ok(())
        }
        "AccountTypes" if value.is_array() => Ok(()),
        "Oem" => Ok(()),
        _ => Err(read_only(name)),
    }
}

fn set_name(server: &mut Server, id: u8, text: &str) -> Done {
    let bad = || Message::base("PropertyValueFormatError", &[text, "UserName"]).about("UserName");
    if text.len() > NAME || text.bytes().any(|b| b.is_ascii_control()) {
        return Err(bad());
    }
    let mut field = [0; 16];
    for (to, from) in field.iter_mut().zip(text.bytes()) {
        *to = from;
    }
    let rules = server.profile.users;
    server.users.rename(&rules, id, field).map_err(|_| bad())
}

fn set_password(server: &mut Server, id: u8, text: &str) -> Done {
    // The text is not repeated: errors are logged.
    let bad =
        || Message::base("PropertyValueFormatError", &["******", "Password"]).about("Password");
    if text.len() > PASSWORD || text.is_empty() {
        return Err(bad());
    }
    let long = text.len() > 16;
    let mut field = text.as_bytes().to_vec();
    field.resize(if long { PASSWORD } else { 16 }, 0);
    let rules = server.profile.users;
    server
        .users
        .password(&rules, id, long, 2, &field)
        .map_err(|_| bad())?;
    server.web.must_change.remove(&id);
    Ok(())
}

fn set_role(server: &mut Server, id: u8, value: &Value) -> Done {
    let text = value.as_str().ok_or_else(|| wrong("RoleId", value))?;
    let role = Role::named(text).ok_or_else(|| {
        Message::base("PropertyValueNotInList", &[text, "RoleId"]).about("RoleId")
    })?;
    if let Some(user) = server.users.get_mut(id) {
        user.limit = role.limit();
        user.access = MESSAGING;
    }
    server.web.no_role.remove(&id);
    Ok(())
}

fn set_enabled(server: &mut Server, id: u8, on: bool) -> Done {
    let rules = server.profile.users;
    let done = server.users.password(&rules, id, false, u8::from(on), &[]);
    done.map_err(|_| {
        Message::base("PropertyValueIncorrect", &[&on.to_string(), "Enabled"]).about("Enabled")
    })
}

/// Makes a slot empty.
fn clear(server: &mut Server, id: u8) {
    server.users.clear(id);
    server.web.must_change.remove(&id);
    server.web.no_role.remove(&id);
    server.web.sessions.forget(Some(id));
}

/// POST on the collection.
pub(super) fn create(
    bmc: &mut Bmc,
    now: Instant,
    d: &'static Dialect,
    _who: Who,
    body: &Map<String, Value>,
) -> Result<Reply, Refusal> {
    let text = |name: &str| {
        let missing = || {
            let message = Message::base("CreateFailedMissingReqProperties", &[name]);
            Refusal::new(400, message.about(name))
        };
        body.get(name).and_then(Value::as_str).ok_or_else(missing)
    };
    let (name, password) = (text("UserName")?, text("Password")?);
    // iLO also takes its own privileges in place of a role.
    let role = match body.get("RoleId") {
        None if d.oem == Some("Hpe") => Value::from("Operator"),
        _ => Value::from(text("RoleId")?),
    };
    if let Some(unknown) = body.keys().find(|name| {
        let known = [
            "UserName",
            "Password",
            "RoleId",
            "Enabled",
            "Locked",
            "PasswordChangeRequired",
            "AccountTypes",
            "Oem",
            "Name",
            "Description",
        ];
        !known.contains(&name.as_str()) && !name.contains('@')
    }) {
        return Err(Refusal::new(
            400,
            Message::base("PropertyUnknown", &[unknown]).about(unknown),
        ));
    }
    let server = &mut bmc.side.server;
    if server
        .users
        .iter()
        .any(|(_, user)| user.trimmed() == name.as_bytes())
    {
        let message = Message::base("ResourceAlreadyExists", &["UserName"]);
        return Err(Refusal::new(409, message.about("UserName")));
    }
    let fixed = server.profile.users.fixed;
    let free = server
        .users
        .iter()
        .find(|(id, user)| *id > fixed && user.trimmed().is_empty())
        .map(|(id, _)| id);
    let Some(id) = free else {
        return Err(Refusal::new(
            400,
            Message::base("CreateLimitReachedForResource", &[]),
        ));
    };
    let enabled = body.get("Enabled").and_then(Value::as_bool).unwrap_or(true);
    let done = set_name(server, id, name)
        .and_then(|()| set_password(server, id, password))
        .and_then(|()| set_role(server, id, &role))
        .and_then(|()| set_enabled(server, id, enabled));
    if let Err(message) = done {
        clear(server, id);
        return Err(Refusal::new(400, message));
    }
    if body.get("PasswordChangeRequired") == Some(&Value::Bool(true)) {
        server.web.must_change.insert(id);
    }
    let location = Place::Account(id).uri(server, d);
    let reply = match d.success {
        Success::Resource | Success::Empty => {
            let mut reply = resource(bmc, now, d, Place::Account(id));
            reply.status = 201;
            reply
        }
        Success::Message => said(201, "Created"),
    };
    Ok(reply.with("Location", location))
}

/// DELETE of an account; not of the own one.
pub(super) fn delete(bmc: &mut Bmc, who: Who, id: u8) -> Result<(), Refusal> {
    let server = &mut bmc.side.server;
    let stays = server.profile.users.first_stays && id == 1;
    if id == who.user || stays {
        return Err(Refusal::new(
            403,
            Message::base("ResourceCannotBeDeleted", &[]),
        ));
    }
    clear(server, id);
    Ok(())
}
