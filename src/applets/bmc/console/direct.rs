//! A console straight at a BMC (`--address`).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clap::ArgMatches;
use tokio::sync::mpsc;

use super::Manner;
use super::visit::{Event, Input, Wire, visit};
use crate::applets::bmc::connect::Door;
use crate::applets::bmc::options::Options;
use crate::applets::common::exit::Failure;
use crate::applets::common::process;
use crate::hal::model::console::{
    ConsoleEvent, ConsoleInput, ConsoleNotice, ConsoleOptions, ConsoleStream,
};
use crate::hal::model::{Cancel, Cx};

/// How long a lost console is tried again.
const RECONNECT: Duration = Duration::from_mins(10);

/// Visits it.
pub(super) fn run(leaf: &ArgMatches, manner: Manner) -> Result<(), Failure> {
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
    let options = options.with_credentials(leaf)?;
    process::block_on(1, |cancel| async move {
        // No other driver has a console yet.
        let door = Door::open(&options, true)?;
        let result = attach(&options, &door, wanted, manner, cancel).await;
        door.close().await;
        result
    })
}

async fn attach(
    options: &Options,
    door: &Door,
    wanted: ConsoleOptions,
    manner: Manner,
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
    let by = opened.source.to_string();
    let wire = wire(opened.value, name.clone(), by);
    visit(name, wire, manner, cancel).await
}

/// The stream of a BMC as the visitor sees it. Whatever waits, waits in the stream.
fn wire(stream: ConsoleStream, name: String, by: String) -> Wire {
    let ConsoleStream {
        events: mut from_host,
        input: to_host,
    } = stream;
    let (to, events) = mpsc::channel(1);
    let (input, mut typed) = mpsc::channel(1);
    let flush = Arc::new(AtomicU64::new(0));
    let wanted = Arc::clone(&flush);
    tokio::spawn(async move {
        while let Some(input) = typed.recv().await {
            let input = match input {
                Input::Data(data) => ConsoleInput::Data(data),
                Input::Break => ConsoleInput::Break,
                // There is nobody to take it from.
                Input::TakeOver => continue,
                Input::Flush(number) => {
                    wanted.store(number, Ordering::Release);
                    // An empty input is acknowledged by the next "drained".
                    ConsoleInput::Data(Vec::new())
                }
            };
            if to_host.send(input).await.is_err() {
                return;
            }
        }
    });
    tokio::spawn(async move {
        while let Some(event) = from_host.recv().await {
            let event = match event {
                ConsoleEvent::Data(data) => Event::Data(data),
                ConsoleEvent::Notice(notice) => Event::Words(words(&notice, &name, &by)),
                ConsoleEvent::Drained => match flush.swap(0, Ordering::AcqRel) {
                    0 => continue,
                    number => Event::Flushed(number),
                },
                ConsoleEvent::Lost { why, again_in } => {
                    Event::Words(format!("{why}; trying again in {} s", again_in.as_secs()))
                }
                ConsoleEvent::Ended(error) => Event::Ended(error),
            };
            if to.send(event).await.is_err() {
                return;
            }
        }
    });
    Wire { events, input }
}

fn words(notice: &ConsoleNotice, name: &str, by: &str) -> String {
    match notice {
        ConsoleNotice::Open { encrypted, .. } => banner(name, by, *encrypted),
        other => crate::console::News::Notice(other.clone()).to_string(),
    }
}

/// What is said when the line stands: what it is, and how to leave.
pub(super) fn banner(name: &str, by: &str, encrypted: bool) -> String {
    let plain = if encrypted { "" } else { ", NOT ENCRYPTED" };
    format!("console of {name} over {by}{plain}, ~. leaves")
}
