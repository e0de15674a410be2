//! From options to BMCs: the fleet, what was learnt before, the drivers.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::applets::common::exit::Failure;
use crate::applets::common::targets::Target;
use crate::hal::Result;
use crate::hal::bmc::Bmc;
use crate::hal::fleet::{Endpoint, Fleet, Forgetful, Memory};
use crate::hal::ipmi::Exchange;
use crate::hal::ipmi::session::Config;
use crate::hal::transport::{Kcs, Lan};
use crate::hal::vendors;
use crate::inventory::Cache;

use super::options::Options;

/// How long goodbyes may take when all is done (three tries of Close Session).
const GOODBYE: Duration = Duration::from_secs(1);

/// Where BMCs come from. Cheap to clone.
#[derive(Clone)]
pub(super) struct Door {
    fleet: Arc<Fleet>,
    cache: Option<Arc<Cache>>,
    session: Arc<Config>,
    /// No suite was named: the one that worked before is insisted on.
    pin_suite: bool,
    ipmi_port: u16,
    /// This machine's own BMC, which is every target then.
    inband: Option<Arc<Kcs>>,
}

impl fmt::Debug for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Door").finish_non_exhaustive()
    }
}

impl Door {
    /// Opens sockets and cache, or the device; sends nothing. Has to be called inside a runtime.
    pub(super) fn open(options: &Options) -> Result<Self, Failure> {
        let cache = options.cache.then(open_cache).flatten();
        let memory: Arc<dyn Memory> = match &cache {
            Some(cache) => Arc::clone(cache) as Arc<dyn Memory>,
            None => Arc::new(Forgetful),
        };
        let login = &options.login;
        let mut session = Config::new(login.user.as_bytes(), login.password.clone());
        session.kg.clone_from(&login.kg);
        session.version = options.version;
        session.privilege = options.privilege;
        if let Some(suite) = options.suite {
            session.suites = vec![suite];
        }
        Ok(Self {
            fleet: Arc::new(Fleet::new(Lan::new()?, memory)),
            cache,
            session: Arc::new(session),
            pin_suite: options.suite.is_none(),
            ipmi_port: options.ipmi_port,
            inband: options.inband.then(Kcs::open).transpose()?.map(Arc::new),
        })
    }

    /// The BMC of a target; a name is looked up, nothing else is sent.
    pub(super) async fn bmc(&self, target: &Target) -> Result<(Bmc, String)> {
        if let Some(kcs) = &self.inband {
            let mut bmc = Bmc::default();
            vendors::attach_ipmi(&mut bmc, Arc::clone(kcs) as Arc<dyn Exchange>);
            return Ok((bmc, kcs.path().display().to_string()));
        }
        let addr = target.resolve(self.ipmi_port).await?;
        let endpoint = Endpoint {
            addr,
            session: (*self.session).clone(),
            pin_suite: self.pin_suite,
            linger: Duration::ZERO,
        };
        let mut bmc = Bmc::default();
        vendors::attach_ipmi(&mut bmc, self.fleet.bmc(&endpoint)?);
        Ok((bmc, addr.to_string()))
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
