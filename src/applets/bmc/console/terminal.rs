//! The terminal in raw mode, put back on every way out, and threads that move bytes between it and the console.

use std::io::{self, IsTerminal, Read, Write};
use std::thread;

use nix::sys::termios::{SetArg, Termios, cfmakeraw, tcgetattr, tcsetattr};
use tokio::sync::mpsc;

/// Bytes per read.
const CHUNK: usize = 4096;
/// Chunks that wait in each direction.
const WAITING: usize = 16;

/// The terminal in raw mode; as it was before when dropped, also by a panic.
pub(super) struct Raw(Option<Termios>);

impl Raw {
    /// Makes stdin raw, if it is a terminal.
    pub(super) fn enter() -> io::Result<Self> {
        let stdin = io::stdin();
        if !stdin.is_terminal() {
            return Ok(Self(None));
        }
        let before = tcgetattr(&stdin)?;
        let mut raw = before.clone();
        cfmakeraw(&mut raw);
        tcsetattr(&stdin, SetArg::TCSANOW, &raw)?;
        Ok(Self(Some(before)))
    }

    /// Is there a person at a terminal?
    pub(super) fn is_raw(&self) -> bool {
        self.0.is_some()
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            let _ = tcsetattr(io::stdin(), SetArg::TCSADRAIN, before);
        }
    }
}

/// What is typed, chunk by chunk; the channel ends with stdin. A thread of its own: a read from a terminal cannot be
/// called off, and the process need not wait for it.
pub(super) fn typed() -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel(WAITING);
    thread::spawn(move || {
        let mut stdin = io::stdin().lock();
        let mut buffer = [0; CHUNK];
        loop {
            match stdin.read(&mut buffer) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Ok(0) | Err(_) => return,
                Ok(n) => {
                    let bytes = buffer.get(..n).unwrap_or_default().to_vec();
                    if sender.blocking_send(bytes).is_err() {
                        return;
                    }
                }
            }
        }
    });
    receiver
}

/// Takes what is to be shown. A terminal that stands still (Ctrl-S) makes the sender wait, not the session.
pub(super) fn shown() -> (mpsc::Sender<Vec<u8>>, thread::JoinHandle<io::Result<()>>) {
    let (sender, mut receiver) = mpsc::channel::<Vec<u8>>(WAITING);
    let thread = thread::spawn(move || {
        let mut stdout = io::stdout().lock();
        while let Some(bytes) = receiver.blocking_recv() {
            stdout.write_all(&bytes)?;
            stdout.flush()?;
        }
        Ok(())
    });
    (sender, thread)
}
