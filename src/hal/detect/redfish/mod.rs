//! What an answer to `GET /redfish/v1/` is: a service root, a redirect, or something else, in words.
//!
//! Pure: bytes in, verdict out, bounded in depth and size by the JSON parser and by the HTTP client.

pub mod run;

use serde_json::Value;

use crate::hal::redfish::{Resource, json, path};
use crate::hal::transport::http::Reply;

/// Where the service root is, and where some have it instead.
pub const PATHS: [&str; 2] = ["/redfish/v1/", "/redfish/v1"];

/// Longest text of a service that is kept.
const MAX_TEXT: usize = 128;

/// Values that a service root may have: real ones have a hundred or two, and many are read at once.
const MAX_VALUES: usize = 20_000;

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
    let path = path::clean(location, base);
    match path {
        Some(path) if path.contains("/redfish") && path.len() < 256 => {
            Verdict::MovedTo(path.split('?').next().unwrap_or(&path).to_owned())
        }
        _ => Verdict::Other(format!(
            "HTTP {status}: redirects to {}, which is not followed",
            clean(location)
        )),
    }
}

/// Reads a service root, or says what the body is instead.
pub fn parse_root(body: &[u8]) -> Result<ServiceRoot, String> {
    let read = json::decode_within(body, MAX_VALUES)
        .and_then(|json| Resource::of_object(PATHS[0], None, json))
        .map_err(|words| format!("{words}, no Redfish service root"))?;
    let text = |key| match read.json.get(key) {
        Some(Value::String(text)) => Some(clean(text)).filter(|t| !t.is_empty()),
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    let root = ServiceRoot {
        version: text("RedfishVersion"),
        vendor: text("Vendor"),
        product: text("Product"),
        uuid: text("UUID"),
        oem: match read.json.get("Oem") {
            Some(Value::Object(map)) => map.keys().map(|k| clean(k)).collect(),
            _ => Vec::new(),
        },
    };
    let typed = read
        .str("/@odata.type")
        .is_some_and(|t| t.contains("ServiceRoot"));
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

#[cfg(test)]
mod tests;
