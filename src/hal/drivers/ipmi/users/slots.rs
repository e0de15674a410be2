//! The slots for accounts: who is in them, and which is free.

use crate::hal::error::{Error, Kind, Result};
use crate::hal::ipmi::cmd::app::{
    GetUserAccess, GetUserName, PrivilegeLevel, UserAccess, UserName, UserStatus,
};
use crate::hal::ipmi::cmd::{CompletionCode, CompletionError, Privilege};
use crate::hal::ipmi::exchange::{finish, run};
use crate::hal::ipmi::{Exchange, Request};
use crate::hal::model::Cx;
use crate::hal::model::user::{Role, User};

/// Names that stand for "nobody": HPE iLO fills its empty slots with this.
const EMPTY_NAMES: &[&str] = &["(Empty User)"];

/// One slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// Its number, from 1.
    pub id: u8,
    /// Its name; empty where there is none.
    pub name: String,
    /// What it may do on the channel; `None` where the BMC does not tell.
    pub access: Option<UserAccess>,
}

/// All slots of a BMC on one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// The channel that the access is for.
    pub channel: u8,
    /// The first so many slots cannot be renamed.
    pub fixed: u8,
    /// The slots, ascending.
    pub slots: Vec<Slot>,
}

/// Reads all slots. Kind `Privilege` below OPERATOR.
pub async fn table(bmc: &dyn Exchange, cx: &Cx, channel: u8) -> Result<Table> {
    let (first, access) = first_slot(bmc, cx, channel).await?;
    let last = access.max_users.max(first);
    let accesses: Vec<_> = (first..=last)
        .map(|user| GetUserAccess { channel, user })
        .collect();
    let names: Vec<_> = (first..=last).map(|user| GetUserName { user }).collect();
    let mut requests: Vec<_> = accesses.iter().skip(1).map(Request::of).collect();
    requests.extend(names.iter().map(Request::of));
    let mut answers = bmc.exchange_all(cx, requests).await.into_iter();
    let mut found = vec![Some(access)];
    for (command, answer) in accesses.iter().skip(1).zip(&mut answers) {
        found.push(unless_refused(answer.and_then(|a| finish(command, &a)))?);
    }
    let mut slots = Vec::with_capacity(found.len());
    for ((command, answer), access) in names.iter().zip(&mut answers).zip(found) {
        let name = name_of(answer.and_then(|a| finish(command, &a)))?;
        let id = command.user;
        slots.push(Slot { id, name, access });
    }
    let fixed = access.fixed_names;
    Ok(Table {
        channel,
        fixed,
        slots,
    })
}

impl Table {
    /// The accounts: slots that somebody is in.
    pub fn users(&self) -> Vec<User> {
        self.slots.iter().filter_map(Slot::user).collect()
    }

    /// The account in a slot.
    pub fn user(&self, id: u8) -> Option<User> {
        self.slots.iter().find(|s| s.id == id)?.user()
    }

    /// The first slot of that name.
    pub fn named(&self, name: &str) -> Option<&Slot> {
        self.slots
            .iter()
            .find(|s| !name.is_empty() && s.name == name)
    }

    /// The one slot of that name; an error when there is none or several.
    pub fn only(&self, name: &str) -> Result<&Slot> {
        let mut found = self
            .slots
            .iter()
            .filter(|s| !name.is_empty() && s.name == name);
        match (found.next(), found.next()) {
            (Some(slot), None) => Ok(slot),
            (Some(one), Some(two)) => Err(Error::new(
                Kind::Refused,
                format!("'{name}' stands in the slots {} and {}", one.id, two.id),
            )),
            (None, _) => Err(
                Error::new(Kind::Refused, format!("there is no user '{name}'"))
                    .with_hint("user ls shows all"),
            ),
        }
    }

    /// A slot for a new account: the `customary` one when it is free, else the first free one. Never slot 1, never one
    /// that somebody is in, that cannot be renamed, or that the BMC says nothing of.
    pub fn free(&self, customary: Option<u8>) -> Option<u8> {
        let free = |s: &&Slot| {
            s.id >= 2
                && s.id > self.fixed
                && s.name.is_empty()
                && s.access.is_some()
                && s.user().is_none()
        };
        let all = || self.slots.iter().filter(free).map(|s| s.id);
        all()
            .find(|id| Some(*id) == customary)
            .or_else(|| all().next())
    }

    /// The number of the last slot.
    pub fn last(&self) -> u8 {
        self.slots.last().map_or(0, |s| s.id)
    }
}

impl Slot {
    /// The account in it, if somebody is in it.
    pub fn user(&self) -> Option<User> {
        account(self.id, self.name.clone(), self.access?)
    }
}

/// The first slot that can be read: 1, or 2 where 1 is reserved.
async fn first_slot(bmc: &dyn Exchange, cx: &Cx, channel: u8) -> Result<(u8, UserAccess)> {
    match run(bmc, cx, &GetUserAccess { channel, user: 1 }).await {
        Ok(access) => Ok((1, access)),
        Err(error) if error.kind() == Kind::Refused => {
            let user = 2;
            let second = run(bmc, cx, &GetUserAccess { channel, user }).await;
            second.map(|access| (user, access)).map_err(|_| error)
        }
        Err(error) => Err(error),
    }
}

/// `None` where the BMC has an answer, but no such slot.
fn unless_refused<T>(answer: Result<T>) -> Result<Option<T>> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(error) if matches!(error.kind(), Kind::Refused | Kind::Protocol) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The name; empty for slots that were never named, which many BMCs refuse with 0xCB or 0xCC.
pub(super) fn name_of(answer: Result<UserName>) -> Result<String> {
    let text = match answer {
        Ok(name) => name.text(),
        Err(error) if is_unnamed(&error) => String::new(),
        Err(error) => return unless_refused::<String>(Err(error)).map(Option::unwrap_or_default),
    };
    Ok(if EMPTY_NAMES.contains(&text.as_str()) {
        String::new()
    } else {
        text
    })
}

fn is_unnamed(error: &Error) -> bool {
    matches!(
        CompletionError::find(error),
        Some(CompletionCode::NOT_PRESENT | CompletionCode::INVALID_FIELD)
    )
}

/// The account in a slot; `None` if nobody is in it: no name, and nothing that it may do.
pub fn account(slot: u8, name: String, access: UserAccess) -> Option<User> {
    let role = role(access.limit);
    let enabled = may_log_in(access);
    let nobody = name.is_empty() && (role == Role::None || (!enabled && !access.bits.messaging));
    (!nobody).then(|| User {
        id: slot.to_string(),
        name,
        enabled,
        role,
        channel_access: access.bits.messaging && role != Role::None,
    })
}

/// Is it enabled?
pub(super) fn may_log_in(access: UserAccess) -> bool {
    match access.status {
        UserStatus::Enabled => true,
        UserStatus::Disabled => false,
        // BMCs before IPMI 2.0 do not say; there, who may send messages may log in.
        UserStatus::Unspecified | UserStatus::Reserved => access.bits.messaging,
    }
}

fn role(limit: PrivilegeLevel) -> Role {
    match limit.known() {
        Some(Privilege::Administrator) => Role::Administrator,
        Some(Privilege::Operator) => Role::Operator,
        Some(Privilege::User) => Role::User,
        Some(Privilege::Callback) => Role::Callback,
        Some(Privilege::None) => Role::None,
        None if limit == PrivilegeLevel::NO_ACCESS => Role::None,
        Some(Privilege::Oem) | None => Role::Other,
    }
}

/// The privilege limit of a role that an account can be given.
pub fn limit(role: Role) -> Result<PrivilegeLevel> {
    let level = match role {
        Role::Administrator => Privilege::Administrator,
        Role::Operator => Privilege::Operator,
        Role::User => Privilege::User,
        Role::Callback | Role::None | Role::Other => {
            let what = format!("an account cannot be given the role {role}");
            return Err(Error::new(Kind::Config, what));
        }
    };
    Ok(level.into())
}

/// A name that an account can be given: 1 to 16 bytes, nothing that cannot be printed.
pub fn name(text: &str) -> Result<UserName> {
    let fits = !text.is_empty()
        && !EMPTY_NAMES.contains(&text)
        && !text.chars().any(char::is_control)
        && text.trim() == text;
    match UserName::new(text) {
        Some(name) if fits => Ok(name),
        None => Err(Error::new(
            Kind::Config,
            format!("the user name has {} bytes; IPMI takes 16", text.len()),
        )),
        Some(_) => Err(Error::new(
            Kind::Config,
            format!("{text:?} is no name for a user"),
        )),
    }
}
