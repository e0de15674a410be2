//! `halbox audit verify FILE`: is the daemon's audit log as it was written?

use std::io::Write;
use std::path::PathBuf;

use clap::{Arg, ArgMatches, Command, value_parser};

use super::common::exit::Failure;
use crate::inventory::audit;

/// The command line.
pub fn command() -> Command {
    Command::new("audit")
        .subcommand_required(true)
        .disable_help_subcommand(true)
        .subcommand(
            Command::new("verify")
                .about("Check that no record was changed or taken out")
                .arg(
                    Arg::new("file")
                        .value_name("FILE")
                        .default_value("/var/lib/halbox/audit.log")
                        .value_parser(value_parser!(PathBuf))
                        .help("The log"),
                ),
        )
}

/// Runs the applet.
pub fn run(m: &ArgMatches) -> Result<(), Failure> {
    let Some((_, m)) = m.subcommand() else {
        return Err(Failure::silent_usage());
    };
    let path = m.get_one::<PathBuf>("file").cloned().unwrap_or_default();
    let checked = audit::verify(&path)?;
    let mut out = std::io::stdout().lock();
    write!(
        out,
        "{}: {} records, unchanged",
        path.display(),
        checked.records
    )?;
    if checked.torn > 0 {
        write!(out, "; the last one was not finished (a crash)")?;
    }
    Ok(writeln!(out)?)
}
