//! `halbox token …`: bearer tokens of the daemon's API.

use std::io::Write;
use std::time::Duration;

use clap::{Arg, ArgMatches, Command};

use super::bmc::{daemon_options, with_daemon};
use super::common::duration;
use super::common::exit::Failure;
use super::common::output::{self, Output};
use super::common::table::{Table, column};
use crate::api::client::new_id;
use crate::api::fault::from_status;
use crate::api::proto::{self, CreateTokenRequest, ListTokensRequest, RevokeTokenRequest};

/// The command line.
pub fn command() -> Command {
    let create = Command::new("create")
        .about("Make a token; it is shown this one time")
        .arg(
            Arg::new("role")
                .long("role")
                .value_name("ROLE")
                .required(true)
                .value_parser(["viewer", "operator", "admin", "hammer", "console"])
                .help("What its bearer may do"),
        )
        .arg(
            Arg::new("machine")
                .long("machine")
                .value_name("UUID")
                .help("The only machine that it is for"),
        )
        .arg(
            Arg::new("ttl")
                .long("ttl")
                .value_name("DURATION")
                .required(true)
                .value_parser(duration::parse)
                .help("How long it lives, e.g. 8h"),
        );
    daemon_options(Command::new("token"))
        .subcommand_required(true)
        .disable_help_subcommand(true)
        .subcommand(create)
        .subcommand(output::args(
            Command::new("ls").about("Tokens, without their text"),
        ))
        .subcommand(
            Command::new("revoke").about("Take a token back").arg(
                Arg::new("id")
                    .value_name("ID")
                    .required(true)
                    .help("Its id, as ls shows it"),
            ),
        )
}

/// Runs the applet.
pub fn run(m: &ArgMatches) -> Result<(), Failure> {
    let refused = |status: tonic::Status| Failure::from(from_status(&status));
    match m.subcommand() {
        Some(("create", m)) => {
            let text = |name: &str| m.get_one::<String>(name).cloned();
            let ttl = m.get_one::<Duration>("ttl").copied().unwrap_or_default();
            let request = CreateTokenRequest {
                role: text("role").unwrap_or_default(),
                machine: text("machine"),
                ttl: prost_types::Duration::try_from(ttl).ok(),
                request_id: new_id(),
            };
            with_daemon(m, |client, _| async move {
                let made = client.tokens().create(request).await.map_err(refused)?;
                let secret = made.into_inner().text.unwrap_or_default();
                let mut out = std::io::stdout().lock();
                out.write_all(&secret.value)?;
                Ok(writeln!(out)?)
            })
        }
        Some(("ls", m)) => {
            let output = Output::from_matches(m)?;
            with_daemon(m, |client, _| async move {
                let list = client.tokens().list(ListTokensRequest {}).await;
                print(&list.map_err(refused)?.into_inner().tokens, &output)
            })
        }
        Some(("revoke", m)) => {
            let id = m.get_one::<String>("id").cloned().unwrap_or_default();
            with_daemon(m, |client, _| async move {
                let revoked = client
                    .tokens()
                    .revoke(RevokeTokenRequest {
                        id,
                        ..RevokeTokenRequest::default()
                    })
                    .await;
                revoked.map(drop).map_err(refused)
            })
        }
        _ => Err(Failure::silent_usage()),
    }
}

/// Tokens, without their text.
pub(super) fn print(tokens: &[proto::Token], output: &Output) -> Result<(), Failure> {
    let end = |t: &proto::Token| {
        t.expires_at
            .map(|at| crate::hal::ipmi::time::rfc3339(at.seconds))
    };
    let documents: Vec<_> = tokens
        .iter()
        .map(|t| serde_json::json!({"id": t.id, "role": t.role, "machine": t.machine, "expires_at": end(t)}))
        .collect();
    output.print(
        &serde_json::json!({ "tokens": documents }),
        "tokens",
        || {
            let mut table = Table::new(&[
                column("ID"),
                column("ROLE"),
                column("MACHINE"),
                column("EXPIRES"),
            ]);
            for t in tokens {
                table.row([
                    t.id.clone(),
                    t.role.clone(),
                    t.machine.clone().unwrap_or_default(),
                    end(t).unwrap_or_default(),
                ]);
            }
            table
        },
    )
}
