//! Boards that lie, refuse and forget, and the account that is logged in.

use std::sync::Arc;

use super::super::scripted::{Scripted, cx, within};
use super::*;
use crate::hal::model::user::Role;

/// Three slots, ADMIN in the second. What it does otherwise is in its flags.
#[derive(Clone, Default)]
struct Board {
    names: [[u8; 16]; 3],
    passwords: [Vec<u8>; 3],
    enabled: [bool; 3],
    access: [u8; 3],
    limit: [u8; 3],
    sol: [bool; 3],
    channel: [[u8; 2]; 2],
    /// Writes of the name that are dropped though it says yes.
    drops_names: u8,
    /// Every password passes the test.
    believes_all: bool,
    /// Only 16 bytes of a password are kept, and compared.
    keeps_16: bool,
    /// Set User Password: refused with this.
    refuses: u8,
    /// Enabling needs a password field.
    wants_field: bool,
    /// Refusals of enabling before it works.
    enable_later: u8,
    /// An empty name is refused.
    keeps_names: bool,
    /// Set User Access says yes and does nothing.
    ignores_access: bool,
    /// Gigabyte: the same password again.
    same_refused: bool,
    /// Disabling is refused.
    cannot_disable: bool,
}

impl Board {
    fn new() -> Self {
        let mut board = Self {
            limit: [0x0f; 3],
            channel: [[0x02, 0x04]; 2],
            ..Self::default()
        };
        board.names[1][..5].copy_from_slice(b"ADMIN");
        board.passwords[1] = b"secret".to_vec();
        (board.enabled[1], board.access[1], board.limit[1]) = (true, 0x30, 4);
        board
    }

    fn start(mut self) -> Arc<Scripted> {
        Scripted::live(move |request| {
            let bytes: Vec<u8> = request
                .split_whitespace()
                .map(|b| u8::from_str_radix(b, 16).unwrap())
                .collect();
            let answer = self.answer(&bytes).unwrap_or_else(|code| vec![code]);
            let text: Vec<String> = answer.iter().map(|b| format!("{b:02x}")).collect();
            text.join(" ")
        })
    }

    fn answer(&mut self, request: &[u8]) -> Result<Vec<u8>, u8> {
        let slot = |id: u8| {
            usize::from(id & 0x3f)
                .checked_sub(1)
                .filter(|i| *i < 3)
                .ok_or(0xc9)
        };
        match *request {
            [6, 0x42, 0x0e] => Ok(vec![0, 1, 4, 1]),
            [0x0c, 2, 1, 5, ..] => Ok(vec![0, 0x11, 0xac, 0x1f, 0x6b, 0, 0, 1]),
            [6, 0x41, _, copy] => {
                let [settings, limit] = self.channel[usize::from(copy >> 7)];
                Ok(vec![0, settings, limit])
            }
            [6, 0x40, _, settings, limit] => {
                self.channel[usize::from(settings >> 7)] = [settings & 0x3f, limit & 0x0f];
                Ok(vec![0])
            }
            [6, 0x44, _, id] => {
                let i = slot(id)?;
                let status = if self.enabled[i] { 0x41 } else { 0x81 };
                Ok(vec![0, 3, status, 1, self.access[i] | self.limit[i]])
            }
            [6, 0x43, bits, id, limit] => {
                let i = slot(id)?;
                if !self.ignores_access {
                    (self.access[i], self.limit[i]) = (bits & 0x70, limit);
                }
                Ok(vec![0])
            }
            [6, 0x46, id] => Ok([&[0][..], &self.names[slot(id)?]].concat()),
            [6, 0x45, id, ref name @ ..] => {
                let i = slot(id)?;
                if self.keeps_names && name.iter().all(|b| *b == 0) {
                    return Err(0xcc);
                }
                if self.drops_names > 0 {
                    self.drops_names -= 1;
                } else {
                    self.names[i].copy_from_slice(name);
                }
                Ok(vec![0])
            }
            [6, 0x47, id, operation, ref field @ ..] => {
                self.password(slot(id)?, operation, field).map(|()| vec![0])
            }
            [6, 0x4d, _, id] => Ok(vec![0, u8::from(self.sol[slot(id)?]) << 1, 0, 0, 0]),
            [6, 0x4c, _, id, ..] => {
                self.sol[slot(id)?] = true;
                Ok(vec![0])
            }
            _ => Err(0xc1),
        }
    }

    fn password(&mut self, i: usize, operation: u8, field: &[u8]) -> Result<(), u8> {
        let cut = if self.keeps_16 { 16 } else { 20 };
        let field_cut = &field[..field.len().min(cut)];
        let end = field_cut.iter().rposition(|b| *b != 0).map_or(0, |n| n + 1);
        let pw = field_cut[..end].to_vec();
        match operation {
            0 if self.cannot_disable => return Err(0xcc),
            0 => self.enabled[i] = false,
            1 if self.wants_field && field.is_empty() => return Err(0xc7),
            1 if self.enable_later > 0 => {
                self.enable_later -= 1;
                return Err(0xcc);
            }
            1 => self.enabled[i] = true,
            2 if self.refuses != 0 => return Err(self.refuses),
            2 if self.same_refused && self.passwords[i] == pw => return Err(0x19),
            2 => self.passwords[i] = pw,
            _ if self.believes_all || self.passwords[i] == pw => {}
            _ => return Err(0x80),
        }
        Ok(())
    }
}

fn new_user(password: &str) -> NewUser {
    NewUser {
        name: "metal".into(),
        password: Secret::new(password),
        role: Role::Administrator,
        console: true,
    }
}

async fn create(board: Board, password: &str) -> (Arc<Scripted>, Result<User>) {
    let bmc = board.start();
    let made = IpmiUsers(bmc.clone())
        .create(&within(600), &new_user(password))
        .await;
    (bmc, made.map(|r| r.value))
}

#[tokio::test]
async fn an_account_is_made_in_the_order_that_all_bear() {
    let (bmc, made) = create(Board::new(), "Secret-123").await;
    let made = made.unwrap();
    assert_eq!(
        (made.id.as_str(), made.enabled, made.role),
        ("3", true, Role::Administrator)
    );
    let writes: Vec<String> = bmc
        .sent()
        .into_iter()
        .filter(|s| {
            ["06 45", "06 47 03 02", "06 43", "06 47 03 01", "06 4c"]
                .iter()
                .any(|w| s.starts_with(w))
        })
        .map(|s| s.chars().take(14).collect())
        .collect();
    assert_eq!(
        writes,
        [
            "06 45 03 6d 65",
            "06 47 03 02 53",
            "06 43 b1 03 04",
            "06 47 03 01",
            "06 4c 01 03 02"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn dropped_writes_are_sent_again_and_lies_are_found_out() {
    let (bmc, made) = create(
        Board {
            drops_names: 2,
            ..Board::new()
        },
        "Secret-123",
    )
    .await;
    made.unwrap();
    assert_eq!(
        bmc.sent().iter().filter(|s| s.starts_with("06 45")).count(),
        3
    );
    let (_, made) = create(
        Board {
            drops_names: 9,
            ..Board::new()
        },
        "Secret-123",
    )
    .await;
    assert!(made.unwrap_err().chain().contains("does not keep it"));
    let (bmc, made) = create(
        Board {
            ignores_access: true,
            ..Board::new()
        },
        "Secret-123",
    )
    .await;
    assert!(
        made.unwrap_err()
            .chain()
            .contains("access: the BMC says yes")
    );
    let last_name = bmc
        .sent()
        .into_iter()
        .rfind(|s| s.starts_with("06 45"))
        .unwrap();
    assert_eq!(
        last_name,
        format!("06 45 03{}", " 00".repeat(16)),
        "the slot is emptied"
    );
}

#[tokio::test(start_paused = true)]
async fn twenty_bytes_only_where_the_bmc_keeps_them() {
    let long = "Twenty-bytes-long-1!";
    let (bmc, made) = create(Board::new(), long).await;
    made.unwrap();
    assert!(
        bmc.sent().iter().any(|s| s.starts_with("06 47 83 02")),
        "in the long form"
    );
    for board in [
        Board {
            keeps_16: true,
            ..Board::new()
        },
        Board {
            believes_all: true,
            ..Board::new()
        },
        Board {
            refuses: 0xc7,
            ..Board::new()
        },
    ] {
        let (_, made) = create(board, long).await;
        let error = made.unwrap_err();
        assert_eq!(error.kind(), Kind::Refused);
        assert!(
            error.hint().unwrap().contains("16 bytes"),
            "{:?}",
            error.hint()
        );
    }
    let (_, made) = create(
        Board {
            believes_all: true,
            ..Board::new()
        },
        "short-enough-1",
    )
    .await;
    made.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_password_that_the_policy_refuses_is_said_and_the_slot_emptied() {
    let (bmc, made) = create(
        Board {
            refuses: 0xcc,
            ..Board::new()
        },
        "simple",
    )
    .await;
    let error = made.unwrap_err();
    assert!(error.hint().unwrap().contains("policy"));
    let refused = write::PasswordRefused::find(&error).unwrap();
    assert_eq!((refused.code.0, refused.twenty), (0xcc, false));
    assert!(!error.chain().contains("simple"));
    let left = IpmiUsers(bmc).users(&cx()).await.unwrap().value;
    assert_eq!(left.len(), 1);
}

/// Sun X4140 and Windmill want a password field; others need time.
#[tokio::test(start_paused = true)]
async fn enabling_is_tried_until_it_works() {
    for board in [
        Board {
            wants_field: true,
            ..Board::new()
        },
        Board {
            enable_later: 7,
            ..Board::new()
        },
    ] {
        let (_, made) = create(board, "Secret-123").await;
        assert!(made.unwrap().enabled);
    }
}

#[tokio::test]
async fn an_enabled_account_is_not_touched_to_enable_it() {
    let bmc = Board::new().start();
    let user = IpmiUsers(bmc.clone())
        .set_enabled(&cx(), "ADMIN", true)
        .await
        .unwrap();
    assert!(user.value.enabled);
    assert!(bmc.sent().iter().all(|s| !s.starts_with("06 47")));
}

/// Gigabyte.
#[tokio::test]
async fn the_same_password_again_is_no_failure() {
    let bmc = Board {
        same_refused: true,
        ..Board::new()
    }
    .start();
    let users = IpmiUsers(bmc);
    users
        .set_password(&cx(), "ADMIN", &Secret::new("secret"))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_taken_name_and_a_full_table_are_refused() {
    let mut board = Board::new();
    board.names[1][..5].copy_from_slice(b"metal");
    let (bmc, made) = create(board, "Secret-123").await;
    assert!(made.unwrap_err().chain().contains("there already"));
    assert!(
        bmc.sent()
            .iter()
            .all(|s| !s.starts_with("06 45") && !s.starts_with("06 47"))
    );
    let mut board = Board::new();
    board.names[2][..2].copy_from_slice(b"ro");
    let (_, made) = create(board, "Secret-123").await;
    assert!(
        made.unwrap_err()
            .chain()
            .contains("slots for users are taken")
    );
}

#[tokio::test]
async fn who_is_logged_in_is_not_taken_away() {
    let bmc = Board::new().start();
    bmc.user.set(b"ADMIN".to_vec()).unwrap();
    let users = IpmiUsers(bmc.clone());
    for failed in [
        users.delete(&cx(), "ADMIN").await.err(),
        users.set_enabled(&cx(), "ADMIN", false).await.err(),
    ] {
        let error = failed.unwrap();
        assert_eq!(error.kind(), Kind::Refused);
        assert!(error.chain().contains("logged in"));
    }
    assert!(bmc.sent().is_empty());
    users
        .set_password(&cx(), "ADMIN", &Secret::new("other"))
        .await
        .unwrap();
    let last = bmc.sent().pop().unwrap();
    assert!(
        last.starts_with("06 47 02 02"),
        "nothing follows a change of our own password: {last}"
    );
}

#[tokio::test(start_paused = true)]
async fn removing_leaves_nobody_in_the_slot() {
    let bmc = Board::new().start();
    let users = IpmiUsers(bmc.clone());
    users.create(&cx(), &new_user("Secret-123")).await.unwrap();
    users.set_enabled(&cx(), "metal", false).await.unwrap();
    users.delete(&cx(), "metal").await.unwrap();
    assert_eq!(users.users(&cx()).await.unwrap().value.len(), 1);
    assert_eq!(
        users.delete(&cx(), "metal").await.unwrap_err().kind(),
        Kind::Refused
    );
    // Lenovo XCC refuses to disable; the rest is done all the same.
    let mut board = Board {
        cannot_disable: true,
        ..Board::new()
    };
    board.names[2][..5].copy_from_slice(b"metal");
    (board.enabled[2], board.access[2], board.limit[2]) = (true, 0x10, 4);
    let users = IpmiUsers(board.clone().start());
    users.delete(&within(60), "metal").await.unwrap();
    // A name that stays is said, with the access gone.
    let users = IpmiUsers(
        Board {
            keeps_names: true,
            ..board
        }
        .start(),
    );
    let error = users.delete(&within(60), "metal").await.unwrap_err();
    assert!(
        error.chain().contains("can no longer log in"),
        "{}",
        error.chain()
    );
}

#[tokio::test]
async fn a_closed_channel_is_opened_and_an_open_one_left_alone() {
    let (bmc, made) = create(
        Board {
            channel: [[0x20, 0x02]; 2],
            ..Board::new()
        },
        "Secret-123",
    )
    .await;
    made.unwrap();
    let sent = bmc.sent();
    let sets: Vec<_> = sent.iter().filter(|s| s.starts_with("06 40")).collect();
    assert_eq!(sets, ["06 40 01 62 44", "06 40 01 a2 84"]);
    let (bmc, _) = create(Board::new(), "Secret-123").await;
    assert!(bmc.sent().iter().all(|s| !s.starts_with("06 40")));
}

#[tokio::test]
async fn the_customary_slot_is_taken_when_it_is_free() {
    let bmc = Board::new().start();
    let table = slots::table(&*bmc, &cx(), 1).await.unwrap();
    assert_eq!(table.free(Some(3)), Some(3));
    assert_eq!(table.free(Some(2)), Some(3), "somebody is in it");
    assert_eq!(table.free(Some(1)), Some(3), "never slot 1");
}
