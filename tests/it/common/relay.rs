//! A relay between a client and a BMC that counts what goes over the wire.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use halbox::hal::transport::faults::{FaultInjector, Faults};

/// Relays datagrams of one client at a time; ends when dropped.
pub struct Relay {
    /// Where the client dials.
    pub address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    requests: AtomicUsize,
    /// Answers that still get through.
    answers: AtomicUsize,
    lost: AtomicUsize,
    stop: AtomicBool,
}

impl Relay {
    /// A relay to `bmc`.
    pub fn start(bmc: SocketAddr) -> Self {
        Self::lossy(bmc, Faults::default())
    }

    /// One on a bad network: loss only, the same datagrams each time.
    pub fn lossy(bmc: SocketAddr, faults: Faults) -> Self {
        let front = UdpSocket::bind("127.0.0.1:0").unwrap();
        let back = UdpSocket::bind("127.0.0.1:0").unwrap();
        back.connect(bmc).unwrap();
        let address = front.local_addr().unwrap();
        let shared = Arc::new(Shared {
            requests: AtomicUsize::new(0),
            answers: AtomicUsize::new(usize::MAX),
            lost: AtomicUsize::new(0),
            stop: AtomicBool::new(false),
        });
        let in_thread = Arc::clone(&shared);
        let thread = std::thread::spawn(move || run(&front, &back, &in_thread, faults));
        Self {
            address,
            shared,
            thread: Some(thread),
        }
    }

    /// Lets `answers` more datagrams of the BMC through, then none.
    pub fn mute_after(&self, answers: usize) {
        self.shared.answers.store(answers, Ordering::SeqCst);
    }

    /// Datagrams that were lost, in both directions.
    pub fn lost(&self) -> usize {
        self.shared.lost.load(Ordering::SeqCst)
    }

    /// Datagrams of clients since the last call.
    pub fn take(&self) -> usize {
        self.shared.requests.swap(0, Ordering::SeqCst)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Waits for the client most of the time: BMCs only speak when asked.
fn run(front: &UdpSocket, back: &UdpSocket, shared: &Shared, faults: Faults) {
    front
        .set_read_timeout(Some(Duration::from_micros(500)))
        .unwrap();
    back.set_read_timeout(Some(Duration::from_micros(500)))
        .unwrap();
    let mut buf = [0; 2048];
    let mut client = None;
    let mut network = FaultInjector::new(faults, 1);
    let mut arrives = |datagram: &[u8]| {
        let arrives = !network.fate(datagram).is_empty();
        shared.lost.fetch_add((!arrives).into(), Ordering::SeqCst);
        arrives
    };
    while !shared.stop.load(Ordering::SeqCst) {
        if let Ok((n, from)) = front.recv_from(&mut buf) {
            client = Some(from);
            shared.requests.fetch_add(1, Ordering::SeqCst);
            if arrives(&buf[..n]) {
                let _ = back.send(&buf[..n]);
            }
        }
        if let (Ok(n), Some(to)) = (back.recv(&mut buf), client) {
            let left = shared.answers.load(Ordering::SeqCst);
            if left > 0 && arrives(&buf[..n]) {
                shared.answers.store(left - 1, Ordering::SeqCst);
                let _ = front.send_to(&buf[..n], to);
            }
        }
    }
}
