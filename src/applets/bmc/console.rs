//! `console`: the host's serial console at the terminal, or in a pipe.

mod escape;
mod terminal;

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use tokio::sync::mpsc;

use crate::applets::common::exit::Failure;
use crate::applets::common::{duration, process};
use crate::hal::Error;
use crate::hal::model::console::{
    ConsoleEvent, ConsoleInput, ConsoleNotice, ConsoleOptions, ConsoleStream,
};
use crate::hal::model::{Cancel, Cx};

use super::connect::Door;
use super::options::Options;
use escape::{Escapes, Typed};
use terminal::Raw;

/// The word on the command line.
pub(super) const NAME: &str = "console";

/// How long a lost console is tried again.
const RECONNECT: Duration = Duration::from_mins(10);
/// How long giving the line back may take.
const GOODBYE: Duration = Duration::from_secs(1);

const HELP: &str = "\r\n~.  leave\r\n~B  send a break\r\n~~  send a tilde\r\n~?  this help\r\n";

/// Its command line.
pub(super) fn command() -> Command {
    let flag = |name: &'static str, help: &'static str| {
        Arg::new(name)
            .long(name)
            .action(ArgAction::SetTrue)
            .help(help)
    };
    Command::new(NAME)
        .about("Serial console of the machine; ~. leaves it")
        .arg(flag("steal", "Take the line from whoever has it"))
        .arg(flag(
            "allow-unencrypted",
            "Go on without encryption where the BMC cannot do it",
        ))
        .arg(flag("no-reconnect", "End when the line is lost"))
        .arg(flag(
            "follow",
            "In a pipe: go on reading after the end of the input",
        ))
        .arg(
            Arg::new("quiet")
                .long("quiet-after")
                .value_name("DURATION")
                .value_parser(duration::parse)
                .default_value("1s")
                .help("In a pipe: end when the host was silent for so long after the end of the input"),
        )
        .arg(
            Arg::new("log")
                .long("log")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .help("Append everything that the host says to FILE"),
        )
        .after_help(
            "At a terminal: ~. leaves, ~B sends a break, ~? helps, ~~ is a tilde; each at the beginning of a line.\n\
             In a pipe nothing is an escape; it ends when the input has ended and the host is quiet.",
        )
}

/// Runs it.
pub(super) fn run(leaf: &ArgMatches) -> Result<(), Failure> {
    let options = Options::from_matches(leaf)?;
    if options.targets.count() != 1 {
        return Err(Failure::usage("console: one target, please"));
    }
    let keeps = !leaf.get_flag("no-reconnect");
    let wanted = ConsoleOptions {
        steal: leaf.get_flag("steal"),
        allow_unencrypted: leaf.get_flag("allow-unencrypted"),
        reconnect: keeps.then_some(RECONNECT),
    };
    let pipe = Pipe {
        follow: leaf.get_flag("follow"),
        quiet: leaf
            .get_one::<Duration>("quiet")
            .copied()
            .unwrap_or(Duration::from_secs(1)),
    };
    let log = leaf.get_one::<PathBuf>("log").map(open_log).transpose()?;
    let options = options.with_credentials(leaf)?;
    process::block_on(1, |cancel| async move {
        // No other driver has a console yet.
        let door = Door::open(&options, true)?;
        let result = visit(&options, &door, wanted, pipe, log, cancel).await;
        door.close().await;
        result
    })
}

/// What ends it when nobody sits at a terminal.
struct Pipe {
    follow: bool,
    quiet: Duration,
}

/// The host may say secrets: only the owner reads the file.
fn open_log(path: &PathBuf) -> Result<File, Failure> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)
        .map_err(|e| Failure::failed(format!("--log {}: {e}", path.display())))
}

async fn visit(
    options: &Options,
    door: &Door,
    wanted: ConsoleOptions,
    pipe: Pipe,
    log: Option<File>,
    cancel: Cancel,
) -> Result<(), Failure> {
    let Some(target) = options.targets.iter().next() else {
        return Err(Failure::usage("console: no target"));
    };
    let cx = Cx::until(Instant::now() + options.timeout).with_cancel(cancel.clone());
    let bmc = door.bmc(&cx, &target).await?;
    let name = target.text.clone();
    let opened = bmc
        .console
        .call("console", |c| c.open(&cx, wanted.clone()))
        .await
        .map_err(|e| e.context(name.clone()))?;
    let raw = Raw::enter().map_err(|e| Failure::failed(format!("terminal: {e}")))?;
    let mut visit = Visit {
        name,
        by: opened.source.to_string(),
        stream: opened.value,
        at_terminal: raw.is_raw(),
        pipe,
        log,
        quiet_since: None,
    };
    let result = visit.pump(cancel).await;
    visit.leave().await;
    drop(raw);
    result
}

struct Visit {
    name: String,
    by: String,
    stream: ConsoleStream,
    at_terminal: bool,
    pipe: Pipe,
    log: Option<File>,
    /// The input has ended and is acknowledged; the host was silent since then.
    quiet_since: Option<Instant>,
}

impl Visit {
    /// Moves characters until it is over.
    async fn pump(&mut self, cancel: Cancel) -> Result<(), Failure> {
        let mut typed = terminal::typed();
        let (screen, writer) = terminal::shown();
        let input = self.stream.input.clone();
        let mut escapes = Escapes::default();
        let mut ended = false;
        let mut waiting: Option<ConsoleInput> = None;
        loop {
            let quiet = self.quiet_since.map(|since| since + self.pipe.quiet);
            tokio::select! {
                () = cancel.cancelled() => return Err(Failure::interrupted()),
                () = async { match quiet {
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
                                Typed::Quit => return Ok(()),
                                Typed::Help => say(HELP),
                                Typed::Break => self.give(ConsoleInput::Break).await,
                                Typed::Data(data) => self.give(ConsoleInput::Data(data)).await,
                            }
                        }
                    }
                    Some(bytes) => waiting = Some(ConsoleInput::Data(bytes)),
                    None => {
                        ended = true;
                        // An empty input is acknowledged by the next "drained".
                        waiting = Some(ConsoleInput::Data(Vec::new()));
                    }
                },
                event = self.stream.events.recv() => match event {
                    Some(event) => if self.happened(event, ended, &screen).await? {
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

    async fn give(&self, input: ConsoleInput) {
        // An error: the end is on its way.
        let _ = self.stream.input.send(input).await;
    }

    /// Is it over?
    async fn happened(
        &mut self,
        event: ConsoleEvent,
        ended: bool,
        screen: &mpsc::Sender<Vec<u8>>,
    ) -> Result<bool, Failure> {
        match event {
            ConsoleEvent::Data(data) => {
                if let Some(log) = &mut self.log {
                    log.write_all(&data)
                        .map_err(|e| Failure::failed(format!("--log: {e}")))?;
                }
                if self.quiet_since.is_some() {
                    self.quiet_since = Some(Instant::now());
                }
                // Nobody reads stdout any more: that is an end like any other.
                return Ok(screen.send(data).await.is_err());
            }
            ConsoleEvent::Drained if ended && !self.pipe.follow && !self.at_terminal => {
                self.quiet_since.get_or_insert_with(Instant::now);
            }
            ConsoleEvent::Drained => {}
            ConsoleEvent::Notice(notice) => self.tell(&words(&notice, &self.name, &self.by)),
            ConsoleEvent::Lost { why, again_in } => {
                self.tell(&format!("{why}; trying again in {} s", again_in.as_secs()));
            }
            ConsoleEvent::Ended(None) => return Ok(true),
            ConsoleEvent::Ended(Some(error)) => {
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
        let ConsoleStream { mut events, input } = self.stream;
        drop(input);
        let end = async { while events.recv().await.is_some() {} };
        let _ = tokio::time::timeout(GOODBYE, end).await;
    }
}

fn words(notice: &ConsoleNotice, name: &str, by: &str) -> String {
    match notice {
        ConsoleNotice::Open { encrypted, .. } => format!(
            "console of {name} over {by}{}, ~. leaves",
            if *encrypted { "" } else { ", NOT ENCRYPTED" }
        ),
        ConsoleNotice::Break => "the host sent a break".to_owned(),
        ConsoleNotice::Overrun => "the BMC lost characters of the host".to_owned(),
        ConsoleNotice::Gap => "characters are missing here".to_owned(),
        ConsoleNotice::Unacknowledged(n) => {
            format!("{n} typed characters may not have arrived")
        }
        ConsoleNotice::HostReady(true) => "the host takes characters".to_owned(),
        ConsoleNotice::HostReady(false) => {
            "the host is off or in reset: it takes no characters".to_owned()
        }
    }
}

fn say(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}
