//! A serial console on a BMC's session: shared with everything else that is asked of that BMC, and opened again by
//! itself when the line was lost.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use crate::hal::error::{Error, Kind, Result};
use crate::hal::ipmi::learnt::LearntCell;
use crate::hal::ipmi::sol::{Console, Ended, Settings, Step};
use crate::hal::ipmi::{Request, Response};
use crate::hal::model::console::{
    ConsoleEvent, ConsoleInput, ConsoleNotice as Notice, ConsoleOptions, ConsoleStream,
};

/// Events that wait for the reader at most, and characters in them: then the BMC is told to wait.
const EVENTS: usize = 256;
const CHARACTERS: usize = 256 << 10;
/// Chunks of input that wait.
const INPUTS: usize = 16;
/// First pause before the line is opened again; doubled up to the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How long one attempt to open the line may take.
pub(super) const ATTEMPT: Duration = Duration::from_secs(20);

/// The actor's end.
pub(super) struct Serial {
    line: Settings,
    learnt: Arc<LearntCell>,
    reconnect: Option<Duration>,
    console: Console,
    events: mpsc::Sender<ConsoleEvent>,
    input: mpsc::Receiver<ConsoleInput>,
    /// Events that did not fit into the channel yet, and the characters in them.
    outbox: VecDeque<ConsoleEvent>,
    characters: usize,
    /// Typed characters that the line did not take yet.
    typed: VecDeque<u8>,
    /// Nobody reads any more.
    deserted: bool,
    /// It stood once: from then on it is opened again when lost.
    stood: bool,
    pause: Duration,
    retry: Option<Instant>,
    give_up: Option<Instant>,
    over: bool,
    /// The acknowledgement of what was typed is to be told under this number.
    owing: Option<u64>,
}

/// What the reader did.
enum Did {
    Typed(Option<ConsoleInput>),
    Took(bool),
}

/// What the actor is to do for the console.
pub(super) enum Work {
    Command { token: u64, request: Request },
    Payload(Vec<u8>),
}

impl Serial {
    /// Both ends of a new console.
    pub(super) fn new(options: &ConsoleOptions, learnt: Arc<LearntCell>) -> (Self, ConsoleStream) {
        let line = Settings {
            steal: options.steal,
            allow_plain: options.allow_unencrypted,
            first: learnt.snapshot().sol_number.unwrap_or(1),
            ..Settings::default()
        };
        let (to_reader, events) = mpsc::channel(EVENTS);
        let (input, from_reader) = mpsc::channel(INPUTS);
        let serial = Self {
            console: Console::new(line.clone()),
            line,
            learnt,
            reconnect: options.reconnect,
            events: to_reader,
            input: from_reader,
            outbox: VecDeque::new(),
            characters: 0,
            typed: VecDeque::new(),
            deserted: false,
            stood: false,
            pause: FIRST_PAUSE,
            retry: None,
            give_up: None,
            over: false,
            owing: None,
        };
        (serial, ConsoleStream { events, input })
    }

    /// Everything is said and done.
    pub(super) fn is_over(&self) -> bool {
        self.over && (self.outbox.is_empty() || self.deserted)
    }

    /// Does the line stand? Then it depends on the session under it.
    pub(super) fn stands(&self) -> bool {
        self.console.is_open()
    }

    /// Tells the reader that it cannot be, at once.
    pub(super) fn refuse(mut self, error: Error) {
        self.outbox.push_back(ConsoleEvent::Ended(Some(error)));
        self.flush();
    }

    /// The answer to a command of the console.
    pub(super) fn handle_reply(&mut self, now: Instant, token: u64, answer: Result<Response>) {
        self.console.handle_reply(now, token, answer);
    }

    /// A SOL payload.
    pub(super) fn handle_payload(&mut self, now: Instant, order: u32, bytes: &[u8]) {
        let room = CHARACTERS.saturating_sub(self.characters);
        self.console.handle_payload(now, order, bytes, room);
    }

    /// The session that it stood on is gone.
    pub(super) fn session_lost(&mut self) {
        self.console.session_lost();
    }

    /// Gives the line back.
    pub(super) fn close(&mut self) {
        self.retry = None;
        self.give_up = None;
        self.reconnect = None;
        if self.console.is_open() || self.retry.is_none() {
            self.console.close();
        }
    }

    /// The next thing to do, if any; deals with everything that only concerns the reader.
    pub(super) fn work(&mut self, now: Instant) -> Option<Work> {
        if self.retry.is_some_and(|at| at <= now) {
            self.retry = None;
            self.console = Console::new(self.line.clone());
        }
        self.console.handle_timeout(now);
        self.type_on();
        if let Some(number) = self.console.next_number() {
            self.line.first = number;
        }
        while let Some(step) = self.console.poll(now) {
            match step {
                Step::Command { token, request } => return Some(Work::Command { token, request }),
                Step::Payload(bytes) => return Some(Work::Payload(bytes)),
                Step::Data(data) => {
                    self.characters += data.len();
                    self.outbox.push_back(ConsoleEvent::Data(data));
                }
                Step::Notice(notice) => {
                    if matches!(notice, Notice::Open { .. }) {
                        self.stood = true;
                        self.pause = FIRST_PAUSE;
                        self.give_up = None;
                    }
                    self.outbox.push_back(ConsoleEvent::Notice(notice));
                }
                Step::Ended(why) => self.ended(now, why),
            }
            self.type_on();
        }
        if self.typed.is_empty()
            && self.console.is_idle()
            && let Some(number) = self.owing.take()
        {
            self.outbox.push_back(ConsoleEvent::Drained(number));
        }
        self.flush();
        None
    }

    fn type_on(&mut self) {
        if self.console.is_open() && !self.typed.is_empty() {
            let (head, _) = self.typed.as_slices();
            let n = self.console.write(head);
            self.typed.drain(..n);
        }
    }

    fn ended(&mut self, now: Instant, why: Ended) {
        let lost = match why {
            Ended::Closed => return self.end(None),
            Ended::Failed(error) => error,
            Ended::Deactivated => Error::new(Kind::Busy, "the BMC ended the serial console")
                .with_hint("somebody took the line over, or the BMC restarts"),
            Ended::Silent => Error::new(Kind::Timeout, "the serial console does not answer"),
            Ended::SessionLost => Error::new(Kind::Timeout, "the session of the console was lost"),
        };
        let Some(patience) = self.reconnect.filter(|_| self.stood && !self.deserted) else {
            return self.end(Some(lost));
        };
        let passes = matches!(
            lost.kind(),
            Kind::Timeout | Kind::Unreachable | Kind::Busy | Kind::Protocol | Kind::Indeterminate
        );
        let until = *self.give_up.get_or_insert(now + patience);
        if !passes || now + self.pause > until {
            return self.end(Some(lost));
        }
        // What was typed for the old line is not for whatever comes next.
        let unsent = self.typed.len();
        self.typed.clear();
        if unsent > 0 {
            let news = Notice::Unacknowledged(unsent);
            self.outbox.push_back(ConsoleEvent::Notice(news));
        }
        // Who took the line by force keeps it.
        self.line.steal = false;
        self.outbox.push_back(ConsoleEvent::Lost {
            why: lost.chain(),
            again_in: self.pause,
        });
        self.retry = Some(now + self.pause);
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
    }

    fn end(&mut self, error: Option<Error>) {
        let number = self.line.first;
        self.learnt.update(|l| l.sol_number = Some(number));
        self.over = true;
        self.outbox.push_back(ConsoleEvent::Ended(error));
    }

    /// Hands over what the reader takes.
    fn flush(&mut self) {
        let before = self.characters;
        while let Some(event) = self.outbox.pop_front() {
            let n = match &event {
                ConsoleEvent::Data(data) => data.len(),
                _ => 0,
            };
            match self.events.try_send(event) {
                Ok(()) => self.characters -= n,
                Err(mpsc::error::TrySendError::Full(event)) => {
                    self.outbox.push_front(event);
                    break;
                }
                Err(mpsc::error::TrySendError::Closed(_)) => {
                    self.outbox.clear();
                    self.characters = 0;
                    self.desert();
                    break;
                }
            }
        }
        if before >= CHARACTERS && self.characters < CHARACTERS {
            self.console.release();
        }
    }

    fn desert(&mut self) {
        if !self.deserted {
            self.deserted = true;
            if self.retry.take().is_some() {
                self.over = true;
            }
            self.close();
        }
    }

    /// Ends when the reader typed something, took something, or went away.
    pub(super) async fn next(&mut self) {
        let full = !self.outbox.is_empty();
        let reads = !self.deserted && self.typed.is_empty();
        let did = tokio::select! {
            input = self.input.recv(), if reads => Did::Typed(input),
            // A place that is not used comes free again at once; `flush` takes it.
            place = self.events.reserve(), if full => Did::Took(place.is_ok()),
            else => std::future::pending().await,
        };
        match did {
            Did::Typed(Some(ConsoleInput::Data(data))) => self.typed.extend(data),
            Did::Typed(Some(ConsoleInput::Break)) => self.console.send_break(),
            Did::Typed(Some(ConsoleInput::Flush(number))) => self.owing = Some(number),
            Did::Took(true) => self.flush(),
            Did::Typed(None) | Did::Took(false) => self.desert(),
        }
    }

    /// When [`Serial::work`] has something to do.
    pub(super) fn next_timeout(&self) -> Option<Instant> {
        [self.console.next_timeout(), self.retry]
            .into_iter()
            .flatten()
            .min()
    }
}
