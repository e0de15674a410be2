//! UDP to all BMCs: one socket per address family, shared by every session and probe.
//!
//! Receiving is central (one task per socket), sending is done by whoever has a [`Port`]. A datagram goes to every
//! port of the peer that it came from; from a stranger it is dropped. ICMP errors come back as
//! `ConnectionRefused` to the ports of the peer that caused them (IP_RECVERR), so a dead BMC costs no timeout.

mod socket;

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;

use super::faults::{FaultInjector, Faults};
use crate::hal::error::{Error, Kind, Result};
use socket::Socket;

/// Datagrams that wait for one port. More are dropped, as a full socket buffer would.
const QUEUE: usize = 32;

/// The UDP transport of one process.
pub struct Lan {
    v4: Socket,
    /// Absent on hosts without IPv6.
    v6: Option<Socket>,
    shared: Arc<Shared>,
}

/// What the receive tasks need.
struct Shared {
    ports: Mutex<HashMap<SocketAddr, Vec<Listener>>>,
    next_id: AtomicU64,
    faults: Option<Mutex<FaultInjector>>,
}

struct Listener {
    id: u64,
    queue: mpsc::Sender<Incoming>,
}

#[derive(Debug, Clone)]
enum Incoming {
    Datagram(Vec<u8>),
    Refused,
}

impl Lan {
    /// Opens the sockets and starts receiving on the present tokio runtime.
    pub fn new() -> Result<Arc<Self>> {
        Self::build(None)
    }

    /// The same, with faults in both directions (tests and benchmarks).
    pub fn with_faults(faults: Faults, seed: u64) -> Result<Arc<Self>> {
        Self::build(Some(FaultInjector::new(faults, seed)))
    }

    fn build(faults: Option<FaultInjector>) -> Result<Arc<Self>> {
        let shared = Arc::new(Shared {
            ports: Mutex::default(),
            next_id: AtomicU64::new(0),
            faults: faults.map(Mutex::new),
        });
        let v4 = Socket::v4(&shared)
            .map_err(|e| Error::new(Kind::Other, "cannot open a UDP socket").with_source(e))?;
        let v6 = Socket::v6(&shared).ok();
        Ok(Arc::new(Self { v4, v6, shared }))
    }

    /// A port to `peer`. Everything that `peer` sends from now on reaches it.
    pub fn open(self: &Arc<Self>, peer: SocketAddr) -> Result<Port> {
        if self.socket(peer).is_none() {
            return Err(Error::new(
                Kind::Unreachable,
                format!("{peer}: this host has no IPv6"),
            ));
        }
        let id = self.shared.next_id.fetch_add(1, Ordering::Relaxed);
        let (queue, incoming) = mpsc::channel(QUEUE);
        self.shared
            .lock()
            .entry(peer)
            .or_default()
            .push(Listener { id, queue });
        Ok(Port {
            lan: Arc::clone(self),
            peer,
            id,
            incoming,
        })
    }

    /// Datagrams that the receive buffer surely holds: how many answers may be awaited at once.
    pub fn capacity(&self) -> usize {
        self.v4.capacity()
    }

    fn socket(&self, peer: SocketAddr) -> Option<&Socket> {
        match peer {
            SocketAddr::V4(_) => Some(&self.v4),
            SocketAddr::V6(_) => self.v6.as_ref(),
        }
    }

    fn send(&self, peer: SocketAddr, datagram: &[u8]) -> io::Result<()> {
        let Some(socket) = self.socket(peer) else {
            return Err(io::ErrorKind::Unsupported.into());
        };
        let Some(faults) = &self.shared.faults else {
            return socket.send(peer, datagram);
        };
        let fate = faults
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .fate(datagram);
        for (delay, copy) in fate {
            if delay == Duration::ZERO {
                socket.send(peer, &copy)?;
            } else {
                let late = socket.clone();
                tokio::spawn(async move {
                    tokio::time::sleep(delay).await;
                    let _ = late.send(peer, &copy);
                });
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Lan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lan")
            .field("ports", &self.shared.lock().len())
            .finish_non_exhaustive()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, HashMap<SocketAddr, Vec<Listener>>> {
        self.ports.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands a datagram to the ports of `peer`, through the faults if there are any.
    fn received(self: &Arc<Self>, peer: SocketAddr, datagram: &[u8]) {
        let Some(faults) = &self.faults else {
            return self.deliver(peer, &Incoming::Datagram(datagram.to_vec()));
        };
        let fate = faults
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .fate(datagram);
        for (delay, copy) in fate {
            if delay == Duration::ZERO {
                self.deliver(peer, &Incoming::Datagram(copy));
            } else {
                let shared = Arc::clone(self);
                tokio::spawn(async move {
                    tokio::time::sleep(delay).await;
                    shared.deliver(peer, &Incoming::Datagram(copy));
                });
            }
        }
    }

    fn refused(&self, peer: SocketAddr) {
        self.deliver(peer, &Incoming::Refused);
    }

    fn deliver(&self, peer: SocketAddr, incoming: &Incoming) {
        let ports = self.lock();
        let Some(listeners) = ports.get(&peer) else {
            log::trace!("{peer}: datagram from a stranger dropped");
            return;
        };
        for listener in listeners {
            if listener.queue.try_send(incoming.clone()).is_err() {
                log::debug!("{peer}: queue full, datagram dropped");
            }
        }
    }
}

/// A conversation with one peer. Dropping it ends the conversation.
pub struct Port {
    lan: Arc<Lan>,
    peer: SocketAddr,
    id: u64,
    incoming: mpsc::Receiver<Incoming>,
}

impl Port {
    /// Whom it is to.
    pub fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// Sends one datagram; never waits. A full send buffer loses it, as the network would.
    pub fn send(&self, datagram: &[u8]) -> io::Result<()> {
        self.lan.send(self.peer, datagram)
    }

    /// The next datagram, or `ConnectionRefused` when the peer's host answered with an ICMP error.
    pub async fn recv(&mut self) -> io::Result<Vec<u8>> {
        match self.incoming.recv().await {
            Some(Incoming::Datagram(bytes)) => Ok(bytes),
            Some(Incoming::Refused) => Err(io::ErrorKind::ConnectionRefused.into()),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }
}

impl fmt::Debug for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Port")
            .field("peer", &self.peer)
            .finish_non_exhaustive()
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        let mut ports = self.lan.shared.lock();
        if let Some(listeners) = ports.get_mut(&self.peer) {
            listeners.retain(|l| l.id != self.id);
            if listeners.is_empty() {
                ports.remove(&self.peer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::UdpSocket;

    #[tokio::test]
    async fn each_peer_reaches_its_own_ports() {
        let lan = Lan::new().unwrap();
        let (a, b) = (
            UdpSocket::bind("127.0.0.1:0").await.unwrap(),
            UdpSocket::bind("127.0.0.1:0").await.unwrap(),
        );
        let mut port_a = lan.open(a.local_addr().unwrap()).unwrap();
        let mut second_a = lan.open(a.local_addr().unwrap()).unwrap();
        let mut port_b = lan.open(b.local_addr().unwrap()).unwrap();
        port_a.send(b"to a").unwrap();
        port_b.send(b"to b").unwrap();
        let mut buf = [0; 16];
        let (n, from) = a.recv_from(&mut buf).await.unwrap();
        assert_eq!(&buf[..n], b"to a");
        a.send_to(b"from a", from).await.unwrap();
        let (_, from) = b.recv_from(&mut buf).await.unwrap();
        b.send_to(b"from b", from).await.unwrap();
        assert_eq!(port_a.recv().await.unwrap(), b"from a");
        assert_eq!(second_a.recv().await.unwrap(), b"from a");
        assert_eq!(port_b.recv().await.unwrap(), b"from b");
        drop(port_a);
        drop(second_a);
        assert_eq!(lan.shared.lock().len(), 1);
    }

    #[tokio::test]
    async fn closed_port_is_refused_and_others_go_on() {
        let lan = Lan::new().unwrap();
        let gone = {
            let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
            socket.local_addr().unwrap()
        };
        let there = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let mut dead = lan.open(gone).unwrap();
        let live = lan.open(there.local_addr().unwrap()).unwrap();
        dead.send(b"hello").unwrap();
        assert_eq!(
            dead.recv().await.unwrap_err().kind(),
            io::ErrorKind::ConnectionRefused
        );
        live.send(b"hello").unwrap();
        let mut buf = [0; 16];
        assert_eq!(there.recv_from(&mut buf).await.unwrap().0, 5);
    }

    #[tokio::test]
    async fn ipv6_works_where_the_host_has_it() {
        let Ok(peer) = UdpSocket::bind("[::1]:0").await else {
            return;
        };
        let lan = Lan::new().unwrap();
        let mut port = lan.open(peer.local_addr().unwrap()).unwrap();
        port.send(b"six").unwrap();
        let mut buf = [0; 16];
        let (_, from) = peer.recv_from(&mut buf).await.unwrap();
        peer.send_to(b"back", from).await.unwrap();
        assert_eq!(port.recv().await.unwrap(), b"back");
    }
}
