//! The serial console: the BMC's port, and a host behind it that echoes what is typed.

use std::collections::VecDeque;
use std::time::Instant;

use crate::hal::ipmi::cmd::CompletionCode;
use crate::hal::ipmi::cmd::app::PayloadActivated;
use crate::hal::ipmi::sol::Server as Port;
use crate::hal::ipmi::sol::server::{Input, Manners};

/// What the host prints when it starts.
const HELLO: &[u8] = b"\r\nSimulated host, console ttyS0\r\n\r\nlogin: ";
/// What it prints on a break.
const BREAK: &[u8] = b"\r\n[break]\r\n";
/// Characters that the host has ready at most; then it reads no more.
const READY: usize = 16 << 10;

/// Console of one host.
#[derive(Debug)]
pub struct Console {
    port: Port,
    ready: VecDeque<u8>,
    starts: u32,
    breaks: u64,
}

impl Console {
    /// A console of a host that was started so often.
    pub fn new(starts: u32) -> Self {
        Self {
            port: Port::new(Manners::default()),
            ready: VecDeque::new(),
            starts,
            breaks: 0,
        }
    }

    /// Activate Payload.
    pub fn activate(
        &mut self,
        session: u8,
        auxiliary: u8,
        enabled: bool,
        port: u16,
    ) -> Result<PayloadActivated, CompletionCode> {
        self.port.set_manners(Manners {
            enabled,
            ..Manners::default()
        });
        self.port.activate(session, auxiliary, port)
    }

    /// Deactivate Payload.
    pub fn deactivate(&mut self, session: u8) -> Result<(), CompletionCode> {
        self.port.deactivate(session)
    }

    /// Handle of the session that has the line.
    pub fn holder(&self) -> Option<u8> {
        self.port.holder()
    }

    /// How often the reader said that it takes no more.
    pub fn refusals(&self) -> u64 {
        self.port.refusals()
    }

    /// Breaks that the host saw.
    pub fn breaks(&self) -> u64 {
        self.breaks
    }

    /// A session has ended.
    pub fn session_ended(&mut self, session: u8) {
        self.port.session_ended(session);
    }

    /// A SOL payload of a session.
    pub fn take(&mut self, now: Instant, session: u8, order: u32, payload: &[u8]) {
        self.port.handle_payload(now, session, order, payload);
    }

    /// The host does what is due: it echoes, it greets after a start, it is mute when off.
    pub fn host(&mut self, on: bool, starts: u32) {
        self.port.set_unavailable(!on);
        if starts != self.starts {
            self.starts = starts;
            self.ready.clear();
            self.ready.extend(HELLO);
        }
        while on && self.ready.len() < READY {
            match self.port.read() {
                Some(Input::Data(data)) => self.ready.extend(data),
                Some(Input::Break) => {
                    self.breaks += 1;
                    self.ready.extend(BREAK);
                }
                None => break,
            }
        }
        let n = self.ready.len().min(self.port.room());
        self.port
            .write(self.ready.make_contiguous().get(..n).unwrap_or_default());
        self.ready.drain(..n);
    }

    /// The next payload to send, and the handle of the session that it is for.
    pub fn poll(&mut self, now: Instant) -> Option<(u8, Vec<u8>)> {
        self.port.poll(now)
    }

    /// When [`Console::poll`] has something to do.
    pub fn next_timeout(&self) -> Option<Instant> {
        self.port.next_timeout()
    }
}
