//! `halbox probe`: what is at these addresses, which drivers do they have; with credentials also which operations work.
//! Without them it never logs in.

mod junit;
mod login;
mod matrix;
mod rack;
mod record;
mod report;
mod reporter;

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use serde::Serialize;

use super::common::exit::Failure;
use super::common::output::{self, Format, Output};
use super::common::progress::Progress;
use super::common::targets::{Host, Target, Targets};
use super::common::{confirm, duration, process};
use crate::hal::detect::{Budgets, Detector, Findings, Options, Subject, sweep};
use crate::hal::model::Cancel;
use crate::hal::model::order::Order;
use crate::hal::report::{Needs, Report};
use crate::hal::transport::Lan;
use crate::hal::transport::http::Trust;
use crate::hal::{Error, Kind};
use login::Login;
use reporter::{Found, Made, Reporter};

/// Targets asked at the same time unless told otherwise.
const FANOUT: &str = "512";

/// File descriptors that are not for connections.
const RESERVED_FILES: u64 = 64;

/// Its command line.
pub fn command() -> Command {
    let command = Command::new("probe")
        .long_about(
            "Says what is at each address and which drivers it has, without credentials and without a login: IPMI \
             (presence, versions, cipher suites, known weaknesses) and Redfish (service root, certificate), all at \
             once. Silence is called after 1 s; whatever answered once gets 10 s.\n\nWith -U it logs in and really does \
             every read on every driver, one at a time; what changes something is judged from what the BMC says of \
             itself, and not done. The report tells what works, by which driver, where drivers disagree, and whether \
             everything is there that the daemon needs (exit code 5 when not).",
        )
        .arg(
            Arg::new("TARGET")
                .required_unless_present("rack")
                .num_args(1..)
                .help("Address, name, ADDRESS:IPMI-PORT, network, range (10.0.0.1-10.0.3.254, node[001-120]), - for stdin"),
        )
        .arg(
            Arg::new("timeout")
                .long("timeout")
                .value_name("DURATION")
                .value_parser(duration::parse)
                .help("Give each target this long, silent or not (instead of 1s and 10s)"),
        )
        .arg(
            Arg::new("fanout")
                .long("fanout")
                .value_name("N")
                .value_parser(value_parser!(u32).range(1..=65_536))
                .default_value(FANOUT)
                .help("Targets asked at the same time"),
        )
        .arg(
            Arg::new("all")
                .long("all")
                .short('a')
                .action(ArgAction::SetTrue)
                .help("Tables list silent targets, too (documents always do)"),
        );
    rack::args(login::args(confirm::args(output::args(addresses(command)))))
}

/// Where the services are and whom we trust.
fn addresses(command: Command) -> Command {
    let port = |name: &'static str, default: &'static str, help: &'static str| {
        Arg::new(name)
            .long(name)
            .value_name("PORT")
            .value_parser(value_parser!(u16).range(1..))
            .default_value(default)
            .help_heading("Services")
            .help(help)
    };
    command
        .arg(port("ipmi-port", "623", "UDP port of IPMI"))
        .arg(port(
            "redfish-port",
            "443",
            "TCP port of Redfish (80 is asked without TLS)",
        ))
        .arg(
            Arg::new("redfish-url")
                .long("redfish-url")
                .value_name("URL")
                .conflicts_with("redfish-port")
                .help_heading("Services")
                .help("Where Redfish is, http(s)://HOST[:PORT]; for one target"),
        )
        .arg(
            Arg::new("tls-pin")
                .long("tls-pin")
                .value_name("SHA256")
                .help_heading("Services")
                .help("Accept only the certificate with this fingerprint"),
        )
        .arg(
            Arg::new("tls-ca")
                .long("tls-ca")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .help_heading("Services")
                .help("Accept only certificates that lead to a CA in this PEM file"),
        )
}

/// The document.
#[derive(Debug, Serialize)]
struct Probes {
    probes: Vec<Probed>,
}

/// One target.
#[derive(Debug, Serialize)]
struct Probed {
    /// Its `capabilities` are the report's entries.
    #[serde(flatten)]
    findings: Findings,
    /// Is everything there that the daemon needs?
    #[serde(skip_serializing_if = "Option::is_none")]
    needs: Option<Needs>,
    /// Why there is no report.
    #[serde(skip_serializing_if = "Option::is_none")]
    login_error: Option<String>,
    /// Which of several credentials it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    login: Option<Found>,
    #[serde(skip)]
    report: Option<Report>,
    #[serde(skip)]
    failed: Option<Error>,
    #[serde(skip)]
    recorded: Option<Error>,
}

impl Probed {
    /// Findings without a report yet.
    fn new(findings: Findings) -> Self {
        Self {
            findings,
            needs: None,
            login_error: None,
            login: None,
            report: None,
            failed: None,
            recorded: None,
        }
    }

    fn add(&mut self, made: Made) {
        self.login = made.login;
        self.login_error = made.failed.as_ref().map(Error::chain);
        self.failed = made.failed;
        self.recorded = made.recorded;
        let Some(report) = made.report else {
            return;
        };
        let entries = report.entries.iter().map(serde_json::to_value);
        self.findings.capabilities = Some(entries.filter_map(Result::ok).collect());
        self.needs = Some(report.needs());
        let told = |operation: &str| {
            let mut of_it = report.entries.iter().filter(|e| e.operation == operation);
            of_it.find_map(|e| e.value.as_str()).map(str::to_owned)
        };
        let findings = &mut self.findings;
        findings.machine_id = told("info.uuid").or(findings.machine_id.take());
        // The machine says better who made it than the firmware of its BMC.
        findings.vendor = told("info.vendor").or(findings.vendor.take());
        findings.product = told("info.model").or(findings.product.take());
        self.report = Some(report);
    }

    /// How it ends for this target, when a report was wanted.
    fn verdict(&self) -> Result<(), Kind> {
        match &self.report {
            _ if !self.findings.reachable => Err(Kind::Unreachable),
            Some(report) if report.is_denied() => Err(Kind::Auth),
            Some(report) if !report.needs().complete => Err(Kind::Unsupported),
            Some(_) => Ok(()),
            None => Err(self.failed.as_ref().map_or(Kind::Unsupported, Error::kind)),
        }
    }
}

/// What a sweep is given.
struct Plan {
    targets: Targets,
    options: Options,
    ipmi_port: u16,
    fanout: usize,
    output: Output,
    keep_silent: bool,
    login: Option<Login>,
}

/// Runs it.
pub fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let output = Output::from_matches(matches)?;
    if let Some(machines) = rack::given(matches)? {
        return rack(matches, &output, &machines);
    }
    let targets = Targets::parse(matches.get_many::<String>("TARGET").unwrap_or_default())?;
    let options = options(matches)?;
    if options.redfish_url.is_some() && targets.count() > 1 {
        return Err(Failure::usage("--redfish-url is for one target")
            .hint("--redfish-port sets the port of all"));
    }
    let login = Login::from_matches(matches)?;
    if login.as_ref().is_some_and(|l| l.record.is_some()) && targets.count() > 1 {
        return Err(Failure::usage("--record is for one target"));
    }
    if login.as_ref().is_some_and(|l| l.options.writes) {
        confirm::write(matches, "probe --writes", targets.count())?;
    }
    let fanout = matches.get_one::<u32>("fanout").copied().unwrap_or(1);
    let plan = Plan {
        fanout: room_for(fanout, targets.count()),
        ipmi_port: matches.get_one::<u16>("ipmi-port").copied().unwrap_or(623),
        keep_silent: !matches!(output.format, Format::Table | Format::Wide)
            || targets.count() == 1
            || matches.get_flag("all"),
        targets,
        options,
        output,
        login,
    };
    process::block_on(plan.targets.count(), |cancel| probe(plan, cancel))
}

/// The machines of a rack file.
fn rack(matches: &ArgMatches, output: &Output, machines: &[rack::Machine]) -> Result<(), Failure> {
    let options = options(matches)?;
    let ipmi_port = matches.get_one::<u16>("ipmi-port").copied().unwrap_or(623);
    process::block_on(machines.len() as u64, |cancel| async move {
        let probes = rack::run(machines, &options, ipmi_port, &cancel).await?;
        let document = Probes { probes };
        output.print(&document, "probes", || {
            report::table(&document.probes, true)
        })?;
        rack::verdict(matches, machines, &document.probes)
    })
}

fn options(matches: &ArgMatches) -> Result<Options, Failure> {
    let mut trust = Trust::default();
    if let Some(pin) = matches.get_one::<String>("tls-pin") {
        trust.pin = Some(Trust::parse_pin(pin)?);
    }
    if let Some(path) = matches.get_one::<PathBuf>("tls-ca") {
        let pem =
            std::fs::read(path).map_err(|e| Failure::usage(format!("{}: {e}", path.display())))?;
        trust.ca = Some(Trust::parse_ca(&pem)?);
    }
    Ok(Options {
        budgets: matches
            .get_one::<Duration>("timeout")
            .map_or_else(Budgets::default, |limit| Budgets::of(*limit)),
        redfish_port: matches
            .get_one::<u16>("redfish-port")
            .copied()
            .unwrap_or(443),
        redfish_url: matches.get_one::<String>("redfish-url").cloned(),
        trust,
    })
}

/// As many connections at once as there are file descriptors for; the limit is raised as far as we may.
fn room_for(fanout: u32, targets: u64) -> usize {
    let wanted = u64::from(fanout).min(targets);
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else {
        return wanted as usize;
    };
    // Two connection attempts may run side by side.
    let need = wanted * 2 + RESERVED_FILES;
    let mut have = soft;
    if soft < need {
        let raised = need.min(hard);
        if setrlimit(Resource::RLIMIT_NOFILE, raised, hard).is_ok() {
            have = raised;
        }
    }
    let room = have.saturating_sub(RESERVED_FILES) / 2;
    wanted.min(room).max(1) as usize
}

async fn probe(plan: Plan, cancel: Cancel) -> Result<(), Failure> {
    let lan = Lan::new()?;
    let trust = plan.options.trust.clone();
    let detector = Arc::new(Detector::new(Arc::clone(&lan), plan.options)?);
    let subjects = plan
        .targets
        .iter()
        .map(|target| subject(target, plan.ipmi_port));
    let mut found: Vec<(usize, Probed)> = Vec::new();
    let mut silent = 0u64;
    let mut progress = Progress::new(plan.targets.count());
    sweep::sweep(
        &detector,
        subjects,
        plan.fanout,
        &cancel,
        |number, findings| {
            progress.step(findings.reachable);
            silent += u64::from(!findings.reachable);
            if findings.reachable || plan.keep_silent {
                found.push((number, Probed::new(findings)));
            }
        },
    )
    .await;
    progress.clear();
    found.order_by_key(|(number, _)| *number);
    let mut probes: Vec<Probed> = found.into_iter().map(|(_, probed)| probed).collect();
    let logs_in = plan.login.is_some();
    if let Some(login) = plan.login {
        reporter::report_all(
            Reporter::new(lan, login, trust),
            &mut probes,
            plan.fanout,
            &cancel,
        )
        .await;
    }
    let unrecorded = probes.iter_mut().find_map(|p| p.recorded.take());
    let document = Probes { probes };
    if plan.targets.count() == 1 {
        let told = one(&plan.output, &document, logs_in);
        return unrecorded.map_or(told, |error| Err(error.into()));
    }
    plan.output.print(&document, "probes", || {
        report::table(&document.probes, logs_in)
    })?;
    if silent > 0 && !plan.keep_silent {
        let _ = writeln!(
            std::io::stderr(),
            "{silent} of {} targets did not answer (--all lists them)",
            plan.targets.count()
        );
    }
    let lacks = |p: &Probed| p.findings.reachable && p.verdict().is_err();
    if logs_in && document.probes.iter().any(lacks) {
        return Err(Failure::some_failed());
    }
    Ok(())
}

/// One target: a report for people, and an exit code that tells whether it answered (and has what is needed).
fn one(output: &Output, document: &Probes, logs_in: bool) -> Result<(), Failure> {
    let Some(probed) = document.probes.first() else {
        return Err(Failure::interrupted());
    };
    match output.format {
        Format::Table | Format::Wide => {
            let mut text = report::text(&probed.findings);
            if let Some(found) = &probed.login {
                text.push_str(&report::login(found));
            }
            if let Some(error) = &probed.failed {
                text.push_str(&report::refused(error));
            }
            if let Some(report) = &probed.report {
                text.push('\n');
                text.push_str(&match output.format {
                    Format::Wide => output.table(&matrix::lines(report)),
                    _ => output.table(&matrix::matrix(report)),
                });
                text.push('\n');
                text.push_str(&matrix::notes(report));
            }
            let mut out = std::io::stdout().lock();
            out.write_all(text.as_bytes())?;
            out.flush()?;
        }
        _ => output.print(document, "probes", || {
            report::table(&document.probes, logs_in)
        })?,
    }
    match probed.verdict() {
        Err(kind) if logs_in => Err(Failure::reported(kind)),
        _ if probed.findings.reachable => Ok(()),
        _ => Err(Failure::reported(Kind::Unreachable)),
    }
}

fn subject(target: Target, ipmi_port: u16) -> Subject {
    Subject {
        host: match target.host {
            Host::Ip(ip) => ip.to_string(),
            Host::Name(name) => name,
        },
        ipmi_port: target.port.unwrap_or(ipmi_port),
        target: target.text,
    }
}
