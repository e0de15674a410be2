//! A console straight at a BMC (`--address`), or at a place that is none (`--console-url`).

use std::time::{Duration, Instant};

use clap::{Arg, ArgMatches, value_parser};
use tokio::sync::mpsc;

use super::Manner;
use super::visit::{Event, Input, Wire, visit};
use crate::applets::bmc::connect::Door;
use crate::applets::bmc::options::Options;
use crate::applets::common::exit::Failure;
use crate::applets::common::process;
use crate::hal::bmc::Bmc;
use crate::hal::connect::SshWay;
use crate::hal::drivers::console::attach_place;
use crate::hal::model::console::{
    ConsoleEvent, ConsoleInput, ConsoleNotice, ConsoleOptions, ConsoleStream,
};
use crate::hal::model::{Cancel, Cx};
use crate::hal::transport::line::Place;

/// How long a lost console is tried again.
const RECONNECT: Duration = Duration::from_mins(10);

/// Time to open a console that is no BMC's, unless `--timeout` says another.
const TIMEOUT: Duration = Duration::from_secs(20);

/// What only such consoles have.
pub(super) fn args() -> [Arg; 3] {
    [
        Arg::new("ssh-port")
            .long("ssh-port")
            .value_name("PORT")
            .conflicts_with("bmc")
            .value_parser(value_parser!(u16).range(1..))
            .help("TCP port of the console over SSH, where it is not the vendor's usual one"),
        Arg::new("ssh-host-key")
            .long("ssh-host-key")
            .value_name("SHA256:…")
            .conflicts_with("bmc")
            .help("Accept only the SSH host key with this fingerprint, and remember it instead of the one before"),
        Arg::new("console-url")
            .long("console-url")
            .value_name("URL")
            .value_parser(value_parser!(Place))
            .conflicts_with_all(["address", "bmc"])
            .help("A console without a BMC: tcp://HOST:PORT, telnet://HOST[:PORT] or file:/dev/…"),
    ]
}

fn wanted(leaf: &ArgMatches) -> ConsoleOptions {
    let keeps = !leaf.get_flag("no-reconnect");
    ConsoleOptions {
        steal: leaf.get_flag("steal"),
        allow_unencrypted: leaf.get_flag("allow-unencrypted"),
        reconnect: keeps.then_some(RECONNECT),
    }
}

/// Visits a console without a BMC.
pub(super) fn at_place(leaf: &ArgMatches, manner: Manner) -> Result<(), Failure> {
    let Some(place) = leaf.get_one::<Place>("console-url").cloned() else {
        return Err(Failure::usage("console: no --console-url"));
    };
    let wanted = wanted(leaf);
    let patience = leaf.get_one::<Duration>("timeout").copied();
    process::block_on(1, |cancel| async move {
        let name = place.to_string();
        let mut bmc = Bmc::default();
        attach_place(&mut bmc, place);
        let cx = Cx::until(Instant::now() + patience.unwrap_or(TIMEOUT));
        let cx = cx.with_cancel(cancel.clone());
        attach(&bmc, &cx, name, wanted, manner, cancel).await
    })
}

/// Visits it.
pub(super) fn run(leaf: &ArgMatches, manner: Manner) -> Result<(), Failure> {
    let options = Options::from_matches(leaf)?;
    if options.targets.count() != 1 {
        return Err(Failure::usage("console: one target, please"));
    }
    let wanted = wanted(leaf);
    let ssh = SshWay {
        port: leaf.get_one::<u16>("ssh-port").copied(),
        host_key: leaf.get_one::<String>("ssh-host-key").cloned(),
    };
    let options = options.with_credentials(leaf)?;
    process::block_on(1, |cancel| async move {
        let door = Door::open(&options, false)?.with_ssh(ssh);
        let result = at_address(&options, &door, wanted, manner, cancel).await;
        door.close().await;
        result
    })
}

async fn at_address(
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
    attach(&bmc, &cx, name, wanted, manner, cancel).await
}

async fn attach(
    bmc: &Bmc,
    cx: &Cx,
    name: String,
    wanted: ConsoleOptions,
    manner: Manner,
    cancel: Cancel,
) -> Result<(), Failure> {
    let opened = bmc
        .console
        .call("console", |c| c.open(cx, wanted.clone()))
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
    tokio::spawn(async move {
        while let Some(input) = typed.recv().await {
            let input = match input {
                Input::Data(data) => ConsoleInput::Data(data),
                Input::Break => ConsoleInput::Break,
                // There is nobody to take it from.
                Input::TakeOver => continue,
                Input::Flush(number) => ConsoleInput::Flush(number),
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
                ConsoleEvent::Drained(number) => Event::Flushed(number),
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What was acknowledged before is no answer to what is asked now.
    #[tokio::test]
    async fn only_the_own_flush_is_answered() {
        let (host, from_host) = mpsc::channel(16);
        let (to_host, mut typed) = mpsc::channel(16);
        let stream = ConsoleStream {
            events: from_host,
            input: to_host,
        };
        let mut wire = wire(stream, String::new(), String::new());
        host.send(ConsoleEvent::Drained(1)).await.unwrap();
        for input in [Input::Data(b"ls".to_vec()), Input::Flush(2)] {
            wire.input.send(input).await.unwrap();
        }
        assert!(matches!(typed.recv().await, Some(ConsoleInput::Data(_))));
        assert!(matches!(typed.recv().await, Some(ConsoleInput::Flush(2))));
        host.send(ConsoleEvent::Data(b"late".to_vec()))
            .await
            .unwrap();
        host.send(ConsoleEvent::Drained(2)).await.unwrap();
        let mut got = Vec::new();
        for _ in 0..3 {
            got.push(match wire.events.recv().await {
                Some(Event::Flushed(number)) => number.to_string(),
                Some(Event::Data(data)) => String::from_utf8(data).unwrap(),
                _ => String::new(),
            });
        }
        assert_eq!(got, ["1", "late", "2"]);
    }
}
