//! Serves the reader of a console that comes over a stream of bytes, and opens the stream again when it was lost.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;

use super::{CHUNK, Dialer, Line, News, Protocol};
use crate::hal::error::{Error, Kind, Result};
use crate::hal::model::console::{
    ConsoleEvent, ConsoleInput, ConsoleNotice as Notice, ConsoleStream,
};

/// Events that wait for the reader, of at most [`CHUNK`] characters each: then the other side is made to wait.
const EVENTS: usize = 16;
/// Chunks of input that wait.
const INPUTS: usize = 16;
/// Silence after which a sign of life is asked for, and after which there is none.
const SILENT: Duration = Duration::from_secs(20);
const DEAD: Duration = Duration::from_secs(40);
/// As for consoles over IPMI.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
const ATTEMPT: Duration = Duration::from_secs(20);
/// A console that the other side closes sooner than this is not to be had.
const STOOD: Duration = Duration::from_secs(5);
/// What waits for the other side at most: who asks on and on and takes no answer is left.
const WAITING: usize = 1 << 20;
/// How long a goodbye may take.
const GOODBYE: Duration = Duration::from_millis(500);

/// Serves `line` until its reader goes; when it is lost, `dialer` opens it again for as long as `reconnect`. Needs a runtime.
pub fn keep(dialer: Arc<dyn Dialer>, line: Line, reconnect: Option<Duration>) -> ConsoleStream {
    let (to_reader, events) = mpsc::channel(EVENTS);
    let (input, from_reader) = mpsc::channel(INPUTS);
    let pump = Pump {
        dialer,
        reconnect,
        events: to_reader,
        input: from_reader,
        outbox: VecDeque::new(),
        typed: VecDeque::new(),
        owing: None,
        pings: VecDeque::new(),
    };
    tokio::spawn(pump.run(line));
    ConsoleStream { events, input }
}

struct Pump {
    dialer: Arc<dyn Dialer>,
    reconnect: Option<Duration>,
    events: mpsc::Sender<ConsoleEvent>,
    input: mpsc::Receiver<ConsoleInput>,
    outbox: VecDeque<ConsoleEvent>,
    typed: VecDeque<u8>,
    /// The acknowledgement of what was typed is to be told under this number.
    owing: Option<u64>,
    /// Unanswered pings; does the answer acknowledge all that was typed?
    pings: VecDeque<bool>,
}

/// Why a line is not served any more.
enum End {
    /// Nobody reads.
    Deserted,
    /// It may come back.
    Lost(Error),
    /// It will not.
    Over(Error),
}

/// What happened.
enum Did {
    Read(io::Result<usize>),
    Wrote(io::Result<usize>),
    Typed(Option<ConsoleInput>),
    Took,
    Deserted,
    Late,
}

impl Pump {
    async fn run(mut self, mut line: Line) {
        loop {
            let opened = Instant::now();
            self.outbox.push_back(ConsoleEvent::Notice(Notice::Open {
                limit: CHUNK,
                encrypted: line.protocol.is_encrypted(),
            }));
            let end = self.serve(&mut line, opened).await;
            goodbye(&mut line).await;
            drop(line);
            let lost = match end {
                End::Deserted => return,
                End::Over(error) => return self.end(error).await,
                End::Lost(error) => error,
            };
            match self.again(lost).await {
                Ok(Some(next)) => line = next,
                Ok(None) => return,
                Err(error) => return self.end(error).await,
            }
        }
    }

    async fn end(mut self, error: Error) {
        self.outbox.push_back(ConsoleEvent::Ended(Some(error)));
        while let Some(event) = self.outbox.pop_front() {
            if self.events.send(event).await.is_err() {
                return;
            }
        }
    }

    /// Opens the line again. `None`: the reader has gone.
    async fn again(&mut self, mut lost: Error) -> Result<Option<Line>> {
        let Some(patience) = self.reconnect else {
            return Err(lost);
        };
        let until = Instant::now() + patience;
        let mut pause = FIRST_PAUSE;
        self.pings.clear();
        // What was typed for the old line, or for none, is not for whatever comes next.
        let mut unsent = std::mem::take(&mut self.typed).len();
        loop {
            self.unsent(&mut unsent);
            let passes = matches!(
                lost.kind(),
                Kind::Timeout | Kind::Unreachable | Kind::Busy | Kind::Protocol
            );
            if !passes || Instant::now() + pause > until {
                return Err(lost);
            }
            self.outbox.push_back(ConsoleEvent::Lost {
                why: lost.chain(),
                again_in: pause,
            });
            let wait = tokio::time::sleep(pause);
            tokio::pin!(wait);
            loop {
                let full = !self.outbox.is_empty();
                tokio::select! {
                    () = &mut wait => break,
                    () = self.events.closed() => return Ok(None),
                    place = self.events.reserve(), if full => if let (Ok(place), Some(event)) = (place, self.outbox.pop_front()) {
                        place.send(event);
                    },
                    // Nobody takes it: a reader that goes on typing is not made to wait.
                    typed = self.input.recv() => match typed {
                        Some(ConsoleInput::Data(data)) => unsent += data.len(),
                        Some(ConsoleInput::Break) => {}
                        Some(ConsoleInput::Flush(number)) => self.owing = Some(number),
                        None => return Ok(None),
                    },
                }
            }
            let dialled = tokio::select! {
                dialled = tokio::time::timeout(ATTEMPT, self.dialer.dial()) => dialled,
                () = self.events.closed() => return Ok(None),
            };
            lost = match dialled {
                Ok(Ok(line)) => {
                    self.unsent(&mut unsent);
                    return Ok(Some(line));
                }
                Ok(Err(error)) => error,
                Err(_) => Error::new(Kind::Timeout, "the console was not open in time"),
            };
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Says how much of what was typed nobody got.
    fn unsent(&mut self, characters: &mut usize) {
        if *characters > 0 {
            let news = Notice::Unacknowledged(std::mem::take(characters));
            self.outbox.push_back(ConsoleEvent::Notice(news));
        }
    }

    /// Moves characters until something ends it.
    async fn serve(&mut self, line: &mut Line, opened: Instant) -> End {
        let (mut reader, mut writer) = tokio::io::split(&mut line.io);
        let protocol = &mut *line.protocol;
        let mut buffer = vec![0; CHUNK];
        let mut heard = Instant::now();
        loop {
            if let Err(end) = self.settle(protocol, opened) {
                return end;
            }
            let full = !self.outbox.is_empty();
            if full {
                // A reader that makes the other side wait is no silence of that side.
                heard = Instant::now();
            }
            let asks = self.pings.is_empty();
            let late = heard + if asks { SILENT } else { DEAD };
            let waits = !protocol.output().is_empty();
            if protocol.output().len() > WAITING {
                return End::Lost(broke("the other side takes nothing"));
            }
            let did = tokio::select! {
                n = reader.read(&mut buffer), if !full => Did::Read(n),
                n = writer.write(protocol.output()), if waits => Did::Wrote(n),
                place = self.events.reserve(), if full => match place {
                    Ok(place) => {
                        if let Some(event) = self.outbox.pop_front() {
                            place.send(event);
                        }
                        Did::Took
                    }
                    Err(_) => Did::Deserted,
                },
                typed = self.input.recv(), if self.typed.is_empty() => Did::Typed(typed),
                () = self.events.closed() => Did::Deserted,
                () = tokio::time::sleep_until(late.into()) => Did::Late,
            };
            let done = match did {
                Did::Read(Ok(n)) if n > 0 => {
                    heard = Instant::now();
                    protocol.receive(buffer.get(..n).unwrap_or_default())
                }
                Did::Read(Ok(_)) => Err(broke("the connection was closed")),
                Did::Wrote(Ok(n)) => {
                    protocol.sent(n);
                    Ok(())
                }
                Did::Read(Err(e)) | Did::Wrote(Err(e)) => Err(broke(e)),
                Did::Typed(Some(ConsoleInput::Data(data))) => {
                    self.typed.extend(data);
                    for acknowledges in &mut self.pings {
                        *acknowledges = false;
                    }
                    Ok(())
                }
                Did::Typed(Some(ConsoleInput::Break)) => protocol.send_break(),
                Did::Typed(Some(ConsoleInput::Flush(number))) => {
                    self.owing = Some(number);
                    Ok(())
                }
                Did::Took => Ok(()),
                Did::Typed(None) | Did::Deserted => return End::Deserted,
                Did::Late if asks => match protocol.ping() {
                    Ok(true) => {
                        self.pings.push_back(false);
                        Ok(())
                    }
                    // The system watches over what cannot be asked.
                    Ok(false) => {
                        heard = Instant::now();
                        Ok(())
                    }
                    Err(error) => Err(error),
                },
                Did::Late => Err(Error::new(Kind::Timeout, "the console does not answer")),
            };
            if let Err(error) = done {
                return End::Lost(error);
            }
        }
    }

    /// Does what needs no waiting.
    fn settle(&mut self, protocol: &mut dyn Protocol, opened: Instant) -> Result<(), End> {
        while let Some(news) = protocol.news() {
            match news {
                News::Data(data) => self.outbox.push_back(ConsoleEvent::Data(data)),
                News::Break => self.outbox.push_back(ConsoleEvent::Notice(Notice::Break)),
                News::Pong => {
                    if self.pings.pop_front() == Some(true) {
                        self.drained();
                    }
                }
                News::Ended { why, lost } => {
                    let error = Error::new(Kind::Busy, "the other side closed the console");
                    let error = if why.is_empty() {
                        error
                    } else {
                        error.with_source(why)
                    };
                    return Err(if lost && opened.elapsed() > STOOD {
                        End::Lost(error)
                    } else {
                        End::Over(error)
                    });
                }
            }
        }
        while !self.typed.is_empty() {
            let (head, _) = self.typed.as_slices();
            match protocol.write(head) {
                Ok(0) => break,
                Ok(n) => drop(self.typed.drain(..n)),
                Err(error) => return Err(End::Lost(error)),
            }
        }
        let all = self.owing.is_some() && self.typed.is_empty() && !self.pings.contains(&true);
        if all && protocol.output().is_empty() {
            match protocol.ping() {
                Ok(true) => self.pings.push_back(true),
                Ok(false) => self.drained(),
                Err(error) => return Err(End::Lost(error)),
            }
        }
        Ok(())
    }

    fn drained(&mut self) {
        if let Some(number) = self.owing.take() {
            self.outbox.push_back(ConsoleEvent::Drained(number));
        }
    }
}

fn broke(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::new(Kind::Unreachable, "the console was lost").with_source(cause)
}

/// Ends the line as its protocol wants it, if it still can.
async fn goodbye(line: &mut Line) {
    if line.protocol.close().is_err() {
        return;
    }
    let all = async {
        while !line.protocol.output().is_empty() {
            match line.io.write(line.protocol.output()).await {
                Ok(n) if n > 0 => line.protocol.sent(n),
                _ => return,
            }
        }
        let _ = line.io.shutdown().await;
    };
    let _ = tokio::time::timeout(GOODBYE, all).await;
}
