//! BMCs that refuse, lie, cut off, or are busy.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::bed::{Bed, order, run};
use crate::hal::inband::{Verified, Wanted};
use crate::hal::ipmi::cmd::{CompletionCode, NetFn};
use crate::hal::ipmi::exchange::{Exchange, Request, Response};
use crate::hal::ipmi::learnt::LearntCell;
use crate::hal::model::{BoxFuture, Cx};
use crate::hal::sim::ProfileName;
use crate::hal::{Kind, Result};

/// What a layer in front of the BMC makes of a request: an answer of its own, or another request.
type Twist = dyn Fn(usize, &mut Request) -> Option<u8> + Send + Sync;

struct Twisted<'a> {
    bmc: &'a dyn Exchange,
    count: AtomicUsize,
    twist: Box<Twist>,
}

fn twisted(
    bmc: &dyn Exchange,
    twist: impl Fn(usize, &mut Request) -> Option<u8> + Send + Sync + 'static,
) -> Twisted<'_> {
    Twisted {
        bmc,
        count: AtomicUsize::new(0),
        twist: Box::new(twist),
    }
}

impl Exchange for Twisted<'_> {
    fn exchange<'a>(&'a self, cx: &'a Cx, mut request: Request) -> BoxFuture<'a, Result<Response>> {
        Box::pin(async move {
            let n = self.count.fetch_add(1, Ordering::Relaxed);
            match (self.twist)(n, &mut request) {
                Some(code) => Ok(Response {
                    code: CompletionCode(code),
                    data: Vec::new(),
                }),
                None => self.bmc.exchange(cx, request).await,
            }
        })
    }

    fn learnt(&self) -> &LearntCell {
        self.bmc.learnt()
    }
}

/// Which requests are answered with a yes, and nothing else.
type Lie = fn(&Request) -> bool;

/// Set User Password with this operation?
fn is_password(request: &Request, operation: u8) -> bool {
    (request.netfn, request.cmd) == (NetFn::APP, 0x47) && request.data.get(1) == Some(&operation)
}

fn is_name(request: &Request) -> bool {
    (request.netfn, request.cmd) == (NetFn::APP, 0x45)
}

#[tokio::test(start_paused = true)]
async fn a_refused_name_is_told_and_nothing_is_left() {
    let bed = Bed::new(ProfileName::OpenBmc);
    let before = bed.users();
    let mut posix = order();
    posix.user = "1st-user";
    let error = bed.run(&posix).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Refused);
    assert!(error.chain().contains("'1st-user'"), "{}", error.chain());
    assert!(bed.users() == before);
}

#[tokio::test(start_paused = true)]
async fn policies_get_passwords_of_another_shape() {
    // No special characters.
    let bed = Bed::new(ProfileName::Generic);
    let bmc = twisted(&bed.bmc, |_, r| {
        let special = |b: &u8| b.is_ascii_punctuation();
        (is_password(r, 2) && r.data.iter().skip(2).any(special)).then_some(0xcc)
    });
    let made = run(&bmc, &order(), false).await.unwrap().made;
    let password = made.password.unwrap();
    assert!(password.len() == 16 && password.expose().iter().all(u8::is_ascii_alphanumeric));
    bed.assert_works(made.user_id, &password);
    // At most twelve.
    let bed = Bed::new(ProfileName::Generic);
    let bmc = twisted(&bed.bmc, |_, r| {
        (is_password(r, 2) && r.data.iter().skip(14).any(|b| *b != 0)).then_some(0x8f)
    });
    let made = run(&bmc, &order(), false).await.unwrap().made;
    assert_eq!(made.password.unwrap().len(), 12);
    // None at all.
    let bed = Bed::new(ProfileName::Generic);
    let bmc = twisted(&bed.bmc, |_, r| is_password(r, 2).then_some(0x8f));
    let error = run(&bmc, &order(), false).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Refused);
    assert!(bed.ours().iter().all(|u| !u.3), "let in without a password");
}

#[tokio::test(start_paused = true)]
async fn sixteen_bytes_where_twenty_are_cut_off_or_refused() {
    let mut long = order();
    long.password = Wanted::Random { length: 20 };
    // ipmi_sim: keeps 16, and says yes to everything.
    let bed = Bed::new(ProfileName::Generic);
    let bmc = twisted(&bed.bmc, |_, r| {
        if is_password(r, 2) && r.data.len() == 22 {
            r.data.truncate(18);
            r.data[0] &= 0x7f;
        }
        is_password(r, 3).then_some(0)
    });
    let made = run(&bmc, &long, false).await.unwrap().made;
    let password = made.password.unwrap();
    assert_eq!((password.len(), made.verified), (16, Verified::None));
    bed.assert_works(made.user_id, &password);
    // The long form is unknown.
    let bed = Bed::new(ProfileName::Generic);
    let bmc = twisted(&bed.bmc, |_, r| {
        (is_password(r, 2) && r.data.len() == 22).then_some(0xc7)
    });
    let made = run(&bmc, &long, false).await.unwrap().made;
    let password = made.password.unwrap();
    assert_eq!((password.len(), made.verified), (16, Verified::InBand));
    bed.assert_works(made.user_id, &password);
}

#[tokio::test(start_paused = true)]
async fn a_bmc_that_lies_is_found_out() {
    let lies: [(&str, Lie); 4] = [
        ("name", is_name),
        ("password", |r| is_password(r, 2)),
        ("access", |r| (r.netfn, r.cmd) == (NetFn::APP, 0x43)),
        ("enable", |r| is_password(r, 1)),
    ];
    for (what, lie) in lies {
        let bed = Bed::new(ProfileName::Generic);
        let bmc = twisted(&bed.bmc, move |_, r| lie(r).then_some(0));
        let error = run(&bmc, &order(), false).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Refused, "{what}");
        assert!(error.chain().contains("keep"), "{what}: {}", error.chain());
        bed.assert_nobody(super::USER);
    }
}

#[tokio::test(start_paused = true)]
async fn a_bmc_that_says_yes_to_a_wrong_password_proves_nothing() {
    let bed = Bed::new(ProfileName::Generic);
    let bmc = twisted(&bed.bmc, |_, r| is_password(r, 3).then_some(0));
    assert_eq!(
        run(&bmc, &order(), false).await.unwrap().made.verified,
        Verified::None
    );
    let bed = Bed::new(ProfileName::Generic);
    let bmc = twisted(&bed.bmc, |_, r| is_password(r, 3).then_some(0xc1));
    assert_eq!(
        run(&bmc, &order(), false).await.unwrap().made.verified,
        Verified::None
    );
}

#[tokio::test(start_paused = true)]
async fn optional_commands_may_be_missing() {
    // SOL, payload access, cipher suites, channel access, GUID.
    let bed = Bed::new(ProfileName::Generic);
    let bmc = twisted(&bed.bmc, |_, r| {
        let (netfn, cmd) = (r.netfn.0, r.cmd);
        let missing = matches!(
            (netfn, cmd),
            (0x0c, 0x21 | 0x22) | (6, 0x4c | 0x4d | 0x37 | 0x40 | 0x41)
        );
        let suites = netfn == 0x0c && matches!(r.data.get(1), Some(22..=24));
        (missing || suites).then_some(0xc1)
    });
    let run = run(&bmc, &order(), false).await.unwrap();
    assert!(run.made.created);
}

#[tokio::test(start_paused = true)]
async fn enabling_is_tried_on_and_a_field_is_filled() {
    // Refuses the first five times, and then only takes it with a password field (Sun, Windmill).
    let bed = Bed::new(ProfileName::Generic);
    let tries = std::sync::Arc::new(AtomicUsize::new(0));
    let seen = std::sync::Arc::clone(&tries);
    let bmc = twisted(&bed.bmc, move |_, r| {
        if !is_password(r, 1) {
            return None;
        }
        let n = tries.fetch_add(1, Ordering::Relaxed);
        (n < 5 || r.data.len() < 18).then_some(0xcc)
    });
    let made = run(&bmc, &order(), false).await.unwrap().made;
    bed.assert_works(made.user_id, &made.password.unwrap());
    assert!(seen.load(Ordering::Relaxed) >= 6);
}

#[tokio::test(start_paused = true)]
async fn a_bmc_that_starts_is_waited_for() {
    let bed = Bed::new(ProfileName::Generic);
    let bmc = twisted(&bed.bmc, |n, _| (n < 20).then_some(0xd2));
    assert!(run(&bmc, &order(), false).await.unwrap().made.created);
}

#[tokio::test(start_paused = true)]
async fn fujitsu_gets_a_redfish_role_by_its_own_command() {
    for known in [true, false] {
        let bed = Bed::new(ProfileName::Generic);
        bed.bmc.with_state(|s| {
            std::sync::Arc::get_mut(&mut s.profile)
                .unwrap()
                .manufacturer = 10_368;
        });
        let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let to = std::sync::Arc::clone(&seen);
        let bmc = twisted(&bed.bmc, move |_, r| {
            let ours = (r.netfn.0, r.cmd) == (0x2e, 0xe0);
            ours.then(|| to.lock().unwrap().push(r.data.clone()))?;
            Some(if known { 0 } else { 0xc1 })
        });
        let run = run(&bmc, &order(), false).await.unwrap();
        let slot = run.made.user_id;
        let commands = seen.lock().unwrap().clone();
        let set = |setting, value| vec![0x80, 0x28, 0, 2, slot - 1, setting, 0x1d, 1, value];
        // A BMC that does not know it is told of, and the account is there.
        let wanted = [set(0x81, 2), set(0x80, 1)];
        assert_eq!(commands, wanted[..if known { 2 } else { 1 }]);
        assert_eq!(
            run.warnings.len(),
            usize::from(!known),
            "{:?}",
            run.warnings
        );
        bed.assert_works(slot, &run.made.password.unwrap());
    }
}

#[tokio::test(start_paused = true)]
async fn the_host_gets_credentials_for_redfish_and_nobody_else() {
    use crate::hal::inband::{Bootstrap, bootstrap};
    use crate::hal::sim::LocalBmc;
    let inside = LocalBmc::new(ProfileName::OpenBmc).from_inside();
    let cx = super::bed::cx();
    let Bootstrap::Granted(account) = bootstrap(&inside, &cx).await.unwrap() else {
        panic!("not granted");
    };
    assert!(!account.user.is_empty() && account.password.len() == 16);
    inside.with_state(|s| s.bootstrap = false);
    let disabled = bootstrap(&inside, &cx).await.unwrap();
    assert!(matches!(disabled, Bootstrap::Disabled), "{disabled:?}");
    let outside = LocalBmc::new(ProfileName::OpenBmc);
    let refused = bootstrap(&outside, &cx).await.unwrap();
    assert!(matches!(refused, Bootstrap::Unsupported), "{refused:?}");
}
