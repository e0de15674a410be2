use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::super::attach;
use super::*;
use crate::hal::bmc::Bmc;
use crate::hal::ipmi::cmd::{CompletionCode, NetFn};
use crate::hal::ipmi::exchange::run;
use crate::hal::ipmi::quirks::Quirks;

/// Answers Get Device ID as a PowerEdge (or not at all) and sensors as not scanned, and counts.
struct Machine {
    device: Option<Vec<u8>>,
    bits: u8,
    asked: Mutex<Vec<u8>>,
    learnt: LearntCell,
}

fn machine(device: Option<&[u8]>, bits: u8) -> Arc<Machine> {
    Arc::new(Machine {
        device: device.map(<[u8]>::to_vec),
        bits,
        asked: Mutex::default(),
        learnt: LearntCell::default(),
    })
}

impl Exchange for Machine {
    fn exchange<'a>(&'a self, _: &'a Cx, request: Request) -> BoxFuture<'a, Result<Response>> {
        self.asked.lock().unwrap().push(request.cmd);
        let data = match (request.netfn, request.cmd) {
            (NetFn::APP, 0x01) => self.device.clone(),
            (NetFn::CHASSIS, 0x09) => Some(vec![0x01, 0x05, 0, 0, 0, 0, 0]),
            (NetFn::SENSOR_EVENT, 0x2d) => Some(vec![0x20, self.bits, 0xc0, 0x00]),
            _ => None,
        };
        Box::pin(async move {
            Ok(match data {
                Some(data) => Response {
                    code: CompletionCode::OK,
                    data,
                },
                None => Response {
                    code: CompletionCode::INVALID_COMMAND,
                    data: vec![],
                },
            })
        })
    }

    fn learnt(&self) -> &LearntCell {
        &self.learnt
    }
}

const POWEREDGE: [u8; 11] = [
    0x20, 0x01, 0x02, 0x50, 0x02, 0xdf, 0xa2, 0x02, 0x00, 0x00, 0x01,
];
const OTHER: [u8; 11] = [
    0x20, 0x01, 0x02, 0x50, 0x02, 0xdf, 0x7c, 0x2a, 0x00, 0x00, 0x01,
];

async fn read(machine: &Arc<Machine>, readings: usize) -> Quirks {
    let cx = Cx::until(Instant::now() + Duration::from_mins(1));
    let bmc = Attended::new(machine.clone());
    let requests = vec![Request::of(&GetSensorReading { sensor: 1 }); readings];
    let answers = bmc.exchange_all(&cx, requests).await;
    assert!(answers.iter().all(Result::is_ok));
    bmc.learnt().snapshot().quirks
}

#[tokio::test]
async fn the_product_is_asked_for_when_its_symptom_shows() {
    let dell = machine(Some(&POWEREDGE), 0x80);
    assert!(read(&dell, 3).await.ignorescanningdisabled);
    assert_eq!(*dell.asked.lock().unwrap(), [0x2d, 0x2d, 0x2d, 0x01]);
    let other = machine(Some(&OTHER), 0x80);
    assert!(!read(&other, 1).await.ignorescanningdisabled);
    // Nobody asks a BMC that shows nothing.
    let healthy = machine(Some(&POWEREDGE), 0xc0);
    assert!(!read(&healthy, 3).await.ignorescanningdisabled);
    assert_eq!(*healthy.asked.lock().unwrap(), [0x2d; 3]);
}

#[tokio::test]
async fn a_bmc_that_does_not_tell_is_asked_once() {
    let silent = machine(None, 0x80);
    assert_eq!(read(&silent, 4).await, Quirks::default());
    assert_eq!(
        *silent.asked.lock().unwrap(),
        [0x2d, 0x2d, 0x2d, 0x2d, 0x01]
    );
}

#[tokio::test]
async fn what_was_learnt_before_counts_at_once() {
    let cx = Cx::until(Instant::now() + Duration::from_mins(1));
    let dell = machine(Some(&POWEREDGE), 0xc0);
    dell.learnt.update(|learnt| {
        learnt.manufacturer = Some(674);
        learnt.product = Some(256);
    });
    attach(&mut Bmc::default(), dell.clone());
    assert!(dell.learnt.snapshot().quirks.ignorescanningdisabled);
    assert!(dell.asked.lock().unwrap().is_empty());
    // And so does a Get Device ID that somebody sent for another reason.
    let dell = machine(Some(&POWEREDGE), 0xc0);
    let bmc = Attended::new(dell.clone());
    run(&bmc, &cx, &GetDeviceId).await.unwrap();
    assert!(dell.learnt.snapshot().quirks.ignorescanningdisabled);
}

#[tokio::test]
async fn boot_options_need_the_product() {
    let cx = Cx::until(Instant::now() + Duration::from_mins(1));
    let supermicro = machine(Some(&OTHER), 0xc0);
    let bmc = Attended::new(supermicro.clone());
    let flags = GetSystemBootOptions::of(5);
    for _ in 0..2 {
        run(&bmc, &cx, &flags).await.unwrap();
    }
    assert!(supermicro.learnt.snapshot().quirks.uefi_disk_0x24);
    assert_eq!(*supermicro.asked.lock().unwrap(), [0x09, 0x01, 0x09]);
}
