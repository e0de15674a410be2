//! Accounts.

use halbox::hal::Kind;
use halbox::hal::model::Secret;
use halbox::hal::model::user::{NewUser, Role};
use serde_json::json;

use super::super::bench::{FIRST, SECOND, operation, outcome};
use super::Run;

/// A new account.
const NAME: &str = "halboxtest";

impl Run<'_> {
    pub(super) async fn names(&self) -> Vec<String> {
        let cx = operation();
        let got = outcome(self.bench.bmc.users.call("users", |u| u.users(&cx)).await).unwrap();
        let mut names: Vec<String> = got.into_iter().map(|u| u.name).collect();
        names.sort();
        names
    }

    #[expect(
        clippy::too_many_lines,
        reason = "one account from its making to its end"
    )]
    pub(super) async fn users(&mut self) {
        let users = &self.bench.bmc.users;
        self.eq(
            "users",
            self.names().await,
            self.tree.users.iter().map(|n| (*n).to_owned()).collect(),
        );
        self.row("users", self.tree.users.join(","));
        // The account in use stays as it is, and nobody is asked.
        let before = self.written();
        let own = self.tree.user;
        for refused in [
            outcome(
                users
                    .call("x", |u| {
                        Box::pin(async move { u.set_enabled(&operation(), own, false).await })
                    })
                    .await,
            )
            .map(|_| ()),
            outcome(
                users
                    .call("x", |u| {
                        Box::pin(async move { u.delete(&operation(), own).await })
                    })
                    .await,
            ),
        ] {
            self.eq("own account", refused.unwrap_err().0, Kind::Refused);
        }
        self.eq("writes", self.written(), before);

        let new = NewUser {
            name: NAME.to_owned(),
            password: Secret::new(FIRST),
            role: Role::Operator,
            console: false,
        };
        let cx = operation();
        let made = outcome(users.call("create", |u| u.create(&cx, &new)).await)
            .unwrap_or_else(|e| panic!("{}: {e:?}", self.tree.name));
        self.eq(
            "made",
            (made.name.as_str(), made.enabled, made.role),
            (NAME, true, Role::Operator),
        );
        let writes = self.writes(before);
        let write = writes.first().unwrap();
        let how = if self.tree.slot.is_some() {
            "PATCH"
        } else {
            "POST"
        };
        self.eq("how", write.method.as_str(), how);
        if let Some(slot) = self.tree.slot {
            self.eq("slot", write.path.as_str(), slot);
        }
        self.eq(
            "body",
            (&write.body["UserName"], &write.body["Password"]),
            (&json!(NAME), &json!("***")),
        );
        self.row("users.create", format!("{how} {}", write.path));
        let cx = operation();
        let again = outcome(users.call("create", |u| u.create(&cx, &new)).await).map(|_| ());
        self.eq("twice", again.unwrap_err().0, Kind::Refused);

        let before = self.written();
        let password = Secret::new(SECOND);
        let cx = operation();
        outcome(
            users
                .call("pw", |u| u.set_password(&cx, NAME, &password))
                .await,
        )
        .unwrap();
        let writes = self.writes(before);
        self.eq(
            "password",
            writes.iter().map(|r| &r.body).collect(),
            vec![&json!({"Password": "***"})],
        );
        self.row("users.set-password", "ok");
        for enabled in [false, true] {
            let cx = operation();
            let got = outcome(
                users
                    .call("enable", |u| u.set_enabled(&cx, NAME, enabled))
                    .await,
            )
            .unwrap();
            self.eq("enabled", got.enabled, enabled);
        }
        self.row("users.enable", "ok");
        let before = self.written();
        let cx = operation();
        outcome(users.call("delete", |u| u.delete(&cx, NAME)).await).unwrap();
        let writes = self.writes(before);
        let write = writes.first().unwrap();
        let how = if self.tree.slot.is_some() {
            "PATCH"
        } else {
            "DELETE"
        };
        self.eq("how", write.method.as_str(), how);
        self.row("users.delete", format!("{how} {}", write.path));
        self.eq(
            "users",
            self.names().await,
            self.tree.users.iter().map(|n| (*n).to_owned()).collect(),
        );
    }
}
