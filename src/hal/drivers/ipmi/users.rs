//! Accounts of the BMC: its slots, as the LAN channel sees them.
//!
//! [`slots`] reads them and finds a free one, [`write`] changes one step by step, [`verify`] proves a password,
//! [`channel`] lets users in at all. These work on any [`Exchange`] with an explicit channel: over a session as over
//! /dev/ipmi0.

pub mod channel;
pub mod slots;
pub mod verify;
pub mod write;

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use super::lan::lan_channel;
use super::{is_answer, reading};
use crate::hal::caps::Users;
use crate::hal::error::{Error, Kind, Result};
use crate::hal::ipmi::Exchange;
use crate::hal::ipmi::cmd::app::{
    GetDeviceId, GetUserAccess, PRESENT_CHANNEL, SetUserAccess, SetUserName, SetUserPassword,
};
use crate::hal::ipmi::cmd::{Command, Privilege};
use crate::hal::ipmi::exchange::run;
use crate::hal::model::user::{NewUser, User};
use crate::hal::model::{BoxFuture, Cx, Reading, Secret};
use slots::Table;
use verify::Proof;
use write::Account;

/// Accounts over IPMI.
pub struct IpmiUsers(pub Arc<dyn Exchange>);

impl fmt::Debug for IpmiUsers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IpmiUsers").finish_non_exhaustive()
    }
}

impl Users for IpmiUsers {
    fn users<'a>(&'a self, cx: &'a Cx) -> BoxFuture<'a, Result<Reading<Vec<User>>>> {
        Box::pin(async move {
            let start = Instant::now();
            let table = self.table(cx, Privilege::Operator).await?;
            Ok(reading(start, GetUserAccess::NAME, table.users()))
        })
    }

    fn create<'a>(&'a self, cx: &'a Cx, user: &'a NewUser) -> BoxFuture<'a, Result<Reading<User>>> {
        Box::pin(async move {
            let start = Instant::now();
            let name = slots::name(&user.name)?;
            let limit = slots::limit(user.role)?;
            write::check_length(&user.password)?;
            let bmc = &*self.0;
            bmc.expect(Privilege::Administrator);
            if bmc.learnt().snapshot().manufacturer.is_none() {
                // Which slot is customary depends on it. The layer above listens; without an answer none is.
                drop(run(bmc, cx, &GetDeviceId).await);
            }
            let table = self.table(cx, Privilege::Administrator).await?;
            if let Some(there) = table.named(&user.name) {
                let what = format!(
                    "user '{}' is there already, in slot {}",
                    user.name, there.id
                );
                return Err(Error::new(Kind::Refused, what).with_hint(
                    "user set-password gives it another password; user delete removes it",
                ));
            }
            let customary = bmc.learnt().snapshot().user_slot;
            let slot = table.free(customary).ok_or_else(|| {
                let what = format!("all {} slots for users are taken", table.last());
                Error::new(Kind::Refused, what)
                    .with_hint("user ls shows them, user delete frees one")
            })?;
            let account = Account {
                channel: table.channel,
                slot,
                name,
                password: &user.password,
                limit,
                console: user.console,
            };
            if let Err(error) = settle(bmc, cx, &account).await {
                // The slot was empty: what was begun in it is taken back, unless the BMC is silent.
                if is_answer(&error)
                    && let Err(left) = write::remove(bmc, cx, table.channel, slot).await
                {
                    log::warn!("slot {slot} keeps what was begun: {}", left.chain());
                }
                return Err(error.context(format!("user '{}' in slot {slot}", user.name)));
            }
            let made = self.account(cx, table.channel, slot, &user.name).await?;
            Ok(reading(start, SetUserName::NAME, made))
        })
    }

    fn set_password<'a>(
        &'a self,
        cx: &'a Cx,
        name: &'a str,
        password: &'a Secret,
    ) -> BoxFuture<'a, Result<Reading<User>>> {
        Box::pin(async move {
            let start = Instant::now();
            write::check_length(password)?;
            let table = self.table(cx, Privilege::Administrator).await?;
            let slot = table.only(name)?;
            let before = table.user(slot.id);
            let bmc = &*self.0;
            let within = |e: Error| e.context(format!("user '{name}' in slot {}", slot.id));
            if self.in_use(name) {
                // A session of a changed account may be dead: whatever comes after this would log in with the old
                // password and count as a failed login.
                write::send_password(bmc, cx, slot.id, password)
                    .await
                    .map_err(within)?;
            } else {
                let proof = write::password(bmc, cx, slot.id, password)
                    .await
                    .map_err(within)?;
                insist(proof, password).map_err(within)?;
            }
            let user = before.ok_or_else(|| {
                Error::new(Kind::Protocol, format!("user '{name}': no access record"))
            })?;
            Ok(reading(start, SetUserPassword::NAME, user))
        })
    }

    fn set_enabled<'a>(
        &'a self,
        cx: &'a Cx,
        name: &'a str,
        enabled: bool,
    ) -> BoxFuture<'a, Result<Reading<User>>> {
        Box::pin(async move {
            let start = Instant::now();
            if !enabled {
                self.spare(name, "disabled")?;
            }
            let table = self.table(cx, Privilege::Administrator).await?;
            let slot = table.only(name)?.id;
            let bmc = &*self.0;
            let done = if enabled {
                write::enable(bmc, cx, table.channel, slot).await
            } else {
                write::disable(bmc, cx, table.channel, slot).await
            };
            done.map_err(|e| e.context(format!("user '{name}' in slot {slot}")))?;
            let user = self.account(cx, table.channel, slot, name).await?;
            Ok(reading(start, SetUserPassword::NAME, user))
        })
    }

    fn delete<'a>(&'a self, cx: &'a Cx, name: &'a str) -> BoxFuture<'a, Result<Reading<()>>> {
        Box::pin(async move {
            let start = Instant::now();
            self.spare(name, "deleted")?;
            let table = self.table(cx, Privilege::Administrator).await?;
            let slot = table.only(name)?.id;
            write::remove(&*self.0, cx, table.channel, slot)
                .await
                .map_err(|e| e.context(format!("user '{name}' in slot {slot}")))?;
            Ok(reading(start, SetUserAccess::NAME, ()))
        })
    }
}

impl IpmiUsers {
    /// All accounts; what is to be done with them needs up to `highest`.
    async fn table(&self, cx: &Cx, highest: Privilege) -> Result<Table> {
        let bmc = &*self.0;
        bmc.expect(highest);
        let channel = match lan_channel(bmc, cx).await {
            Ok(channel) => channel.number,
            // It cannot say what its channels are; the one that we came by is there.
            Err(error) if is_answer(&error) => PRESENT_CHANNEL,
            Err(error) => return Err(error),
        };
        slots::table(bmc, cx, channel).await
    }

    /// The account in `slot` as it is now.
    async fn account(&self, cx: &Cx, channel: u8, slot: u8, name: &str) -> Result<User> {
        let access = run(
            &*self.0,
            cx,
            &GetUserAccess {
                channel,
                user: slot,
            },
        )
        .await?;
        slots::account(slot, name.to_owned(), access).ok_or_else(|| {
            Error::new(
                Kind::Refused,
                format!("slot {slot} is empty after the change"),
            )
        })
    }

    fn in_use(&self, name: &str) -> bool {
        self.0.user() == Some(name.as_bytes())
    }

    /// The account that is logged in is not taken away from under us.
    fn spare(&self, name: &str, what: &str) -> Result<()> {
        if self.in_use(name) {
            let what = format!("user '{name}' is logged in here and is not {what}");
            return Err(
                Error::new(Kind::Refused, what).with_hint("log in as another administrator")
            );
        }
        Ok(())
    }
}

/// Everything that makes an empty slot an account.
async fn settle(bmc: &dyn Exchange, cx: &Cx, account: &Account<'_>) -> Result<()> {
    let proof = write::provision(bmc, cx, account).await?;
    insist(proof, account.password)?;
    channel::open(bmc, cx, account.channel, account.limit).await?;
    if channel::unguarded(bmc, cx, account.channel).await? {
        log::warn!(
            "cipher suite 0 or 1 is open on channel {}: logins without a password may be possible",
            account.channel
        );
    }
    Ok(())
}

/// More than 16 bytes are only good when the BMC shows that it keeps them: it would let in with the first 16.
fn insist(proof: Proof, password: &Secret) -> Result<()> {
    if password.len() > write::SHORT && proof == Proof::None {
        let what = format!(
            "nothing shows that this BMC keeps {} bytes of password",
            password.len()
        );
        return Err(
            Error::new(Kind::Refused, what).with_hint("give a password of at most 16 bytes")
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod write_tests;
