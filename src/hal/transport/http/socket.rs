//! A blocking TCP connection on which no read or write lasts beyond a deadline, however slowly bytes drip.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

/// How much of the server's first bytes is kept, to tell plain HTTP from TLS.
const FIRST: usize = 16;

/// A TCP stream with a moving deadline.
#[derive(Debug)]
pub(super) struct DeadlineSocket {
    tcp: Arc<TcpStream>,
    deadline: Option<Instant>,
    first: Vec<u8>,
}

impl DeadlineSocket {
    /// Takes over a connected stream and makes it blocking.
    pub(super) fn new(tcp: TcpStream) -> io::Result<Self> {
        tcp.set_nonblocking(false)?;
        tcp.set_nodelay(true)?;
        Ok(Self {
            tcp: Arc::new(tcp),
            deadline: None,
            first: Vec::new(),
        })
    }

    /// Everything after this moment fails with `TimedOut`; `None` waits for ever.
    pub(super) fn set_deadline(&mut self, deadline: Option<Instant>) {
        self.deadline = deadline;
    }

    /// The first bytes that the server sent (at most 16).
    pub(super) fn first_bytes(&self) -> &[u8] {
        &self.first
    }

    /// Is the connection idle and still there? Bytes that nobody asked for count as no.
    pub(super) fn is_idle(&self) -> bool {
        let idle = self.tcp.set_nonblocking(true).is_ok()
            && matches!(self.tcp.peek(&mut [0]), Err(e) if e.kind() == io::ErrorKind::WouldBlock);
        idle && self.tcp.set_nonblocking(false).is_ok()
    }

    /// A handle by which another thread can end the connection.
    pub(super) fn handle(&self) -> Handle {
        Handle(Arc::downgrade(&self.tcp))
    }

    fn left(&self) -> io::Result<Option<Duration>> {
        match self.deadline {
            None => Ok(None),
            Some(at) => match at.checked_duration_since(Instant::now()) {
                Some(left) if !left.is_zero() => Ok(Some(left)),
                _ => Err(io::ErrorKind::TimedOut.into()),
            },
        }
    }
}

/// A connection seen from another thread.
#[derive(Debug, Default)]
pub(super) struct Handle(Weak<TcpStream>);

impl Handle {
    /// Ends the connection: whoever waits on it goes on at once.
    pub(super) fn shut(&self) {
        if let Some(tcp) = self.0.upgrade() {
            let _ = tcp.shutdown(Shutdown::Both);
        }
    }
}

/// A socket timeout is reported as `WouldBlock`.
fn timed_out(error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::WouldBlock {
        io::ErrorKind::TimedOut.into()
    } else {
        error
    }
}

impl Read for DeadlineSocket {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.tcp.set_read_timeout(self.left()?)?;
        let n = (&*self.tcp).read(buf).map_err(timed_out)?;
        if self.first.len() < FIRST {
            let got = buf.get(..n).unwrap_or_default();
            let wanted = FIRST - self.first.len();
            self.first.extend(got.iter().take(wanted));
        }
        Ok(n)
    }
}

impl Write for DeadlineSocket {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.tcp.set_write_timeout(self.left()?)?;
        (&*self.tcp).write(buf).map_err(timed_out)
    }

    fn flush(&mut self) -> io::Result<()> {
        (&*self.tcp).flush()
    }
}
