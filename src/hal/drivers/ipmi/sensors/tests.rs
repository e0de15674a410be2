use super::super::fake::{Fake, FakeExchange, cx, sensor_record};
use super::*;
use crate::hal::caps::Sensors as _;
use crate::hal::ipmi::sdr::{Body, Full, Sdr};
use crate::hal::ipmi::sensor::{AnalogFormat, Linearization};

fn full(number: u8, name: &str, change: impl FnOnce(&mut Full)) -> Vec<u8> {
    let mut record = sensor_record(number, name);
    if let Body::Full(full) = &mut record.body {
        change(full);
    }
    record.encode()
}

async fn values(bmc: &Arc<FakeExchange>, live: bool) -> Vec<SensorValue> {
    let exchange: Arc<dyn Exchange> = bmc.clone();
    Sensors::new(exchange)
        .sensors(&cx(), live)
        .await
        .unwrap()
        .value
}

async fn first(fake: Fake) -> SensorValue {
    values(&fake.into_exchange(), false).await.remove(0)
}

#[tokio::test]
async fn round_trips_of_24_sensors() {
    let mut fake = Fake::default();
    for number in 1..=24 {
        fake.sdrs.push(full(number, "Temp", |_| {}));
        fake.readings.insert(number, vec![40, 0xc0, 0xc0]);
    }
    let mc = crate::hal::ipmi::sdr::McLocator::default();
    fake.sdrs.push(Sdr::new(99, Body::McLocator(mc)).encode());
    let bmc = fake.into_exchange();
    let got = values(&bmc, false).await;
    assert_eq!(got.len(), 24);
    assert!(
        got.iter()
            .all(|v| v.value == Some(40.0) && v.status == "ok")
    );
    // Log-in takes 3 more and Close Session 1: 56 and 30 are allowed.
    assert_eq!(bmc.take_count(), 1 + 25 + 24);
    values(&bmc, false).await;
    assert_eq!(bmc.take_count(), 1 + 24);
}

#[tokio::test]
async fn a_reading_with_its_thresholds() {
    let mut fake = Fake::default();
    fake.sdrs.push(full(1, "CPU Temp", |f| {
        f.common.reading_mask = 0x0018;
    }));
    fake.readings.insert(1, vec![92, 0xc0, 0xd8]);
    fake.thresholds.insert(1, vec![0x10, 0, 0, 0, 0, 99, 0]);
    let bmc = fake.into_exchange();
    let got = values(&bmc, false).await.remove(0);
    assert_eq!(
        (got.value, got.unit.as_deref()),
        (Some(92.0), Some("degrees C"))
    );
    assert_eq!(
        (got.kind.as_str(), got.status.as_str()),
        ("Temperature", "upper critical")
    );
    let want = Thresholds {
        upper_non_critical: Some(85.0),
        upper_critical: Some(90.0),
        ..Thresholds::default()
    };
    assert_eq!(got.thresholds, want);
    let live = values(&bmc, true).await.remove(0);
    let want = Thresholds {
        upper_critical: Some(99.0),
        ..Thresholds::default()
    };
    assert_eq!(live.thresholds, want);
}

#[tokio::test]
async fn absent_sensors_have_no_value_and_say_why() {
    for code in [0xcb, 0xcd, 0xc9, 0xce, 0xd5, 0xff, 0xd3] {
        let mut fake = Fake::default();
        fake.sdrs.push(full(1, "Temp", |_| {}));
        fake.refuse.insert((0x04, 0x2d), code);
        let got = first(fake).await;
        assert_eq!(
            (got.value, got.status.as_str()),
            (None, "not present"),
            "{code:#x}"
        );
    }
    let mut fake = Fake::default();
    fake.sdrs.push(full(1, "Temp", |_| {}));
    fake.refuse.insert((0x04, 0x2d), 0xd4);
    assert!(first(fake).await.status.contains("insufficient privilege"));
    for (flags, why) in [(0x80, "scanning disabled"), (0xe0, "reading unavailable")] {
        let mut fake = Fake::default();
        fake.sdrs.push(full(1, "Temp", |_| {}));
        fake.readings.insert(1, vec![40, flags, 0xc0]);
        let got = first(fake).await;
        assert_eq!((got.value, got.status.as_str()), (None, why));
    }
}

#[tokio::test]
async fn ignorescanningdisabled() {
    // Dell 2900, 2950, R410, R610 and HP rx3600: the bit lies.
    let mut fake = Fake::default();
    fake.sdrs.push(full(1, "Temp", |_| {}));
    fake.readings.insert(1, vec![40, 0x80, 0xc0]);
    let bmc = fake.into_exchange();
    bmc.learnt()
        .update(|learnt| learnt.quirks.set("ignorescanningdisabled", true));
    assert_eq!(values(&bmc, false).await[0].value, Some(40.0));
}

#[tokio::test]
async fn discretereading() {
    // HP DL380 G7 and ML310 G5: an analog value on a discrete sensor.
    let mut fake = Fake::default();
    fake.sdrs.push(full(1, "Fan 1", |f| {
        f.common.sensor_type = 0x04;
        f.common.event_type = 0x0a;
        f.common.units.base = 0;
        f.common.units.percentage = true;
    }));
    fake.sdrs.push(full(2, "Intrusion", |f| {
        f.common.sensor_type = 0x05;
        f.common.event_type = 0x6f;
        f.common.units.base = 0;
    }));
    fake.readings.insert(1, vec![29, 0xc0, 0x01, 0x00]);
    fake.readings.insert(2, vec![29, 0xc0, 0x01, 0x80]);
    let got = values(&fake.into_exchange(), false).await;
    assert_eq!(
        (got[0].value, got[0].unit.as_deref()),
        (Some(29.0), Some("percent"))
    );
    assert_eq!(got[0].status, "transition to Running");
    assert_eq!((got[1].value, got[1].unit.as_deref()), (None, None));
    assert_eq!(got[1].status, "General Chassis Intrusion");
}

#[tokio::test]
async fn assumebmcowner() {
    // Fujitsu RX300 and HP DL140 G1 name an owner that is not there.
    let sensor = |f: &mut Full| f.common.owner.id = 0x72;
    let mut fake = Fake::default();
    fake.sdrs.push(full(1, "Temp", sensor));
    fake.readings.insert(1, vec![40, 0xc0, 0xc0]);
    fake.bridge_fails = true;
    assert_eq!(first(fake).await.value, Some(40.0));
    // Software on the host cannot be asked.
    let mut fake = Fake::default();
    fake.sdrs
        .push(full(1, "BIOS", |f| f.common.owner.id = 0x01));
    let bmc = fake.into_exchange();
    assert_eq!(
        values(&bmc, false).await[0].status,
        "owned by system software"
    );
    assert_eq!(bmc.take_count(), 2);
}

#[tokio::test]
async fn non_linear_sensors_ask_for_their_factors() {
    let mut fake = Fake::default();
    fake.sdrs
        .push(full(1, "Odd", |f| f.common.format = AnalogFormat::Unsigned));
    fake.sdrs.push(full(2, "Odder", |f| {
        f.linearization = Linearization::NonLinear;
    }));
    fake.readings.insert(1, vec![10, 0xc0, 0xc0]);
    fake.readings.insert(2, vec![10, 0xc0, 0xc0]);
    // M = 3, B = 0, exponents 0.
    fake.factors.insert(2, vec![11, 3, 0, 0, 0, 0, 0]);
    let got = values(&fake.into_exchange(), false).await;
    assert_eq!((got[0].value, got[1].value), (Some(10.0), Some(30.0)));
    assert_eq!(got[1].thresholds, Thresholds::default());
    let mut fake = Fake::default();
    fake.sdrs
        .push(full(1, "Odd", |f| f.linearization = Linearization::Inverse));
    fake.readings.insert(1, vec![0, 0xc0, 0xc0]);
    let got = first(fake).await;
    assert_eq!(
        (got.value, got.status.as_str()),
        (None, "reading cannot be converted")
    );
}
