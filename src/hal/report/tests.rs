use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::*;
use crate::hal::caps;
use crate::hal::error::{Error, Kind, Result};
use crate::hal::model::boot::BootRequest;
use crate::hal::model::write::Write;
use crate::hal::model::{
    BootMode, BootPersistence, BootState, BootTarget, BoxFuture, Cancel, LedState, Reading, Source,
};

/// LED and boot override of a BMC, with faults.
struct Toy {
    driver: DriverName,
    led: Mutex<LedState>,
    boot: Mutex<BootState>,
    log: Mutex<Vec<String>>,
    /// All is refused like this.
    refuse: Option<Kind>,
    /// Called off as soon as something was changed.
    cancel: Cancel,
}

fn toy(driver: DriverName) -> Toy {
    Toy {
        driver,
        led: Mutex::new(LedState::Off),
        boot: Mutex::new(BootState {
            target: BootTarget::Pxe,
            mode: Some(BootMode::Uefi),
            persistence: BootPersistence::Persistent,
        }),
        log: Mutex::default(),
        refuse: None,
        cancel: Cancel::new(),
    }
}

impl Toy {
    fn answer<T: Send + 'static>(&self, what: &str, value: T) -> BoxFuture<'_, Result<Reading<T>>> {
        self.log.lock().unwrap().push(what.to_owned());
        let out = match self.refuse {
            Some(kind) => Err(Error::new(kind, what)),
            None => Ok(Reading {
                value,
                source: Source::new(self.driver, what),
                took: Duration::ZERO,
            }),
        };
        Box::pin(async move { out })
    }

    fn asked(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }
}

impl caps::Led for Toy {
    fn state<'a>(&'a self, _: &'a Cx) -> BoxFuture<'a, Result<Reading<LedState>>> {
        let now = *self.led.lock().unwrap();
        self.answer("led", now)
    }

    fn set<'a>(&'a self, cx: &'a Cx, on: bool) -> BoxFuture<'a, Result<Reading<LedState>>> {
        if cx.cancel.is_cancelled() {
            return Box::pin(async { Err(Error::new(Kind::Cancelled, "called off")) });
        }
        *self.led.lock().unwrap() = if on { LedState::On } else { LedState::Off };
        self.cancel.cancel();
        let now = *self.led.lock().unwrap();
        self.answer(if on { "led on" } else { "led off" }, now)
    }
}

impl caps::Boot for Toy {
    fn state<'a>(&'a self, _: &'a Cx) -> BoxFuture<'a, Result<Reading<BootState>>> {
        let now = *self.boot.lock().unwrap();
        self.answer("boot", now)
    }

    fn set<'a>(&'a self, cx: &'a Cx, r: BootRequest) -> BoxFuture<'a, Result<Reading<BootState>>> {
        if cx.cancel.is_cancelled() {
            return Box::pin(async { Err(Error::new(Kind::Cancelled, "called off")) });
        }
        let state = BootState {
            target: r.target,
            mode: Some(r.mode),
            persistence: if r.persistent {
                BootPersistence::Persistent
            } else {
                BootPersistence::Once
            },
        };
        *self.boot.lock().unwrap() = state;
        self.cancel.cancel();
        self.answer("boot set", state)
    }
}

impl caps::Evidence for Toy {
    fn evidence<'a>(&'a self, _: &'a Cx, write: Write) -> BoxFuture<'a, Result<Reading<String>>> {
        if write == Write::BootBios {
            return Box::pin(async { Err(Error::new(Kind::Unsupported, "no setup")) });
        }
        let mut source = Source::new(self.driver, "x");
        source.overwrite = Some("toys");
        let reading = Reading {
            value: "x is there".to_owned(),
            source,
            took: Duration::ZERO,
        };
        Box::pin(async move { Ok(reading) })
    }
}

fn bmc(toys: &[Arc<Toy>]) -> Bmc {
    let mut bmc = Bmc::default();
    for toy in toys {
        bmc.led
            .push(toy.driver, Arc::clone(toy) as Arc<dyn caps::Led>);
        bmc.boot
            .push(toy.driver, Arc::clone(toy) as Arc<dyn caps::Boot>);
    }
    bmc
}

fn cx() -> Cx {
    Cx::until(Instant::now() + Duration::from_mins(1))
}

fn status(report: &Report, operation: &str, driver: DriverName) -> Status {
    let of_it = |e: &&Entry| e.operation == operation && e.driver == driver;
    report.entries.iter().find(of_it).unwrap().status
}

#[test]
fn operations_have_one_name_each_and_what_is_needed_exists() {
    let all: Vec<&str> = operations().collect();
    let mut once = all.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), all.len());
    assert!(NEEDED.iter().all(|o| all.contains(o)));
    assert_eq!(Write::ALL.len() + READS.len(), all.len());
}

#[tokio::test]
async fn every_slot_is_asked_and_the_preferred_driver_comes_first() {
    let redfish = Arc::new(toy(DriverName::Redfish));
    let ipmi = Arc::new(toy(DriverName::Ipmi));
    *ipmi.led.lock().unwrap() = LedState::On;
    let both = bmc(&[Arc::clone(&redfish), Arc::clone(&ipmi)]);
    let made = report(&both, &cx(), &Options::default()).await;
    let order: Vec<(&str, DriverName)> = made
        .entries
        .iter()
        .map(|e| (e.operation, e.driver))
        .take(4)
        .collect();
    assert_eq!(
        order,
        [
            ("boot.state", DriverName::Redfish),
            ("boot.state", DriverName::Ipmi),
            ("led.state", DriverName::Redfish),
            ("led.state", DriverName::Ipmi)
        ]
    );
    let differing: Vec<&str> = made
        .entries
        .iter()
        .filter(|e| e.differs)
        .map(|e| e.operation)
        .collect();
    assert_eq!(differing, ["led.state", "led.state"]);
    assert_eq!(redfish.asked(), ["boot", "led"]);
    assert!(!made.needs().complete);
    assert!(made.needs().missing.contains(&"power.state"));
    // Judged by nothing, it serves nobody.
    assert_eq!(status(&made, "led.on", DriverName::Ipmi), Status::NotTried);
    assert!(made.needs().missing.contains(&"led.on"));
}

#[tokio::test]
async fn after_a_refused_login_nobody_is_asked_with_it_again() {
    let redfish = Arc::new(toy(DriverName::Redfish));
    let mut ipmi = toy(DriverName::Ipmi);
    ipmi.refuse = Some(Kind::Auth);
    let ipmi = Arc::new(ipmi);
    let both = bmc(&[Arc::clone(&redfish), Arc::clone(&ipmi)]);
    let options = Options {
        writes: true,
        ..Options::default()
    };
    let made = report(&both, &cx(), &options).await;
    assert!(made.is_denied());
    assert_eq!((ipmi.asked().len(), redfish.asked().len()), (1, 0));
    let two_logins = Options {
        one_login: false,
        ..Options::default()
    };
    let made = report(&both, &cx(), &two_logins).await;
    assert_eq!(
        status(&made, "led.state", DriverName::Redfish),
        Status::Works
    );
    assert_eq!(ipmi.asked().len(), 2);
}

#[tokio::test]
async fn who_cannot_be_reached_is_asked_once() {
    let mut redfish = toy(DriverName::Redfish);
    redfish.refuse = Some(Kind::Unreachable);
    let redfish = Arc::new(redfish);
    let ipmi = Arc::new(toy(DriverName::Ipmi));
    let both = bmc(&[Arc::clone(&redfish), ipmi]);
    let made = report(&both, &cx(), &Options::default()).await;
    assert_eq!(redfish.asked().len(), 1);
    assert_eq!(
        status(&made, "led.state", DriverName::Redfish),
        Status::Failed
    );
    assert_eq!(status(&made, "led.state", DriverName::Ipmi), Status::Works);
}

#[tokio::test]
async fn writes_are_done_and_put_back() {
    let ipmi = Arc::new(toy(DriverName::Ipmi));
    let before = *ipmi.boot.lock().unwrap();
    let options = Options {
        writes: true,
        ..Options::default()
    };
    let made = report(&bmc(&[Arc::clone(&ipmi)]), &cx(), &options).await;
    for operation in ["led.on", "led.off", "boot.pxe", "boot.disk", "boot.bios"] {
        assert_eq!(
            status(&made, operation, DriverName::Ipmi),
            Status::Works,
            "{operation}"
        );
    }
    assert_eq!(*ipmi.led.lock().unwrap(), LedState::Off);
    assert_eq!(*ipmi.boot.lock().unwrap(), before);
}

#[tokio::test]
async fn an_interrupt_in_the_middle_puts_back() {
    let ipmi = Arc::new(toy(DriverName::Ipmi));
    let before = *ipmi.boot.lock().unwrap();
    let options = Options {
        writes: true,
        ..Options::default()
    };
    let cx = cx().with_cancel(ipmi.cancel.clone());
    let made = report(&bmc(&[Arc::clone(&ipmi)]), &cx, &options).await;
    assert_eq!(status(&made, "led.on", DriverName::Ipmi), Status::Works);
    assert_eq!(*ipmi.led.lock().unwrap(), LedState::Off);
    assert_eq!(*ipmi.boot.lock().unwrap(), before);
    assert_eq!(
        status(&made, "boot.bios", DriverName::Ipmi),
        Status::NotTried
    );
}

#[tokio::test]
async fn no_time_is_no_reason_to_ask() {
    let ipmi = Arc::new(toy(DriverName::Ipmi));
    let made = report(
        &bmc(&[Arc::clone(&ipmi)]),
        &Cx::until(Instant::now()),
        &Options::default(),
    )
    .await;
    assert!(ipmi.asked().is_empty());
    assert!(
        made.entries
            .iter()
            .all(|e| e.status == Status::NotTried && !e.serves())
    );
}

#[tokio::test]
async fn what_was_judged_not_to_be_there_is_not_tried_and_stays_so() {
    let options = Options {
        writes: true,
        ..Options::default()
    };
    for unreadable in [false, true] {
        let mut redfish = toy(DriverName::Redfish);
        redfish.refuse = unreadable.then_some(Kind::Refused);
        let redfish = Arc::new(redfish);
        let mut one = bmc(&[Arc::clone(&redfish)]);
        one.evidence.push(redfish.driver, Arc::clone(&redfish) as _);
        let made = report(&one, &cx(), &options).await;
        let of = |operation| status(&made, operation, DriverName::Redfish);
        assert_eq!(of("boot.bios"), Status::Unsupported, "{unreadable}");
        let tried = if unreadable {
            Status::NotTried
        } else {
            Status::Works
        };
        assert_eq!(of("boot.pxe"), tried);
        // PXE, disk, and back.
        let sets = redfish.asked().iter().filter(|a| *a == "boot set").count();
        assert_eq!(sets, if unreadable { 0 } else { 3 });
    }
}

#[tokio::test]
async fn a_change_that_is_only_judged_names_the_overwrite_that_would_do_it() {
    let redfish = Arc::new(toy(DriverName::Redfish));
    let mut one = bmc(&[Arc::clone(&redfish)]);
    one.evidence.push(redfish.driver, Arc::clone(&redfish) as _);
    let made = report(&one, &cx(), &Options::default()).await;
    let pxe = made.entries.iter().find(|e| e.operation == "boot.pxe");
    assert_eq!(pxe.unwrap().by, "toys(redfish)");
}
