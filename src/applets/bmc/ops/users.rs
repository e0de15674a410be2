//! `user …` and `create-ipmi-user`.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::sync::Arc;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use crate::applets::bmc::operation::{Col, Done, Operation, Work, col, no_args, work};
use crate::applets::common::exit::Failure;
use crate::applets::common::new_password;
use crate::hal::model::user::{NewUser, Role};
use crate::hal::model::{DriverName, Secret};
use crate::hal::{Error, Kind};

const COLUMNS: &[Col] = &[
    col("ID", "id"),
    col("NAME", "name"),
    col("ENABLED", "enabled"),
    col("ROLE", "role"),
    col("CHANNEL ACCESS", "channel_access"),
];

/// The account that metal-stack uses.
const USUAL_NAME: &str = "metal";

pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        path: &["user", "ls"],
        name: "users",
        about: "All accounts",
        writes: false,
        args: no_args,
        plan: |_| {
            Ok(work(|job| {
                Box::pin(async move {
                    Done::of(job.bmc.users.call("users", |u| u.users(&job.cx)).await?)
                })
            }))
        },
        columns: COLUMNS,
    },
    Operation {
        path: &["user", "create"],
        name: "users.create",
        about: "Make an account: free slot, name, password, role, enabled; read back",
        writes: true,
        args: |command| new_password::args(role(named(command))).arg(console()),
        plan: create,
        columns: COLUMNS,
    },
    Operation {
        path: &["user", "delete"],
        name: "users.delete",
        about: "Remove an account; never the one that is logged in",
        writes: true,
        args: named,
        plan: |m| Ok(delete(m)),
        columns: &[],
    },
    Operation {
        path: &["user", "set-password"],
        name: "users.set-password",
        about: "Give an account another password",
        writes: true,
        args: |command| new_password::args(named(command)),
        plan: set_password,
        columns: COLUMNS,
    },
    Operation {
        path: &["user", "enable"],
        name: "users.enable",
        about: "Let an account log in",
        writes: true,
        args: named,
        plan: |m| Ok(set_enabled(m, true)),
        columns: COLUMNS,
    },
    Operation {
        path: &["user", "disable"],
        name: "users.disable",
        about: "Keep an account from logging in; never the one that is logged in",
        writes: true,
        args: named,
        plan: |m| Ok(set_enabled(m, false)),
        columns: COLUMNS,
    },
    Operation {
        path: &["create-ipmi-user"],
        name: "users.create-ipmi",
        about: "Make an account for IPMI over LAN [default: metal, privileged]",
        writes: true,
        args: ipmi_args,
        plan: create_ipmi,
        columns: COLUMNS,
    },
];

fn named(command: Command) -> Command {
    command.arg(
        Arg::new("name")
            .value_name("NAME")
            .required(true)
            .help("Name of the account"),
    )
}

fn name(m: &ArgMatches) -> String {
    m.get_one::<String>("name").cloned().unwrap_or_default()
}

const ROLES: [&str; 5] = ["administrator", "privileged", "operator", "user", "console"];

fn role(command: Command) -> Command {
    command.arg(
        Arg::new("role")
            .long("role")
            .value_name("ROLE")
            .required(true)
            .ignore_case(true)
            .value_parser(ROLES)
            .help("What it may do; console is user with the serial console"),
    )
}

fn console() -> Arg {
    Arg::new("console")
        .long("console")
        .action(ArgAction::SetTrue)
        .help("It may use the serial console")
}

fn ipmi_args(command: Command) -> Command {
    new_password::args(command)
        .arg(
            Arg::new("ipmi-user")
                .long("ipmi-user")
                .value_name("NAME")
                .default_value(USUAL_NAME)
                .help("Name of the account"),
        )
        .arg(
            Arg::new("ipmi-role")
                .long("ipmi-role")
                .value_name("ROLE")
                .ignore_case(true)
                .default_value("privileged")
                .value_parser(ROLES)
                .help("What it may do: privileged is administrator, console is user with the serial console"),
        )
        .arg(
            Arg::new("ipmi-password")
                .long("ipmi-password")
                .value_name("PASSWORD")
                .value_parser(value_parser!(OsString))
                .conflicts_with("new-password-file")
                .help("Its password; others on this host can see it, prefer --new-password-file"),
        )
}

/// The role behind a word, and whether it has the console.
fn role_of(m: &ArgMatches, id: &str) -> (Role, bool) {
    let word = m.get_one::<String>(id).map(|w| w.to_ascii_lowercase());
    match word.as_deref() {
        Some("administrator" | "privileged") => (Role::Administrator, true),
        Some("operator") => (Role::Operator, false),
        Some("console") => (Role::User, true),
        _ => (Role::User, false),
    }
}

fn create(m: &ArgMatches) -> Result<Work, Failure> {
    let name = name(m);
    let (role, console) = role_of(m, "role");
    let user = Arc::new(NewUser {
        password: new_password::read(m, &name)?,
        name,
        role,
        console: console || m.get_flag("console"),
    });
    Ok(work(move |job| {
        let user = Arc::clone(&user);
        Box::pin(async move {
            let made = job.bmc.users.call("users.create", |u| {
                let user = Arc::clone(&user);
                Box::pin(async move { u.create(&job.cx, &user).await })
            });
            Done::of(made.await?)
        })
    }))
}

/// The same with the IPMI driver alone: the account is one for IPMI.
fn create_ipmi(m: &ArgMatches) -> Result<Work, Failure> {
    let name = m
        .get_one::<String>("ipmi-user")
        .cloned()
        .unwrap_or_default();
    let (role, console) = role_of(m, "ipmi-role");
    let password = match m.get_one::<OsString>("ipmi-password") {
        Some(password) => {
            log::warn!(
                "--ipmi-password shows the password to everyone on this host; --new-password-file does not"
            );
            Secret::new(password.clone().into_vec())
        }
        None => new_password::read(m, &name)?,
    };
    let user = Arc::new(NewUser {
        name,
        password,
        role,
        console,
    });
    Ok(work(move |job| {
        let user = Arc::clone(&user);
        Box::pin(async move {
            let ipmi = job.bmc.users.iter().find(|s| s.driver == DriverName::Ipmi);
            let ipmi = ipmi.ok_or_else(|| {
                Error::new(Kind::Unsupported, "users.create-ipmi: this BMC has no IPMI")
            })?;
            Done::of(ipmi.implementation.create(&job.cx, &user).await?)
        })
    }))
}

fn delete(m: &ArgMatches) -> Work {
    let name: Arc<str> = name(m).into();
    work(move |job| {
        let name = Arc::clone(&name);
        Box::pin(async move {
            let gone = job.bmc.users.call("users.delete", |u| {
                let name = Arc::clone(&name);
                Box::pin(async move { u.delete(&job.cx, &name).await })
            });
            Done::of(gone.await?)
        })
    })
}

fn set_password(m: &ArgMatches) -> Result<Work, Failure> {
    let name = name(m);
    let change = Arc::new((new_password::read(m, &name)?, name));
    Ok(work(move |job| {
        let change = Arc::clone(&change);
        Box::pin(async move {
            let changed = job.bmc.users.call("users.set-password", |u| {
                let change = Arc::clone(&change);
                Box::pin(async move {
                    let (password, name) = &*change;
                    u.set_password(&job.cx, name, password).await
                })
            });
            Done::of(changed.await?)
        })
    }))
}

fn set_enabled(m: &ArgMatches, enabled: bool) -> Work {
    let name: Arc<str> = name(m).into();
    work(move |job| {
        let name = Arc::clone(&name);
        Box::pin(async move {
            let changed = job.bmc.users.call("users.set-enabled", |u| {
                let name = Arc::clone(&name);
                Box::pin(async move { u.set_enabled(&job.cx, &name, enabled).await })
            });
            Done::of(changed.await?)
        })
    })
}
