//! The options of the daemon, as data.

use std::path::PathBuf;

use clap::{Arg, ArgAction, Command, value_parser};

/// Options that are the same in file, environment and on the command line: name, value, help, repeated.
const OPTIONS: &[(&str, &str, &str, &str, bool)] = &[
    (
        "state-dir",
        "HALBOX_STATE_DIR",
        "DIR",
        "Table, key, what was learnt [default: /var/lib/halbox]",
        false,
    ),
    (
        "socket",
        "HALBOX_SOCKET",
        "PATH",
        "Socket of the API [default: /run/halbox/halbox.sock]",
        false,
    ),
    (
        "socket-group",
        "HALBOX_SOCKET_GROUP",
        "GROUP",
        "Group that may use the socket",
        false,
    ),
    (
        "listen",
        "HALBOX_LISTEN",
        "ADDRESS:PORT",
        "Serve the API there as well, over TLS 1.3 (needs --tls-cert and --tls-key)",
        false,
    ),
    (
        "tls-cert",
        "HALBOX_TLS_CERT",
        "FILE",
        "Certificate of --listen (PEM)",
        false,
    ),
    ("tls-key", "HALBOX_TLS_KEY", "FILE", "Its key (PEM)", false),
    (
        "tls-client-ca",
        "HALBOX_TLS_CLIENT_CA",
        "FILE",
        "Who issues the certificates of callers (PEM); their roles stand in the configuration: roles: {CN: operator}; the name machine stands for all certificates whose CN is the UUID of a machine, each for that machine alone",
        false,
    ),
    (
        "calls-per-second",
        "HALBOX_CALLS_PER_SECOND",
        "N",
        "Calls of one caller; more are refused, and he is told when to come again; 0 = no limit [default: 1000]",
        false,
    ),
    (
        "log-level",
        "HALBOX_LOG_LEVEL",
        "LEVEL",
        "warn, info, debug or trace [default: as -v says]",
        false,
    ),
    (
        "http",
        "HALBOX_HTTP",
        "ADDRESS:PORT",
        "Serve /healthz, /readyz and /metrics there",
        false,
    ),
    (
        "key-file",
        "HALBOX_KEY_FILE",
        "FILE",
        "Keys of the passwords, one per line, the newest first [default: the systemd credential halbox.key, else key in the state directory, made when it is missing]",
        false,
    ),
    (
        "lease-file",
        "HALBOX_LEASE_FILES",
        "FILE",
        "Lease file of ISC dhcpd, Kea or dnsmasq; several are possible",
        true,
    ),
    (
        "network",
        "HALBOX_NETWORKS",
        "CIDR",
        "Only leases in these networks count; several are possible",
        true,
    ),
    (
        "ignore-mac",
        "HALBOX_IGNORED_MACS",
        "MAC",
        "No BMC; several are possible",
        true,
    ),
    (
        "static",
        "HALBOX_STATIC",
        "MAC=IP",
        "A BMC with a fixed address; several are possible",
        true,
    ),
    (
        "refresh",
        "HALBOX_REFRESH",
        "DURATION",
        "Time between two refreshes of a BMC [default: 5m]",
        false,
    ),
    (
        "partition",
        "HALBOX_PARTITION",
        "NAME",
        "Partition of new rows",
        false,
    ),
    (
        "ipmi-port",
        "HALBOX_IPMI_PORT",
        "PORT",
        "UDP port of IPMI [default: 623]",
        false,
    ),
    (
        "redfish-port",
        "HALBOX_REDFISH_PORT",
        "PORT",
        "TCP port of Redfish [default: 443]",
        false,
    ),
    (
        "console-log",
        "HALBOX_CONSOLE_LOG",
        "WHEN",
        "Record serial consoles: off, on-demand (while somebody is in) or always (the lines are kept open) [default: on-demand]",
        false,
    ),
    (
        "console-log-size",
        "HALBOX_CONSOLE_LOG_SIZE",
        "SIZE",
        "What is kept of each console, e.g. 16MiB; the oldest goes first [default: 8MiB]",
        false,
    ),
    (
        "console-log-total",
        "HALBOX_CONSOLE_LOG_TOTAL",
        "SIZE",
        "What is kept of all consoles together; the oldest goes first [default: 8GiB]",
        false,
    ),
];

/// Adds the options.
pub fn args(mut command: Command) -> Command {
    command = command
        .arg(
            Arg::new("config")
                .long("config")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .env("HALBOX_CONFIG")
                .hide_env(true)
                .help("Configuration in YAML; its keys are named like the options below (lists: lease-files, networks, ignored-macs, static; console: {log, log-size, log-total})"),
        )
        .arg(
            Arg::new("check-config")
                .long("check-config")
                .action(ArgAction::SetTrue)
                .help("Say what is wrong with the configuration, and end"),
        );
    for (name, env, value, help, many) in OPTIONS {
        let mut arg = Arg::new(*name)
            .long(*name)
            .env(*env)
            .hide_env(true)
            .value_name(*value)
            .help(*help);
        if *many {
            arg = arg.action(ArgAction::Append).value_delimiter(',');
        }
        command = command.arg(arg);
    }
    command
}

/// Option and variable of a key of the file.
pub(super) fn of_field(field: &str) -> Option<(&'static str, &'static str)> {
    let name = match field {
        "lease-files" => "lease-file",
        "networks" => "network",
        "ignored-macs" => "ignore-mac",
        "console.log" => "console-log",
        "console.log-size" => "console-log-size",
        "console.log-total" => "console-log-total",
        same => same,
    };
    let found = OPTIONS.iter().find(|option| option.0 == name)?;
    Some((found.0, found.1))
}
