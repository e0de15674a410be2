//! How many requests the operations take: a BMC answers each in 5 to 200 ms.

use halbox::hal::model::Cx;

use super::bench::{Bench, operation};

async fn record(bench: &Bench, cx: &Cx) {
    let bmc = &bench.bmc;
    bmc.power.call("state", |p| p.state(cx)).await.unwrap();
    bmc.identity.call("info", |i| i.info(cx)).await.unwrap();
    bmc.led.call("led", |l| l.state(cx)).await.unwrap();
    bmc.metrics
        .call("watts", |m| m.power_metrics(cx))
        .await
        .unwrap();
    bmc.supplies
        .call("supplies", |s| s.power_supplies(cx))
        .await
        .unwrap();
}

/// The R750: power state in at most 3 requests, 1 when its URI is known; the whole record in at most 10 and 7.
#[tokio::test]
async fn on_the_r750() {
    let Some(bench) = Bench::open("dell_r750_idrac9_6_00", "root", &["--if-match", "check"]) else {
        return;
    };
    let count = || bench.mock.log().len();
    let state = async || {
        let before = count();
        let cx = operation();
        bench
            .bmc
            .power
            .call("state", |p| p.state(&cx))
            .await
            .unwrap();
        count() - before
    };
    let cold = state().await;
    assert!(cold <= 3, "cold: {cold}");
    assert_eq!(state().await, 1, "warm");
    let before = count();
    record(&bench, &operation()).await;
    let half_warm = count() - before;
    let before = count();
    record(&bench, &operation()).await;
    let warm = count() - before;
    assert!(
        half_warm <= 10 && warm <= 7,
        "{half_warm}, warm {warm}: {:#?}",
        paths(&bench)
    );
    bench.close("r750").await;

    let bench = Bench::open("dell_r750_idrac9_6_00", "root", &["--if-match", "check"]).unwrap();
    record(&bench, &operation()).await;
    let cold = bench.mock.log().len();
    assert!(cold <= 10, "cold record: {cold}: {:#?}", paths(&bench));
    bench.close("r750").await;
}

fn paths(bench: &Bench) -> Vec<String> {
    let log = bench.mock.log();
    log.iter()
        .map(|r| format!("{} {}", r.method, r.path))
        .collect()
}
