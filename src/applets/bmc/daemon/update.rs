//! `bmc update`: credentials, drivers and relations of rows.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use super::select::{self, Many, call};
use super::with_daemon;
use crate::api::convert::{driver, secret};
use crate::api::proto;
use crate::applets::bmc::dry_run;
use crate::applets::common::credentials::{self, first_line};
use crate::applets::common::exit::Failure;
use crate::applets::common::output::Output;
use crate::applets::common::tty;
use crate::hal::model::{DriverName, Secret};

fn parse_driver(text: &str) -> Result<DriverName, String> {
    text.parse()
}

/// The options.
pub(super) fn args(command: Command) -> Command {
    let text = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help)
    };
    let mut command = select::args(command)
        .arg(
            text(
                "preferred-driver",
                "DRIVER",
                "IPMI, Redfish, iDrac: asked first, the others fill its gaps",
            )
            .visible_alias("preferred-protocol")
            .value_parser(parse_driver)
            .conflicts_with_all(["only-driver", "unmanaged"]),
        )
        .arg(
            text("only-driver", "DRIVER", "No other driver is ever used")
                .value_parser(parse_driver)
                .conflicts_with("unmanaged"),
        )
        .arg(
            Arg::new("unmanaged")
                .long("unmanaged")
                .action(ArgAction::SetTrue)
                .help("Nobody drives it"),
        );
    for protocol in ["ipmi", "redfish"] {
        let (user, password, file): (&'static str, &'static str, &'static str) = match protocol {
            "ipmi" => ("ipmi-user", "ipmi-password", "ipmi-password-file"),
            _ => ("redfish-user", "redfish-password", "redfish-password-file"),
        };
        command = command
            .arg(text(user, "NAME", "User to log in as"))
            .arg(
                text(password, "PASSWORD", "Its password; others on this host can see it, prefer the file, HALBOX_PASSWORD or the prompt")
                    .value_parser(value_parser!(OsString))
                    .conflicts_with(file),
            )
            .arg(
                text(file, "FILE", "Read its password from the first line of FILE, - for stdin")
                    .value_parser(value_parser!(PathBuf)),
            );
    }
    command
        .arg(
            text("ipmi-port", "PORT", "UDP port of IPMI")
                .value_parser(value_parser!(u16).range(1..)),
        )
        .arg(
            text("redfish-port", "PORT", "TCP port of Redfish")
                .value_parser(value_parser!(u16).range(1..)),
        )
        .arg(text(
            "redfish-url",
            "URL",
            "Scheme, host and port of Redfish",
        ))
        .arg(text(
            "console-url",
            "URL",
            "A console that is not the BMC's, used instead of it: tcp://HOST:PORT, telnet://HOST[:PORT] or file:/dev/… of the daemon's host; '' forgets it",
        ))
        .arg(text("machine-id", "UUID", "UUID of the machine"))
        .arg(text("partition", "NAME", "Partition"))
        .arg(text("ip", "ADDRESS", "Address, where no lease says it"))
        .arg(
            Arg::new("try-now")
                .long("try-now")
                .action(ArgAction::SetTrue)
                .help("Log in now, although the same credentials were refused before"),
        )
}

/// The password of a user that was named: option, file, environment, or a person is asked.
fn password(m: &ArgMatches, protocol: &str) -> Result<Option<Secret>, Failure> {
    if let Some(password) = m.get_one::<OsString>(&format!("{protocol}-password")) {
        log::warn!(
            "--{protocol}-password shows the password to everyone on this host; --{protocol}-password-file does not"
        );
        return Ok(Some(Secret::new(password.clone().into_vec())));
    }
    if let Some(path) = m.get_one::<PathBuf>(&format!("{protocol}-password-file")) {
        return first_line(path).map(Some);
    }
    let Some(user) = m.get_one::<String>(&format!("{protocol}-user")) else {
        return Ok(None);
    };
    if let Some(password) = std::env::var_os("HALBOX_PASSWORD") {
        return Ok(Some(Secret::new(password.into_vec())));
    }
    match tty::open() {
        Some(tty) => tty::password(&tty, &format!("Password of '{user}' ({protocol}): ")).map(Some),
        None => Err(Failure::usage(format!("no password for '{user}'")).hint(format!(
            "--{protocol}-password-file FILE, the environment HALBOX_PASSWORD, or a terminal to ask at"
        ))),
    }
}

/// Runs the command.
pub(super) fn run(m: &ArgMatches, output: Output) -> Result<(), Failure> {
    // Options of the same name exist for targets without a daemon; their defaults are not meant here.
    let said = |name: &str| m.value_source(name) == Some(ValueSource::CommandLine);
    let text = |name: &str| m.get_one::<String>(name).filter(|_| said(name)).cloned();
    let port = |name: &str| {
        let port = m.get_one::<u16>(name).filter(|_| said(name));
        port.copied().map(u32::from)
    };
    let chosen = |name: &str| m.get_one::<DriverName>(name).copied();
    let (preferred, only) = (chosen("preferred-driver"), chosen("only-driver"));
    let driver = match (preferred.or(only), m.get_flag("unmanaged")) {
        (_, true) => Some(driver(DriverName::Unmanaged)),
        (Some(name), _) => Some(driver(name)),
        _ => None,
    };
    let policy = match (preferred, only) {
        (_, Some(_)) => Some(proto::Policy::Only),
        (Some(_), _) => Some(proto::Policy::Prefer),
        _ => None,
    };
    select::somebody(m)?;
    let dry = dry_run::wanted(m);
    let secret_of = |protocol: &str| -> Result<_, Failure> {
        // What is only shown needs no password, and asks nobody for it.
        if dry {
            return Ok(None);
        }
        Ok(password(m, protocol)?.as_ref().map(secret))
    };
    let kg = match m
        .get_one::<PathBuf>("kg-file")
        .filter(|_| said("kg-file") && !dry)
    {
        Some(path) => Some(secret(&credentials::kg(path)?)),
        None => None,
    };
    let update = proto::UpdateRequest {
        bmc: String::new(),
        driver: driver.map(Into::into),
        policy: policy.map(Into::into),
        ipmi_password: secret_of("ipmi")?,
        ipmi_user: text("ipmi-user"),
        ipmi_port: port("ipmi-port"),
        ipmi_kg: kg,
        redfish_password: secret_of("redfish")?,
        redfish_user: text("redfish-user"),
        redfish_port: port("redfish-port"),
        redfish_url: text("redfish-url"),
        console_url: text("console-url"),
        machine_id: text("machine-id"),
        partition: text("partition"),
        address: text("ip"),
        try_now: m.get_flag("try-now"),
        request_id: String::new(),
    };
    let mut words = words(m);
    if said("kg-file") {
        words.push_str(" --kg-file");
    }
    if words == "update" {
        return Err(Failure::usage("update: nothing to change is named").hint(
            "e.g. --preferred-driver Redfish, --ipmi-user NAME, --machine-id UUID; halbox bmc update --help shows all",
        ));
    }
    with_daemon(m, |client, _| async move {
        let keys = select::chosen(m, &client, Some("update")).await?;
        if dry {
            return select::rehearse(&client, &keys, &words, &output).await;
        }
        let many = Many::of(keys, move |bmc| {
            let (client, request) = (client.clone(), update.clone());
            let request = proto::UpdateRequest { bmc, ..request };
            call(
                async move { client.inventory().update(request).await },
                Some,
            )
        });
        many.await.show(&output)
    })
}

/// What was said, without passwords.
fn words(m: &ArgMatches) -> String {
    let mut out = "update".to_owned();
    for arg in args(Command::new("")).get_arguments() {
        let id = arg.get_id().as_str();
        let said = m.value_source(id) == Some(ValueSource::CommandLine);
        if !said || ["bmc", "all", "selector"].contains(&id) {
            continue;
        }
        out.push_str(" --");
        out.push_str(id);
        if arg.get_action().takes_values() {
            let values = m.get_raw(id).into_iter().flatten();
            for value in values {
                out.push(' ');
                if id.ends_with("-password") {
                    out.push_str("***");
                } else {
                    out.push_str(&value.to_string_lossy());
                }
            }
        }
    }
    out
}
