//! Cut off after every single command: the next run ends with exactly one working user, and nobody else is changed.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::bed::{Account, Bed, Safe, order, run};
use crate::hal::inband::{Existing, Verified};
use crate::hal::ipmi::cmd::Privilege;
use crate::hal::ipmi::exchange::{Exchange, Request, Response};
use crate::hal::ipmi::learnt::LearntCell;
use crate::hal::model::{BoxFuture, Cx};
use crate::hal::sim::ProfileName;
use crate::hal::{Error, Kind, Result};

/// Lets that many commands through, then the process is gone.
struct Fuse<'a> {
    bmc: &'a dyn Exchange,
    left: AtomicUsize,
    /// The last command still reaches the BMC, only its answer is lost.
    reached: bool,
}

impl Exchange for Fuse<'_> {
    fn exchange<'a>(&'a self, cx: &'a Cx, request: Request) -> BoxFuture<'a, Result<Response>> {
        Box::pin(async move {
            let left = self
                .left
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1));
            match left {
                Err(_) => {}
                Ok(1) if self.reached => drop(self.bmc.exchange(cx, request).await),
                Ok(_) => return self.bmc.exchange(cx, request).await,
            }
            self.left.store(0, Ordering::Relaxed);
            Err(Error::new(Kind::Cancelled, "the machine lost power"))
        })
    }

    fn learnt(&self) -> &LearntCell {
        self.bmc.learnt()
    }
}

fn is_working(user: &Account) -> bool {
    user.3 && user.4 & 0x10 != 0 && user.5 == 4
}

const PROFILES: [ProfileName; 6] = [
    ProfileName::Generic,
    ProfileName::Supermicro,
    ProfileName::Lenovo,
    ProfileName::OpenBmc,
    ProfileName::Dell,
    ProfileName::Hpe,
];

/// Runs it cut off after 1, 2, 3, … commands, and with the answer of the last one lost, until a run is not cut off.
macro_rules! at_every_command {
    ($least:expr, $cut:expr) => {
        for profile in PROFILES {
            for reached in [false, true] {
                let mut commands = 1;
                while !$cut(profile, commands, reached).await {
                    commands += 1;
                    assert!(commands < 500, "the run never ends");
                }
                assert!(commands > $least, "{profile}: only {commands} commands");
            }
        }
    };
}

fn fuse(bed: &Bed, commands: usize, reached: bool) -> Fuse<'_> {
    Fuse {
        bmc: &bed.bmc,
        left: AtomicUsize::new(commands),
        reached,
    }
}

#[tokio::test(start_paused = true)]
async fn after_every_command_the_next_run_finishes() {
    at_every_command!(30, |p, n, r| making(p, n, r, Safe::default()));
}

#[tokio::test(start_paused = true)]
async fn and_where_a_login_proves_it() {
    let proving = || Safe {
        logins: Some(Mutex::default()),
        ..Safe::default()
    };
    at_every_command!(30, |p, n, r| making(p, n, r, proving()));
}

/// `true`: the run was through before it was cut.
async fn making(profile: ProfileName, commands: usize, reached: bool, safe: Safe) -> bool {
    let bed = Bed::new(profile);
    let before = bed.users();
    let mut wanted = order();
    wanted.keeper = &safe;
    let first = run(&fuse(&bed, commands, reached), &wanted, false).await;
    let through = first.is_ok();
    if let Ok(first) = first {
        bed.assert_works(first.made.user_id, &first.made.password.unwrap());
        if let Some(logins) = &safe.logins {
            // Nobody is administrator before the password is kept.
            assert_eq!(*logins.lock().unwrap(), [Privilege::User]);
            assert_eq!(first.made.verified, Verified::OutOfBand);
        }
    }
    let left = bed.ours();
    assert!(left.len() <= 1, "{commands}: {} users", left.len());
    // Whoever is let in as administrator has a password, and one that is kept.
    let complete = left.iter().find(|u| is_working(u)).cloned();
    if let Some(user) = &complete {
        assert!(safe.has(&user.2), "{profile} {commands}: nobody knows it");
    }
    // Nobody else's account, or a fresh one without a password, is enabled.
    assert!(left.iter().all(|u| !u.3 || !u.2.is_empty()), "{commands}");
    let second = bed.run(&order()).await.unwrap();
    let slot = second.made.user_id;
    if let Some(user) = complete {
        assert!(!second.made.created, "{profile} {commands}");
        assert_eq!(bed.ours()[0].2, user.2, "the password that is kept");
        bed.assert_works(slot, &crate::hal::model::Secret::new(user.2));
    } else {
        assert!(second.made.created, "{profile} {commands}: not finished");
        bed.assert_works(slot, &second.made.password.unwrap());
    }
    assert!(
        bed.others(slot) == Bed::without(&before, slot),
        "{profile} {commands}: others were changed"
    );
    through
}

#[tokio::test(start_paused = true)]
async fn a_rotation_that_is_cut_off_leaves_a_password_that_is_known() {
    at_every_command!(10, rotating);
}

async fn rotating(profile: ProfileName, commands: usize, reached: bool) -> bool {
    let bed = Bed::new(profile);
    let old = bed.run(&order()).await.unwrap().made.password.unwrap();
    let safe = Safe::default();
    let mut rotate = order();
    (rotate.existing, rotate.keeper) = (Existing::Rotate, &safe);
    let through = run(&fuse(&bed, commands, reached), &rotate, false)
        .await
        .is_ok();
    let [user] = &bed.ours()[..] else {
        panic!("{profile} {commands}: not one user");
    };
    assert!(is_working(user), "{profile} {commands}: shut out");
    assert!(
        user.2 == old.expose() || safe.has(&user.2),
        "{profile} {commands}: nobody knows it"
    );
    assert!(!through || user.2 != old.expose());
    through
}
