//! `console`: the host's serial console at the terminal, or in a pipe; straight at a BMC, or through the daemon.

mod daemon;
mod direct;
mod escape;
mod terminal;
mod visit;

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use crate::applets::common::duration;
use crate::applets::common::exit::Failure;
use crate::hal::transport::line::Place;

pub(super) use daemon::{grant, grant_args};

/// The word on the command line.
pub(super) const NAME: &str = "console";

/// Its command line.
pub(super) fn command() -> Command {
    let flag = |name: &'static str, help: &'static str| {
        Arg::new(name)
            .long(name)
            .action(ArgAction::SetTrue)
            .help(help)
    };
    // What only the daemon can do.
    let shared = |name: &'static str, help: &'static str| {
        flag(name, help)
            .conflicts_with("address")
            .help_heading("Shared console")
    };
    Command::new(NAME)
        .about("Serial console of the machine; ~. leaves it")
        .arg(
            Arg::new("bmc")
                .value_name("BMC")
                .conflicts_with("address")
                .help("BMC of the daemon's table: MAC, UUID of its machine, or address"),
        )
        .arg(flag("steal", "Take the line from whoever has it outside of the daemon"))
        .arg(flag(
            "allow-unencrypted",
            "Go on without encryption where the BMC cannot do it",
        ))
        .arg(
            flag("no-reconnect", "End when the line is lost").conflicts_with("bmc"),
        )
        .arg(flag(
            "follow",
            "In a pipe: go on reading after the end of the input; with --replay: go on with what is recorded",
        ))
        .arg(
            Arg::new("quiet")
                .long("quiet-after")
                .value_name("DURATION")
                .value_parser(duration::parse)
                .default_value("1s")
                .help("In a pipe: end when the host was silent for so long after the end of the input"),
        )
        .arg(
            Arg::new("log")
                .long("log")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .help("Append everything that the host says to FILE"),
        )
        .args(direct::args())
        .arg(shared("read-only", "Only watch"))
        .arg(
            shared("force", "Write, whoever writes now; he goes on as a reader")
                .conflicts_with("read-only"),
        )
        .arg(
            shared("state", "Say who is in, and end")
                .conflicts_with_all(["replay", "force", "read-only", "steal"]),
        )
        .arg(
            shared("replay", "Show what was recorded, and end")
                .conflicts_with_all(["force", "read-only", "steal", "log"]),
        )
        .arg(
            Arg::new("since")
                .long("since")
                .value_name("DURATION")
                .value_parser(duration::parse)
                .requires("replay")
                .help_heading("Shared console")
                .help("Only what was recorded so long ago or later, e.g. 10m"),
        )
        .arg(
            flag("timestamps", "Say at each line when it was recorded")
                .requires("replay")
                .help_heading("Shared console"),
        )
        .after_help(
            "At a terminal: ~. leaves, ~B sends a break, ~W takes over the writing, ~? helps, ~~ is a tilde; each at the beginning of a line.\n\
             In a pipe nothing is an escape; it ends when the input has ended and the host is quiet.\n\
             The BMC's vendor says what is asked first: SOL, or a console over SSH (halbox vendors show); --driver IPMI is SOL.\n\
             Through the daemon one writes and the others read; who types while nobody writes does from then on.",
        )
}

/// Runs it.
pub(super) fn run(leaf: &ArgMatches) -> Result<(), Failure> {
    if leaf.get_flag("state") {
        return daemon::state(leaf);
    }
    if leaf.get_flag("replay") {
        return daemon::replay(leaf);
    }
    let manner = Manner {
        follow: leaf.get_flag("follow"),
        quiet: leaf
            .get_one::<Duration>("quiet")
            .copied()
            .unwrap_or(Duration::from_secs(1)),
        reads: leaf.get_flag("read-only"),
        log: leaf.get_one::<PathBuf>("log").map(open_log).transpose()?,
    };
    if leaf.get_one::<Place>("console-url").is_some() {
        direct::at_place(leaf, manner)
    } else if leaf.get_many::<String>("address").is_some() {
        direct::run(leaf, manner)
    } else {
        daemon::run(leaf, manner)
    }
}

/// How somebody visits a console.
struct Manner {
    /// In a pipe: go on after the end of the input.
    follow: bool,
    /// In a pipe: it is over after so much silence.
    quiet: Duration,
    /// Nothing is typed.
    reads: bool,
    log: Option<File>,
}

/// The host may say secrets: only the owner reads the file.
fn open_log(path: &PathBuf) -> Result<File, Failure> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)
        .map_err(|e| Failure::failed(format!("--log {}: {e}", path.display())))
}
