//! A serial console as its reader sees it, whatever carries it.

use std::fmt;
use std::time::Duration;

use serde::Serialize;
use tokio::sync::mpsc;

use crate::hal::error::Error;

/// Whether the line is free, without opening it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConsoleState {
    /// What carries it: `SOL`, `SSH`.
    pub protocol: &'static str,
    /// Consoles that can be open at once.
    pub capacity: u8,
    /// Consoles that are open now, here or elsewhere.
    pub open: u8,
}

/// How a console is opened and kept.
#[derive(Debug, Clone, Default)]
pub struct ConsoleOptions {
    /// Take the line from whoever has it.
    pub steal: bool,
    /// Go on without encryption where the BMC cannot do it.
    pub allow_unencrypted: bool,
    /// Open it again when it was lost, for as long as this; `None` = end then.
    pub reconnect: Option<Duration>,
}

/// Something that the reader of a console has to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConsoleNotice {
    /// The line stands.
    Open {
        /// Characters per packet towards the BMC.
        limit: usize,
        /// Is it encrypted?
        encrypted: bool,
    },
    /// The host sent a break.
    Break,
    /// The BMC lost characters of the host.
    Overrun,
    /// Characters of the host never arrived here.
    Gap,
    /// So many typed characters were never acknowledged.
    Unacknowledged(usize),
    /// The host takes characters (again), or not: it is off or in reset.
    HostReady(bool),
}

/// What a console says to its reader.
#[derive(Debug)]
pub enum ConsoleEvent {
    /// Characters of the host.
    Data(Vec<u8>),
    /// News of the line.
    Notice(ConsoleNotice),
    /// All that was typed before the [`ConsoleInput::Flush`] with this number is acknowledged.
    Drained(u64),
    /// The line was lost for this reason and is opened again after so long.
    Lost {
        /// Why.
        why: String,
        /// When it is tried again.
        again_in: Duration,
    },
    /// The end; with the reason, unless it was closed from here.
    Ended(Option<Error>),
}

/// What a reader does to the line.
#[derive(Debug)]
pub enum ConsoleInput {
    /// Typed characters.
    Data(Vec<u8>),
    /// A break.
    Break,
    /// Say when everything before is acknowledged: [`ConsoleEvent::Drained`]. One at a time.
    Flush(u64),
}

/// The reader's end of a console. Dropping it gives the line back.
#[derive(Debug)]
pub struct ConsoleStream {
    /// What comes. Who does not take it makes the BMC wait.
    pub events: mpsc::Receiver<ConsoleEvent>,
    /// What goes.
    pub input: mpsc::Sender<ConsoleInput>,
}

/// How a BMC gives its console over SSH.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SshConsole {
    /// TCP port.
    pub port: u16,
    /// What is run there; `None`: the port is the console.
    pub command: Option<&'static str>,
    /// What is typed to leave it.
    pub leave: &'static str,
    /// What is typed for a break; `None`: SSH's own request.
    pub break_keys: Option<&'static str>,
    /// It is asked before SOL.
    pub first: bool,
}

/// `SSH 22 console com2, before SOL`: quirks are shown to people by their Debug.
impl fmt::Debug for SshConsole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SSH {}", self.port)?;
        if let Some(command) = self.command {
            write!(f, " {command}")?;
        }
        f.write_str(if self.first {
            ", before SOL"
        } else {
            ", behind SOL"
        })
    }
}
