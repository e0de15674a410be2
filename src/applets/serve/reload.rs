//! SIGHUP: the configuration is read again, and what can change while the daemon runs changes.

use std::sync::Arc;

use sd_notify::NotifyState;
use tokio::signal::unix::{SignalKind, signal};

use super::config::Config;
use super::options;
use crate::api::server::Server;
use crate::api::tls::Papers;
use crate::applets::common::exit::Failure;
use crate::applets::common::process;
use crate::discover::Discovery;
use crate::hal::model::Cancel;
use crate::inventory::tokens::Tokens;

/// Whom a new configuration is told.
pub(super) struct Parts {
    pub(super) discovery: Arc<Discovery>,
    pub(super) server: Server,
    pub(super) tokens: Arc<Tokens>,
    pub(super) papers: Option<Arc<Papers>>,
}

/// Reads the configuration again at each SIGHUP, until `cancel`; `config` is the one that the daemon began with.
pub(super) async fn until(
    cancel: &Cancel,
    config: &Config,
    parts: &Parts,
    again: impl Fn() -> Result<Config, Failure>,
) -> Result<(), Failure> {
    let mut hangup = signal(SignalKind::hangup())
        .map_err(|e| Failure::failed(format!("cannot watch for signals: {e}")))?;
    loop {
        tokio::select! {
            () = cancel.cancelled() => return Ok(()),
            _ = hangup.recv() => {}
        }
        let mut states = vec![NotifyState::Reloading];
        states.extend(NotifyState::monotonic_usec_now());
        let _ = sd_notify::notify(&states);
        match again() {
            Ok(new) => apply(config, &new, parts),
            Err(e) => log::error!("not reloaded, everything stays as it was: {}", e.message()),
        }
        let _ = sd_notify::notify(&[NotifyState::Ready]);
    }
}

fn apply(old: &Config, new: &Config, parts: &Parts) {
    process::log_again(new.log_level);
    parts.server.set_roles(new.roles.clone());
    let mut discovery = options(new);
    // BMCs that are open have it already.
    discovery.ipmi_port = old.ipmi_port;
    parts.discovery.reconfigure(discovery);
    if let Err(e) = parts.tokens.again() {
        log::error!("tokens stay as they were: {}", e.chain());
    }
    if let Some(papers) = &parts.papers
        && let Err(e) = papers.again()
    {
        log::error!("certificates stay as they were: {}", e.chain());
    }
    for option in fixed(old, new) {
        log::warn!("{option}: changed, but needs a restart");
    }
    log::info!("reloaded");
}

/// Options that have changed and cannot change while the daemon runs.
fn fixed(old: &Config, new: &Config) -> Vec<&'static str> {
    let changed = [
        ("state-dir", old.state_dir != new.state_dir),
        ("socket", old.socket != new.socket),
        ("socket-group", old.socket_group != new.socket_group),
        ("listen", old.listen != new.listen),
        ("tls-cert", old.tls_cert != new.tls_cert),
        ("tls-key", old.tls_key != new.tls_key),
        ("tls-client-ca", old.tls_client_ca != new.tls_client_ca),
        ("http", old.http != new.http),
        ("key-file", old.key_file != new.key_file),
        (
            "calls-per-second",
            old.calls_per_second != new.calls_per_second,
        ),
        ("console-log", old.console_log != new.console_log),
        ("console-size", old.console_size != new.console_size),
        ("ipmi-port", old.ipmi_port != new.ipmi_port),
        ("redfish-port", old.redfish_port != new.redfish_port),
    ];
    changed
        .into_iter()
        .filter(|(_, c)| *c)
        .map(|(o, _)| o)
        .collect()
}
