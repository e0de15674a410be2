//! What an import reads: an export of ours (YAML or JSON), or a list of MACs with shipped credentials (YAML, JSON or
//! CSV). A row that is wrong is named with its line and field; the good ones are kept.

use std::collections::HashMap;
use std::net::IpAddr;

use serde_json::{Map, Value};

use super::csv;
use super::vault::{Recipe, Vault};
use crate::applets::common::exit::Failure;
use crate::applets::common::output;
use crate::hal::model::{DriverName, MacAddr, Secret};

/// What the file says of one BMC. Absent: nothing.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) line: usize,
    pub(super) mac: MacAddr,
    pub(super) address: Option<IpAddr>,
    /// Its address is a lease's: not an operator's.
    pub(super) leased: bool,
    pub(super) driver: Option<DriverName>,
    pub(super) only: bool,
    pub(super) machine_id: Option<String>,
    pub(super) console_url: Option<String>,
    pub(super) partition: Option<String>,
    pub(super) ipmi: Access,
    pub(super) redfish: Access,
}

/// How to log in over one protocol.
#[derive(Debug, Default, Clone)]
pub(super) struct Access {
    pub(super) user: Option<String>,
    pub(super) password: Option<Secret>,
    pub(super) port: Option<u16>,
    pub(super) kg: Option<Secret>,
    pub(super) url: Option<String>,
}

/// A row that cannot be taken.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Bad {
    pub(super) line: usize,
    pub(super) mac: Option<String>,
    pub(super) field: String,
    pub(super) why: String,
}

/// All that is in a file.
#[derive(Debug, Default)]
pub(super) struct File {
    pub(super) rows: Vec<Row>,
    pub(super) bad: Vec<Bad>,
}

/// One entry before it is understood.
struct Entry {
    line: usize,
    text: String,
    value: Result<Value, (usize, String)>,
}

/// Fields of a list; those of an export are below `ipmi` and `redfish`.
const FIELDS: [&str; 20] = [
    "mac",
    "address",
    "ip",
    "user",
    "password",
    "driver",
    "policy",
    "machine_id",
    "partition",
    "leased",
    "ipmi",
    "redfish",
    "ipmi_user",
    "ipmi_password",
    "ipmi_port",
    "redfish_user",
    "redfish_password",
    "redfish_port",
    "redfish_url",
    "console_url",
];

/// Reads a file. `passphrase` is asked for when there are sealed secrets.
pub(super) fn read(
    text: &str,
    passphrase: impl FnOnce() -> Result<Secret, Failure>,
) -> Result<File, Failure> {
    let text = text.trim_start_matches('\u{feff}');
    let first = text
        .lines()
        .map(str::trim)
        .find(|l| !l.is_empty() && !l.starts_with('#'))
        .ok_or_else(|| Failure::usage("there is nothing in it"))?;
    let key = |line: &str| {
        let word = line.split(':').next().unwrap_or_default();
        let plain = word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        plain && !word.is_empty() && line.contains(':')
    };
    let (recipe, entries) = if first.starts_with(['{', '[']) {
        match serde_json::from_str(text) {
            Ok(document) => json(text, &document)?,
            // YAML in flow style begins like that, too.
            Err(e) => yaml(text).map_err(|_| Failure::usage(format!("line {}: {e}", e.line())))?,
        }
    } else if first.starts_with('-') || key(first) {
        yaml(text)?
    } else {
        (None, from_csv(text)?)
    };
    let vault = match recipe {
        Some(recipe) => Some(Vault::open_with(&passphrase()?, &recipe)?),
        None => None,
    };
    let mut file = File::default();
    let mut lines: HashMap<MacAddr, usize> = HashMap::new();
    for entry in entries {
        match row(&entry, vault.as_ref()) {
            Ok(row) => {
                if let Some(first) = lines.get(&row.mac) {
                    let why = format!("{} stands in line {first} already", row.mac);
                    file.bad.push(entry.bad("mac", why));
                } else {
                    lines.insert(row.mac, row.line);
                    file.rows.push(row);
                }
            }
            Err((field, why)) => {
                let bad = entry.bad(&field, why);
                file.bad.push(bad);
            }
        }
    }
    Ok(file)
}

impl Entry {
    fn bad(&self, field: &str, why: String) -> Bad {
        let mac = self.value.as_ref().ok().and_then(|v| v.get("mac"));
        let line = match &self.value {
            Err((line, _)) => *line,
            Ok(_) => self.line + self.offset(field),
        };
        Bad {
            line,
            mac: mac.and_then(Value::as_str).map(str::to_owned),
            field: field.to_owned(),
            why,
        }
    }

    /// How far below the first line of the entry a field stands.
    fn offset(&self, field: &str) -> usize {
        let mut from = 0;
        let mut found = 0;
        for key in field.split('.') {
            let at = self.text.lines().skip(from).position(|line| {
                let line = line.trim_start_matches(['-', ' ', '{', '"', '\'']);
                line.strip_prefix(key)
                    .is_some_and(|rest| rest.trim_start_matches(['"', '\'', ' ']).starts_with(':'))
            });
            let Some(at) = at else { return found };
            found = from + at;
            from = found;
        }
        found
    }
}

type Entries = (Option<Recipe>, Vec<Entry>);

fn header(document: &Value) -> Result<Option<Recipe>, Failure> {
    let Some(map) = document.as_object() else {
        return Ok(None);
    };
    for key in map.keys() {
        if !["format", "version", "secrets", "bmcs"].contains(&key.as_str()) {
            return Err(Failure::usage(format!("{key}: not known here"))
                .hint("a list of BMCs, or what halbox bmc export has written"));
        }
    }
    if map.get("version").is_some_and(|v| *v != 1) {
        return Err(Failure::usage("version: a newer halbox has written this"));
    }
    match map.get("secrets") {
        None | Some(Value::Null) => Ok(None),
        Some(value) => serde_json::from_value(value.clone())
            .map(Some)
            .map_err(|e| Failure::usage(format!("secrets: {e}"))),
    }
}

fn json(text: &str, document: &Value) -> Result<Entries, Failure> {
    let recipe = header(document)?;
    let list = document.get("bmcs").unwrap_or(document);
    let list = list
        .as_array()
        .ok_or_else(|| Failure::usage("bmcs: not a list"))?;
    let lines: Vec<&str> = text.lines().collect();
    let mut entries = Vec::new();
    let mut from = 0;
    for value in list {
        // The line of an entry is that of its MAC.
        let mac = value.get("mac").and_then(Value::as_str).unwrap_or("\u{0}");
        let rest = lines.get(from..).unwrap_or_default();
        from += rest.iter().position(|l| l.contains(mac)).unwrap_or(0);
        let rest = lines.get(from..).unwrap_or_default();
        let rest = rest.get(..40).unwrap_or(rest);
        entries.push(Entry {
            line: from + 1,
            text: rest.join("\n"),
            value: Ok(value.clone()),
        });
    }
    Ok((recipe, entries))
}

/// A list in block style is read entry by entry, so that a broken one does not take the others with it.
fn yaml(text: &str) -> Result<Entries, Failure> {
    let item = |line: &str| line.trim_start().starts_with("- ") || line.trim() == "-";
    let indent = |line: &str| line.len() - line.trim_start().len();
    let Some(first) = text.lines().position(item) else {
        // Flow style, or no list at all.
        let document: Value = output::from_yaml(text).map_err(Failure::usage)?;
        let recipe = header(&document)?;
        let list = document.get("bmcs").unwrap_or(&document);
        let list = list.as_array().cloned().unwrap_or_default();
        if list.is_empty() && document.get("bmcs").is_none() {
            return Err(Failure::usage("there is no list of BMCs in it"));
        }
        let entry = |value| Entry {
            line: 1,
            text: text.to_owned(),
            value: Ok(value),
        };
        return Ok((recipe, list.into_iter().map(entry).collect()));
    };
    let lines: Vec<&str> = text.lines().collect();
    let (head, body) = lines.split_at(first);
    let head = head.join("\n");
    let recipe = if head
        .lines()
        .all(|l| l.trim().is_empty() || l.trim().starts_with('#') || l == "---")
    {
        None
    } else {
        header(&output::from_yaml(&head).map_err(Failure::usage)?)?
    };
    let depth = body.first().map_or(0, |l| indent(l));
    let mut entries: Vec<Entry> = Vec::new();
    for (number, line) in body.iter().enumerate() {
        if item(line) && indent(line) == depth {
            entries.push(Entry {
                line: first + number + 1,
                text: String::new(),
                value: Ok(Value::Null),
            });
        }
        if let Some(entry) = entries.last_mut() {
            entry.text.push_str(line);
            entry.text.push('\n');
        }
    }
    for entry in &mut entries {
        entry.value = match output::from_yaml_at::<Vec<Value>>(&entry.text) {
            Ok(mut list) => Ok(list.pop().unwrap_or_default()),
            Err((line, why)) => Err((entry.line + line.saturating_sub(1), why)),
        };
    }
    Ok((recipe, entries))
}

fn from_csv(text: &str) -> Result<Vec<Entry>, Failure> {
    let lines = csv::read(text).map_err(|(n, why)| Failure::usage(format!("line {n}: {why}")))?;
    let mut lines = lines.into_iter();
    let head = lines.next().map(|l| l.cells).unwrap_or_default();
    let head: Vec<String> = head
        .iter()
        .map(|name| name.to_ascii_lowercase().replace(['-', ' '], "_"))
        .collect();
    let hint = "the first line names the columns: mac,user,password,driver";
    for name in &head {
        if !FIELDS.contains(&name.as_str()) || ["ipmi", "redfish"].contains(&name.as_str()) {
            return Err(Failure::usage(format!("line 1: there is no column '{name}'")).hint(hint));
        }
    }
    if !head.iter().any(|h| h == "mac") {
        return Err(Failure::usage("line 1: there is no column mac").hint(hint));
    }
    let entry = |line: csv::Line| {
        let value = if line.cells.len() > head.len() {
            let (has, wants) = (line.cells.len(), head.len());
            Err((line.number, format!("{has} cells under {wants} columns")))
        } else {
            let cells = head.iter().cloned().zip(line.cells);
            let cells = cells.filter(|(_, cell)| !cell.is_empty());
            Ok(Value::Object(
                cells.map(|(k, v)| (k, Value::String(v))).collect(),
            ))
        };
        Entry {
            line: line.number,
            text: String::new(),
            value,
        }
    };
    Ok(lines.map(entry).collect())
}

/// A field and why it cannot be taken.
type Wrong = (String, String);

fn wrong(field: &str, why: impl Into<String>) -> Wrong {
    (field.to_owned(), why.into())
}

fn row(entry: &Entry, vault: Option<&Vault>) -> Result<Row, Wrong> {
    let value = entry
        .value
        .as_ref()
        .map_err(|(_, why)| wrong("entry", why.as_str()))?;
    let map = value
        .as_object()
        .ok_or_else(|| wrong("entry", "not a BMC: mac and what belongs to it"))?;
    if let Some(key) = map.keys().find(|k| !FIELDS.contains(&k.as_str())) {
        return Err(wrong(key, "not known here"));
    }
    let mac: MacAddr = text(map, "", "mac")?
        .ok_or_else(|| wrong("mac", "missing"))?
        .parse()
        .map_err(|e: String| wrong("mac", e))?;
    if !mac.is_usable() {
        return Err(wrong("mac", format!("{mac} cannot be the MAC of a BMC")));
    }
    let ip = if map.contains_key("ip") {
        "ip"
    } else {
        "address"
    };
    let address = match text(map, "", ip)? {
        Some(text) => Some(
            text.parse()
                .map_err(|_| wrong(ip, format!("'{text}' is no address")))?,
        ),
        None => None,
    };
    let driver = match text(map, "", "driver")? {
        Some(text) => Some(text.parse().map_err(|e: String| wrong("driver", e))?),
        None => None,
    };
    let only = match text(map, "", "policy")?.as_deref() {
        None | Some("prefer") => false,
        Some("only") if driver.is_some() => true,
        Some("only") => return Err(wrong("policy", "only goes with a driver")),
        Some(other) => return Err(wrong("policy", format!("'{other}' is not prefer or only"))),
    };
    let machine_id = text(map, "", "machine_id")?;
    if let Some(id) = &machine_id
        && (id.len() != 36 || id.split('-').map(str::len).ne([8, 4, 4, 4, 12]))
    {
        return Err(wrong("machine_id", format!("'{id}' is no UUID")));
    }
    let mut row = Row {
        line: entry.line,
        mac,
        address,
        leased: map.get("leased").and_then(Value::as_bool).unwrap_or(false),
        driver,
        only,
        machine_id,
        partition: text(map, "", "partition")?,
        console_url: text(map, "", "console_url")?,
        ipmi: access(map, "ipmi", mac, vault)?,
        redfish: access(map, "redfish", mac, vault)?,
    };
    // Shipped credentials are those of the BMC, over whichever protocol; IPMI takes them when they are not too long.
    let user = text(map, "", "user")?;
    let password = secret(map, "", "password", mac, vault)?;
    if let Some(user) = user {
        let fits = user.len() <= 16 && password.as_ref().is_none_or(|p| p.len() <= 20);
        if fits && row.ipmi.user.is_none() {
            row.ipmi.user = Some(user.clone());
            row.ipmi.password.clone_from(&password);
        }
        if row.redfish.user.is_none() {
            row.redfish.user = Some(user);
            row.redfish.password = password;
        }
    } else if password.is_some() {
        return Err(wrong("password", "without a user"));
    }
    check(&row)?;
    Ok(row)
}

/// What the daemon would refuse.
fn check(row: &Row) -> Result<(), Wrong> {
    let too_long = |what: &str, len: usize, most: usize| {
        wrong(what, format!("{len} bytes; IPMI takes {most}"))
    };
    for (name, access) in [("ipmi", &row.ipmi), ("redfish", &row.redfish)] {
        if access.user.is_none() && (access.password.is_some() || access.kg.is_some()) {
            return Err(wrong(&format!("{name}.password"), "without a user"));
        }
    }
    if let Some(user) = row.ipmi.user.as_ref().filter(|u| u.len() > 16) {
        return Err(too_long("ipmi.user", user.len(), 16));
    }
    for (field, secret) in [
        ("ipmi.password", &row.ipmi.password),
        ("ipmi.kg", &row.ipmi.kg),
    ] {
        if let Some(secret) = secret.as_ref().filter(|s| s.len() > 20) {
            return Err(too_long(field, secret.len(), 20));
        }
    }
    if let Some(url) = &row.redfish.url {
        crate::hal::detect::parse_url(url).map_err(|e| wrong("redfish.url", e.chain()))?;
    }
    Ok(())
}

/// `ipmi: {user: …}` or `ipmi_user`.
fn access(
    map: &Map<String, Value>,
    name: &str,
    mac: MacAddr,
    vault: Option<&Vault>,
) -> Result<Access, Wrong> {
    let nested = match map.get(name) {
        None | Some(Value::Null) => None,
        Some(Value::Object(inner)) => Some(inner),
        Some(_) => return Err(wrong(name, "user, password, port")),
    };
    let flat: Map<String, Value> = map
        .iter()
        .filter_map(|(k, v)| {
            let key = k.strip_prefix(name)?.strip_prefix('_')?;
            Some((key.to_owned(), v.clone()))
        })
        .collect();
    let inner = nested.unwrap_or(&flat);
    let allowed: &[&str] = match name {
        "ipmi" => &["user", "password", "port", "kg"],
        _ => &["user", "password", "port", "url"],
    };
    if let Some(key) = inner.keys().find(|k| !allowed.contains(&k.as_str())) {
        return Err(wrong(&format!("{name}.{key}"), "not known here"));
    }
    let port = match inner.get("port") {
        None | Some(Value::Null) => None,
        Some(value) => {
            let number = match value {
                Value::String(text) => text.parse().ok(),
                other => other.as_u64(),
            };
            let port = number
                .and_then(|n| u16::try_from(n).ok())
                .filter(|p| *p > 0);
            Some(port.ok_or_else(|| wrong(&format!("{name}.port"), format!("{value} is no port")))?)
        }
    };
    Ok(Access {
        user: text(inner, name, "user")?,
        password: secret(inner, name, "password", mac, vault)?,
        port,
        kg: secret(inner, name, "kg", mac, vault)?,
        url: text(inner, name, "url")?,
    })
}

fn path(prefix: &str, key: &str) -> String {
    if prefix.is_empty() {
        key.to_owned()
    } else {
        format!("{prefix}.{key}")
    }
}

fn text(map: &Map<String, Value>, prefix: &str, key: &str) -> Result<Option<String>, Wrong> {
    match map.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone()).filter(|t| !t.is_empty())),
        // 0123 and 1e3 would not be what was written.
        Some(other) => Err(wrong(
            &path(prefix, key),
            format!("{} is not text; put it in quotes", kind(other)),
        )),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Bool(_) => "a yes or no",
        Value::Number(_) => "a number",
        Value::Array(_) => "a list",
        _ => "a map",
    }
}

/// A password as it stands, or `{sealed: …}` of an export.
fn secret(
    map: &Map<String, Value>,
    prefix: &str,
    key: &str,
    mac: MacAddr,
    vault: Option<&Vault>,
) -> Result<Option<Secret>, Wrong> {
    let field = path(prefix, key);
    let Some(Value::Object(inner)) = map.get(key) else {
        return Ok(text(map, prefix, key)?.map(Secret::new));
    };
    let sealed = inner.get("sealed").and_then(Value::as_str);
    let sealed = sealed.ok_or_else(|| wrong(&field, "neither text nor sealed"))?;
    let vault = vault.ok_or_else(|| wrong(&field, "sealed, and the file does not say how"))?;
    let open = vault.open(&mac.to_string(), &field, sealed);
    open.map(Some).map_err(|why| wrong(&field, why))
}

#[cfg(test)]
mod tests;
