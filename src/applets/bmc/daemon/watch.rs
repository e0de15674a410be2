//! `bmc watch`: changes of the table as they happen, one line each.

use std::io::Write;

use clap::{Arg, ArgMatches, Command, value_parser};
use serde_json::json;

use super::{document, refused, table, with_daemon};
use crate::api::client::Client;
use crate::api::proto;
use crate::applets::common::exit::Failure;
use crate::applets::common::output::Output;

/// The options.
pub(super) fn args(command: Command) -> Command {
    command.arg(
        Arg::new("revision")
            .long("revision")
            .value_name("N")
            .value_parser(value_parser!(u64))
            .help("Only what has changed since this revision [default: all rows first]"),
    )
}

/// Runs the command.
pub(super) fn run(m: &ArgMatches, output: Output) -> Result<(), Failure> {
    let revision = m.get_one::<u64>("revision").copied().unwrap_or(0);
    with_daemon(m, |client, _| async move {
        follow(&client, revision, &output).await
    })
}

/// Prints what has changed since `revision`, then what changes; ends with the daemon.
pub(super) async fn follow(client: &Client, revision: u64, output: &Output) -> Result<(), Failure> {
    let mut stream = client
        .inventory()
        .watch(proto::WatchRequest { revision })
        .await
        .map_err(|s| refused(&s))?
        .into_inner();
    while let Some(event) = stream.message().await.map_err(|s| refused(&s))? {
        if event.ready {
            continue;
        }
        let mut out = std::io::stdout().lock();
        // One document per line: the stream has no end that could close a list.
        let bmc = event.bmc.as_ref().map(document::of);
        let entry = json!({"revision": event.revision, "mac": event.mac, "bmc": bmc});
        if let Some(line) = output.line(&entry)? {
            writeln!(out, "{line}")?;
        } else {
            match event.bmc {
                Some(row) => {
                    let text = table::of(&[row]).render(output.is_wide(), false, false);
                    write!(out, "{text}")?;
                }
                None => writeln!(out, "{}   removed", event.mac)?,
            }
        }
        out.flush()?;
    }
    Ok(())
}
