//! The process: hardening at the start, logging, the runtime, Ctrl-C.

use std::io::{self, IsTerminal, Write};
use std::pin::Pin;
use std::sync::{OnceLock, RwLock};
use std::time::Duration;

use env_logger::Logger;
use log::{LevelFilter, Log};
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};

use crate::hal::model::Cancel;

use super::exit::Failure;

/// First thing in main: no core files and no ptrace by others (there are passwords in this memory), and the one
/// TLS provider.
pub fn harden() {
    let _ = nix::sys::prctl::set_dumpable(false);
    // Fails only when a provider is already there.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// What is logged may change while the program runs.
struct Switch(RwLock<Logger>);

static LOG: OnceLock<Switch> = OnceLock::new();

impl Log for Switch {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        self.0.read().is_ok_and(|logger| logger.enabled(metadata))
    }

    fn log(&self, record: &log::Record<'_>) {
        if let Ok(logger) = self.0.read() {
            logger.log(record);
        }
    }

    fn flush(&self) {}
}

/// Log to stderr: warnings, with `-v` what is done, with `-vv` how. HALBOX_LOG overrides it.
pub fn init_log(verbose: u8) {
    let level = match verbose {
        0 => LevelFilter::Warn,
        1 => LevelFilter::Info,
        2 => LevelFilter::Debug,
        _ => LevelFilter::Trace,
    };
    log_at(*USUAL.get_or_init(|| level));
}

/// What the command line said.
static USUAL: OnceLock<LevelFilter> = OnceLock::new();

/// Logs up to this level from now on, or as the command line said.
pub fn log_again(level: Option<LevelFilter>) {
    let usual = USUAL.get().copied().unwrap_or(LevelFilter::Warn);
    log_at(level.unwrap_or(usual));
}

/// Logs up to this level from now on. HALBOX_LOG overrides it.
pub fn log_at(level: LevelFilter) {
    let logger = logger(level);
    let most = logger.filter();
    let mut new = Some(logger);
    let switch = LOG.get_or_init(|| Switch(RwLock::new(new.take().unwrap_or_else(silent))));
    match new {
        Some(logger) => {
            if let Ok(mut now) = switch.0.write() {
                *now = logger;
            }
        }
        // The first time. It fails only where somebody else logs already.
        None => drop(log::set_logger(switch)),
    }
    log::set_max_level(most);
}

fn silent() -> Logger {
    env_logger::Builder::new().build()
}

fn logger(level: LevelFilter) -> Logger {
    let mut builder = env_logger::Builder::new();
    builder
        .filter_level(LevelFilter::Warn)
        .filter_module("halbox", level);
    if let Ok(filter) = std::env::var("HALBOX_LOG") {
        builder.parse_filters(&filter);
    }
    // Dumps requests with the passwords in them: never, whatever the filters say.
    builder.filter_module("ureq_proto::util", LevelFilter::Off);
    builder.format(|out, record| {
        let level = record.level().as_str().to_ascii_lowercase();
        let text = super::output::printable(&record.args().to_string()).into_owned();
        if log::max_level() >= LevelFilter::Debug {
            writeln!(out, "halbox: {level}: {}: {text}", record.target())
        } else {
            writeln!(out, "halbox: {level}: {text}")
        }
    });
    builder.build()
}

/// A runtime for `targets` BMCs: one thread for a few (starting threads costs more than they bring), else one per core.
pub fn runtime(targets: u64) -> Result<Runtime, Failure> {
    let mut builder = if targets <= 16 {
        Builder::new_current_thread()
    } else {
        Builder::new_multi_thread()
    };
    builder
        .enable_all()
        .build()
        .map_err(|e| Failure::failed(format!("cannot start the runtime: {e}")))
}

/// Watches for Ctrl-C, SIGTERM and SIGHUP from now on: the first sets the switch that it returns, the second exits at once.
/// To be called inside a runtime.
pub fn cancel_on_interrupt() -> Result<Cancel, Failure> {
    cancel_on(true)
}

/// The same for a daemon: SIGHUP means something else there.
pub fn cancel_on_termination() -> Result<Cancel, Failure> {
    cancel_on(false)
}

fn cancel_on(hangup_too: bool) -> Result<Cancel, Failure> {
    let failed = |e: io::Error| Failure::failed(format!("cannot watch for signals: {e}"));
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut hangup = signal(SignalKind::hangup()).map_err(failed)?;
    let cancel = Cancel::new();
    let switch = cancel.clone();
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                _ = hangup.recv(), if hangup_too => {}
            }
            if switch.is_cancelled() {
                let _ = writeln!(
                    io::stderr(),
                    "halbox: interrupted twice, sessions may stay open until the BMC ends them"
                );
                std::process::exit(130);
            }
            switch.cancel();
            if io::stderr().is_terminal() {
                let _ = writeln!(
                    io::stderr(),
                    "halbox: interrupted, closing sessions (Ctrl-C again exits at once)"
                );
            }
        }
    });
    Ok(cancel)
}

/// Runs `work` to its end, with Ctrl-C watched. Whatever it left running in the background gets at most a second.
pub fn block_on<'a, F>(targets: u64, work: impl FnOnce(Cancel) -> F + 'a) -> Result<(), Failure>
where
    F: Future<Output = Result<(), Failure>> + 'a,
{
    block(targets, Box::new(|cancel| Box::pin(work(cancel))))
}

/// What is to be done, and its end.
pub type Task<'a> = Pin<Box<dyn Future<Output = Result<(), Failure>> + 'a>>;

/// One for all of them: each of its own would make the binary larger.
fn block<'a>(targets: u64, work: Box<dyn FnOnce(Cancel) -> Task<'a> + 'a>) -> Result<(), Failure> {
    let runtime = runtime(targets)?;
    let result = runtime.block_on(async {
        let cancel = cancel_on_interrupt()?;
        let result = work(cancel.clone()).await;
        if cancel.is_cancelled() {
            return Err(Failure::interrupted());
        }
        result
    });
    runtime.shutdown_timeout(Duration::from_secs(1));
    result
}
