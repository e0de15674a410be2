//! An operation on BMCs of the table: the same operations as with `--address`, done by the daemon.

use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::{Arg, ArgAction, ArgMatches, Command};
use tokio::task::JoinSet;

use super::select::{self, selected, selector};
use super::{connect, nobody, rows};
use crate::api::client::{self, Client};
use crate::api::proto;
use crate::applets::bmc::operation::{Done, Job, Operation, Wait, Work};
use crate::applets::bmc::{dry_run, show};
use crate::applets::common::exit::Failure;
use crate::applets::common::output::Output;
use crate::applets::common::results::{Outcome, Results};
use crate::applets::common::{confirm, process};
use crate::hal::bmc::Bmc;
use crate::hal::model::order::Order;
use crate::hal::model::{Cancel, Cx, DriverName, Reading, Source};
use crate::hal::{Error, Kind};

/// Every read of every driver takes longer than one operation.
const CAPABILITIES: Duration = Duration::from_mins(3);

/// Lets an operation's command name BMCs of the table: as its arguments, or with `--bmc` where it has others.
pub(in crate::applets::bmc) fn args(command: Command) -> Command {
    let arg = Arg::new("bmc")
        .value_name("BMC")
        .action(ArgAction::Append)
        .conflicts_with("address")
        .help(
            "BMC of the daemon's table: MAC, UUID of its machine, address, or (to read) a prefix",
        );
    let arg = if command.get_positionals().next().is_some() {
        arg.long("bmc")
    } else {
        arg.num_args(0..)
    };
    command
        .arg(arg)
        .arg(
            Arg::new("all")
                .long("all")
                .action(ArgAction::SetTrue)
                .conflicts_with_all(["address", "bmc"])
                .help("All BMCs of the daemon's table"),
        )
        .arg(selector().conflicts_with_all(["address", "bmc"]))
}

/// Runs an operation through the daemon.
pub(in crate::applets::bmc) fn run(
    operation: &'static Operation,
    m: &ArgMatches,
    work: Work,
    output: &Output,
) -> Result<(), Failure> {
    let keys: Vec<String> = m
        .get_many::<String>("bmc")
        .map(|l| l.cloned().collect())
        .unwrap_or_default();
    let selector = selected(m)?;
    let many = m.get_flag("all") || !selector.is_empty();
    if keys.is_empty() && !many {
        return Err(nobody());
    }
    let dry = operation.writes && dry_run::wanted(m);
    if operation.writes && !many && !dry {
        confirm::write(m, &operation.path.join(" "), keys.len() as u64)?;
    }
    process::block_on(32, |cancel| async move {
        let client = connect(m).await?;
        let keys = if many {
            let request = proto::ListRequest {
                all: false,
                selector,
            };
            let keys: Vec<String> = rows(&client, request)
                .await?
                .into_iter()
                .map(|r| r.mac)
                .collect();
            if operation.writes && !dry {
                confirm::write(m, &operation.path.join(" "), keys.len() as u64)?;
            }
            keys
        } else {
            keys
        };
        if dry {
            let words = dry_run::words(operation, m);
            return select::rehearse(&client, &keys, &words, output).await;
        }
        let results = all(operation, m, work, &client, &keys, &cancel).await;
        let any =
            output.is_document() || results.results.iter().any(|r| r.ok || !r.value.is_null());
        if any {
            let count = keys.len() as u64;
            output.print(&results, "results", || {
                show::table(operation, &results, count)
            })?;
        }
        if !output.is_document() {
            show::errors(&results);
        }
        results.verdict()
    })
}

async fn all(
    operation: &'static Operation,
    m: &ArgMatches,
    work: Work,
    client: &Client,
    keys: &[String],
    cancel: &Cancel,
) -> Results {
    let fanout = m.get_one::<u16>("fanout").copied().map_or(64, usize::from);
    let timeout = m.get_one::<Duration>("timeout").copied();
    let wait = match m.get_one::<Duration>("wait") {
        _ if m.get_flag("no-wait") => Wait::No,
        Some(said) => Wait::For(*said),
        None => Wait::Usual,
    };
    let mut running: JoinSet<(usize, Outcome)> = JoinSet::new();
    let mut results = Vec::new();
    let mut keys = keys.iter().enumerate();
    loop {
        while running.len() < fanout && !cancel.is_cancelled() {
            let Some((i, key)) = keys.next() else { break };
            let one = One {
                operation,
                work: Arc::clone(&work),
                client: client.clone(),
                key: key.clone(),
                timeout: timeout.unwrap_or(Duration::from_secs(20)),
                wait,
                cancel: cancel.clone(),
            };
            running.spawn(async move { (i, one.outcome().await) });
        }
        match running.join_next().await {
            None => break,
            Some(Ok(result)) => results.push(result),
            Some(Err(e)) => log::error!("{} ended unexpectedly: {e}", operation.name),
        }
    }
    results.order_by_key(|(i, _)| *i);
    Results {
        results: results.into_iter().map(|(_, outcome)| outcome).collect(),
    }
}

/// The operation on one BMC.
struct One {
    operation: &'static Operation,
    work: Work,
    client: Client,
    key: String,
    timeout: Duration,
    wait: Wait,
    cancel: Cancel,
}

impl One {
    async fn outcome(self) -> Outcome {
        let begun = Instant::now();
        let (mac, result) = self.done(begun).await;
        let (result, verified, failed) = match result {
            Ok(Done {
                reading,
                verified,
                failed,
            }) => (Ok(reading), verified, failed),
            Err(e) => (Err(e.context(self.key.clone())), None, None),
        };
        let took = begun.elapsed();
        let mut outcome = Outcome::new(self.key.clone(), self.operation.name, result, took);
        outcome.mac = mac.and_then(|m| m.parse().ok());
        outcome.verified = verified;
        if let Some(error) = failed {
            outcome.refuse(&error.context(self.key));
        }
        outcome
    }

    /// The MAC behind the key, and what the operation gave.
    async fn done(&self, begun: Instant) -> (Option<String>, crate::hal::Result<Done>) {
        let mut cx = Cx::until(begun + self.timeout).with_cancel(self.cancel.clone());
        let row = match self.client.row(&cx, &self.key).await {
            Ok(row) => row,
            Err(e) => return (None, Err(e)),
        };
        if self.operation.name == "capabilities" {
            let timeout = self.timeout.max(CAPABILITIES);
            let cx = Cx::until(begun + timeout).with_cancel(self.cancel.clone());
            return (Some(row.mac.clone()), self.capabilities(&cx, row.mac).await);
        }
        // A prefix may name what is read; what is written the daemon wants to have in full.
        let key = if self.operation.writes {
            self.key.clone()
        } else {
            row.mac.clone()
        };
        let mut bmc = Bmc::default();
        client::attach(&mut bmc, &self.client, &key);
        cx.request_id = Arc::from(row.mac.as_str());
        let job = Job {
            bmc,
            cx,
            wait: self.wait,
        };
        let done = (self.work)(&job).await;
        (Some(row.mac), done)
    }

    /// The report is made where the sessions are.
    async fn capabilities(&self, cx: &Cx, bmc: String) -> crate::hal::Result<Done> {
        let begun = Instant::now();
        let call = || {
            let mut machines = self.client.machines();
            let request = client::request(cx, proto::BmcRequest { bmc: bmc.clone() });
            async move { machines.capabilities(request).await }
        };
        let answer = client::answer(cx, call).await?;
        let entries: Result<Vec<serde_json::Value>, _> = answer
            .entries
            .iter()
            .map(|text| serde_json::from_str(text))
            .collect();
        let entries = entries.map_err(|e| {
            Error::new(Kind::Protocol, "the daemon's capability report").with_source(e)
        })?;
        let first = |key: &str| {
            let value = entries.first().and_then(|e| e.get(key));
            value.and_then(serde_json::Value::as_str).map(str::to_owned)
        };
        let driver = first("driver").and_then(|d| d.parse().ok());
        let why = first("error").unwrap_or_default();
        let mut done = Done::of(Reading {
            source: Source::new(driver.unwrap_or(DriverName::Unmanaged), "capability report"),
            value: entries,
            took: begun.elapsed(),
        })?;
        if answer.denied {
            done.failed = Some(Error::new(Kind::Auth, "capabilities").with_source(why));
        } else if !answer.missing.is_empty() {
            let what = format!("no driver has {}", answer.missing.join(", "));
            done.failed = Some(Error::new(Kind::Unsupported, what));
        }
        Ok(done)
    }
}
