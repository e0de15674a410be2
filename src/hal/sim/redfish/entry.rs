//! From a request to its answer: login, preconditions, methods, and the headers that all answers have.

use std::time::Instant;

use serde_json::Value;

use super::auth::{self, Role, Who};
use super::dialect::{Dialect, Etags};
use super::http::{Ask, Method, Refusal, Reply};
use super::messages::Message;
use super::place::Place;
use super::query::Query;
use super::read::View;
use super::{dialect, write};
use crate::hal::sim::bmc::Bmc;

/// Seconds after which a busy service is asked again.
const RETRY_AFTER: &str = "1";

/// Answers one request.
pub fn answer(bmc: &mut Bmc, now: Instant, ask: &Ask) -> Reply {
    bmc.tick(now);
    bmc.side.server.executed += 1;
    let d = dialect(&bmc.side.server);
    let mut reply = match handle(bmc, now, d, ask) {
        Ok(reply) => reply,
        Err(refusal) => refusal.reply(d.sloppy),
    };
    bmc.settle(now);
    reply.headers.push(("OData-Version", "4.0".to_owned()));
    reply.headers.push(("Cache-Control", "no-cache".to_owned()));
    reply
}

fn handle(bmc: &mut Bmc, now: Instant, d: &'static Dialect, ask: &Ask) -> Result<Reply, Refusal> {
    if bmc.is_busy() {
        let message = Message::base("ServiceTemporarilyUnavailable", &[RETRY_AFTER]);
        return Err(Refusal::new(503, message).with("Retry-After", RETRY_AFTER));
    }
    if bmc.side.server.replay.is_some() {
        return crate::hal::sim::replay::answer(bmc, now, ask);
    }
    let who = auth::who(bmc, now, ask)?;
    let place = Place::find(&bmc.side.server, d, &ask.path);
    let creates_session = ask.method == Method::Post
        && matches!(place, Some(Place::Sessions | Place::SessionMembers));
    let is_public = creates_session || (ask.method.reads() && place.is_some_and(Place::is_public));
    if who.is_none() && !is_public {
        let refusal = Refusal::new(401, Message::base("NoValidSession", &[]));
        return Err(auth::challenged(bmc, refusal));
    }
    if ask
        .odata_version
        .as_deref()
        .is_some_and(|version| version.trim() != "4.0")
    {
        let message = Message::base("HeaderInvalid", &["OData-Version"]);
        return Err(Refusal::new(412, message));
    }
    let Some(place) = place else {
        return Err(Refusal::new(
            404,
            Message::base("ResourceMissingAtURI", &[&ask.path]),
        ));
    };
    if let Some(who) = who {
        change_password_first(bmc, d, who, place, ask.method)?;
    }
    let methods = place.methods(d);
    if ask.method == Method::Options {
        return Ok(Reply::empty(204).with("Allow", allow(methods)));
    }
    if !methods.contains(&ask.method) {
        let message = Message::base("OperationNotAllowed", &[]);
        return Err(Refusal::new(405, message).with("Allow", allow(methods)));
    }
    if creates_session {
        return write::sessions::create(bmc, now, d, d.max_sessions, &ask.object()?);
    }
    // Without a login only reads get here.
    let who = who.unwrap_or(Who {
        user: 0,
        role: Role::None,
        session: None,
    });
    if ask.method.reads() {
        return read(bmc, now, d, who, place, ask);
    }
    write::permitted(bmc, who, place, ask.method)?;
    precondition(bmc, now, d, place, ask)?;
    match ask.method {
        Method::Patch => write::patch(bmc, now, d, who, place, ask),
        Method::Post => write::post(bmc, now, d, who, place, ask),
        _ => write::delete(bmc, d, who, place),
    }
}

/// The methods of an Allow header.
pub(super) fn allow(methods: &[Method]) -> String {
    let names: Vec<&str> = methods.iter().map(|method| method.as_str()).collect();
    names.join(", ")
}

/// Whose password must be changed may do nothing else.
fn change_password_first(
    bmc: &Bmc,
    d: &Dialect,
    who: Who,
    place: Place,
    method: Method,
) -> Result<(), Refusal> {
    let server = &bmc.side.server;
    let own = place == Place::Account(who.user) && matches!(method, Method::Get | Method::Patch);
    let session = match place {
        Place::Sessions | Place::SessionMembers => method == Method::Post,
        Place::Session(_) => method == Method::Delete,
        _ => false,
    };
    let harmless = own || session || place.is_public();
    if harmless || !server.web.must_change.contains(&who.user) {
        return Ok(());
    }
    let uri = Place::Account(who.user).uri(server, d);
    Err(Refusal::new(
        403,
        Message::base("PasswordChangeRequired", &[&uri]),
    ))
}

fn read(
    bmc: &mut Bmc,
    now: Instant,
    d: &'static Dialect,
    who: Who,
    place: Place,
    ask: &Ask,
) -> Result<Reply, Refusal> {
    if place == Place::Metadata {
        let mut reply = Reply::empty(200).with("Content-Type", "application/xml; charset=utf-8");
        reply.body = super::read::metadata().into_bytes();
        return Ok(reply.with("Allow", allow(place.methods(d))));
    }
    let others = matches!(place, Place::Account(id) if id != who.user);
    if others && who.role < Role::Administrator {
        return Err(Refusal::new(
            403,
            Message::base("InsufficientPrivilege", &[]),
        ));
    }
    let query = match Query::parse(&ask.query, d.queries) {
        // Sloppy services pass over what they do not know.
        Err(_) if d.sloppy => Query::default(),
        other => other?,
    };
    let locked = bmc.locked(now);
    let view = view(bmc, d, now, &locked);
    let gone = || Refusal::new(404, Message::base("ResourceMissingAtURI", &[&ask.path]));
    let mut value = query.apply(&view, place)?.ok_or_else(gone)?;
    let tag = tag(&view, place);
    if let (Some(tag), Some(seen)) = (&tag, &ask.if_none_match)
        && matches(seen, tag, Etags::Weak)
    {
        return Ok(Reply::empty(304).with("ETag", tag.clone()));
    }
    if let (Some(tag), Some(map)) = (&tag, value.as_object_mut())
        && !place.is_collection()
        && map.contains_key("@odata.id")
    {
        map.insert("@odata.etag".to_owned(), Value::from(tag.as_str()));
    }
    let mut reply = Reply::json(200, &value).with("Allow", allow(place.methods(d)));
    if let Some(kind) = value.get("@odata.type").and_then(Value::as_str) {
        let schema = kind
            .trim_start_matches('#')
            .split('.')
            .next()
            .unwrap_or_default();
        let link = format!("<http://redfish.dmtf.org/schemas/v1/{schema}.json>; rel=describedby");
        reply = reply.with("Link", link);
    }
    match tag {
        Some(tag) => Ok(reply.with("ETag", tag)),
        None => Ok(reply),
    }
}

/// What resources are made from.
pub(super) fn view<'a>(
    bmc: &'a Bmc,
    d: &'static Dialect,
    now: Instant,
    locked: &'a [u8],
) -> View<'a> {
    View {
        server: &bmc.side.server,
        d,
        now,
        locked,
        lockout: bmc.lockout(),
    }
}

/// The entity tag of a resource: of everything in it but clocks.
pub(super) fn tag(v: &View<'_>, place: Place) -> Option<String> {
    if v.d.etags == Etags::None {
        return None;
    }
    let mut value = v.resource(place)?;
    if let Some(map) = value.as_object_mut() {
        map.shift_remove("DateTime");
    }
    let hash = tag_of(&value);
    Some(match v.d.etags {
        Etags::Weak | Etags::WeakBare => format!("W/{hash}"),
        Etags::Strong | Etags::None => hash,
    })
}

/// A strong tag of a document: FNV-1a over its text.
pub fn tag_of(value: &Value) -> String {
    let hash = value
        .to_string()
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
    format!("\"{hash:016x}\"")
}

/// Does one of the tags in a header fit?
pub fn matches(header: &str, tag: &str, rule: Etags) -> bool {
    let bare = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    header.split(',').map(str::trim).any(|seen| {
        seen == "*"
            || match rule {
                Etags::WeakBare => seen == bare(tag),
                Etags::Weak => bare(seen) == bare(tag),
                Etags::Strong | Etags::None => seen == tag,
            }
    })
}

/// If-Match: 412 when it does not fit, 428 when the vendor wants one and there is none. Actions have none.
fn precondition(
    bmc: &mut Bmc,
    now: Instant,
    d: &'static Dialect,
    place: Place,
    ask: &Ask,
) -> Result<(), Refusal> {
    let changes = matches!(ask.method, Method::Patch | Method::Delete);
    let Some(header) = &ask.if_match else {
        if ask.method == Method::Patch && d.if_match_required {
            return Err(Refusal::new(
                428,
                Message::base("PreconditionRequired", &[]),
            ));
        }
        return Ok(());
    };
    let locked = bmc.locked(now);
    let present = tag(&view(bmc, d, now, &locked), place);
    let fits = match present {
        // An action is no resource that could have a tag.
        None => changes || header.trim() == "*",
        Some(tag) => matches(header, &tag, d.etags),
    };
    if fits {
        Ok(())
    } else {
        Err(Refusal::new(412, Message::base("PreconditionFailed", &[])))
    }
}
