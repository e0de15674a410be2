//! `halbox sim`: simulated BMCs on this host, and questions to a running simulator.

use std::io::{Write, stderr, stdout};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use super::common::credentials::first_line;
use super::common::exit::Failure;
use super::common::process::{cancel_on_interrupt, runtime};
use crate::hal::model::Secret;
use crate::hal::model::json::json;
use crate::hal::recording::{Recording, load, load_tree};
use crate::hal::sim::control::{Request, ask};
use crate::hal::sim::options::{DEFAULT_USER, Options};
use crate::hal::sim::{self, Ledger, ProfileName, RedfishOptions, SimHandle};
use crate::hal::transport::faults::Faults;

/// The command line.
#[expect(clippy::too_many_lines, reason = "one option after the other")]
pub fn command() -> Command {
    let option = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help)
    };
    let share = |name: &'static str, help: &'static str| {
        option(name, "P", help)
            .default_value("0")
            .value_parser(probability)
    };
    let profiles: Vec<&str> = ProfileName::ALL.iter().map(|p| p.as_str()).collect();
    Command::new("sim")
        .after_long_help(AFTER_HELP)
        .arg(
            option("count", "N", "Number of BMCs, on consecutive addresses")
                .default_value("1")
                .value_parser(value_parser!(u32).range(1..)),
        )
        .arg(
            option("listen", "ADDRESS", "Address of the first BMC; each binds exactly its own")
                .default_value("127.1.0.1")
                .value_parser(value_parser!(IpAddr)),
        )
        .arg(
            option("port", "PORT", "UDP port of IPMI (623 needs a privilege; 0: any free ports on the first address)")
                .default_value("6230")
                .value_parser(value_parser!(u16)),
        )
        .arg(
            Arg::new("redfish")
                .long("redfish")
                .action(ArgAction::SetTrue)
                .help("Answer Redfish as well, over HTTPS on port 8443, from the same state"),
        )
        .arg(
            option("redfish-port", "PORT", "TCP port of Redfish (443 needs a privilege; 0: any free ports); implies --redfish")
                .value_parser(value_parser!(u16)),
        )
        .arg(
            option("redfish-http-port", "PORT", "TCP port of Redfish over plain HTTP, beside HTTPS; implies --redfish")
                .value_parser(value_parser!(u16)),
        )
        .arg(
            option("vm-listen", "ADDRESS:PORT", "Be the BMC of virtual machines: TCP address for QEMU's ipmi-bmc-extern, one port for each BMC from this one on (0: any free ports)")
                .value_parser(value_parser!(SocketAddr)),
        )
        .arg(
            Arg::new("rst-on-reuse")
                .long("rst-on-reuse")
                .action(ArgAction::SetTrue)
                .help("Reset an HTTP connection on its second request, as iLO does"),
        )
        .arg(
            option("profile", "P", "Kind of BMC")
                .default_value("generic")
                .value_parser(PossibleValuesParser::new(profiles)),
        )
        .arg(option("user", "NAME", "Name of the administrator").default_value(DEFAULT_USER))
        .arg(
            option("password-file", "FILE", "File whose first line is the administrator's password [default: the password admin]")
                .value_parser(value_parser!(PathBuf)),
        )
        .arg(share("loss", "Datagrams that are lost, each way (0.05 or 5%)"))
        .arg(share("duplicate", "Datagrams that arrive twice"))
        .arg(share("reorder", "Datagrams that are overtaken"))
        .arg(share("corrupt", "Datagrams in which a bit flips"))
        .arg(
            option("delay", "MS", "Milliseconds that every answer takes")
                .default_value("0")
                .value_parser(value_parser!(u64).range(..=600_000)),
        )
        .arg(share("busy", "Commands that are refused as busy (0xC0)"))
        .arg(share("unresponsive", "BMCs that do not answer"))
        .arg(share("slow", "BMCs that answer 1.5 s late"))
        .arg(
            option("lockout", "N", "Lock an account for 30 s after N wrong passwords; 0: never")
                .default_value("0")
                .value_parser(value_parser!(u8)),
        )
        .arg(
            option("seed", "N", "Start of all random streams: the same seed, the same faults")
                .default_value("0")
                .value_parser(value_parser!(u64)),
        )
        .arg(
            option("pace", "N", "Answers per second of all BMCs together")
                .default_value("25000")
                .value_parser(value_parser!(u32).range(1..)),
        )
        .arg(
            option("state", "DIR", "Keep users, power, boot flags, event log and addresses there")
                .value_parser(value_parser!(PathBuf)),
        )
        .arg(
            option("control", "PATH", "Control socket, with or without unix: in front [default: a new one in $XDG_RUNTIME_DIR or the temporary directory]"),
        )
        .arg(
            Arg::new("what")
                .value_name("RECORDING|REQUEST")
                .num_args(0..)
                .value_parser(what)
                .help("Recordings (files of `probe --record`, or directories with a tree redfish/v1/…/index.json) to be replayed, a BMC for each; or ledger, total, stop, or a JSON request, for the simulator behind --control"),
        )
}

const AFTER_HELP: &str = "\
When all addresses are bound, one line of JSON says so on stdout: \
{\"ready\":true,\"bmcs\":3,\"first\":\"127.1.0.1\",\"last\":\"127.1.0.3\",\"port\":6230,\"control\":\"unix:...\"}. \
Ctrl-C or SIGTERM ends it, with a summary on stderr.

A recording or a recorded tree is replayed as a BMC: IPMI and Redfish answer what was recorded, and what is written is kept in \
memory. Users of the recording cannot log in, for it holds no passwords; admin with password admin can.

The administrator is admin with password admin, unless --user and --password-file say otherwise. Profiles differ in \
cipher suites, user rules, chunk sizes, timing and manners; `broken` has everything that firmware gets wrong.

With --vm-listen 127.0.0.1:9002 the BMC is also that of a virtual machine, /dev/ipmi0 in the guest (power off and reset reach \
the guest): qemu-system-x86_64 -chardev socket,id=ipmi0,host=127.0.0.1,port=9002,reconnect=1 -device \
ipmi-bmc-extern,id=bmc0,chardev=ipmi0 -device isa-ipmi-kcs,bmc=bmc0

A running simulator answers on its control socket, one line of JSON per request: halbox sim --control unix:PATH \
ledger (counters of each BMC), total (their sum), stop, or {\"do\":\"set\",\"bmc\":0,\"unresponsive\":true,\
\"slow_ms\":200,\"busy\":0.5,\"power\":\"off\"} (without bmc: all).";

/// A share: `0.05` or `5%`.
fn probability(text: &str) -> Result<f64, String> {
    let bad = || format!("'{text}' is no probability (0 to 1, or 0% to 100%)");
    let value = match text.strip_suffix('%') {
        Some(percent) => percent.trim().parse::<f64>().map_err(|_| bad())? / 100.0,
        None => text.parse().map_err(|_| bad())?,
    };
    if (0.0..=1.0).contains(&value) {
        Ok(value)
    } else {
        Err(bad())
    }
}

/// What stands behind the options.
#[derive(Debug, Clone)]
enum What {
    /// For a simulator that runs.
    Ask(Request),
    /// To be replayed.
    Replay(PathBuf),
}

fn what(text: &str) -> Result<What, String> {
    match text {
        "ledger" => Ok(What::Ask(Request::Ledger)),
        "total" => Ok(What::Ask(Request::Total)),
        "stop" => Ok(What::Ask(Request::Stop)),
        json if json.starts_with('{') => serde_json::from_str(json)
            .map(What::Ask)
            .map_err(|e| e.to_string()),
        path if Path::new(path).exists() => Ok(What::Replay(PathBuf::from(path))),
        _ => Err("neither a file nor one of ledger, total, stop, or a JSON object".to_owned()),
    }
}

/// Reads a recording or a tree.
fn recording(path: &Path) -> Result<Arc<Recording>, Failure> {
    let recording = if path.is_dir() {
        load_tree(path)?
    } else {
        load(path)?
    };
    for warning in &recording.warnings {
        let _ = writeln!(stderr(), "halbox: {}: {warning}", path.display());
    }
    Ok(Arc::new(recording))
}

/// Runs the simulator, or asks one that runs.
pub fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let control = matches
        .get_one::<String>("control")
        .map(|text| PathBuf::from(text.strip_prefix("unix:").unwrap_or(text)));
    let all: Vec<&What> = matches.get_many("what").into_iter().flatten().collect();
    if let [What::Ask(request)] = all.as_slice() {
        let Some(path) = control else {
            return Err(Failure::usage("a request needs --control")
                .hint("the ready line of the simulator names its control socket"));
        };
        let answer = ask(&path, request)?;
        return Ok(writeln!(stdout().lock(), "{answer}")?);
    }
    let mut recordings = Vec::new();
    for what in all {
        match what {
            What::Replay(path) => recordings.push(recording(path)?),
            What::Ask(_) => return Err(Failure::usage("a request stands alone")),
        }
    }
    let mut options = options(matches, control.unwrap_or_else(default_control))?;
    if !recordings.is_empty() {
        let files = u32::try_from(recordings.len()).unwrap_or(u32::MAX);
        options.count = options.count.max(files);
        // What was recorded over Redfish is to be seen.
        options.redfish = options.redfish.or(Some(RedfishOptions::default()));
        options.recordings = recordings;
    }
    let runtime = runtime(1)?;
    runtime.block_on(async {
        // Signals are watched from before the ready line on.
        let cancel = cancel_on_interrupt()?;
        let handle = sim::start(options.clone())?;
        ready(&handle, &options)?;
        tokio::select! {
            () = cancel.cancelled() => {}
            () = handle.stopped() => {}
        }
        summary(&handle.total());
        handle.stop();
        Ok(())
    })
}

fn default_control() -> PathBuf {
    let dir = std::env::var_os("XDG_RUNTIME_DIR").map_or_else(std::env::temp_dir, PathBuf::from);
    dir.join(format!("halbox-sim-{}.sock", std::process::id()))
}

fn options(matches: &ArgMatches, control: PathBuf) -> Result<Options, Failure> {
    let share = |name| matches.get_one::<f64>(name).copied().unwrap_or(0.0);
    let number = |name| matches.get_one::<u64>(name).copied().unwrap_or(0);
    let defaults = Options::default();
    let profile = matches
        .get_one::<String>("profile")
        .map_or(Ok(defaults.profile), |p| p.parse())
        .map_err(Failure::usage)?;
    let password = match matches.get_one::<PathBuf>("password-file") {
        Some(path) => first_line(path)?,
        None => Secret::new(DEFAULT_USER),
    };
    let delay = Duration::from_millis(number("delay"));
    Ok(Options {
        count: matches.get_one("count").copied().unwrap_or(defaults.count),
        listen: matches
            .get_one("listen")
            .copied()
            .unwrap_or(defaults.listen),
        port: matches.get_one("port").copied().unwrap_or(defaults.port),
        redfish: redfish(matches),
        vm: matches.get_one("vm-listen").copied(),
        recordings: Vec::new(),
        profile,
        user: matches
            .get_one::<String>("user")
            .cloned()
            .unwrap_or(defaults.user),
        password,
        faults: Faults {
            loss: share("loss"),
            duplicate: share("duplicate"),
            reorder: share("reorder"),
            reorder_by: delay / 2 + Duration::from_millis(10),
            corrupt: share("corrupt"),
            delay,
        },
        busy: share("busy"),
        unresponsive: share("unresponsive"),
        slow: share("slow"),
        slow_by: defaults.slow_by,
        lockout: matches.get_one("lockout").copied().unwrap_or(0),
        seed: number("seed"),
        state: matches.get_one("state").cloned(),
        control: Some(control),
        pace: matches.get_one("pace").copied().unwrap_or(defaults.pace),
        threads: 0,
    })
}

/// How Redfish is answered, if it is.
fn redfish(matches: &ArgMatches) -> Option<RedfishOptions> {
    let port = matches.get_one::<u16>("redfish-port").copied();
    let http_port = matches.get_one::<u16>("redfish-http-port").copied();
    let asked = matches.get_flag("redfish") || port.is_some() || http_port.is_some();
    asked.then(|| RedfishOptions {
        port: port.unwrap_or(RedfishOptions::default().port),
        http_port,
        rst_on_reuse: matches.get_flag("rst-on-reuse"),
    })
}

/// The one line on stdout.
fn ready(handle: &SimHandle, options: &Options) -> Result<(), Failure> {
    let addresses = handle.addrs();
    let control = options
        .control
        .as_ref()
        .map(|path| format!("unix:{}", path.display()));
    let mut line = json!({
        "ready": true,
        "bmcs": addresses.len(),
        "first": addresses.first().map(|a| a.ip().to_string()),
        "last": addresses.last().map(|a| a.ip().to_string()),
        "port": addresses.first().map(SocketAddr::port),
        "control": control,
    });
    if options.port == 0
        && let Some(map) = line.as_object_mut()
    {
        let ports: Vec<u16> = addresses.iter().map(SocketAddr::port).collect();
        map.insert("ports".to_owned(), json!(ports));
    }
    if let (Some(redfish), Some(map)) = (options.redfish, line.as_object_mut()) {
        let ports = |addresses: &[SocketAddr]| -> Vec<u16> {
            addresses.iter().map(SocketAddr::port).collect()
        };
        let https = ports(handle.redfish_addrs());
        map.insert("redfish_port".to_owned(), json!(https.first()));
        if redfish.port == 0 {
            map.insert("redfish_ports".to_owned(), json!(https));
        }
        if let Some(port) = redfish.http_port {
            let http = ports(handle.http_addrs());
            map.insert("redfish_http_port".to_owned(), json!(http.first()));
            if port == 0 {
                map.insert("redfish_http_ports".to_owned(), json!(http));
            }
        }
    }
    if let (Some(_), Some(map)) = (options.vm, line.as_object_mut()) {
        let ports: Vec<u16> = handle.vm_addrs().iter().map(SocketAddr::port).collect();
        map.insert("vm_ports".to_owned(), json!(ports));
    }
    if !options.recordings.is_empty()
        && let Some(map) = line.as_object_mut()
    {
        map.insert("user".to_owned(), json!(options.user));
    }
    let mut out = stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}

/// What happened, on stderr.
fn summary(total: &Ledger) {
    let _ = writeln!(
        stderr(),
        "halbox: sessions: {} opened, {} closed, {} expired, {} open now ({} half-open, {} abandoned); \
         {} failed logins, {} lock-outs; {} commands ({} most in flight, {} duplicates); \
         {} datagrams in, {} out; HTTP: {} requests on {} connections ({} open at once at most), \
         Redfish sessions: {} opened, {} closed, {} open now",
        total.sessions_opened,
        total.sessions_closed,
        total.sessions_expired,
        total.sessions_open,
        total.half_open,
        total.handshakes_abandoned,
        total.failed_logins,
        total.lockouts,
        total.commands,
        total.most_in_flight,
        total.duplicates,
        total.datagrams_in,
        total.datagrams_out,
        total.http_requests,
        total.http_connections,
        total.http_most_connections,
        total.redfish_sessions_opened,
        total.redfish_sessions_closed,
        total.redfish_sessions_open,
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_fractions_or_percent() {
        assert_eq!(probability("0.25"), Ok(0.25));
        assert_eq!(probability("30%"), Ok(0.3));
        for bad in ["2", "-0.1", "x", "101%", "NaN", ""] {
            assert!(probability(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn requests_are_words_or_json() {
        assert!(matches!(what("ledger"), Ok(What::Ask(Request::Ledger))));
        let set = what(r#"{"do":"set","bmc":1,"unresponsive":true}"#);
        assert!(matches!(
            set,
            Ok(What::Ask(Request::Set {
                bmc: Some(1),
                unresponsive: Some(true),
                ..
            }))
        ));
        assert!(what("/nonexistent/server.rec").is_err());
        assert!(what(r#"{"do":"explode"}"#).is_err());
    }
}
