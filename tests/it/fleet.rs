//! The fleet on simulated BMCs: shared sessions, priorities, callers that go away, bad networks. What the BMCs saw
//! (the ledger) is what counts.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use halbox::hal::Kind;
use halbox::hal::fleet::{Endpoint, Fleet, Forgetful};
use halbox::hal::ipmi::cmd::app::GetDeviceId;
use halbox::hal::ipmi::cmd::chassis::{ChassisControl, ControlAction, GetChassisStatus};
use halbox::hal::ipmi::exchange::run;
use halbox::hal::ipmi::session::Config;
use halbox::hal::ipmi::{Exchange, Request};
use halbox::hal::model::{Cancel, Cx, Priority, Secret};
use halbox::hal::sim::{self, Options, SimHandle};
use halbox::hal::transport::Lan;
use halbox::hal::transport::faults::Faults;

fn simulated(options: Options) -> SimHandle {
    sim::start(Options { port: 0, ..options }).unwrap()
}

fn fleet() -> Fleet {
    Fleet::new(Lan::new().unwrap(), Arc::new(Forgetful))
}

fn endpoint(addr: SocketAddr, password: &str) -> Endpoint {
    Endpoint {
        addr,
        session: Config::new("admin", Secret::new(password)),
        pin_suite: true,
        linger: Duration::from_secs(10),
    }
}

fn within(time: Duration) -> Cx {
    Cx::until(Instant::now() + time)
}

const LONG: Duration = Duration::from_mins(1);

#[tokio::test]
async fn handles_share_one_session_and_the_last_one_closes_it() {
    let sim = simulated(Options::default());
    let fleet = fleet();
    let one = fleet.bmc(&endpoint(sim.addrs()[0], "admin")).unwrap();
    let two = fleet.bmc(&endpoint(sim.addrs()[0], "admin")).unwrap();
    let cx = within(LONG);
    let (a, b) = tokio::join!(
        run(&*one, &cx, &GetChassisStatus),
        run(&*two, &cx, &GetDeviceId)
    );
    a.unwrap();
    b.unwrap();
    assert_eq!(sim.total().sessions_opened, 1);
    assert_eq!(sim.total().most_in_flight, 1);
    drop(one);
    run(&*two, &cx, &GetDeviceId).await.unwrap();
    assert_eq!(sim.total().sessions_opened, 1);
    drop(two);
    assert_eq!(fleet.idle(LONG).await, 0);
    assert_eq!(sim.total().sessions_open, 0);
    assert_eq!(sim.total().sessions_closed, 1);
}

#[tokio::test]
async fn other_credentials_are_another_session() {
    let sim = simulated(Options::default());
    let fleet = fleet();
    let cx = within(LONG);
    let right = fleet.bmc(&endpoint(sim.addrs()[0], "admin")).unwrap();
    run(&*right, &cx, &GetDeviceId).await.unwrap();
    let wrong = fleet.bmc(&endpoint(sim.addrs()[0], "wrong")).unwrap();
    let error = run(&*wrong, &cx, &GetDeviceId).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Auth, "{error:?}");
    assert!(!error.chain().contains("wrong"), "{error:?}");
    run(&*right, &cx, &GetDeviceId).await.unwrap();
    assert_eq!(fleet.shutdown(LONG).await, 0);
    assert_eq!(sim.total().sessions_open, 0);
}

#[tokio::test]
async fn nobody_there_is_unreachable() {
    let port = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let addr = port.local_addr().unwrap();
    drop(port);
    let fleet = fleet();
    let bmc = fleet.bmc(&endpoint(addr, "admin")).unwrap();
    let error = run(&*bmc, &within(Duration::from_secs(5)), &GetDeviceId)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Unreachable, "{error:?}");
}

#[tokio::test]
async fn a_caller_that_goes_away_leaves_no_session_and_its_write_is_done_once() {
    let sim = simulated(Options {
        faults: Faults {
            delay: Duration::from_millis(30),
            ..Faults::default()
        },
        ..Options::default()
    });
    let fleet = fleet();
    let bmc = fleet.bmc(&endpoint(sim.addrs()[0], "admin")).unwrap();
    let cx = within(LONG);
    run(&*bmc, &cx, &GetDeviceId).await.unwrap();
    let before = sim.total().commands;
    {
        let off = Request::of(&ChassisControl {
            action: ControlAction::POWER_DOWN,
        });
        let write = bmc.exchange(&cx, off);
        // Long enough to be sent, too short for the answer.
        let _ = tokio::time::timeout(Duration::from_millis(20), write).await;
    }
    drop(bmc);
    assert_eq!(fleet.idle(LONG).await, 0);
    assert_eq!(sim.total().sessions_open, 0);
    // Set Session Privilege Level, the command (if it was sent at all: at most once), Close Session.
    let commands = sim.total().commands - before;
    assert!(commands <= 3, "{commands} commands");
}

#[tokio::test]
async fn cancelled_and_ended_reads_say_so() {
    let sim = simulated(Options {
        unresponsive: 1.0,
        ..Options::default()
    });
    let fleet = fleet();
    let bmc = fleet.bmc(&endpoint(sim.addrs()[0], "admin")).unwrap();
    let cancel = Cancel::new();
    let cx = within(LONG).with_cancel(cancel.clone());
    let read = run(&*bmc, &cx, &GetDeviceId);
    cancel.cancel();
    assert_eq!(read.await.unwrap_err().kind(), Kind::Cancelled);
    let cx = within(LONG);
    let (read, left) = tokio::join!(run(&*bmc, &cx, &GetDeviceId), fleet.shutdown(LONG));
    assert_eq!(read.unwrap_err().kind(), Kind::Cancelled);
    assert_eq!(left, 0);
}

#[tokio::test]
async fn a_command_that_comes_after_the_end_opens_nothing() {
    let sim = simulated(Options {
        faults: Faults {
            delay: Duration::from_millis(200),
            ..Faults::default()
        },
        ..Options::default()
    });
    let fleet = fleet();
    let bmc = fleet.bmc(&endpoint(sim.addrs()[0], "admin")).unwrap();
    let cx = within(LONG);
    run(&*bmc, &cx, &GetDeviceId).await.unwrap();
    let late = async {
        // The BMC has the Close Session, its answer is still on the way.
        while sim.total().sessions_closed == 0 {
            tokio::task::yield_now().await;
        }
        run(&*bmc, &cx, &GetDeviceId).await
    };
    let (left, late) = tokio::join!(fleet.shutdown(LONG), late);
    assert!(late.is_err(), "{late:?}");
    assert_eq!(left, 0);
    let seen = sim.total();
    assert_eq!(
        (seen.sessions_opened, seen.sessions_open),
        (1, 0),
        "{seen:?}"
    );
}

#[tokio::test]
async fn people_go_before_refreshes() {
    let sim = simulated(Options {
        faults: Faults {
            delay: Duration::from_millis(2),
            ..Faults::default()
        },
        ..Options::default()
    });
    let fleet = fleet();
    let bmc = fleet.bmc(&endpoint(sim.addrs()[0], "admin")).unwrap();
    let order = Mutex::new(Vec::new());
    let mut refresh = within(LONG);
    refresh.priority = Priority::Refresh;
    let refreshes = async {
        let requests = (0..20).map(|_| Request::of(&GetDeviceId)).collect();
        for answer in bmc.exchange_all(&refresh, requests).await {
            answer.unwrap();
        }
        order.lock().unwrap().push("refreshes");
    };
    let person = async {
        // The session is open and the refreshes are queued when the person comes.
        while sim.total().commands == 0 {
            tokio::task::yield_now().await;
        }
        run(&*bmc, &within(LONG), &GetChassisStatus).await.unwrap();
        order.lock().unwrap().push("person");
    };
    tokio::join!(refreshes, person);
    assert_eq!(*order.lock().unwrap(), ["person", "refreshes"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_bmcs_behind_a_bad_network_are_all_right() {
    let faults = Faults {
        loss: 0.15,
        duplicate: 0.15,
        reorder: 0.1,
        reorder_by: Duration::from_millis(5),
        // Real networks have the UDP checksum against it.
        corrupt: 0.0,
        delay: Duration::ZERO,
    };
    let sim = simulated(Options {
        count: 100,
        ..Options::default()
    });
    let lan = Lan::with_faults(faults, 42).unwrap();
    let fleet = Fleet::new(lan, Arc::new(Forgetful));
    let mut tasks = tokio::task::JoinSet::new();
    for addr in sim.addrs() {
        let bmc = fleet.bmc(&endpoint(*addr, "admin")).unwrap();
        tasks.spawn(async move { run(&*bmc, &within(LONG), &GetChassisStatus).await });
    }
    while let Some(status) = tasks.join_next().await {
        assert!(status.unwrap().unwrap().power & 1 == 1);
    }
    assert_eq!(fleet.shutdown(LONG).await, 0);
    let total = sim.total();
    assert_eq!(total.most_in_flight, 1);
    // A Close Session whose every copy was lost is the network's doing; more than a few would be ours.
    assert!(total.sessions_open <= 3, "{total:?}");
}
