//! A document of a BMC, read with tolerance: a value of the wrong type, `null`, blank or missing is `None`, and costs
//! nothing but itself.

use serde_json::{Map, Value};

use super::{json, path};

/// Longest tag that is sent back.
const MAX_TAG: usize = 256;

/// A document and where it was read. Pointers are JSON pointers (RFC 6901): `/Boot/BootSourceOverrideTarget`.
#[derive(Debug, Clone, PartialEq)]
pub struct Resource {
    /// The path it was asked for.
    pub path: String,
    /// Its tag: the header's, else `@odata.etag`.
    pub etag: Option<String>,
    /// The document.
    pub json: Value,
}

impl Resource {
    /// Reads the body of an answer, repaired where its JSON is broken. `origin` (`scheme://host:port`) tells the BMC's own
    /// absolute links from those of others. The error says in words what the body is instead.
    pub fn decode(
        path: &str,
        tag: Option<&str>,
        body: &[u8],
        origin: &str,
    ) -> Result<Self, String> {
        let mut json = json::decode(body)?;
        localise(&mut json, origin);
        Self::of_object(path, tag, json)
    }

    /// The same of JSON that was read already.
    pub fn of_object(path: &str, tag: Option<&str>, json: Value) -> Result<Self, String> {
        if json.is_object() {
            Ok(Self::of(path, tag, json))
        } else {
            Err("JSON, but no JSON object".to_owned())
        }
    }

    /// A document that is there already, as the members of an expanded collection are.
    pub fn of(path: &str, tag: Option<&str>, json: Value) -> Self {
        let own = json.get("@odata.etag").and_then(Value::as_str);
        let etag = tag
            .or(own)
            .map(str::trim)
            .filter(|t| !t.is_empty() && t.len() <= MAX_TAG)
            .filter(|t| t.bytes().all(|b| (0x20..0x7f).contains(&b)))
            .map(str::to_owned);
        Self {
            path: path.to_owned(),
            etag,
            json,
        }
    }

    fn get(&self, p: &str) -> Option<&Value> {
        let found = if p.is_empty() || p.starts_with('/') {
            self.json.pointer(p)
        } else {
            self.json.get(p)
        };
        found.filter(|value| !value.is_null())
    }

    /// Text, trimmed; blank is `None`.
    pub fn str(&self, p: &str) -> Option<&str> {
        let text = self.get(p)?.as_str()?.trim();
        (!text.is_empty()).then_some(text)
    }

    /// A finite number; numbers written as text count.
    pub fn num(&self, p: &str) -> Option<f64> {
        number(self.get(p)?)
    }

    /// A truth value; `"true"` and `"false"` count.
    pub fn bool(&self, p: &str) -> Option<bool> {
        match self.get(p)? {
            Value::Bool(value) => Some(*value),
            Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
            Value::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        }
    }

    /// Is there something that is not `null`?
    pub fn has(&self, p: &str) -> bool {
        self.get(p).is_some()
    }

    /// The items of an array without its nulls; an object counts as an array of one.
    pub fn list(&self, p: &str) -> Vec<&Value> {
        match self.get(p) {
            Some(Value::Array(items)) => items.iter().filter(|v| !v.is_null()).collect(),
            Some(one @ Value::Object(_)) => vec![one],
            _ => Vec::new(),
        }
    }

    /// The path that a link leads to, on this BMC: `{"@odata.id": …}`, or plain text. `None` when it leads to another host.
    pub fn link(&self, p: &str) -> Option<String> {
        match self.get(p)? {
            Value::Array(items) => items.iter().find_map(link_of),
            one => link_of(one),
        }
    }

    /// The paths of an array of links, each once.
    pub fn links(&self, p: &str) -> Vec<String> {
        let mut out: Vec<String> = Vec::new();
        for found in self.list(p).into_iter().filter_map(link_of) {
            if !out.iter().any(|seen| path::same(seen, &found)) {
                out.push(found);
            }
        }
        out
    }

    /// The values that the BMC allows for a property: `PROP@Redfish.AllowableValues` beside it. `None` when it does not say.
    pub fn allowable(&self, p: &str) -> Option<Vec<String>> {
        ["@Redfish.AllowableValues", "@DMTF.AllowableValues"]
            .iter()
            .find_map(|annotation| texts(self.get(&format!("{p}{annotation}"))?))
    }

    /// Where a value stands, for [`Source::at`](crate::hal::model::reading::Source): `/redfish/v1/Systems/1 PowerState`.
    pub fn at(&self, property: &str) -> String {
        format!("{} {}", self.path, property.trim_start_matches('/'))
    }

    /// The part of the document below a pointer, as a document of its own.
    pub fn sub(&self, p: &str) -> Option<Self> {
        let json = self.get(p).filter(|v| v.is_object())?.clone();
        Some(Self {
            path: self.path.clone(),
            etag: None,
            json,
        })
    }
}

/// A finite number; numbers written as text count.
pub fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
    .filter(|n| n.is_finite())
}

/// The path of a link: `{"@odata.id": …}`, iLO's `{"href": …}`, or plain text.
pub fn link_of(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text,
        Value::Object(map) => map
            .get("@odata.id")
            .or_else(|| map.get("href"))
            .and_then(Value::as_str)?,
        _ => return None,
    };
    // Absolute links of this BMC were made paths when the document was read.
    path::clean(text, "")
}

/// The texts of an array; `None` when there is none.
pub(super) fn texts(value: &Value) -> Option<Vec<String>> {
    let texts: Vec<String> = value
        .as_array()?
        .iter()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect();
    (!texts.is_empty()).then_some(texts)
}

/// Makes the absolute links of the BMC itself paths. The parser has bounded the depth.
fn localise(value: &mut Value, origin: &str) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| localise(item, origin)),
        Value::Object(map) => localise_map(map, origin),
        _ => {}
    }
}

fn localise_map(map: &mut Map<String, Value>, origin: &str) {
    for (key, value) in map.iter_mut() {
        match value {
            Value::String(text) if text.starts_with("http") || text.starts_with("HTTP") => {
                let is_link = key == "target"
                    || key == "@Redfish.ActionInfo"
                    || key.ends_with("@odata.id")
                    || key.ends_with("@odata.nextLink");
                if is_link && let Some(path) = path::clean(text, origin) {
                    *text = path;
                }
            }
            Value::Array(_) | Value::Object(_) => localise(value, origin),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resource(body: &str) -> Resource {
        Resource::decode("/redfish/v1/X", None, body.as_bytes(), "https://10.0.0.7").unwrap()
    }

    #[test]
    fn odd_values_cost_only_themselves() {
        let r = resource(
            r#"{"A":" x ","B":"","C":null,"D":7,"E":"8.5","F":"NaN","G":"TRUE","H":[1,null,2],
                "I":{"J":1},"K":1,"T":"On","T@Redfish.AllowableValues":["On",3,"Off"]}"#,
        );
        assert_eq!(r.str("/A"), Some("x"));
        assert_eq!(r.str("A"), Some("x"));
        assert_eq!((r.str("/B"), r.str("/C"), r.str("/D")), (None, None, None));
        assert_eq!(
            (r.num("/D"), r.num("/E"), r.num("/F")),
            (Some(7.0), Some(8.5), None)
        );
        assert_eq!((r.bool("/G"), r.bool("/D")), (Some(true), None));
        assert_eq!(
            (r.has("/C"), r.has("/B"), r.has("/Z")),
            (false, true, false)
        );
        assert_eq!(
            (r.list("/H").len(), r.list("/I").len(), r.list("/K").len()),
            (2, 1, 0)
        );
        assert_eq!(
            r.allowable("/T"),
            Some(vec!["On".to_owned(), "Off".to_owned()])
        );
        assert_eq!(r.allowable("/A"), None);
        assert_eq!(r.at("PowerState"), "/redfish/v1/X PowerState");
    }

    #[test]
    fn links_are_cleaned_and_never_lead_away() {
        let r = resource(
            r#"{"A":{"@odata.id":"https://10.0.0.7/redfish/v1/A"},"B":{"@odata.id":"https://evil/redfish/v1/A"},
                "L":[{"@odata.id":"/redfish/v1/1"},{"@odata.id":"/redfish/v1/1/"},null,{"@odata.id":7},"/redfish/v1/2"],
                "target":"https://10.0.0.7:443/redfish/v1/T"}"#,
        );
        assert_eq!(r.link("/A").as_deref(), Some("/redfish/v1/A"));
        assert_eq!(r.link("/B"), None);
        assert_eq!(r.links("/L"), ["/redfish/v1/1", "/redfish/v1/2"]);
        assert_eq!(r.link("/target").as_deref(), Some("/redfish/v1/T"));
    }

    #[test]
    fn the_tag_of_the_header_counts_first() {
        let body = br#"{"@odata.etag":"W/\"b\""}"#;
        let of = |tag| Resource::decode("/x", tag, body, "").unwrap().etag;
        assert_eq!(of(Some("\"h\"")).as_deref(), Some("\"h\""));
        assert_eq!(of(None).as_deref(), Some("W/\"b\""));
        assert_eq!(of(Some("a\r\nb")), None);
    }
}
