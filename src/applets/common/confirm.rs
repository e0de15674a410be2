//! Writes on many BMCs want a yes.

use clap::{Arg, ArgAction, ArgMatches, Command};

use super::exit::Failure;
use super::tty;

/// Adds `--yes`.
pub fn args(command: Command) -> Command {
    command.arg(
        Arg::new("yes")
            .long("yes")
            .short('y')
            .action(ArgAction::SetTrue)
            .help("Do not ask before writing to several BMCs"),
    )
}

/// `action` is about to be done on `count` BMCs: more than one wants `--yes`, or a yes at the terminal.
pub fn write(matches: &ArgMatches, action: &str, count: u64) -> Result<(), Failure> {
    if count <= 1 || matches.get_flag("yes") {
        return Ok(());
    }
    let Some(tty) = tty::open() else {
        return Err(
            Failure::usage(format!("'{action}' would be done on {count} targets"))
                .hint("add --yes if that is meant"),
        );
    };
    if tty::yes(&tty, &format!("{action} on {count} targets?"))? {
        Ok(())
    } else {
        Err(Failure::failed(format!("'{action}' was not confirmed")))
    }
}
