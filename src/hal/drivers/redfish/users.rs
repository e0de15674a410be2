//! Accounts: members of `AccountService/Accounts`, made by POST, or slots that are filled and emptied by PATCH.

mod account;
mod locate;
mod own;
mod privileges;
mod roles;
mod slots;

use std::sync::Arc;
use std::time::Instant;

use serde_json::json;

use super::reading;
use crate::hal::caps::Users;
use crate::hal::error::{Error, Kind, Result};
use crate::hal::model::user::{NewUser, Role, User};
use crate::hal::model::{BoxFuture, Cx, Reading, Secret};
use crate::hal::redfish::{Accounts, Client};

use account::{Account, same_name};

/// Path of the collection of accounts.
pub(super) async fn collection(client: &Client, cx: &Cx) -> Result<String> {
    Ok(locate::table(client, cx).await?.path)
}

/// Lets an account that is there in, as an administrator: BMCs whose IPMI makes accounts without a role in Redfish (Dell)
/// give them one here. `false`: it was so already.
pub(crate) async fn admit(client: &Client, cx: &Cx, name: &str) -> Result<(User, bool)> {
    let table = locate::table(client, cx).await?;
    let account = table.named(name)?;
    let now = roles::user(client, cx, account).await?;
    if now.enabled && now.role == Role::Administrator {
        return Ok((now, false));
    }
    let role = roles::name(Role::Administrator, &table)?;
    let body = json!({ "RoleId": role, "Enabled": true });
    client.patch(cx, account.path(), body).await?;
    let account = Account::read_back(client, cx, account.path()).await?;
    account::shows(&account, Some(name), Some(true))?;
    let user = roles::verified(client, cx, &account, Role::Administrator).await?;
    Ok((user, true))
}

/// Accounts over Redfish.
pub(crate) struct RedfishUsers(pub(crate) Arc<Client>);

impl Users for RedfishUsers {
    fn users<'a>(&'a self, cx: &'a Cx) -> BoxFuture<'a, Result<Reading<Vec<User>>>> {
        Box::pin(async move {
            let start = Instant::now();
            let client = &*self.0;
            let table = locate::table(client, cx).await?;
            let mut users = Vec::new();
            for account in table.accounts.iter().filter(|a| !a.is_empty()) {
                users.push(roles::user(client, cx, account).await?);
            }
            Ok(reading(client, start, table.path, users))
        })
    }

    fn create<'a>(&'a self, cx: &'a Cx, user: &'a NewUser) -> BoxFuture<'a, Result<Reading<User>>> {
        Box::pin(async move {
            let start = Instant::now();
            let client = &*self.0;
            let name = checked_name(&user.name)?;
            let password = text(&user.password)?;
            let table = locate::table(client, cx).await?;
            if table.find(name).is_some() {
                return Err(
                    refused(format!("creating the account {name}: it is there already"))
                        .with_hint("choose another name, or set its password instead"),
                );
            }
            let role = roles::name(user.role, &table)?;
            let body = privileges::body(&table, name, password, user.role).unwrap_or_else(
                || json!({"UserName": name, "Password": password, "RoleId": role, "Enabled": true}),
            );
            let slots_only = matches!(client.quirks().accounts, Accounts::Slots { .. });
            let made = if slots_only {
                slots::fill(client, cx, &table, &body).await
            } else {
                match client.post(cx, &table.path, body.clone()).await {
                    Ok(written) => Ok(written.location),
                    Err(error) if slots::instead(client, &table, &error) => {
                        log::debug!("no POST of accounts here: {}", error.chain());
                        slots::fill(client, cx, &table, &body).await
                    }
                    Err(error) => Err(error),
                }
            };
            let made = made.map_err(|e| account::with_policy(e, &table, client))?;
            let account = locate::written(client, cx, &table, made, name).await;
            let account = account.map_err(Error::after_acting)?;
            account::shows(&account, Some(name), Some(true))?;
            account::let_ipmi(client, cx, &account, password).await;
            let at = account.path().to_owned();
            let user = roles::verified(client, cx, &account, user.role).await;
            Ok(reading(
                client,
                start,
                at,
                user.map_err(Error::after_acting)?,
            ))
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
            let client = &*self.0;
            let text = text(password)?;
            if is_own(client, name) {
                let (at, user) = own::set_password(client, cx, name, text).await?;
                return Ok(reading(client, start, at, user));
            }
            let table = locate::table(client, cx).await?;
            let account = table.named(name)?;
            let body = json!({ "Password": text });
            let changed = client.patch(cx, account.path(), body).await;
            changed.map_err(|e| account::with_policy(e, &table, client))?;
            let user = changed_user(client, cx, account.path(), (name, None)).await?;
            Ok(reading(client, start, account.path(), user))
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
            let client = &*self.0;
            if !enabled {
                not_own(client, name, "disabling")?;
            }
            let table = locate::table(client, cx).await?;
            let account = table.named(name)?;
            let body = json!({ "Enabled": enabled });
            client.patch(cx, account.path(), body).await?;
            let user = changed_user(client, cx, account.path(), (name, Some(enabled))).await?;
            Ok(reading(client, start, account.path(), user))
        })
    }

    fn delete<'a>(&'a self, cx: &'a Cx, name: &'a str) -> BoxFuture<'a, Result<Reading<()>>> {
        Box::pin(async move {
            let start = Instant::now();
            let client = &*self.0;
            not_own(client, name, "deleting")?;
            let table = locate::table(client, cx).await?;
            let account = table.named(name)?;
            let path = account.path();
            if matches!(client.quirks().accounts, Accounts::Slots { .. }) {
                slots::clear(client, cx, path).await?;
            } else {
                match client.delete(cx, path).await {
                    Ok(_) => {}
                    Err(error) if slots::instead(client, &table, &error) => {
                        slots::clear(client, cx, path).await?;
                    }
                    Err(error) => return Err(error),
                }
            }
            gone(client, cx, path, name).await?;
            Ok(reading(client, start, path, ()))
        })
    }
}

/// The account after a change, which has to show.
async fn changed_user(
    client: &Client,
    cx: &Cx,
    path: &str,
    (name, enabled): (&str, Option<bool>),
) -> Result<User> {
    let read = async {
        let account = Account::read_back(client, cx, path).await?;
        account::shows(&account, Some(name), enabled)?;
        roles::user(client, cx, &account).await
    };
    read.await.map_err(Error::after_acting)
}

/// Reads that nobody of that name is at `path` any more.
async fn gone(client: &Client, cx: &Cx, path: &str, name: &str) -> Result<()> {
    match Account::read_back(client, cx, path).await {
        Ok(account) if same_name(account.name(), name) => Err(Error::new(
            Kind::Refused,
            format!("deleting the account {name}: the BMC took it, but {path} still has it"),
        )),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == Kind::Unsupported => Ok(()),
        Err(error) => Err(error.after_acting()),
    }
}

fn is_own(client: &Client, name: &str) -> bool {
    client.door().user().is_some_and(|own| same_name(own, name))
}

/// The account that is logged in stays as it is: whoever locks himself out cannot undo it.
fn not_own(client: &Client, name: &str, what: &str) -> Result<()> {
    if is_own(client, name) {
        return Err(refused(format!(
            "{what} the account {name}: it is the one that is logged in"
        ))
        .with_hint("log in with another account to do this"));
    }
    Ok(())
}

fn checked_name(name: &str) -> Result<&str> {
    if name.is_empty() || name.chars().any(char::is_control) {
        return Err(Error::new(
            Kind::Config,
            "the name of an account: empty or not printable",
        ));
    }
    Ok(name)
}

fn text(password: &Secret) -> Result<&str> {
    std::str::from_utf8(password.expose()).map_err(|_| {
        Error::new(
            Kind::Config,
            "the password is not UTF-8, which Redfish demands",
        )
    })
}

fn refused(what: impl Into<String>) -> Error {
    Error::new(Kind::Refused, what)
}

#[cfg(test)]
mod tests;
