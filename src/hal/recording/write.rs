//! Writing a recording.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::entry::{Body, IpmiAnswer, Recording, RedfishAnswer};
use crate::hal::error::{Error, Kind, Result};

/// The text of a file.
pub fn render(recording: &Recording) -> String {
    let mut lines = Vec::with_capacity(1 + recording.redfish.len() + recording.ipmi.len());
    // A struct of strings and numbers always has a JSON form.
    lines.push(serde_json::to_string(&recording.heading).unwrap_or_default());
    lines.extend(recording.redfish.iter().map(|a| redfish(a).to_string()));
    lines.extend(recording.ipmi.iter().map(|a| ipmi(a).to_string()));
    lines.push(String::new());
    lines.join("\n")
}

fn redfish(answer: &RedfishAnswer) -> Value {
    let mut line = json!({ "redfish": answer.path, "status": answer.status });
    let Some(map) = line.as_object_mut() else {
        return line;
    };
    if !answer.headers.is_empty() {
        let headers: Map<String, Value> = answer
            .headers
            .iter()
            .map(|(name, value)| (name.clone(), json!(value)))
            .collect();
        map.insert("headers".to_owned(), Value::Object(headers));
    }
    match &answer.body {
        Body::None => None,
        Body::Json(json) => map.insert("json".to_owned(), json.clone()),
        Body::Text(text) => map.insert("text".to_owned(), json!(text)),
    };
    line
}

fn ipmi(answer: &IpmiAnswer) -> Value {
    let mut line = json!({ "ipmi": format!("{:02x} {:02x}", answer.netfn, answer.cmd) });
    let Some(map) = line.as_object_mut() else {
        return line;
    };
    if answer.lun != 0 {
        map.insert("lun".to_owned(), json!(answer.lun));
    }
    if let Some((channel, address)) = answer.bridged {
        map.insert("bridged".to_owned(), json!([channel, address]));
    }
    map.insert("data".to_owned(), json!(hex(&answer.data)));
    map.insert("code".to_owned(), json!(answer.code));
    map.insert("reply".to_owned(), json!(hex(&answer.reply)));
    line
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Writes the file anew, readable by its owner only: a recording names machines and addresses.
pub fn save(recording: &Recording, path: &Path) -> Result<()> {
    let failed = |e: io::Error| {
        Error::new(Kind::Config, format!("writing {}", path.display())).with_source(e)
    };
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .map_err(failed)?;
    file.write_all(render(recording).as_bytes()).map_err(failed)
}
