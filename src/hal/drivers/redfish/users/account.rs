//! One account, and what is checked of it.

use std::sync::Arc;

use serde_json::json;

use super::locate::Table;
use crate::hal::error::{Error, Kind, Result};
use crate::hal::model::Cx;
use crate::hal::redfish::{Client, Refusal, Resource};

/// One member of the table.
#[derive(Debug, Clone)]
pub(super) struct Account(pub(super) Arc<Resource>);

impl Account {
    /// Reads it anew.
    pub(super) async fn read(client: &Client, cx: &Cx, path: &str) -> Result<Self> {
        client.fresh(cx, path).await.map(Self)
    }

    /// Reads what a write made of it, when that shows.
    pub(super) async fn read_back(client: &Client, cx: &Cx, path: &str) -> Result<Self> {
        settle(client, cx).await?;
        Self::read(client, cx, path).await
    }

    pub(super) fn path(&self) -> &str {
        &self.0.path
    }

    /// Its name; empty for a slot that nobody has.
    pub(super) fn name(&self) -> &str {
        self.0.str("/UserName").unwrap_or_default()
    }

    /// A slot that nobody has.
    pub(super) fn is_empty(&self) -> bool {
        self.name().is_empty()
    }

    /// BMCs that do not say so have no disabled accounts.
    pub(super) fn enabled(&self) -> bool {
        self.0.bool("/Enabled").unwrap_or(!self.is_empty())
    }

    /// What the BMC calls it.
    pub(super) fn id(&self) -> String {
        self.0.str("/Id").map_or_else(
            || super::super::read::last_segment(self.path()).to_owned(),
            str::to_owned,
        )
    }

    /// The number of its slot, where it is one.
    pub(super) fn slot(&self) -> Option<u16> {
        let segment = super::super::read::last_segment(self.path());
        self.id().parse().ok().or_else(|| segment.parse().ok())
    }
}

/// Lets the time pass that a write takes to show on this BMC.
pub(super) async fn settle(client: &Client, cx: &Cx) -> Result<()> {
    let quiet = client.quirks().read_back_after;
    if quiet.is_zero() {
        return Ok(());
    }
    client.door().pause(cx, quiet).await
}

/// Names of accounts are told apart by case on some BMCs and not on others: for "is it there" and "is it me" the
/// careful answer is that they are the same.
pub(super) fn same_name(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b)
}

/// Does the BMC show what was written?
pub(super) fn shows(account: &Account, name: Option<&str>, enabled: Option<bool>) -> Result<()> {
    let wrong_name = name.is_some_and(|name| !same_name(account.name(), name));
    let wrong_state = enabled.is_some_and(|enabled| account.enabled() != enabled);
    if wrong_name || wrong_state {
        return Err(Error::new(
            Kind::Refused,
            format!(
                "{}: the BMC took the change, but shows the name '{}', enabled: {}",
                account.path(),
                account.name(),
                account.enabled()
            ),
        ));
    }
    Ok(())
}

/// A refused account or password, with the lengths that the BMC demands where it says them.
pub(super) fn with_policy(error: Error, table: &Table, client: &Client) -> Error {
    if error.kind() != Kind::Refused {
        return error;
    }
    let service = table.service.as_deref();
    let said = |p: &str| service.and_then(|s| s.num(p)).filter(|n| *n > 0.0);
    let quirk = client.quirks().password;
    let least = said("/MinPasswordLength").or(quirk.map(|(least, _)| f64::from(least)));
    let most = said("/MaxPasswordLength").or(quirk.map(|(_, most)| f64::from(most)));
    match (least, most) {
        (Some(least), Some(most)) => error.with_hint(format!(
            "this BMC wants passwords of {least} to {most} characters"
        )),
        (Some(least), None) => error.with_hint(format!(
            "this BMC wants passwords of at least {least} characters"
        )),
        (None, Some(most)) => error.with_hint(format!(
            "this BMC wants passwords of at most {most} characters"
        )),
        (None, None) => error,
    }
}

/// Lets a new account in over IPMI where the BMC keeps account types and leaves IPMI out (Lenovo XCC wants the
/// password again for that). The account is of use without it: a refusal is only logged.
pub(super) async fn let_ipmi(client: &Client, cx: &Cx, account: &Account, password: &str) {
    if !client.quirks().account_ipmi || !account.0.has("/AccountTypes") {
        return;
    }
    let mut types: Vec<&str> = account
        .0
        .list("/AccountTypes")
        .into_iter()
        .filter_map(|v| v.as_str())
        .collect();
    if types.contains(&"IPMI") {
        return;
    }
    types.push("IPMI");
    let body = json!({ "AccountTypes": types, "Password": password });
    if let Err(error) = client.patch(cx, account.path(), body).await {
        log::warn!("{}: IPMI is not allowed: {}", account.path(), error.chain());
    }
}

/// Does the BMC want the password of the account in use changed before anything else?
pub(super) fn wants_change(error: &Error) -> bool {
    Refusal::find(error).is_some_and(|refusal| refusal.names("PasswordChangeRequired"))
}
