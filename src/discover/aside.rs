//! Credentials of an account that a machine was making: put aside until a login with them works.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::now;
use super::run::Discovery;
use crate::hal::model::{Cx, MacAddr, Secret};
use crate::hal::{Kind, Result};
use crate::inventory::Field;
use crate::inventory::record::Record;
use crate::inventory::store::Change;

/// Time for a login.
const LOGIN: Duration = Duration::from_secs(20);
/// After one that failed by itself, milliseconds: at most one a day, whatever machines register.
const DAY: u64 = 24 * 3600 * 1000;

/// An account that a machine offers.
#[derive(Debug, Clone)]
pub struct Offer {
    /// One of Redfish, not of IPMI.
    pub redfish: bool,
    /// Its name.
    pub user: String,
    /// Its password.
    pub password: Secret,
}

/// May what was put aside be tried by itself: is the run that makes the account over, and did none fail within a day?
pub(super) fn is_due(row: &Record, now: u64) -> bool {
    row.pending.is_some()
        && row.pending_until.is_some_and(|until| until <= now)
        && row
            .pending_failed
            .is_none_or(|at| at.saturating_add(DAY) <= now)
}

impl Discovery {
    /// Logs in with what a machine offers.
    pub async fn login(&self, row: &Record, offer: &Offer) -> Result<()> {
        let cx = Cx::until(Instant::now() + LOGIN);
        let login = Some((offer.user.clone(), offer.password.clone()));
        let (ipmi, redfish) = if offer.redfish {
            (None, login)
        } else {
            (login, None)
        };
        let bmc = self.doors.open_as(row, &cx, ipmi, redfish).await?;
        bmc.power
            .call("power.state", |p| p.state(&cx))
            .await
            .map(|_| ())
    }

    /// Makes them the row's.
    pub async fn take(&self, mac: MacAddr, offer: Offer) -> Result<Arc<Record>> {
        let Offer {
            redfish,
            user,
            password,
        } = offer;
        let change = Change::of(now(), move |row| {
            if redfish {
                row.redfish.user = Some(user);
            } else {
                row.ipmi.user = Some(user);
            }
            (row.pending, row.pending_until, row.pending_failed) = (None, None, None);
            row.status.refused = None;
            Ok(())
        });
        let field = if redfish {
            Field::RedfishPassword
        } else {
            Field::IpmiPassword
        };
        let change = change
            .with_secret(field, Some(password))
            .with_secret(Field::PendingPassword, None);
        self.store.update(mac, change).await
    }

    /// Keeps them beside those of the row. The machine is through with the account after `within`, or has given up.
    pub async fn put_aside(&self, mac: MacAddr, offer: Offer, within: Duration) -> Result<()> {
        let until = now().saturating_add(within.as_millis() as u64);
        let change = Change::of(now(), move |row| {
            (row.pending, row.pending_redfish) = (Some(offer.user), offer.redfish);
            row.pending_until = Some(until);
            Ok(())
        });
        let change = change.with_secret(Field::PendingPassword, Some(offer.password));
        self.store.update(mac, change).await.map(|_| ())
    }

    /// Tries what was put aside. A machine that `asks` again makes another account where this one does not work: its
    /// password is worth nothing then. Otherwise it is kept, as somebody may still finish the account.
    pub async fn try_aside(&self, row: &Arc<Record>, asks: bool) -> Result<Arc<Record>> {
        let Some(user) = row.pending.clone() else {
            return Ok(Arc::clone(row));
        };
        let mac = row.mac;
        let _turn = self.doors.turn(mac).await;
        let Some(password) = self.store.secret(mac, Field::PendingPassword).await? else {
            return Ok(Arc::clone(row));
        };
        let offer = Offer {
            redfish: row.pending_redfish,
            user,
            password,
        };
        match self.login(row, &offer).await {
            Ok(()) => {
                log::info!("{mac}: the account that the machine was making works");
                let taken = self.take(mac, offer).await?;
                let change = Change::of(now(), |row| {
                    row.status.last_updated = Some(now());
                    (row.status.last_error, row.status.kind) = (None, None);
                    Ok(())
                });
                self.soon(mac);
                self.store.update(taken.mac, change).await
            }
            Err(error) if error.kind() == Kind::Auth => {
                log::info!(
                    "{mac}: the account that the machine was making is not let in: {}",
                    error.chain()
                );
                let change = Change::of(now(), |row| {
                    row.pending_failed = Some(now());
                    Ok(())
                });
                // Tried again it might lock the account.
                let change = if asks {
                    change.with_secret(Field::PendingPassword, None)
                } else {
                    change
                };
                self.store.update(mac, change).await
            }
            Err(error) => {
                log::warn!(
                    "{mac}: login with the account that the machine was making: {}",
                    error.chain()
                );
                Ok(Arc::clone(row))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_itself_after_the_run_and_once_a_day() {
        let mut row = Record::new("02:00:00:00:00:01".parse().unwrap());
        assert!(!is_due(&row, 5000), "nothing is put aside");
        (row.pending, row.pending_until) = (Some("metal".to_owned()), Some(5000));
        assert!(!is_due(&row, 4999) && is_due(&row, 5000));
        row.pending_failed = Some(6000);
        assert!(!is_due(&row, 6000 + DAY - 1) && is_due(&row, 6000 + DAY));
        row.pending_failed = Some(u64::MAX);
        assert!(!is_due(&row, u64::MAX - 1));
    }
}
