//! The IPMI driver on every kind of simulated BMC: over real sessions, and what the ledger says afterwards.

use std::sync::Arc;
use std::time::{Duration, Instant};

use halbox::hal::Bmc;
use halbox::hal::drivers::ipmi;
use halbox::hal::fleet::{Endpoint, Fleet, Forgetful};
use halbox::hal::ipmi::session::Config;
use halbox::hal::model::{Cx, PowerAction, PowerState, Secret};
use halbox::hal::sim::{self, Options, ProfileName, SimHandle};
use halbox::hal::transport::Lan;

/// Runs `work` with the driver on BMC 0 of `sim`, then closes the session.
async fn with_driver<T>(sim: &SimHandle, work: impl AsyncFnOnce(&Bmc, &Cx) -> T) -> T {
    let fleet = Fleet::new(Lan::new().unwrap(), Arc::new(Forgetful));
    let remote = fleet
        .bmc(&Endpoint {
            addr: sim.addrs()[0],
            session: Config::new("admin", Secret::new("admin")),
            pin_suite: false,
            linger: Duration::from_secs(10),
        })
        .unwrap();
    let mut bmc = Bmc::default();
    ipmi::attach(&mut bmc, remote);
    let cx = Cx::until(Instant::now() + Duration::from_mins(1));
    let result = work(&bmc, &cx).await;
    drop(bmc);
    assert_eq!(fleet.shutdown(Duration::from_secs(20)).await, 0);
    result
}

fn start(profile: ProfileName) -> SimHandle {
    sim::start(Options {
        port: 0,
        profile,
        ..Options::default()
    })
    .unwrap()
}

fn run(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(test);
}

/// Every read of the driver works on `profile`, and the BMC was treated gently.
fn reads_everything(profile: ProfileName) {
    let sim = start(profile);
    run(async {
        with_driver(&sim, async |bmc, cx| {
            let power = bmc.power.call("power", |p| p.state(cx)).await.unwrap();
            assert_eq!(power.value, PowerState::On);
            let sensors = bmc.sensors.call("sensors", |s| s.sensors(cx, false)).await;
            assert!(sensors.unwrap().value.len() >= 24);
            let log = bmc.event_log.call("sel", |l| l.entries(cx)).await.unwrap();
            assert!(log.value.len() >= 32);
            let frus = bmc.inventory.call("fru", |i| i.fru(cx, None)).await;
            assert!(frus.unwrap().value.len() >= 3);
            let users = bmc.users.call("users", |u| u.users(cx)).await.unwrap();
            assert!(users.value.iter().any(|u| u.name == "admin" && u.enabled));
            let lan = bmc.network.call("lan", |n| n.lan(cx)).await.unwrap();
            assert_eq!(lan.value.mac.unwrap().to_string(), "0a:1f:6b:00:00:01");
            let info = bmc.identity.call("info", |i| i.info(cx)).await.unwrap();
            assert_eq!(info.value.serial.as_deref(), Some("HB000001"));
            assert!(
                info.value
                    .uuid
                    .unwrap()
                    .starts_with("4c4c4544-0048-4210-8031"),
                "{:?}",
                info.value.uuid_raw
            );
            let boot = bmc.boot.call("boot", |b| b.state(cx)).await.unwrap();
            assert_eq!(boot.value.target.as_str(), "NONE");
            let metrics = bmc.metrics.call("metrics", |m| m.power_metrics(cx)).await;
            assert_eq!(metrics.unwrap().value.consumed_watts, Some(252.0));
        })
        .await;
    });
    let total = sim.total();
    // One as USER, one more for what needs OPERATOR.
    assert_eq!(
        (total.sessions_opened, total.sessions_closed),
        (2, 2),
        "{total:?}"
    );
    assert_eq!(
        (
            total.failed_logins,
            total.sessions_open,
            total.most_in_flight
        ),
        (0, 0, 1),
        "{total:?}"
    );
}

macro_rules! profiles {
    ($($name:ident: $profile:ident),* $(,)?) => {
        $(#[test]
        fn $name() {
            reads_everything(ProfileName::$profile);
        })*
    };
}

profiles! {
    generic: Generic,
    dell: Dell,
    supermicro: Supermicro,
    lenovo: Lenovo,
    hpe: Hpe,
    ami: Ami,
    openbmc: OpenBmc,
}

#[test]
fn broken_ends_with_a_value_or_an_error() {
    let sim = start(ProfileName::Broken);
    run(async {
        with_driver(&sim, async |bmc, cx| {
            let power = bmc.power.call("power", |p| p.state(cx)).await.unwrap();
            assert_eq!(power.value, PowerState::On);
            let _ = bmc.sensors.call("sensors", |s| s.sensors(cx, false)).await;
            let _ = bmc.event_log.call("sel", |l| l.entries(cx)).await;
            let _ = bmc.inventory.call("fru", |i| i.fru(cx, None)).await;
            let _ = bmc.users.call("users", |u| u.users(cx)).await;
            let _ = bmc.identity.call("info", |i| i.info(cx)).await;
            assert!(Instant::now() < cx.deadline);
        })
        .await;
    });
    let total = sim.total();
    assert_eq!(
        (total.sessions_open, total.failed_logins),
        (0, 0),
        "{total:?}"
    );
    // Endless chains end: no list of a BMC is worth thousands of commands.
    assert!(total.commands < 4000, "{total:?}");
}

#[test]
fn power_follows_its_actions() {
    let sim = start(ProfileName::Generic);
    run(async {
        with_driver(&sim, async |bmc, cx| {
            for (action, goal) in [
                (PowerAction::Off, PowerState::Off),
                (PowerAction::On, PowerState::On),
                (PowerAction::Cycle, PowerState::On),
                (PowerAction::Soft, PowerState::Off),
            ] {
                let done = bmc.power.call("power", |p| p.set(cx, action, true)).await;
                assert_eq!(done.unwrap().value.state, goal, "{action:?}");
            }
        })
        .await;
    });
    assert_eq!(sim.with_state(0, |s| s.power.starts), Some(2));
    assert_eq!(sim.total().sessions_open, 0);
}

#[test]
fn a_lossy_network_costs_time_and_nothing_else() {
    let sim = sim::start(Options {
        port: 0,
        faults: halbox::hal::transport::faults::Faults {
            loss: 0.1,
            duplicate: 0.1,
            ..Default::default()
        },
        seed: 7,
        ..Options::default()
    })
    .unwrap();
    run(async {
        with_driver(&sim, async |bmc, cx| {
            let frus = bmc.inventory.call("fru", |i| i.fru(cx, Some(0))).await;
            assert_eq!(frus.unwrap().value.len(), 1);
            let done = bmc
                .power
                .call("power", |p| p.set(cx, PowerAction::Cycle, true))
                .await;
            assert_eq!(done.unwrap().value.state, PowerState::On);
        })
        .await;
    });
    // Executed once, however often it was sent.
    assert_eq!(sim.with_state(0, |s| s.power.starts), Some(1));
    assert_eq!(sim.total().failed_logins, 0);
}
