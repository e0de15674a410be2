//! The password of the account that is logged in. What the door knows is stale afterwards, so nothing is asked then:
//! a request with the old password would count as a failed login.

use serde_json::json;

use super::account::{Account, same_name, wants_change, with_policy};
use super::{locate, roles};
use crate::hal::error::{Error, Kind, Result};
use crate::hal::model::Cx;
use crate::hal::model::user::{Role, User};
use crate::hal::redfish::{Client, Refusal};

/// Numbers that BMCs give the accounts that they are delivered with.
const NUMBERS: std::ops::RangeInclusive<u8> = 1..=16;

/// Changes it, also on a BMC that lets nothing else happen before. Returns where, and the account as far as it is
/// known.
pub(super) async fn set_password(
    client: &Client,
    cx: &Cx,
    name: &str,
    password: &str,
) -> Result<(String, User)> {
    let table = match locate::table(client, cx).await {
        Ok(table) if table.find(name).is_some() || table.unread == 0 => table,
        Ok(table) => {
            // Nothing but the own account may be read: it is among those that were refused.
            let required = forced(client, cx, &table.path, None, name, password).await?;
            return Ok(required);
        }
        Err(error) if wants_change(&error) => {
            let hinted = uri_in(&error);
            return forced(
                client,
                cx,
                "/redfish/v1/AccountService/Accounts",
                hinted,
                name,
                password,
            )
            .await;
        }
        Err(error) => return Err(error),
    };
    let account = table.named(name)?;
    let user = roles::user(client, cx, account).await?;
    let body = json!({ "Password": password });
    let changed = client.patch(cx, account.path(), body).await;
    changed.map_err(|e| with_policy(e, &table, client))?;
    Ok((account.path().to_owned(), user))
}

/// Changes the password without reading what the BMC does not show before.
async fn forced(
    client: &Client,
    cx: &Cx,
    accounts: &str,
    hinted: Option<String>,
    name: &str,
    password: &str,
) -> Result<(String, User)> {
    let accounts = accounts.trim_end_matches('/');
    let by_name = format!("{accounts}/{name}");
    let numbered = NUMBERS.map(|id| format!("{accounts}/{id}"));
    let mut last = None;
    for path in hinted.into_iter().chain([by_name.clone()]).chain(numbered) {
        // An account named after its user, or that the BMC named, is ours; of the others only one that says so.
        match Account::read(client, cx, &path).await {
            Ok(account) if same_name(account.name(), name) => {}
            Ok(_) => continue,
            Err(error) if error.kind() == Kind::Unsupported => continue,
            Err(_) if path == by_name => {}
            Err(error) => {
                last.get_or_insert(error);
                continue;
            }
        }
        match client
            .patch(cx, &path, json!({ "Password": password }))
            .await
        {
            Ok(_) => {
                let user = User {
                    id: super::super::read::last_segment(&path).to_owned(),
                    name: name.to_owned(),
                    enabled: true,
                    role: Role::Other,
                    channel_access: true,
                };
                return Ok((path, user));
            }
            // There is no such account, or it is not ours.
            Err(error) if error.kind() == Kind::Unsupported || wants_change(&error) => {
                last.get_or_insert(error);
            }
            Err(error) => return Err(error),
        }
    }
    Err(last.unwrap_or_else(|| {
        Error::new(
            Kind::Auth,
            format!(
                "the password of {name}: the BMC wants it changed and does not show the account"
            ),
        )
        .with_hint("change it once in the BMC's web interface")
    }))
}

/// The account that the refusal names (DSP0266: "… for the resource located at the target URI").
fn uri_in(error: &Error) -> Option<String> {
    let refusal = Refusal::find(error)?;
    refusal
        .messages
        .iter()
        .flat_map(|message| message.split(['\'', '"', ' ', ',']))
        .find(|word| word.starts_with("/redfish/") && word.contains("/Accounts/"))
        .map(|word| word.trim_end_matches('.').to_owned())
}
