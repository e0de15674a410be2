//! The serial console on simulated BMCs, beside other commands, stolen, lost, pasted into.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use halbox::hal::Kind;
use halbox::hal::fleet::{Endpoint, Fleet, Forgetful};
use halbox::hal::ipmi::Exchange;
use halbox::hal::ipmi::cmd::app::{ColdReset, GetDeviceId};
use halbox::hal::ipmi::cmd::chassis::{ChassisControl, ControlAction};
use halbox::hal::ipmi::exchange::run;
use halbox::hal::ipmi::session::Config;
use halbox::hal::model::console::{
    ConsoleEvent, ConsoleInput, ConsoleNotice, ConsoleOptions, ConsoleStream,
};
use halbox::hal::model::{Cx, Secret};
use halbox::hal::sim::{self, Options, SimHandle};
use halbox::hal::transport::Lan;
use halbox::hal::transport::faults::Faults;

const LONG: Duration = Duration::from_mins(2);

fn simulated(options: Options) -> SimHandle {
    sim::start(Options { port: 0, ..options }).unwrap()
}

fn fleet() -> Fleet {
    Fleet::new(Lan::new().unwrap(), Arc::new(Forgetful))
}

fn endpoint(addr: SocketAddr) -> Endpoint {
    Endpoint {
        addr,
        session: Config::new("admin", Secret::new("admin")),
        pin_suite: true,
        linger: Duration::from_secs(10),
    }
}

fn long() -> Cx {
    Cx::until(Instant::now() + LONG)
}

async fn next(stream: &mut ConsoleStream) -> ConsoleEvent {
    tokio::time::timeout(LONG, stream.events.recv())
        .await
        .expect("nothing came")
        .expect("the stream ended without a word")
}

async fn opened(stream: &mut ConsoleStream) {
    match next(stream).await {
        ConsoleEvent::Notice(ConsoleNotice::Open {
            encrypted: true, ..
        }) => {}
        other => panic!("{other:?}"),
    }
}

async fn type_in(stream: &ConsoleStream, data: &[u8]) {
    let data = ConsoleInput::Data(data.to_vec());
    stream.input.send(data).await.unwrap();
}

/// Reads until `n` characters came.
async fn characters(stream: &mut ConsoleStream, n: usize) -> Vec<u8> {
    let mut out = Vec::new();
    while out.len() < n {
        match next(stream).await {
            ConsoleEvent::Data(data) => out.extend(data),
            ConsoleEvent::Drained(_) => {}
            other => panic!("{other:?} after {} characters", out.len()),
        }
    }
    out
}

async fn error(stream: &mut ConsoleStream) -> halbox::hal::Error {
    loop {
        if let ConsoleEvent::Ended(error) = next(stream).await {
            return error.expect("an error");
        }
    }
}

#[tokio::test]
async fn other_commands_go_on_the_same_session() {
    let sim = simulated(Options::default());
    let fleet = fleet();
    let bmc = fleet.bmc(&endpoint(sim.addrs()[0])).unwrap();
    let mut stream = bmc.console(ConsoleOptions::default()).unwrap();
    opened(&mut stream).await;
    for _ in 0..20 {
        type_in(&stream, b"hello").await;
        run(&*bmc, &long(), &GetDeviceId).await.unwrap();
        assert_eq!(characters(&mut stream, 5).await, b"hello");
    }
    // A command for administrators needs no other session either.
    let cycle = ChassisControl {
        action: ControlAction::HARD_RESET,
    };
    run(&*bmc, &long(), &cycle).await.unwrap();
    let greeting = characters(&mut stream, 40).await;
    assert!(String::from_utf8_lossy(&greeting).contains("Simulated host"));
    assert_eq!(sim.total().sessions_opened, 1);
    drop(stream);
    drop(bmc);
    assert_eq!(fleet.idle(LONG).await, 0);
    assert_eq!(sim.total().sessions_open, 0);
}

#[tokio::test]
async fn a_paste_comes_back_whole_through_a_bad_network() {
    let sim = simulated(Options {
        faults: Faults {
            loss: 0.02,
            duplicate: 0.02,
            ..Faults::default()
        },
        ..Options::default()
    });
    let fleet = fleet();
    let bmc = fleet.bmc(&endpoint(sim.addrs()[0])).unwrap();
    let mut stream = bmc.console(ConsoleOptions::default()).unwrap();
    opened(&mut stream).await;
    let mut rng = fastrand::Rng::with_seed(7);
    let paste: Vec<u8> = (0..16 << 10).map(|_| rng.u8(..)).collect();
    let input = stream.input.clone();
    let typed = paste.clone();
    let typing = tokio::spawn(async move {
        for chunk in typed.chunks(3000) {
            let data = ConsoleInput::Data(chunk.to_vec());
            input.send(data).await.unwrap();
        }
    });
    let heard = characters(&mut stream, paste.len()).await;
    typing.await.unwrap();
    assert!(heard == paste, "not the same");
    drop(stream);
    drop(bmc);
    assert_eq!(fleet.shutdown(LONG).await, 0);
}

#[tokio::test]
async fn a_reader_that_does_not_read_makes_the_host_wait_and_loses_nothing() {
    let sim = simulated(Options::default());
    let fleet = fleet();
    let bmc = fleet.bmc(&endpoint(sim.addrs()[0])).unwrap();
    let mut stream = bmc.console(ConsoleOptions::default()).unwrap();
    opened(&mut stream).await;
    // Far more than all buffers hold together.
    let total = 1 << 20;
    let input = stream.input.clone();
    let typing = tokio::spawn(async move {
        for n in 0..total / 1024 {
            let data = vec![n as u8; 1024];
            if input.send(ConsoleInput::Data(data)).await.is_err() {
                return;
            }
        }
    });
    // More than the buffers hold is never typed while nobody reads: the line refuses it.
    let mut polls = 0;
    let refusals = || sim.with_state(0, |s| s.console.as_ref().map_or(0, |c| c.refusals()));
    while refusals() == Some(0) {
        tokio::time::sleep(Duration::from_millis(10)).await;
        polls += 1;
        assert!(polls < 12_000, "nobody was told to wait");
    }
    assert!(!typing.is_finished());
    let heard = characters(&mut stream, total).await;
    typing.await.unwrap();
    let right = (0..total).all(|i| heard[i] == (i / 1024) as u8);
    assert!(right);
    fleet.shutdown(LONG).await;
}

#[tokio::test]
async fn a_line_in_use_is_refused_and_can_be_taken_over() {
    let sim = simulated(Options::default());
    let (one, two) = (fleet(), fleet());
    let first = one.bmc(&endpoint(sim.addrs()[0])).unwrap();
    let mut victim = first.console(ConsoleOptions::default()).unwrap();
    opened(&mut victim).await;
    let second = two.bmc(&endpoint(sim.addrs()[0])).unwrap();
    let mut refused = second.console(ConsoleOptions::default()).unwrap();
    let why = error(&mut refused).await;
    assert_eq!(why.kind(), Kind::Busy, "{why:?}");
    let steal = ConsoleOptions {
        steal: true,
        ..ConsoleOptions::default()
    };
    let mut thief = second.console(steal).unwrap();
    opened(&mut thief).await;
    type_in(&thief, b"mine").await;
    assert_eq!(characters(&mut thief, 4).await, b"mine");
    let why = error(&mut victim).await;
    assert!(
        why.hint().unwrap().contains("took the line over"),
        "{why:?}"
    );
    assert_eq!(one.shutdown(LONG).await + two.shutdown(LONG).await, 0);
    assert_eq!(sim.total().sessions_open, 0);
}

#[tokio::test]
async fn it_comes_back_by_itself_after_the_bmc_has_restarted() {
    let sim = simulated(Options::default());
    let fleet = fleet();
    let bmc = fleet.bmc(&endpoint(sim.addrs()[0])).unwrap();
    let keep = ConsoleOptions {
        reconnect: Some(LONG),
        ..ConsoleOptions::default()
    };
    let mut stream = bmc.console(keep).unwrap();
    opened(&mut stream).await;
    let _ = run(&*bmc, &long(), &ColdReset).await;
    // The next command finds that the session is gone.
    let _ = run(&*bmc, &long(), &GetDeviceId).await;
    let mut told = false;
    loop {
        match next(&mut stream).await {
            ConsoleEvent::Lost { .. } => told = true,
            ConsoleEvent::Notice(ConsoleNotice::Open { .. }) => break,
            ConsoleEvent::Ended(error) => panic!("{error:?}"),
            _ => {}
        }
    }
    assert!(told);
    type_in(&stream, b"again").await;
    assert_eq!(characters(&mut stream, 5).await, b"again");
    fleet.shutdown(LONG).await;
}

#[tokio::test]
async fn a_second_reader_here_is_told_so() {
    let sim = simulated(Options::default());
    let fleet = fleet();
    let bmc = fleet.bmc(&endpoint(sim.addrs()[0])).unwrap();
    let mut one = bmc.console(ConsoleOptions::default()).unwrap();
    opened(&mut one).await;
    let mut two = bmc.console(ConsoleOptions::default()).unwrap();
    assert_eq!(error(&mut two).await.kind(), Kind::Busy);
    type_in(&one, b"x").await;
    assert_eq!(characters(&mut one, 1).await, b"x");
    fleet.shutdown(LONG).await;
}
