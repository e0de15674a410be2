//! Tables with a fixed number of slots: an account is made by filling an empty one, and deleted by emptying it.

use serde_json::{Value, json};

use super::account::Account;
use super::locate::Table;
use super::roles;
use crate::hal::error::{Error, Kind, Result};
use crate::hal::model::Cx;
use crate::hal::model::order::Order;
use crate::hal::redfish::{Accounts, Client};

/// The first slot that is used where nothing else is known: 1 and 2 belong to the BMC or its first administrator
/// (iDRAC, AMI MegaRAC).
const FIRST: u16 = 3;

/// Is a refused POST or DELETE a sign that this table has slots?
pub(super) fn instead(client: &Client, table: &Table, error: &Error) -> bool {
    let may = client.quirks().accounts == Accounts::Auto;
    let slots = table.accounts.iter().any(|a| a.slot().is_some());
    may && slots && error.kind() == Kind::Unsupported
}

/// Writes `body` into the first empty slot and returns its path.
pub(super) async fn fill(
    client: &Client,
    cx: &Cx,
    table: &Table,
    body: &Value,
) -> Result<Option<String>> {
    let (first, last) = match client.quirks().accounts {
        Accounts::Slots { first, last } => (first, last),
        Accounts::Auto | Accounts::Post => (FIRST, u16::MAX),
    };
    let mut empty: Vec<(u16, &Account)> = table
        .accounts
        .iter()
        .filter(|a| a.is_empty())
        .filter_map(|a| Some((a.slot()?, a)))
        .filter(|(slot, _)| (first..=last).contains(slot))
        .collect();
    empty.order_by_key(|(slot, _)| *slot);
    let Some((_, account)) = empty.first() else {
        let unread = match table.unread {
            0 => String::new(),
            n => format!(" ({n} of them could not be read)"),
        };
        return Err(Error::new(
            Kind::Refused,
            format!(
                "creating an account: all slots of {} are taken{unread}",
                table.path
            ),
        )
        .with_hint("delete an account that is not needed"));
    };
    let mut body = body.clone();
    // A slot whose role is only linked takes the link.
    if !account.0.has("/RoleId")
        && let (Some(fields), Some(link)) = (body.as_object_mut(), account.0.link("/Links/Role"))
    {
        fields.remove("RoleId");
        fields.insert("Links".to_owned(), json!({"Role": {"@odata.id": link}}));
    }
    let path = account.path();
    match client.patch(cx, path, body.clone()).await {
        // The role of this slot cannot be another one: its privileges are changed afterwards.
        Err(error) if error.kind() == Kind::Refused && roles::custom(account).is_some() => {
            log::debug!("without its role: {}", error.chain());
            if let Some(fields) = body.as_object_mut() {
                fields.remove("RoleId");
            }
            client.patch(cx, path, body).await?;
        }
        other => {
            other?;
        }
    }
    Ok(Some(path.to_owned()))
}

/// Empties the slot at `path`.
pub(super) async fn clear(client: &Client, cx: &Cx, path: &str) -> Result<()> {
    let body = json!({ "Enabled": false, "UserName": "" });
    client.patch(cx, path, body).await.map(|_| ())
}
