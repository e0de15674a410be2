//! BMCs that are slow in a refresh keep nobody waiting who wants something of another one.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use halbox::api::client::Client;
use halbox::api::proto::{Driver, Policy, Secret, UpdateRequest, WatchRequest};
use halbox::hal::sim::{self, Manners};

use super::daemon::{Daemon, PATIENCE};
use crate::common::stderr;

/// More than there are threads for refreshes.
const SLOW: usize = 80;

#[test]
fn slow_bmcs_in_a_refresh_keep_nobody_waiting() {
    let sim = sim::start(sim::Options {
        listen: "127.88.15.1".parse().unwrap(),
        port: 16_370,
        count: u32::try_from(SLOW).unwrap() + 1,
        redfish: Some(sim::RedfishOptions {
            port: 16_371,
            ..sim::RedfishOptions::default()
        }),
        ..sim::Options::default()
    })
    .unwrap();
    let mut daemon = Daemon::start_with("--ipmi-port 16370 --redfish-port 16371", &[]);
    let macs: Vec<String> = (0..=SLOW).map(super::mac_of).collect();
    let addresses: Vec<String> = (1..=SLOW + 1).map(|n| format!("127.88.15.{n}")).collect();
    let leases: Vec<(&str, &str)> = macs
        .iter()
        .zip(&addresses)
        .map(|(m, a)| (m.as_str(), a.as_str()))
        .collect();
    daemon.lease(&leases);
    let (slow, quick) = (&macs[..SLOW], &macs[SLOW]);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let client = Client::connect(&daemon.server()).await.unwrap();
        let all = async {
            let watch = client.inventory().watch(WatchRequest { revision: 0 }).await;
            let mut watch = watch.unwrap().into_inner();
            let mut seen = BTreeSet::new();
            while seen.len() < macs.len() {
                let row = watch.message().await.unwrap().unwrap().bmc;
                if let Some(row) = row
                    && row.drivers.contains(&Driver::Redfish.into())
                {
                    seen.insert(row.mac);
                }
            }
        };
        tokio::time::timeout(2 * PATIENCE, all).await.unwrap();
        for bmc in 0..SLOW {
            sim.with_bmc(bmc, |bmc| {
                bmc.set_manners(Manners {
                    slow: Duration::from_mins(10),
                    ..bmc.manners()
                });
            });
        }
        let update = |mac: &str| UpdateRequest {
            bmc: mac.to_owned(),
            driver: Some(Driver::Redfish.into()),
            policy: Some(Policy::Only.into()),
            redfish_user: Some("admin".to_owned()),
            redfish_password: Some(Secret {
                value: b"admin".to_vec(),
            }),
            ..UpdateRequest::default()
        };
        let before = sim.total().http_requests;
        for mac in slow {
            client.inventory().update(update(mac)).await.unwrap();
        }
        // They have the requests, and will be a long time about them.
        let begun = Instant::now();
        while sim.total().http_requests < before + 64 {
            assert!(begun.elapsed() < PATIENCE, "they are not asked");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        client.inventory().update(update(quick)).await.unwrap();
    });
    // Within the usual 20 seconds.
    let out = daemon.bmc(&format!("power status {quick}"));
    assert!(out.status.success(), "{}", stderr(&out));
    let out = daemon.bmc(&format!("power reset {quick}"));
    assert!(out.status.success(), "{}", stderr(&out));
    daemon.murder();
}
