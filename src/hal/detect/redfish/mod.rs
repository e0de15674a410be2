//! What an answer to `GET /redfish/v1/` is: a service root, a redirect, or something else, in words.
//!
//! Pure: bytes in, verdict out, bounded in depth and size by the JSON parser and by the HTTP client.

pub mod run;

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use crate::hal::transport::http::Reply;

/// Where the service root is, and where some have it instead.
pub const PATHS: [&str; 2] = ["/redfish/v1/", "/redfish/v1"];

/// Longest text of a service that is kept.
const MAX_TEXT: usize = 128;

/// What the service root says to everybody.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServiceRoot {
    /// `RedfishVersion`.
    pub version: Option<String>,
    /// `Vendor`.
    pub vendor: Option<String>,
    /// `Product`.
    pub product: Option<String>,
    /// `UUID`.
    pub uuid: Option<String>,
    /// Keys of `Oem`, sorted.
    pub oem: Vec<String>,
}

/// What an answer means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// A Redfish service.
    Root(ServiceRoot),
    /// The service root is at this path of the same server.
    MovedTo(String),
    /// Not here; the other spelling of the path may work.
    NotHere(String),
    /// Something else, in words.
    Other(String),
}

/// Judges an answer. `base` is `scheme://host:port` of the request.
pub fn interpret(base: &str, reply: &Reply) -> Verdict {
    let status = reply.status;
    match status {
        200..=299 => match parse_root(&reply.body) {
            Ok(root) => Verdict::Root(root),
            Err(words) => Verdict::Other(words),
        },
        301 | 302 | 303 | 307 | 308 => redirect(base, status, reply.location.as_deref()),
        401 | 403 => Verdict::Other(format!(
            "HTTP {status}: the service root wants a login, which Redfish does not allow"
        )),
        404 | 405 | 410 => Verdict::NotHere(format!("HTTP {status}: no Redfish service root")),
        500..=599 => Verdict::Other(format!(
            "HTTP {status}: the web server has an error (a BMC that has just started needs minutes)"
        )),
        _ => Verdict::Other(format!("HTTP {status}: no Redfish service root")),
    }
}

/// A redirect is only followed on the same server: whoever answers elsewhere is another machine.
fn redirect(base: &str, status: u16, location: Option<&str>) -> Verdict {
    let Some(location) = location.map(str::trim).filter(|l| !l.is_empty()) else {
        return Verdict::Other(format!("HTTP {status}: a redirect without a location"));
    };
    let path = if location.starts_with('/') && !location.starts_with("//") {
        Some(location)
    } else {
        let same = location
            .get(..base.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(base));
        let implied = without_default_port(base).filter(|short| {
            location
                .get(..short.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(short))
        });
        let rest = if same {
            location.get(base.len()..)
        } else {
            implied.and_then(|short| location.get(short.len()..))
        };
        rest.filter(|rest| rest.starts_with('/'))
    };
    match path {
        Some(path) if path.contains("/redfish") && path.is_ascii() && path.len() < 256 => {
            Verdict::MovedTo(path.split(['?', '#']).next().unwrap_or(path).to_owned())
        }
        _ => Verdict::Other(format!(
            "HTTP {status}: redirects to {}, which is not followed",
            clean(location)
        )),
    }
}

fn without_default_port(base: &str) -> Option<&str> {
    if base.starts_with("https://") {
        base.strip_suffix(":443")
    } else {
        base.strip_suffix(":80")
    }
}

/// Reads a service root, or says what the body is instead.
pub fn parse_root(body: &[u8]) -> Result<ServiceRoot, String> {
    // Some send a byte order mark.
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let trimmed = body.trim_ascii();
    if trimmed.is_empty() {
        return Err("an empty answer, no Redfish service root".to_owned());
    }
    if trimmed.first() == Some(&b'<') {
        return Err("a web page (HTML), no Redfish service root".to_owned());
    }
    let fields: Fields = serde_json::from_slice(trimmed)
        .map_err(|e| format!("the answer is no JSON object ({e}), no Redfish service root"))?;
    let text = |value: &Option<Value>| match value {
        Some(Value::String(text)) => Some(clean(text)).filter(|t| !t.is_empty()),
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    let root = ServiceRoot {
        version: text(&fields.version),
        vendor: text(&fields.vendor),
        product: text(&fields.product),
        uuid: text(&fields.uuid),
        oem: match fields.oem {
            Some(Value::Object(map)) => map.keys().map(|k| clean(k)).collect(),
            _ => Vec::new(),
        },
    };
    let typed = matches!(&fields.kind, Some(Value::String(t)) if t.contains("ServiceRoot"));
    if root.version.is_none() && !typed {
        return Err("JSON, but no Redfish service root".to_owned());
    }
    Ok(root)
}

/// Text of a stranger made fit to print: one line, no control characters, not long.
pub fn clean(text: &str) -> String {
    text.trim()
        .chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .take(MAX_TEXT)
        .collect()
}

/// The members that are wanted; all others are skipped without being built. Of duplicates the last counts, and a
/// wrong type costs the field only.
#[derive(Default)]
struct Fields {
    kind: Option<Value>,
    version: Option<Value>,
    vendor: Option<Value>,
    product: Option<Value>,
    uuid: Option<Value>,
    oem: Option<Value>,
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Fields, M::Error> {
        let mut fields = Fields::default();
        while let Some(key) = map.next_key::<std::borrow::Cow<'_, str>>()? {
            let slot = match key.as_ref() {
                "@odata.type" => &mut fields.kind,
                "RedfishVersion" => &mut fields.version,
                "Vendor" => &mut fields.vendor,
                "Product" => &mut fields.product,
                "UUID" => &mut fields.uuid,
                "Oem" => &mut fields.oem,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            *slot = Some(map.next_value()?);
        }
        Ok(fields)
    }
}

#[cfg(test)]
mod tests;
