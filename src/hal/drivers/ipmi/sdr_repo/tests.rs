use super::super::fake::{Fake, FakeExchange, cx, sensor_record};
use super::*;
use crate::hal::ipmi::sdr::{Body, McLocator};

/// A controller locator and 24 sensors.
fn repository() -> Fake {
    let mut fake = Fake {
        refusal: 0xca,
        ..Fake::default()
    };
    let mc = McLocator {
        address: 0x20,
        ..McLocator::default()
    };
    fake.sdrs.push(Sdr::new(100, Body::McLocator(mc)).encode());
    for number in 1..=24 {
        fake.sdrs
            .push(sensor_record(number, &format!("Temp {number}")).encode());
    }
    fake
}

async fn read(fake: Fake) -> (Arc<FakeExchange>, Arc<SdrCache>) {
    let bmc = fake.into_exchange();
    let cache = records(bmc.as_ref(), &cx()).await.unwrap();
    (bmc, cache)
}

#[tokio::test]
async fn one_round_trip_per_record_and_one_when_nothing_changed() {
    let want = repository().sdrs;
    let (bmc, cache) = read(repository()).await;
    assert_eq!(cache.records, want);
    assert_eq!(sensors(&cache).len(), 24);
    assert_eq!(bmc.take_count(), 1 + 25);
    let again = records(bmc.as_ref(), &cx()).await.unwrap();
    assert_eq!(again, cache);
    assert_eq!(bmc.take_count(), 1);
    bmc.state.lock().unwrap().addition = 7;
    records(bmc.as_ref(), &cx()).await.unwrap();
    assert_eq!(bmc.take_count(), 26, "a changed repository is read again");
}

#[tokio::test]
async fn small_buffers_are_found_once_and_remembered() {
    for refusal in [0xc7, 0xc8, 0xc9, 0xca, 0xff] {
        for limit in [8, 20, 33, 50] {
            let mut fake = repository();
            fake.limit = Some(limit);
            fake.refusal = refusal;
            let (bmc, cache) = read(fake).await;
            assert_eq!(cache.records, repository().sdrs, "{refusal:#x} {limit}");
            let chunk = bmc.learnt().snapshot().chunks.sdr.unwrap();
            assert!(usize::from(chunk) <= limit && chunk >= 8);
            let first = bmc.take_count();
            bmc.state.lock().unwrap().addition = 1;
            records(bmc.as_ref(), &cx()).await.unwrap();
            assert!(
                bmc.take_count() < first,
                "learnt: no refusals the second time"
            );
        }
    }
}

#[tokio::test]
async fn lost_reservations_are_taken_again() {
    let mut fake = repository();
    fake.limit = Some(20);
    fake.lose_every = Some(7);
    let (bmc, cache) = read(fake).await;
    assert_eq!(cache.records, repository().sdrs);
    assert!(
        bmc.learnt().snapshot().sdrs.is_some(),
        "nothing had changed"
    );
}

#[tokio::test]
async fn a_reservation_lost_at_each_read_ends_as_busy() {
    let mut fake = repository();
    fake.lose_every = Some(1);
    let bmc = fake.into_exchange();
    let error = records(bmc.as_ref(), &cx()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Busy);
    assert!(error.hint().is_some());
    assert!(bmc.take_count() < 40);
}

#[tokio::test]
async fn lists_that_never_end_end() {
    // Inspur has no last record; others point to themselves, or back.
    for (from, to) in [(24, 1), (24, 0), (10, 10), (24, 100), (12, 5)] {
        let mut fake = repository();
        fake.next.insert(from, to);
        let (bmc, cache) = read(fake).await;
        let want = usize::from(from) + 1;
        assert_eq!(cache.records, repository().sdrs[..want], "{from} -> {to}");
        assert!(bmc.take_count() <= 27);
    }
}

#[tokio::test]
async fn the_last_record_that_never_comes_is_skipped() {
    // Dell FC830.
    let mut fake = repository();
    fake.broken.insert(24, 0xc3);
    let (bmc, cache) = read(fake).await;
    assert_eq!(cache.records.len(), 24);
    assert!(bmc.learnt().snapshot().sdrs.is_some());
    // In the middle of the list it is a loss that must not be cached.
    let mut fake = repository();
    fake.broken.insert(12, 0xcb);
    let (bmc, cache) = read(fake).await;
    assert_eq!(cache.records.len(), 12);
    assert!(bmc.learnt().snapshot().sdrs.is_none());
}

#[tokio::test]
async fn wrong_ids_excess_bytes_and_short_reads() {
    // Supermicro X6DHR-1G.
    let mut fake = repository();
    fake.wrong_id = Some(0x1234);
    let (_, cache) = read(fake).await;
    assert_eq!(cache.records[1..], repository().sdrs[1..]);
    // HP DL585 G7.
    let mut fake = repository();
    fake.excess = 30;
    let (bmc, cache) = read(fake).await;
    assert_eq!(cache.records, repository().sdrs);
    assert_eq!(bmc.take_count(), 26);
    // Xyratex.
    let mut fake = repository();
    fake.cut = Some(16);
    let (bmc, cache) = read(fake).await;
    assert_eq!(cache.records, repository().sdrs);
    assert_eq!(bmc.learnt().snapshot().chunks.sdr, Some(16));
}

#[tokio::test]
async fn a_wrong_count_is_no_reason_to_stop() {
    // Fujitsu RX100 and RX300.
    for count in [3, 300] {
        let mut fake = repository();
        fake.count = Some(count);
        let (_, cache) = read(fake).await;
        assert_eq!(cache.records.len(), 25);
        assert_eq!(cache.count, count, "the key is what the BMC says");
    }
}

#[tokio::test]
async fn without_a_repository_there_are_device_sdrs() {
    let mut fake = repository();
    for cmd in [0x20, 0x22, 0x23] {
        fake.refuse.insert((0x0a, cmd), 0xc1);
    }
    let (bmc, cache) = read(fake).await;
    assert_eq!(cache.records, repository().sdrs);
    bmc.take_count();
    records(bmc.as_ref(), &cx()).await.unwrap();
    assert_eq!(bmc.take_count(), 3, "two refusals and the device's info");
    // Artesyn ATCA-7367: only info and reservation are missing. Wiwynn Windmill: info is refused.
    for code in [0xc1, 0xd4] {
        let mut fake = repository();
        fake.limit = Some(40);
        fake.refuse.insert((0x0a, 0x20), code);
        let (_, cache) = read(fake).await;
        assert_eq!(cache.records, repository().sdrs);
    }
    // Neither: the first refusal is told.
    let mut fake = repository();
    for key in [(0x0a, 0x20), (0x0a, 0x23), (0x04, 0x20), (0x04, 0x21)] {
        fake.refuse.insert(key, 0xc1);
    }
    let error = records(fake.into_exchange().as_ref(), &cx())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Unsupported);
}

#[tokio::test]
async fn an_empty_repository_is_empty() {
    let mut fake = Fake::default();
    fake.refuse.insert((0x04, 0x21), 0xc1);
    let (_, cache) = read(fake).await;
    assert_eq!(cache.records.len(), 0);
}
