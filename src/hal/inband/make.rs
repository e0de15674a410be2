//! Makes the BMC manageable: an administrator with a password that somebody knows, and a LAN channel that lets it in.

use std::fmt;

use super::channel;
use super::found::{Account, Found, of, optional};
use super::journal::Journal;
use super::password::{Entropy, Shape, random};
use crate::hal::drivers::ipmi::users::slots::{self, Table};
use crate::hal::drivers::ipmi::users::verify::Proof;
use crate::hal::drivers::ipmi::users::write::PasswordRefused;
use crate::hal::drivers::ipmi::users::{channel as access, write};
use crate::hal::error::{Error, Kind, Result};
use crate::hal::ipmi::Exchange;
use crate::hal::ipmi::cmd::Privilege;
use crate::hal::ipmi::cmd::app::{PrivilegeLevel, UserName};
use crate::hal::model::{BoxFuture, Cx, Secret};
use crate::hal::vendors::{self, RedfishRole};

/// What is wanted.
#[derive(Debug)]
pub struct Order<'a> {
    /// Name of the account.
    pub user: &'a str,
    /// Its password.
    pub password: Wanted,
    /// What happens to an account of that name.
    pub existing: Existing,
    /// May IPMI over LAN be turned on?
    pub enable_lan: bool,
    /// Shall the BMC take its address from DHCP?
    pub dhcp: bool,
    /// Who gets the password before it counts.
    pub keeper: &'a dyn Keeper,
}

/// Whoever has the password when this process is gone. Asked before the account may do anything with it: a run that dies
/// later leaves no administrator whose password nobody knows.
pub trait Keeper: Sync + fmt::Debug {
    /// Takes the password; an error ends the run, and nobody was let in.
    fn keep<'a>(&'a self, cx: &'a Cx, account: Kept<'a>) -> BoxFuture<'a, Result<()>>;

    /// Shall a login over the LAN prove it?
    fn proves(&self) -> bool {
        false
    }

    /// Makes an administrator of Redfish of an account that IPMI made. `false`: there is no way to.
    fn admit<'a>(&'a self, _: &'a Cx) -> BoxFuture<'a, Result<bool>> {
        Box::pin(async { Ok(false) })
    }

    /// Logs in over the LAN. `false`: the address cannot be reached from here.
    fn login<'a>(&'a self, _: &'a Cx, _: &'a Secret, _: Privilege) -> BoxFuture<'a, Result<bool>> {
        Box::pin(async { Ok(false) })
    }
}

/// What a [`Keeper`] gets.
#[derive(Debug, Clone, Copy)]
pub struct Kept<'a> {
    /// The slot.
    pub user_id: u8,
    /// The password.
    pub password: &'a Secret,
    /// How far it is proved.
    pub verified: Verified,
    /// An account that works gets another password: it is not set yet, and the BMC may still refuse it.
    pub rotates: bool,
}

/// Which password.
#[derive(Debug, Clone)]
pub enum Wanted {
    /// A random one of 16 bytes, or of 20 where the BMC proves that it keeps them.
    Random {
        /// 16 or 20.
        length: usize,
    },
    /// This one.
    Given(Secret),
}

/// An account of that name is there and works: what about it?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// It stays as it is.
    Keep,
    /// It is ours: it gets a new password.
    Rotate,
}

/// How the account was proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verified {
    /// Not at all: the BMC cannot test, or says yes to everything.
    None,
    /// The BMC knows the password, and no other.
    InBand,
    /// Somebody logged in over the LAN.
    OutOfBand,
}

impl Verified {
    /// The word of the public JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::InBand => "in-band",
            Self::OutOfBand => "out-of-band",
        }
    }
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct Made {
    /// The slot.
    pub user_id: u8,
    /// The password, when one was set.
    pub password: Option<Secret>,
    /// A password was set: the account was made, finished, or given a new one.
    pub created: bool,
    /// How it was proved.
    pub verified: Verified,
}

const ADMINISTRATOR: PrivilegeLevel = PrivilegeLevel(Privilege::Administrator as u8);
const USER: PrivilegeLevel = PrivilegeLevel(Privilege::User as u8);

/// Carries the order out. What is there already is not written again. Letting the account in comes last, when the password
/// is in safe hands: who is interrupted before it leaves no administrator, and the next run finishes.
pub async fn make(
    bmc: &Journal<'_>,
    cx: &Cx,
    found: &Found,
    order: &Order<'_>,
    entropy: &mut Entropy<'_>,
) -> Result<Made> {
    let name = slots::name(order.user)?;
    let number = found.channel;
    if order.dhcp {
        channel::dhcp(bmc, cx, number).await?;
    }
    if !order.enable_lan && channel::is_off(bmc, cx, number).await? {
        bmc.warn(format!(
            "IPMI over channel {number} is off and stays off (--no-enable-lan): nobody can log in over it"
        ));
    }
    let table = slots::table(bmc, cx, number).await?;
    let there = of(&table, order.user);
    let complete = there.as_ref().filter(|account| is_complete(account));
    if let Some(account) = complete {
        if order.existing == Existing::Keep {
            surroundings(bmc, cx, order, number, account.id).await?;
            return Ok(Made {
                user_id: account.id,
                password: None,
                created: false,
                verified: Verified::None,
            });
        }
    } else if let Some(account) = &there {
        bmc.say(&format!("user {} is there and not finished", account.id));
    }
    let slot = match &there {
        Some(account) => account.id,
        None => free(bmc, &table)?,
    };
    bmc.say(&format!("user '{}' in slot {slot}", order.user));
    let target = Target {
        bmc,
        cx,
        order,
        number,
        slot,
        product: (found.device.manufacturer, found.device.product),
    };
    let made = if complete.is_some() {
        target.rotate(entropy).await
    } else {
        target.admit(&name, entropy).await
    };
    made.map_err(|e| e.context(format!("user '{}' in slot {slot}", order.user)))
}

/// An account in the making.
struct Target<'a, 'j> {
    bmc: &'a Journal<'j>,
    cx: &'a Cx,
    order: &'a Order<'a>,
    number: u8,
    slot: u8,
    /// Manufacturer and product.
    product: (u32, u16),
}

impl Target<'_, '_> {
    /// Name, password, channel; then the keeper has the password; then the account is let in. Where a login shall prove
    /// it, it is let in as a mere user before, and made administrator last: either way the last writes make it complete.
    async fn admit(&self, name: &UserName, entropy: &mut Entropy<'_>) -> Result<Made> {
        let Self {
            bmc,
            cx,
            order,
            number,
            slot,
            ..
        } = *self;
        write::name(bmc, cx, slot, name).await?;
        let (password, proof) = self.password(entropy, false).await?;
        let mut verified = self.verified(proof);
        let early = order.keeper.proves() && !bmc.is_dry();
        if early {
            write::access(bmc, cx, number, slot, USER).await?;
        }
        surroundings(bmc, cx, order, number, slot).await?;
        if early {
            write::enable(bmc, cx, number, slot).await?;
            if order.keeper.login(cx, &password, Privilege::User).await? {
                verified = Verified::OutOfBand;
            }
        }
        self.keep(&password, verified, false).await?;
        self.grant_redfish().await?;
        write::access(bmc, cx, number, slot, ADMINISTRATOR).await?;
        write::enable(bmc, cx, number, slot).await?;
        Ok(self.made(password, verified))
    }

    /// Another password for an account that works, and that is never shut out in between.
    async fn rotate(&self, entropy: &mut Entropy<'_>) -> Result<Made> {
        let Self {
            bmc,
            cx,
            order,
            number,
            slot,
            ..
        } = *self;
        surroundings(bmc, cx, order, number, slot).await?;
        let (password, proof) = self.password(entropy, true).await?;
        let mut verified = self.verified(proof);
        if order.keeper.proves() && !bmc.is_dry() {
            let administrator = Privilege::Administrator;
            match order.keeper.login(cx, &password, administrator).await {
                Ok(true) => verified = Verified::OutOfBand,
                Ok(false) => {}
                Err(error) => {
                    // The BMC has it, whatever else is wrong.
                    self.keep(&password, verified, false).await?;
                    return Err(error);
                }
            }
        }
        Ok(self.made(password, verified))
    }

    /// A BMC whose Redfish does not follow IPMI: the account works over IPMI all the same.
    async fn grant_redfish(&self) -> Result<()> {
        let granted = vendors::grant_redfish(self.bmc, self.cx, self.product, self.slot).await;
        if let Err(error) = &granted {
            self.bmc.warn(format!("no Redfish role: {}", error.chain()));
        }
        if optional(granted)? != Some(RedfishRole::Redfish) || self.bmc.is_dry() {
            return Ok(());
        }
        let admitted = self.order.keeper.admit(self.cx).await;
        if let Err(error) = &admitted {
            if error.kind() == Kind::Cancelled {
                return admitted.map(|_| ());
            }
            self.bmc.warn(format!("no Redfish role: {}", error.chain()));
        }
        if !admitted.unwrap_or_default() {
            self.bmc.warn(format!(
                "this BMC's Redfish gives the user no role: somebody who has one sets RoleId Administrator of AccountService/Accounts/{}",
                self.slot
            ));
        }
        Ok(())
    }

    fn verified(&self, proof: Proof) -> Verified {
        if proof == Proof::Tested && !self.bmc.is_dry() {
            Verified::InBand
        } else {
            Verified::None
        }
    }

    fn made(&self, password: Secret, verified: Verified) -> Made {
        Made {
            user_id: self.slot,
            password: Some(password),
            created: true,
            verified,
        }
    }

    async fn keep(&self, password: &Secret, verified: Verified, rotates: bool) -> Result<()> {
        if self.bmc.is_dry() {
            return Ok(());
        }
        let kept = Kept {
            user_id: self.slot,
            password,
            verified,
            rotates,
        };
        self.order.keeper.keep(self.cx, kept).await
    }

    /// Sets a password that the BMC takes. Policies differ: a refused one is followed by one of another shape.
    async fn password(&self, entropy: &mut Entropy<'_>, rotates: bool) -> Result<(Secret, Proof)> {
        let (bmc, cx, slot) = (self.bmc, self.cx, self.slot);
        let length = match &self.order.password {
            Wanted::Given(secret) => {
                if rotates {
                    self.keep(secret, Verified::None, true).await?;
                }
                let proof = write::password(bmc, cx, slot, secret).await?;
                return Ok((secret.clone(), proof));
            }
            Wanted::Random { length } => *length,
        };
        let shape = |length, special| Shape { length, special };
        let long = (length > write::SHORT).then_some(shape(length.min(write::LONG), true));
        let shorter = [(16, true), (16, false), (12, true), (10, false)].map(|(n, s)| shape(n, s));
        let mut last = None;
        for shape in long.into_iter().chain(shorter) {
            let secret = random(shape, entropy)?;
            if rotates {
                self.keep(&secret, Verified::None, true).await?;
            }
            match write::password(bmc, cx, slot, &secret).await {
                // Long ones are cut off by some: only what was tested counts.
                Ok(Proof::None) if shape.length > write::SHORT => {
                    bmc.say("the BMC does not prove that it keeps 20 bytes, 16 then");
                }
                Ok(proof) => return Ok((secret, proof)),
                Err(error)
                    if PasswordRefused::find(&error).is_some() || shape.length > write::SHORT =>
                {
                    if !matches!(error.kind(), Kind::Refused | Kind::Unsupported) {
                        return Err(error);
                    }
                    bmc.say(&format!(
                        "a password of {} characters is refused",
                        shape.length
                    ));
                    last = Some(error);
                }
                Err(error) => return Err(error),
            }
        }
        Err(last.unwrap_or_else(|| Error::new(Kind::Refused, "no password that the BMC takes")))
    }
}

/// An administrator who is let in. Ours are so only when everything else was done.
fn is_complete(account: &Account) -> bool {
    account.enabled
        && account.channel_access
        && account.role == crate::hal::model::user::Role::Administrator
}

/// A slot that is nobody's.
fn free(bmc: &Journal<'_>, table: &Table) -> Result<u8> {
    let customary = bmc.learnt().snapshot().user_slot;
    table.free(customary).ok_or_else(|| {
        Error::new(Kind::Refused, "no slot for another user")
            .with_source(format!(
                "all {} slots of the BMC are taken or fixed",
                table.last()
            ))
            .with_hint("remove a user, or give the daemon the credentials of one that is there")
    })
}

/// Everything around the account: channel, cipher suites, serial console. Without them it may still work.
async fn surroundings(
    bmc: &Journal<'_>,
    cx: &Cx,
    order: &Order<'_>,
    number: u8,
    slot: u8,
) -> Result<()> {
    if order.enable_lan {
        access::open(bmc, cx, number, ADMINISTRATOR).await?;
    }
    for done in [
        access::guard(bmc, cx, number, ADMINISTRATOR)
            .await
            .map(|_| ()),
        channel::console(bmc, cx, number).await,
        write::console(bmc, cx, number, slot).await,
    ] {
        if let Err(error) = &done {
            bmc.warn(error.chain());
        }
        optional(done)?;
    }
    Ok(())
}

/// Takes the account away: disabled, no access, no name. `false` when there is none.
pub async fn remove(bmc: &Journal<'_>, cx: &Cx, found: &Found, user: &str) -> Result<bool> {
    let table = slots::table(bmc, cx, found.channel).await?;
    let Some(slot) = table.named(user).map(|s| s.id) else {
        return Ok(false);
    };
    if slot <= 1 || slot <= table.fixed {
        return Err(Error::new(
            Kind::Refused,
            format!("slot {slot} has a fixed name"),
        ));
    }
    write::remove(bmc, cx, found.channel, slot).await?;
    Ok(true)
}
