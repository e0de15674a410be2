//! Where the accounts are.

use std::sync::Arc;

use super::super::read::{is_absent, members, optional};
use super::super::unsupported;
use super::account::{Account, same_name, settle};
use crate::hal::error::{Error, Kind, Result};
use crate::hal::model::Cx;
use crate::hal::redfish::{Client, Resource};

/// The collection with all that is in it.
pub(super) struct Table {
    /// URI of the collection.
    pub(super) path: String,
    /// The service it belongs to, where there is one: password lengths, roles.
    pub(super) service: Option<Arc<Resource>>,
    /// Its members, slots that nobody has included.
    pub(super) accounts: Vec<Account>,
    /// Members that could not be read.
    pub(super) unread: usize,
}

impl Table {
    pub(super) fn find(&self, name: &str) -> Option<&Account> {
        let exact = self.accounts.iter().find(|a| a.name() == name);
        exact.or_else(|| self.accounts.iter().find(|a| same_name(a.name(), name)))
    }

    /// The account `name`, or an error that says that there is none.
    pub(super) fn named(&self, name: &str) -> Result<&Account> {
        self.find(name).filter(|a| !a.is_empty()).ok_or_else(|| {
            Error::new(
                Kind::Refused,
                format!("the account {name}: this BMC has no such account"),
            )
            .with_hint("`user ls` lists them")
        })
    }
}

/// Reads the accounts: `AccountService`, or what firmware from before it has at the manager (iDRAC9 3.34).
pub(super) async fn table(client: &Client, cx: &Cx) -> Result<Table> {
    let root = client.root(cx).await?;
    let standard = root
        .link("/AccountService")
        .unwrap_or_else(|| "/redfish/v1/AccountService".to_owned());
    if let Some(service) = optional(client, cx, Some(standard)).await? {
        let path = service
            .link("/Accounts")
            .unwrap_or_else(|| format!("{}/Accounts", service.path.trim_end_matches('/')));
        if let Some(table) = read(client, cx, path, Some(service)).await? {
            return Ok(table);
        }
    }
    let manager = client.manager(cx).await?;
    let own = manager.path.trim_end_matches('/');
    let service = match manager.link("/AccountService") {
        Some(link) => optional(client, cx, Some(link)).await?,
        None => optional(client, cx, Some(format!("{own}/AccountService"))).await?,
    };
    let path = service
        .as_ref()
        .and_then(|s| s.link("/Accounts"))
        .or_else(|| manager.link("/Accounts"))
        .unwrap_or_else(|| format!("{own}/Accounts"));
    read(client, cx, path, service).await?.ok_or_else(|| {
        unsupported(
            "accounts",
            "neither AccountService nor the manager has them",
        )
    })
}

async fn read(
    client: &Client,
    cx: &Cx,
    path: String,
    service: Option<Arc<Resource>>,
) -> Result<Option<Table>> {
    let members = match members(client, cx, &path).await {
        Ok(members) => members,
        Err(error) if is_absent(&error) => return Ok(None),
        Err(error) => return Err(error),
    };
    let all = members.len();
    let accounts: Vec<Account> = members
        .into_iter()
        .filter_map(Result::ok)
        .map(Account)
        .collect();
    Ok(Some(Table {
        unread: all - accounts.len(),
        path,
        service,
        accounts,
    }))
}

/// The account that was just made: where the BMC said, else wherever that name stands now.
pub(super) async fn written(
    client: &Client,
    cx: &Cx,
    table: &Table,
    location: Option<String>,
    name: &str,
) -> Result<Account> {
    settle(client, cx).await?;
    if let Some(path) = location {
        match Account::read(client, cx, &path).await {
            Ok(account) if same_name(account.name(), name) => return Ok(account),
            Ok(_) => {}
            Err(error) if is_absent(&error) => {}
            Err(error) => return Err(error),
        }
    }
    // Not every BMC says where, and some say it wrongly.
    let collection = client.fresh(cx, &table.path).await?;
    for path in collection.links("/Members") {
        if let Ok(account) = Account::read(client, cx, &path).await
            && same_name(account.name(), name)
        {
            return Ok(account);
        }
    }
    Err(Error::new(
        Kind::Refused,
        format!("creating the account {name}: the BMC took it, but does not list it"),
    ))
}
