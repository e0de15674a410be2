//! With credentials: the options, and who logs in how.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use crate::applets::common::candidates;
use crate::applets::common::credentials::{self, Credentials};
use crate::applets::common::exit::Failure;
use crate::hal::ipmi::session::{Config, Version};
use crate::hal::logins::Candidate;
use crate::hal::model::{DriverName, Secret};
use crate::hal::recording::Keep;
use crate::hal::report;

/// Time for the report of one target unless `--timeout` says otherwise.
const WHOLE: Duration = Duration::from_mins(3);

/// Adds what only matters with credentials.
pub(super) fn args(command: Command) -> Command {
    candidates::args(credentials::args(command))
        .arg(
            Arg::new("writes")
                .long("writes")
                .action(ArgAction::SetTrue)
                .help_heading("With credentials")
                .help("Also switch the identify LED and the boot override, and put them back"),
        )
        .arg(
            Arg::new("record")
                .long("record")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .help_heading("With credentials")
                .help("Write what the BMC answered to FILE, without secrets and serial numbers; halbox sim FILE replays it. One target"),
        )
        .arg(
            Arg::new("keep-serials")
                .long("keep-serials")
                .action(ArgAction::SetTrue)
                .requires("record")
                .help_heading("With credentials")
                .help("Leave serial numbers and service tags in the recording"),
        )
        .arg(
            Arg::new("driver")
                .long("driver")
                .value_name("DRIVER")
                .value_parser(value_parser!(DriverName))
                .help_heading("With credentials")
                .help("Report on this driver only: IPMI, Redfish, iDrac"),
        )
        .arg(
            Arg::new("cipher-suite")
                .short('C')
                .long("cipher-suite")
                .value_name("N")
                .value_parser(value_parser!(u8).range(..=17))
                .help_heading("With credentials")
                .help("IPMI cipher suite to use instead of 17, then 3"),
        )
        .arg(
            Arg::new("ipmi-version")
                .long("ipmi-version")
                .value_name("VERSION")
                .value_parser(["2.0", "1.5"])
                .default_value("2.0")
                .help_heading("With credentials")
                .help("1.5 only for BMCs that know nothing else"),
        )
        .arg(
            Arg::new("no-cache")
                .long("no-cache")
                .action(ArgAction::SetTrue)
                .help_heading("With credentials")
                .help("Do not use or keep what was learnt of a BMC"),
        )
}

/// Who logs in.
#[derive(Debug, Clone)]
pub(super) enum Who {
    /// As the operator says.
    One(Credentials),
    /// One of these; the gate and `--try-now` decide what may be tried.
    Several(Vec<Candidate>, bool),
}

/// Who logs in and how.
#[derive(Debug, Clone)]
pub(super) struct Login {
    pub(super) who: Who,
    pub(super) only: Option<DriverName>,
    pub(super) options: report::Options,
    pub(super) whole: Duration,
    /// Where a recording goes, and what may stay in it.
    pub(super) record: Option<(PathBuf, Keep)>,
    pub(super) suite: Option<u8>,
    pub(super) version: Version,
    pub(super) cache: bool,
}

impl Login {
    /// From the options; `None` when nobody logs in.
    pub(super) fn from_matches(m: &ArgMatches) -> Result<Option<Self>, Failure> {
        let cache = !m.get_flag("no-cache");
        let record = m.get_one::<PathBuf>("record").cloned();
        let who = if let Some(list) = candidates::given(m)? {
            Who::Several(list, m.get_flag("try-now"))
        } else if let Some(one) = credentials::given(m)? {
            Who::One(one)
        } else if record.is_some() {
            return Err(Failure::usage("--record needs a login").hint("add -U NAME"));
        } else if m.get_flag("writes") {
            return Err(Failure::usage("--writes needs a login").hint("add -U NAME"));
        } else {
            return Ok(None);
        };
        Ok(Some(Self {
            who,
            only: m.get_one::<DriverName>("driver").copied(),
            options: report::Options {
                writes: m.get_flag("writes"),
                ..report::Options::default()
            },
            whole: m.get_one::<Duration>("timeout").copied().unwrap_or(WHOLE),
            record: record.map(|path| {
                let serials = m.get_flag("keep-serials");
                (path, Keep { serials })
            }),
            suite: m.get_one::<u8>("cipher-suite").copied(),
            version: match m.get_one::<String>("ipmi-version").map(String::as_str) {
                Some("1.5") => Version::V1_5,
                _ => Version::V2_0,
            },
            cache,
        }))
    }

    /// The login of one machine of a rack; `changes`: settings, power.
    pub(super) fn of_machine(
        m: &ArgMatches,
        credentials: Credentials,
        only: Option<DriverName>,
        (writes, power): (bool, bool),
    ) -> Self {
        Self {
            who: Who::One(credentials),
            only,
            options: report::Options {
                writes,
                power,
                ..report::Options::default()
            },
            whole: match m.get_one::<Duration>("timeout") {
                Some(said) => *said,
                // Machines take minutes to come up.
                None if power => 20 * WHOLE,
                None => WHOLE,
            },
            record: None,
            suite: None,
            version: Version::V2_0,
            cache: false,
        }
    }

    /// All secrets that may be used: they stay out of a recording.
    pub(super) fn secrets<'a>(&'a self, used: &'a Credentials) -> Vec<&'a Secret> {
        let mut secrets = vec![&used.password];
        secrets.extend(&used.kg);
        if let Who::Several(list, _) = &self.who {
            secrets.extend(list.iter().map(|c| &c.password));
        }
        secrets
    }

    /// The login over IPMI.
    pub(super) fn session(&self, credentials: &Credentials) -> Config {
        let Credentials { user, password, kg } = credentials;
        let mut session = Config::new(user.as_bytes(), password.clone());
        session.kg.clone_from(kg);
        session.version = self.version;
        if let Some(suite) = self.suite {
            session.suites = vec![suite];
        }
        session
    }
}
