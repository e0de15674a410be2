//! `completions SHELL` and `man DIR`, both made from the one command line definition.

use std::io;
use std::path::PathBuf;

use clap::{Arg, ArgMatches, Command, value_parser};
use clap_complete::Shell;

use super::common::exit::Failure;

/// Command line of `halbox completions`.
pub(super) fn completions_command() -> Command {
    Command::new("completions")
        .about("Print the completion script of a shell")
        .arg(
            Arg::new("shell")
                .required(true)
                .value_name("SHELL")
                .value_parser(["bash", "zsh", "fish"])
                .help("bash, zsh or fish"),
        )
}

/// Command line of `halbox man`.
pub(super) fn man_command() -> Command {
    Command::new("man")
        .about("Write the manual pages into a folder")
        .arg(
            Arg::new("dir")
                .required(true)
                .value_name("DIR")
                .value_parser(value_parser!(PathBuf))
                .help("Existing folder"),
        )
}

/// Prints the completion script.
pub(super) fn completions(matches: &ArgMatches, mut root: Command) -> Result<(), Failure> {
    let shell = match matches.get_one::<String>("shell").map(String::as_str) {
        Some("zsh") => Shell::Zsh,
        Some("fish") => Shell::Fish,
        _ => Shell::Bash,
    };
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut root, "halbox", &mut text);
    let text = super::complete::with_bmcs(shell, &String::from_utf8_lossy(&text));
    let text = text.as_bytes();
    Ok(io::Write::write_all(&mut io::stdout().lock(), text)?)
}

/// Writes one page per command.
pub(super) fn man(matches: &ArgMatches, root: Command) -> Result<(), Failure> {
    let Some(dir) = matches.get_one::<PathBuf>("dir") else {
        return Err(Failure::usage("man needs a folder"));
    };
    clap_mangen::generate_to(root, dir)
        .map_err(|e| Failure::failed(format!("man {}: {e}", dir.display())))
}
