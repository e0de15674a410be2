use super::super::fake::{Fake, FakeExchange, cx, sensor_record};
use super::*;
use crate::hal::caps::EventLog as _;

fn log(count: u8) -> Fake {
    let mut fake = Fake {
        refusal: 0xca,
        erase_steps: Some(0),
        ..Fake::default()
    };
    for id in 1..=count {
        fake.sel.push([
            id, 0, 2, 0xf1, 0xd2, 0xd6, 0x5f, 0x20, 0, 4, 1, 1, 1, 0x59, 95, 90,
        ]);
    }
    for number in 1..=24 {
        fake.sdrs
            .push(sensor_record(number, &format!("Temp {number}")).encode());
    }
    fake
}

fn driver(bmc: &Arc<FakeExchange>) -> EventLog {
    EventLog::new(bmc.clone())
}

async fn ids(bmc: &Arc<FakeExchange>) -> Vec<String> {
    let entries = driver(bmc).entries(&cx()).await.unwrap().value;
    entries.into_iter().map(|e| e.id).collect()
}

fn up_to(last: u8) -> Vec<String> {
    (1..=last).map(|id| id.to_string()).collect()
}

#[tokio::test]
async fn round_trips_of_32_entries() {
    let bmc = log(32).into_exchange();
    let entries = driver(&bmc).entries(&cx()).await.unwrap().value;
    assert_eq!(entries.len(), 32);
    assert_eq!(entries[0].sensor.as_deref(), Some("Temp 1"));
    assert!(entries[0].event.contains("95 degrees C"));
    bmc.take_count();
    ids(&bmc).await;
    // Log-in takes 3 more and Close Session 1: 40 are allowed.
    assert_eq!(bmc.take_count(), 1 + 32 + 1);
}

#[tokio::test]
async fn an_empty_log_costs_one_round_trip() {
    let bmc = log(0).into_exchange();
    assert_eq!(ids(&bmc).await, up_to(0));
    assert_eq!(bmc.take_count(), 1);
}

#[tokio::test]
async fn chains_that_loop_end_and_a_forgotten_next_id_is_asked_again() {
    for (from, to) in [(9, 9), (9, 1), (9, 3), (9, 0)] {
        let mut fake = log(9);
        fake.next.insert(from, to);
        assert_eq!(ids(&fake.into_exchange()).await, up_to(9), "{from} -> {to}");
    }
    let mut fake = log(9);
    fake.forgets_next = Some(4);
    assert_eq!(ids(&fake.into_exchange()).await, up_to(9));
    let mut fake = log(9);
    fake.next.insert(5, 77);
    assert_eq!(
        ids(&fake.into_exchange()).await,
        up_to(5),
        "a record that is gone"
    );
}

#[tokio::test]
async fn small_buffers_and_lost_reservations() {
    let mut fake = log(9);
    fake.limit = Some(9);
    fake.lose_every = Some(10);
    let bmc = fake.into_exchange();
    assert_eq!(ids(&bmc).await, up_to(9));
    assert_eq!(bmc.learnt().snapshot().chunks.sel, Some(8));
    let mut fake = log(9);
    fake.lose_every = Some(1);
    let error = driver(&fake.into_exchange())
        .entries(&cx())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Busy);
}

#[tokio::test]
async fn without_records_and_without_reservations() {
    let mut fake = log(3);
    fake.refuse.insert((0x0a, 0x20), 0xd4);
    fake.refuse.insert((0x0a, 0x23), 0xd4);
    fake.refuse.insert((0x04, 0x20), 0xd4);
    fake.refuse.insert((0x04, 0x21), 0xd4);
    let entries = driver(&fake.into_exchange())
        .entries(&cx())
        .await
        .unwrap()
        .value;
    assert_eq!(entries[0].sensor.as_deref(), Some("Temperature #0x01"));
    // Supermicro H8QME: Reserve SEL needs Operator.
    let mut fake = log(3);
    fake.refuse.insert((0x0a, 0x42), 0xd4);
    driver(&fake.into_exchange()).clear(&cx()).await.unwrap();
    // HP DL585 has no Get SEL Entry.
    let mut fake = log(3);
    fake.refuse.insert((0x0a, 0x43), 0xc1);
    let error = driver(&fake.into_exchange())
        .entries(&cx())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Unsupported);
}

#[tokio::test]
async fn clear_waits_for_the_end() {
    let mut fake = log(5);
    fake.erase_steps = Some(3);
    let bmc = fake.into_exchange();
    clear(bmc.as_ref(), &cx(), Duration::ZERO).await.unwrap();
    assert_eq!(ids(&bmc).await, up_to(0));
    let mut fake = log(5);
    fake.erase_lies = true;
    let error = driver(&fake.into_exchange())
        .clear(&cx())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Refused);
    assert!(error.to_string().contains("5 entries"));
}

#[tokio::test]
async fn an_erase_without_end_ends_at_the_deadline() {
    let mut fake = log(5);
    fake.erase_steps = None;
    let cx = Cx::until(Instant::now());
    let error = driver(&fake.into_exchange()).clear(&cx).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Timeout);
}
