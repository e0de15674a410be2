//! What requests change: the same state that IPMI commands change.

mod accounts;
mod actions;
mod network;
pub(super) mod sessions;
mod system;

use std::time::{Duration, Instant};

use serde_json::{Map, Value};

use super::auth::{Role, Who};
use super::dialect::{Dialect, Success};
use super::entry::{tag, view};
use super::http::{Ask, Method, Refusal, Reply};
use super::messages::Message;
use super::place::Place;
use crate::hal::model::json::json;
use crate::hal::model::order::Order;
use crate::hal::sim::bmc::Bmc;

pub(super) use actions::reset;

/// One property done, or why not.
type Done = Result<(), Message>;

/// May this account do that?
pub(super) fn permitted(bmc: &Bmc, who: Who, place: Place, method: Method) -> Result<(), Refusal> {
    let least = match place {
        Place::System | Place::SystemSettings | Place::SystemReset | Place::Chassis => {
            Role::Operator
        }
        Place::DellLcStatus => Role::ReadOnly,
        Place::Account(id) if id == who.user && method == Method::Patch => Role::ReadOnly,
        Place::Session(id) => match bmc.side.server.web.sessions.get(id) {
            Some((user, _)) if user == who.user => Role::ReadOnly,
            _ => Role::Administrator,
        },
        _ => Role::Administrator,
    };
    if who.role >= least {
        Ok(())
    } else {
        Err(Refusal::new(
            403,
            Message::base("InsufficientPrivilege", &[]),
        ))
    }
}

/// A PATCH: properties that cannot be changed are named, the others are changed.
pub(super) fn patch(
    bmc: &mut Bmc,
    now: Instant,
    d: &'static Dialect,
    who: Who,
    place: Place,
    ask: &Ask,
) -> Result<Reply, Refusal> {
    let body = ask.object()?;
    let mut wanted: Vec<(String, Value)> = body
        .into_iter()
        .filter(|(name, _)| !name.contains('@'))
        .collect();
    if wanted.is_empty() {
        return Err(Refusal::new(400, Message::base("NoOperation", &[])));
    }
    if matches!(place, Place::Account(_)) {
        // A slot is named before it gets a password, a role, and is enabled.
        let order = ["UserName", "Password", "RoleId", "Enabled"];
        let rank = |name: &str| order.iter().position(|known| *known == name).unwrap_or(9);
        wanted.order_by_key(|(name, _)| rank(name));
    }
    let mut faults: Vec<(String, Message)> = Vec::new();
    let mut done = 0;
    for (name, value) in wanted {
        match set(bmc, now, d, who, place, &name, &value) {
            Ok(()) => done += 1,
            Err(message) => faults.push((name, message)),
        }
    }
    if done == 0 {
        return Err(Refusal {
            status: 400,
            messages: faults.into_iter().map(|(_, message)| message).collect(),
            headers: Vec::new(),
        });
    }
    if faults.is_empty() {
        return Ok(success(bmc, now, d, Some(place)));
    }
    let mut reply = resource(bmc, now, d, place);
    // Both as an annotation of the resource and of each property.
    let all: Vec<Value> = faults
        .iter()
        .map(|(_, message)| message.to_json())
        .collect();
    let mut extra: Map<String, Value> = faults
        .iter()
        .map(|(name, message)| {
            let key = format!("{name}@Message.ExtendedInfo");
            (key, json!([message.to_json()]))
        })
        .collect();
    extra.insert("@Message.ExtendedInfo".to_owned(), Value::Array(all));
    if let Ok(Value::Object(mut map)) = serde_json::from_slice(&reply.body) {
        map.extend(extra);
        reply.body = Value::Object(map).to_string().into_bytes();
    }
    Ok(reply)
}

/// Sets one property of a resource.
fn set(
    bmc: &mut Bmc,
    now: Instant,
    d: &'static Dialect,
    who: Who,
    place: Place,
    name: &str,
    value: &Value,
) -> Done {
    let known = {
        let locked = bmc.locked(now);
        let resource = view(bmc, d, now, &locked).resource(place);
        resource.is_some_and(|resource| resource.get(name).is_some())
    };
    if !known {
        return Err(Message::base("PropertyUnknown", &[name]).about(name));
    }
    let server = &mut bmc.side.server;
    match place {
        Place::System | Place::SystemSettings | Place::Chassis => {
            system::set(server, d, place, name, value)
        }
        Place::Nic(_) | Place::NetworkProtocol => network::set(server, name, value),
        Place::Account(id) => accounts::set(bmc, d, who, id, name, value),
        Place::SessionService if name == "SessionTimeout" => match value.as_u64() {
            Some(seconds @ 30..=86_400) => {
                server.web.sessions.timeout = Duration::from_secs(seconds);
                Ok(())
            }
            _ => Err(wrong(name, value)),
        },
        Place::AccountService if name == "AuthFailureLoggingThreshold" => {
            let number = value.as_u64().and_then(|n| u32::try_from(n).ok());
            let number = number.ok_or_else(|| wrong(name, value))?;
            server.web.account_service.logging_threshold = number;
            Ok(())
        }
        _ => Err(Message::base("PropertyNotWritable", &[name]).about(name)),
    }
}

/// A value of the wrong type or out of range.
fn wrong(name: &str, value: &Value) -> Message {
    Message::base("PropertyValueTypeError", &[&value.to_string(), name]).about(name)
}

/// A property that is read-only.
fn read_only(name: &str) -> Message {
    Message::base("PropertyNotWritable", &[name]).about(name)
}

/// A POST: a creation or an action.
pub(super) fn post(
    bmc: &mut Bmc,
    now: Instant,
    d: &'static Dialect,
    who: Who,
    place: Place,
    ask: &Ask,
) -> Result<Reply, Refusal> {
    let body = ask.object()?;
    match place {
        Place::Accounts => accounts::create(bmc, now, d, who, &body),
        _ => actions::run(bmc, now, d, place, &body),
    }
}

/// A DELETE.
pub(super) fn delete(
    bmc: &mut Bmc,
    d: &'static Dialect,
    who: Who,
    place: Place,
) -> Result<Reply, Refusal> {
    match place {
        Place::Session(id) => {
            bmc.side.server.web.sessions.delete(id);
        }
        Place::Account(id) => accounts::delete(bmc, who, id)?,
        _ => {}
    }
    Ok(match d.success {
        Success::Message => said(200, "Success"),
        Success::Resource | Success::Empty => Reply::empty(204),
    })
}

/// A body that says it is done.
fn said(status: u16, message: &str) -> Reply {
    let message = Message::base(message, &[]);
    let body = json!({"@Message.ExtendedInfo": [message.to_json()]});
    Reply::json(status, &body)
}

/// The answer to a write that worked; `place` is what was changed, none for actions.
fn success(bmc: &mut Bmc, now: Instant, d: &'static Dialect, place: Option<Place>) -> Reply {
    match (d.success, place) {
        (Success::Resource, Some(place)) => resource(bmc, now, d, place),
        (Success::Message, _) => said(200, "Success"),
        (Success::Empty | Success::Resource, _) => Reply::empty(204),
    }
}

/// 200 and the resource as it is now.
fn resource(bmc: &mut Bmc, now: Instant, d: &'static Dialect, place: Place) -> Reply {
    let locked = bmc.locked(now);
    let view = view(bmc, d, now, &locked);
    let Some(mut value) = view.resource(place) else {
        return Reply::empty(204);
    };
    let Some(tag) = tag(&view, place) else {
        return Reply::json(200, &value);
    };
    if let Some(map) = value.as_object_mut() {
        map.insert("@odata.etag".to_owned(), json!(tag));
    }
    Reply::json(200, &value).with("ETag", tag)
}
