//! Which rows a command means, and what became of each.

use std::collections::HashMap;
use std::sync::Arc;

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::json;
use tokio::task::JoinSet;

use super::{document, nobody, refused, rows, table};
use crate::api::client::Client;
use crate::api::fault::{from_status, retry_after};
use crate::api::proto;
use crate::applets::bmc::dry_run::{self, Would};
use crate::applets::bmc::show::Hints;
use crate::applets::common::confirm;
use crate::applets::common::exit::Failure;
use crate::applets::common::output::Output;
use crate::hal::model::BoxFuture;
use crate::hal::model::order::Order;
use crate::hal::{Error, Kind};

/// Calls on rows at the same time: the daemon writes what comes together to its disk once.
const TOGETHER: usize = 64;

/// BMCs by MAC, UUID, address or prefix; or all, or those that fit.
pub(super) fn args(command: Command) -> Command {
    command
        .arg(
            Arg::new("bmc")
                .value_name("BMC")
                .num_args(0..)
                .help("MAC, UUID of the machine, address, or (to read) a prefix of one of them"),
        )
        .arg(
            Arg::new("all")
                .long("all")
                .action(ArgAction::SetTrue)
                .conflicts_with("bmc")
                .help("All BMCs of the table"),
        )
        .arg(selector().conflicts_with("bmc"))
}

/// `-l vendor=Dell,power=ON`
pub(super) fn selector() -> Arg {
    Arg::new("selector")
        .short('l')
        .long("selector")
        .value_name("KEY=VALUE")
        .action(ArgAction::Append)
        .value_delimiter(',')
        .help("Only those that fit: vendor, driver, model, partition, machine_id, address, power")
}

/// What `-l` says.
pub(super) fn selected(m: &ArgMatches) -> Result<HashMap<String, String>, Failure> {
    let list = m.get_many::<String>("selector").into_iter().flatten();
    list.map(|text| {
        let (key, value) = text
            .split_once('=')
            .ok_or_else(|| Failure::usage(format!("-l {text}: not KEY=VALUE")))?;
        Ok((key.to_owned(), value.to_owned()))
    })
    .collect()
}

/// The BMCs that are named; empty where `--all` or `-l` choose them.
pub(super) fn named(m: &ArgMatches) -> Vec<String> {
    m.get_many::<String>("bmc")
        .map(|list| list.cloned().collect())
        .unwrap_or_default()
}

/// Nobody is named: refused before anything is asked.
pub(super) fn somebody(m: &ArgMatches) -> Result<(), Failure> {
    let many = m.get_flag("all") || m.contains_id("selector");
    if named(m).is_empty() && !many {
        return Err(nobody());
    }
    Ok(())
}

/// The BMCs that are meant. `action`: something is written to them; many want a yes.
pub(super) async fn chosen(
    m: &ArgMatches,
    client: &Client,
    action: Option<&str>,
) -> Result<Vec<String>, Failure> {
    let mut keys = named(m);
    if keys.is_empty() {
        let request = proto::ListRequest {
            all: false,
            selector: selected(m)?,
        };
        keys = rows(client, request)
            .await?
            .into_iter()
            .map(|row| row.mac)
            .collect();
        if keys.is_empty() {
            log::warn!("no BMC fits");
        }
    }
    if let Some(action) = action.filter(|_| !dry_run::wanted(m)) {
        confirm::write(m, action, keys.len() as u64)?;
    }
    Ok(keys)
}

/// The row of a key, for a write: in full.
pub(super) async fn would(client: &Client, key: &str, words: &str) -> Would {
    let request = proto::GetRequest {
        bmc: key.to_owned(),
        with_passwords: false,
    };
    match client.inventory().get(request).await {
        Ok(row) => {
            let row = row.into_inner();
            let whole = [
                Some(&row.mac),
                row.machine_id.as_ref(),
                row.address.as_ref(),
            ]
            .into_iter()
            .flatten()
            .chain(&row.aliases)
            .any(|name| {
                name.eq_ignore_ascii_case(&key.replace('-', ":")) || name.eq_ignore_ascii_case(key)
            });
            if whole {
                Would::row(key, &row, words)
            } else {
                let error = Error::new(
                    Kind::Config,
                    format!("'{key}' is only the beginning of a name"),
                );
                let hint = format!("write {} in full", row.mac);
                Would::failed(key, error.with_hint(hint))
            }
        }
        Err(status) => Would::failed(key, from_status(&status)),
    }
}

/// Shows what `words` would do to each row; nothing is done.
pub(super) async fn rehearse(
    client: &Client,
    keys: &[String],
    words: &str,
    output: &Output,
) -> Result<(), Failure> {
    let mut all = Vec::new();
    for key in keys {
        all.push(would(client, key, words).await);
    }
    dry_run::show(&all, output)
}

/// What became of several rows: one that fails does not keep the others from theirs.
#[derive(Default)]
pub(super) struct Many {
    rows: Vec<proto::Bmc>,
    done: usize,
    failed: Vec<(String, Error)>,
}

/// What the daemon says to a call on one row: the row, where there is one left to show.
type Answer = Result<Option<proto::Bmc>, tonic::Status>;

/// Makes the call on the row of a key.
type Ask = dyn Fn(String) -> BoxFuture<'static, Answer> + Send + Sync;

/// A call on the row of a key, in a box.
pub(super) fn call<T, F>(call: F, show: fn(T) -> Option<proto::Bmc>) -> BoxFuture<'static, Answer>
where
    F: Future<Output = Result<tonic::Response<T>, tonic::Status>> + Send + 'static,
    T: 'static,
{
    Box::pin(async move { call.await.map(|answer| show(answer.into_inner())) })
}

impl Many {
    /// Asks for each key, many at a time; the answers are in the order of the keys. Whom the daemon sends away because
    /// there are too many calls comes again: nothing was done.
    pub(super) async fn of(
        keys: Vec<String>,
        ask: impl Fn(String) -> BoxFuture<'static, Answer> + Send + Sync + 'static,
    ) -> Self {
        Self::of_all(keys, Arc::new(ask)).await
    }

    async fn of_all(keys: Vec<String>, ask: Arc<Ask>) -> Self {
        let mut running: JoinSet<(usize, String, Answer)> = JoinSet::new();
        let mut answers = Vec::with_capacity(keys.len());
        let mut keys = keys.into_iter().enumerate();
        loop {
            while running.len() < TOGETHER {
                let Some((n, key)) = keys.next() else { break };
                let ask = Arc::clone(&ask);
                running.spawn(async move {
                    loop {
                        let answer = ask(key.clone()).await;
                        match answer.as_ref().err().and_then(retry_after) {
                            Some(pause) => tokio::time::sleep(pause).await,
                            None => return (n, key, answer),
                        }
                    }
                });
            }
            match running.join_next().await {
                None => break,
                Some(Ok(answer)) => answers.push(answer),
                Some(Err(e)) => log::error!("a call ended unexpectedly: {e}"),
            }
        }
        answers.order_by_key(|(n, ..)| *n);
        let mut many = Self::default();
        for (_, key, answer) in answers {
            match answer {
                Ok(Some(row)) => many.rows.push(row),
                Ok(None) => many.done += 1,
                Err(status) => many.failed.push((key, from_status(&status))),
            }
        }
        many
    }

    /// Takes the answer for `key`.
    pub(super) fn row(
        &mut self,
        key: &str,
        answer: Result<tonic::Response<proto::Bmc>, tonic::Status>,
    ) {
        match answer {
            Ok(row) => self.rows.push(row.into_inner()),
            Err(status) => self.failed.push((key.to_owned(), from_status(&status))),
        }
    }

    /// The same where nothing is left to show.
    pub(super) fn gone<T>(&mut self, key: &str, answer: Result<T, tonic::Status>) {
        match answer {
            Ok(_) => self.done += 1,
            Err(status) => self.failed.push((key.to_owned(), from_status(&status))),
        }
    }

    /// Rows that were answered.
    pub(super) fn rows(&self) -> &[proto::Bmc] {
        &self.rows
    }

    /// Shows the rows, then says what failed.
    pub(super) fn show(self, output: &Output) -> Result<(), Failure> {
        if !self.rows.is_empty() || (self.failed.is_empty() && self.done == 0) {
            let documents: Vec<_> = self.rows.iter().map(document::of).collect();
            output.print(&json!({ "bmcs": documents }), "bmcs", || {
                table::of(&self.rows)
            })?;
        }
        self.verdict()
    }

    /// Says what failed. One BMC that was named and failed is its error; of several, each has its line.
    pub(super) fn verdict(mut self) -> Result<(), Failure> {
        if self.failed.is_empty() {
            return Ok(());
        }
        if self.rows.is_empty() && self.done == 0 && self.failed.len() == 1 {
            let (_, error) = self.failed.remove(0);
            return Err(error.into());
        }
        let mut hints = Hints::default();
        for (key, error) in &self.failed {
            hints.line(&format!("{key}: {}", error.chain()), error.hint(), key);
        }
        hints.print();
        Err(Failure::some_failed())
    }
}

/// A call's refusal as an error of ours.
pub(super) fn answer<T>(answer: Result<tonic::Response<T>, tonic::Status>) -> Result<T, Failure> {
    answer
        .map(tonic::Response::into_inner)
        .map_err(|s| refused(&s))
}
