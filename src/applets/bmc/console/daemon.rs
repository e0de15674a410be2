//! A console through the daemon: shared with others, recorded, and for who has a grant.

mod people;

use std::io::Write;
use std::time::{Duration, SystemTime};

use clap::{Arg, ArgAction, ArgMatches, Command};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::Manner;
use super::visit::{Event, Input, Wire, visit};
use crate::api::client::{Client, new_id};
use crate::api::fault::from_status;
use crate::api::proto::{
    AttachBegin, AttachRequest, AttachResponse, BmcRequest, ConsoleBreak, ConsoleWish,
    CreateGrantRequest, ListGrantsRequest, ReplayRequest, RevokeTokenRequest, TakeOver,
    attach_request, attach_response, replay_response,
};
use crate::applets::bmc::daemon::with_daemon;
use crate::applets::common::duration;
use crate::applets::common::exit::Failure;
use crate::applets::common::output::{Output, printable};
use crate::applets::common::table::{Table, column};
use crate::applets::token;
use crate::hal::ipmi::time::rfc3339;
use crate::hal::model::Cancel;
use people::People;

fn refused(status: &tonic::Status) -> Failure {
    Failure::from(from_status(status))
}

fn named(leaf: &ArgMatches) -> Result<String, Failure> {
    leaf.get_one::<String>("bmc").cloned().ok_or_else(|| {
        Failure::usage("console: no target").hint(
            "name a BMC of the table (MAC, UUID, address), or --address TARGET without a daemon",
        )
    })
}

/// Visits it.
pub(super) fn run(leaf: &ArgMatches, manner: Manner) -> Result<(), Failure> {
    let name = named(leaf)?;
    let at_terminal = std::io::IsTerminal::is_terminal(&std::io::stdin());
    let wish = match (manner.reads, leaf.get_flag("force")) {
        (true, _) => ConsoleWish::Read,
        (_, true) => ConsoleWish::TakeOver,
        // A script whose input goes nowhere would not notice.
        _ if !at_terminal => ConsoleWish::Write,
        _ => ConsoleWish::Unspecified,
    };
    let begin = AttachBegin {
        bmc: name.clone(),
        wish: wish.into(),
        steal: leaf.get_flag("steal"),
        allow_unencrypted: leaf.get_flag("allow-unencrypted"),
    };
    with_daemon(leaf, |client, cancel| async move {
        let wire = attach(&client, begin).await?;
        visit(name, wire, manner, cancel).await
    })
}

async fn attach(client: &Client, begin: AttachBegin) -> Result<Wire, Failure> {
    let message = |what| AttachRequest { what: Some(what) };
    let (requests, outgoing) = mpsc::channel(1);
    // There is room for the first one.
    let _ = requests.try_send(message(attach_request::What::Begin(begin)));
    let answers = client
        .consoles()
        .attach(ReceiverStream::new(outgoing))
        .await;
    let mut answers = answers.map_err(|s| refused(&s))?.into_inner();
    let (to, events) = mpsc::channel(1);
    let (input, mut typed) = mpsc::channel(1);
    let left = Cancel::new();
    let has_left = left.clone();
    tokio::spawn(async move {
        let mut people = People::default();
        loop {
            let answer = tokio::select! {
                answer = answers.message() => answer,
                () = has_left.cancelled() => return,
            };
            let event = match answer {
                Ok(Some(AttachResponse { what: Some(what) })) => match what {
                    attach_response::What::Data(data) => Event::Data(data),
                    attach_response::What::Welcome(welcome) => {
                        Event::Words(people.welcome(welcome))
                    }
                    attach_response::What::News(news) => match people.news(news) {
                        Some(event) => event,
                        None => continue,
                    },
                },
                Ok(Some(_)) => continue,
                Ok(None) => Event::Ended(None),
                Err(status) => Event::Ended(Some(from_status(&status))),
            };
            let over = matches!(event, Event::Ended(_));
            if to.send(event).await.is_err() || over {
                return;
            }
        }
    });
    tokio::spawn(async move {
        while let Some(input) = typed.recv().await {
            let what = match input {
                Input::Data(data) => attach_request::What::Data(data),
                Input::Break => attach_request::What::SendBreak(ConsoleBreak {}),
                Input::TakeOver => attach_request::What::TakeOver(TakeOver {}),
                Input::Flush(number) => attach_request::What::Flush(number),
            };
            if requests.send(message(what)).await.is_err() {
                return;
            }
        }
        // The daemon takes the end of the input for a reader that goes on.
        left.cancel();
    });
    Ok(Wire { events, input })
}

/// `--state`
pub(super) fn state(leaf: &ArgMatches) -> Result<(), Failure> {
    let output = Output::from_matches(leaf)?;
    let bmc = named(leaf)?;
    with_daemon(leaf, |client, _| async move {
        let state = client.consoles().state(BmcRequest { bmc }).await;
        let state = state.map_err(|s| refused(&s))?.into_inner();
        let time =
            |seat: &crate::api::proto::ConsoleSeat| seat.since.as_ref().map(|t| rfc3339(t.seconds));
        let people: Vec<_> = state
            .seats
            .iter()
            .map(|s| {
                let writes = state.writer == Some(s.id);
                serde_json::json!({"who": s.who, "writes": writes, "since": time(s)})
            })
            .collect();
        let document = serde_json::json!({
            "mac": state.mac, "protocol": state.protocol, "open": state.open,
            "capacity": state.capacity, "in_use": state.in_use, "people": people,
        });
        output.print(&document, "", || {
            let mut table = Table::new(&[
                column("MAC"),
                column("PROTOCOL"),
                column("OPEN"),
                column("WHO"),
                column("WRITES"),
                column("SINCE"),
            ]);
            let (open, protocol) = (state.open.to_string(), &state.protocol);
            if state.seats.is_empty() {
                let none = String::new;
                table.row([
                    state.mac.clone(),
                    protocol.clone(),
                    open.clone(),
                    none(),
                    none(),
                    none(),
                ]);
            }
            for seat in &state.seats {
                let writes = (state.writer == Some(seat.id)).to_string();
                table.row([
                    state.mac.clone(),
                    protocol.clone(),
                    open.clone(),
                    seat.who.clone(),
                    writes,
                    time(seat).unwrap_or_default(),
                ]);
            }
            table
        })
    })
}

/// `--replay`
pub(super) fn replay(leaf: &ArgMatches) -> Result<(), Failure> {
    let since = leaf.get_one::<Duration>("since").map(|ago| {
        let at = SystemTime::now().checked_sub(*ago);
        at.unwrap_or(SystemTime::UNIX_EPOCH).into()
    });
    let request = ReplayRequest {
        bmc: named(leaf)?,
        since,
        follow: leaf.get_flag("follow"),
    };
    let stamps = leaf.get_flag("timestamps");
    with_daemon(leaf, |client, _| async move {
        let stream = client.consoles().replay(request).await;
        let mut stream = stream.map_err(|s| refused(&s))?.into_inner();
        let mut begins = true;
        while let Some(one) = stream.message().await.map_err(|s| refused(&s))? {
            let at = one.at.map(|t| rfc3339(t.seconds)).unwrap_or_default();
            let mut out = std::io::stdout().lock();
            match one.what {
                Some(replay_response::What::Data(data)) if stamps => {
                    for line in data.split_inclusive(|b| *b == b'\n') {
                        if begins {
                            write!(out, "{at} ")?;
                        }
                        out.write_all(line)?;
                        begins = line.ends_with(b"\n");
                    }
                }
                Some(replay_response::What::Data(data)) => out.write_all(&data)?,
                Some(replay_response::What::Words(words)) => {
                    out.flush()?;
                    let text = format!("halbox: {at}: {}\n", printable(&words));
                    let _ = std::io::stderr().write_all(text.as_bytes());
                }
                None => {}
            }
            out.flush()?;
        }
        Ok(())
    })
}

/// Command line of `console-grant`.
pub(in crate::applets::bmc) fn grant_args(command: Command) -> Command {
    command
        .arg(
            Arg::new("bmc")
                .value_name("BMC")
                .required_unless_present_any(["list", "revoke"])
                .help("BMC of the machine: MAC, UUID of its machine, or address"),
        )
        .arg(
            Arg::new("for")
                .long("for")
                .value_name("DURATION")
                .value_parser(duration::parse)
                .required_unless_present_any(["list", "revoke"])
                .help("How long it lives, e.g. 8h"),
        )
        .arg(
            Arg::new("list")
                .long("list")
                .action(ArgAction::SetTrue)
                .conflicts_with_all(["for", "revoke"])
                .help("Show the grants that there are, without their text"),
        )
        .arg(
            Arg::new("revoke")
                .long("revoke")
                .value_name("ID")
                .conflicts_with_all(["for", "bmc"])
                .help("Take a grant back; sessions that stand on it end"),
        )
}

/// Runs `console-grant`.
pub(in crate::applets::bmc) fn grant(leaf: &ArgMatches, output: Output) -> Result<(), Failure> {
    let bmc = leaf.get_one::<String>("bmc").cloned();
    if let Some(id) = leaf.get_one::<String>("revoke").cloned() {
        return with_daemon(leaf, |client, _| async move {
            let revoked = client
                .consoles()
                .revoke_grant(RevokeTokenRequest {
                    id,
                    ..RevokeTokenRequest::default()
                })
                .await;
            revoked.map(drop).map_err(|s| refused(&s))
        });
    }
    if leaf.get_flag("list") {
        return with_daemon(leaf, |client, _| async move {
            let list = client
                .consoles()
                .list_grants(ListGrantsRequest { bmc })
                .await;
            let list = list.map_err(|s| refused(&s))?.into_inner();
            token::print(&list.tokens, &output)
        });
    }
    let ttl = leaf.get_one::<Duration>("for").copied().unwrap_or_default();
    let request = CreateGrantRequest {
        bmc: bmc.unwrap_or_default(),
        ttl: prost_types::Duration::try_from(ttl).ok(),
        request_id: new_id(),
    };
    with_daemon(leaf, |client, _| async move {
        let made = client.consoles().create_grant(request).await;
        let made = made.map_err(|s| refused(&s))?.into_inner();
        let mut out = std::io::stdout().lock();
        out.write_all(&made.text.unwrap_or_default().value)?;
        Ok(writeln!(out)?)
    })
}
