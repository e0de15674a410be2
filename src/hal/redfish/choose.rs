//! Which ComputerSystem, Manager and Chassis are the host's. Chosen by what they can do, never by index or name; the
//! choice is remembered per BMC, so that the next operation needs one request.

use std::sync::Arc;

use super::Client;
use super::learnt::Learnt;
use super::path;
use super::resource::Resource;
use crate::hal::error::{Error, Kind, Result};
use crate::hal::model::Cx;

/// Candidates that are read before the best one is taken.
const MAX_READ: usize = 64;

/// The rank of a candidate after which no other is looked at.
const CERTAIN: u8 = u8::MAX;

/// The action that makes a system the host.
pub const RESET: &str = "#ComputerSystem.Reset";

impl Client {
    /// The service root.
    pub async fn root(&self, cx: &Cx) -> Result<Arc<Resource>> {
        match self.get(cx, path::ROOT).await {
            Err(e) if e.kind() == Kind::Unsupported => {
                self.get(cx, path::ROOT.trim_end_matches('/')).await
            }
            other => other,
        }
    }

    /// The host: the ComputerSystem with a Reset action, else one with a UUID, else the first. `Unsupported` when the BMC
    /// has none.
    pub async fn system(&self, cx: &Cx) -> Result<Arc<Resource>> {
        if let Some(known) = self.remembered(cx, |l| &mut l.system).await? {
            return Ok(known);
        }
        let found = self.best(cx, "Systems", host_rank).await?;
        self.learn(|l| &mut l.system, &found);
        Ok(found)
    }

    /// The host's manager: the one that the system names, else the one with EthernetInterfaces, else the first.
    pub async fn manager(&self, cx: &Cx) -> Result<Arc<Resource>> {
        if let Some(known) = self.remembered(cx, |l| &mut l.manager).await? {
            return Ok(known);
        }
        let found = match self.linked(cx, "/Links/ManagedBy", manager_rank).await? {
            Some(found) => found,
            None => self.best(cx, "Managers", manager_rank).await?,
        };
        self.learn(|l| &mut l.manager, &found);
        Ok(found)
    }

    /// The host's chassis: the one that the system names, else the one that measures power, else the first.
    pub async fn chassis(&self, cx: &Cx) -> Result<Arc<Resource>> {
        if let Some(known) = self.remembered(cx, |l| &mut l.chassis).await? {
            return Ok(known);
        }
        let found = match self.linked(cx, "/Links/Chassis", chassis_rank).await? {
            Some(found) => found,
            None => self.best(cx, "Chassis", chassis_rank).await?,
        };
        self.learn(|l| &mut l.chassis, &found);
        Ok(found)
    }

    /// What an earlier operation chose, if it is still there.
    async fn remembered(
        &self,
        cx: &Cx,
        field: fn(&mut Learnt) -> &mut Option<String>,
    ) -> Result<Option<Arc<Resource>>> {
        let learnt = self.door().learnt();
        let Some(known) = learnt.update(|l| field(l).clone()) else {
            return Ok(None);
        };
        // It came out of a file: it is checked like any other link.
        let read = match path::clean(&known, "") {
            Some(path) => self.get(cx, &path).await,
            None => Err(Error::new(Kind::Unsupported, known)),
        };
        match read {
            Ok(resource) => Ok(Some(resource)),
            Err(e) if matches!(e.kind(), Kind::Unsupported | Kind::Protocol) => {
                // The BMC was replaced or renamed its resources: whatever else was learnt of it is stale, too.
                learnt.update(|l| {
                    (l.system, l.manager, l.chassis, l.sessions) = (None, None, None, None);
                    l.about = None;
                });
                Ok(None)
            }
            Err(e) => Err(e),
        }
    }

    fn learn(&self, field: fn(&mut Learnt) -> &mut Option<String>, resource: &Resource) {
        self.door()
            .learnt()
            .update(|l| *field(l) = Some(resource.path.clone()));
    }

    /// The best of those that the system links to; `None` when it names none that can be read.
    async fn linked(
        &self,
        cx: &Cx,
        links: &str,
        rank: impl Fn(&Resource) -> u8,
    ) -> Result<Option<Arc<Resource>>> {
        let links = match self.system(cx).await {
            Ok(system) => system.links(links),
            Err(e) if e.kind() == Kind::Unsupported => Vec::new(),
            Err(e) => return Err(e),
        };
        match self.first_of(cx, links, rank).await {
            Ok(found) => Ok(Some(found)),
            Err(Some(e)) if super::client::ends_all(e.kind()) => Err(e),
            Err(_) => Ok(None),
        }
    }

    /// The best member of a collection that the service root links to.
    async fn best(
        &self,
        cx: &Cx,
        collection: &str,
        rank: impl Fn(&Resource) -> u8,
    ) -> Result<Arc<Resource>> {
        let root = self.root(cx).await?;
        let path = root
            .link(&format!("/{collection}"))
            .unwrap_or_else(|| format!("{}{collection}", path::ROOT));
        let paths = self.member_paths(cx, &path).await?;
        self.first_of(cx, paths, rank).await.map_err(|e| {
            e.unwrap_or_else(|| {
                Error::new(Kind::Unsupported, format!("find {collection}"))
                    .with_source(format!("{path} has no members"))
            })
        })
    }

    /// Reads candidates until one is certain; else the first with the highest rank. One that cannot be read is passed over;
    /// `Err(None)` when there were none.
    async fn first_of(
        &self,
        cx: &Cx,
        paths: Vec<String>,
        rank: impl Fn(&Resource) -> u8,
    ) -> Result<Arc<Resource>, Option<Error>> {
        let mut best: Option<(u8, Arc<Resource>)> = None;
        let mut failed = None;
        for path in paths.into_iter().take(MAX_READ) {
            match self.get(cx, &path).await {
                Ok(resource) => {
                    let rank = rank(&resource);
                    if rank == CERTAIN {
                        return Ok(resource);
                    }
                    if best.as_ref().is_none_or(|(r, _)| rank > *r) {
                        best = Some((rank, resource));
                    }
                }
                Err(e) if super::client::ends_all(e.kind()) => return Err(Some(e)),
                Err(e) => failed = failed.or(Some(e)),
            }
        }
        best.map(|(_, resource)| resource).ok_or(failed)
    }
}

fn host_rank(r: &Resource) -> u8 {
    let resets = r.has(&format!("/Actions/{RESET}"));
    let blank = |uuid: &str| uuid.chars().all(|c| c == '0' || c == '-');
    let uuid = r.str("/UUID").is_some_and(|u| !blank(u));
    if resets && uuid {
        CERTAIN
    } else {
        4 * u8::from(resets) + 2 * u8::from(uuid) + u8::from(r.has("/Boot"))
    }
}

fn manager_rank(r: &Resource) -> u8 {
    let network = r.link("/EthernetInterfaces").is_some();
    match (network, r.str("/ManagerType")) {
        (true, Some("BMC")) => CERTAIN,
        (true, _) => 4,
        (false, Some("BMC")) => 3,
        (false, Some("EnclosureManager")) => 2,
        (false, Some("AuxiliaryController" | "Service")) => 0,
        (false, _) => 1,
    }
}

fn chassis_rank(r: &Resource) -> u8 {
    let measures = ["/Power", "/PowerSubsystem", "/EnvironmentMetrics"]
        .iter()
        .any(|p| r.link(p).is_some());
    // Cards, drives and controllers have chassis of their own.
    let server = matches!(
        r.str("/ChassisType"),
        Some("RackMount" | "Blade" | "Sled" | "StandAlone" | "Sidecar")
    );
    if measures && server {
        CERTAIN
    } else {
        2 * u8::from(measures) + u8::from(server)
    }
}
