//! One UDP socket with its receive task.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::AsRawFd;
use std::sync::Arc;

use nix::sys::socket::{MsgFlags, SockaddrStorage, recvmsg, setsockopt, sockopt};
use socket2::{Domain, Protocol, Type};
use tokio::io::Interest;
use tokio::net::UdpSocket;
use tokio::task::AbortHandle;

use super::Shared;

/// What we ask for; the kernel may give less (net.core.rmem_max) unless we are root.
const RECEIVE_BUFFER: usize = 16 << 20;

/// Kernel memory that a small datagram takes in the receive buffer (skb truesize).
const DATAGRAM_COST: usize = 1280;

/// The largest datagram we accept; longer ones are cut and then fail to decode.
const MAX_DATAGRAM: usize = 2048;

/// Datagrams taken in one go before other tasks get their turn.
const BATCH: usize = 64;

/// A socket for one address family. Clones share it.
#[derive(Clone)]
pub(super) struct Socket {
    udp: Arc<UdpSocket>,
    capacity: usize,
    _task: Arc<AbortOnDrop>,
}

struct AbortOnDrop(AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Socket {
    pub(super) fn v4(shared: &Arc<Shared>) -> io::Result<Self> {
        Self::open(
            Domain::IPV4,
            SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
            shared,
        )
    }

    pub(super) fn v6(shared: &Arc<Shared>) -> io::Result<Self> {
        Self::open(
            Domain::IPV6,
            SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
            shared,
        )
    }

    fn open(domain: Domain, local: SocketAddr, shared: &Arc<Shared>) -> io::Result<Self> {
        let socket = socket2::Socket::new(
            domain,
            Type::DGRAM.nonblocking().cloexec(),
            Some(Protocol::UDP),
        )?;
        if domain == Domain::IPV6 {
            socket.set_only_v6(true)?;
            setsockopt(&socket, sockopt::Ipv6RecvErr, &true)?;
        } else {
            setsockopt(&socket, sockopt::Ipv4RecvErr, &true)?;
        }
        // Past rmem_max only root may go; others get what there is.
        if setsockopt(&socket, sockopt::RcvBufForce, &RECEIVE_BUFFER).is_err() {
            socket.set_recv_buffer_size(RECEIVE_BUFFER)?;
        }
        let capacity = (socket.recv_buffer_size()? / DATAGRAM_COST).max(1);
        socket.bind(&local.into())?;
        let udp = Arc::new(UdpSocket::from_std(socket.into())?);
        let task = tokio::spawn(receive(Arc::clone(&udp), Arc::clone(shared)));
        Ok(Self {
            udp,
            capacity,
            _task: Arc::new(AbortOnDrop(task.abort_handle())),
        })
    }

    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    /// Never waits. An ICMP error of an earlier datagram (to anyone) is reported by the next call: that is
    /// not about this one, so it is sent again.
    pub(super) fn send(&self, peer: SocketAddr, datagram: &[u8]) -> io::Result<()> {
        for _ in 0..4 {
            // Not tokio's try_send_to: it trusts a readiness that is only refreshed by awaiting.
            let sent = nix::sys::socket::sendto(
                self.udp.as_raw_fd(),
                datagram,
                &SockaddrStorage::from(peer),
                MsgFlags::MSG_DONTWAIT,
            );
            match sent.map_err(io::Error::from) {
                Err(e) if is_icmp(&e) => {}
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                other => return other.map(|_| ()),
            }
        }
        Ok(())
    }
}

/// Errors that the kernel reports because of an ICMP message.
fn is_icmp(e: &io::Error) -> bool {
    use nix::libc::{ECONNREFUSED, EHOSTDOWN, EHOSTUNREACH, ENETUNREACH, ENOPROTOOPT};
    matches!(
        e.raw_os_error(),
        Some(ECONNREFUSED | EHOSTUNREACH | ENETUNREACH | EHOSTDOWN | ENOPROTOOPT)
    )
}

async fn receive(udp: Arc<UdpSocket>, shared: Arc<Shared>) {
    let mut buf = vec![0; MAX_DATAGRAM];
    loop {
        let Ok(ready) = udp.ready(Interest::READABLE | Interest::ERROR).await else {
            return;
        };
        if ready.is_error() {
            let _ = udp.try_io(Interest::ERROR, || drain_errors(&udp, &shared));
        }
        for _ in 0..BATCH {
            match udp.try_recv_from(&mut buf) {
                Ok((n, peer)) => shared.received(peer, buf.get(..n).unwrap_or_default()),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => break,
                // The pending error of the socket; its details are in the error queue.
                Err(_) => {
                    let _ = drain_errors(&udp, &shared);
                }
            }
        }
        tokio::task::yield_now().await;
    }
}

/// Reads the error queue until it is empty (then `WouldBlock`). The address of each entry is the one that our
/// datagram was for.
fn drain_errors(udp: &UdpSocket, shared: &Shared) -> io::Result<()> {
    let mut buf = [0; MAX_DATAGRAM];
    let mut control = nix::cmsg_space!([u8; 64]);
    loop {
        let mut iov = [io::IoSliceMut::new(&mut buf)];
        let message = recvmsg::<SockaddrStorage>(
            udp.as_raw_fd(),
            &mut iov,
            Some(&mut control),
            MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT,
        )
        .map_err(io::Error::from)?;
        if let Some(peer) = message.address.as_ref().and_then(to_std) {
            shared.refused(peer);
        }
    }
}

fn to_std(address: &SockaddrStorage) -> Option<SocketAddr> {
    if let Some(v4) = address.as_sockaddr_in() {
        return Some(SocketAddr::from((v4.ip(), v4.port())));
    }
    let v6 = address.as_sockaddr_in6()?;
    Some(SocketAddr::V6(std::net::SocketAddrV6::new(
        v6.ip(),
        v6.port(),
        0,
        v6.scope_id(),
    )))
}
