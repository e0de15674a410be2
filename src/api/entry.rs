//! From a connection that was accepted to one that speaks HTTP/2. Until its first words are there it is a stranger: it has
//! ten seconds for TLS and for these words, and goes when others need the place. So whoever only stands there, speaks
//! slowly or speaks something else keeps nobody else waiting.

use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use rustls::pki_types::CertificateDer;
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
    /// On the unix socket; `None`: the kernel does not say whose.
    User(Option<u32>),
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

/// Certificates that a caller showed.
pub type Certificates = Arc<Vec<CertificateDer<'static>>>;

/// What is known of a caller before his first word.
#[derive(Debug, Clone)]
pub struct Introduction {
    /// Whose connection it is.
    pub peer: Peer,
    /// What he showed, over TLS.
    pub certificates: Option<Certificates>,
}

/// What carries a connection. Boxed: the server exists once, not once per kind of listener.
pub trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Wire for T {}

/// A connection that is secured as far as it will be.
pub type Secured = (Box<dyn Wire>, Option<Certificates>);

/// Connections that came in.
pub type Connections = ReceiverStream<io::Result<Greeted>>;

impl Entry {
    /// Lets one in, as soon as `secured` (TLS, where there is any) and its first words are done.
    pub fn admit(
        &self,
        peer: Peer,
        secured: impl Future<Output = io::Result<Secured>> + Send + 'static,
        to: &mpsc::Sender<io::Result<Greeted>>,
    ) {
        let Some(seat) = self.seats.take(peer.clone()) else {
            log::info!("{peer:?}: too many connections");
            return;
        };
        let mut stranger = self.strangers.enter();
        let to = to.clone();
        tokio::spawn(async move {
            let greeting = async {
                let (mut stream, certificates) = secured.await?;
                let mut words = [0; PREFACE.len()];
                stream.read_exact(&mut words).await?;
                if words != *PREFACE {
                    return Err(io::Error::other("no HTTP/2"));
                }
                Ok((stream, certificates))
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
                Ok(Ok((stream, certificates))) => {
                    let greeted = Greeted {
                        words: 0,
                        stream,
                        introduction: Introduction { peer, certificates },
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
pub struct Greeted {
    /// How many of them were read again.
    words: usize,
    stream: Box<dyn Wire>,
    introduction: Introduction,
    _seat: Seat<Peer>,
}

impl std::fmt::Debug for Greeted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Greeted")
            .field("introduction", &self.introduction)
            .finish_non_exhaustive()
    }
}

impl Connected for Greeted {
    type ConnectInfo = Introduction;

    fn connect_info(&self) -> Introduction {
        self.introduction.clone()
    }
}

impl AsyncRead for Greeted {
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

impl AsyncWrite for Greeted {
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
