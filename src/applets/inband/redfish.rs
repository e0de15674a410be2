//! What only Redfish can do, over the machine's own host interface: an account where IPMI over LAN is no way, and a role
//! for the account that IPMI made.

use super::document::{Document, Redfish};
use super::hand::Where;
use super::register;
use super::work::Run;
use crate::hal::inband::password::{Shape, random};
use crate::hal::inband::{Existing, Host, Journal, Wanted};
use crate::hal::model::Secret;
use crate::hal::model::user::{Role, User};
use crate::hal::{Error, Kind, Result};

/// Redfish services take 16 characters wherever they were seen.
const SHAPE: Shape = Shape {
    length: 16,
    special: true,
};

impl Run<'_> {
    /// Makes the account through the host interface, and says in the document what came of it.
    pub(super) async fn by_redfish(
        &self,
        journal: &Journal<'_>,
        document: &mut Document,
        gone: &mut Where,
    ) -> Result<()> {
        let told = &mut document.bootstrap;
        let host = Host::enter(journal, self.cx, self.machine.redfish, |said| {
            *told = Some(said.as_str());
        })
        .await?;
        let made = self.account(&host, journal, document, gone).await;
        host.leave().await;
        made.map_err(|e| {
            e.context(format!(
                "user '{}' over the Redfish host interface",
                self.options.user
            ))
        })
    }

    async fn account(
        &self,
        host: &Host,
        journal: &Journal<'_>,
        document: &mut Document,
        gone: &mut Where,
    ) -> Result<()> {
        let name = self.options.user.as_str();
        let there = host.account(name).await?;
        let works = |user: &User| user.enabled && user.role == Role::Administrator;
        // The password that IPMI has just set is the account's in Redfish as well.
        let set = document.ipmi.password.clone().filter(|_| document.created);
        if let Some(user) = there.as_ref().filter(|user| works(user))
            && set.is_none()
            && self.existing() == Existing::Keep
        {
            document.redfish(user, None);
            document.created = false;
            return Ok(());
        }
        let password = match &set {
            Some(set) => set.clone(),
            None => self.password()?,
        };
        document.driver = "Redfish";
        document.redfish = Some(Redfish {
            user: name.to_owned(),
            password: Some(password.clone()),
            user_id: None,
            privilege: None,
        });
        document.created = true;
        document.changes = journal.writes();
        // Who is interrupted from here on leaves an account whose password somebody has.
        if let Some(daemon) = self.daemon {
            register::put_aside(daemon, self.cx, self.machine, document).await?;
            *gone = Where::Daemon;
        } else if *gone == Where::Here {
            (self.print)(document).map_err(|_| {
                Error::new(
                    Kind::Other,
                    "the document with the password cannot be printed",
                )
            })?;
            *gone = Where::Printed;
        }
        let made = match (&there, &set) {
            (None, _) => host.make(journal, name, &password).await,
            (Some(_), Some(_)) => host.admit(journal, name).await,
            (Some(_), None) => host.renew(journal, name, &password).await,
        };
        match made {
            Ok(user) => {
                document.redfish(&user, Some(password));
                Ok(())
            }
            Err(error) => {
                (document.redfish, document.created) = (None, set.is_some());
                document.driver = "IPMI";
                Err(error)
            }
        }
    }

    fn password(&self) -> Result<Secret> {
        match &self.options.password {
            Wanted::Given(password) => Ok(password.clone()),
            Wanted::Random { .. } => random(SHAPE, &mut super::work::entropy),
        }
    }
}
