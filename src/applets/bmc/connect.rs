//! From options to BMCs: the fleet, what was learnt before, the drivers.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::applets::common::candidates;
use crate::applets::common::exit::Failure;
use crate::applets::common::services::Services;
use crate::applets::common::targets::Target;
use crate::hal::bmc::Bmc;
use crate::hal::connect::{Login, SshWay, Way, connect};
use crate::hal::fleet::{Fleet, Forgetful, Memory};
use crate::hal::gate::{Gate, Rule};
use crate::hal::ipmi::Exchange;
use crate::hal::ipmi::session::Config;
use crate::hal::model::{Cx, DriverName};
use crate::hal::transport::{Kcs, Lan};
use crate::hal::vendors;
use crate::hal::{Error, Kind, Result};
use crate::inventory::Cache;

use super::options::Options;
use super::search;

/// How long goodbyes may take when all is done (three tries of Close Session).
const GOODBYE: Duration = Duration::from_secs(1);

/// Where BMCs come from. Cheap to clone.
#[derive(Clone)]
pub(super) struct Door {
    pub(super) fleet: Arc<Fleet>,
    cache: Option<Arc<Cache>>,
    login: Arc<Login>,
    pub(super) services: Arc<Services>,
    /// No suite was named: the one that worked before is insisted on.
    pin_suite: bool,
    ipmi_port: u16,
    /// This machine's own BMC, which is every target then.
    inband: Option<Arc<Kcs>>,
    /// Instead of `login`: several, of which one is right for each target.
    search: Option<Arc<search::Candidates>>,
    pub(super) gate: Arc<Gate>,
    /// Why there is no login for IPMI.
    without_ipmi: Option<Arc<str>>,
    ssh: SshWay,
}

impl fmt::Debug for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Door").finish_non_exhaustive()
    }
}

impl Door {
    /// Opens sockets and cache, or the device; sends nothing. Has to be called inside a runtime. `only_ipmi`: no other
    /// driver can do what is planned.
    pub(super) fn open(options: &Options, only_ipmi: bool) -> Result<Self, Failure> {
        let cache = options.cache.then(open_cache).flatten();
        let memory: Arc<dyn Memory> = match &cache {
            Some(cache) => Arc::clone(cache) as Arc<dyn Memory>,
            None => Arc::new(Forgetful),
        };
        let mut services = options.services.clone();
        if only_ipmi {
            services.driver.get_or_insert(DriverName::Ipmi);
        }
        let without_ipmi = options.too_long_for_ipmi();
        if let Some(words) = without_ipmi.as_ref().filter(|_| !services.allow_redfish()) {
            return Err(Failure::usage(words.as_str()));
        }
        let gate = candidates::gate(options.cache);
        let fleet = Fleet::new(Lan::new()?, memory).gated(Arc::clone(&gate), Rule::Operator);
        let user = &options.login.user;
        let password = &options.login.password;
        Ok(Self {
            fleet: Arc::new(fleet),
            cache,
            login: Arc::new(Login {
                ipmi: (services.allow_ipmi() && without_ipmi.is_none()).then(|| session(options)),
                redfish: services
                    .allow_redfish()
                    .then(|| (user.clone(), password.clone())),
            }),
            services: Arc::new(services),
            search: search::Candidates::of(options).map(Arc::new),
            gate,
            pin_suite: options.suite.is_none(),
            ipmi_port: options.ipmi_port,
            inband: options.inband.then(Kcs::open).transpose()?.map(Arc::new),
            without_ipmi: without_ipmi.map(Into::into),
            ssh: SshWay::default(),
        })
    }

    /// The same with what was said of consoles over SSH.
    pub(super) fn with_ssh(mut self, ssh: SshWay) -> Self {
        self.ssh = ssh;
        self
    }

    /// The BMC of a target with its drivers.
    pub(super) async fn bmc(&self, cx: &Cx, target: &Target) -> Result<Bmc> {
        if let Some(kcs) = &self.inband {
            log::info!("{}: {}", target.text, kcs.path().display());
            let mut bmc = Bmc::default();
            vendors::attach_ipmi(&mut bmc, Arc::clone(kcs) as Arc<dyn Exchange>);
            return Ok(bmc);
        }
        let look_up = async {
            let ipmi = target.resolve(self.ipmi_port).await?;
            Ok::<_, Error>((ipmi, self.services.redfish(target).await?))
        };
        let (ipmi, redfish) = tokio::select! {
            found = tokio::time::timeout_at(cx.deadline.into(), look_up) => {
                found.map_err(|_| Error::new(Kind::Timeout, "the name was not looked up in time"))??
            }
            () = cx.cancel.cancelled() => return Err(Error::new(Kind::Cancelled, "interrupted")),
        };
        let way = Way {
            redfish,
            pin_suite: self.pin_suite,
            prefer: self.services.driver,
            only: self.services.driver.is_some(),
            ssh: self.ssh.clone(),
            ..Way::to(ipmi)
        };
        if way.redfish.is_none()
            && self.login.ipmi.is_none()
            && way.prefer != Some(DriverName::Unmanaged)
        {
            let error = self.services.nothing_left();
            return Err(match &self.without_ipmi {
                Some(words) => error.with_source(words.to_string()),
                None => error,
            });
        }
        log::info!(
            "{}: IPMI at {ipmi}, Redfish at {:?}",
            target.text,
            way.redfish.as_ref().map(|r| &r.base)
        );
        match &self.search {
            None => connect(&self.fleet, cx, &way, &self.login).await,
            Some(candidates) => candidates.connect(self, cx, &way).await,
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

/// How to log in over IPMI.
pub(super) fn session(options: &Options) -> Config {
    let login = &options.login;
    let mut session = Config::new(login.user.as_bytes(), login.password.clone());
    session.kg.clone_from(&login.kg);
    session.version = options.version;
    session.privilege = options.privilege;
    if let Some(suite) = options.suite {
        session.suites = vec![suite];
    }
    session
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
