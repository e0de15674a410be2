//! Options of `inband-init`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use crate::applets::common::credentials::first_line;
use crate::applets::common::exit::Failure;
use crate::applets::common::{duration, output};
use crate::hal::inband::Wanted;

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Task {
    /// Make it manageable.
    Init,
    /// Only look.
    Show,
    /// Take our user away.
    Remove,
}

/// The options.
#[derive(Debug)]
pub(super) struct Options {
    pub(super) task: Task,
    pub(super) user: String,
    pub(super) password: Wanted,
    /// A user of that name is ours, whoever made it.
    pub(super) take_over: bool,
    /// It gets a new password.
    pub(super) rotate: bool,
    pub(super) enable_lan: bool,
    pub(super) dhcp: bool,
    pub(super) verify_lan: bool,
    pub(super) unmanaged: bool,
    pub(super) dry_run: bool,
    pub(super) device: Option<PathBuf>,
    pub(super) timeout: Duration,
}

/// Adds them.
pub(super) fn args(command: Command) -> Command {
    let flag = |name: &'static str, help: &'static str| {
        Arg::new(name)
            .long(name)
            .action(ArgAction::SetTrue)
            .help(help)
    };
    let command = output::args(command).mut_arg("output", |a| a.default_value("json"));
    command
        .arg(
            Arg::new("user")
                .long("user")
                .value_name("NAME")
                .default_value("metal")
                .help("User to make, at most 16 bytes"),
        )
        .arg(
            Arg::new("password-length")
                .long("password-length")
                .value_name("N")
                .value_parser(["16", "20"])
                .default_value("16")
                .conflicts_with("password-file")
                .help("Characters of the random password; 20 only where the BMC proves that it keeps them"),
        )
        .arg(
            Arg::new("password-file")
                .long("password-file")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .help("Take the password from the first line of FILE, instead of a random one"),
        )
        .arg(flag("take-over", "A user of that name is ours even if the daemon does not know it: give it a new password"))
        .arg(flag("rotate", "Give our user a new password"))
        .arg(flag("no-enable-lan", "Leave IPMI over LAN off where it is off"))
        .arg(
            Arg::new("ip-source")
                .long("ip-source")
                .value_name("SOURCE")
                .value_parser(["dhcp"])
                .help("Let the BMC ask DHCP for its address [default: as it is]"),
        )
        .arg(flag("verify-lan", "Log in over the LAN with the new password, where the BMC's address is reachable"))
        .arg(flag("unmanaged", "Leave the BMC alone: register the machine under its first network card").conflicts_with_all(["show", "remove"]))
        .arg(flag("show", "Only look: nothing is changed").conflicts_with("remove"))
        .arg(flag("remove", "Take the user away"))
        .arg(flag("dry-run", "Show the commands that would be sent"))
        .arg(
            Arg::new("device")
                .long("device")
                .value_name("PATH")
                .value_parser(value_parser!(PathBuf))
                .help("IPMI device [default: /dev/ipmi0, /dev/ipmi/0, /dev/ipmidev/0]"),
        )
        .arg(
            Arg::new("timeout")
                .long("timeout")
                .value_name("DURATION")
                .value_parser(duration::parse)
                .default_value("3m")
                .help("Time for all of it"),
        )
}

impl Options {
    /// Reads them; files are read here, before anything is sent.
    pub(super) fn from_matches(m: &ArgMatches) -> Result<Self, Failure> {
        let user = m.get_one::<String>("user").cloned().unwrap_or_default();
        let password = match m.get_one::<PathBuf>("password-file") {
            Some(path) => {
                let password = first_line(path)?;
                if !(1..=20).contains(&password.len()) {
                    return Err(Failure::usage(format!(
                        "{}: the password has {} bytes; IPMI takes 1 to 20",
                        path.display(),
                        password.len()
                    )));
                }
                Wanted::Given(password)
            }
            None => Wanted::Random {
                length: m
                    .get_one::<String>("password-length")
                    .and_then(|n| n.parse().ok())
                    .unwrap_or(16),
            },
        };
        Ok(Self {
            task: if m.get_flag("show") {
                Task::Show
            } else if m.get_flag("remove") {
                Task::Remove
            } else {
                Task::Init
            },
            user,
            password,
            take_over: m.get_flag("take-over"),
            rotate: m.get_flag("rotate"),
            enable_lan: !m.get_flag("no-enable-lan"),
            dhcp: m.contains_id("ip-source"),
            verify_lan: m.get_flag("verify-lan"),
            unmanaged: m.get_flag("unmanaged"),
            dry_run: m.get_flag("dry-run"),
            device: m.get_one::<PathBuf>("device").cloned(),
            timeout: m
                .get_one::<Duration>("timeout")
                .copied()
                .unwrap_or(Duration::from_mins(3)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options, Failure> {
        let words = std::iter::once("t").chain(line.split_whitespace());
        Options::from_matches(&args(Command::new("t")).get_matches_from(words))
    }

    #[test]
    fn defaults_and_choices() {
        let options = parse("").unwrap();
        assert_eq!((options.user.as_str(), options.task), ("metal", Task::Init));
        assert!(matches!(options.password, Wanted::Random { length: 16 }));
        assert!(options.enable_lan && !options.dhcp && options.timeout == Duration::from_mins(3));
        let options =
            parse("--show --no-enable-lan --ip-source dhcp --password-length 20").unwrap();
        assert_eq!(options.task, Task::Show);
        assert!(!options.enable_lan && options.dhcp);
        assert!(matches!(options.password, Wanted::Random { length: 20 }));
    }

    #[test]
    fn a_password_file_is_read_at_once() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path().display();
        assert_eq!(
            parse(&format!("--password-file {path}"))
                .unwrap_err()
                .code(),
            2
        );
        std::fs::write(file.path(), "secret\n").unwrap();
        let options = parse(&format!("--password-file {path}")).unwrap();
        assert!(matches!(options.password, Wanted::Given(p) if p.expose() == b"secret"));
    }
}
