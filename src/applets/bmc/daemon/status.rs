//! `bmc status`: how the daemon is: leases, queues, failing BMCs by cause.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use clap::ArgMatches;
use serde_json::json;

use super::{document, rows, select, table, with_daemon};
use crate::api::proto;
use crate::applets::common::exit::Failure;
use crate::applets::common::output::{self, Output};
use crate::applets::common::table::{Cell, Table, Tone, column, wide};
use crate::discover::now;

/// Failing BMCs that are named per cause.
const NAMED: usize = 5;

/// Runs the command.
pub(super) fn run(m: &ArgMatches, output: Output) -> Result<(), Failure> {
    with_daemon(m, |client, _| async move {
        let status = client.discovery().status(proto::StatusRequest {}).await;
        let status = select::answer(status)?;
        let request = proto::ListRequest {
            all: true,
            ..proto::ListRequest::default()
        };
        let causes = causes(&rows(&client, request).await?);
        if output.is_people() {
            return output::text(&text(&status, &causes, &output));
        }
        let mut document = document::status(&status);
        if let Some(map) = document.as_object_mut() {
            let named: BTreeMap<_, _> = causes
                .iter()
                .map(|(kind, cause)| (kind.clone(), json!(cause.macs)))
                .collect();
            map.insert("failing_bmcs".to_owned(), json!(named));
        }
        output.print(&document, "", || table::of(&[]))
    })
}

/// What keeps BMCs from working.
#[derive(Debug, Default)]
struct Cause {
    macs: Vec<String>,
    /// The first one's words.
    error: String,
}

fn causes(rows: &[proto::Bmc]) -> BTreeMap<String, Cause> {
    let mut out: BTreeMap<String, Cause> = BTreeMap::new();
    let mut add = |kind: &str, mac: &str, error: &str| {
        let cause = out.entry(kind.to_owned()).or_default();
        if cause.macs.is_empty() {
            error.clone_into(&mut cause.error);
        }
        cause.macs.push(mac.to_owned());
    };
    for row in rows.iter().filter(|r| !r.removed) {
        if let Some(why) = &row.untrusted {
            add("untrusted", &row.mac, why);
        } else if let Some(status) = &row.status
            && let Some(kind) = &status.kind
        {
            let error = status.last_error.as_deref().unwrap_or_default();
            add(kind, &row.mac, error);
        }
    }
    out
}

/// What helps against a cause.
fn advice(kind: &str) -> &'static str {
    match kind {
        "auth" => "bmc update MAC --ipmi-user NAME (asks for the password)",
        "privilege" => "bmc user ls MAC: the account needs administrator",
        "untrusted" => "look at the BMC, then bmc trust MAC",
        "unreachable" | "timeout" => "probe ADDRESS: does it answer, from here?",
        "tls" => "probe ADDRESS: what certificate does it show?",
        "config" => "bmc describe MAC",
        _ => "bmc describe MAC; halbox probe ADDRESS -U USER says what works",
    }
}

fn text(
    status: &proto::StatusResponse,
    causes: &BTreeMap<String, Cause>,
    output: &Output,
) -> String {
    let mut text = String::new();
    let started = status.started_at.map_or(0, |t| t.seconds.unsigned_abs());
    let up = (now() / 1000).saturating_sub(started);
    let _ = writeln!(
        text,
        "halbox {}, up {}, revision {}\n\
         {} BMCs, {} with credentials; {} leases at which nothing answers yet\n\
         {} are looked at, {} are refreshed, {} wait for it\n",
        status.version,
        ago(up),
        status.revision,
        status.bmcs,
        status.with_credentials,
        status.candidates,
        status.looking,
        status.refreshing,
        status.waiting,
    );
    let mut files = Table::new(&[
        column("LEASE FILE"),
        column("FORMAT"),
        column("LEASES"),
        column("ACTIVE"),
        column("BAD LINES"),
        column("READ"),
        column("ERROR"),
    ]);
    for file in &status.lease_files {
        let read = file.read_at.map(|t| t.seconds.unsigned_abs());
        let read = read.map(|s| format!("{} ago", ago((now() / 1000).saturating_sub(s))));
        let bad = match file.bad_lines {
            0 => Cell::from("0"),
            n => Cell::new(n.to_string(), Tone::Warn),
        };
        files.row([
            Cell::from(file.path.as_str()),
            Cell::from(file.format.as_str()),
            Cell::from(file.leases.to_string()),
            Cell::from(file.active.to_string()),
            bad,
            Cell::from(read.unwrap_or_else(|| "never".to_owned())),
            Cell::new(file.error.clone().unwrap_or_default(), Tone::Bad),
        ]);
    }
    if status.lease_files.is_empty() {
        text.push_str("no lease file is watched (serve --lease-file)\n");
    } else {
        text.push_str(&output.table(&files));
    }
    if causes.is_empty() {
        text.push_str("\nno BMC fails\n");
        return text;
    }
    let mut failing = Table::new(&[
        column("FAILING"),
        column("BMCS"),
        column("WHICH"),
        column("WHAT TO DO"),
        wide("FIRST ERROR"),
    ]);
    for (kind, cause) in causes {
        let count = cause.macs.len();
        let mut which = cause.macs.iter().take(NAMED).cloned().collect::<Vec<_>>();
        if count > NAMED {
            which.push(format!("and {} more", count - NAMED));
        }
        failing.row([
            Cell::new(kind.as_str(), Tone::Bad),
            Cell::from(count.to_string()),
            Cell::from(which.join(", ")),
            Cell::from(advice(kind)),
            Cell::from(cause.error.as_str()),
        ]);
    }
    text.push('\n');
    text.push_str(&output.table(&failing));
    text
}

/// Seconds in the two largest units.
fn ago(seconds: u64) -> String {
    let units = [(86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")];
    let mut left = seconds;
    let mut out = Vec::new();
    for (size, unit) in units {
        let n = left / size;
        left %= size;
        if n > 0 {
            out.push(format!("{n}{unit}"));
        }
    }
    if out.is_empty() {
        return "0s".to_owned();
    }
    out.truncate(2);
    out.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_counted_with_what_helps() {
        let row = |mac: &str, kind: &str, untrusted: Option<&str>| proto::Bmc {
            mac: mac.to_owned(),
            untrusted: untrusted.map(str::to_owned),
            status: Some(proto::Status {
                kind: Some(kind.to_owned()).filter(|k| !k.is_empty()),
                last_error: Some("RAKP 4".to_owned()),
                ..proto::Status::default()
            }),
            ..proto::Bmc::default()
        };
        let rows = [
            row("a", "auth", None),
            row("b", "", None),
            row("c", "auth", None),
            row("d", "auth", Some("certificate changed")),
        ];
        let got = causes(&rows);
        assert_eq!(got["auth"].macs, ["a", "c"]);
        assert_eq!(got["untrusted"].macs, ["d"]);
        assert_eq!(got.len(), 2);
        assert_eq!(
            (ago(0), ago(61), ago(90_061)),
            ("0s".into(), "1m 1s".into(), "1d 1h".into())
        );
    }
}
