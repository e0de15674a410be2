//! `halbox bmc` through the daemon: the table's own commands, and every operation by MAC, UUID, address or prefix.

mod document;
mod events;
mod init;
mod operate;
mod select;
mod status;
mod table;
mod transfer;
mod update;
mod watch;

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use super::dry_run;
use crate::api::client::{Client, Papers};
use crate::api::convert::secret;
use crate::api::fault::{from_status, retry_after};
use crate::api::proto;
use crate::applets::bmc::console;
use crate::applets::common::credentials::{self, first_line};
use crate::applets::common::exit::Failure;
use crate::applets::common::output::Output;
use crate::applets::common::process;
use crate::applets::common::progress::Progress;
use crate::applets::common::wanted::Wanted;
use crate::applets::serve::config::SOCKET;
use crate::hal::Kind;
use crate::hal::model::{Cancel, MacAddr, Secret};

pub(super) use operate::{args as operation_args, run as operate};
use select::{Many, call, selected, selector};

/// A command of the table: its words, what it does, its options, its work.
struct Entry {
    name: &'static str,
    about: &'static str,
    /// Other words for it.
    aliases: &'static [&'static str],
    args: fn(Command) -> Command,
    run: fn(&ArgMatches, Output) -> Result<(), Failure>,
}

const ENTRIES: &[Entry] = &[
    Entry {
        name: "ls",
        about: "BMCs of the daemon's table",
        aliases: &["list"],
        args: list_args,
        run: list,
    },
    Entry {
        name: "describe",
        about: "All that is known of BMCs",
        aliases: &[],
        args: describe_args,
        run: describe,
    },
    Entry {
        name: "update",
        about: "Credentials, drivers and relations of BMCs",
        aliases: &[],
        args: update::args,
        run: update::run,
    },
    Entry {
        name: "add",
        about: "A BMC before any lease exists",
        aliases: &[],
        args: add_args,
        run: add,
    },
    Entry {
        name: "rm",
        about: "Remove BMCs from the table",
        aliases: &["delete"],
        args: select::args,
        run: remove,
    },
    Entry {
        name: "trust",
        about: "Accept the certificate (or vendor) that a BMC shows now",
        aliases: &[],
        args: select::args,
        run: trust,
    },
    Entry {
        name: "watch",
        about: "What changes in the table, as it happens",
        aliases: &[],
        args: watch::args,
        run: watch::run,
    },
    Entry {
        name: "discover",
        about: "What is at addresses, asked by the daemon, without a login",
        aliases: &[],
        args: discover_args,
        run: discover,
    },
    Entry {
        name: "console-grant",
        about: "A token for the console of one machine, and nothing else",
        aliases: &[],
        args: console::grant_args,
        run: console::grant,
    },
    Entry {
        name: "status",
        about: "How the daemon is: leases, queues, failing BMCs",
        aliases: &[],
        args: |c| c,
        run: status::run,
    },
    Entry {
        name: "init",
        about: "From the shipped credentials to an account of our own: log in, make it, prove it, use it",
        aliases: &[],
        args: init::args,
        run: init::run,
    },
    Entry {
        name: "export",
        about: "What operators gave to the table, as a file",
        aliases: &[],
        args: transfer::args,
        run: transfer::run,
    },
    Entry {
        name: "import",
        about: "Rows from an export, or from a list of MACs with shipped credentials",
        aliases: &[],
        args: transfer::import_args,
        run: transfer::import,
    },
    Entry {
        name: "events",
        about: "What happens to BMCs, in words: found, moved, failing, working again, on, off",
        aliases: &[],
        args: events::args,
        run: events::run,
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

/// Adds the options and the commands of the table that are wanted.
pub(super) fn commands(command: Command, wanted: Wanted<'_>) -> Command {
    let mut command = options(command);
    for entry in ENTRIES {
        if wanted.has(entry.name) || entry.aliases.iter().any(|alias| wanted.has(alias)) {
            let one = Command::new(entry.name).about(entry.about);
            command = command.subcommand((entry.args)(one.visible_aliases(entry.aliases)));
        }
    }
    command
}

/// Runs the command of the table that was named; `None` when it is none of them.
pub(super) fn run(matches: &ArgMatches) -> Option<Result<(), Failure>> {
    let (name, leaf) = matches.subcommand()?;
    let entry = ENTRIES.iter().find(|e| e.name == name)?;
    Some(Output::from_matches(leaf).and_then(|output| (entry.run)(leaf, output)))
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
pub(in crate::applets) fn with_daemon<'a, F>(
    m: &'a ArgMatches,
    work: impl FnOnce(Client, Cancel) -> F + 'a,
) -> Result<(), Failure>
where
    F: Future<Output = Result<(), Failure>> + 'a,
{
    in_touch(m, Box::new(|client, cancel| Box::pin(work(client, cancel))))
}

fn in_touch<'a>(
    m: &'a ArgMatches,
    work: Box<dyn FnOnce(Client, Cancel) -> process::Task<'a> + 'a>,
) -> Result<(), Failure> {
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

/// The rows that fit.
async fn rows(client: &Client, request: proto::ListRequest) -> Result<Vec<proto::Bmc>, Failure> {
    let mut stream = loop {
        match client.inventory().list(request.clone()).await {
            Ok(stream) => break stream.into_inner(),
            Err(status) => match retry_after(&status) {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return Err(refused(&status)),
            },
        }
    };
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
    select::args(command).arg(
        Arg::new("with-passwords")
            .long("with-passwords")
            .action(ArgAction::SetTrue)
            .help("Show the passwords, too; only for administrators, and it is logged"),
    )
}

fn describe(m: &ArgMatches, output: Output) -> Result<(), Failure> {
    let with_passwords = m.get_flag("with-passwords");
    select::somebody(m)?;
    with_daemon(m, |client, _| async move {
        let keys = select::chosen(m, &client, None).await?;
        let many = Many::of(keys, move |bmc| {
            let client = client.clone();
            let request = proto::GetRequest {
                bmc,
                with_passwords,
            };
            call(async move { client.inventory().get(request).await }, Some)
        });
        let many = many.await;
        // Documents are what people read here as well.
        let output = output.documents();
        match many.rows() {
            [row] => {
                output.print(&document::of(row), "", || table::of(many.rows()))?;
                many.verdict()
            }
            _ => many.show(&output),
        }
    })
}

fn add_args(command: Command) -> Command {
    command
        .arg(
            Arg::new("mac")
                .value_name("MAC|ADDRESS")
                .required(true)
                .help("Its MAC; or its address, where it is asked for its MAC (with -U) or a neighbour of the daemon"),
        )
        .arg(
            Arg::new("ip")
                .long("ip")
                .value_name("ADDRESS")
                .help("Its address; without one it is waited for a lease"),
        )
}

fn add(m: &ArgMatches, output: Output) -> Result<(), Failure> {
    let named = m.get_one::<String>("mac").cloned().unwrap_or_default();
    let mut ip = m.get_one::<String>("ip").cloned();
    let mut mac = named.clone();
    if mac.parse::<std::net::IpAddr>().is_ok() {
        if ip.is_some() {
            return Err(Failure::usage(format!("{mac} and --ip: two addresses")));
        }
        ip = Some(std::mem::take(&mut mac));
    } else if let Err(e) = mac.parse::<MacAddr>() {
        return Err(Failure::usage(e)
            .hint("halbox bmc add MAC [--ip ADDRESS], or halbox bmc add ADDRESS -U USER"));
    }
    let login = credentials::given(m)?;
    if dry_run::wanted(m) {
        let words = match &ip {
            Some(ip) => format!("add {named} --ip {ip}"),
            None => format!("add {named}"),
        };
        return dry_run::show(&[dry_run::Would::target(&named, &words)], &output);
    }
    let request = proto::AddRequest {
        mac,
        address: ip,
        user: login.as_ref().map(|l| l.user.clone()),
        password: login.as_ref().map(|l| secret(&l.password)),
        request_id: String::new(),
    };
    with_daemon(m, |client, _| async move {
        let mut many = Many::default();
        many.row(&named, client.inventory().add(request).await);
        many.show(&output)
    })
}

fn remove(m: &ArgMatches, output: Output) -> Result<(), Failure> {
    select::somebody(m)?;
    with_daemon(m, |client, _| async move {
        let keys = select::chosen(m, &client, Some("rm")).await?;
        if dry_run::wanted(m) {
            return select::rehearse(&client, &keys, "rm", &output).await;
        }
        let many = Many::of(keys, move |bmc| {
            let client = client.clone();
            let request = proto::RemoveRequest {
                bmc,
                ..proto::RemoveRequest::default()
            };
            call(
                async move { client.inventory().remove(request).await },
                |_| None,
            )
        });
        many.await.verdict()
    })
}

fn trust(m: &ArgMatches, output: Output) -> Result<(), Failure> {
    select::somebody(m)?;
    with_daemon(m, |client, _| async move {
        let keys = select::chosen(m, &client, Some("trust")).await?;
        if dry_run::wanted(m) {
            return select::rehearse(&client, &keys, "trust", &output).await;
        }
        let many = Many::of(keys, move |bmc| {
            let client = client.clone();
            let request = proto::TrustRequest {
                bmc,
                ..proto::TrustRequest::default()
            };
            call(async move { client.inventory().trust(request).await }, Some)
        });
        many.await.show(&output)
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
        // How many answer is known, how many do not is not: a count is shown.
        let mut progress = Progress::counting("found");
        let mut found = Vec::new();
        while let Some(one) = stream.message().await.map_err(|s| refused(&s))? {
            let value: serde_json::Value = serde_json::from_str(&one.findings)
                .map_err(|e| Failure::failed(format!("the daemon's answer: {e}")))?;
            found.push(value);
            progress.step(true);
        }
        progress.clear();
        output.print(&serde_json::json!({ "probes": found }), "probes", || {
            table::findings(&found)
        })
    })
}

/// A refusal because nobody is named.
fn nobody() -> Failure {
    Failure::from(crate::hal::Error::new(Kind::Config, "no target").with_hint(
        "name BMCs of the table (MAC, UUID, address), --all or -l KEY=VALUE; or --address TARGET without a daemon",
    ))
}

#[cfg(test)]
mod parity;
