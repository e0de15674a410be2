//! From a connection that was accepted to one that speaks HTTP/2. Until its first words are there it is a stranger: it has
//! ten seconds for TLS and for these words, and goes when others need the place. So whoever only stands there, speaks
//! slowly or speaks something else keeps nobody else waiting.

use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::server::Connected;

use super::crowd::{Crowd, Seat, Seats};

/// Strangers at the same time.
const STRANGERS: usize = 2048;
/// Connections of one user or one address.
const EACH: usize = 1500;
/// All connections.
const ALL: usize = 8192;
/// Time for TLS and the first words.
const PATIENCE: Duration = Duration::from_secs(10);
/// What a client of HTTP/2 says first (RFC 9113 §3.4).
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Whose connection it is, as far as the kernel knows.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Peer {
    /// On the unix socket.
    User(u32),
    /// Over the network.
    Address(IpAddr),
}

/// The entry of the API; all listeners share it.
#[derive(Debug)]
pub struct Entry {
    strangers: Arc<Crowd>,
    seats: Arc<Seats<Peer>>,
}

impl Default for Entry {
    fn default() -> Self {
        Self {
            strangers: Crowd::new(STRANGERS),
            seats: Seats::new(EACH, ALL),
        }
    }
}

/// Connections that came in.
pub type Connections<S> = ReceiverStream<io::Result<Greeted<S>>>;

impl Entry {
    /// Lets one in, as soon as `secured` (TLS, where there is any) and its first words are done.
    pub fn admit<S>(
        &self,
        peer: Peer,
        secured: impl Future<Output = io::Result<S>> + Send + 'static,
        to: &mpsc::Sender<io::Result<Greeted<S>>>,
    ) where
        S: AsyncRead + Unpin + Send + 'static,
    {
        let Some(seat) = self.seats.take(peer.clone()) else {
            log::info!("{peer:?}: too many connections");
            return;
        };
        let mut stranger = self.strangers.enter();
        let to = to.clone();
        tokio::spawn(async move {
            let greeting = async {
                let mut stream = secured.await?;
                let mut words = [0; PREFACE.len()];
                stream.read_exact(&mut words).await?;
                if words != *PREFACE {
                    return Err(io::Error::other("no HTTP/2"));
                }
                Ok(stream)
            };
            let greeted = tokio::select! {
                greeted = tokio::time::timeout(PATIENCE, greeting) => greeted,
                () = stranger.sent_away() => {
                    log::info!("{peer:?}: it said nothing, and others came");
                    return;
                }
            };
            drop(stranger);
            match greeted {
                Ok(Ok(stream)) => {
                    let greeted = Greeted {
                        words: 0,
                        stream,
                        _seat: seat,
                    };
                    let _ = to.send(Ok(greeted)).await;
                }
                Ok(Err(e)) => log::info!("{peer:?}: {e}"),
                Err(_) => log::info!("{peer:?}: it did not say what it wants"),
            }
        });
    }
}

/// A connection whose first words were heard; whoever reads hears them again.
#[derive(Debug)]
pub struct Greeted<S> {
    /// How many of them were read again.
    words: usize,
    stream: S,
    _seat: Seat<Peer>,
}

impl<S: Connected> Connected for Greeted<S> {
    type ConnectInfo = S::ConnectInfo;

    fn connect_info(&self) -> Self::ConnectInfo {
        self.stream.connect_info()
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Greeted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Some(left) = PREFACE.get(self.words..).filter(|l| !l.is_empty()) {
            let n = left.len().min(buf.remaining());
            buf.put_slice(left.get(..n).unwrap_or(left));
            self.words += n;
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Greeted<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
