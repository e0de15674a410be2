//! Options that all operations share.

use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use crate::applets::common::candidates;
use crate::applets::common::credentials::{self, Credentials};
use crate::applets::common::exit::Failure;
use crate::applets::common::services::{self, Services};
use crate::applets::common::targets::Targets;
use crate::applets::common::{confirm, duration, output};
use crate::hal::ipmi::cmd::Privilege;
use crate::hal::ipmi::session::Version;
use crate::hal::logins::Candidate;
use crate::hal::model::{DriverName, Secret};

use super::dry_run;
use super::operation::Wait;

/// What results call this machine's own BMC.
const INBAND: &str = "inband";

/// Cipher suites that the IPMI stack has.
const SUITES: &[u8] = &[0, 1, 2, 3, 6, 7, 8, 11, 12, 15, 16, 17];

/// Everything but the operation itself.
#[derive(Debug, Clone)]
pub(super) struct Options {
    pub(super) targets: Targets,
    /// This machine's own BMC through /dev/ipmi0, without a login.
    pub(super) inband: bool,
    pub(super) login: Credentials,
    /// Instead of `login`: several, of which one is right, and whether the next may be tried today.
    pub(super) candidates: Option<(Vec<Candidate>, bool)>,
    /// Which drivers, and where Redfish is.
    pub(super) services: Services,
    /// The one cipher suite to use; `None` = the order of the session.
    pub(super) suite: Option<u8>,
    pub(super) privilege: Option<Privilege>,
    pub(super) version: Version,
    pub(super) ipmi_port: u16,
    pub(super) fanout: usize,
    /// Per target, all tries included.
    pub(super) timeout: Duration,
    pub(super) wait: Wait,
    /// Keep and use what was learnt of a BMC?
    pub(super) cache: bool,
}

/// Adds the options; all are global, so they may stand before or after the operation.
pub(super) fn args(command: Command) -> Command {
    let before: Vec<String> = ids(&command);
    let duration = |name: &'static str, help: &'static str| {
        Arg::new(name)
            .long(name)
            .value_name("DURATION")
            .value_parser(duration::parse)
            .help(help)
    };
    let command = command.arg(
        Arg::new("address")
            .long("address")
            .value_name("TARGET")
            .action(ArgAction::Append)
            .value_delimiter(',')
            .help("BMCs to talk to, without a daemon, up to the next option or command: IP, name, IP:PORT, network, range, node[001-120], - for a list on stdin"),
    );
    let command = command.arg(
        Arg::new("inband")
            .long("inband")
            .action(ArgAction::SetTrue)
            .conflicts_with("address")
            .help("Talk to this machine's own BMC through /dev/ipmi0, without a login (as root)"),
    );
    let command = candidates::args(credentials::args(command));
    let command = dry_run::args(confirm::args(output::args(command)))
        .arg(duration(
            "timeout",
            "Time for each target, all tries included [default: 20s]",
        ))
        .arg(
            duration(
                "wait",
                "Time for a power state to be reached [default: 1m, soft 5m]",
            )
            .conflicts_with("no-wait"),
        )
        .arg(
            Arg::new("no-wait")
                .long("no-wait")
                .action(ArgAction::SetTrue)
                .help("Do not wait until a power state is reached"),
        )
        .arg(
            Arg::new("fanout")
                .long("fanout")
                .value_name("N")
                .value_parser(value_parser!(u16).range(1..))
                .default_value("512")
                .help("Targets at a time"),
        )
        .arg(
            Arg::new("no-cache")
                .long("no-cache")
                .action(ArgAction::SetTrue)
                .help("Do not use or keep what was learnt of a BMC"),
        );
    let command = services::args(ipmi_args(command));
    let added: Vec<String> = ids(&command)
        .into_iter()
        .filter(|id| !before.contains(id))
        .collect();
    added.into_iter().fold(command, |command, id| {
        command.mut_arg(id, |a| a.global(true))
    })
}

fn ids(command: &Command) -> Vec<String> {
    command
        .get_arguments()
        .map(|a| a.get_id().to_string())
        .collect()
}

fn ipmi_args(command: Command) -> Command {
    command
        .arg(
            Arg::new("cipher-suite")
                .short('C')
                .long("cipher-suite")
                .value_name("N")
                .value_parser(value_parser!(u8))
                .help_heading("IPMI")
                .help("Cipher suite [default: what worked before, 17, 3]"),
        )
        .arg(
            Arg::new("privilege")
                .short('L')
                .long("privilege")
                .value_name("LEVEL")
                .ignore_case(true)
                .value_parser(["callback", "user", "operator", "administrator"])
                .help_heading("IPMI")
                .help(
                    "Privilege level of the session [default: the lowest that the operation needs]",
                ),
        )
        .arg(
            Arg::new("ipmi-version")
                .long("ipmi-version")
                .value_name("VERSION")
                .value_parser(["2.0", "1.5"])
                .default_value("2.0")
                .help_heading("IPMI")
                .help(
                    "1.5 only for BMCs that know nothing else: its passwords are weakly protected",
                ),
        )
        .arg(
            Arg::new("ipmi-port")
                .long("ipmi-port")
                .value_name("PORT")
                .value_parser(value_parser!(u16).range(1..))
                .default_value("623")
                .help_heading("IPMI")
                .help("UDP port of targets that name none"),
        )
}

impl Options {
    /// Reads all options but the credentials (for which a person may be asked, after everything else is right).
    pub(super) fn from_matches(m: &ArgMatches) -> Result<Self, Failure> {
        let inband = m.get_flag("inband");
        let targets = match m.get_many::<String>("address") {
            Some(addresses) => Targets::parse(addresses)?,
            None if inband => Targets::parse([INBAND])?,
            None => {
                return Err(Failure::usage("no target").hint("add --address TARGET or --inband"));
            }
        };
        let suite = m.get_one::<u8>("cipher-suite").copied();
        if let Some(suite) = suite.filter(|s| !SUITES.contains(s)) {
            return Err(Failure::usage(format!("-C {suite}: no such cipher suite"))
                .hint(format!("there are {SUITES:?}")));
        }
        let one_five = m
            .get_one::<String>("ipmi-version")
            .is_some_and(|v| v == "1.5");
        if one_five && suite.is_some() {
            return Err(Failure::usage("-C: IPMI 1.5 has no cipher suites"));
        }
        let level = m
            .get_one::<String>("privilege")
            .map(|l| l.to_ascii_lowercase());
        let privilege = level.map(|level| match level.as_str() {
            "callback" => Privilege::Callback,
            "user" => Privilege::User,
            "operator" => Privilege::Operator,
            _ => Privilege::Administrator,
        });
        let services = Services::from_matches(m)?;
        services.check(targets.count())?;
        Ok(Self {
            targets,
            inband,
            services,
            login: Credentials {
                user: String::new(),
                password: Secret::new(Vec::new()),
                kg: None,
            },
            candidates: None,
            suite,
            privilege,
            version: if one_five {
                Version::V1_5
            } else {
                Version::V2_0
            },
            ipmi_port: m.get_one::<u16>("ipmi-port").copied().unwrap_or(623),
            fanout: m.get_one::<u16>("fanout").copied().map_or(512, usize::from),
            timeout: m
                .get_one::<Duration>("timeout")
                .copied()
                .unwrap_or(Duration::from_secs(20)),
            wait: match m.get_one::<Duration>("wait") {
                _ if m.get_flag("no-wait") => Wait::No,
                Some(said) => Wait::For(*said),
                None => Wait::Usual,
            },
            cache: !m.get_flag("no-cache"),
        })
    }

    /// Adds who logs in. What IPMI cannot take is refused here only where nothing but IPMI is left.
    pub(super) fn with_credentials(mut self, m: &ArgMatches) -> Result<Self, Failure> {
        if self.inband || self.services.driver == Some(DriverName::Unmanaged) {
            return Ok(self);
        }
        if let Some(list) = candidates::given(m)? {
            self.candidates = Some((list, m.get_flag("try-now")));
            return Ok(self);
        }
        self.login = credentials::needed(m)?;
        match self.too_long_for_ipmi() {
            Some(words) if !self.services.allow_redfish() => Err(Failure::usage(words)),
            _ => Ok(self),
        }
    }

    /// Why IPMI cannot log in with these credentials.
    pub(super) fn too_long_for_ipmi(&self) -> Option<String> {
        let (name, password) = (self.login.user.len(), self.login.password.len());
        let limit = match self.version {
            Version::V1_5 => 16,
            Version::V2_0 => 20,
        };
        if name > 16 {
            Some(format!("the user name has {name} bytes; IPMI takes 16"))
        } else if password > limit {
            Some(format!(
                "the password has {password} bytes; IPMI takes {limit}"
            ))
        } else {
            None
        }
    }
}
