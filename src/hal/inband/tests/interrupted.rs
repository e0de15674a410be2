//! Cut off after every single command: the next run ends with exactly one working user, and nobody else is changed.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::bed::{Account, Bed, order, run};
use crate::hal::inband::Existing;
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

#[tokio::test(start_paused = true)]
async fn after_every_command_the_next_run_finishes() {
    for profile in [
        ProfileName::Generic,
        ProfileName::Supermicro,
        ProfileName::Lenovo,
        ProfileName::OpenBmc,
    ] {
        for reached in [false, true] {
            let mut cut = 1;
            while !cut_after(profile, cut, reached).await {
                cut += 1;
                assert!(cut < 500, "the run never ends");
            }
            assert!(cut > 30, "{profile}: only {cut} commands");
        }
    }
}

/// `true`: the run was through before it was cut.
async fn cut_after(profile: ProfileName, commands: usize, reached: bool) -> bool {
    let bed = Bed::new(profile);
    let before = bed.users();
    let fuse = Fuse {
        bmc: &bed.bmc,
        left: AtomicUsize::new(commands),
        reached,
    };
    let first = run(&fuse, &order(), false).await;
    if let Ok(first) = first {
        bed.assert_works(first.made.user_id, &first.made.password.unwrap());
        return true;
    }
    let left = bed.ours();
    assert!(left.len() <= 1, "{commands}: {} users", left.len());
    // Whoever can log in has a password.
    assert!(
        left.iter().all(|u| !u.3 || !u.2.is_empty()),
        "{commands}: no password"
    );
    let complete = left.iter().any(is_working);
    let second = bed.run(&order()).await.unwrap();
    let slot = second.made.user_id;
    let password = if complete {
        // Cut between the last write and the end: the password went with the process. The account works and is kept; with
        // --rotate (or when the daemon knows it) it gets another.
        assert!(!second.made.created, "{profile} {commands}");
        let mut rotate = order();
        rotate.existing = Existing::Rotate;
        bed.run(&rotate).await.unwrap().made.password
    } else {
        assert!(second.made.created, "{profile} {commands}: not finished");
        second.made.password
    };
    bed.assert_works(slot, &password.unwrap());
    assert!(
        bed.others(slot) == Bed::without(&before, slot),
        "{profile} {commands}: others were changed"
    );
    false
}
