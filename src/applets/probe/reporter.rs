//! From findings to a `Bmc` and its capability report, for one target or many.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::task::JoinSet;

use super::login::{Login, Who};
use super::{Probed, record};
use crate::applets::common::candidates;
use crate::applets::common::credentials::Credentials;
use crate::applets::common::progress::Progress;
use crate::hal::bmc::Bmc;
use crate::hal::connect::{self, Service, Way};
use crate::hal::detect::Findings;
use crate::hal::detect::findings::IpmiVersion;
use crate::hal::fleet::candidates::{Fit, fit};
use crate::hal::fleet::{Endpoint, Fleet, Forgetful, Memory, Remote};
use crate::hal::gate::{Gate, Rule, name_of};
use crate::hal::ipmi::session::Version;
use crate::hal::logins::{self, Candidate, Search};
use crate::hal::model::{BoxFuture, Cancel, Cx, DriverName, Secret};
use crate::hal::recording::Recorder;
use crate::hal::report::{self, Report};
use crate::hal::transport::Lan;
use crate::hal::transport::http::Trust;
use crate::hal::{Error, Kind, Result};
use crate::inventory::Cache;

/// How long goodbyes may take when all is done.
const GOODBYE: Duration = Duration::from_secs(1);

/// Between two operations the session stays open this long.
const LINGER: Duration = Duration::from_secs(5);

/// What came of one target.
#[derive(Debug, Default)]
pub(super) struct Made {
    pub(super) report: Option<Report>,
    /// How the login was found, where it was searched for.
    pub(super) login: Option<Found>,
    /// Why there is no report.
    pub(super) failed: Option<Error>,
    /// Why there is no recording.
    pub(super) recorded: Option<Error>,
}

/// The outcome of a search among several credentials.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Found {
    /// Place of the right one in the file, from 1 on.
    pub(super) candidate: Option<usize>,
    /// Its user.
    pub(super) user: Option<String>,
    /// What was done.
    pub(super) steps: Vec<String>,
}

/// Makes reports of what was found. One for all targets.
pub(super) struct Reporter {
    fleet: Fleet,
    gate: Arc<Gate>,
    cache: Option<Arc<Cache>>,
    login: Login,
    trust: Trust,
    recorder: Option<Arc<Recorder>>,
}

impl Reporter {
    /// Opens sockets and cache; sends nothing.
    pub(super) fn new(lan: Arc<Lan>, login: Login, trust: Trust) -> Self {
        // A recording is that of a BMC of which nothing is known yet: it must answer everything.
        let cache = (login.cache && login.record.is_none())
            .then(open_cache)
            .flatten();
        let memory: Arc<dyn Memory> = match &cache {
            Some(cache) => Arc::clone(cache) as Arc<dyn Memory>,
            None => Arc::new(Forgetful),
        };
        let gate = candidates::gate(login.cache);
        let mut fleet = Fleet::new(lan, memory).gated(Arc::clone(&gate), Rule::Operator);
        let recorder = login.record.is_some().then(|| Arc::new(Recorder::new()));
        if let Some(recorder) = &recorder {
            fleet = fleet.recorded(Arc::clone(recorder));
        }
        Self {
            fleet,
            gate,
            cache,
            login,
            trust,
            recorder,
        }
    }

    /// The report of one target.
    pub(super) async fn report(&self, found: &Findings, cancel: &Cancel) -> Made {
        let mut made = Made::default();
        let mut cx = Cx::until(Instant::now() + self.login.whole).with_cancel(cancel.clone());
        cx.request_id = Arc::from(format!("report of {}", found.target));
        let mut keep = None;
        let credentials = match &self.login.who {
            Who::One(credentials) => credentials.clone(),
            Who::Several(list, try_now) => {
                let outcome = self.search(&cx, found, list, *try_now).await;
                made.login = Some(Found {
                    candidate: outcome.found.map(|i| i + 1),
                    user: outcome.found.and_then(|i| Some(list.get(i)?.user.clone())),
                    steps: outcome.steps,
                });
                keep = outcome.session;
                let Some(right) = outcome.found.and_then(|i| list.get(i)) else {
                    made.failed =
                        Some(Error::new(Kind::Auth, "no candidate was found to be right"));
                    return made;
                };
                Credentials {
                    user: right.user.clone(),
                    password: right.password.clone(),
                    kg: None,
                }
            }
        };
        match self.bmc(&cx, found, &credentials).await {
            Ok(Some(bmc)) => {
                made.report = Some(report::report(&bmc, &cx, &self.login.options).await);
                if let (Some(recorder), Some((path, keep))) = (&self.recorder, &self.login.record) {
                    let secrets = self.login.secrets(&credentials);
                    made.recorded = record::save(recorder, found, &secrets, (path, *keep)).err();
                }
            }
            Ok(None) => {
                let what = "there is nothing to log in to";
                made.failed = Some(Error::new(Kind::Unsupported, what));
            }
            Err(error) => {
                made.failed = Some(error);
            }
        }
        drop(keep);
        made
    }

    /// Finds the right candidate.
    async fn search(
        &self,
        cx: &Cx,
        found: &Findings,
        list: &[Candidate],
        try_now: bool,
    ) -> logins::Outcome {
        let nobody = Credentials {
            user: String::new(),
            password: Secret::new(Vec::new()),
            kg: None,
        };
        let name = gate_name(found);
        let search = Search {
            fleet: &self.fleet,
            gate: &self.gate,
            bmc: &name,
            endpoint: self
                .endpoint(found, &nobody)
                .filter(|_| self.login.version == Version::V2_0),
            now: candidates::now(),
            try_now,
        };
        let attempt = move |candidate: Candidate| -> BoxFuture<'_, Result<()>> {
            Box::pin(async move { self.attempt(cx, found, &candidate).await })
        };
        let redfish = found.redfish().is_some_and(|r| r.available)
            && (self.wants(DriverName::Redfish) || self.wants(DriverName::IDrac));
        search.run(cx, list, redfish.then_some(&attempt)).await
    }

    fn wants(&self, driver: DriverName) -> bool {
        self.login.only.is_none_or(|only| only == driver)
    }

    /// How the BMC is reached over IPMI, if it is.
    fn endpoint(&self, found: &Findings, credentials: &Credentials) -> Option<Endpoint> {
        let available = found.available().contains(&DriverName::Ipmi);
        let version = match self.login.version {
            Version::V1_5 => IpmiVersion::V1_5,
            Version::V2_0 => IpmiVersion::V2_0,
        };
        let ipmi = found
            .ipmi()
            .filter(|_| available && self.wants(DriverName::Ipmi))
            .filter(|ipmi| ipmi.versions.is_empty() || ipmi.versions.contains(&version))?;
        Some(Endpoint {
            addr: SocketAddr::new(found.address?, ipmi.port),
            session: self.login.session(credentials),
            pin_suite: self.login.suite.is_none(),
            linger: LINGER,
        })
    }

    /// The BMC with all drivers that were found; `None` when there is nothing to log in to.
    async fn bmc(
        &self,
        cx: &Cx,
        found: &Findings,
        credentials: &Credentials,
    ) -> Result<Option<Bmc>> {
        let Some(address) = found.address else {
            return Ok(None);
        };
        let carried = credentials.user.len() <= 16 && credentials.password.len() <= 20;
        let endpoint = self.endpoint(found, credentials).filter(|_| carried);
        let service = self.service(found).await?;
        if endpoint.is_none() && service.is_none() {
            return Ok(None);
        }
        // IPMI tells a wrong password before it counts, so it is asked first; Redfish only hears of a right one.
        let mut held = None;
        if let (Some(endpoint), true) = (&endpoint, service.is_some()) {
            held = self.checked(cx, endpoint).await?;
        }
        let port = endpoint.as_ref().map_or(623, |e| e.addr.port());
        let way = Way {
            pin_suite: self.login.suite.is_none(),
            linger: LINGER,
            redfish: service,
            findings: Some(found.clone()),
            prefer: self.login.only,
            only: self.login.only.is_some(),
            name: Some(gate_name(found).into()),
            ..Way::to(SocketAddr::new(address, port))
        };
        let login = connect::Login {
            ipmi: endpoint.map(|e| e.session),
            redfish: Some((credentials.user.clone(), credentials.password.clone())),
        };
        let bmc = connect::connect(&self.fleet, cx, &way, &login).await;
        drop(held);
        bmc.map(Some)
    }

    /// Where Redfish is, if it was found and is wanted.
    async fn service(&self, found: &Findings) -> Result<Option<Service>> {
        let wanted = self.wants(DriverName::Redfish) || self.wants(DriverName::IDrac);
        match found.redfish().filter(|r| r.available && wanted) {
            Some(redfish) => Service::of_url(&redfish.url, self.trust.clone())
                .await
                .map(Some),
            None => Ok(None),
        }
    }

    /// Refused credentials are an error; whatever else goes wrong is seen again when operations are tried.
    async fn checked(&self, cx: &Cx, endpoint: &Endpoint) -> Result<Option<Arc<Remote>>> {
        let refused = |why: &str| {
            Error::new(Kind::Auth, "log in over IPMI")
                .with_source(why.to_owned())
                .with_hint("Redfish was not tried with it; --driver Redfish does")
        };
        // One that is silent must leave time for the other protocol.
        let mut cx = cx.clone();
        cx.deadline = cx.deadline.min(Instant::now() + self.login.options.each);
        match fit(&self.fleet, &cx, endpoint).await {
            Ok(Fit::Right(_, remote)) => Ok(Some(remote)),
            Ok(Fit::Wrong) => Err(refused("the password is wrong")),
            Ok(Fit::NoUser) => Err(refused("there is no such user")),
            Err(error) if error.kind() == Kind::Auth => Err(error),
            Err(error) => {
                log::info!("{}: {}", endpoint.addr, error.chain());
                Ok(None)
            }
        }
    }

    /// One login over Redfish: Ok when it was let in, whatever came of the read.
    async fn attempt(&self, cx: &Cx, found: &Findings, candidate: &Candidate) -> Result<()> {
        let Some((address, service)) = found.address.zip(self.service(found).await?) else {
            return Err(Error::new(Kind::Unsupported, "there is no Redfish"));
        };
        let way = Way {
            redfish: Some(service),
            findings: Some(found.clone()),
            name: Some(gate_name(found).into()),
            ..Way::to(SocketAddr::new(address, 623))
        };
        let login = connect::Login {
            ipmi: None,
            redfish: Some((candidate.user.clone(), candidate.password.clone())),
        };
        let bmc = connect::connect(&self.fleet, cx, &way, &login).await?;
        match bmc.power.call("power.state", |p| p.state(cx)).await {
            Err(error) if error.kind() != Kind::Unsupported => Err(error),
            _ => Ok(()),
        }
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
    let mut running: JoinSet<(usize, Made)> = JoinSet::new();
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
            Some(Ok((i, made))) => {
                progress.step(made.report.is_some());
                if let Some(probed) = probes.get_mut(i) {
                    probed.add(made);
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

/// What the gate knows the BMC by.
fn gate_name(found: &Findings) -> String {
    let port = found.ipmi().map_or(623, |ipmi| ipmi.port);
    found
        .address
        .map(|address| name_of(SocketAddr::new(address, port)))
        .unwrap_or_default()
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
