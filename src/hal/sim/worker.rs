//! The threads that move datagrams: one task per BMC, one reactor per thread, replies at a bounded pace.

use std::cell::RefCell;
use std::net::{SocketAddr, UdpSocket as StdSocket};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::net::UdpSocket;
use tokio::runtime::Builder;
use tokio::time::{interval, sleep, timeout_at};

use super::host::Shared;
use crate::hal::error::{Error, Kind, Result};
use crate::hal::ipmi::wire::MAX_DATAGRAM;
use crate::hal::model::order::Order;
use crate::hal::transport::faults::{FaultInjector, Faults};

/// Datagrams that are read from a socket before any of them is answered.
const BATCH: usize = 16;
/// Replies that may leave at once, per thread.
const BURST: f64 = 32.0;
/// Stack of a worker thread.
const STACK: usize = 256 * 1024;

thread_local! {
    static BUFFER: RefCell<[u8; MAX_DATAGRAM]> = const { RefCell::new([0; MAX_DATAGRAM]) };
}

/// Starts the threads; each serves its share of the sockets until the end.
pub(super) fn spawn(shared: &Arc<Shared>, sockets: Vec<StdSocket>) -> Result<Vec<JoinHandle<()>>> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let wanted = match shared.options.threads {
        0 => cores.min(4),
        n => n,
    };
    let threads = wanted.min(sockets.len()).max(1);
    let mut lots: Vec<Vec<(usize, StdSocket)>> = (0..threads).map(|_| Vec::new()).collect();
    for (index, socket) in sockets.into_iter().enumerate() {
        if let Some(share) = lots.get_mut(index % threads) {
            share.push((index, socket));
        }
    }
    lots.into_iter()
        .map(|share| {
            let failed = |e| Error::new(Kind::Other, "starting a simulator thread").with_source(e);
            let runtime = Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(failed)?;
            let shared = Arc::clone(shared);
            let rate =
                f64::from(shared.options.pace) / f64::from(u32::try_from(threads).unwrap_or(1));
            std::thread::Builder::new()
                .name("sim".to_owned())
                .stack_size(STACK)
                .spawn(move || runtime.block_on(run(shared, share, rate)))
                .map_err(failed)
        })
        .collect()
}

async fn run(shared: Arc<Shared>, share: Vec<(usize, StdSocket)>, rate: f64) {
    let pace = Arc::new(Pace::new(rate));
    let indices: Vec<usize> = share.iter().map(|(index, _)| *index).collect();
    for (index, socket) in share {
        match UdpSocket::from_std(socket) {
            Ok(socket) => {
                let line = Line {
                    shared: Arc::clone(&shared),
                    index,
                    socket,
                    pace: Arc::clone(&pace),
                };
                tokio::spawn(serve(Arc::new(line)));
            }
            Err(e) => log::error!("simulator: BMC {index} cannot be served: {e}"),
        }
    }
    let mut stop = shared.stop.subscribe();
    let mut tick = interval(Duration::from_secs(1));
    loop {
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            _ = tick.tick() => {
                let now = Instant::now();
                for index in &indices {
                    if let Some(mut bmc) = shared.bmc(*index) {
                        bmc.tick(now);
                    }
                }
            }
        }
    }
}

/// A BMC and its socket.
struct Line {
    shared: Arc<Shared>,
    index: usize,
    socket: UdpSocket,
    pace: Arc<Pace>,
}

/// Faults of both directions; absent when there are none.
struct Weather {
    inbound: FaultInjector,
    outbound: FaultInjector,
}

impl Weather {
    fn of(faults: Faults, seed: u64) -> Option<Box<Self>> {
        if faults.is_none() {
            return None;
        }
        // The time on the way is taken once, on the way back.
        let inbound = Faults {
            delay: Duration::ZERO,
            reorder: 0.0,
            ..faults
        };
        Some(Box::new(Self {
            inbound: FaultInjector::new(inbound, seed),
            outbound: FaultInjector::new(faults, seed ^ 0x5555_5555),
        }))
    }
}

/// An answer on its way: after how long, to whom, what, and how many commands it answers.
type Mail = (Duration, SocketAddr, Vec<u8>);

async fn serve(line: Arc<Line>) {
    let options = &line.shared.options;
    let seed = options.seed.wrapping_add(line.index as u64 * 2_654_435_761);
    let mut weather = Weather::of(options.faults, seed);
    let mut console_due: Option<Instant> = None;
    loop {
        let readable = match console_due {
            None => line.socket.readable().await,
            Some(due) => match timeout_at(due.into(), line.socket.readable()).await {
                Ok(readable) => readable,
                // The serial console has something to say.
                Err(_) => Ok(()),
            },
        };
        if readable.is_err() {
            // An ICMP error of an earlier answer; the socket is still good.
            tokio::task::yield_now().await;
            continue;
        }
        let batch = read(&line.socket);
        if batch.is_empty() && console_due.is_none() {
            continue;
        }
        let (mail, commands, due) = handle(&line, &mut weather, batch);
        console_due = due;
        deliver(&line, mail, commands).await;
    }
}

/// Reads what is there, a batch at most.
fn read(socket: &UdpSocket) -> Vec<(SocketAddr, Vec<u8>)> {
    let mut batch = Vec::new();
    BUFFER.with_borrow_mut(|buffer| {
        while batch.len() < BATCH {
            match socket.try_recv_from(buffer) {
                Ok((n, peer)) => batch.push((peer, buffer.get(..n).unwrap_or_default().to_vec())),
                Err(_) => break,
            }
        }
    });
    batch
}

/// Lets the BMC answer the batch.
fn handle(
    line: &Line,
    weather: &mut Option<Box<Weather>>,
    batch: Vec<(SocketAddr, Vec<u8>)>,
) -> (Vec<Mail>, u64, Option<Instant>) {
    let mut mail = Vec::new();
    let mut commands = 0;
    let Some(mut bmc) = line.shared.bmc(line.index) else {
        return (mail, commands, None);
    };
    let now = Instant::now();
    let slow = bmc.manners().slow;
    let mut out = Vec::new();
    for (peer, bytes) in batch {
        let arriving = match weather {
            Some(weather) => weather
                .inbound
                .fate(&bytes)
                .into_iter()
                .map(|(_, copy)| copy)
                .collect(),
            None => vec![bytes],
        };
        for bytes in arriving {
            commands += bmc.receive(now, peer, &bytes, &mut out);
            let answers = out.drain(..).map(|reply| (peer, reply));
            post(&mut mail, weather, slow, answers);
        }
    }
    let said = bmc.console(now);
    post(&mut mail, weather, slow, said);
    (mail, commands, bmc.console_timeout(now))
}

/// Gives datagrams to the weather.
fn post(
    mail: &mut Vec<Mail>,
    weather: &mut Option<Box<Weather>>,
    slow: Duration,
    datagrams: impl IntoIterator<Item = (SocketAddr, Vec<u8>)>,
) {
    for (peer, bytes) in datagrams {
        match weather {
            Some(weather) => mail.extend(
                weather
                    .outbound
                    .fate(&bytes)
                    .into_iter()
                    .map(|(delay, copy)| (delay + slow, peer, copy)),
            ),
            None => mail.push((slow, peer, bytes)),
        }
    }
}

/// Sends the answers, each at its time and not faster than the pace.
async fn deliver(line: &Arc<Line>, mail: Vec<Mail>, commands: u64) {
    let total = mail.len() as u64;
    let mut late = Vec::new();
    for (delay, peer, bytes) in mail {
        if delay.is_zero() {
            send(line, peer, &bytes).await;
        } else {
            late.push((delay, peer, bytes));
        }
    }
    if late.is_empty() {
        if let Some(mut bmc) = line.shared.bmc(line.index) {
            bmc.answered(commands, total);
        }
        return;
    }
    let line = Arc::clone(line);
    tokio::spawn(async move {
        late.order_by_key(|(delay, _, _)| *delay);
        let mut passed = Duration::ZERO;
        for (delay, peer, bytes) in late {
            sleep(delay.saturating_sub(passed)).await;
            passed = delay;
            send(&line, peer, &bytes).await;
        }
        if let Some(mut bmc) = line.shared.bmc(line.index) {
            bmc.answered(commands, total);
        }
    });
}

async fn send(line: &Line, peer: SocketAddr, bytes: &[u8]) {
    line.pace.take().await;
    // An error (the peer is gone, the buffer is full) is a lost datagram: that is what UDP is.
    let _ = line.socket.send_to(bytes, peer).await;
}

/// A token bucket.
struct Pace {
    rate: f64,
    bucket: Mutex<(f64, Instant)>,
}

impl Pace {
    fn new(rate: f64) -> Self {
        Self {
            rate: rate.max(1.0),
            bucket: Mutex::new((BURST, Instant::now())),
        }
    }

    /// Waits until one more reply may leave.
    async fn take(&self) {
        while !self.try_take(Instant::now()) {
            sleep(Duration::from_millis(1)).await;
        }
    }

    fn try_take(&self, now: Instant) -> bool {
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        let (tokens, last) = &mut *bucket;
        let passed = now.saturating_duration_since(*last).as_secs_f64();
        *tokens = (*tokens + passed * self.rate).min(BURST);
        *last = now;
        let enough = *tokens >= 1.0;
        if enough {
            *tokens -= 1.0;
        }
        enough
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pace_holds() {
        let pace = Pace::new(1000.0);
        let start = Instant::now();
        let burst = (0..100).filter(|_| pace.try_take(start)).count();
        assert_eq!(burst, 32);
        let later = start + Duration::from_millis(10);
        let more = (0..100).filter(|_| pace.try_take(later)).count();
        assert!((9..=11).contains(&more), "{more}");
    }
}
