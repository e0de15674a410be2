//! With credentials: from findings to a `Bmc` and its capability report.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use tokio::task::JoinSet;

use super::Probed;
use crate::applets::common::credentials::{self, Credentials};
use crate::applets::common::exit::Failure;
use crate::applets::common::progress::Progress;
use crate::hal::bmc::Bmc;
use crate::hal::detect::Findings;
use crate::hal::fleet::{Endpoint, Fleet, Forgetful, Memory};
use crate::hal::ipmi::session::{Config, Version};
use crate::hal::model::{Cancel, Cx, DriverName};
use crate::hal::report::{self, Report};
use crate::hal::transport::Lan;
use crate::hal::{Result, vendors};
use crate::inventory::Cache;

/// Time for the report of one target unless `--timeout` says otherwise.
const WHOLE: Duration = Duration::from_mins(3);

/// How long goodbyes may take when all is done.
const GOODBYE: Duration = Duration::from_secs(1);

/// Between two operations the session stays open this long.
const LINGER: Duration = Duration::from_secs(5);

/// Adds what only matters with credentials.
pub(super) fn args(command: Command) -> Command {
    credentials::args(command)
        .arg(
            Arg::new("writes")
                .long("writes")
                .action(ArgAction::SetTrue)
                .help_heading("With credentials")
                .help("Also switch the identify LED and the boot override, and put them back"),
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

/// Who logs in and how.
#[derive(Debug, Clone)]
pub(super) struct Login {
    pub(super) credentials: Credentials,
    pub(super) only: Option<DriverName>,
    pub(super) options: report::Options,
    pub(super) whole: Duration,
    suite: Option<u8>,
    version: Version,
    cache: bool,
}

impl Login {
    /// From the options; `None` when nobody logs in.
    pub(super) fn from_matches(m: &ArgMatches) -> std::result::Result<Option<Self>, Failure> {
        let Some(credentials) = credentials::given(m)? else {
            if m.get_flag("writes") {
                return Err(Failure::usage("--writes needs a login").hint("add -U NAME"));
            }
            return Ok(None);
        };
        Ok(Some(Self {
            credentials,
            only: m.get_one::<DriverName>("driver").copied(),
            options: report::Options {
                writes: m.get_flag("writes"),
                ..report::Options::default()
            },
            whole: m.get_one::<Duration>("timeout").copied().unwrap_or(WHOLE),
            suite: m.get_one::<u8>("cipher-suite").copied(),
            version: match m.get_one::<String>("ipmi-version").map(String::as_str) {
                Some("1.5") => Version::V1_5,
                _ => Version::V2_0,
            },
            cache: !m.get_flag("no-cache"),
        }))
    }

    /// The login over IPMI.
    fn session(&self) -> Config {
        let Credentials { user, password, kg } = &self.credentials;
        let mut session = Config::new(user.as_bytes(), password.clone());
        session.kg.clone_from(kg);
        session.version = self.version;
        if let Some(suite) = self.suite {
            session.suites = vec![suite];
        }
        session
    }
}

/// Makes reports of what was found. One for all targets.
pub(super) struct Reporter {
    fleet: Fleet,
    cache: Option<Arc<Cache>>,
    login: Login,
}

impl Reporter {
    /// Opens sockets and cache; sends nothing.
    pub(super) fn new(lan: Arc<Lan>, login: Login) -> Self {
        let cache = login.cache.then(open_cache).flatten();
        let memory: Arc<dyn Memory> = match &cache {
            Some(cache) => Arc::clone(cache) as Arc<dyn Memory>,
            None => Arc::new(Forgetful),
        };
        Self {
            fleet: Fleet::new(lan, memory),
            cache,
            login,
        }
    }

    /// The report of one target; `None` when there is nothing to log in to.
    pub(super) async fn report(&self, found: &Findings, cancel: &Cancel) -> Option<Report> {
        let bmc = match self.bmc(found) {
            Ok(bmc) => bmc?,
            Err(error) => {
                log::warn!("{}: {}", found.target, error.chain());
                return None;
            }
        };
        let mut cx = Cx::until(Instant::now() + self.login.whole).with_cancel(cancel.clone());
        cx.request_id = Arc::from(format!("report of {}", found.target));
        Some(report::report(&bmc, &cx, &self.login.options).await)
    }

    fn bmc(&self, found: &Findings) -> Result<Option<Bmc>> {
        let wanted = |driver| self.login.only.is_none_or(|only| only == driver);
        let mut bmc = Bmc::default();
        let mut any = false;
        let available = found.available();
        if let (Some(ip), Some(ipmi)) = (found.address, found.ipmi())
            && available.contains(&DriverName::Ipmi)
            && wanted(DriverName::Ipmi)
        {
            let endpoint = Endpoint {
                addr: SocketAddr::new(ip, ipmi.port),
                session: self.login.session(),
                pin_suite: self.login.suite.is_none(),
                linger: LINGER,
            };
            vendors::attach(&mut bmc, self.fleet.bmc(&endpoint)?);
            any = true;
        }
        Ok(any.then_some(bmc))
    }

    /// Closes all sessions, then stores what was learnt.
    pub(super) async fn close(self) {
        let left = self.fleet.shutdown(GOODBYE).await;
        if left > 0 {
            log::info!("{left} sessions were not confirmed as closed");
        }
        if let Some(cache) = self.cache {
            cache.flush();
        }
    }
}

/// Makes the reports of all that answered, so many at a time, then closes everything.
pub(super) async fn report_all(
    reporter: Reporter,
    probes: &mut [Probed],
    fanout: usize,
    cancel: &Cancel,
) {
    let reporter = Arc::new(reporter);
    let mut progress = Progress::new(probes.len() as u64);
    let mut running: JoinSet<(usize, Option<Report>)> = JoinSet::new();
    let mut waiting: Vec<(usize, Findings)> = probes
        .iter()
        .enumerate()
        .filter(|(_, probed)| probed.findings.reachable)
        .map(|(i, probed)| (i, probed.findings.clone()))
        .collect();
    waiting.reverse();
    loop {
        while running.len() < fanout.max(1)
            && !cancel.is_cancelled()
            && let Some((i, found)) = waiting.pop()
        {
            let (reporter, cancel) = (Arc::clone(&reporter), cancel.clone());
            running.spawn(async move { (i, reporter.report(&found, &cancel).await) });
        }
        // After a cancel, too: what was changed is put back first.
        match running.join_next().await {
            None => break,
            Some(Ok((i, report))) => {
                progress.step(report.is_some());
                if let (Some(probed), Some(report)) = (probes.get_mut(i), report) {
                    probed.add(report);
                }
            }
            Some(Err(e)) => log::error!("a report ended unexpectedly: {e}"),
        }
    }
    progress.clear();
    if let Some(reporter) = Arc::into_inner(reporter) {
        reporter.close().await;
    }
}

impl std::fmt::Debug for Reporter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reporter").finish_non_exhaustive()
    }
}

fn open_cache() -> Option<Arc<Cache>> {
    let dir = Cache::default_dir(|name| std::env::var_os(name).map(PathBuf::from))?;
    match Cache::open(&dir) {
        Ok(cache) => Some(Arc::new(cache)),
        Err(error) => {
            log::info!("cache {}: {error}; done without", dir.display());
            None
        }
    }
}
