//! `--credentials FILE`: which of several logins is right for a target.

use crate::applets::common::candidates::now;
use crate::hal::bmc::Bmc;
use crate::hal::connect::{Login, Way, connect};
use crate::hal::fleet::{Endpoint, Fleet};
use crate::hal::ipmi::session::{Config, Version};
use crate::hal::logins::{Candidate, Search};
use crate::hal::model::{BoxFuture, Cx, Secret};
use crate::hal::{Error, Kind, Result};

use super::connect::Door;
use super::options::Options;

/// The candidates of a run.
pub(super) struct Candidates {
    list: Vec<Candidate>,
    try_now: bool,
    /// Everything of IPMI's login but user and password.
    session: Config,
}

impl Candidates {
    /// Those that were given, if any.
    pub(super) fn of(options: &Options) -> Option<Self> {
        let (list, try_now) = options.candidates.clone()?;
        Some(Self {
            list,
            try_now,
            session: super::connect::session(options),
        })
    }

    /// Finds the right one and connects with it.
    pub(super) async fn connect(&self, door: &Door, cx: &Cx, way: &Way) -> Result<Bmc> {
        let fleet: &Fleet = &door.fleet;
        let endpoint = Endpoint {
            addr: way.ipmi,
            session: self.session.clone(),
            pin_suite: way.pin_suite,
            linger: way.linger,
        };
        let search = Search {
            fleet,
            gate: &door.gate,
            bmc: &way.gate_name(),
            endpoint: (door.services.allow_ipmi() && self.session.version == Version::V2_0)
                .then_some(endpoint),
            now: now(),
            try_now: self.try_now,
        };
        let attempt = move |candidate: Candidate| -> BoxFuture<'_, Result<()>> {
            Box::pin(async move {
                let login = Login {
                    ipmi: None,
                    redfish: Some((candidate.user, candidate.password)),
                };
                let bmc = connect(fleet, cx, way, &login).await?;
                match bmc.power.call("power.state", |p| p.state(cx)).await {
                    Err(error) if error.kind() != Kind::Unsupported => Err(error),
                    _ => Ok(()),
                }
            })
        };
        let redfish = way.redfish.is_some();
        let outcome = search
            .run(cx, &self.list, redfish.then_some(&attempt))
            .await;
        for step in &outcome.steps {
            log::info!("{}: {step}", way.gate_name());
        }
        let Some(right) = outcome.found.and_then(|i| self.list.get(i)) else {
            return Err(Error::new(Kind::Auth, "no candidate was found to be right")
                .with_source(outcome.steps.join("; ")));
        };
        let bmc = connect(fleet, cx, way, &self.login(door, right)).await;
        drop(outcome.session);
        bmc
    }

    fn login(&self, door: &Door, right: &Candidate) -> Login {
        let carried = right.user.len() <= 16 && right.password.len() <= 20;
        let mut session = self.session.clone();
        session.user = right.user.as_bytes().to_vec();
        session.password = Secret::clone(&right.password);
        Login {
            ipmi: (door.services.allow_ipmi() && carried).then_some(session),
            redfish: door
                .services
                .allow_redfish()
                .then(|| (right.user.clone(), right.password.clone())),
        }
    }
}

impl std::fmt::Debug for Candidates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Candidates")
            .field("number", &self.list.len())
            .finish_non_exhaustive()
    }
}
