//! From a row to a BMC that can be driven: address, drivers and credentials of the row, sessions of the fleet.

use std::collections::HashMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::OwnedMutexGuard;

use crate::hal::bmc::Bmc;
use crate::hal::fleet::{Endpoint, Fleet};
use crate::hal::ipmi::session::Config;
use crate::hal::model::{DriverName, MacAddr, Secret};
use crate::hal::{Error, Kind, Result, vendors};
use crate::inventory::record::{Policy, Record};
use crate::inventory::{Field, Store};

/// How long an unused session stays open while somebody holds the BMC.
const LINGER: Duration = Duration::from_secs(10);

/// Opens the BMCs of the table.
pub struct Doors {
    fleet: Fleet,
    store: Arc<dyn Store>,
    ipmi_port: u16,
    busy: Mutex<HashMap<MacAddr, Weak<tokio::sync::Mutex<()>>>>,
}

impl fmt::Debug for Doors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Doors").finish_non_exhaustive()
    }
}

impl Doors {
    /// BMCs of `store`, with sessions of `fleet`; `ipmi_port` is for rows that name none.
    pub fn new(fleet: Fleet, store: Arc<dyn Store>, ipmi_port: u16) -> Self {
        Self {
            fleet,
            store,
            ipmi_port,
            busy: Mutex::default(),
        }
    }

    /// The BMC of a row, with the drivers that its credentials allow. Nothing is sent yet.
    pub async fn open(&self, row: &Record) -> Result<Bmc> {
        let ipmi = match &row.ipmi.user {
            Some(user) => {
                let password = self.store.secret(row.mac, Field::IpmiPassword).await?;
                let none = || Secret::new(Vec::new());
                Some((user.clone(), password.unwrap_or_else(none)))
            }
            None => None,
        };
        self.open_as(row, ipmi).await
    }

    /// The same, logging in as somebody else over IPMI.
    pub async fn open_as(&self, row: &Record, ipmi: Option<(String, Secret)>) -> Result<Bmc> {
        let mac = row.mac;
        if row.chosen_driver == Some(DriverName::Unmanaged) {
            return Err(
                Error::new(Kind::Unsupported, format!("{mac} is unmanaged")).with_hint(format!(
                    "halbox bmc update {mac} --preferred-driver IPMI|Redfish lets halbox drive it"
                )),
            );
        }
        if let Some(why) = &row.untrusted {
            return Err(
                Error::new(Kind::Tls, format!("no credentials are sent to {mac}"))
                    .with_source(why.clone())
                    .with_hint(format!("look at it; halbox bmc trust {mac} accepts it")),
            );
        }
        let address = row.address.ok_or_else(|| {
            Error::new(
                Kind::Unreachable,
                format!("the address of {mac} is not known"),
            )
            .with_hint(format!("halbox bmc update {mac} --ip ADDRESS"))
        })?;
        let mut bmc = Bmc::default();
        let mut any = false;
        let other =
            row.policy == Policy::Only && row.chosen_driver.is_some_and(|d| d != DriverName::Ipmi);
        if let Some((user, password)) = ipmi.filter(|_| !other) {
            let mut session = Config::new(user.as_bytes(), password);
            session.kg = self.store.secret(mac, Field::IpmiKg).await?;
            let endpoint = Endpoint {
                addr: SocketAddr::new(address, row.ipmi.port.unwrap_or(self.ipmi_port)),
                session,
                pin_suite: true,
                linger: LINGER,
            };
            vendors::attach(&mut bmc, self.fleet.bmc(&endpoint)?);
            any = true;
        }
        if any {
            return Ok(bmc);
        }
        Err(
            Error::new(Kind::Auth, format!("there are no credentials for {mac}")).with_hint(
                format!("halbox bmc update {mac} --ipmi-user NAME --ipmi-password-file FILE"),
            ),
        )
    }

    /// Waits until nobody else runs an operation on this BMC; the guard keeps others waiting.
    pub async fn turn(&self, mac: MacAddr) -> OwnedMutexGuard<()> {
        let lock = {
            let mut busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
            if busy.len() > 1024 {
                busy.retain(|_, lock| lock.strong_count() > 0);
            }
            if let Some(lock) = busy.get(&mac).and_then(Weak::upgrade) {
                lock
            } else {
                let lock = Arc::new(tokio::sync::Mutex::new(()));
                busy.insert(mac, Arc::downgrade(&lock));
                lock
            }
        };
        lock.lock_owned().await
    }

    /// Closes all sessions; how many were not confirmed within `patience`.
    pub async fn close(&self, patience: Duration) -> usize {
        self.fleet.shutdown(patience).await
    }
}
