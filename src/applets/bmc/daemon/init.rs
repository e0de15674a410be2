//! `bmc init`: from the credentials that a BMC was shipped with to an account of our own, step by step.

use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use super::select::{self, Many};
use super::with_daemon;
use crate::api::client::{self, Client};
use crate::api::convert::secret;
use crate::api::proto;
use crate::applets::bmc::dry_run;
use crate::applets::common::credentials::{self, first_line};
use crate::applets::common::exit::Failure;
use crate::applets::common::output::Output;
use crate::hal::model::Cx;

/// BMCs take their time with accounts.
const USUAL: Duration = Duration::from_mins(3);

/// The options.
pub(super) fn args(command: Command) -> Command {
    select::args(command)
        .arg(
            Arg::new("name")
                .long("name")
                .value_name("NAME")
                .default_value("metal")
                .help("Name of our account"),
        )
        .arg(
            Arg::new("new-password-file")
                .long("new-password-file")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .help("Its password from the first line of FILE, - for stdin [default: a random one that only the daemon knows]"),
        )
        .arg(
            Arg::new("take-over")
                .long("take-over")
                .action(ArgAction::SetTrue)
                .help("An account of that name that we did not make is made anew"),
        )
        .after_help(
            "The shipped credentials are those of the row, or -U NAME with -f FILE, -E or the prompt: they are stored in the row first.\n\
             The row is switched last, after a login with the new account: whenever this is interrupted, run it again.",
        )
}

/// Runs the command.
pub(super) fn run(m: &ArgMatches, output: Output) -> Result<(), Failure> {
    select::somebody(m)?;
    let name = m.get_one::<String>("name").cloned().unwrap_or_default();
    let dry = dry_run::wanted(m);
    let shipped = if dry { None } else { credentials::given(m)? };
    let password = match m.get_one::<PathBuf>("new-password-file") {
        Some(path) if !dry => Some(first_line(path)?),
        _ => None,
    };
    let timeout = m.get_one::<Duration>("timeout").copied().unwrap_or(USUAL);
    with_daemon(m, |client, cancel| async move {
        let keys = select::chosen(m, &client, Some("init")).await?;
        if dry {
            let words =
                format!("log in, make the account '{name}', log in with it, use it in the row");
            return select::rehearse(&client, &keys, &words, &output).await;
        }
        let mut many = Many::default();
        for bmc in keys {
            if let Some(login) = &shipped {
                let request = proto::UpdateRequest {
                    bmc: bmc.clone(),
                    ipmi_user: Some(login.user.clone()).filter(|u| u.len() <= 16),
                    ipmi_password: Some(secret(&login.password))
                        .filter(|p| login.user.len() <= 16 && p.value.len() <= 20),
                    redfish_user: Some(login.user.clone()),
                    redfish_password: Some(secret(&login.password)),
                    ..proto::UpdateRequest::default()
                };
                if let Err(status) = client.inventory().update(request).await {
                    many.gone::<()>(&bmc, Err(status));
                    continue;
                }
            }
            let request = proto::InitRequest {
                bmc: bmc.clone(),
                name: name.clone(),
                password: password.as_ref().map(secret),
                take_over: m.get_flag("take-over"),
                request_id: client::new_id(),
            };
            let cx = Cx::until(Instant::now() + timeout).with_cancel(cancel.clone());
            match steps(&client, &cx, request).await {
                Ok(()) => {
                    let request = proto::GetRequest {
                        bmc: bmc.clone(),
                        with_passwords: false,
                    };
                    many.row(&bmc, client.inventory().get(request).await);
                }
                Err(status) => many.gone::<()>(&bmc, Err(status)),
            }
        }
        many.show(&output)
    })
}

/// Says each step on stderr, as it is done.
async fn steps(client: &Client, cx: &Cx, request: proto::InitRequest) -> Result<(), tonic::Status> {
    let bmc = request.bmc.clone();
    let mut stream = client
        .users()
        .init(client::request(cx, request))
        .await?
        .into_inner();
    while let Some(step) = stream.message().await? {
        let _ = writeln!(
            std::io::stderr(),
            "{bmc}: {}",
            crate::applets::common::output::printable(&step.words)
        );
    }
    Ok(())
}
