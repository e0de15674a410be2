//! What a person or systemd sees. clap, printing and exit codes live only here.
//!
//! [`APPLETS`] is the table of applets: everything (dispatch, help, `--list`, links, man pages, completions) is
//! made from it. A new applet is one module and one entry.

mod audit;
pub mod bmc;
pub mod common;
mod complete;
mod dispatch;
mod inband;
mod install;
mod pages;
mod probe;
mod serve;
mod sim;
mod token;
mod vendors;

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use common::exit::Failure;
use common::wanted::Wanted;

/// One applet: how it is called and what it does.
#[derive(Debug)]
pub struct Applet {
    /// Subcommand of `halbox`.
    pub name: &'static str,
    /// Exact file names under which the binary is this applet.
    pub links: &'static [&'static str],
    /// One line of help.
    pub about: &'static str,
    /// Its command line, with those of its commands that are wanted.
    pub command: fn(Wanted<'_>) -> Command,
    /// Runs it.
    pub run: fn(&ArgMatches) -> Result<(), Failure>,
}

/// All applets, sorted by name.
#[rustfmt::skip]
pub static APPLETS: &[Applet] = &[
    Applet { name: "audit", links: &["halbox-audit"], about: "Checks the daemon's audit log", command: |_| audit::command(), run: audit::run },
    Applet { name: "bmc", links: &["halbox-bmc"], about: "Drive BMCs: power, boot, LED, inventory, sensors, events, users, network", command: bmc::command, run: bmc::run },
    Applet { name: "inband-init", links: &["halbox-inband-init"], about: "Makes the machine that it runs on manageable, through /dev/ipmi0", command: |_| inband::command(), run: inband::run },
    Applet { name: "probe", links: &["halbox-probe"], about: "Says what is at an address, and which drivers it has", command: |_| probe::command(), run: probe::run },
    Applet { name: "serve", links: &["halbox-serve", "metal-bmc"], about: "The daemon: finds BMCs by their DHCP leases, keeps the table, serves the API", command: |_| serve::command(), run: serve::run },
    Applet { name: "sim", links: &["halbox-sim"], about: "Simulates BMCs on this host", command: |_| sim::command(), run: sim::run },
    Applet { name: "token", links: &["halbox-token"], about: "Makes, lists and revokes tokens of the daemon's API", command: |_| token::command(), run: token::run },
    Applet { name: "vendors", links: &["halbox-vendors"], about: "Says what is done differently for which vendor, and why", command: |_| vendors::command(), run: vendors::run },
];

/// Entry point of the binary.
pub fn main() -> ExitCode {
    common::process::harden();
    match run(std::env::args_os().collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

/// Runs the command line `argv` (with argv\[0\]).
fn run(argv: Vec<OsString>) -> Result<(), Failure> {
    let argv0 = argv.first().cloned();
    let argv = bmc::spread_addresses(dispatch::route(APPLETS, argv));
    let parsed = tree(APPLETS, Wanted::Words(&argv)).try_get_matches_from(&argv);
    // Help and errors name the commands that the short tree lacks.
    let matches = match parsed.or_else(|_| root(APPLETS).try_get_matches_from(&argv)) {
        Ok(matches) => matches,
        Err(error) => return common::exit::from_clap(&error),
    };
    common::process::init_log(matches.get_count("verbose"));
    match matches.subcommand() {
        None => main_program(&matches, argv0),
        Some(_) if matches.get_flag("list") || matches.get_flag("list-full") => Err(
            Failure::usage("--list and --list-full take no further arguments"),
        ),
        Some(("completions", m)) => pages::completions(m, root(APPLETS)),
        Some((complete::NAME, m)) => {
            complete::run(m, root(APPLETS));
            Ok(())
        }
        Some(("man", m)) => pages::man(m, root(APPLETS)),
        Some((name, m)) => match APPLETS.iter().find(|a| a.name == name) {
            Some(applet) => (applet.run)(m),
            None => Err(Failure::usage(format!("there is no applet '{name}'"))),
        },
    }
}

/// `halbox` without a subcommand: `--list`, `--list-full`, `--install`, or the help text.
fn main_program(matches: &ArgMatches, argv0: Option<OsString>) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    if matches.get_flag("list") {
        for applet in APPLETS {
            writeln!(out, "{}", applet.name)?;
        }
        return Ok(());
    }
    if matches.get_flag("list-full") {
        for applet in APPLETS {
            writeln!(out, "{} {}", applet.name, applet.links.join(" "))?;
        }
        return Ok(());
    }
    if let Some(dir) = matches.get_one::<std::path::PathBuf>("install") {
        let how = install::How {
            hard: matches.get_flag("hard"),
            force: matches.get_flag("force"),
        };
        return install::links(APPLETS, dir, how, argv0);
    }
    write!(out, "{}", root(APPLETS).render_help())?;
    Err(Failure::silent_usage())
}

/// The whole command line: the one source of parsing, help, man pages and completions.
pub fn root(applets: &[Applet]) -> Command {
    tree(applets, Wanted::All)
}

/// The command line, with the commands that are wanted.
fn tree(applets: &[Applet], wanted: Wanted<'_>) -> Command {
    let flag = |name: &'static str, help: &'static str| {
        Arg::new(name)
            .long(name)
            .help(help)
            .action(ArgAction::SetTrue)
    };
    let mut root = Command::new("halbox")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Finds, drives and simulates the BMCs of a bare-metal cloud")
        .after_long_help(AFTER_HELP)
        .max_term_width(100)
        .arg(
            Arg::new("verbose")
                .short('v')
                .global(true)
                .action(ArgAction::Count)
                .help("Log more to stderr (-vv: still more; HALBOX_LOG sets filters)"),
        )
        .arg(flag("list", "List the applets, one per line").exclusive(true))
        .arg(flag("list-full", "List the applets with their link names").exclusive(true))
        .arg(
            Arg::new("install")
                .long("install")
                .value_name("DIR")
                .value_parser(value_parser!(std::path::PathBuf))
                .help("Make links halbox-APPLET in DIR, then the link name picks the applet"),
        )
        .arg(
            flag(
                "hard",
                "With --install: hard links instead of relative symlinks",
            )
            .requires("install"),
        )
        .arg(
            flag("force", "With --install: replace files that are in the way").requires("install"),
        );
    for applet in applets {
        if wanted.has(applet.name) {
            let command = (applet.command)(wanted);
            root = root.subcommand(command.name(applet.name).about(applet.about));
        }
    }
    root.subcommand(pages::completions_command())
        .subcommand(complete::command())
        .subcommand(pages::man_command())
}

const AFTER_HELP: &str = "\
Exit codes: 0 done; 1 the operation failed; 2 wrong usage or configuration; 3 unreachable, timed out or no device; \
4 authentication or privilege refused; 5 not supported by this BMC; 6 several targets and some failed; 130 interrupted.

Environment: HALBOX_PASSWORD or IPMI_PASSWORD (password), HALBOX_LOG (log filter), NO_COLOR, XDG_CACHE_HOME \
(what was learnt of a BMC is kept in $XDG_CACHE_HOME/halbox; no secrets).";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        root(APPLETS).debug_assert();
    }

    /// All command lines of the tree that end in a command, with `halbox` in front.
    fn lines(command: &Command, before: &[String], out: &mut Vec<Vec<String>>) {
        let mut line = before.to_vec();
        line.push(command.get_name().to_owned());
        for inner in command.get_subcommands() {
            lines(inner, &line, out);
        }
        out.push(line);
    }

    /// What was understood, without the names of the commands that there are.
    fn values(matches: &ArgMatches) -> String {
        let text = format!("{matches:?}");
        let mut parts = text.split("valid_subcommands: [");
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |all, part| all + part.split_once(']').unwrap().1)
    }

    #[test]
    fn the_tree_of_the_wanted_commands_understands_what_the_whole_one_does() {
        let mut all = Vec::new();
        lines(&root(APPLETS), &[], &mut all);
        assert!(all.len() > 60, "{}", all.len());
        for other in [["bmc", "list"], ["bmc", "delete"], ["bmc", "powr"]] {
            let words = ["halbox"].iter().chain(&other);
            all.push(words.map(ToString::to_string).collect());
        }
        let mut understood = 0;
        for line in all {
            for more in [
                &[][..],
                &["--no-such-option"],
                &["ls"],
                &["aa:bb:cc:dd:ee:ff", "x", "y"],
            ] {
                let words = line.iter().map(String::as_str).chain(more.iter().copied());
                let argv: Vec<OsString> = words.map(OsString::from).collect();
                let read =
                    |tree: Command| tree.try_get_matches_from(&argv).ok().map(|m| values(&m));
                let whole = read(root(APPLETS));
                understood += usize::from(whole.is_some());
                let short = read(tree(APPLETS, Wanted::Words(&argv)));
                assert_eq!(short, whole, "{argv:?}");
            }
        }
        assert!(understood > 60, "{understood}");
    }

    #[test]
    fn applets_are_sorted_and_their_links_are_prefixed() {
        assert!(APPLETS.is_sorted_by_key(|a| a.name));
        for applet in APPLETS {
            assert_eq!(
                applet.links.first().copied(),
                Some(format!("halbox-{}", applet.name).as_str())
            );
        }
    }
}
