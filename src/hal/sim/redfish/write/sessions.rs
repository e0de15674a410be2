//! Login to a session.

use std::time::Instant;

use serde_json::{Map, Value};

use crate::hal::model::json::json;
use crate::hal::sim::bmc::Bmc;
use crate::hal::sim::redfish::auth;
use crate::hal::sim::redfish::dialect::Dialect;
use crate::hal::sim::redfish::entry::view;
use crate::hal::sim::redfish::http::{Refusal, Reply};
use crate::hal::sim::redfish::messages::Message;
use crate::hal::sim::redfish::place::Place;

/// POST on the collection of sessions.
pub fn create(
    bmc: &mut Bmc,
    now: Instant,
    d: &'static Dialect,
    limit: usize,
    body: &Map<String, Value>,
) -> Result<Reply, Refusal> {
    let text = |name: &str| {
        let missing = || Refusal::new(400, Message::base("PropertyMissing", &[name]).about(name));
        body.get(name).and_then(Value::as_str).ok_or_else(missing)
    };
    let (name, password) = (text("UserName")?, text("Password")?);
    let Some(who) = auth::login(bmc, now, name, password.as_bytes()) else {
        let refusal = Refusal::new(401, Message::base("NoValidSession", &[]));
        return Err(auth::challenged(bmc, refusal));
    };
    let clock = bmc.side.server.clock.seconds(now);
    let (server, rng) = bmc.side.server_and_rng();
    let sessions = &mut server.web.sessions;
    sessions.expire(now);
    let Some((id, token)) = sessions.create(who.user, now, clock, limit, rng) else {
        let message = if d.oem == Some("Dell") {
            Message::oem(
                "IDRAC.2.8.RAC0218",
                "The maximum number of user sessions is reached.",
            )
        } else {
            Message::base("SessionLimitExceeded", &[])
        };
        return Err(Refusal::new(503, message).with("Retry-After", "30"));
    };
    let place = Place::Session(id);
    let mut value = view(bmc, d, now, &[]).resource(place).unwrap_or_default();
    let server = &bmc.side.server;
    if server.web.must_change.contains(&who.user)
        && let Some(map) = value.as_object_mut()
    {
        let account = Place::Account(who.user).uri(server, d);
        let message = Message::base("PasswordChangeRequired", &[&account]);
        map.insert(
            "@Message.ExtendedInfo".to_owned(),
            json!([message.to_json()]),
        );
    }
    Ok(Reply::json(201, &value)
        .with("X-Auth-Token", token)
        .with("Location", place.uri(server, d)))
}
