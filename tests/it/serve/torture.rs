//! kill -9 of the daemon, again and again, while it finds BMCs, refreshes them, gets rows and switches power. What was
//! acknowledged has to be there, and nothing may be done twice. `just torture` does it a thousand times.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use halbox::api::client::{Client, new_id};
use halbox::api::fault::from_status;
use halbox::api::proto::{self, AddRequest, ListRequest, SetPowerRequest};
use halbox::hal::Kind;
use halbox::hal::sim::SimHandle;
use tonic::Request;

use super::daemon::{Daemon, PATIENCE};
use crate::common::{halbox, stderr};

/// Callers that add rows, callers that switch power, and BMCs of each of the latter.
const ADDERS: usize = 2;
const SWITCHERS: usize = 4;
const EACH: usize = 4;
const PORT: u16 = 16_320;

/// What came of it.
#[derive(Debug, Default)]
struct Report {
    rows: usize,
    rows_lost: usize,
    writes: u32,
    writes_lost: u32,
    unknown: u32,
    refused: u32,
    /// Requests that were sent again after the daemon was gone.
    again: u32,
    twice: u32,
    restarts: Vec<Duration>,
}

/// What callers share.
struct Stage {
    server: String,
    sim: SimHandle,
    next: AtomicU32,
    rows: Mutex<BTreeSet<String>>,
    report: Mutex<Report>,
    stop: AtomicBool,
    /// Something was acknowledged.
    done: mpsc::Sender<()>,
}

fn mac(n: u32) -> String {
    let n = n.to_be_bytes();
    format!("ac:1f:{:02x}:{:02x}:{:02x}:{:02x}", n[0], n[1], n[2], n[3])
}

impl Stage {
    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Connects, as soon as somebody listens.
    async fn connect(&self) -> Option<Client> {
        while !self.stopped() {
            if let Ok(client) = Client::connect(&self.server).await {
                return Some(client);
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        None
    }

    async fn add(&self) {
        while let Some(client) = self.connect().await {
            loop {
                let mac = mac(self.next.fetch_add(1, Ordering::Relaxed));
                let request = AddRequest {
                    mac: mac.clone(),
                    address: None,
                    ..AddRequest::default()
                };
                if client.inventory().add(request).await.is_err() {
                    break;
                }
                self.rows.lock().unwrap().insert(mac);
                let _ = self.done.send(());
                if self.stopped() {
                    return;
                }
            }
        }
    }

    fn actions(&self, bmc: usize) -> u64 {
        self.sim.ledger()[bmc].power_actions
    }

    /// Resets its own BMCs in turn; each request is asked for until there is an answer, under the same id.
    async fn switch(&self, first: usize) {
        let Some(mut client) = self.connect().await else {
            return;
        };
        for bmc in (first..first + EACH).cycle() {
            if self.stopped() {
                return;
            }
            let request = SetPowerRequest {
                bmc: super::mac_of(bmc),
                action: proto::PowerAction::Reset.into(),
                wait: false,
                request_id: new_id(),
                patience: None,
            };
            let before = self.actions(bmc);
            let result = loop {
                let mut asked = Request::new(request.clone());
                asked.set_timeout(PATIENCE);
                match client.power().set(asked).await {
                    // Made here: the daemon is gone.
                    Err(status) if std::error::Error::source(&status).is_some() => {
                        self.report.lock().unwrap().again += 1;
                        match self.connect().await {
                            Some(new) => client = new,
                            None => return,
                        }
                    }
                    Ok(_) => break Ok(()),
                    Err(status) => break Err(from_status(&status)),
                }
            };
            let done = self.actions(bmc) - before;
            let mut report = self.report.lock().unwrap();
            match result {
                Ok(()) => {
                    report.writes += 1;
                    report.writes_lost += u32::from(done == 0);
                }
                Err(e) if e.kind() == Kind::Indeterminate => report.unknown += 1,
                Err(e) => {
                    assert_eq!(done, 0, "{}: refused, and done", e.chain());
                    report.refused += 1;
                }
            }
            report.twice += u32::from(done > 1);
            drop(report);
            let _ = self.done.send(());
        }
    }

    async fn listed(&self) -> BTreeSet<String> {
        let client = Client::connect(&self.server).await.unwrap();
        let request = ListRequest {
            all: true,
            ..ListRequest::default()
        };
        let mut stream = client.inventory().list(request).await.unwrap().into_inner();
        let mut macs = BTreeSet::new();
        while let Some(row) = stream.message().await.unwrap() {
            macs.insert(row.mac);
        }
        macs
    }
}

/// Says past the test runner's capture.
fn say(words: &str) {
    let _ = writeln!(std::io::stderr(), "{words}");
}

fn torture(kills: u32, rows: u32) -> Report {
    let count = SWITCHERS * EACH;
    let sim = super::simulated("127.88.11.1", PORT, u32::try_from(count).unwrap(), "admin");
    let mut daemon = Daemon::start(&format!(
        "--ipmi-port {PORT} --redfish-port {} --refresh 2s --calls-per-second 0",
        PORT + 1
    ));
    let macs: Vec<String> = (0..count).map(super::mac_of).collect();
    let addresses: Vec<String> = (1..=count).map(|n| format!("127.88.11.{n}")).collect();
    let mut leases: Vec<(&str, &str)> = macs
        .iter()
        .zip(&addresses)
        .map(|(m, a)| (m.as_str(), a.as_str()))
        .collect();
    daemon.lease(&leases);
    for (mac, _) in &leases {
        daemon.until(mac, |row| row["drivers"] == serde_json::json!(["IPMI"]));
        let update = format!("update {mac} --ipmi-user admin");
        assert!(daemon.bmc_with(&update, "admin").status.success());
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (done, acknowledged) = mpsc::channel();
    let stage = Arc::new(Stage {
        server: daemon.server(),
        sim,
        next: AtomicU32::new(1),
        rows: Mutex::default(),
        report: Mutex::default(),
        stop: AtomicBool::new(false),
        done,
    });
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..ADDERS {
        let stage = Arc::clone(&stage);
        callers.spawn_on(async move { stage.add().await }, runtime.handle());
    }
    while stage.rows.lock().unwrap().len() < rows as usize {
        acknowledged.recv_timeout(PATIENCE).unwrap();
    }
    for n in 0..SWITCHERS {
        let stage = Arc::clone(&stage);
        let switch = async move { stage.switch(n * EACH).await };
        callers.spawn_on(switch, runtime.handle());
    }
    let nobody: Vec<(String, String)> = (0..kills)
        .map(|n| {
            (
                mac(0xff00_0000 + n),
                format!("127.89.{}.{}", n / 250, n % 250 + 1),
            )
        })
        .collect();
    for (round, (mac, address)) in nobody.iter().enumerate() {
        // A lease more, of nobody: something to look at.
        leases.truncate(count + 20);
        leases.push((mac, address));
        daemon.lease(&leases);
        for _ in 0..8 + round % 23 {
            acknowledged.recv_timeout(PATIENCE).unwrap();
        }
        daemon.murder();
        while acknowledged.try_recv().is_ok() {}
        let there = stage.rows.lock().unwrap().clone();
        // What the daemon left open ends at the BMCs after a minute; here at once.
        for bmc in 0..count {
            stage.sim.with_bmc(bmc, halbox::hal::sim::Bmc::end_sessions);
        }
        let begun = Instant::now();
        daemon.begin();
        stage.report.lock().unwrap().restarts.push(begun.elapsed());
        let listed = runtime.block_on(stage.listed());
        let lost = there.difference(&listed).count();
        let mut report = stage.report.lock().unwrap();
        report.rows_lost += lost;
        if std::env::var_os("HALBOX_KILLS").is_some() && round % 100 == 99 {
            let (rows, writes) = (there.len(), report.writes);
            say(&format!(
                "{} kills, {rows} rows, {writes} power actions",
                round + 1
            ));
        }
    }
    stage.stop.store(true, Ordering::Relaxed);
    runtime.block_on(async { while callers.join_next().await.is_some() {} });
    assert_eq!(daemon.terminate(), Some(0));
    let audit = daemon.dir.path().join("state/audit.log");
    let out = halbox()
        .args(["audit", "verify"])
        .arg(audit)
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", stderr(&out));
    let mut report = std::mem::take(&mut *stage.report.lock().unwrap());
    report.rows = stage.rows.lock().unwrap().len();
    report.restarts.sort();
    report
}

fn holds(report: &Report) {
    assert_eq!(report.rows_lost, 0, "{report:?}");
    assert_eq!(report.writes_lost, 0, "{report:?}");
    assert_eq!(report.twice, 0, "{report:?}");
    // It was worth something.
    assert!(report.rows > 30 && report.writes > 30, "{report:?}");
}

#[test]
fn kill_9_loses_nothing_and_does_nothing_twice() {
    holds(&torture(30, 0));
}

/// `just torture`: HALBOX_KILLS times, with HALBOX_ROWS rows.
#[test]
#[ignore = "takes long: just torture"]
fn many_times() {
    let number = |name: &str, usual: u32| {
        std::env::var(name).map_or(usual, |text| {
            text.parse().unwrap_or_else(|_| panic!("{name}: {text}"))
        })
    };
    let (kills, rows) = (number("HALBOX_KILLS", 1000), number("HALBOX_ROWS", 10_000));
    let report = torture(kills, rows);
    let at = |share: usize| report.restarts[(report.restarts.len() - 1) * share / 100];
    say(&format!(
        "kills of the daemon:               {}",
        report.restarts.len()
    ));
    say(&format!(
        "rows acknowledged, lost:           {}, {}",
        report.rows, report.rows_lost
    ));
    say(&format!(
        "power actions acknowledged, lost:  {}, {}",
        report.writes, report.writes_lost
    ));
    say(&format!(
        "sent again after a kill:           {}",
        report.again
    ));
    say(&format!(
        "answered as unknown, as refused:   {}, {}",
        report.unknown, report.refused
    ));
    say(&format!(
        "carried out twice:                 {}",
        report.twice
    ));
    say(&format!(
        "restart until ready, with {rows}+ rows: median {} ms, 99 % {} ms, longest {} ms",
        at(50).as_millis(),
        at(99).as_millis(),
        at(100).as_millis()
    ));
    holds(&report);
}
