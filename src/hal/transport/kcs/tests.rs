//! The transport over a fake of the kernel's device; time is tokio's paused clock.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use tokio::sync::Notify;

use super::*;
use crate::hal::ipmi::cmd::app::{ColdReset, GetDeviceId, SetUserName, UserName};

/// What the kernel does with one command.
enum Then {
    /// The BMC's answer: completion code and data.
    Answer(Vec<u8>),
    /// These messages first, whose ids are given relative to the command's; then the answer.
    Behind(Vec<Incoming>, Vec<u8>),
    /// The answer without a wake-up.
    Unsaid(Vec<u8>),
    /// Nothing, ever.
    Silence,
    /// The ioctl fails.
    Fails(i32),
}

/// Address, network function, command, data.
type Sent = (Address, u8, u8, Vec<u8>);

#[derive(Default)]
struct Fake {
    script: Mutex<VecDeque<Then>>,
    queue: Mutex<VecDeque<Incoming>>,
    sent: Mutex<Vec<Sent>>,
    wake: Notify,
}

impl Device for Arc<Fake> {
    fn send(&self, m: &Outgoing<'_>) -> io::Result<()> {
        let then = self.script.lock().unwrap().pop_front();
        let message = |id, data| Incoming {
            kind: RESPONSE,
            id,
            netfn: m.netfn | 1,
            cmd: m.cmd,
            data,
            truncated: false,
        };
        if !matches!(then, Some(Then::Fails(_))) {
            let sent = (m.to, m.netfn, m.cmd, m.data.to_vec());
            self.sent.lock().unwrap().push(sent);
        }
        let mut queue = self.queue.lock().unwrap();
        match then.expect("an unexpected command") {
            Then::Answer(data) => queue.push_back(message(m.id, data)),
            Then::Behind(first, data) => {
                queue.extend(first.into_iter().map(|f| Incoming {
                    id: m.id + f.id,
                    ..f
                }));
                queue.push_back(message(m.id, data));
            }
            Then::Unsaid(data) => {
                queue.push_back(message(m.id, data));
                return Ok(());
            }
            Then::Silence => return Ok(()),
            Then::Fails(errno) => return Err(io::Error::from_raw_os_error(errno)),
        }
        self.wake.notify_one();
        Ok(())
    }

    fn receive(&self) -> io::Result<Incoming> {
        let next = self.queue.lock().unwrap().pop_front();
        next.ok_or_else(|| io::ErrorKind::WouldBlock.into())
    }

    fn readable(&self) -> BoxFuture<'_, io::Result<()>> {
        Box::pin(async move {
            self.wake.notified().await;
            Ok(())
        })
    }
}

fn kcs(script: Vec<Then>) -> (Kcs, Arc<Fake>) {
    let fake = Arc::new(Fake {
        script: Mutex::new(script.into()),
        ..Fake::default()
    });
    (
        Kcs::over(Box::new(Arc::clone(&fake)), Path::new("/dev/fake")),
        fake,
    )
}

fn cx(seconds: u64) -> Cx {
    Cx::until(Instant::now().into_std() + Duration::from_secs(seconds))
}

async fn ask<C: crate::hal::ipmi::cmd::Command>(
    kcs: &Kcs,
    seconds: u64,
    c: &C,
) -> Result<Response> {
    kcs.exchange(&cx(seconds), Request::of(c)).await
}

fn code(byte: u8) -> Then {
    Then::Answer(vec![byte])
}

const NAME: SetUserName = SetUserName {
    user: 3,
    name: UserName(*b"metal\0\0\0\0\0\0\0\0\0\0\0"),
};

#[tokio::test(start_paused = true)]
async fn events_and_late_answers_of_others_are_skipped() {
    let other = |kind, id, cmd| Incoming {
        kind,
        id,
        netfn: 7,
        cmd,
        data: vec![0xee],
        truncated: false,
    };
    // An event, a command of another controller, the late answer to the command before, and one with our id for
    // another command.
    let first = vec![
        other(2, 0, 1),
        other(3, 0, 1),
        other(RESPONSE, -1, 1),
        other(RESPONSE, 0, 2),
    ];
    let (kcs, fake) = kcs(vec![Then::Behind(first, vec![0, 1, 2])]);
    let got = ask(&kcs, 10, &GetDeviceId).await.unwrap();
    assert_eq!((got.code, got.data), (CompletionCode::OK, vec![1, 2]));
    let sent = fake.sent.lock().unwrap();
    assert_eq!(*sent, [(Address::Bmc { lun: 0 }, 6, 1, vec![])]);
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_messages_for_others_ends() {
    let other = || Incoming {
        kind: 2,
        id: 0,
        netfn: 7,
        cmd: 1,
        data: vec![0],
        truncated: false,
    };
    let flood = (0..FOREIGN + 2).map(|_| other()).collect();
    let (kcs, fake) = kcs(vec![Then::Behind(flood, vec![0])]);
    let error = ask(&kcs, 10, &ColdReset).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Indeterminate);
    assert_eq!(fake.sent.lock().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_lost_wake_up_is_made_up_for() {
    let (kcs, _) = kcs(vec![Then::Unsaid(vec![0])]);
    assert!(ask(&kcs, 10, &NAME).await.unwrap().code.is_ok());
}

#[tokio::test(start_paused = true)]
async fn busy_and_starting_are_waited_for_whatever_the_command() {
    let (kcs, fake) = kcs(vec![code(0xc0), code(0xd2), code(0xc0), code(0)]);
    assert!(ask(&kcs, 60, &ColdReset).await.unwrap().code.is_ok());
    assert_eq!(fake.sent.lock().unwrap().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_bmc_that_stays_busy_is_left_in_peace_in_the_end() {
    let (kcs, fake) = kcs((0..1000).map(|_| code(0xc0)).collect());
    let start = Instant::now();
    let got = ask(&kcs, 600, &NAME).await.unwrap();
    assert_eq!(got.code, CompletionCode::NODE_BUSY);
    assert!(start.elapsed() <= PATIENCE);
    assert!(fake.sent.lock().unwrap().len() < 60);
}

#[tokio::test(start_paused = true)]
async fn a_time_out_of_the_kernel_is_only_retried_when_it_may_run_twice() {
    let (twice, fake) = kcs(vec![code(0xc3), code(0xc3), code(0)]);
    assert!(ask(&twice, 60, &NAME).await.unwrap().code.is_ok());
    assert_eq!(fake.sent.lock().unwrap().len(), 3);
    let (never, fake) = kcs(vec![code(0xc3), code(0xc3), code(0xc3), code(0)]);
    let got = ask(&never, 60, &NAME).await.unwrap();
    assert_eq!(got.code, CompletionCode::TIMEOUT);
    assert_eq!(fake.sent.lock().unwrap().len(), 3);
    let (once, fake) = kcs(vec![code(0xc3), code(0)]);
    let error = ask(&once, 60, &ColdReset).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Indeterminate);
    assert_eq!(fake.sent.lock().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn silence_ends_and_the_deadline_holds() {
    let (kcs_, fake) = kcs(vec![Then::Silence, Then::Silence, code(0)]);
    assert!(ask(&kcs_, 60, &NAME).await.unwrap().code.is_ok());
    assert_eq!(fake.sent.lock().unwrap().len(), 3);
    let (kcs_, _) = kcs(vec![Then::Silence]);
    let start = Instant::now();
    let error = ask(&kcs_, 3, &NAME).await.unwrap_err();
    assert_eq!(
        (error.kind(), start.elapsed().as_secs()),
        (Kind::Timeout, 3)
    );
    let (kcs_, fake) = kcs(vec![Then::Silence]);
    let error = ask(&kcs_, 60, &ColdReset).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Indeterminate);
    assert_eq!(fake.sent.lock().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_is_waited_for_and_other_errors_are_not() {
    let (kcs_, _) = kcs(vec![
        Then::Fails(libc::EAGAIN),
        Then::Fails(libc::EBUSY),
        code(0),
    ]);
    assert!(ask(&kcs_, 10, &ColdReset).await.unwrap().code.is_ok());
    let (kcs_, _) = kcs(vec![Then::Fails(libc::ENODEV)]);
    let error = ask(&kcs_, 10, &ColdReset).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Other);
    assert!(error.chain().starts_with("Cold Reset through /dev/fake: "));
}

#[tokio::test(start_paused = true)]
async fn a_bridged_command_has_its_address() {
    let (kcs, fake) = kcs(vec![code(0)]);
    let target = Target::Bridged {
        channel: 6,
        address: 0x2c,
    };
    let request = Request::of(&GetDeviceId).to(target);
    kcs.exchange(&cx(10), request).await.unwrap();
    let to = fake.sent.lock().unwrap()[0].0;
    assert_eq!(
        to,
        Address::Ipmb {
            channel: 6,
            slave: 0x2c,
            lun: 0
        }
    );
}

#[tokio::test]
async fn an_empty_answer_is_a_protocol_error() {
    let (kcs, _) = kcs(vec![Then::Answer(Vec::new())]);
    let error = ask(&kcs, 10, &GetDeviceId).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Protocol);
}

#[tokio::test]
async fn without_a_device_the_modules_are_named() {
    let error = Kcs::at(Path::new("/nowhere/ipmi0")).unwrap_err();
    assert_eq!(error.kind(), Kind::Unreachable);
    let hint = error.hint().unwrap();
    assert!(
        hint.contains("ipmi_devintf") && hint.contains("CONFIG_IPMI_SI"),
        "{hint}"
    );
    // A file that is no device: opened, and no ioctl knows it.
    let file = tempfile::NamedTempFile::new().unwrap();
    match Kcs::at(file.path()) {
        Err(error) => assert_eq!(error.kind(), Kind::Unreachable),
        Ok(kcs) => assert_eq!(
            ask(&kcs, 5, &GetDeviceId).await.unwrap_err().kind(),
            Kind::Other
        ),
    }
}
