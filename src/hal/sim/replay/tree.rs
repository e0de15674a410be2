//! The recorded resources with what was written over them.

use serde_json::{Map, Value};

use super::{Index, Replay};
use crate::hal::recording::{Body, RedfishAnswer};
use crate::hal::sim::redfish::http::Refusal;
use crate::hal::sim::redfish::messages::Message;

/// A path as it is looked up: no slash at the end, none doubled, in lower case.
pub(super) fn normal(path: &str) -> String {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let path = path.split('#').next().unwrap_or_default();
    let mut out = String::with_capacity(path.len());
    for segment in path.split('/').filter(|segment| !segment.is_empty()) {
        out.push('/');
        out.push_str(segment);
    }
    out.make_ascii_lowercase();
    if !query.is_empty() {
        out.push('?');
        out.push_str(query);
    }
    out
}

impl Index {
    fn json(&self, path: &str) -> Option<&Value> {
        self.redfish
            .get(&normal(path))
            .and_then(RedfishAnswer::json)
    }

    /// Finds the resources that writes have to know.
    pub(super) fn find_places(&mut self) {
        let link = |value: &Value, pointer: &str| {
            value.pointer(pointer).and_then(Value::as_str).map(normal)
        };
        let root = self.json("/redfish/v1").cloned().unwrap_or_default();
        self.sessions = link(&root, "/Links/Sessions/@odata.id")
            .unwrap_or_else(|| "/redfish/v1/sessionservice/sessions".to_owned());
        let service = link(&root, "/AccountService/@odata.id")
            .unwrap_or_else(|| "/redfish/v1/accountservice".to_owned());
        self.accounts = self
            .json(&service)
            .and_then(|service| link(service, "/Accounts/@odata.id"))
            .or_else(|| {
                self.redfish
                    .keys()
                    .find(|path| path.ends_with("/accounts"))
                    .cloned()
            });
        let systems = self.redfish.iter().filter_map(|(path, answer)| {
            let json = answer.json()?;
            let is_system = path.starts_with("/redfish/v1/systems/")
                && json.pointer("/Actions/#ComputerSystem.Reset").is_some();
            is_system.then_some((path, json))
        });
        self.system = systems
            .min_by_key(|(path, _)| path.len())
            .map(|(path, json)| (path.clone(), text(json, "PowerState")));
    }

    /// PowerState as it was recorded.
    pub(super) fn power_state(&self) -> Option<&str> {
        self.system.as_ref()?.1.as_deref()
    }
}

fn text(value: &Value, name: &str) -> Option<String> {
    value.get(name)?.as_str().map(str::to_owned)
}

impl Replay {
    /// The recorded answer to a GET of this path.
    pub(super) fn recorded(&self, path: &str) -> Option<&RedfishAnswer> {
        let path = normal(path);
        let bare = path.split('?').next().unwrap_or_default();
        self.index
            .redfish
            .get(&path)
            .or_else(|| self.index.redfish.get(bare))
    }

    /// The resource as it is now.
    pub(super) fn resource(&self, path: &str) -> Option<Value> {
        let bare = normal(path.split('?').next().unwrap_or_default());
        if let Some(written) = self.overlay.get(&bare) {
            return written.clone();
        }
        let answer = self.recorded(path).filter(|answer| answer.status == 200)?;
        match &answer.body {
            Body::Json(json) => Some(json.clone()),
            Body::None | Body::Text(_) => None,
        }
    }

    /// Was it changed?
    pub(super) fn is_written(&self, path: &str) -> bool {
        self.overlay.contains_key(&normal(path))
    }

    /// Keeps a resource, or that it is gone.
    pub(super) fn put(&mut self, path: &str, value: Option<Value>) {
        self.overlay.insert(normal(path), value);
    }

    /// Values that a parameter of an action takes, inline or by ActionInfo.
    pub(super) fn allowed(&self, action: &Value, parameter: &str) -> Option<Vec<String>> {
        let list = |value: &Value| -> Option<Vec<String>> {
            let list = value.as_array()?.iter();
            Some(list.filter_map(|v| v.as_str().map(str::to_owned)).collect())
        };
        let inline = action.get(format!("{parameter}@Redfish.AllowableValues"));
        if let Some(values) = inline.and_then(list) {
            return Some(values);
        }
        let info = self.resource(action.get("@Redfish.ActionInfo")?.as_str()?)?;
        let parameters = info.get("Parameters")?.as_array()?;
        let found = parameters
            .iter()
            .find(|p| p.get("Name").and_then(Value::as_str) == Some(parameter));
        list(found?.get("AllowableValues")?)
    }
}

/// Checks a change of `present`: only properties that are there, only values that are allowed.
pub(super) fn check(
    present: &Map<String, Value>,
    change: &Map<String, Value>,
    prefix: &str,
) -> Result<(), Refusal> {
    for (name, value) in change.iter().filter(|(name, _)| !name.contains('@')) {
        let pointer = format!("{prefix}{name}");
        let Some(old) = present.get(name) else {
            // A boot override that is set may have been absent.
            let writable = [
                "Password",
                "BootSourceOverrideEnabled",
                "BootSourceOverrideMode",
                "BootSourceOverrideTarget",
                "Oem",
            ];
            if writable.contains(&name.as_str()) {
                continue;
            }
            let message = Message::base("PropertyUnknown", &[name]).about(&pointer);
            return Err(Refusal::new(400, message));
        };
        let allowed = present.get(&format!("{name}@Redfish.AllowableValues"));
        if let (Some(allowed), Some(text)) = (allowed.and_then(Value::as_array), value.as_str())
            && !allowed.iter().any(|known| known.as_str() == Some(text))
        {
            let message = Message::base("PropertyValueNotInList", &[text, name]).about(&pointer);
            return Err(Refusal::new(400, message));
        }
        if let (Value::Object(old), Value::Object(new)) = (old, value) {
            check(old, new, &format!("{pointer}/"))?;
        }
    }
    Ok(())
}

/// Lays a change over a resource; passwords are not shown.
pub(super) fn merge(into: &mut Map<String, Value>, change: &Map<String, Value>) {
    for (name, value) in change.iter().filter(|(name, _)| !name.contains('@')) {
        match (into.get_mut(name), value) {
            (Some(Value::Object(old)), Value::Object(new)) => merge(old, new),
            _ if name == "Password" => {}
            _ => {
                into.insert(name.clone(), value.clone());
            }
        }
    }
}
