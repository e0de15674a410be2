use super::super::fake::{Fake, FakeExchange, cx};
use super::*;
use crate::hal::caps::Inventory as _;
use crate::hal::ipmi::fru::{Board, Chassis, Field, Product};
use crate::hal::ipmi::sdr::{FruLocator, IdString, Sdr};

fn machine() -> Fru {
    Fru {
        chassis: Some(Chassis {
            kind: 0x17,
            part_number: Some(Field::latin1("CSE-217BHQ+")),
            serial: Some(Field::latin1("C217BAK18P0001")),
            custom: Vec::new(),
        }),
        board: Some(Board {
            manufacturer: Some(Field::latin1("Supermicro")),
            serial: Some(Field::latin1("BSERIAL01")),
            part_number: Some(Field::latin1("X11DPT-B-P")),
            ..Board::default()
        }),
        product: Some(Product {
            manufacturer: Some(Field::latin1("Supermicro")),
            part_number: Some(Field::latin1("SYS-2029BT-HNR")),
            serial: Some(Field::latin1("E262335X2304003C")),
            ..Product::default()
        }),
        ..Fru::default()
    }
}

fn part(serial: &str) -> Vec<u8> {
    let product = Product {
        manufacturer: Some(Field::latin1("Delta")),
        product_name: Some(Field::latin1("PSU")),
        part_number: Some(Field::latin1("P-1")),
        serial: Some(Field::latin1(serial)),
        ..Product::default()
    };
    let mut data = Fru {
        product: Some(product),
        ..Fru::default()
    }
    .encode();
    data.resize(256, 0);
    data
}

fn fake() -> Fake {
    let mut fake = Fake {
        refusal: 0xc8,
        ..Fake::default()
    };
    let mut data = machine().encode();
    data.resize(512, 0);
    fake.frus.insert(0, data);
    fake
}

fn locator(device: u8, name: &str, entity: u8) -> Vec<u8> {
    let fru = FruLocator {
        access_address: 0x20,
        device,
        logical: true,
        device_type: 0x10,
        entity: Entity {
            id: entity,
            instance: 1,
        },
        id: IdString::latin1(name),
        ..FruLocator::default()
    };
    Sdr::new(u16::from(device) + 1, Body::FruLocator(fru)).encode()
}

async fn read_all(bmc: &Arc<FakeExchange>, id: Option<u8>) -> Vec<FruDevice> {
    let exchange: Arc<dyn Exchange> = bmc.clone();
    Inventory::new(exchange).fru(&cx(), id).await.unwrap().value
}

fn serial(device: &FruDevice) -> Option<&str> {
    device.product.as_ref()?.get("serial_number")?.as_str()
}

#[tokio::test]
async fn one_device_costs_one_round_trip_where_the_bmc_bears_it() {
    let bmc = fake().into_exchange();
    let got = read_all(&bmc, Some(0)).await;
    assert_eq!(got[0].name, "Builtin FRU Device");
    assert_eq!(serial(&got[0]), Some("E262335X2304003C"));
    assert_eq!(got[0].warnings, [""; 0]);
    assert_eq!(bmc.take_count(), 1);
}

#[tokio::test]
async fn a_bmc_with_a_small_buffer() {
    // ipmi_sim bears 34 bytes. Log-in and Close Session take 4 more: 12 are allowed.
    let mut small = fake();
    small.limit = Some(34);
    let bmc = small.into_exchange();
    let got = read_all(&bmc, Some(0)).await;
    assert_eq!(serial(&got[0]), Some("E262335X2304003C"));
    assert!(bmc.take_count() <= 8);
    assert_eq!(bmc.learnt().snapshot().chunks.fru, Some(32));
    read_all(&bmc, Some(0)).await;
    assert!(bmc.take_count() <= 6, "learnt");
    for (limit, chunk) in [(16, 16), (8, 8), (9, 8)] {
        let mut smaller = fake();
        smaller.limit = Some(limit);
        let bmc = smaller.into_exchange();
        assert_eq!(
            serial(&read_all(&bmc, Some(0)).await[0]),
            Some("E262335X2304003C")
        );
        assert_eq!(bmc.learnt().snapshot().chunks.fru, Some(chunk));
    }
}

#[tokio::test]
async fn a_small_device_is_no_small_buffer() {
    // 0xc9 because the device ends, not because the read is long.
    for strict in [true, false] {
        let mut fake = fake();
        fake.strict_fru = strict;
        fake.frus.insert(0, machine().encode());
        let bmc = fake.into_exchange();
        assert_eq!(
            serial(&read_all(&bmc, Some(0)).await[0]),
            Some("E262335X2304003C")
        );
        assert_eq!(bmc.learnt().snapshot().chunks.fru, None, "strict: {strict}");
    }
}

#[tokio::test]
async fn devices_in_words() {
    for limit in [None, Some(34)] {
        let mut fake = fake();
        fake.words = true;
        fake.limit = limit;
        let bmc = fake.into_exchange();
        assert_eq!(
            serial(&read_all(&bmc, Some(0)).await[0]),
            Some("E262335X2304003C")
        );
    }
}

#[tokio::test]
async fn all_devices() {
    let mut fake = fake();
    for id in 1..=4 {
        fake.frus.insert(id, part(&format!("S{id}")));
        fake.sdrs.push(locator(id, &format!("PSU{id}"), 0x0a));
    }
    // Named, but not there.
    fake.sdrs.push(locator(9, "Riser", 0x10));
    let bmc = fake.into_exchange();
    let got = read_all(&bmc, None).await;
    let names: Vec<&str> = got.iter().map(|d| d.name.as_str()).collect();
    assert_eq!(
        names,
        ["Builtin FRU Device", "PSU1", "PSU2", "PSU3", "PSU4"]
    );
    assert_eq!(serial(&got[4]), Some("S4"));
    let first = bmc.take_count();
    read_all(&bmc, None).await;
    // Log-in and Close Session take 4 more: 40 and 15 are allowed.
    assert!(first <= 36);
    assert!(bmc.take_count() <= 11);
}

#[tokio::test]
async fn absent_and_blank_devices() {
    for code in [0xcb, 0xc9, 0xc3, 0x81, 0xcc, 0xff] {
        let mut fake = fake();
        fake.refuse.insert((0x0a, 0x10), code);
        fake.refuse.insert((0x0a, 0x11), code);
        let bmc = fake.into_exchange();
        let exchange: Arc<dyn Exchange> = bmc.clone();
        let error = Inventory::new(exchange)
            .fru(&cx(), Some(0))
            .await
            .unwrap_err();
        assert_eq!(CompletionError::find(&error), Some(CompletionCode(code)));
        assert!(bmc.take_count() <= 2);
    }
    let mut fake = fake();
    fake.frus.insert(0, vec![0xff; 64]);
    let got = read_all(&fake.into_exchange(), Some(0)).await;
    assert!(got[0].warnings[0].contains("format version"));
    assert_eq!(got[0].product, None);
}

#[tokio::test]
async fn lying_lengths_do_not_lose_fields() {
    let mut fake = fake();
    let mut data = machine().encode();
    let product = usize::from(data[4]) * 8;
    data[product + 1] = 2;
    data.resize(512, 0);
    fake.frus.insert(0, data);
    fake.limit = Some(34);
    let got = read_all(&fake.into_exchange(), Some(0)).await;
    assert_eq!(serial(&got[0]), Some("E262335X2304003C"));
}

#[tokio::test]
async fn the_eight_fields() {
    let exchange = fake().into_exchange();
    let got = super::machine(exchange.as_ref(), &cx()).await.unwrap();
    assert_eq!(got.summary, machine().summary());
    assert_eq!(got.model, None);
    assert_eq!(
        exchange.take_count(),
        1,
        "nothing else is read when all is there"
    );
    // Without chassis and product serial: filled from the chassis, never from a power supply.
    let mut gaps = machine();
    gaps.chassis = None;
    gaps.product = None;
    let mut fake = fake();
    fake.frus.insert(0, gaps.encode());
    fake.frus.insert(1, part("psu"));
    fake.frus.insert(2, machine().encode());
    fake.sdrs.push(locator(1, "PSU1", 0x0a));
    fake.sdrs.push(locator(2, "Chassis", 0x17));
    let bmc = fake.into_exchange();
    let got = super::machine(bmc.as_ref(), &cx()).await.unwrap();
    assert_eq!(got.summary, machine().summary());
}
