//! Live serial consoles in one process, as the daemon has them, on a simulator in another one: memory, throughput,
//! latency. Prints, and asserts no time. `cargo bench --bench console -- [SESSIONS]`, or `just bench-console`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::too_many_lines,
    reason = "a program of the tests: it prints, and fails by panicking"
)]

use std::io::{BufRead, BufReader};
use std::net::{IpAddr, Ipv4Addr};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use halbox::console::{Happening, Hub, Limits, News, Next, Pending, Seat, Stand, Wish};
use halbox::discover::Doors;
use halbox::hal::fleet::{Fleet, Forgetful};
use halbox::hal::gate::{Gate, InProcess};
use halbox::hal::model::console::ConsoleOptions;
use halbox::hal::model::{MacAddr, Secret};
use halbox::hal::transport::Lan;
use halbox::inventory::seal::Sealer;
use halbox::inventory::store::Change;
use halbox::inventory::{Field, Record, Sqlite, Store};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

const PORT: u16 = 16_990;
/// What every console types, all at once.
const EACH: usize = 16 << 10;
/// What one console types to many readers.
const SHARED: usize = 1 << 20;
const READERS: usize = 100;
const KEYS: usize = 1000;

/// The simulator, ended with the benchmark.
struct Sim(Child);

impl Sim {
    fn start(count: usize) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_halbox"))
            .args(["sim", "--listen", "127.77.0.1"])
            .args(["--port", &PORT.to_string(), "--count", &count.to_string()])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut line).unwrap();
        assert!(line.contains("\"ready\":true"), "{line}");
        Self(child)
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Resident memory of this process, in KiB.
fn memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

async fn rows(store: &dyn Store, count: usize) -> Vec<Arc<Record>> {
    let first = u32::from(Ipv4Addr::new(127, 77, 0, 1));
    let mut out = Vec::new();
    for n in 0..count as u32 {
        let [_, a, b, c] = n.to_be_bytes();
        let mac: MacAddr = format!("ac:1f:6b:{a:02x}:{b:02x}:{c:02x}").parse().unwrap();
        let change = Change::of(1, move |row| {
            row.address = Some(IpAddr::V4(Ipv4Addr::from(first + n)));
            row.ipmi.user = Some("admin".to_owned());
            Ok(())
        });
        let password = Some(Secret::new("admin"));
        let change = change
            .or_create()
            .with_secret(Field::IpmiPassword, password);
        out.push(store.update(mac, change).await.unwrap());
    }
    out
}

async fn attach(hub: &Arc<Hub>, row: &Arc<Record>, wish: Wish) -> Seat {
    let options = ConsoleOptions::default();
    hub.attach(row, "bench", wish, options).await.unwrap()
}

async fn until_open(seat: &mut Seat) {
    loop {
        match seat.next().await {
            Next::Happened(Happening::News(news))
                if matches!(*news, News::Line(Stand::Open { .. })) =>
            {
                return;
            }
            Next::Happened(_) => {}
            Next::Over(error) => panic!("{:?}", error.map(|e| e.chain())),
        }
    }
}

/// Reads so many characters; the sum tells whether they are the right ones.
async fn read(seat: &mut Seat, n: usize) -> u64 {
    let (mut got, mut sum) = (0usize, 0u64);
    while got < n {
        match seat.next().await {
            Next::Happened(Happening::Data(data)) => {
                got += data.len();
                sum = data
                    .iter()
                    .fold(sum, |s, b| s.wrapping_mul(31).wrapping_add(u64::from(*b)));
            }
            Next::Happened(Happening::News(news)) => {
                assert!(
                    !matches!(*news, News::Missed(_)),
                    "a reader was too slow: {news}"
                );
            }
            Next::Over(error) => panic!("{:?}", error.map(|e| e.chain())),
        }
    }
    assert_eq!(got, n);
    sum
}

fn text(n: usize) -> (Arc<[u8]>, u64) {
    let text: Vec<u8> = (0..n).map(|i| (i * 7 + i / 251) as u8).collect();
    let sum = text
        .iter()
        .fold(0u64, |s, b| s.wrapping_mul(31).wrapping_add(u64::from(*b)));
    (text.into(), sum)
}

fn mb_per_s(bytes: usize, time: Duration) -> f64 {
    bytes as f64 / 1e6 / time.as_secs_f64()
}

/// Types single characters and waits for each; the times, sorted.
async fn keys(seat: &mut Seat, count: usize) -> Vec<Duration> {
    let pen = seat.pen();
    let mut times = Vec::new();
    for _ in 0..count {
        let start = Instant::now();
        pen.put(Pending::Data(vec![b'k'])).await;
        read(seat, 1).await;
        times.push(start.elapsed());
    }
    times.sort();
    times
}

fn show(what: &str, times: &[Duration]) {
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    println!(
        "{what}: median {:?}, 99 % {:?}, longest {:?}",
        at(0.5),
        at(0.99),
        at(1.0)
    );
}

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1).filter(|a| !a.starts_with('-'));
    let count: usize = arguments
        .next()
        .map_or(1000, |a| a.parse().expect("a number"));
    let _sim = Sim::start(count);
    let dir = tempfile::tempdir().unwrap();
    let sealer = Sealer::load_or_make(&dir.path().join("key")).unwrap();
    let store: Arc<dyn Store> = Arc::new(Sqlite::open(dir.path(), sealer).unwrap());
    let fleet = Fleet::new(Lan::new().unwrap(), Arc::new(Forgetful));
    let gate = Arc::new(Gate::new(Arc::new(InProcess::new())));
    let doors = Arc::new(Doors::new(fleet, Arc::clone(&store), gate, PORT, PORT + 1));
    let recordings = (
        dir.path().join("console"),
        Limits {
            each: 8 << 20,
            all: 8 << 30,
        },
    );
    let hub = Hub::new(Arc::clone(&doors) as _, Some(recordings));
    let rows = rows(&*store, count).await;

    let before = memory();
    let start = Instant::now();
    let places = Arc::new(Semaphore::new(128));
    let mut opening = JoinSet::new();
    for (n, row) in rows.iter().cloned().enumerate() {
        let (hub, places) = (Arc::clone(&hub), Arc::clone(&places));
        opening.spawn(async move {
            let _place = places.acquire_owned().await.unwrap();
            let mut seat = attach(&hub, &row, Wish::Any).await;
            until_open(&mut seat).await;
            (n, seat)
        });
    }
    let mut seats: Vec<(usize, Seat)> = opening.join_all().await;
    seats.sort_by_key(|(n, _)| *n);
    let mut seats: Vec<Seat> = seats.into_iter().map(|(_, seat)| seat).collect();
    let time = start.elapsed();
    let per = |now: usize| (now - before) as f64 / count as f64;
    println!("{count} consoles open after {time:.1?}");
    println!(
        "memory, quiet: {:.1} KiB each ({} MiB in all)",
        per(memory()),
        memory() >> 10
    );

    show(
        "a keystroke and its echo, others quiet",
        &keys(&mut seats[0], KEYS).await,
    );

    let (typed, sum) = text(EACH);
    let start = Instant::now();
    let mut typing = JoinSet::new();
    for mut seat in seats.drain(..) {
        let typed = Arc::clone(&typed);
        typing.spawn(async move {
            let pen = seat.pen();
            let put = async {
                for chunk in typed.chunks(4096) {
                    pen.put(Pending::Data(chunk.to_vec())).await;
                }
            };
            let (got, ()) = tokio::join!(read(&mut seat, EACH), put);
            assert_eq!(got, sum, "not the same");
            seat
        });
    }
    let mut seats = typing.join_all().await;
    let time = start.elapsed();
    let all = EACH * count;
    println!(
        "all type {} KiB and read it back: {:.2} MB/s each way ({time:.1?})",
        EACH >> 10,
        mb_per_s(all, time)
    );
    println!("memory, after that: {:.1} KiB each", per(memory()));

    // One key while a tenth of the others type.
    let busy = (count / 10).max(1).min(seats.len() - 1);
    let mut one = seats.swap_remove(0);
    let mut typing = JoinSet::new();
    for mut seat in seats.drain(..busy) {
        let typed = Arc::clone(&typed);
        typing.spawn(async move {
            let pen = seat.pen();
            loop {
                let put = pen.put(Pending::Data(typed.to_vec()));
                tokio::join!(read(&mut seat, EACH), put);
            }
        });
    }
    show(
        &format!("a keystroke and its echo, {busy} others type"),
        &keys(&mut one, KEYS).await,
    );
    typing.shutdown().await;
    drop(one);

    // One writes, many read.
    let mut writer = seats.swap_remove(0);
    drop(seats);
    let mac = writer.mac();
    let row = rows.iter().find(|r| r.mac == mac).unwrap();
    let before = memory();
    let mut readers = Vec::new();
    for _ in 0..READERS {
        readers.push(attach(&hub, row, Wish::Read).await);
    }
    let (typed, sum) = text(SHARED);
    let start = Instant::now();
    let mut reading = JoinSet::new();
    for mut seat in readers {
        reading.spawn(async move { read(&mut seat, SHARED).await });
    }
    let pen = writer.pen();
    let put = async {
        for chunk in typed.chunks(4096) {
            pen.put(Pending::Data(chunk.to_vec())).await;
        }
    };
    let (got, ()) = tokio::join!(read(&mut writer, SHARED), put);
    assert_eq!(got, sum);
    for got in reading.join_all().await {
        assert_eq!(got, sum, "a reader got something else");
    }
    let time = start.elapsed();
    println!(
        "1 writer and {READERS} readers, {} KiB: {:.2} MB/s from the host, {:.1} MB/s to all, {:.1} KiB more memory ({time:.1?})",
        SHARED >> 10,
        mb_per_s(SHARED, time),
        mb_per_s(SHARED * (READERS + 1), time),
        memory().saturating_sub(before) as f64,
    );
    drop(writer);
    hub.close(Duration::from_secs(30)).await;
    let left = doors.close(Duration::from_secs(30)).await;
    println!("closed; sessions that were not confirmed: {left}");
}
