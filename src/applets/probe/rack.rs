//! `probe --rack FILE`: every operation against the BMCs that a file lists, for a CI runner that reaches a few machines.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Arg, ArgMatches, Command, value_parser};
use serde::Deserialize;

use super::login::Login;
use super::reporter::Reporter;
use super::{Probed, junit};
use crate::applets::common::credentials::{Credentials, first_line};
use crate::applets::common::exit::Failure;
use crate::applets::common::input;
use crate::applets::common::targets::Targets;
use crate::hal::Kind;
use crate::hal::detect::{Detector, Options};
use crate::hal::model::{Cancel, DriverName, Secret};
use crate::hal::report;
use crate::hal::transport::Lan;

/// Adds the options.
pub(super) fn args(command: Command) -> Command {
    command
        .arg(
            Arg::new("rack")
                .long("rack")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .conflicts_with_all(["TARGET", "user", "credentials", "writes", "record"])
                .help_heading("Rack")
                .help("Report on every BMC that FILE (YAML) lists, with its own credentials; changes only where FILE allows them"),
        )
        .arg(
            Arg::new("junit")
                .long("junit")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .requires("rack")
                .help_heading("Rack")
                .help("Also write the result as JUnit XML to FILE"),
        )
}

/// The file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    bmcs: Vec<Entry>,
}

/// One BMC. No Debug: it may hold a password.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// Name in reports; the address when absent.
    name: Option<String>,
    /// Address or name, with IPMI's port where it is not 623.
    address: String,
    /// Where Redfish is, if not on port 443.
    redfish_url: Option<String>,
    user: String,
    /// The password: in a file, or in an environment variable.
    password_file: Option<PathBuf>,
    password_env: Option<String>,
    /// Only this driver.
    driver: Option<String>,
    /// What may be changed (and is put back).
    #[serde(default)]
    writes: Vec<Change>,
    /// Operations that must work besides those that the daemon needs.
    #[serde(default)]
    expect: Vec<String>,
}

/// What may be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Change {
    /// The identify LED and the boot override.
    Settings,
    /// The host's power: off, on, reset, cycle.
    Power,
}

/// A BMC of the rack and what is expected of it.
pub(super) struct Machine {
    pub(super) name: String,
    target: Targets,
    redfish_url: Option<String>,
    login: Login,
    pub(super) expect: Vec<String>,
}

/// The machines of the file that `--rack` names.
pub(super) fn given(m: &ArgMatches) -> Result<Option<Vec<Machine>>, Failure> {
    let Some(path) = m.get_one::<PathBuf>("rack") else {
        return Ok(None);
    };
    let file: File = input::yaml(path)?;
    if file.bmcs.is_empty() {
        return Err(Failure::usage(format!("{}: no BMCs", path.display())));
    }
    let machines = file.bmcs.into_iter().map(|entry| machine(m, path, entry));
    machines.collect::<Result<Vec<_>, _>>().map(Some)
}

fn machine(m: &ArgMatches, path: &Path, entry: Entry) -> Result<Machine, Failure> {
    let name = entry.name.unwrap_or_else(|| entry.address.clone());
    let failed = |what: &str| Failure::usage(format!("{}: {name}: {what}", path.display()));
    let target = Targets::parse([&entry.address])?;
    if target.count() != 1 {
        return Err(failed("one address per entry"));
    }
    let password = match (&entry.password_file, &entry.password_env) {
        (Some(file), None) => first_line(&beside(path, file))?,
        (None, Some(variable)) => {
            use std::os::unix::ffi::OsStringExt;
            let value = std::env::var_os(variable);
            let value = value.ok_or_else(|| failed(&format!("{variable} is not set")))?;
            Secret::new(value.into_vec())
        }
        _ => return Err(failed("password_file or password_env")),
    };
    let known: Vec<&str> = report::operations().collect();
    if let Some(odd) = entry.expect.iter().find(|o| !known.contains(&o.as_str())) {
        return Err(failed(&format!("there is no operation '{odd}'")));
    }
    let driver = entry.driver.as_deref().map(str::parse::<DriverName>);
    let only = driver.transpose().map_err(|e| failed(&e))?;
    let credentials = Credentials {
        user: entry.user,
        password,
        kg: None,
    };
    let changes = (
        entry.writes.contains(&Change::Settings),
        entry.writes.contains(&Change::Power),
    );
    Ok(Machine {
        login: Login::of_machine(m, credentials, only, changes),
        target,
        redfish_url: entry.redfish_url,
        expect: entry.expect,
        name,
    })
}

/// A path in the file is meant from where the file is.
fn beside(file: &Path, path: &Path) -> PathBuf {
    file.parent()
        .map_or_else(|| path.to_owned(), |dir| dir.join(path))
}

/// Reports on all, one after the other: a rack is small, and its machines may share a power feed.
pub(super) async fn run(
    machines: &[Machine],
    options: &Options,
    ipmi_port: u16,
    cancel: &Cancel,
) -> Result<Vec<Probed>, Failure> {
    let lan = Lan::new()?;
    let mut all = Vec::new();
    for machine in machines {
        if cancel.is_cancelled() {
            break;
        }
        let mut options = options.clone();
        options.redfish_url = machine.redfish_url.clone().or(options.redfish_url);
        let trust = options.trust.clone();
        let detector = Detector::new(Arc::clone(&lan), options)?;
        let Some(target) = machine.target.iter().next() else {
            continue;
        };
        let mut findings = detector.detect(&super::subject(target, ipmi_port)).await;
        findings.target.clone_from(&machine.name);
        let mut probed = Probed::new(findings);
        if probed.findings.reachable {
            let reporter = Reporter::new(Arc::clone(&lan), machine.login.clone(), trust);
            let made = reporter.report(&probed.findings, cancel).await;
            reporter.close().await;
            probed.add(made);
        }
        all.push(probed);
    }
    Ok(all)
}

/// Writes the JUnit file, if one is wanted, and says how it ends: 0 when every machine does what is expected of it.
pub(super) fn verdict(
    m: &ArgMatches,
    machines: &[Machine],
    probes: &[Probed],
) -> Result<(), Failure> {
    if let Some(path) = m.get_one::<PathBuf>("junit") {
        std::fs::write(path, junit::render(machines, probes))
            .map_err(|e| Failure::failed(format!("{}: {e}", path.display())))?;
    }
    let failed = machines
        .iter()
        .zip(probes)
        .filter(|(machine, probed)| !lacks(machine, probed).is_empty())
        .count();
    match failed {
        0 if probes.len() == machines.len() => Ok(()),
        0 => Err(Failure::interrupted()),
        _ if machines.len() == 1 => Err(Failure::reported(
            probes
                .first()
                .and_then(|p| p.verdict().err())
                .unwrap_or(Kind::Unsupported),
        )),
        _ => Err(Failure::some_failed()),
    }
}

/// What a machine should do and does not; empty when all is well.
pub(super) fn lacks(machine: &Machine, probed: &Probed) -> Vec<String> {
    let Some(report) = &probed.report else {
        return vec!["no report".to_owned()];
    };
    let needs = report.needs();
    let mut out: Vec<String> = needs.missing.iter().map(|o| (*o).to_owned()).collect();
    for operation in &machine.expect {
        let served = report
            .entries
            .iter()
            .any(|e| e.operation == operation && e.serves());
        if !served && !out.contains(operation) {
            out.push(operation.clone());
        }
    }
    out
}
