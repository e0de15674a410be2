//! The daemon's configuration: YAML file, HALBOX_* variables, flags; the latter win.

mod document;
mod options;

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use clap::ArgMatches;
use clap::parser::ValueSource;
use log::LevelFilter;

use crate::api::server::{CALLS_PER_SECOND, Roles};
use crate::applets::common::duration;
use crate::applets::common::exit::Failure;
use crate::discover::plan::{Network, Rules};
use crate::hal::model::MacAddr;

use document::{Document, line_of, load};
pub use options::args;

/// Where the API is when nothing else is said.
pub const SOCKET: &str = "/run/halbox/halbox.sock";

/// What the daemon does.
#[derive(Debug, Clone)]
pub struct Config {
    /// Table, key, what was learnt.
    pub state_dir: PathBuf,
    /// Socket of the API.
    pub socket: PathBuf,
    /// Group that may use it.
    pub socket_group: Option<String>,
    /// Where the API is over TLS.
    pub listen: Option<SocketAddr>,
    /// Certificate and key of that.
    pub tls_cert: Option<PathBuf>,
    /// Its key.
    pub tls_key: Option<PathBuf>,
    /// Who issues the callers' certificates.
    pub tls_client_ca: Option<PathBuf>,
    /// Roles of callers' certificates, by CN.
    pub roles: Roles,
    /// Calls per second of one caller; 0 = as many as he likes.
    pub calls_per_second: u32,
    /// What is logged, where it is not said by -v.
    pub log_level: Option<LevelFilter>,
    /// Where /healthz, /readyz and /metrics are.
    pub http: Option<SocketAddr>,
    /// Keys of the secrets.
    pub key_file: Option<PathBuf>,
    /// Lease files of DHCP servers.
    pub lease_files: Vec<PathBuf>,
    /// Which leases count.
    pub rules: Rules,
    /// BMCs with fixed addresses.
    pub fixed: Vec<(MacAddr, IpAddr)>,
    /// Time between two refreshes of a BMC.
    pub refresh: Duration,
    /// Partition of new rows.
    pub partition: Option<String>,
    /// UDP port of IPMI.
    pub ipmi_port: u16,
    /// TCP port of Redfish.
    pub redfish_port: u16,
    /// Which consoles are recorded.
    pub console_log: ConsoleLog,
    /// Bytes that are kept of each.
    pub console_size: u64,
    /// Bytes that are kept of all consoles together.
    pub console_total: u64,
}

/// Which consoles are recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConsoleLog {
    /// None.
    Off,
    /// While somebody is in.
    OnDemand,
    /// Every one, all the time: the daemon keeps the lines open.
    Always,
}

impl Config {
    /// From file, environment and command line.
    #[expect(clippy::too_many_lines, reason = "one statement per option")]
    pub fn from_matches(
        m: &ArgMatches,
        env: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, Failure> {
        let path = m.get_one::<PathBuf>("config");
        let (document, text) = match path {
            Some(path) => load(path)?,
            None => (Document::default(), String::new()),
        };
        // What is wrong, and who said it: the command line, a variable, or the file.
        let wrong = |field: &str, why: String| {
            let option = options::of_field(field);
            let place =
                match option.and_then(|(name, env)| Some((m.value_source(name)?, name, env))) {
                    Some((ValueSource::CommandLine, name, _)) => format!("--{name}"),
                    Some((ValueSource::EnvVariable, _, env)) => env.to_owned(),
                    _ => match (path, line_of(&text, field, &why)) {
                        (Some(path), Some(line)) => format!("{}:{line}: {field}", path.display()),
                        (Some(path), None) => format!("{}: {field}", path.display()),
                        (None, _) => format!("the configuration: {field}"),
                    },
                };
            Failure::usage(format!("{place}: {why}"))
        };
        // The variables of metal-bmc, where nothing of ours is said.
        let metal = |name: &str| env(&format!("METAL_BMC_{name}")).filter(|v| !v.is_empty());
        let one = |name: &str| m.get_one::<String>(name).cloned();
        let many = |name: &str| -> Option<Vec<String>> {
            let list: Vec<String> = m.get_many::<String>(name)?.cloned().collect();
            Some(list.into_iter().filter(|v| !v.is_empty()).collect())
        };
        let split = |text: String| text.split(',').map(|s| s.trim().to_owned()).collect();
        let networks = many("network")
            .or(document.networks)
            .or_else(|| metal("ALLOWED_CIDRS").map(split))
            .unwrap_or_default();
        let ignored = many("ignore-mac")
            .or(document.ignored_macs)
            .or_else(|| metal("IGNORE_MACS").map(split))
            .unwrap_or_default();
        let mut rules = Rules::default();
        for text in networks {
            let network: Network = text.parse().map_err(|e| wrong("networks", e))?;
            rules.networks.push(network);
        }
        for text in ignored {
            rules
                .ignored
                .push(text.parse().map_err(|e| wrong("ignored-macs", e))?);
        }
        let mut fixed = Vec::new();
        let said: Vec<(String, String)> = match (many("static"), document.fixed) {
            (Some(list), _) => list
                .iter()
                .map(|text| {
                    let pair = text
                        .split_once('=')
                        .ok_or_else(|| wrong("static", format!("'{text}' is not MAC=IP")))?;
                    Ok((pair.0.to_owned(), pair.1.to_owned()))
                })
                .collect::<Result<_, Failure>>()?,
            (None, list) => list
                .unwrap_or_default()
                .into_iter()
                .map(|f| (f.mac, f.ip))
                .collect(),
        };
        for (mac, ip) in said {
            let mac = mac.parse().map_err(|e| wrong("static", e))?;
            let ip = ip
                .parse()
                .map_err(|_| wrong("static", format!("'{ip}' is no address")))?;
            fixed.push((mac, ip));
        }
        let refresh = one("refresh")
            .or(document.refresh)
            .or_else(|| metal("REPORT_INTERVAL"))
            .map_or(Ok(Duration::from_mins(5)), |text| duration::parse(&text))
            .map_err(|e| wrong("refresh", e))?;
        let port = |name: &str, file: Option<u16>, old: &str, usual: u16| -> Result<u16, Failure> {
            let Some(text) = one(name)
                .or_else(|| file.map(|port| port.to_string()))
                .or_else(|| metal(old))
            else {
                return Ok(usual);
            };
            text.parse::<u16>()
                .ok()
                .filter(|p| *p > 0)
                .ok_or_else(|| wrong(name, format!("'{text}' is no port")))
        };
        let http = one("http").or(document.http);
        let http = match http.filter(|h| !h.is_empty()) {
            Some(text) => Some(
                text.parse()
                    .map_err(|_| wrong("http", format!("'{text}' is not ADDRESS:PORT")))?,
            ),
            None => None,
        };
        let listen = one("listen").or(document.listen).filter(|l| !l.is_empty());
        let listen = match listen {
            Some(text) => Some(
                text.parse()
                    .map_err(|_| wrong("listen", format!("'{text}' is not ADDRESS:PORT")))?,
            ),
            None => None,
        };
        let calls_per_second = match one("calls-per-second") {
            Some(text) => text
                .parse()
                .map_err(|_| wrong("calls-per-second", format!("'{text}' is no number")))?,
            None => document.calls_per_second.unwrap_or(CALLS_PER_SECOND),
        };
        let log_level = match one("log-level").or(document.log_level) {
            Some(text) => Some(text.parse().map_err(|_| {
                wrong(
                    "log-level",
                    format!("'{text}' is not warn, info, debug or trace"),
                )
            })?),
            None => None,
        };
        let mut named = Roles::new();
        for (name, role) in document.roles.unwrap_or_default() {
            named.insert(name, role.parse().map_err(|e| wrong("roles", e))?);
        }
        let console = document.console.unwrap_or_default();
        let console_log = match one("console-log").or(console.log).as_deref() {
            None | Some("on-demand") => ConsoleLog::OnDemand,
            Some("always") => ConsoleLog::Always,
            Some("off") => ConsoleLog::Off,
            Some(other) => {
                let why = format!("'{other}' is none of off, on-demand, always");
                return Err(wrong("console.log", why));
            }
        };
        let console_size = one("console-log-size")
            .or(console.log_size)
            .map_or(Ok(8 << 20), |text| size(&text))
            .map_err(|e| wrong("console.log-size", e))?;
        let console_total = one("console-log-total")
            .or(console.log_total)
            .map_or(Ok(8 << 30), |text| size(&text))
            .map_err(|e| wrong("console.log-total", e))?;
        let path = |name: &str, file: Option<PathBuf>| one(name).map(PathBuf::from).or(file);
        let old_leases = || metal("LEASE_FILE").map(|f| vec![PathBuf::from(f)]);
        Ok(Self {
            state_dir: path("state-dir", document.state_dir)
                .unwrap_or_else(|| PathBuf::from("/var/lib/halbox")),
            socket: path("socket", document.socket).unwrap_or_else(|| PathBuf::from(SOCKET)),
            socket_group: one("socket-group").or(document.socket_group),
            listen,
            tls_cert: path("tls-cert", document.tls_cert),
            tls_key: path("tls-key", document.tls_key),
            tls_client_ca: path("tls-client-ca", document.tls_client_ca),
            roles: named,
            calls_per_second,
            log_level,
            http,
            key_file: path("key-file", document.key_file),
            lease_files: many("lease-file")
                .map(|list| list.into_iter().map(PathBuf::from).collect())
                .or(document.lease_files)
                .or_else(old_leases)
                .unwrap_or_default(),
            rules,
            fixed,
            refresh,
            partition: one("partition")
                .or(document.partition)
                .or_else(|| metal("PARTITION_ID")),
            ipmi_port: port("ipmi-port", document.ipmi_port, "IPMI_PORT", 623)?,
            redfish_port: port("redfish-port", document.redfish_port, "REDFISH_PORT", 443)?,
            console_log,
            console_size,
            console_total,
        })
    }

    /// What is wrong without being nonsense: files that cannot be read.
    pub fn check(&self) -> Vec<String> {
        let mut out = Vec::new();
        if self.lease_files.is_empty() && self.fixed.is_empty() {
            out.push(
                "no lease-files: BMCs are only found by static, bmc add and bmc discover"
                    .to_owned(),
            );
        }
        for path in &self.lease_files {
            if let Err(e) = std::fs::File::open(path) {
                out.push(format!("lease-files: {}: {e}", path.display()));
            }
        }
        if !self.state_dir.is_dir() {
            out.push(format!(
                "state-dir: {} is no folder",
                self.state_dir.display()
            ));
        }
        out
    }
}

/// `64KiB`, `16MiB`, `1GiB` or bytes.
fn size(text: &str) -> Result<u64, String> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let shift = match unit.trim() {
        "" => 0,
        "K" | "KiB" => 10,
        "M" | "MiB" => 20,
        "G" | "GiB" => 30,
        _ => 64,
    };
    let number = number.parse::<u64>().ok();
    number
        .and_then(|n| n.checked_mul(1u64.checked_shl(shift)?))
        .filter(|n| (64 << 10..=1 << 40).contains(n))
        .ok_or_else(|| format!("'{text}' is no size from 64KiB on, e.g. 16MiB"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use clap::Command;

    use super::*;

    fn config(yaml: &str, line: &[&str], metal: &[(&str, &str)]) -> Result<Config, Failure> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("halbox.yaml");
        std::fs::write(&path, yaml).unwrap();
        let path = path.to_string_lossy().into_owned();
        let line = ["serve", "--config", &path]
            .into_iter()
            .chain(line.iter().copied());
        let matches = args(Command::new("serve")).get_matches_from(line);
        Config::from_matches(&matches, |name| {
            let found = metal.iter().find(|(n, _)| *n == name);
            found.map(|(_, v)| (*v).to_owned())
        })
    }

    #[test]
    fn flags_win_over_the_file_and_metal_bmc_comes_last() {
        let yaml = "state-dir: /a\nlease-files: [/x, /y]\nnetworks: [10.0.0.0/8]\nrefresh: 1m\nstatic:\n- {mac: 'ac:1f:6b:00:00:01', ip: 10.0.0.1}\n";
        let got = config(
            yaml,
            &["--state-dir", "/b", "--refresh", "2m"],
            &[
                ("METAL_BMC_IPMI_PORT", "6230"),
                ("METAL_BMC_LEASE_FILE", "/z"),
            ],
        )
        .unwrap();
        assert_eq!(got.state_dir, Path::new("/b"));
        assert_eq!(got.refresh, Duration::from_mins(2));
        assert_eq!(got.lease_files, [PathBuf::from("/x"), PathBuf::from("/y")]);
        assert_eq!(
            (got.ipmi_port, got.redfish_port, got.fixed.len()),
            (6230, 443, 1)
        );
        let old = config(
            "",
            &[],
            &[
                ("METAL_BMC_LEASE_FILE", "/z"),
                ("METAL_BMC_ALLOWED_CIDRS", "10.0.0.0/8,192.168.0.0/16"),
            ],
        )
        .unwrap();
        assert_eq!(old.lease_files, [PathBuf::from("/z")]);
        assert_eq!(old.rules.networks.len(), 2);
    }

    #[test]
    fn consoles_are_recorded_as_wanted() {
        let got = |yaml, line| {
            let got = config(yaml, line, &[]).unwrap();
            (got.console_log, got.console_size)
        };
        let total = |yaml| config(yaml, &[], &[]).unwrap().console_total;
        assert_eq!(total(""), 8 << 30);
        assert_eq!(total("console: {log-total: 3GiB}\n"), 3 << 30);
        assert_eq!(got("", &[]), (ConsoleLog::OnDemand, 8 << 20));
        let yaml = "console: {log: always, log-size: 1MiB}\n";
        assert_eq!(got(yaml, &[]), (ConsoleLog::Always, 1 << 20));
        let line = &["--console-log", "off", "--console-log-size", "65536"];
        assert_eq!(got(yaml, line), (ConsoleLog::Off, 64 << 10));
    }

    #[test]
    fn mistakes_are_named_by_file_line_and_field() {
        let message = |yaml: &str| config(yaml, &[], &[]).unwrap_err().message().to_owned();
        let unknown = message("state-dir: /a\nlease-filez: [/x]\n");
        assert!(
            unknown.contains("halbox.yaml")
                && unknown.contains("lease-filez")
                && unknown.contains("line 2"),
            "{unknown}"
        );
        assert!(message("ipmi-port: 99999\n").contains("line 1"));
        // Valid YAML with a value that is none: the same.
        for (yaml, place) in [
            ("networks: [10.0.0.0/99]\n", ":1: networks: '10.0.0.0/99'"),
            (
                "# refresh: 1m\npartition: x\nnetworks:\n- 10.0.0.0/8\n- 10.1.0.0\n- fe80::/129\nrefresh: 5m\n",
                ":6: networks: 'fe80::/129'",
            ),
            ("partition: x\n\nrefresh: -5m\n", ":3: refresh: '-5m'"),
            ("refresh: often\n", ":1: refresh: 'often'"),
            ("'refresh': 0s\n", ":1: refresh: '0s'"),
            (
                "ignored-macs: [\n  'ac:1f:6b:00:00:01',\n  'ac:1f:6b']\n",
                ":3: ignored-macs: 'ac:1f:6b'",
            ),
            (
                "static:\n- {mac: 'ac:1f:6b:00:00:01', ip: 10.0.0.1}\n- mac: 'ac:1f:6b:00:00:02'\n  ip: 10.0.0.300\n",
                ":4: static: '10.0.0.300'",
            ),
            ("roles:\n  a: viewer\n  b: king\n", ":3: roles: 'king'"),
            ("partition: x\nipmi-port: 0\n", ":2: ipmi-port: '0'"),
            ("log-level: loud\n", ":1: log-level: 'loud'"),
            ("http: here\n", ":1: http: 'here'"),
            ("console: {log: never}\n", ":1: console.log: 'never'"),
            (
                "console:\n  log: always\n  log-size: 1K\n",
                ":3: console.log-size: '1K'",
            ),
            ("{refresh: never}\n", ":1: refresh: 'never'"),
        ] {
            let message = message(yaml);
            assert!(
                message.contains(&format!("halbox.yaml{place}")),
                "{message}"
            );
        }
        // Who said it is named.
        let line = config("refresh: 1m\n", &["--refresh", "never"], &[]).unwrap_err();
        assert!(
            line.message().starts_with("--refresh: 'never'"),
            "{}",
            line.message()
        );
        let metal = config("", &[], &[("METAL_BMC_ALLOWED_CIDRS", "10.0.0.0/8,x")]).unwrap_err();
        assert!(
            metal.message().contains("networks: 'x'"),
            "{}",
            metal.message()
        );
    }
}
