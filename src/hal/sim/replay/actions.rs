//! Actions of a recorded BMC: resets of host and BMC, clearing of logs. Others that it has are done without effect.

use std::time::Instant;

use serde_json::{Map, Value};

use super::Replay;
use super::tree::normal;
use crate::hal::model::json::json;
use crate::hal::sim::bmc::Bmc;
use crate::hal::sim::redfish;
use crate::hal::sim::redfish::http::{Refusal, Reply};
use crate::hal::sim::redfish::messages::Message;

/// POST on `path`, which is an action.
pub(super) fn run(
    bmc: &mut Bmc,
    now: Instant,
    path: &str,
    body: &Map<String, Value>,
) -> Result<Reply, Refusal> {
    let server = &mut bmc.side.server;
    let missing = || Refusal::new(404, Message::base("ResourceMissingAtURI", &[path]));
    let state = server.replay.as_deref_mut().ok_or_else(missing)?;
    let (owner, _) = path.split_once("/actions/").ok_or_else(missing)?;
    let resource = state.resource(owner).ok_or_else(missing)?;
    let (name, action) = find(&resource, path).ok_or_else(missing)?;
    let kind = body.get("ResetType").and_then(Value::as_str);
    if let (Some(kind), Some(values)) = (kind, state.allowed(&action, "ResetType"))
        && !values.iter().any(|known| known == kind)
    {
        let message = Message::base("ActionParameterValueNotInList", &[kind, "ResetType"]);
        return Err(Refusal::new(400, message));
    }
    match name.as_str() {
        "#ComputerSystem.Reset" => {
            let missing = || Message::base("ActionParameterMissing", &[&name, "ResetType"]);
            let kind = kind.ok_or_else(|| Refusal::new(400, missing()))?.to_owned();
            state.touch_power();
            redfish::reset(server, now, &kind)?;
            server.tick(now);
        }
        "#Manager.Reset" => server.cold_reset = true,
        "#LogService.ClearLog" => {
            clear(state, &resource);
            state.touch_log();
            let time = server.sel_time(now);
            server.sel.clear(time);
        }
        _ => {}
    }
    Ok(Reply::empty(204))
}

/// The action of a resource whose target is `path`.
fn find(resource: &Value, path: &str) -> Option<(String, Value)> {
    let actions = resource.get("Actions")?.as_object()?;
    let own = actions.iter();
    let oem = actions.get("Oem").and_then(Value::as_object);
    own.chain(oem.into_iter().flatten())
        .find_map(|(name, action)| {
            let target = action.get("target")?.as_str()?;
            (normal(target) == path).then(|| (name.clone(), action.clone()))
        })
}

/// Empties the entries of a log.
fn clear(state: &mut Replay, log: &Value) {
    let entries = log.pointer("/Entries/@odata.id").and_then(Value::as_str);
    let Some(entries) = entries.map(str::to_owned) else {
        return;
    };
    if let Some(mut value) = state.resource(&entries) {
        if let Some(map) = value.as_object_mut() {
            map.insert("Members".to_owned(), json!([]));
            map.insert("Members@odata.count".to_owned(), json!(0));
            map.shift_remove("Members@odata.nextLink");
        }
        state.put(&entries, Some(value));
    }
}
