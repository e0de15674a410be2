//! Redfish from a recording.

use std::time::Instant;

use serde_json::Value;

use super::tree::{check, merge, normal};
use super::{Replay, actions, users};
use crate::hal::model::json::json;
use crate::hal::recording::{Body, RedfishAnswer};
use crate::hal::sim::bmc::Bmc;
use crate::hal::sim::redfish::auth::{self, Role, Who};
use crate::hal::sim::redfish::dialect::Etags;
use crate::hal::sim::redfish::entry::{matches, tag_of};
use crate::hal::sim::redfish::http::{Ask, Method, Refusal, Reply};
use crate::hal::sim::redfish::messages::Message;
use crate::hal::sim::redfish::{boot, power_state};
use crate::hal::sim::state::{Identify, Server};

/// Resources that are read without a login.
const PUBLIC: &[&str] = &[
    "/redfish",
    "/redfish/v1",
    "/redfish/v1/odata",
    "/redfish/v1/$metadata",
];
/// Sessions that are open at once.
const MAX_SESSIONS: usize = 8;

fn replay(server: &mut Server) -> Result<&mut Replay, Refusal> {
    let gone = || Refusal::new(503, Message::base("GeneralError", &[]));
    server.replay.as_deref_mut().ok_or_else(gone)
}

fn missing(path: &str) -> Refusal {
    Refusal::new(404, Message::base("ResourceMissingAtURI", &[path]))
}

/// Answers a request.
pub fn answer(bmc: &mut Bmc, now: Instant, ask: &Ask) -> Result<Reply, Refusal> {
    let path = normal(&ask.path.replace("%24", "$"));
    let who = auth::who(bmc, now, ask)?;
    let server = &mut bmc.side.server;
    let sessions = replay(server)?.index.sessions.clone();
    let logs_in =
        ask.method == Method::Post && (path == sessions || path == format!("{sessions}/members"));
    if logs_in {
        let reply = crate::hal::sim::redfish::login(bmc, now, MAX_SESSIONS, &ask.object()?)?;
        return Ok(reply);
    }
    if who.is_none() && !(ask.method.reads() && PUBLIC.contains(&path.as_str())) {
        let refusal = Refusal::new(401, Message::base("NoValidSession", &[]));
        return Err(auth::challenged(bmc, refusal));
    }
    if let Some(rest) = path.strip_prefix(&format!("{sessions}/"))
        && let Ok(id) = rest.parse::<u32>()
    {
        return session(server, ask, id);
    }
    if ask.method.reads() {
        return get(server, ask);
    }
    let role = who.map_or(Role::None, |who| who.role);
    let own = who.is_some_and(|who: Who| users::is_own(server, &path, who));
    if role < Role::Administrator && !own {
        return Err(Refusal::new(
            403,
            Message::base("InsufficientPrivilege", &[]),
        ));
    }
    if ask.method == Method::Post {
        return if path.contains("/actions/") {
            actions::run(bmc, now, &path, &ask.object()?)
        } else {
            users::create(server, &path, &ask.object()?)
        };
    }
    let resource = replay(server)?.resource(&path);
    let resource = resource.ok_or_else(|| missing(&ask.path))?;
    methods(replay(server)?, &path, ask.method)?;
    let present = tag(replay(server)?, &path, &resource);
    if let (Some(header), Some(tag)) = (&ask.if_match, present)
        && !matches(header, &tag, Etags::Weak)
    {
        return Err(Refusal::new(412, Message::base("PreconditionFailed", &[])));
    }
    match ask.method {
        Method::Patch => patch(server, ask, &path, resource),
        Method::Delete => users::delete(server, &path),
        _ => Err(Refusal::new(405, Message::base("OperationNotAllowed", &[]))),
    }
}

fn session(server: &mut Server, ask: &Ask, id: u32) -> Result<Reply, Refusal> {
    match ask.method {
        Method::Delete if server.web.sessions.delete(id) => Ok(Reply::empty(204)),
        Method::Get if server.web.sessions.get(id).is_some() => {
            let body = json!({
                "@odata.id": ask.path, "@odata.type": "#Session.v1_3_0.Session",
                "Id": id.to_string(), "Name": "User Session",
            });
            Ok(Reply::json(200, &body))
        }
        _ => Err(missing(&ask.path)),
    }
}

/// The header of that name as it was recorded.
fn header<'a>(answer: Option<&'a RedfishAnswer>, name: &str) -> Option<&'a str> {
    let found = answer?.headers.iter().find(|(known, _)| known == name);
    found.map(|(_, value)| value.as_str())
}

/// 405 where the recording says that the method is not allowed.
fn methods(replay: &Replay, path: &str, method: Method) -> Result<(), Refusal> {
    let Some(allow) = header(replay.recorded(path), "allow") else {
        return Ok(());
    };
    // Some services name only what reads, and take writes all the same: never PATCH on these.
    let allowed = allow
        .split(',')
        .any(|word| word.trim().eq_ignore_ascii_case(method.as_str()));
    if allowed {
        return Ok(());
    }
    let message = Message::base("OperationNotAllowed", &[]);
    Err(Refusal::new(405, message).with("Allow", allow))
}

/// The entity tag: as recorded, or a new one of the same style once the resource was written.
fn tag(replay: &Replay, path: &str, resource: &Value) -> Option<String> {
    let recorded = header(replay.recorded(path), "etag")
        .or_else(|| resource.get("@odata.etag").and_then(Value::as_str))?;
    if !replay.is_written(path) {
        return Some(recorded.to_owned());
    }
    let weak = if recorded.starts_with("W/") { "W/" } else { "" };
    Some(format!("{weak}{}", tag_of(resource)))
}

fn get(server: &mut Server, ask: &Ask) -> Result<Reply, Refusal> {
    let target = if ask.query.is_empty() {
        ask.path.clone()
    } else {
        format!("{}?{}", ask.path, ask.query)
    };
    let state = replay(server)?;
    let system = state.index.system.as_ref().map(|(path, _)| path.clone());
    let was_on = state.was_on;
    let Some(mut value) = state.resource(&target) else {
        // As it was recorded: an error, HTML, broken JSON. What was not recorded is not there.
        let gone = state.is_written(&ask.path);
        let answer = state.recorded(&target).filter(|_| !gone);
        let answer = answer.ok_or_else(|| missing(&ask.path))?;
        return Ok(as_recorded(answer));
    };
    let tag = tag(state, &ask.path, &value);
    let mut reply_headers = Vec::new();
    if let Some(answer) = state.recorded(&target) {
        for (name, value) in &answer.headers {
            let name = match name.as_str() {
                "allow" => "Allow",
                "link" => "Link",
                _ => continue,
            };
            reply_headers.push((name, value.clone()));
        }
    }
    if let Some(map) = value.as_object_mut() {
        if system.as_deref() == Some(normal(&ask.path).as_str()) {
            let power = &server.power;
            if power.on != was_on || power.is_changing() || power.starts > 0 {
                let generic = crate::hal::sim::redfish::dialect(server);
                map.insert("PowerState".to_owned(), json!(power_state(server, generic)));
            }
        }
        if let (Some(tag), true) = (&tag, map.contains_key("@odata.etag")) {
            map.insert("@odata.etag".to_owned(), json!(tag));
        }
    }
    if let (Some(tag), Some(seen)) = (&tag, &ask.if_none_match)
        && matches(seen, tag, Etags::Weak)
    {
        return Ok(Reply::empty(304).with("ETag", tag.clone()));
    }
    let mut reply = Reply::json(200, &value);
    reply.headers.extend(reply_headers);
    Ok(match tag {
        Some(tag) => reply.with("ETag", tag),
        None => reply,
    })
}

fn as_recorded(answer: &RedfishAnswer) -> Reply {
    let mut reply = match &answer.body {
        Body::None => Reply::empty(answer.status),
        Body::Json(json) => Reply::json(answer.status, json),
        Body::Text(text) => {
            let kind = header(Some(answer), "content-type").unwrap_or("text/html");
            let mut reply = Reply::empty(answer.status).with("Content-Type", kind);
            reply.body = text.clone().into_bytes();
            reply
        }
    };
    if let Some(wait) = header(Some(answer), "retry-after") {
        reply = reply.with("Retry-After", wait);
    }
    reply
}

fn patch(
    server: &mut Server,
    ask: &Ask,
    path: &str,
    mut resource: Value,
) -> Result<Reply, Refusal> {
    let change = ask.object()?;
    let Some(map) = resource.as_object_mut() else {
        return Err(missing(path));
    };
    if change.keys().all(|name| name.contains('@')) {
        return Err(Refusal::new(400, Message::base("NoOperation", &[])));
    }
    check(map, &change, "")?;
    users::password(server, path, map, &change)?;
    merge(map, &change);
    let led = |name: &str| change.get(name);
    if let Some(on) = led("LocationIndicatorActive").and_then(Value::as_bool) {
        server.identify = if on { Identify::Forever } else { Identify::Off };
    } else if let Some(text) = led("IndicatorLED").and_then(Value::as_str) {
        server.identify = if text == "Blinking" {
            Identify::Forever
        } else {
            Identify::Off
        };
    }
    if let Some(wish) = change.get("Boot") {
        boot_flags(server, path, wish)?;
    }
    replay(server)?.put(path, Some(resource));
    Ok(Reply::empty(204))
}

/// The boot override is also that of IPMI; written to the settings object it is also that of the system.
fn boot_flags(server: &mut Server, path: &str, wish: &Value) -> Result<(), Refusal> {
    boot::adopt(server, wish);
    let state = replay(server)?;
    state.touch_boot();
    let Some((system, _)) = state.index.system.clone() else {
        return Ok(());
    };
    if system != path
        && path.starts_with(&system)
        && let Some(mut value) = state.resource(&system)
        && let (Some(map), Some(wish)) = (
            value.get_mut("Boot").and_then(Value::as_object_mut),
            wish.as_object(),
        )
    {
        merge(map, wish);
        state.put(&system, Some(value));
    }
    Ok(())
}
