//! The configuration's file: what may stand in it, and where in it something stands.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::applets::common::exit::Failure;
use crate::applets::common::output;

/// The file as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Document {
    pub(super) state_dir: Option<PathBuf>,
    pub(super) socket: Option<PathBuf>,
    pub(super) socket_group: Option<String>,
    pub(super) listen: Option<String>,
    pub(super) tls_cert: Option<PathBuf>,
    pub(super) tls_key: Option<PathBuf>,
    pub(super) tls_client_ca: Option<PathBuf>,
    pub(super) roles: Option<BTreeMap<String, String>>,
    pub(super) calls_per_second: Option<u32>,
    pub(super) log_level: Option<String>,
    pub(super) http: Option<String>,
    pub(super) key_file: Option<PathBuf>,
    pub(super) lease_files: Option<Vec<PathBuf>>,
    pub(super) networks: Option<Vec<String>>,
    pub(super) ignored_macs: Option<Vec<String>>,
    #[serde(rename = "static")]
    pub(super) fixed: Option<Vec<Fixed>>,
    pub(super) refresh: Option<String>,
    pub(super) partition: Option<String>,
    pub(super) ipmi_port: Option<u16>,
    pub(super) redfish_port: Option<u16>,
    pub(super) console: Option<ConsoleDocument>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct ConsoleDocument {
    pub(super) log: Option<String>,
    pub(super) log_size: Option<String>,
    pub(super) log_total: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fixed {
    pub(super) mac: String,
    pub(super) ip: String,
}

/// The file and its text.
pub(super) fn load(path: &Path) -> Result<(Document, String), Failure> {
    let failed = |e: &dyn std::fmt::Display| Failure::usage(format!("{}: {e}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|e| failed(&e))?;
    if text.trim().is_empty() {
        return Ok((Document::default(), text));
    }
    let document = output::from_yaml(&text).map_err(|e| failed(&e))?;
    Ok((document, text))
}

/// The line of `text` in which `field` has the value that `why` quotes; `a.b` is a key below another.
pub(super) fn line_of(text: &str, field: &str, why: &str) -> Option<usize> {
    let value = why.split('\'').nth(1).filter(|v| !v.is_empty())?;
    let (top, key) = field.split_once('.').unwrap_or((field, field));
    let is_key = |line: &str, key: &str| {
        line.match_indices(key).any(|(at, _)| {
            let before = line[..at].chars().next_back();
            let after = line[at + key.len()..].trim_start_matches(['"', '\'']);
            before.is_none_or(|c| !c.is_alphanumeric() && c != '-')
                && after.trim_start().starts_with(':')
        })
    };
    // The whole value, not the beginning of another.
    let inside = |c: char| c.is_alphanumeric() || ":./-".contains(c);
    let has = |line: &str, value: &str| {
        line.match_indices(value).any(|(at, _)| {
            let after = line[at + value.len()..].chars().next();
            !line[..at].ends_with(inside) && !after.is_some_and(inside)
        })
    };
    let mut lines = text.lines().enumerate();
    lines
        .find(|(_, line)| {
            line.starts_with(['"', '\'', '{']) && is_key(line, top)
                || line.starts_with(top) && is_key(line, top)
        })
        .into_iter()
        .chain(
            lines.take_while(|(_, line)| {
                !line.starts_with(|c: char| c.is_alphanumeric() || c == '"')
            }),
        )
        .find(|(_, line)| has(line, value) && (top == key || is_key(line, key)))
        .map(|(n, _)| n + 1)
}
