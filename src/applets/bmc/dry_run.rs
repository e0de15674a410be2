//! `--dry-run`: what would be done to whom, and nothing is sent to a BMC.

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde::Serialize;
use serde_json::json;

use super::operation::Operation;
use super::show::Hints;
use crate::api::convert::driver_name;
use crate::api::proto;
use crate::applets::common::exit::Failure;
use crate::applets::common::output::Output;
use crate::applets::common::table::{Cell, Table, column};
use crate::hal::Error;
use crate::hal::model::DriverName;

/// Adds `--dry-run`.
pub(super) fn args(command: Command) -> Command {
    command.arg(
        Arg::new("dry-run")
            .long("dry-run")
            .action(ArgAction::SetTrue)
            .help(
                "Show what would be done to whom; nothing is sent to a BMC or changed in the table",
            ),
    )
}

/// Is it only to be shown?
pub(super) fn wanted(m: &ArgMatches) -> bool {
    m.try_get_one::<bool>("dry-run").ok().flatten() == Some(&true)
}

/// What would be done to one target.
#[derive(Debug, Serialize)]
pub(super) struct Would {
    target: String,
    mac: Option<String>,
    address: Option<String>,
    driver: Option<&'static str>,
    #[serde(rename = "would")]
    words: Option<String>,
    error: Option<String>,
    kind: Option<&'static str>,
    #[serde(skip)]
    failed: Option<Error>,
}

impl Would {
    /// To a target without a daemon.
    pub(super) fn target(target: &str, words: &str) -> Self {
        Self {
            target: target.to_owned(),
            mac: None,
            address: None,
            driver: None,
            words: Some(words.to_owned()),
            error: None,
            kind: None,
            failed: None,
        }
    }

    /// To a row of the table.
    pub(super) fn row(target: &str, row: &proto::Bmc, words: &str) -> Self {
        let driver = row.driver.and_then(driver_name);
        Self {
            mac: Some(row.mac.clone()),
            address: row.address.clone(),
            driver: driver.map(DriverName::as_str),
            ..Self::target(target, words)
        }
    }

    /// It could not be done.
    pub(super) fn failed(target: &str, error: Error) -> Self {
        Self {
            words: None,
            error: Some(error.chain()),
            kind: Some(error.kind().as_str()),
            failed: Some(error),
            ..Self::target(target, "")
        }
    }
}

/// The operation in words: what was typed, without passwords.
pub(super) fn words(operation: &Operation, m: &ArgMatches) -> String {
    let mut out = operation.path.join(" ");
    let own = (operation.args)(Command::new(""));
    for arg in own.get_arguments() {
        let id = arg.get_id().as_str();
        let said = m.value_source(id) == Some(clap::parser::ValueSource::CommandLine);
        if !said || id.contains("password") {
            continue;
        }
        let long = arg.get_long();
        if let Some(long) = long {
            out.push_str(" --");
            out.push_str(long);
        }
        if long.is_none() || arg.get_action().takes_values() {
            for value in m.get_raw(id).into_iter().flatten() {
                out.push(' ');
                out.push_str(&value.to_string_lossy());
            }
        }
    }
    out
}

/// Prints it. Targets that cannot be meant are errors, as they would be.
pub(super) fn show(all: &[Would], output: &Output) -> Result<(), Failure> {
    output.print(&json!({"dry_run": true, "targets": all}), "targets", || {
        let mut table = Table::new(&[
            column("TARGET"),
            column("MAC"),
            column("IP"),
            column("DRIVER"),
            column("WOULD"),
        ]);
        for one in all.iter().filter(|w| w.failed.is_none()) {
            table.row([
                Cell::from(one.target.as_str()),
                Cell::from(one.mac.clone()),
                Cell::from(one.address.clone()),
                Cell::from(one.driver),
                Cell::from(one.words.clone()),
            ]);
        }
        table
    })?;
    let failed: Vec<_> = all
        .iter()
        .filter_map(|w| Some((w, w.failed.as_ref()?)))
        .collect();
    let mut hints = Hints::default();
    for (one, error) in &failed {
        hints.line(
            &format!("{}: {}", one.target, error.chain()),
            error.hint(),
            &one.target,
        );
    }
    hints.print();
    match failed.first() {
        None => Ok(()),
        Some((_, error)) if all.len() == 1 => Err(Failure::reported(error.kind())),
        Some(_) => Err(Failure::some_failed()),
    }
}
