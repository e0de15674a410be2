use super::super::scripted::{Scripted, cx};
use super::*;
use crate::hal::model::user::Role;

const PRESENT: (&str, &str) = ("06 42 0e", "00 01 04 01");
const MAC: (&str, &str) = ("0c 02 01 05 00 00", "00 11 ac 1f 6b 00 00 01");
const ADMIN: &str = "00 41 44 4d 49 4e 00 00 00 00 00 00 00 00 00 00 00";
const BLANK: &str = "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00";

async fn users(table: &[(&str, &str)]) -> Result<Vec<User>, Kind> {
    let mut all = vec![PRESENT, MAC];
    all.extend(table);
    let got = IpmiUsers(Scripted::answering(&all)).users(&cx()).await;
    got.map(|r| r.value).map_err(|e| e.kind())
}

fn user(id: &str, name: &str, enabled: bool, role: Role, channel_access: bool) -> User {
    User {
        id: id.into(),
        name: name.into(),
        enabled,
        role,
        channel_access,
    }
}

#[tokio::test]
async fn all_slots_that_somebody_is_in() {
    let got = users(&[
        ("06 44 01 01", "00 05 42 01 0f"),
        ("06 44 01 02", "00 05 42 01 34"),
        ("06 44 01 03", "00 05 82 01 02"),
        ("06 44 01 04", "00 05 82 01 0f"),
        ("06 44 01 05", "00 05 42 01 13"),
        ("06 46 01", BLANK),
        ("06 46 02", ADMIN),
        (
            "06 46 03",
            "00 72 6f 00 00 00 00 00 00 00 00 00 00 00 00 00 00",
        ),
        ("06 46 04", "cc"),
        ("06 46 05", "cb"),
    ])
    .await;
    let expected = vec![
        user("2", "ADMIN", true, Role::Administrator, true),
        user("3", "ro", false, Role::User, false),
        user("5", "", true, Role::Operator, true),
    ];
    assert_eq!(got, Ok(expected));
}

#[tokio::test]
async fn each_slot_is_asked_once() {
    let bmc = Scripted::answering(&[
        PRESENT,
        MAC,
        ("06 44 01 01", "00 03 41 00 34"),
        ("06 44 01 02", "00 03 41 00 34"),
        ("06 44 01 03", "00 03 41 00 34"),
        ("06 46 01", "cc"),
        ("06 46 02", "cc"),
        ("06 46 03", "cc"),
    ]);
    let got = IpmiUsers(bmc.clone()).users(&cx()).await.unwrap();
    assert_eq!(got.source.at, "Get User Access");
    let asked: Vec<String> = bmc
        .sent()
        .into_iter()
        .filter(|s| !s.starts_with("0c") && !s.starts_with("06 42"))
        .collect();
    assert_eq!(
        asked,
        [
            "06 44 01 01",
            "06 44 01 02",
            "06 44 01 03",
            "06 46 01",
            "06 46 02",
            "06 46 03"
        ]
    );
}

#[tokio::test]
async fn slot_one_may_be_reserved() {
    let got = users(&[
        ("06 44 01 01", "cc"),
        ("06 44 01 02", "00 02 41 00 34"),
        ("06 46 02", ADMIN),
    ])
    .await;
    assert_eq!(
        got,
        Ok(vec![user("2", "ADMIN", true, Role::Administrator, true)])
    );
}

#[tokio::test]
async fn lies_about_slots() {
    // It says that there are none, and counts bits that are no count.
    let none = [("06 44 01 01", "00 c0 ff ff 34"), ("06 46 01", ADMIN)];
    assert_eq!(
        users(&none).await,
        Ok(vec![user("1", "ADMIN", true, Role::Administrator, true)])
    );
    // It says 63 and has two; one of them answers garbage.
    let few = [
        ("06 44 01 01", "00 3f 41 00 34"),
        ("06 44 01 02", "00 3f"),
        ("06 44 01 03", "00 3f 41 00 3b"),
        ("06 46 01", "00 41"),
        (
            "06 46 03",
            "00 ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff",
        ),
    ];
    let mut table: Vec<(String, String)> = few
        .iter()
        .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
        .collect();
    for slot in 1..64 {
        for request in [format!("06 44 01 {slot:02x}"), format!("06 46 {slot:02x}")] {
            if table.iter().all(|(known, _)| *known != request) {
                table.push((request, "c9".into()));
            }
        }
    }
    let table: Vec<(&str, &str)> = table
        .iter()
        .map(|(a, b)| (a.as_str(), b.as_str()))
        .collect();
    assert_eq!(
        users(&table).await,
        Ok(vec![
            user("1", "", true, Role::Administrator, true),
            user("3", "", true, Role::Other, true),
        ])
    );
}

/// Quirk `empty_user_name`: HPE iLO.
#[tokio::test]
async fn empty_user_is_no_name() {
    let got = users(&[
        ("06 44 01 01", "00 02 41 00 34"),
        ("06 44 01 02", "00 02 81 00 0f"),
        ("06 46 01", ADMIN),
        (
            "06 46 02",
            "00 28 45 6d 70 74 79 20 55 73 65 72 29 00 00 00 00",
        ),
    ])
    .await;
    assert_eq!(got.unwrap().len(), 1);
}

#[tokio::test]
async fn status_of_old_bmcs_is_their_messaging_bit() {
    let got = users(&[("06 44 01 01", "00 01 00 00 12"), ("06 46 01", ADMIN)]).await;
    assert_eq!(got, Ok(vec![user("1", "ADMIN", true, Role::User, true)]));
    let got = users(&[("06 44 01 01", "00 01 00 00 02"), ("06 46 01", ADMIN)]).await;
    assert_eq!(got, Ok(vec![user("1", "ADMIN", false, Role::User, false)]));
}

#[tokio::test]
async fn refusals() {
    assert_eq!(users(&[("06 44 01 01", "d4")]).await, Err(Kind::Privilege));
    assert_eq!(users(&[]).await, Err(Kind::Unsupported));
    let half = [
        ("06 44 01 01", "00 02 41 00 34"),
        ("06 44 01 02", "timeout"),
    ];
    assert_eq!(users(&half).await, Err(Kind::Timeout));
    let names = [("06 44 01 01", "00 01 41 00 34"), ("06 46 01", "d4")];
    assert_eq!(users(&names).await, Err(Kind::Privilege));
}

#[tokio::test]
async fn a_bmc_that_knows_no_channels_is_asked_for_the_present_one() {
    let bmc = Scripted::answering(&[("06 44 0e 01", "00 01 41 00 34"), ("06 46 01", ADMIN)]);
    let got = IpmiUsers(bmc).users(&cx()).await.unwrap();
    assert_eq!(got.value.len(), 1);
}
