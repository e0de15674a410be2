//! Accounts of the BMC: its slots, as the LAN channel sees them.

use std::sync::Arc;
use std::time::Instant;

use super::lan::lan_channel;
use super::{is_answer, reading};
use crate::hal::caps::Users;
use crate::hal::error::{Error, Kind, Result};
use crate::hal::ipmi::cmd::app::{
    GetUserAccess, GetUserName, PRESENT_CHANNEL, PrivilegeLevel, UserAccess, UserStatus,
};
use crate::hal::ipmi::cmd::{Command, CompletionCode, CompletionError, Privilege};
use crate::hal::ipmi::exchange::{finish, run};
use crate::hal::ipmi::{Exchange, Request};
use crate::hal::model::user::{Role, User};
use crate::hal::model::{BoxFuture, Cx, Reading};

/// Names that stand for "nobody": HPE iLO fills its empty slots with this.
const EMPTY_NAMES: &[&str] = &["(Empty User)"];

/// Accounts over IPMI.
pub struct IpmiUsers(pub Arc<dyn Exchange>);

impl Users for IpmiUsers {
    fn users<'a>(&'a self, cx: &'a Cx) -> BoxFuture<'a, Result<Reading<Vec<User>>>> {
        Box::pin(async move {
            let start = Instant::now();
            let bmc = &*self.0;
            let channel = match lan_channel(bmc, cx).await {
                Ok(channel) => channel.number,
                // It cannot say what its channels are; the one that we came by is there.
                Err(error) if is_answer(&error) => PRESENT_CHANNEL,
                Err(error) => return Err(error),
            };
            let (first, access) = first_slot(bmc, cx, channel).await?;
            let mut users = Vec::new();
            let last = access.max_users.max(first);
            let slots: Vec<_> = (first..=last)
                .map(|user| GetUserAccess { channel, user })
                .collect();
            let names: Vec<_> = (first..=last).map(|user| GetUserName { user }).collect();
            let mut requests: Vec<_> = slots.iter().skip(1).map(Request::of).collect();
            requests.extend(names.iter().map(Request::of));
            let mut answers = bmc.exchange_all(cx, requests).await.into_iter();
            let mut accesses = vec![Some(access)];
            for (command, answer) in slots.iter().skip(1).zip(&mut answers) {
                accesses.push(unless_refused(answer.and_then(|a| finish(command, &a)))?);
            }
            for ((command, answer), access) in names.iter().zip(&mut answers).zip(accesses) {
                let name = name_of(answer.and_then(|a| finish(command, &a)))?;
                users.extend(access.and_then(|access| account(command.user, name, access)));
            }
            Ok(reading(start, GetUserAccess::NAME, users))
        })
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
fn name_of(answer: Result<crate::hal::ipmi::cmd::app::UserName>) -> Result<String> {
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
fn account(slot: u8, name: String, access: UserAccess) -> Option<User> {
    let role = role(access.limit);
    let enabled = match access.status {
        UserStatus::Enabled => true,
        UserStatus::Disabled => false,
        // BMCs before IPMI 2.0 do not say; there, who may send messages may log in.
        UserStatus::Unspecified | UserStatus::Reserved => access.bits.messaging,
    };
    let nobody = name.is_empty() && (role == Role::None || (!enabled && !access.bits.messaging));
    (!nobody).then(|| User {
        id: slot.to_string(),
        name,
        enabled,
        role,
        channel_access: access.bits.messaging && role != Role::None,
    })
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

#[cfg(test)]
mod tests;
