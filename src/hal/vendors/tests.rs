use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::*;
use crate::hal::error::{Error, Kind};
use crate::hal::ipmi::cmd::CompletionCode;
use crate::hal::ipmi::learnt::LearntCell;
use crate::hal::ipmi::quirks::{self, How};
use crate::hal::ipmi::{Request, Response};
use crate::hal::model::BoxFuture;

#[test]
fn every_row_names_flags_that_there_are() {
    for row in VENDORS.iter().copied().flatten() {
        assert!(!row.manufacturers.is_empty());
        assert!(row.user_slot.is_some() || !row.quirks.is_empty());
        for name in row.quirks {
            assert!(Quirks::default().set(name, true), "{name}");
            let info = quirks::all().find(|info| info.name == *name).unwrap();
            assert_eq!(info.how, How::Product, "{name}");
        }
    }
}

#[test]
fn by_manufacturer_and_product() {
    let disk = |manufacturer, product| quirks_for(manufacturer, product).uefi_disk_0x24;
    assert!(disk(10_876, 1));
    assert!(disk(47_488, 0xffff));
    assert!(!disk(674, 256));
    assert!(quirks_for(674, 256).ignorescanningdisabled);
    assert!(!quirks_for(674, 257).ignorescanningdisabled);
    assert_eq!(quirks_for(0, 0), Quirks::default());
    let row = Row {
        manufacturers: &[1],
        products: Some((10, 20)),
        quirks: &["uefi_disk_0x24"],
        user_slot: None,
    };
    let matched = [9, 10, 20, 21].map(|product| row.matches(1, product));
    assert_eq!(matched, [false, true, true, false]);
    assert!(!row.matches(2, 10));
}

/// Answers Get Device ID of a Supermicro board, once.
struct Board(Mutex<Option<Vec<u8>>>, LearntCell);

impl Exchange for Board {
    fn exchange<'a>(&'a self, _: &'a Cx, _: Request) -> BoxFuture<'a, Result<Response>> {
        let data = self.0.lock().unwrap().take();
        Box::pin(async move {
            let data = data.ok_or_else(|| Error::new(Kind::Timeout, "asked twice"))?;
            let code = CompletionCode::OK;
            Ok(Response { code, data })
        })
    }

    fn learnt(&self) -> &LearntCell {
        &self.1
    }
}

#[tokio::test]
async fn the_product_is_asked_for_once() {
    let id = vec![
        0x20, 0x01, 0x03, 0x60, 0x02, 0xbf, 0x7c, 0x2a, 0x00, 0x34, 0x12,
    ];
    let board = Board(Mutex::new(Some(id)), LearntCell::default());
    board.learnt().update(|l| l.quirks.fixed_rakp1 = true);
    let cx = Cx::until(Instant::now() + Duration::from_secs(5));
    learn(&board, &cx).await.unwrap();
    let learnt = board.learnt().snapshot();
    assert_eq!(
        (learnt.manufacturer, learnt.product),
        (Some(10_876), Some(0x1234))
    );
    assert!(learnt.quirks.uefi_disk_0x24 && learnt.quirks.fixed_rakp1);
    learn(&board, &cx).await.unwrap();
}
