use serde_json::{Value, json};

use super::super::scripted::{
    MANAGER, SYSTEM, Scripted, Tree, answer, obedient, refusal, server, within,
};
use super::*;
use crate::hal::model::user::Role;
use crate::hal::redfish::{Answer, Ask, Method, Quirks};

const ACCOUNTS: &str = "/redfish/v1/AccountService/Accounts";

fn account(id: &str, name: &str, role: &str) -> (String, Value) {
    let json = json!({"Id": id, "UserName": name, "RoleId": role, "Enabled": !name.is_empty(), "Password": null});
    (format!("{ACCOUNTS}/{id}"), json)
}

fn bmc(
    accounts: &[(String, Value)],
    writes: impl FnMut(&mut Tree, &Ask) -> Answer + Send + 'static,
) -> Arc<Scripted> {
    let members: Vec<Value> = accounts
        .iter()
        .map(|(path, _)| json!({"@odata.id": path}))
        .collect();
    let mut documents = vec![
        (
            SYSTEM,
            json!({"Links": {"ManagedBy": [{"@odata.id": MANAGER}]}, "Actions": {"#ComputerSystem.Reset": {}}}),
        ),
        (MANAGER, json!({})),
        (
            "/redfish/v1/AccountService",
            json!({"Accounts": {"@odata.id": ACCOUNTS}, "MinPasswordLength": 8, "MaxPasswordLength": 20}),
        ),
        (ACCOUNTS, json!({ "Members": members })),
    ];
    documents.extend(
        accounts
            .iter()
            .map(|(path, json)| (path.as_str(), json.clone())),
    );
    server(&documents, writes)
}

/// Takes POST as a good BMC does.
fn posts(tree: &mut Tree, ask: &Ask) -> Answer {
    match ask.method {
        Method::Post => {
            let mut new = ask.body.clone().unwrap();
            new["Password"] = Value::Null;
            let path = format!("{ACCOUNTS}/9");
            tree.get_mut(ACCOUNTS).unwrap()["Members"]
                .as_array_mut()
                .unwrap()
                .push(json!({ "@odata.id": path }));
            tree.insert(path, new);
            // No Location, as some do.
            answer(201, &json!({}))
        }
        Method::Delete => {
            tree.remove(&ask.path);
            answer(204, &Value::Null)
        }
        _ => obedient(tree, ask),
    }
}

/// Allows neither POST nor DELETE.
fn slots(tree: &mut Tree, ask: &Ask) -> Answer {
    match ask.method {
        Method::Patch => obedient(tree, ask),
        _ => refusal(405, "OperationNotAllowed"),
    }
}

fn new(name: &str, role: Role) -> NewUser {
    NewUser {
        name: name.to_owned(),
        password: Secret::new("0123456789"),
        role,
        console: false,
    }
}

fn of(bmc: &Arc<Scripted>, quirks: Quirks) -> RedfishUsers {
    RedfishUsers(bmc.client(quirks))
}

#[tokio::test]
async fn names_and_roles_without_empty_slots() {
    let mut odd = account("5", "odd", "CustomRole5");
    odd.1["Links"] = json!({"Role": {"@odata.id": "/redfish/v1/R/5"}});
    let bmc = bmc(
        &[
            account("1", "", "None"),
            account("2", "root", "Admin"),
            account("3", "ro", "ReadOnly"),
            odd,
        ],
        obedient,
    );
    bmc.add(
        "/redfish/v1/R/5",
        json!({"AssignedPrivileges": ["Login", "ConfigureComponents"]}),
    );
    let users = of(&bmc, Quirks::default())
        .users(&within(5))
        .await
        .unwrap()
        .value;
    let plain: Vec<_> = users
        .iter()
        .map(|u| (u.id.as_str(), u.name.as_str(), u.role))
        .collect();
    let want = [
        ("2", "root", Role::Administrator),
        ("3", "ro", Role::User),
        ("5", "odd", Role::Operator),
    ];
    assert_eq!(plain, want);
}

#[tokio::test]
async fn made_by_post_found_without_location_and_deleted() {
    let bmc = bmc(&[account("2", "root", "Administrator")], posts);
    let users = of(&bmc, Quirks::default());
    let made = users
        .create(&within(5), &new("metal2", Role::User))
        .await
        .unwrap();
    assert_eq!(
        (made.value.role, made.source.at.as_str()),
        (Role::User, "/redfish/v1/AccountService/Accounts/9")
    );
    let twice = users
        .create(&within(5), &new("METAL2", Role::User))
        .await
        .unwrap_err();
    assert_eq!(twice.kind(), Kind::Refused);
    users.delete(&within(5), "metal2").await.unwrap();
    let none = users.delete(&within(5), "nobody").await.unwrap_err();
    assert_eq!(none.kind(), Kind::Refused);
    let writes = bmc.writes();
    assert_eq!(writes.len(), 2, "{writes:?}");
    assert!(
        writes[0].starts_with("POST /redfish/v1/AccountService/Accounts {\"UserName\":\"metal2\"")
    );
    assert_eq!(writes[1], "DELETE /redfish/v1/AccountService/Accounts/9");
}

#[tokio::test]
async fn slots_where_post_is_not_allowed() {
    let table = [
        account("1", "", "None"),
        account("2", "root", "Administrator"),
        account("4", "", "None"),
        account("3", "", "None"),
    ];
    let bmc = bmc(&table, slots);
    let users = of(&bmc, Quirks::default());
    let made = users
        .create(&within(5), &new("metal2", Role::Operator))
        .await
        .unwrap();
    assert_eq!(made.value.id, "3");
    users
        .set_enabled(&within(5), "metal2", false)
        .await
        .unwrap();
    users.delete(&within(5), "metal2").await.unwrap();
    let last = bmc.writes().pop().unwrap();
    assert_eq!(
        last,
        r#"PATCH /redfish/v1/AccountService/Accounts/3 {"Enabled":false,"UserName":""}"#
    );
    let full = of(
        &bmc,
        Quirks {
            accounts: Accounts::Slots { first: 5, last: 9 },
            ..Quirks::default()
        },
    );
    let error = full
        .create(&within(5), &new("metal2", Role::Operator))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Refused);
    assert!(error.chain().contains("taken"), "{error:?}");
}

#[tokio::test]
async fn the_account_in_use_stays_and_nothing_is_asked() {
    // The scripted door is logged in as `metal`.
    let bmc = bmc(&[account("2", "metal", "Administrator")], posts);
    let users = of(&bmc, Quirks::default());
    let disabled = users
        .set_enabled(&within(5), "Metal", false)
        .await
        .unwrap_err();
    let deleted = users.delete(&within(5), "metal").await.unwrap_err();
    assert_eq!(
        (disabled.kind(), deleted.kind()),
        (Kind::Refused, Kind::Refused)
    );
    assert_eq!((bmc.writes().len(), bmc.reads()), (0, 0));
    let own = users
        .set_password(&within(5), "metal", &Secret::new("0123456789"))
        .await
        .unwrap();
    assert_eq!(own.value.name, "metal");
    // After that the old password is not used again.
    assert_eq!(
        bmc.writes(),
        [r#"PATCH /redfish/v1/AccountService/Accounts/2 {"Password":"0123456789"}"#]
    );
    let reads = bmc.reads();
    drop(users);
    assert_eq!(bmc.reads(), reads);
}

#[tokio::test]
async fn a_refused_password_comes_with_the_words_and_the_lengths() {
    let bmc = bmc(&[account("2", "root", "Administrator")], |_, _| {
        answer(
            400,
            &json!({"error": {"@Message.ExtendedInfo": [{"MessageId": "Base.1.8.PropertyValueFormatError",
            "Message": "The password needs a digit."}]}}),
        )
    });
    let users = of(&bmc, Quirks::default());
    let error = users
        .create(&within(5), &new("metal2", Role::User))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Refused);
    assert!(error.chain().contains("needs a digit"), "{error:?}");
    assert!(
        error.hint().is_some_and(|h| h.contains("8 to 20")),
        "{:?}",
        error.hint()
    );
}

#[tokio::test]
async fn a_write_that_does_not_show_is_an_error() {
    let bmc = bmc(&[account("2", "root", "Administrator")], |_, _| {
        answer(200, &json!({}))
    });
    let users = of(&bmc, Quirks::default());
    for error in [
        users
            .set_enabled(&within(5), "root", false)
            .await
            .unwrap_err(),
        users
            .create(&within(5), &new("metal2", Role::User))
            .await
            .unwrap_err(),
        users.delete(&within(5), "root").await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), Kind::Refused, "{error:?}");
    }
}

#[tokio::test]
async fn ipmi_is_allowed_where_the_bmc_leaves_it_out() {
    let bmc = bmc(&[account("2", "root", "Administrator")], |tree, ask| {
        let answer = posts(tree, ask);
        if ask.method == Method::Post {
            tree.get_mut("/redfish/v1/AccountService/Accounts/9")
                .unwrap()["AccountTypes"] = json!(["Redfish"]);
        }
        answer
    });
    let users = of(
        &bmc,
        Quirks {
            account_ipmi: true,
            ..Quirks::default()
        },
    );
    users
        .create(&within(5), &new("metal2", Role::User))
        .await
        .unwrap();
    assert_eq!(
        bmc.writes().pop().unwrap(),
        r#"PATCH /redfish/v1/AccountService/Accounts/9 {"AccountTypes":["Redfish","IPMI"],"Password":"0123456789"}"#
    );
}

#[tokio::test]
async fn accounts_at_the_manager() {
    const AT: &str = "/redfish/v1/Managers/1/Accounts";
    let documents = [
        (
            SYSTEM,
            json!({"Links": {"ManagedBy": [{"@odata.id": MANAGER}]}, "Actions": {"#ComputerSystem.Reset": {}}}),
        ),
        (MANAGER, json!({})),
        (
            AT,
            json!({"Members": [{"@odata.id": "/redfish/v1/Managers/1/Accounts/2"}]}),
        ),
        (
            "/redfish/v1/Managers/1/Accounts/2",
            json!({"Id": "2", "UserName": "root", "RoleId": "Administrator"}),
        ),
    ];
    let bmc = server(&documents, obedient);
    let got = of(&bmc, Quirks::default()).users(&within(5)).await.unwrap();
    assert_eq!((got.value.len(), got.source.at.as_str()), (1, AT));
}

#[tokio::test]
async fn a_slot_with_a_role_of_its_own_keeps_it_and_gets_the_privileges() {
    let mut slot = account("3", "", "CustomRole3");
    slot.1["Links"] = json!({"Role": {"@odata.id": "/redfish/v1/R/CustomRole3"}});
    let bmc = bmc(
        &[account("1", "root", "Administrator"), slot],
        |tree, ask| {
            let body = ask.body.as_ref().unwrap();
            match ask.method {
                Method::Patch if body.get("RoleId").is_some() => {
                    refusal(400, "PropertyNotWritable")
                }
                _ => slots(tree, ask),
            }
        },
    );
    bmc.add(
        "/redfish/v1/R/CustomRole3",
        json!({"AssignedPrivileges": ["Login"]}),
    );
    let users = of(&bmc, Quirks::default());
    let made = users
        .create(&within(5), &new("metal2", Role::Operator))
        .await
        .unwrap();
    assert_eq!(
        (made.value.id.as_str(), made.value.role),
        ("3", Role::Operator)
    );
    let last = bmc.writes().pop().unwrap();
    assert!(
        last.starts_with("PATCH /redfish/v1/R/CustomRole3"),
        "{last}"
    );
}

/// An account of iLO 4: no RoleId, no Enabled.
fn ilo4(id: &str, name: &str, privileges: &[&str]) -> (String, Value) {
    const ALL: [&str; 6] = [
        "LoginPriv",
        "RemoteConsolePriv",
        "UserConfigPriv",
        "VirtualMediaPriv",
        "VirtualPowerAndResetPriv",
        "iLOConfigPriv",
    ];
    let all: serde_json::Map<String, Value> = ALL
        .iter()
        .map(|p| ((*p).to_owned(), json!(privileges.contains(p))))
        .collect();
    let json =
        json!({"Id": id, "UserName": name, "Oem": {"Hp": {"LoginName": name, "Privileges": all}}});
    (format!("{ACCOUNTS}/{id}"), json)
}

#[tokio::test]
async fn accounts_without_roles_have_the_vendors_privileges() {
    let all = ["LoginPriv", "UserConfigPriv", "VirtualPowerAndResetPriv"];
    let known = [
        ilo4("1", "Administrator", &all),
        ilo4(
            "2",
            "op",
            &["LoginPriv", "VirtualPowerAndResetPriv", "RemoteConsolePriv"],
        ),
        ilo4("3", "look", &["LoginPriv"]),
        ilo4("4", "nobody", &[]),
    ];
    let there = bmc(&known, posts);
    let users = of(&there, Quirks::default())
        .users(&within(5))
        .await
        .unwrap();
    let roles: Vec<Role> = users.value.iter().map(|u| u.role).collect();
    assert_eq!(
        roles,
        [Role::Administrator, Role::Operator, Role::User, Role::None]
    );
    for (role, has) in [
        (Role::Administrator, 6),
        (Role::Operator, 4),
        (Role::User, 1),
    ] {
        let bmc = bmc(&known, posts);
        let made = of(&bmc, Quirks::default())
            .create(&within(5), &new("metal", role))
            .await
            .unwrap();
        assert_eq!((made.value.role, made.value.enabled), (role, true));
        let writes = bmc.writes();
        let body: Value = serde_json::from_str(writes[0].splitn(3, ' ').nth(2).unwrap()).unwrap();
        assert_eq!(body["Oem"]["Hp"]["LoginName"], "metal");
        assert_eq!((body.get("RoleId"), body.get("Enabled")), (None, None));
        let privileges = body["Oem"]["Hp"]["Privileges"].as_object().unwrap();
        assert_eq!(privileges.len(), 6);
        assert_eq!(
            privileges.values().filter(|v| **v == json!(true)).count(),
            has
        );
    }
    // Where roles have names, these are used, whatever else stands in Oem.
    let mut named = ilo4("1", "Administrator", &all);
    named.1["RoleId"] = json!("Administrator");
    let bmc = bmc(&[named], posts);
    of(&bmc, Quirks::default())
        .create(&within(5), &new("metal", Role::Operator))
        .await
        .unwrap();
    assert!(bmc.writes()[0].contains("\"RoleId\":\"Operator\""));
}

#[tokio::test(start_paused = true)]
async fn an_account_that_was_made_is_not_made_once_more_by_another_driver() {
    let bmc = bmc(&[account("1", "root", "Administrator")], |tree, ask| {
        let answer = posts(tree, ask);
        tree.insert(ACCOUNTS.to_owned(), json!("gone"));
        answer
    });
    let users = RedfishUsers(bmc.client(Quirks::default()));
    let new = NewUser {
        name: "metal".to_owned(),
        password: Secret::new("some-Password-1"),
        role: Role::Operator,
        console: false,
    };
    let error = users.create(&within(60), &new).await.unwrap_err();
    assert!(!error.kind().falls_through(), "{error:?}");
    assert_eq!(bmc.writes().len(), 1);
}
