//! A simulated BMC, and runs against it.

use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

use crate::hal::Result;
use crate::hal::inband::{self, Existing, Found, Journal, Keeper, Kept, Made, Order, Wanted};
use crate::hal::ipmi::Exchange;
use crate::hal::ipmi::cmd::Privilege;
use crate::hal::model::{BoxFuture, Cx, Secret};
use crate::hal::sim::ProfileName;
use crate::hal::sim::local::LocalBmc;

/// Our user.
pub const USER: &str = "metal";

/// A plain order.
pub fn order() -> Order<'static> {
    Order {
        user: USER,
        password: Wanted::Random { length: 16 },
        existing: Existing::Keep,
        enable_lan: true,
        dhcp: false,
        keeper: &Forgetful,
    }
}

/// Takes a password and has it no more.
#[derive(Debug)]
struct Forgetful;

impl Keeper for Forgetful {
    fn keep<'a>(&'a self, _: &'a Cx, _: Kept<'a>) -> BoxFuture<'a, Result<()>> {
        Box::pin(async { Ok(()) })
    }
}

/// Has all passwords.
#[derive(Debug, Default)]
pub struct Safe {
    pub passwords: Mutex<Vec<Secret>>,
    /// Privileges of the logins; `Some`: a login shall prove the account.
    pub logins: Option<Mutex<Vec<Privilege>>>,
}

impl Safe {
    pub fn has(&self, password: &[u8]) -> bool {
        let all = self.passwords.lock().unwrap();
        all.iter().any(|p| p.expose() == password)
    }
}

impl Keeper for Safe {
    fn keep<'a>(&'a self, _: &'a Cx, account: Kept<'a>) -> BoxFuture<'a, Result<()>> {
        let mut passwords = self.passwords.lock().unwrap();
        passwords.push(account.password.clone());
        Box::pin(async { Ok(()) })
    }

    fn proves(&self) -> bool {
        self.logins.is_some()
    }

    fn login<'a>(
        &'a self,
        _: &'a Cx,
        _: &'a Secret,
        privilege: Privilege,
    ) -> BoxFuture<'a, Result<bool>> {
        let logins = self.logins.as_ref().unwrap();
        logins.lock().unwrap().push(privilege);
        Box::pin(async { Ok(true) })
    }
}

/// What a run did.
#[derive(Debug)]
pub struct Run {
    pub found: Found,
    pub made: Made,
    pub writes: Vec<String>,
    pub warnings: Vec<String>,
    pub said: Vec<String>,
}

/// Everything of an account that can be compared: name, password, enabled, access, limit, payloads.
pub type Account = (u8, Vec<u8>, Vec<u8>, bool, u8, u8, [u8; 4]);

pub struct Bed {
    pub bmc: LocalBmc,
}

pub fn cx() -> Cx {
    Cx::until(Instant::now().into_std() + Duration::from_mins(3))
}

impl Bed {
    pub fn new(profile: ProfileName) -> Self {
        Self {
            bmc: LocalBmc::new(profile),
        }
    }

    pub async fn run(&self, order: &Order<'_>) -> Result<Run> {
        run(&self.bmc, order, false).await
    }

    pub async fn rehearse(&self, order: &Order<'_>) -> Result<Run> {
        run(&self.bmc, order, true).await
    }

    pub async fn remove(&self) -> Result<bool> {
        let say = |_: &str| {};
        let journal = Journal::new(&self.bmc, false, &say);
        let found = inband::look(&journal, &cx()).await?;
        inband::remove(&journal, &cx(), &found, USER).await
    }

    /// All accounts.
    pub fn users(&self) -> Vec<Account> {
        self.bmc.with_state(|s| {
            let all = s.users.iter().map(|(id, u)| {
                let password = u.password.expose().to_vec();
                (
                    id,
                    u.trimmed().to_vec(),
                    password,
                    u.enabled,
                    u.access,
                    u.limit,
                    u.payloads,
                )
            });
            all.collect()
        })
    }

    pub fn without(users: &[Account], slot: u8) -> Vec<Account> {
        users.iter().filter(|u| u.0 != slot).cloned().collect()
    }

    /// All accounts but that of a slot.
    pub fn others(&self, slot: u8) -> Vec<Account> {
        Self::without(&self.users(), slot)
    }

    /// Slots of our name.
    pub fn ours(&self) -> Vec<Account> {
        self.users()
            .into_iter()
            .filter(|u| u.1 == USER.as_bytes())
            .collect()
    }

    /// The user can log in over the LAN with this password, as administrator, and use the console.
    pub fn assert_works(&self, slot: u8, password: &Secret) {
        let ours = self.ours();
        let [(id, _, kept, enabled, access, limit, payloads)] = ours.as_slice() else {
            panic!("{} users of our name", ours.len());
        };
        assert_eq!((*id, *enabled, *limit), (slot, true, 4));
        assert_eq!(access & 0x50, 0x10, "messages on, callback off");
        assert!(kept == password.expose(), "another password");
        assert_eq!(payloads[0] & 2, 2, "no console");
        let (flags, limit) = self.bmc.with_state(|s| (s.channel.flags, s.channel.limit));
        assert!(flags & 7 == 2 && limit >= 4, "channel {flags:#x} {limit}");
        // Nobody comes in by suite 0 or 1.
        let (levels, suites) = self
            .bmc
            .with_state(|s| (s.lan.get(24, 0).unwrap(), s.lan.get(23, 0).unwrap()));
        for (entry, suite) in suites.iter().skip(1).enumerate() {
            let byte = levels[1 + entry / 2];
            let level = if entry % 2 == 0 { byte & 15 } else { byte >> 4 };
            assert!(
                *suite > 1 || level == 0 || (*suite == 0 && entry > 0),
                "suite {suite}: {level}"
            );
        }
    }

    /// No user of that name can log in.
    pub fn assert_nobody(&self, name: &str) {
        for user in self.users().iter().filter(|u| u.1 == name.as_bytes()) {
            assert!(!user.3, "{name} is enabled");
        }
    }

    /// Gives every slot a name.
    pub fn fill(&self) {
        self.bmc.with_state(|s| {
            for id in 2..=s.users.slots() {
                let user = s.users.get_mut(id).unwrap();
                user.name[..2].copy_from_slice(&[b'u', b'a' + id]);
                (user.enabled, user.limit, user.access) = (true, 4, 0x10);
            }
        });
    }
}

pub async fn run(bmc: &dyn Exchange, order: &Order<'_>, dry: bool) -> Result<Run> {
    let said = Mutex::new(Vec::new());
    let say = |text: &str| said.lock().unwrap().push(text.to_owned());
    let journal = Journal::new(bmc, dry, &say);
    let cx = cx();
    let found = inband::look(&journal, &cx).await?;
    let mut entropy = |out: &mut [u8]| {
        fastrand::fill(out);
        Ok(())
    };
    let made = inband::make(&journal, &cx, &found, order, &mut entropy).await?;
    let (writes, warnings) = (journal.writes(), journal.warnings());
    drop(journal);
    Ok(Run {
        found,
        made,
        writes,
        warnings,
        said: said.into_inner().unwrap(),
    })
}
