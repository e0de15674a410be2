//! A visit: characters between the terminal (or a pipe) and a console, wherever that is.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::Manner;
use super::escape::{Escapes, Typed};
use super::terminal::{self, Raw};
use crate::applets::common::exit::Failure;
use crate::hal::Error;
use crate::hal::model::Cancel;

/// How long giving the line back may take.
const GOODBYE: Duration = Duration::from_secs(1);

const HELP: &str = "\r\n~.  leave\r\n~B  send a break\r\n~W  take over the writing\r\n~~  send a tilde\r\n~?  this help\r\n";

/// What a console says.
pub(super) enum Event {
    /// Characters of the host.
    Data(Vec<u8>),
    /// Something to be told.
    Words(String),
    /// All that was typed before this number is acknowledged.
    Flushed(u64),
    /// The end; with the reason, unless it was closed from here.
    Ended(Option<Error>),
}

/// What is done to a console.
pub(super) enum Input {
    Data(Vec<u8>),
    Break,
    TakeOver,
    /// Say when everything before is acknowledged.
    Flush(u64),
}

/// A console as the visitor sees it. Dropping the input leaves it.
pub(super) struct Wire {
    pub(super) events: mpsc::Receiver<Event>,
    pub(super) input: mpsc::Sender<Input>,
}

/// The numbers of the two occasions on which it matters that all is acknowledged.
const INPUT_ENDED: u64 = 1;
const LEAVING: u64 = 2;

/// Visits a console until it is over. The terminal is afterwards as it was before.
pub(super) async fn visit(
    name: String,
    wire: Wire,
    manner: Manner,
    cancel: Cancel,
) -> Result<(), Failure> {
    let raw = Raw::enter().map_err(|e| Failure::failed(format!("terminal: {e}")))?;
    let mut visit = Visit {
        name,
        wire,
        at_terminal: raw.is_raw(),
        manner,
        quiet_since: None,
    };
    let result = visit.pump(cancel).await;
    visit.leave().await;
    drop(raw);
    result
}

struct Visit {
    name: String,
    wire: Wire,
    at_terminal: bool,
    manner: Manner,
    /// The input has ended and is acknowledged; the host was silent since then.
    quiet_since: Option<Instant>,
}

impl Visit {
    /// Moves characters until it is over.
    async fn pump(&mut self, cancel: Cancel) -> Result<(), Failure> {
        let mut typed = terminal::typed();
        let (screen, writer) = terminal::shown();
        let input = self.wire.input.clone();
        let mut escapes = Escapes::default();
        // Who only watches in a pipe has no input that could end.
        let mut ended = self.manner.reads && !self.at_terminal;
        let mut waiting: Option<Input> = None;
        let mut leaving: Option<Instant> = None;
        loop {
            let quiet = self.quiet_since.map(|since| since + self.manner.quiet);
            let end = quiet.into_iter().chain(leaving).min();
            tokio::select! {
                () = cancel.cancelled() => return Err(Failure::interrupted()),
                () = async { match end {
                    Some(at) => tokio::time::sleep_until(at.into()).await,
                    None => std::future::pending().await,
                } } => break,
                place = input.reserve(), if waiting.is_some() => match place {
                    Ok(place) => if let Some(input) = waiting.take() {
                        place.send(input);
                    },
                    // The end is on its way.
                    Err(_) => waiting = None,
                },
                bytes = typed.recv(), if !ended && waiting.is_none() => match bytes {
                    Some(bytes) if self.at_terminal => {
                        for word in escapes.take(&bytes) {
                            match word {
                                // What was typed before is not lost.
                                Typed::Quit => {
                                    ended = true;
                                    leaving = Some(Instant::now() + GOODBYE);
                                    self.give(Input::Flush(LEAVING)).await;
                                    break;
                                }
                                Typed::Help => say(HELP),
                                Typed::Break => self.give(Input::Break).await,
                                Typed::TakeOver => self.give(Input::TakeOver).await,
                                Typed::Data(_) if self.manner.reads => {}
                                Typed::Data(data) => self.give(Input::Data(data)).await,
                            }
                        }
                    }
                    Some(bytes) => waiting = Some(Input::Data(bytes)),
                    None => {
                        ended = true;
                        waiting = Some(Input::Flush(INPUT_ENDED));
                    }
                },
                event = self.wire.events.recv() => match event {
                    Some(event) => if self.happened(event, &screen).await? {
                        break;
                    },
                    None => return Err(Failure::failed("the console ended without a word")),
                },
            }
        }
        drop(screen);
        // What came is on the screen before the prompt is.
        let written = tokio::task::spawn_blocking(move || writer.join()).await;
        if let Ok(Ok(Err(e))) = written
            && e.kind() != io::ErrorKind::BrokenPipe
        {
            return Err(Failure::failed(format!("stdout: {e}")));
        }
        Ok(())
    }

    async fn give(&self, input: Input) {
        // An error: the end is on its way. Nobody takes it: leaving is possible all the same.
        let _ = tokio::time::timeout(GOODBYE * 10, self.wire.input.send(input)).await;
    }

    /// Is it over?
    async fn happened(
        &mut self,
        event: Event,
        screen: &mpsc::Sender<Vec<u8>>,
    ) -> Result<bool, Failure> {
        match event {
            Event::Data(data) => {
                if let Some(log) = &mut self.manner.log {
                    log.write_all(&data)
                        .map_err(|e| Failure::failed(format!("--log: {e}")))?;
                }
                if self.quiet_since.is_some() {
                    self.quiet_since = Some(Instant::now());
                }
                // Nobody reads stdout any more: that is an end like any other.
                return Ok(screen.send(data).await.is_err());
            }
            Event::Flushed(LEAVING) | Event::Ended(None) => return Ok(true),
            Event::Flushed(_) if !self.manner.follow && !self.at_terminal => {
                self.quiet_since.get_or_insert_with(Instant::now);
            }
            Event::Flushed(_) => {}
            Event::Words(words) => self.tell(&words),
            Event::Ended(Some(error)) => {
                let error: Error = error.context(self.name.clone());
                return Err(error.into());
            }
        }
        Ok(false)
    }

    fn tell(&self, text: &str) {
        if self.at_terminal {
            say(&format!("\r\n[halbox: {text}]\r\n"));
        } else {
            say(&format!("halbox: {text}\n"));
        }
    }

    /// Gives the line back and waits until that is done.
    async fn leave(self) {
        let Wire { mut events, input } = self.wire;
        drop(input);
        let end = async { while events.recv().await.is_some() {} };
        let _ = tokio::time::timeout(GOODBYE, end).await;
    }
}

fn say(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}
