use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::super::attach_ipmi;
use super::*;
use crate::hal::bmc::Bmc;
use crate::hal::ipmi::cmd::{CompletionCode, NetFn};
use crate::hal::ipmi::exchange::run;
use crate::hal::ipmi::quirks::Quirks;

/// Answers Get Device ID (or does not) and boot options, and counts.
struct Machine {
    device: Option<Vec<u8>>,
    asked: Mutex<Vec<u8>>,
    learnt: LearntCell,
}

fn machine(device: Option<&[u8]>) -> Arc<Machine> {
    Arc::new(Machine {
        device: device.map(<[u8]>::to_vec),
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

const SUPERMICRO: [u8; 11] = [
    0x20, 0x01, 0x02, 0x50, 0x02, 0xdf, 0x7c, 0x2a, 0x00, 0x00, 0x01,
];

#[tokio::test]
async fn a_bmc_that_does_not_tell_is_asked_once() {
    let cx = Cx::until(Instant::now() + Duration::from_mins(1));
    let silent = machine(None);
    let bmc = Attended::new(silent.clone());
    for _ in 0..3 {
        run(&bmc, &cx, &GetSystemBootOptions::of(5)).await.unwrap();
    }
    assert_eq!(silent.learnt.snapshot().quirks, Quirks::default());
    assert_eq!(*silent.asked.lock().unwrap(), [0x09, 0x01, 0x09, 0x09]);
}

#[tokio::test]
async fn what_was_learnt_before_counts_at_once() {
    let cx = Cx::until(Instant::now() + Duration::from_mins(1));
    let board = machine(Some(&SUPERMICRO));
    board.learnt.update(|learnt| {
        learnt.manufacturer = Some(10_876);
        learnt.product = Some(256);
    });
    attach_ipmi(&mut Bmc::default(), board.clone());
    assert!(board.learnt.snapshot().quirks.uefi_disk_0x24);
    assert!(board.asked.lock().unwrap().is_empty());
    // And so does a Get Device ID that somebody sent for another reason.
    let board = machine(Some(&SUPERMICRO));
    let bmc = Attended::new(board.clone());
    run(&bmc, &cx, &GetDeviceId).await.unwrap();
    assert!(board.learnt.snapshot().quirks.uefi_disk_0x24);
}

#[tokio::test]
async fn boot_options_need_the_product() {
    let cx = Cx::until(Instant::now() + Duration::from_mins(1));
    let supermicro = machine(Some(&SUPERMICRO));
    let bmc = Attended::new(supermicro.clone());
    let flags = GetSystemBootOptions::of(5);
    for _ in 0..2 {
        run(&bmc, &cx, &flags).await.unwrap();
    }
    assert!(supermicro.learnt.snapshot().quirks.uefi_disk_0x24);
    assert_eq!(*supermicro.asked.lock().unwrap(), [0x09, 0x01, 0x09]);
}
