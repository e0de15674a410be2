//! The doors to Redfish services: one per BMC and login. A door closes its idle connection by itself; here it is kept,
//! so that the next operation finds connection, session and what was learnt.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::Memory;
use crate::hal::error::{Error, Result};
use crate::hal::redfish::{Door, Learnt};
use crate::hal::transport::redfish::{Config, HttpDoor};

/// Doors that nobody uses and that are kept all the same.
const KEPT: usize = 1024;

#[derive(Debug, Default)]
pub(super) struct Doors(Mutex<HashMap<SocketAddr, Vec<Kept>>>);

#[derive(Debug)]
struct Kept {
    config: Config,
    door: Arc<HttpDoor>,
    /// What the memory has.
    recalled: Learnt,
    used: Instant,
}

impl Kept {
    /// Writes down what was learnt since.
    fn remember(&mut self, memory: &dyn Memory) {
        let learnt = self.door.learnt().snapshot();
        if learnt != self.recalled {
            memory.remember_redfish(self.config.address, &learnt);
            self.recalled = learnt;
        }
    }

    fn is_idle(&self) -> bool {
        Arc::strong_count(&self.door) == 1
    }
}

impl Doors {
    /// The door for this login: the one that is there, else a new one.
    pub(super) fn open(&self, config: Config, memory: &dyn Memory) -> Result<Arc<HttpDoor>> {
        let mut doors = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_bmc = doors.entry(config.address).or_default();
        if let Some(kept) = of_bmc.iter_mut().find(|k| k.config.is_same(&config)) {
            kept.remember(memory);
            kept.used = Instant::now();
            return Ok(Arc::clone(&kept.door));
        }
        // Another login takes the place of an unused one: passwords change, and BMCs have few sessions.
        for kept in of_bmc.iter_mut().filter(|k| k.is_idle()) {
            kept.remember(memory);
        }
        of_bmc.retain(|k| !k.is_idle());
        let recalled = memory.recall_redfish(config.address);
        let config = Config {
            learnt: recalled.clone(),
            ..config
        };
        let door = Arc::new(HttpDoor::new(config.clone()).map_err(Error::from)?);
        of_bmc.push(Kept {
            config,
            door: Arc::clone(&door),
            recalled,
            used: Instant::now(),
        });
        if doors.len() > KEPT {
            forget_oldest(&mut doors, memory);
        }
        Ok(door)
    }

    /// Forgets which SSH host key the BMC had: the next one is taken as it is.
    pub(super) fn forget_host_key(&self, address: SocketAddr, memory: &dyn Memory) {
        let mut doors = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for kept in doors.get_mut(&address).into_iter().flatten() {
            kept.door.learnt().update(|l| l.ssh_host_key = None);
            kept.remember(memory);
        }
        let mut learnt = memory.recall_redfish(address);
        if learnt.ssh_host_key.take().is_some() {
            memory.remember_redfish(address, &learnt);
        }
    }

    /// How many are kept.
    pub(super) fn count(&self) -> usize {
        let doors = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        doors.values().map(Vec::len).sum()
    }

    /// Ends all sessions and connections, but waits no longer than `patience`. Returns how many were not closed.
    pub(super) async fn close(&self, memory: &dyn Memory, patience: Duration) -> usize {
        let all: Vec<Kept> = {
            let mut doors = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            doors.drain().flat_map(|(_, kept)| kept).collect()
        };
        let mut closing = tokio::task::JoinSet::new();
        for mut kept in all {
            kept.remember(memory);
            closing.spawn(async move { kept.door.close().await });
        }
        let everyone = async { while closing.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(patience, everyone).await;
        closing.len()
    }
}

/// Drops half of the doors that nobody uses, those first that were not used for longest.
fn forget_oldest(doors: &mut HashMap<SocketAddr, Vec<Kept>>, memory: &dyn Memory) {
    let mut idle: Vec<Instant> = doors
        .values()
        .flatten()
        .filter(|k| k.is_idle())
        .map(|k| k.used)
        .collect();
    let middle = idle.len() / 2;
    if middle == 0 {
        return;
    }
    let (_, limit, _) = idle.select_nth_unstable(middle);
    let limit = *limit;
    for kept in doors.values_mut().flatten() {
        kept.remember(memory);
    }
    doors.retain(|_, of_bmc| {
        of_bmc.retain(|k| !k.is_idle() || k.used >= limit);
        !of_bmc.is_empty()
    });
}
