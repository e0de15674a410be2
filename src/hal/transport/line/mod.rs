//! Serial consoles over a stream of bytes: SSH, telnet, plain TCP, a device. What carries the bytes ([`Io`]), what they
//! mean ([`Protocol`]), how one gets there again ([`Dialer`]), and the pump that serves the reader meanwhile ([`keep`]).

mod device;
mod place;
mod pump;
mod ssh;
mod tcp;
mod telnet;

use std::collections::VecDeque;
use std::fmt;

use tokio::io::{AsyncRead, AsyncWrite};

use crate::hal::error::Result;
use crate::hal::model::BoxFuture;

pub use place::Place;
pub use pump::keep;
pub use ssh::{dial as dial_ssh, greet};

/// Most bytes of one read, and so of one event.
const CHUNK: usize = 16 << 10;

/// What carries the bytes.
pub trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// News of a line.
#[derive(Debug)]
pub enum News {
    /// Characters of the host.
    Data(Vec<u8>),
    /// The host sent a break.
    Break,
    /// The answer to the oldest ping.
    Pong,
    /// The other side closed the console: how, and whether that is a loss.
    Ended {
        /// In words, may be blank.
        why: String,
        /// It was not somebody's wish.
        lost: bool,
    },
}

/// What the bytes mean; sans-IO.
pub trait Protocol: Send {
    /// Takes what came.
    fn receive(&mut self, bytes: &[u8]) -> Result<()>;
    /// What is to go.
    fn output(&self) -> &[u8];
    /// So much of it went.
    fn sent(&mut self, n: usize);
    /// The next news.
    fn news(&mut self) -> Option<News>;
    /// Takes typed characters; how many.
    fn write(&mut self, data: &[u8]) -> Result<usize>;
    /// Sends a break.
    fn send_break(&mut self) -> Result<()>;
    /// Asks the other side for a sign of life. `false`: there is no such thing.
    fn ping(&mut self) -> Result<bool>;
    /// Says goodbye.
    fn close(&mut self) -> Result<()>;
    /// Can nobody on the way read along?
    fn is_encrypted(&self) -> bool;
}

/// A line that stands.
pub struct Line {
    /// What carries it.
    pub io: Box<dyn Io>,
    /// What it means.
    pub protocol: Box<dyn Protocol>,
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line").finish_non_exhaustive()
    }
}

/// Opens the same line again.
pub trait Dialer: Send + Sync {
    /// Until it stands, or cannot.
    fn dial(&self) -> BoxFuture<'_, Result<Line>>;
}

/// Characters as they are.
#[derive(Debug, Default)]
struct Plain {
    out: Vec<u8>,
    news: VecDeque<Vec<u8>>,
}

/// Typed characters that wait for the carrier.
const OUTPUT: usize = 64 << 10;

impl Protocol for Plain {
    fn receive(&mut self, bytes: &[u8]) -> Result<()> {
        self.news.push_back(bytes.to_vec());
        Ok(())
    }

    fn output(&self) -> &[u8] {
        &self.out
    }

    fn sent(&mut self, n: usize) {
        self.out.drain(..n.min(self.out.len()));
    }

    fn news(&mut self) -> Option<News> {
        self.news.pop_front().map(News::Data)
    }

    fn write(&mut self, data: &[u8]) -> Result<usize> {
        let room = OUTPUT.saturating_sub(self.out.len()).min(data.len());
        self.out.extend(data.get(..room).unwrap_or_default());
        Ok(room)
    }

    /// There is no way to say it.
    fn send_break(&mut self) -> Result<()> {
        log::warn!("this line cannot carry a break");
        Ok(())
    }

    fn ping(&mut self) -> Result<bool> {
        Ok(false)
    }

    fn close(&mut self) -> Result<()> {
        Ok(())
    }

    fn is_encrypted(&self) -> bool {
        false
    }
}
