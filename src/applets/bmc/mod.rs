//! `halbox bmc --address TARGET… COMMAND`: every operation of the HAL on one or many BMCs, without a daemon.
//!
//! The operations are data ([`ops::all`]); command line, JSON names, tables and confirmation are made from it.

mod connect;
mod console;
mod daemon;
mod dry_run;
mod fan_out;
mod operation;
mod ops;
mod options;
mod search;
mod show;

use std::ffi::OsString;

use clap::{ArgMatches, Command};

use super::common::confirm;
use super::common::exit::Failure;
use super::common::output::Output;
use super::common::process;
use super::common::wanted::Wanted;
pub(super) use daemon::{options as daemon_options, with_daemon};
use operation::Operation;
use options::Options;

/// Command line of the applet, with the commands that are wanted.
pub fn command(wanted: Wanted<'_>) -> Command {
    let mut command = daemon::commands(options::args(Command::new("bmc")), wanted)
        .subcommand_required(true)
        .disable_help_subcommand(true)
        .after_long_help(AFTER_HELP);
    for operation in ops::all() {
        if !operation.path.iter().all(|word| wanted.has(word)) {
            continue;
        }
        command = match operation.path {
            [word] => command.subcommand(operation.command(word)),
            [group, word] => {
                if command.find_subcommand(group).is_none() {
                    command = command.subcommand(group_command(group));
                }
                command.mut_subcommand(group, |g| g.subcommand(operation.command(word)))
            }
            _ => command,
        };
    }
    command.subcommand(console::command())
}

/// Lets `--address` take several words: `--address A B power status` becomes `--address A --address B power status`.
///
/// clap's `num_args(1..)` would swallow the command, and its precedence of subcommands would take the value of `-L user`
/// for one. A target that is called like a command is written `--address=info`.
pub(super) fn spread_addresses(argv: Vec<OsString>) -> Vec<OsString> {
    if argv.get(1).is_none_or(|word| word != "bmc") {
        return argv;
    }
    let is_command = |word: &OsString| {
        word == console::NAME || ops::all().any(|o| o.path.iter().any(|w| word == w))
    };
    let mut out = Vec::with_capacity(argv.len());
    // How many targets the present `--address` has; `None` = we are not behind one.
    let mut taken: Option<usize> = None;
    for word in argv {
        let option = word.as_encoded_bytes().starts_with(b"-") && word != "-";
        match taken {
            _ if option => taken = (word == "--address").then_some(0),
            Some(0) => taken = Some(1),
            Some(_) if !is_command(&word) => out.push(OsString::from("--address")),
            _ => taken = None,
        }
        out.push(word);
    }
    out
}

/// The command above several operations, e.g. `power`.
fn group_command(name: &'static str) -> Command {
    let words: Vec<&str> = ops::all()
        .filter_map(|o| match o.path {
            [group, word] if *group == name => Some(*word),
            _ => None,
        })
        .collect();
    let subject = ops::GROUPS
        .iter()
        .find_map(|(group, subject)| (*group == name).then_some(*subject))
        .unwrap_or(name);
    Command::new(name)
        .about(format!("{subject}: {}", words.join(", ")))
        .subcommand_required(true)
        .disable_help_subcommand(true)
}

/// Runs the applet.
pub fn run(matches: &ArgMatches) -> Result<(), Failure> {
    if let Some((console::NAME, leaf)) = matches.subcommand() {
        return console::run(leaf);
    }
    if let Some(done) = daemon::run(matches) {
        return done;
    }
    let (operation, leaf) = chosen(matches)?;
    let output = Output::from_matches(leaf)?;
    let work = (operation.plan)(leaf)?;
    if leaf.get_many::<String>("address").is_none() && !leaf.get_flag("inband") {
        return daemon::operate(operation, leaf, work, &output);
    }
    let options = Options::from_matches(leaf)?;
    if operation.writes && dry_run::wanted(leaf) {
        let words = dry_run::words(operation, leaf);
        let all: Vec<_> = if options.inband {
            vec![dry_run::Would::target("inband", &words)]
        } else {
            let targets = options.targets.iter();
            targets
                .map(|t| dry_run::Would::target(&t.text, &words))
                .collect()
        };
        return dry_run::show(&all, &output);
    }
    if operation.writes {
        confirm::write(leaf, &operation.path.join(" "), options.targets.count())?;
    }
    let options = options.with_credentials(leaf)?;
    process::block_on(options.targets.count(), |cancel| async move {
        // Nobody else has it: then nobody else is asked.
        let door = connect::Door::open(&options, operation.name == "raw")?;
        let results = fan_out::run(&options, &door, operation, work, cancel).await;
        // Where nothing worked there is no table to show, only errors.
        let any =
            output.is_document() || results.results.iter().any(|r| r.ok || !r.value.is_null());
        let table = || show::table(operation, &results, options.targets.count());
        let printed = if any {
            output.print(&results, "results", table)
        } else {
            Ok(())
        };
        if !output.is_document() {
            show::errors(&results);
        }
        // After the result: nobody waits for the goodbyes, but the process does.
        door.close().await;
        printed?;
        results.verdict()
    })
}

/// The operation that the command line names, and its own arguments.
fn chosen(matches: &ArgMatches) -> Result<(&'static Operation, &ArgMatches), Failure> {
    let mut words: Vec<&str> = Vec::new();
    let mut leaf = matches;
    while let Some((word, inner)) = leaf.subcommand() {
        words.push(word);
        leaf = inner;
    }
    ops::all()
        .find(|o| o.path == words)
        .map(|o| (o, leaf))
        .ok_or_else(|| Failure::usage(format!("there is no operation '{}'", words.join(" "))))
}

const AFTER_HELP: &str = "\
Examples:
  halbox bmc --address 10.0.0.7 -U metal -f password power status
  halbox bmc --address 10.0.0.7-99 -U metal -E power cycle --yes
  halbox bmc --address node[001-120].mgmt -U metal -E info -o json
  halbox bmc --address 10.0.0.7 -U metal -E boot bios && halbox bmc --address 10.0.0.7 -U metal -E power reset
  halbox bmc --address 10.0.0.7 -U metal -E --driver Redfish --redfish-port 8443 power-metrics
  halbox bmc --address 10.0.0.7 -U metal -E console
  halbox bmc --address 10.0.0.7 -U metal -E raw 0x06 0x01";

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> ArgMatches {
        let line = ["halbox", "bmc"].into_iter().chain(line.split_whitespace());
        let line = spread_addresses(line.map(OsString::from).collect());
        command(Wanted::All).get_matches_from(line.into_iter().skip(1))
    }

    #[test]
    fn every_operation_can_be_called_and_has_its_own_name() {
        command(Wanted::All).debug_assert();
        let mut names = std::collections::BTreeSet::new();
        for operation in ops::all() {
            assert!(names.insert(operation.name), "{} twice", operation.name);
            let line = format!("--address 10.0.0.1 {}", operation.path.join(" "));
            let line = match operation.name {
                "raw" => format!("{line} 6 1"),
                "users.create" => format!("{line} metal --role operator"),
                name if name.starts_with("users.") && operation.path.len() == 2 => {
                    format!("{line} metal")
                }
                _ => line,
            };
            let matches = parse(&line);
            assert_eq!(chosen(&matches).unwrap().0.name, operation.name);
        }
    }

    #[test]
    fn options_stand_before_or_after_the_command_and_targets_end_at_it() {
        for line in [
            "--address 10.0.0.1 10.0.0.2 -U metal -P x --fanout 3 power status",
            "power status --address 10.0.0.1 --address 10.0.0.2 -U metal -P x --fanout 3",
            "--address 10.0.0.1,10.0.0.2 power -U metal -P x --fanout 3 status",
            "-U metal --address 10.0.0.1 10.0.0.2 -P info -L user --fanout 3 power status",
        ] {
            let matches = parse(line);
            let (operation, leaf) = chosen(&matches).unwrap();
            assert_eq!(operation.name, "power.state");
            let options = Options::from_matches(leaf)
                .unwrap()
                .with_credentials(leaf)
                .unwrap();
            assert_eq!((options.targets.count(), options.fanout), (2, 3), "{line}");
            assert_eq!(options.login.user, "metal");
        }
    }

    #[test]
    fn what_is_missing_or_wrong_is_said() {
        for (line, what) in [
            ("power status", "no target"),
            ("--address 10.0.0.1 power status", "no user"),
            (
                "--address 10.0.0.300 -U a -P b power status",
                "no IPv4 address",
            ),
            (
                "--address 10.0.0.1 -U a -P b -C 99 power status",
                "cipher suite",
            ),
            ("--address 10.0.0.1 -U a -P b raw 0x07 1", "0x07"),
            (
                "--address 10.0.0.1 -U a -P b boot bios --persistent",
                "persistent",
            ),
        ] {
            let matches = parse(line);
            let (operation, leaf) = chosen(&matches).unwrap();
            let failed = (operation.plan)(leaf).and_then(|_| {
                Options::from_matches(leaf)?
                    .with_credentials(leaf)
                    .map(drop)
            });
            let failure = failed.expect_err(line);
            assert_eq!(failure.code(), 2, "{line}");
            assert!(
                failure.message().contains(what),
                "{line}: {}",
                failure.message()
            );
        }
    }
}
