//! From a row to a BMC that can be driven: address, drivers and credentials of the row, sessions of the fleet.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OwnedMutexGuard;

use super::turns::Turns;
use crate::hal::bmc::Bmc;
use crate::hal::connect::{Login, Service, Way, connect};
use crate::hal::drivers::console::attach_place;
use crate::hal::fleet::Fleet;
use crate::hal::gate::{Failures, Gate, Rule};
use crate::hal::ipmi::cmd::Privilege;
use crate::hal::ipmi::session::Config;
use crate::hal::model::{Cx, DriverName, MacAddr, Secret};
use crate::hal::transport::http::Trust;
use crate::hal::{Error, Kind, Result};
use crate::inventory::record::{Policy, Record};
use crate::inventory::{Field, Store};

/// How long an unused session stays open while somebody holds the BMC.
const LINGER: Duration = Duration::from_secs(10);

/// What is open, and who waits.
#[derive(Debug, Clone, Copy, Default)]
pub struct Contacts {
    /// Calls that wait for their turn.
    pub waiting: usize,
    /// IPMI sessions that are open.
    pub ipmi_sessions: usize,
    /// Redfish services whose connection or session is kept.
    pub redfish_doors: usize,
}

/// Opens the BMCs of the table.
pub struct Doors {
    fleet: Fleet,
    store: Arc<dyn Store>,
    gate: Arc<Gate>,
    ipmi_port: u16,
    redfish_port: u16,
    busy: Turns<MacAddr>,
}

impl fmt::Debug for Doors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Doors").finish_non_exhaustive()
    }
}

impl Doors {
    /// BMCs of `store`, with sessions of `fleet`; the ports are for rows that name none.
    /// Every login of the fleet passes `gate`.
    pub fn new(
        fleet: Fleet,
        store: Arc<dyn Store>,
        gate: Arc<Gate>,
        ipmi_port: u16,
        redfish_port: u16,
    ) -> Self {
        Self {
            fleet: fleet.gated(Arc::clone(&gate), Rule::Automatic),
            store,
            gate,
            ipmi_port,
            redfish_port,
            busy: Turns::default(),
        }
    }

    /// The table.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// The BMC of a row, with the drivers that its credentials allow, the chosen one first.
    pub async fn open(&self, row: &Record, cx: &Cx) -> Result<Bmc> {
        let ipmi = match &row.ipmi.user {
            Some(user) => Some((user.clone(), self.secret(row, Field::IpmiPassword).await?)),
            None => None,
        };
        let redfish = match &row.redfish.user {
            Some(user) => Some((
                user.clone(),
                self.secret(row, Field::RedfishPassword).await?,
            )),
            None => None,
        };
        self.open_as(row, cx, ipmi, redfish).await
    }

    /// The same for its console. One that an operator gave needs neither BMC nor login.
    pub async fn console(&self, row: &Record, cx: &Cx) -> Result<Bmc> {
        let Some(url) = &row.console_url else {
            return self.open(row, cx).await;
        };
        let mut bmc = Bmc::default();
        let place = url
            .parse()
            .map_err(|e: String| Error::new(Kind::Config, e))?;
        attach_place(&mut bmc, place);
        Ok(bmc)
    }

    async fn secret(&self, row: &Record, field: Field) -> Result<Secret> {
        let secret = self.store.secret(row.mac, field).await?;
        Ok(secret.unwrap_or_else(|| Secret::new(Vec::new())))
    }

    /// The same, logging in as somebody else.
    pub async fn open_as(
        &self,
        row: &Record,
        cx: &Cx,
        ipmi: Option<(String, Secret)>,
        redfish: Option<(String, Secret)>,
    ) -> Result<Bmc> {
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
        if ipmi.is_none() && redfish.is_none() {
            return Err(
                Error::new(Kind::Auth, format!("there are no credentials for {mac}")).with_hint(
                    format!("halbox bmc update {mac} --ipmi-user NAME --ipmi-password-file FILE"),
                ),
            );
        }
        let session = match ipmi {
            Some((user, password)) => {
                let mut session = Config::new(user.as_bytes(), password);
                session.kg = self.store.secret(mac, Field::IpmiKg).await?;
                Some(session)
            }
            None => None,
        };
        let service = match &redfish {
            Some(_) => Some(self.service(row, address).await?),
            None => None,
        };
        let way = Way {
            name: Some(mac.to_string().into()),
            redfish: service,
            linger: LINGER,
            // A refresh reads what OPERATOR may; the accounts of the table are administrators'.
            expect: Some(Privilege::Operator),
            prefer: row.chosen_driver,
            only: row.policy == Policy::Only && row.chosen_driver.is_some(),
            ..Way::to(SocketAddr::new(
                address,
                row.ipmi.port.unwrap_or(self.ipmi_port),
            ))
        };
        let login = Login {
            ipmi: session,
            redfish,
        };
        connect(&self.fleet, cx, &way, &login).await
    }

    /// The Redfish service of a row. The certificate that was seen first is the only one that gets a password.
    async fn service(&self, row: &Record, address: IpAddr) -> Result<Service> {
        let mut trust = Trust::default();
        if let Some(tls) = &row.tls {
            trust.pin = Some(Trust::parse_pin(&tls.sha256)?);
        }
        if let Some(url) = &row.redfish.url {
            return Service::of_url(url, trust).await;
        }
        let port = row.redfish.port.unwrap_or(self.redfish_port);
        Ok(Service::at(SocketAddr::new(address, port), None, trust))
    }

    /// An operator trusts the BMC of a row anew: the next SSH host key is the one that it has.
    pub async fn trust(&self, row: &Record) -> Result<()> {
        if let Some(address) = row.address {
            self.fleet
                .forget_host_key(self.service(row, address).await?.address);
        }
        Ok(())
    }

    /// An operator wants the next login at this BMC made, although one failed today.
    pub fn try_now(&self, mac: MacAddr) {
        self.gate.pardon(&mac.to_string());
    }

    /// Failed logins since the start.
    pub fn failures(&self) -> Failures {
        self.gate.failures()
    }

    /// Waits until nobody else runs an operation on this BMC; the guard keeps others waiting.
    pub async fn turn(&self, mac: MacAddr) -> OwnedMutexGuard<()> {
        self.busy.take(mac).await
    }

    /// What is open, and who waits.
    pub fn contacts(&self) -> Contacts {
        Contacts {
            waiting: self.busy.waiting(),
            ipmi_sessions: self.fleet.sessions(),
            redfish_doors: self.fleet.doors(),
        }
    }

    /// Closes all sessions; how many were not confirmed within `patience`.
    pub async fn close(&self, patience: Duration) -> usize {
        self.fleet.shutdown(patience).await
    }
}
