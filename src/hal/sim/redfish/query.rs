//! Query parameters: $expand, $select, only, $top, $skip.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::http::Refusal;
use super::messages::Message;
use super::place::Place;
use super::read::{PAGE, View};

/// Deepest $levels.
pub const MAX_LEVELS: u32 = 3;
/// Most resources that one answer holds.
const MAX_RESOURCES: usize = 2000;

/// Which links are expanded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Links {
    /// Those outside of Links (`.`).
    Own,
    /// Those in Links (`~`).
    Other,
    /// All (`*`).
    All,
}

/// A query.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    expand: Option<(Links, u32)>,
    select: Option<BTreeSet<String>>,
    only: bool,
    top: Option<usize>,
    skip: usize,
}

/// Bytes that are written as %XX, and blanks that are written as +.
fn decode(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'+' => out.push(b' '),
            b'%' => {
                let mut digit = || {
                    bytes
                        .next()
                        .and_then(|b| char::from(b).to_digit(16))
                        .unwrap_or(0)
                };
                let (high, low) = (digit(), digit());
                out.push((high << 4 | low) as u8);
            }
            other => out.push(other),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

impl Query {
    /// Reads a query. Parameters that begin with `$` and are not known are refused, others are passed over.
    pub fn parse(text: &str, queries: bool) -> Result<Self, Refusal> {
        let mut out = Self::default();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decode(name), decode(value));
            let bad = || {
                Refusal::new(
                    400,
                    Message::base("QueryParameterValueTypeError", &[&value, &name]),
                )
            };
            match name.as_str() {
                "$top" => out.top = Some(value.parse().map_err(|_| bad())?),
                "$skip" => out.skip = value.parse().map_err(|_| bad())?,
                "$expand" if queries => out.expand = Some(expansion(&value).ok_or_else(bad)?),
                "$select" if queries && !value.is_empty() => {
                    out.select = Some(value.split(',').map(|p| p.trim().to_owned()).collect());
                }
                "$select" if queries => return Err(bad()),
                "only" if queries && !value.is_empty() => return Err(bad()),
                "only" if queries => out.only = true,
                name if name.starts_with('$') => {
                    return Err(Refusal::new(501, Message::base("QueryNotSupported", &[])));
                }
                _ => {}
            }
        }
        Ok(out)
    }

    /// The resource at `place` as the query wants it.
    pub fn apply(&self, v: &View<'_>, place: Place) -> Result<Option<Value>, Refusal> {
        let on_collection = place.is_collection();
        let refused = || Refusal::new(400, Message::base("QueryNotSupportedOnResource", &[]));
        if !on_collection && (self.only || self.top.is_some() || self.skip > 0) {
            return Err(refused());
        }
        if self.only && (self.expand.is_some() || self.select.is_some()) {
            return Err(refused());
        }
        let mut value = if on_collection {
            let most = if place == Place::LogEntries {
                PAGE
            } else {
                usize::MAX
            };
            let count = self.top.unwrap_or(most).min(most);
            v.collection(place, self.skip, count)
        } else {
            match v.resource(place) {
                Some(value) => value,
                None => return Ok(None),
            }
        };
        if self.only
            && let [member] = place.members(v.server, v.d).as_slice()
            && let Some(resource) = v.resource(*member)
        {
            value = resource;
        }
        if let Some((links, levels)) = self.expand {
            let mut left = MAX_RESOURCES;
            expand(v, &mut value, links, levels, false, &mut left);
        }
        if let Some(wanted) = &self.select {
            value = select(value, wanted, "");
        }
        Ok(Some(value))
    }
}

/// `.`, `*`, `~`, with or without `($levels=N)`.
fn expansion(text: &str) -> Option<(Links, u32)> {
    let (kind, rest) = text.split_at_checked(1)?;
    let links = match kind {
        "." => Links::Own,
        "~" => Links::Other,
        "*" => Links::All,
        _ => return None,
    };
    if rest.is_empty() {
        return Some((links, 1));
    }
    let levels = rest.strip_prefix("($levels=")?.strip_suffix(')')?;
    let levels: u32 = levels.parse().ok()?;
    (levels >= 1).then_some((links, levels.min(MAX_LEVELS)))
}

/// Puts resources in place of links to them.
fn expand(
    v: &View<'_>,
    value: &mut Value,
    links: Links,
    levels: u32,
    in_links: bool,
    left: &mut usize,
) {
    match value {
        Value::Object(map) => {
            for (name, inner) in map.iter_mut() {
                let inside = in_links || name == "Links";
                let wanted = match links {
                    Links::Own => !inside,
                    Links::Other => inside,
                    Links::All => true,
                };
                if wanted && let Some(found) = linked(v, inner, left) {
                    *inner = found;
                    if levels > 1 {
                        expand(v, inner, links, levels - 1, false, left);
                    }
                } else if !name.starts_with('@') {
                    expand(v, inner, links, levels, inside, left);
                }
            }
        }
        Value::Array(list) => {
            for inner in list {
                let wanted = links == Links::All || (links == Links::Other) == in_links;
                if wanted && let Some(found) = linked(v, inner, left) {
                    *inner = found;
                    if levels > 1 {
                        expand(v, inner, links, levels - 1, false, left);
                    }
                } else {
                    expand(v, inner, links, levels, in_links, left);
                }
            }
        }
        _ => {}
    }
}

/// The resource that a bare link points to.
fn linked(v: &View<'_>, value: &Value, left: &mut usize) -> Option<Value> {
    let map = value.as_object().filter(|map| map.len() == 1)?;
    let uri = map.get("@odata.id")?.as_str()?;
    let place = Place::find(v.server, v.d, uri)?;
    *left = left.checked_sub(1)?;
    v.resource(place)
}

/// Keeps the properties in `wanted` (`Status/Health`) and the required annotations.
fn select(value: Value, wanted: &BTreeSet<String>, prefix: &str) -> Value {
    let Value::Object(map) = value else {
        return value;
    };
    let mut out = Map::new();
    for (name, inner) in map {
        let path = format!("{prefix}{name}");
        let below = format!("{path}/");
        let kept = wanted.contains(&path) || name.starts_with("@odata");
        let annotates = name
            .split_once('@')
            .is_some_and(|(of, _)| !of.is_empty() && wanted.contains(&format!("{prefix}{of}")));
        if kept || annotates {
            out.insert(name, inner);
        } else if wanted.iter().any(|w| w.starts_with(&below)) {
            out.insert(name, select(inner, wanted, &below));
        }
    }
    Value::Object(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_read_or_refused() {
        let query = Query::parse("$expand=.(%24levels=2)&$select=Id,Name&x=1", true).unwrap();
        assert_eq!(query.expand, Some((Links::Own, 2)));
        assert_eq!(query.select.unwrap().len(), 2);
        assert_eq!(Query::parse("$filter=x", true).unwrap_err().status, 501);
        assert_eq!(Query::parse("$expand=.", false).unwrap_err().status, 501);
        assert_eq!(Query::parse("$skip=x", true).unwrap_err().status, 400);
        assert_eq!(Query::parse("$expand=?", true).unwrap_err().status, 400);
        assert_eq!(Query::parse("$skip=3&$top=2", false).unwrap().skip, 3);
    }
}
