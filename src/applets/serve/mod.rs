//! `halbox serve`: the daemon. Finds BMCs, keeps the table, serves the API.

pub(super) mod config;
mod demo;
mod reload;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Command};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use sd_notify::NotifyState;
use tokio::task::JoinSet;

use super::common::exit::Failure;
use super::common::process;
use crate::api::entry::Entry;
use crate::api::http::{self, Pages};
use crate::api::listen::{self, Inherited};
use crate::api::server::{Server, Settings};
use crate::api::tls::{self, Papers};
use crate::console::{Hub, Limits};
use crate::discover::{Discovery, Doors, Options, now};
use crate::hal::detect::{self, Budgets, Detector};
use crate::hal::fleet::Fleet;
use crate::hal::gate::Gate;
use crate::hal::model::Cancel;
use crate::hal::transport::Lan;
use crate::inventory::audit::Audit;
use crate::inventory::requests::RequestKey;
use crate::inventory::seal::Sealer;
use crate::inventory::tokens::Tokens;
use crate::inventory::{Cache, Logins, Sqlite, Store};
use config::{Config, ConsoleLog};
use reload::Parts;

/// Calls of one connection at the same time.
const STREAMS: u32 = 256;
/// Bytes of the headers of one call.
const HEADERS: u32 = 16 << 10;
/// How long consoles have to be left after the end was asked for; with the two that follow less than ten seconds.
const LEAVE: Duration = Duration::from_secs(2);
/// How long callers have to finish.
const DRAIN: Duration = Duration::from_secs(4);
/// How long sessions with BMCs have to be closed.
const GOODBYE: Duration = Duration::from_secs(3);
/// The first look at an address: who answers by then stands in the row within a second.
const QUICK: Budgets = Budgets {
    silence: Duration::from_millis(700),
    whole: Duration::from_millis(800),
};

/// The command line.
pub fn command() -> Command {
    config::args(Command::new("serve"))
        .arg(
            Arg::new("demo")
                .long("demo")
                .action(ArgAction::SetTrue)
                .conflicts_with("config")
                .help("Everything in a temporary folder, with simulated BMCs and a lease file that grows while you watch"),
        )
        .after_long_help(AFTER_HELP)
}

const AFTER_HELP: &str = "\
Every option is also a variable: HALBOX_STATE_DIR, HALBOX_LEASE_FILES (with commas), … The variables of metal-bmc \
METAL_BMC_LEASE_FILE, _PARTITION_ID, _ALLOWED_CIDRS, _IGNORE_MACS, _REPORT_INTERVAL and _IPMI_PORT are understood where \
nothing else is said.

SIGTERM and Ctrl-C: callers finish, sessions with BMCs are closed, within 10 seconds. SIGHUP: the configuration, the \
certificates and the tokens are read again; what needs a restart is named in the log. Sockets of systemd (LISTEN_FDS) are \
used instead of --socket, --listen and, named http, --http.

A configuration:
  state-dir: /var/lib/halbox
  socket-group: halbox
  http: 127.0.0.1:9623
  lease-files: [/var/lib/dhcp/dhcpd.leases]
  networks: [10.0.0.0/16]
  partition: fra-equ01";

/// Runs the daemon.
pub fn run(m: &ArgMatches) -> Result<(), Failure> {
    let config = Config::from_matches(m, |name| std::env::var(name).ok())?;
    if m.get_flag("check-config") {
        let wrong = config.check();
        for line in &wrong {
            log::warn!("{line}");
        }
        return if wrong
            .iter()
            .any(|l| l.starts_with("lease-files:") || l.starts_with("state-dir:"))
        {
            Err(Failure::usage("the configuration does not work here"))
        } else {
            Ok(())
        };
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|e| Failure::failed(format!("cannot start the runtime: {e}")))?;
    let result = runtime.block_on(async {
        if m.get_flag("demo") {
            return demo::run(config, process::cancel_on_interrupt()?).await;
        }
        let cancel = process::cancel_on_termination()?;
        let again = || Config::from_matches(m, |name| std::env::var(name).ok());
        serve(config, cancel, async {}, again).await
    });
    runtime.shutdown_timeout(Duration::from_secs(1));
    result
}

/// Keys: the named file, systemd's credential, or the file in the state directory.
fn sealer(config: &Config) -> Result<Sealer, Failure> {
    if let Some(path) = &config.key_file {
        return Ok(Sealer::load(path)?);
    }
    let credential = std::env::var_os("CREDENTIALS_DIRECTORY")
        .map(|dir| PathBuf::from(dir).join("halbox.key"))
        .filter(|path| path.exists());
    Ok(match credential {
        Some(path) => Sealer::load(&path)?,
        None => Sealer::load_or_make(&config.state_dir.join("key"))?,
    })
}

/// What discovery is told.
fn options(config: &Config) -> Options {
    Options {
        lease_files: config.lease_files.clone(),
        rules: config.rules.clone(),
        fixed: config.fixed.clone(),
        ipmi_port: config.ipmi_port,
        refresh: config.refresh,
        partition: config.partition.clone(),
    }
}

/// Certificate and key of the API over TLS, where it is wanted.
fn papers(config: &Config, inherited: bool) -> Result<Option<Arc<Papers>>, Failure> {
    match (&config.tls_cert, &config.tls_key) {
        _ if config.listen.is_none() && !inherited => Ok(None),
        (Some(cert), Some(key)) => {
            let papers = Papers::read(cert, key, config.tls_client_ca.as_deref())?;
            Ok(Some(Arc::new(papers)))
        }
        _ => Err(Failure::usage("listen: tls-cert and tls-key are needed")),
    }
}

/// One server's limits, the same for all listeners.
fn transport() -> tonic::transport::Server {
    tonic::transport::Server::builder()
        .concurrency_limit_per_connection(STREAMS as usize)
        .max_concurrent_streams(STREAMS)
        .http2_max_header_list_size(HEADERS)
        .http2_keepalive_interval(Some(Duration::from_mins(1)))
        .http2_keepalive_timeout(Some(Duration::from_secs(20)))
}

/// Serves until `cancel`; `ready` runs as soon as the API answers, `again` reads the configuration anew.
#[expect(clippy::too_many_lines, reason = "start and end in their order")]
async fn serve(
    config: Config,
    cancel: Cancel,
    ready: impl Future<Output = ()>,
    again: impl Fn() -> Result<Config, Failure>,
) -> Result<(), Failure> {
    let started = now();
    if let Some(level) = config.log_level {
        process::log_at(level);
    }
    files_to_spare();
    let inherited = Inherited::take()?;
    let papers = papers(&config, inherited.tls.is_some())?;
    std::fs::create_dir_all(&config.state_dir)
        .map_err(|e| Failure::usage(format!("state-dir {}: {e}", config.state_dir.display())))?;
    let sealer = sealer(&config)?;
    let logins = Logins::open(&config.state_dir, started / 1000, Some(sealer.salt()))?;
    let store: Arc<dyn Store> = Arc::new(Sqlite::open(&config.state_dir, sealer)?);
    let cache = Cache::open(&config.state_dir)
        .map(Arc::new)
        .map_err(|e| Failure::failed(format!("{}: {e}", config.state_dir.display())))?;
    let lan = Lan::new()?;
    let detector = |budgets| {
        let options = detect::Options {
            budgets,
            redfish_port: config.redfish_port,
            ..detect::Options::default()
        };
        Detector::new(Arc::clone(&lan), options)
    };
    let (quick, thorough) = (detector(QUICK)?, detector(Budgets::default())?);
    let fleet = Fleet::new(Arc::clone(&lan), Arc::clone(&cache) as _);
    let doors = Arc::new(Doors::new(
        fleet,
        Arc::clone(&store),
        Arc::new(Gate::new(Arc::new(logins))),
        config.ipmi_port,
        config.redfish_port,
    ));
    let discovery = Arc::new(Discovery::new(
        options(&config),
        Arc::clone(&store),
        Arc::clone(&doors),
        quick,
        thorough,
    ));
    let recordings = (config.console_log != ConsoleLog::Off).then(|| {
        let limits = Limits {
            each: config.console_size,
            all: config.console_total,
        };
        (config.state_dir.join("console"), limits)
    });
    let consoles = Hub::new(Arc::clone(&doors) as _, recordings);
    let tokens = Arc::new(Tokens::open(&config.state_dir.join("tokens.json"))?);
    let server = Server::new(
        Arc::clone(&store),
        Arc::clone(&doors),
        Arc::clone(&discovery),
        Arc::new(Audit::open(&config.state_dir.join("audit.log"))?),
        Arc::clone(&tokens),
        Arc::clone(&consoles),
        Settings {
            roles: config.roles.clone(),
            calls_per_second: config.calls_per_second,
            started,
            stop: cancel.clone(),
        },
    );
    let entry = Arc::new(Entry::default());
    let (listener, _socket) = if let Some(listener) = inherited.unix {
        (listener, None)
    } else {
        let (listener, socket) = listen::unix(&config.socket, config.socket_group.as_deref())?;
        (listener, Some(socket))
    };
    let web = match (inherited.http, config.http) {
        (Some(listener), _) => Some(listener),
        (None, Some(address)) => Some(listen::tcp(address, "http").await?),
        (None, None) => None,
    };
    let web = web.map(|listener| {
        let (doors, discovery) = (Arc::clone(&doors), Arc::clone(&discovery));
        let pages = Pages::new(
            Arc::clone(&store),
            discovery,
            doors,
            Arc::clone(&consoles),
            started,
        );
        tokio::spawn(http::serve(listener, pages))
    });
    let secure = match (inherited.tls, config.listen) {
        (Some(listener), _) => Some(listener),
        (None, Some(address)) => Some(listen::tcp(address, "listen").await?),
        (None, None) => None,
    };
    let mut listening = vec![listen::accept_unix(listener, Arc::clone(&entry))];
    if let (Some(listener), Some(papers)) = (secure, &papers) {
        if let Ok(address) = listener.local_addr() {
            log::info!("serving at https://{address}");
        }
        listening.push(tls::accept(listener, Arc::clone(papers), entry));
    }
    let routes = server.clone().router().await;
    let mut serving = JoinSet::new();
    for connections in listening {
        let (stop, routes) = (cancel.clone(), routes.clone());
        serving.spawn(async move {
            let stop = async move { stop.cancelled().await };
            let api = transport().add_routes(routes);
            api.serve_with_incoming_shutdown(connections, stop).await
        });
    }
    tokio::spawn(Arc::clone(&consoles).sweep(cancel.clone()));
    if config.console_log == ConsoleLog::Always {
        tokio::spawn(Arc::clone(&consoles).keep_all(Arc::clone(&store), cancel.clone()));
    }
    let finding = tokio::spawn(Arc::clone(&discovery).run(cancel.clone()));
    log::info!("serving at {}", config.socket.display());
    let _ = sd_notify::notify(&[NotifyState::Ready]);
    let alive = tokio::spawn(watchdog(Arc::clone(&store)));
    ready.await;
    let parts = Parts {
        discovery,
        server,
        tokens,
        papers,
    };
    reload::until(&cancel, &config, &parts, again).await?;
    let _ = sd_notify::notify(&[NotifyState::Stopping]);
    if let Some(web) = web {
        web.abort();
    }
    // Who is at a console would stay for ever.
    consoles.close(LEAVE).await;
    let drained = async {
        let _ = finding.await;
        while serving.join_next().await.is_some() {}
    };
    if tokio::time::timeout(DRAIN, drained).await.is_err() {
        log::warn!("callers did not finish in time");
    }
    let left = doors.close(GOODBYE).await;
    if left > 0 {
        log::warn!("{left} sessions were not confirmed as closed");
    }
    alive.abort();
    cache.flush();
    Ok(())
}

/// As many open files as the system allows: each caller and each BMC over TCP is one.
fn files_to_spare() {
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else {
        return;
    };
    if soft < hard && setrlimit(Resource::RLIMIT_NOFILE, hard, hard).is_err() {
        log::info!("only {soft} files may be open");
    }
}

/// Tells systemd that we live, where it wants to know: the runtime turns and the table can be written.
async fn watchdog(store: Arc<dyn Store>) {
    let Some(time) = sd_notify::watchdog_enabled() else {
        return;
    };
    let mut tick = tokio::time::interval(time / 2);
    loop {
        tick.tick().await;
        let nobody = RequestKey {
            caller: String::new(),
            id: String::new(),
        };
        match store.settle(nobody, None).await {
            Ok(()) => drop(sd_notify::notify(&[NotifyState::Watchdog])),
            Err(e) => log::error!("{}", e.chain()),
        }
    }
}
