//! `--credentials FILE`: several users and passwords, of which one is right.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use serde::Deserialize;

use super::exit::Failure;
use super::input;
use crate::hal::gate::{Gate, GateMemory, InProcess};
use crate::hal::logins::{Candidate, MOST};
use crate::hal::model::Secret;
use crate::inventory::{Cache, Logins};

/// Adds `--credentials` and `--try-now`.
pub fn args(command: Command) -> Command {
    command
        .arg(
            Arg::new("credentials")
                .long("credentials")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .conflicts_with_all(["user", "password", "password-file", "password-env"])
                .help_heading("Credentials")
                .help("Find the right one of the users and passwords in FILE (YAML list of user, password; 16 at most), without a failed login where the protocol allows"),
        )
        .arg(
            Arg::new("try-now")
                .long("try-now")
                .action(ArgAction::SetTrue)
                .requires("credentials")
                .help_heading("Credentials")
                .help("Try the next candidate although one failed at this address within 24 h"),
        )
}

/// An entry of the file. No Debug: it holds a password.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    #[serde(default)]
    user: String,
    password: String,
}

/// The candidates that were given, if any.
pub fn given(matches: &ArgMatches) -> Result<Option<Vec<Candidate>>, Failure> {
    matches
        .get_one::<PathBuf>("credentials")
        .map(|path| read(path))
        .transpose()
}

fn read(path: &Path) -> Result<Vec<Candidate>, Failure> {
    let entries: Vec<Entry> = input::yaml(path)?;
    let failed = |what: String| Err(Failure::usage(format!("{}: {what}", path.display())));
    if entries.is_empty() {
        return failed("no candidates".to_owned());
    }
    if entries.len() > MOST {
        return failed(format!("{} candidates; {MOST} at most", entries.len()));
    }
    Ok(entries
        .into_iter()
        .map(|entry| Candidate {
            user: entry.user,
            password: Secret::new(entry.password),
        })
        .collect())
}

/// The gate of this process, which remembers failed logins in the cache. Without a cache (`keep` false, or none can be
/// opened) it forgets them at the end, and says so.
pub fn gate(keep: bool) -> Arc<Gate> {
    let dir = Cache::default_dir(|name| std::env::var_os(name).map(PathBuf::from));
    let opened = dir
        .filter(|_| keep)
        .map(|dir| Logins::open(&dir, now(), None));
    let memory: Arc<dyn GateMemory> = match opened {
        Some(Ok(logins)) => Arc::new(logins),
        Some(Err(error)) => {
            log::warn!("failed logins will not be remembered: {}", error.chain());
            Arc::new(InProcess::new())
        }
        None => Arc::new(InProcess::new()),
    };
    Arc::new(Gate::new(memory))
}

/// Seconds since 1970.
pub fn now() -> u64 {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |d| d.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_list_of_users_and_passwords() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("c.yaml");
        let of = |text: &str| {
            std::fs::write(&file, text).unwrap();
            read(&file)
        };
        let two =
            of("- {user: ADMIN, password: ADMIN}\n- {user: root, password: \"0123\"}\n").unwrap();
        assert_eq!((two.len(), two[1].password.expose()), (2, &b"0123"[..]));
        assert!(!format!("{two:?}").contains("0123"));
        assert_eq!(of("[]").unwrap_err().code(), 2);
        assert_eq!(of("- {user: a, pass: b}\n").unwrap_err().code(), 2);
        assert_eq!(
            of(&"- {user: a, password: b}\n".repeat(17))
                .unwrap_err()
                .code(),
            2
        );
    }
}
