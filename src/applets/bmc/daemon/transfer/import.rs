//! `bmc import`: rows from a file. Good ones are stored, bad ones are named.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;

use clap::{Arg, ArgMatches, Command, value_parser};
use serde::Serialize;
use serde_json::json;
use tokio::task::JoinSet;
use zeroize::Zeroizing;

use super::super::{rows, with_daemon};
use super::read::{self, Bad, File, Row};
use super::{passphrase, passphrase_file};
use crate::api::client::Client;
use crate::api::convert::{driver, secret};
use crate::api::fault::{from_status, retry_after};
use crate::api::proto;
use crate::applets::bmc::dry_run;
use crate::applets::common::confirm;
use crate::applets::common::credentials;
use crate::applets::common::exit::Failure;
use crate::applets::common::output::{Output, printable};
use crate::applets::common::progress::Progress;
use crate::applets::common::table::{Cell, Table, Tone, column};
use crate::hal::model::order::Order;

/// Largest file: some hundred thousand rows.
const LIMIT: u64 = 64 << 20;
/// Rows that are written at a time; the table writes them to the disk together.
const TOGETHER: usize = 64;

/// The options.
pub(in super::super) fn args(command: Command) -> Command {
    command
        .arg(
            Arg::new("file")
                .value_name("FILE")
                .required(true)
                .value_parser(value_parser!(PathBuf))
                .help("What halbox bmc export has written, or a list; - for stdin"),
        )
        .arg(passphrase_file())
        .after_help(
            "A list is YAML (- mac: …, user: …, password: …, driver: …), JSON, or CSV with a first line that names its columns: \
             mac, ip, user, password, driver, ipmi_user, ipmi_password, ipmi_port, redfish_user, redfish_password, redfish_port, \
             redfish_url, console_url, machine_id, partition. user and password are the shipped ones, for both protocols.\n\
             Rows that are there already are changed, with what the file says of them. Bad rows are named, the others are taken \
             (exit 6). --dry-run only checks.",
        )
}

/// What becomes of a row.
#[derive(Debug, Serialize)]
struct Done {
    line: usize,
    mac: Option<String>,
    /// made, changed, failed
    result: &'static str,
    field: Option<String>,
    error: Option<String>,
}

impl Done {
    fn bad(bad: Bad) -> Self {
        Self {
            line: bad.line,
            mac: bad.mac,
            result: "failed",
            field: Some(bad.field),
            error: Some(bad.why),
        }
    }

    fn good(row: &Row, result: &'static str) -> Self {
        Self {
            line: row.line,
            mac: Some(row.mac.to_string()),
            result,
            field: None,
            error: None,
        }
    }
}

/// Runs it.
pub(in super::super) fn run(m: &ArgMatches, output: Output) -> Result<(), Failure> {
    let path = m.get_one::<PathBuf>("file").cloned().unwrap_or_default();
    let text = text(&path)?;
    let file = read::read(&text, || passphrase(m, false)).map_err(|f| f.within(&path.display()))?;
    drop(text);
    let dry = dry_run::wanted(m);
    if !dry {
        confirm::write(m, "import", file.rows.len() as u64)?;
    }
    with_daemon(m, |client, _| async move {
        let request = proto::ListRequest {
            all: true,
            ..proto::ListRequest::default()
        };
        let there = rows(&client, request).await?;
        let there: HashMap<String, bool> = there.into_iter().map(|r| (r.mac, r.removed)).collect();
        let File { rows, bad } = file;
        let mut done: Vec<Done> = bad.into_iter().map(Done::bad).collect();
        let mut progress = Progress::new(rows.len() as u64);
        let mut running = JoinSet::new();
        let mut rows = rows.into_iter();
        loop {
            while running.len() < TOGETHER {
                let Some(row) = rows.next() else { break };
                // A removed row comes back as a new one.
                let new = there
                    .get(&row.mac.to_string())
                    .is_none_or(|removed| *removed);
                let client = client.clone();
                running.spawn(async move {
                    let result = if new { "made" } else { "changed" };
                    let stored = loop {
                        if dry {
                            break Ok(());
                        }
                        let stored = store(&client, &row, new).await;
                        // Sent away before anything was done: there are too many calls.
                        match stored.as_ref().err().and_then(retry_after) {
                            Some(pause) => tokio::time::sleep(pause).await,
                            None => break stored,
                        }
                    };
                    if let Err(status) = stored {
                        let error = from_status(&status).chain();
                        return Done {
                            error: Some(error),
                            ..Done::good(&row, "failed")
                        };
                    }
                    Done::good(&row, result)
                });
            }
            match running.join_next().await {
                None => break,
                Some(Ok(one)) => {
                    progress.step(one.error.is_none());
                    done.push(one);
                }
                Some(Err(e)) => log::error!("a row ended unexpectedly: {e}"),
            }
        }
        progress.clear();
        done.order_by_key(|d| d.line);
        show(&path.display().to_string(), &done, dry, &output)
    })
}

fn text(path: &std::path::Path) -> Result<Zeroizing<String>, Failure> {
    let bytes = credentials::read(path, LIMIT, "larger than 64 MiB")?;
    let text = std::str::from_utf8(&bytes)
        .map_err(|e| Failure::usage(format!("{}: {e}", path.display())))?;
    Ok(Zeroizing::new(text.to_owned()))
}

/// Stores one row.
async fn store(client: &Client, row: &Row, new: bool) -> Result<(), tonic::Status> {
    let address = row.address.filter(|_| !row.leased).map(|a| a.to_string());
    if new {
        let request = proto::AddRequest {
            mac: row.mac.to_string(),
            // A new table knows no lease yet: the address is where it was last.
            address: row.address.map(|a| a.to_string()),
            ..proto::AddRequest::default()
        };
        client.inventory().add(request).await?;
    }
    let request = proto::UpdateRequest {
        bmc: row.mac.to_string(),
        driver: row.driver.map(|d| driver(d).into()),
        policy: row.driver.map(|_| {
            if row.only {
                proto::Policy::Only
            } else {
                proto::Policy::Prefer
            }
            .into()
        }),
        ipmi_user: row.ipmi.user.clone(),
        ipmi_password: row.ipmi.password.as_ref().map(secret),
        ipmi_port: row.ipmi.port.map(Into::into),
        ipmi_kg: row.ipmi.kg.as_ref().map(secret),
        redfish_user: row.redfish.user.clone(),
        redfish_password: row.redfish.password.as_ref().map(secret),
        redfish_port: row.redfish.port.map(Into::into),
        redfish_url: row.redfish.url.clone(),
        machine_id: row.machine_id.clone(),
        partition: row.partition.clone(),
        console_url: row.console_url.clone(),
        address,
        try_now: false,
        request_id: String::new(),
    };
    let empty = proto::UpdateRequest {
        bmc: request.bmc.clone(),
        ..proto::UpdateRequest::default()
    };
    if request != empty {
        client.inventory().update(request).await?;
    }
    Ok(())
}

fn show(path: &str, done: &[Done], dry: bool, output: &Output) -> Result<(), Failure> {
    let count = |result: &str| done.iter().filter(|d| d.result == result).count();
    let (made, changed, failed) = (count("made"), count("changed"), count("failed"));
    if output.is_people() {
        let mut table = Table::new(&[column("LINE"), column("MAC"), column("RESULT")]);
        for one in done.iter().filter(|d| d.error.is_none()) {
            let words = match (dry, one.result) {
                (true, "made") => "would be made",
                (true, _) => "would be changed",
                (false, words) => words,
            };
            table.row([
                Cell::from(one.line.to_string()),
                Cell::from(one.mac.clone()),
                Cell::new(words, Tone::Plain),
            ]);
        }
        // Thousands of lines that say nothing are not read; a rehearsal is.
        let mut text = String::new();
        if dry || made + changed <= 20 {
            text = output.table(&table);
        }
        let will = if dry { "would be " } else { "" };
        let count = done.len();
        let _ = writeln!(
            text,
            "{count} rows: {made} {will}made, {changed} {will}changed, {failed} failed"
        );
        crate::applets::common::output::text(&text)?;
    } else {
        let document = json!({
            "dry_run": dry, "made": made, "changed": changed, "failed": failed, "rows": done,
        });
        output.print(&document, "rows", || Table::new(&[]))?;
    }
    for one in done {
        if let Some(error) = &one.error {
            let mac = one
                .mac
                .as_ref()
                .map(|m| format!(" ({m})"))
                .unwrap_or_default();
            let field = one
                .field
                .as_ref()
                .map(|f| format!("{f}: "))
                .unwrap_or_default();
            let line = format!("{path}: line {}{mac}: {field}{error}", one.line);
            eprintln_line(&line);
        }
    }
    match failed {
        0 => Ok(()),
        _ if made + changed == 0 => Err(Failure::reported(crate::hal::Kind::Config)),
        _ => Err(Failure::some_failed()),
    }
}

fn eprintln_line(line: &str) {
    let _ = writeln!(std::io::stderr(), "halbox: {}", printable(line));
}
