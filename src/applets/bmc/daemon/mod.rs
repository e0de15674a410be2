//! `halbox bmc` through the daemon: the table's own commands, and every operation by MAC, UUID, address or prefix.

mod document;
mod operate;
mod table;
mod update;
mod watch;

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use crate::api::client::{Client, Papers};
use crate::api::fault::from_status;
use crate::api::proto;
use crate::applets::bmc::console;
use crate::applets::common::credentials::first_line;
use crate::applets::common::exit::Failure;
use crate::applets::common::output::Output;
use crate::applets::common::process;
use crate::applets::serve::config::SOCKET;
use crate::hal::Kind;
use crate::hal::model::{Cancel, Secret};

pub(super) use operate::{args as operation_args, run as operate};

/// A command of the table: its words, what it does, its options, its work.
struct Entry {
    name: &'static str,
    about: &'static str,
    args: fn(Command) -> Command,
    run: fn(&ArgMatches, Output) -> Result<(), Failure>,
}

const ENTRIES: &[Entry] = &[
    Entry {
        name: "ls",
        about: "BMCs of the daemon's table",
        args: list_args,
        run: list,
    },
    Entry {
        name: "describe",
        about: "All that is known of BMCs",
        args: describe_args,
        run: describe,
    },
    Entry {
        name: "update",
        about: "Credentials, drivers and relations of BMCs",
        args: update::args,
        run: update::run,
    },
    Entry {
        name: "add",
        about: "A BMC before any lease exists",
        args: add_args,
        run: add,
    },
    Entry {
        name: "rm",
        about: "Remove BMCs from the table",
        args: keys,
        run: remove,
    },
    Entry {
        name: "trust",
        about: "Accept the certificate (or vendor) that a BMC shows now",
        args: keys,
        run: trust,
    },
    Entry {
        name: "watch",
        about: "What changes in the table, as it happens",
        args: watch::args,
        run: watch::run,
    },
    Entry {
        name: "discover",
        about: "What is at addresses, asked by the daemon, without a login",
        args: discover_args,
        run: discover,
    },
    Entry {
        name: "console-grant",
        about: "A token for the console of one machine, and nothing else",
        args: console::grant_args,
        run: console::grant,
    },
    Entry {
        name: "status",
        about: "How the daemon is: leases, queues, failing BMCs",
        args: |c| c,
        run: status,
    },
];

/// Adds `--server` and what shows the daemon who we are.
pub(in crate::applets) fn options(command: Command) -> Command {
    let file = |name: &'static str, env: &'static str, help: &'static str| {
        Arg::new(name)
            .long(name)
            .value_name("FILE")
            .value_parser(value_parser!(PathBuf))
            .env(env)
            .hide_env(true)
            .global(true)
            .help_heading("Daemon")
            .help(help)
    };
    command
        .arg(
            Arg::new("server")
                .long("server")
                .value_name("URL")
                .env("HALBOX_SERVER")
                .hide_env(true)
                .global(true)
                .help_heading("Daemon")
                .help(format!(
                    "The daemon: unix://PATH or https://HOST:PORT [default: unix://{SOCKET}]"
                )),
        )
        .arg(file(
            "ca",
            "HALBOX_CA",
            "Certificate authorities of an https daemon (PEM)",
        ))
        .arg(file("cert", "HALBOX_CERT", "Our certificate (PEM)").requires("key"))
        .arg(file("key", "HALBOX_KEY", "Its key (PEM)").requires("cert"))
        .arg(file(
            "token-file",
            "HALBOX_TOKEN_FILE",
            "File whose first line is a token of the daemon",
        ))
}

/// Adds the options and the commands of the table.
pub(super) fn commands(command: Command) -> Command {
    let mut command = options(command);
    for entry in ENTRIES {
        command = command.subcommand((entry.args)(Command::new(entry.name).about(entry.about)));
    }
    command
}

/// Runs the command of the table that was named; `None` when it is none of them.
pub(super) fn run(matches: &ArgMatches) -> Option<Result<(), Failure>> {
    let (name, leaf) = matches.subcommand()?;
    let entry = ENTRIES.iter().find(|e| e.name == name)?;
    Some(Output::from_matches(leaf).and_then(|output| (entry.run)(leaf, output)))
}

/// Several BMCs by MAC, UUID, address or prefix.
fn keys(command: Command) -> Command {
    command.arg(
        Arg::new("bmc")
            .value_name("BMC")
            .required(true)
            .num_args(1..)
            .help("MAC, UUID of the machine, address, or a prefix of one of them"),
    )
}

fn named(m: &ArgMatches) -> Vec<String> {
    m.get_many::<String>("bmc")
        .map(|list| list.cloned().collect())
        .unwrap_or_default()
}

/// The daemon that the options name.
async fn connect(m: &ArgMatches) -> Result<Client, Failure> {
    let server = m.get_one::<String>("server").cloned();
    let server = server.unwrap_or_else(|| format!("unix://{SOCKET}"));
    let read = |name: &str| match m.get_one::<PathBuf>(name) {
        Some(path) => std::fs::read(path)
            .map(Some)
            .map_err(|e| Failure::usage(format!("{}: {e}", path.display()))),
        None => Ok(None),
    };
    let papers = Papers {
        ca: read("ca")?,
        certificate: read("cert")?.zip(read("key")?.map(Secret::new)),
        token: match m.get_one::<PathBuf>("token-file") {
            Some(path) => Some(first_line(path)?),
            None => None,
        },
    };
    Ok(Client::connect_as(&server, &papers).await?)
}

fn refused(status: &tonic::Status) -> Failure {
    Failure::from(from_status(status))
}

/// Runs work that needs the daemon; Ctrl-C ends it.
pub(in crate::applets) fn with_daemon<F>(
    m: &ArgMatches,
    work: impl FnOnce(Client, Cancel) -> F,
) -> Result<(), Failure>
where
    F: Future<Output = Result<(), Failure>>,
{
    process::block_on(1, |cancel| async move {
        let client = connect(m).await?;
        tokio::select! {
            done = work(client, cancel.clone()) => done,
            () = cancel.cancelled() => Err(Failure::interrupted()),
        }
    })
}

fn list_args(command: Command) -> Command {
    command
        .arg(
            Arg::new("all")
                .long("all")
                .action(ArgAction::SetTrue)
                .help("Also leases at which no driver was found"),
        )
        .arg(selector())
        .arg(
            Arg::new("watch")
                .long("watch")
                .short('w')
                .action(ArgAction::SetTrue)
                .help("Then show what changes"),
        )
}

/// `-l vendor=Dell,power=ON`
fn selector() -> Arg {
    Arg::new("selector")
        .short('l')
        .long("selector")
        .value_name("KEY=VALUE")
        .action(ArgAction::Append)
        .value_delimiter(',')
        .help("Only those that fit: vendor, driver, model, partition, machine_id, address, power")
}

fn selected(m: &ArgMatches) -> Result<std::collections::HashMap<String, String>, Failure> {
    let list = m.get_many::<String>("selector").into_iter().flatten();
    list.map(|text| {
        let (key, value) = text
            .split_once('=')
            .ok_or_else(|| Failure::usage(format!("-l {text}: not KEY=VALUE")))?;
        Ok((key.to_owned(), value.to_owned()))
    })
    .collect()
}

/// The rows that fit.
async fn rows(client: &Client, request: proto::ListRequest) -> Result<Vec<proto::Bmc>, Failure> {
    let mut stream = client
        .inventory()
        .list(request)
        .await
        .map_err(|s| refused(&s))?
        .into_inner();
    let mut rows = Vec::new();
    while let Some(row) = stream.message().await.map_err(|s| refused(&s))? {
        rows.push(row);
    }
    Ok(rows)
}

fn list(m: &ArgMatches, output: Output) -> Result<(), Failure> {
    let request = proto::ListRequest {
        all: m.get_flag("all"),
        selector: selected(m)?,
    };
    with_daemon(m, |client, _| async move {
        let rows = rows(&client, request).await?;
        let documents: Vec<_> = rows.iter().map(document::of).collect();
        output.print(&serde_json::json!({ "bmcs": documents }), "bmcs", || {
            table::of(&rows)
        })?;
        if m.get_flag("watch") {
            let revision = rows.iter().map(|r| r.revision).max().unwrap_or(0);
            watch::follow(&client, revision, &output).await?;
        }
        Ok(())
    })
}

fn describe_args(command: Command) -> Command {
    keys(command).arg(
        Arg::new("with-passwords")
            .long("with-passwords")
            .action(ArgAction::SetTrue)
            .help("Show the passwords, too; only for administrators, and it is logged"),
    )
}

fn describe(m: &ArgMatches, output: Output) -> Result<(), Failure> {
    let with_passwords = m.get_flag("with-passwords");
    with_daemon(m, |client, _| async move {
        let mut rows = Vec::new();
        for bmc in named(m) {
            let request = proto::GetRequest {
                bmc,
                with_passwords,
            };
            let row = client.inventory().get(request).await;
            rows.push(row.map_err(|s| refused(&s))?.into_inner());
        }
        // Documents are what people read here as well.
        let output = output.documents();
        if let [row] = rows.as_slice() {
            output.print(&document::of(row), "", || table::of(&rows))
        } else {
            show(&output, &rows)
        }
    })
}

fn add_args(command: Command) -> Command {
    command
        .arg(
            Arg::new("mac")
                .value_name("MAC")
                .required(true)
                .help("Its MAC"),
        )
        .arg(
            Arg::new("ip")
                .long("ip")
                .value_name("ADDRESS")
                .help("Its address; without one it is waited for a lease"),
        )
}

fn add(m: &ArgMatches, output: Output) -> Result<(), Failure> {
    let mac = m.get_one::<String>("mac").cloned().unwrap_or_default();
    if mac.parse::<std::net::IpAddr>().is_ok() {
        return Err(
            Failure::usage(format!("{mac} is an address; the MAC is the name of a BMC"))
                .hint(format!("halbox bmc add MAC --ip {mac}")),
        );
    }
    let request = proto::AddRequest {
        mac,
        address: m.get_one::<String>("ip").cloned(),
    };
    with_daemon(m, |client, _| async move {
        let row = client.inventory().add(request).await;
        show(&output, &[row.map_err(|s| refused(&s))?.into_inner()])
    })
}

/// Rows as they are after a change.
fn show(output: &Output, rows: &[proto::Bmc]) -> Result<(), Failure> {
    let documents: Vec<_> = rows.iter().map(document::of).collect();
    output.print(&serde_json::json!({ "bmcs": documents }), "bmcs", || {
        table::of(rows)
    })
}

fn remove(m: &ArgMatches, _: Output) -> Result<(), Failure> {
    crate::applets::common::confirm::write(m, "rm", named(m).len() as u64)?;
    with_daemon(m, |client, _| async move {
        for bmc in named(m) {
            let request = proto::RemoveRequest { bmc };
            client
                .inventory()
                .remove(request)
                .await
                .map_err(|s| refused(&s))?;
        }
        Ok(())
    })
}

fn trust(m: &ArgMatches, output: Output) -> Result<(), Failure> {
    with_daemon(m, |client, _| async move {
        let mut rows = Vec::new();
        for bmc in named(m) {
            let row = client.inventory().trust(proto::TrustRequest { bmc }).await;
            rows.push(row.map_err(|s| refused(&s))?.into_inner());
        }
        show(&output, &rows)
    })
}

fn discover_args(command: Command) -> Command {
    command.arg(
        Arg::new("target")
            .value_name("CIDR")
            .required(true)
            .num_args(1..)
            .help("Addresses and networks"),
    )
}

fn discover(m: &ArgMatches, output: Output) -> Result<(), Failure> {
    let targets = m.get_many::<String>("target").into_iter().flatten();
    let request = proto::DiscoverRequest {
        targets: targets.cloned().collect(),
    };
    with_daemon(m, |client, _| async move {
        let mut stream = client
            .discovery()
            .discover(request)
            .await
            .map_err(|s| refused(&s))?
            .into_inner();
        let mut found = Vec::new();
        while let Some(one) = stream.message().await.map_err(|s| refused(&s))? {
            let value: serde_json::Value = serde_json::from_str(&one.findings)
                .map_err(|e| Failure::failed(format!("the daemon's answer: {e}")))?;
            found.push(value);
        }
        output.print(&serde_json::json!({ "probes": found }), "probes", || {
            table::findings(&found)
        })
    })
}

fn status(m: &ArgMatches, output: Output) -> Result<(), Failure> {
    with_daemon(m, |client, _| async move {
        let status = client.discovery().status(proto::StatusRequest {}).await;
        let status = status.map_err(|s| refused(&s))?.into_inner();
        let document = document::status(&status);
        output.documents().print(&document, "", || table::of(&[]))
    })
}

/// A refusal because nobody is named.
fn nobody() -> Failure {
    Failure::from(crate::hal::Error::new(Kind::Config, "no target").with_hint(
        "name BMCs of the table (MAC, UUID, address), --all or -l KEY=VALUE; or --address TARGET without a daemon",
    ))
}
