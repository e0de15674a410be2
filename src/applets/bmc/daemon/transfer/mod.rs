//! `bmc export` and `bmc import`: what operators gave to the table, in a file and back; and lists of shipped credentials.

mod csv;
mod import;
mod read;
mod vault;

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use serde_json::{Map, Value, json};

use super::{rows, select, with_daemon};
use crate::api::convert::{driver_name, secret_of};
use crate::api::proto;
use crate::applets::common::credentials::first_line;
use crate::applets::common::exit::Failure;
use crate::applets::common::output::{self, Output};
use crate::applets::common::tty;
use crate::hal::model::{DriverName, Secret};

pub(super) use import::{args as import_args, run as import};
use vault::Vault;

/// Shortest passphrase of an export: what leaks may be tried for ever.
const SHORTEST: usize = 10;

fn passphrase_file() -> Arg {
    Arg::new("passphrase-file")
        .long("passphrase-file")
        .value_name("FILE")
        .value_parser(value_parser!(PathBuf))
        .help("Read the passphrase from the first line of FILE, - for stdin [default: ask]")
}

/// The options of `export`.
pub(super) fn args(command: Command) -> Command {
    command
        .arg(select::selector())
        .arg(
            Arg::new("with-passwords")
                .long("with-passwords")
                .action(ArgAction::SetTrue)
                .help("With the passwords, encrypted with a passphrase; only for administrators, and it is logged"),
        )
        .arg(passphrase_file().requires("with-passwords"))
        .arg(
            Arg::new("file")
                .long("file")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .help("Write FILE, which only its owner may read [default: stdout]"),
        )
        .after_help("YAML, or JSON with -o json. halbox bmc import reads it, here or at another daemon.")
}

/// The passphrase of an export; it is asked for twice where it is new.
fn passphrase(m: &ArgMatches, new: bool) -> Result<Secret, Failure> {
    let secret = if let Some(path) = m.get_one::<PathBuf>("passphrase-file") {
        first_line(path)?
    } else {
        let tty = tty::open().ok_or_else(|| {
            Failure::usage("the secrets need a passphrase")
                .hint("--passphrase-file FILE, - for stdin, or a terminal to ask at")
        })?;
        let first = tty::password(&tty, "Passphrase of the export: ")?;
        if new {
            let second = tty::password(&tty, "Once more: ")?;
            if first.expose() != second.expose() {
                return Err(Failure::usage("the two are not the same"));
            }
        }
        first
    };
    if new && secret.len() < SHORTEST {
        return Err(Failure::usage(format!(
            "the passphrase has {} bytes; at least {SHORTEST} are needed",
            secret.len()
        ))
        .hint("several words are easy to remember and hard to guess"));
    }
    Ok(secret)
}

/// Runs `export`.
pub(super) fn run(m: &ArgMatches, output: Output) -> Result<(), Failure> {
    let request = proto::ListRequest {
        all: true,
        selector: select::selected(m)?,
    };
    let vault = if m.get_flag("with-passwords") {
        Some(Vault::make(&passphrase(m, true)?)?)
    } else {
        None
    };
    with_daemon(m, |client, _| async move {
        let mut list = Vec::new();
        for row in rows(&client, request).await? {
            // A lease at which nobody answers holds nothing that an operator gave.
            if row.removed || row.candidate {
                continue;
            }
            let row = if vault.is_some() {
                let request = proto::GetRequest {
                    bmc: row.mac,
                    with_passwords: true,
                };
                select::answer(client.inventory().get(request).await)?
            } else {
                row
            };
            list.push(entry(row, vault.as_ref().map(|v| &v.0))?);
        }
        let mut document = Map::new();
        document.insert("format".to_owned(), json!("halbox-export"));
        document.insert("version".to_owned(), json!(1));
        if let Some((_, recipe)) = &vault {
            document.insert("secrets".to_owned(), json!(recipe));
        }
        let count = list.len();
        document.insert("bmcs".to_owned(), Value::Array(list));
        let text = output
            .documents()
            .render(&Value::Object(document), "bmcs", || super::table::of(&[]))?;
        match m.get_one::<PathBuf>("file") {
            None => output::text(&text),
            Some(path) => {
                let failed =
                    |e: std::io::Error| Failure::failed(format!("{}: {e}", path.display()));
                // Never one that others can read already, nor half a file in the place of a whole one.
                let mut file = std::fs::OpenOptions::new()
                    .write(true)
                    .create_new(true)
                    .mode(0o600)
                    .open(path)
                    .map_err(failed)?;
                file.write_all(text.as_bytes())
                    .and_then(|()| file.sync_all())
                    .map_err(failed)?;
                log::info!("{count} BMCs in {}", path.display());
                Ok(())
            }
        }
    })
}

/// What an operator gave to a row (and what is needed to find it again).
fn entry(row: proto::Bmc, vault: Option<&Vault>) -> Result<Value, Failure> {
    let mac = row.mac.clone();
    let mut out = Map::new();
    let put = |map: &mut Map<String, Value>, key: &str, value: Value| {
        if !value.is_null() {
            map.insert(key.to_owned(), value);
        }
    };
    let sealed = |field: &str, secret: Option<proto::Secret>| match (vault, secret) {
        (Some(vault), Some(secret)) => {
            let sealed = vault.seal(&mac, field, &secret_of(secret))?;
            Ok::<_, Failure>(json!({ "sealed": sealed }))
        }
        _ => Ok(Value::Null),
    };
    put(&mut out, "mac", json!(row.mac));
    put(&mut out, "address", json!(row.address));
    if row.origin == "lease" && row.address.is_some() {
        put(&mut out, "leased", json!(true));
    }
    let chosen = row.chosen_driver.and_then(driver_name);
    put(&mut out, "driver", json!(chosen.map(DriverName::as_str)));
    if chosen.is_some() && row.policy() == proto::Policy::Only {
        put(&mut out, "policy", json!("only"));
    }
    put(&mut out, "machine_id", json!(row.machine_id));
    put(&mut out, "partition", json!(row.partition));
    put(&mut out, "console_url", json!(row.console_url));
    if let Some(access) = row.ipmi {
        let mut ipmi = Map::new();
        put(&mut ipmi, "user", json!(access.user));
        put(
            &mut ipmi,
            "password",
            sealed("ipmi.password", access.password)?,
        );
        put(&mut ipmi, "port", json!(access.chosen_port));
        put(&mut ipmi, "kg", sealed("ipmi.kg", access.kg)?);
        if !ipmi.is_empty() {
            put(&mut out, "ipmi", Value::Object(ipmi));
        }
    }
    if let Some(access) = row.redfish {
        let mut redfish = Map::new();
        put(&mut redfish, "user", json!(access.user));
        put(
            &mut redfish,
            "password",
            sealed("redfish.password", access.password)?,
        );
        put(&mut redfish, "port", json!(access.port));
        put(&mut redfish, "url", json!(access.url));
        if !redfish.is_empty() {
            put(&mut out, "redfish", Value::Object(redfish));
        }
    }
    Ok(Value::Object(out))
}
