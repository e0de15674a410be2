//! `halbox serve`: the daemon. Finds BMCs, keeps the table, serves the API.

pub(super) mod config;
mod demo;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Command};
use sd_notify::NotifyState;
use tokio_stream::wrappers::UnixListenerStream;

use super::common::exit::Failure;
use super::common::process;
use crate::api::http::{self, Pages};
use crate::api::listen;
use crate::api::server::Server;
use crate::api::tls;
use crate::console::{Hub, Limits};
use crate::discover::{Discovery, Doors, Options, now};
use crate::hal::detect::{self, Budgets, Detector};
use crate::hal::fleet::Fleet;
use crate::hal::gate::Gate;
use crate::hal::model::Cancel;
use crate::hal::transport::Lan;
use crate::inventory::audit::Audit;
use crate::inventory::seal::Sealer;
use crate::inventory::tokens::Tokens;
use crate::inventory::{Cache, Logins, Sqlite, Store};
use config::{Config, ConsoleLog};

/// How long callers have to finish after the end was asked for.
const DRAIN: Duration = Duration::from_secs(5);
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

SIGTERM and Ctrl-C: callers finish, sessions with BMCs are closed, within 10 seconds.

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
        let cancel = process::cancel_on_interrupt()?;
        if m.get_flag("demo") {
            demo::run(config, cancel).await
        } else {
            serve(config, cancel, async {}).await
        }
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

/// Serves until `cancel`; `ready` runs as soon as the API answers.
#[expect(clippy::too_many_lines, reason = "start and end in their order")]
async fn serve(
    config: Config,
    cancel: Cancel,
    ready: impl Future<Output = ()>,
) -> Result<(), Failure> {
    let started = now();
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
        Options {
            lease_files: config.lease_files.clone(),
            rules: config.rules.clone(),
            fixed: config.fixed.clone(),
            ipmi_port: config.ipmi_port,
            refresh: config.refresh,
            partition: config.partition.clone(),
        },
        Arc::clone(&store),
        Arc::clone(&doors),
        quick,
        thorough,
    ));
    let recordings = (config.console_log != ConsoleLog::Off).then(|| {
        let limits = Limits {
            total: config.console_size,
        };
        (config.state_dir.join("console"), limits)
    });
    let consoles = Hub::new(Arc::clone(&doors) as _, recordings);
    let server = Server::new(
        Arc::clone(&store),
        Arc::clone(&doors),
        Arc::clone(&discovery),
        Arc::new(Audit::open(&config.state_dir.join("audit.log"))?),
        Arc::new(Tokens::open(&config.state_dir.join("tokens.json"))?),
        config.roles.clone(),
        Arc::clone(&consoles),
        started,
    );
    let (listener, _socket) = listen::unix(&config.socket, config.socket_group.as_deref())?;
    let pages = Pages::new(Arc::clone(&store), Arc::clone(&discovery));
    let web = match config.http {
        Some(address) => Some(tokio::spawn(http::serve(address, pages).await?)),
        None => None,
    };
    let secure = match (&config.listen, &config.tls_cert, &config.tls_key) {
        (Some(address), Some(cert), Some(key)) => {
            let ca = config.tls_client_ca.as_deref();
            let (address, connections) = tls::listen(*address, cert, key, ca).await?;
            log::info!("serving at https://{address}");
            Some(connections)
        }
        (Some(_), ..) => {
            return Err(Failure::usage("listen: tls-cert and tls-key are needed"));
        }
        _ => None,
    };
    let routes = server.router().await;
    let secure = secure.map(|connections| {
        let stop = cancel.clone();
        let api = tonic::transport::Server::builder()
            .concurrency_limit_per_connection(64)
            .max_concurrent_streams(64)
            .http2_keepalive_interval(Some(Duration::from_mins(1)))
            .add_routes(routes.clone())
            .serve_with_incoming_shutdown(connections, async move { stop.cancelled().await });
        tokio::spawn(api)
    });
    let stop = cancel.clone();
    let api = tonic::transport::Server::builder()
        .concurrency_limit_per_connection(256)
        .http2_keepalive_interval(Some(Duration::from_mins(1)))
        .add_routes(routes)
        .serve_with_incoming_shutdown(UnixListenerStream::new(listener), async move {
            stop.cancelled().await;
        });
    let api = tokio::spawn(api);
    if config.console_log == ConsoleLog::Always {
        tokio::spawn(Arc::clone(&consoles).keep_all(Arc::clone(&store), cancel.clone()));
    }
    let finding = tokio::spawn(Arc::clone(&discovery).run(cancel.clone()));
    log::info!("serving at {}", config.socket.display());
    let _ = sd_notify::notify(&[NotifyState::Ready]);
    let alive = tokio::spawn(watchdog());
    ready.await;
    cancel.cancelled().await;
    let _ = sd_notify::notify(&[NotifyState::Stopping]);
    alive.abort();
    if let Some(web) = web {
        web.abort();
    }
    // Who is at a console would stay for ever.
    consoles.close(GOODBYE).await;
    let _ = finding.await;
    if tokio::time::timeout(DRAIN, api).await.is_err() {
        log::warn!("callers did not finish in time");
    }
    if let Some(secure) = secure {
        secure.abort();
    }
    let left = doors.close(GOODBYE).await;
    if left > 0 {
        log::warn!("{left} sessions were not confirmed as closed");
    }
    cache.flush();
    Ok(())
}

/// Tells systemd that we live, where it wants to know.
async fn watchdog() {
    let Some(time) = sd_notify::watchdog_enabled() else {
        return;
    };
    let mut tick = tokio::time::interval(time / 2);
    loop {
        tick.tick().await;
        let _ = sd_notify::notify(&[NotifyState::Watchdog]);
    }
}
