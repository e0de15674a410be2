//! The Redfish host interface (DSP0270): the machine logs in to its own BMC with the account that the BMC gave it, and does
//! by Redfish what IPMI cannot.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::bootstrap::{Bootstrap, bootstrap};
use super::journal::Journal;
use crate::hal::caps::Users;
use crate::hal::drivers::redfish::{RedfishUsers, admit};
use crate::hal::error::{Error, Kind, Result};
use crate::hal::fleet::{Fleet, Forgetful};
use crate::hal::ipmi::Exchange as _;
use crate::hal::model::user::{NewUser, Role, User};
use crate::hal::model::{Cx, Secret};
use crate::hal::redfish::Client;
use crate::hal::transport::Lan;
use crate::hal::transport::redfish::Config;
use crate::hal::vendors::{self, Facts};

/// How long a connection may take: where no network card of the machine leads there, nothing answers.
const CONNECT: Duration = Duration::from_secs(5);
/// How long the goodbye may take.
const GOODBYE: Duration = Duration::from_secs(1);
/// How long all of one visit may take: what comes after it needs time as well.
const VISIT: Duration = Duration::from_mins(1);

/// Logged in to the BMC over its host interface.
pub struct Host {
    client: Arc<Client>,
    fleet: Fleet,
    cx: Cx,
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host").finish_non_exhaustive()
    }
}

impl Host {
    /// Asks the BMC for an account, and logs in with it at `address` (of SMBIOS type 42). What it says to the question is
    /// noted with `told`. To be called inside a runtime.
    pub async fn enter(
        bmc: &Journal<'_>,
        cx: &Cx,
        address: Option<SocketAddr>,
        told: impl FnOnce(&Bootstrap),
    ) -> Result<Self> {
        let granted = bootstrap(bmc, cx).await?;
        told(&granted);
        let what = "the Redfish host interface";
        let account = match granted {
            Bootstrap::Granted(account) => account,
            other => {
                return Err(Error::new(Kind::Unsupported, what)
                    .with_source(format!("credentials for it: {}", other.as_str())));
            }
        };
        let address = address.ok_or_else(|| {
            Error::new(Kind::Unsupported, what).with_source("SMBIOS does not say its address")
        })?;
        let base = format!("https://{address}");
        let mut config = Config::new(base, address, &account.user, account.password);
        config.connect_within = CONNECT;
        let fleet = Fleet::new(Lan::new()?, Arc::new(Forgetful));
        let door = fleet.redfish(config)?;
        let learnt = bmc.learnt().snapshot();
        let facts = Facts {
            ipmi_manufacturer: learnt.manufacturer,
            ipmi_product: learnt.product,
            ..Facts::default()
        };
        let (quirks, _) = vendors::redfish_quirks(&facts);
        Ok(Self {
            client: Client::new(door, quirks),
            fleet,
            cx: Cx::until(cx.deadline.min(Instant::now() + VISIT)).with_cancel(cx.cancel.clone()),
        })
    }

    /// The account of that name, if there is one.
    pub async fn account(&self, name: &str) -> Result<Option<User>> {
        let all = self.users().users(&self.cx).await?.value;
        Ok(all.into_iter().find(|user| user.name == name))
    }

    /// Makes an administrator.
    pub async fn make(&self, bmc: &Journal<'_>, name: &str, password: &Secret) -> Result<User> {
        let user = NewUser {
            name: name.to_owned(),
            password: password.clone(),
            role: Role::Administrator,
            console: false,
        };
        let made = self.users().create(&self.cx, &user).await?;
        bmc.wrote(format!("Redfish account {name} (POST or PATCH)"));
        Ok(made.value)
    }

    /// Gives an account another password, and the role and the access of an administrator where it lacks them.
    pub async fn renew(&self, bmc: &Journal<'_>, name: &str, password: &Secret) -> Result<User> {
        self.users().set_password(&self.cx, name, password).await?;
        bmc.wrote(format!("Redfish password of {name} (PATCH)"));
        self.admit(bmc, name).await
    }

    /// Makes an administrator of an account that is there. What it is already is not written again.
    pub async fn admit(&self, bmc: &Journal<'_>, name: &str) -> Result<User> {
        let (user, written) = admit(&self.client, &self.cx, name).await?;
        if written {
            bmc.wrote(format!("Redfish role of {name} (PATCH)"));
        }
        Ok(user)
    }

    /// Ends the session, where one was needed. The account itself ends with the BMC's or the host's next start (DSP0270).
    pub async fn leave(self) {
        self.fleet.shutdown(GOODBYE).await;
    }

    fn users(&self) -> RedfishUsers {
        RedfishUsers(Arc::clone(&self.client))
    }
}
