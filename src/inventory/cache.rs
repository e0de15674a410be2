//! The CLI's memory: what was learnt of each BMC (cipher suite, chunk sizes, SDRs), in one SQLite file.
//!
//! It is only a cache: a file that cannot be opened, is damaged or is of another version is begun anew, a busy one is
//! done without, and no error of it ever fails an operation. It holds no secrets.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::hal::fleet::Memory;
use crate::hal::ipmi::learnt::Learnt;
use crate::hal::redfish;

/// Changes with the table or with the meaning of its JSON.
const VERSION: i32 = 1;

/// Another halbox may be writing: wait this long, then do without.
const BUSY: Duration = Duration::from_millis(200);

/// What waits to be stored, at most: a daemon lives for months, and what it learnt must not stay in its memory.
const UNSAVED: usize = 64;

/// The cache file. Writes are collected and stored in one transaction: by [`Cache::flush`], when there are many, on drop.
pub struct Cache {
    inner: Mutex<Inner>,
}

struct Inner {
    db: Connection,
    unsaved: Vec<(String, String)>,
}

impl Inner {
    fn flush(&mut self) {
        let unsaved = std::mem::take(&mut self.unsaved);
        if unsaved.is_empty() {
            return;
        }
        if let Err(error) = store(&mut self.db, &unsaved) {
            log::info!("cache: {error}");
        }
    }
}

impl Cache {
    /// Opens (or makes) `bmcs.sqlite` in `dir`.
    pub fn open(dir: &Path) -> rusqlite::Result<Self> {
        let file = dir.join("bmcs.sqlite");
        let _ = std::fs::create_dir_all(dir);
        let db = match connect(&file) {
            Ok(db) => db,
            // Busy is not broken.
            Err(error) if is_busy(&error) => return Err(error),
            Err(error) => {
                log::info!("{}: {error}; begun anew", file.display());
                let _ = std::fs::remove_file(&file);
                connect(&file)?
            }
        };
        Ok(Self {
            inner: Mutex::new(Inner {
                db,
                unsaved: Vec::new(),
            }),
        })
    }

    /// Where the cache belongs: `$XDG_CACHE_HOME/halbox`, else `~/.cache/halbox`.
    pub fn default_dir(env: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
        let base = env("XDG_CACHE_HOME").filter(|p| p.is_absolute());
        base.or_else(|| env("HOME").map(|home| home.join(".cache")))
            .map(|base| base.join("halbox"))
    }

    /// Stores what was remembered since the last time.
    pub fn flush(&self) {
        self.lock().flush();
    }

    /// What was kept under `key`; the default where that is nothing or not readable.
    fn row<T: DeserializeOwned + Default>(&self, key: &str) -> T {
        let inner = self.lock();
        // What this process has not stored yet is newer than the file.
        let unsaved = inner.unsaved.iter().rev().find(|(k, _)| k == key);
        if let Some((_, json)) = unsaved {
            return serde_json::from_str(json).unwrap_or_default();
        }
        let row = inner
            .db
            .prepare_cached("SELECT learnt FROM bmc WHERE address = ?1")
            .and_then(|mut select| {
                select
                    .query_row([key], |row| row.get::<_, String>(0))
                    .optional()
            });
        let json = match row {
            Ok(json) => json.unwrap_or_default(),
            Err(error) => {
                log::info!("cache: {error}");
                String::new()
            }
        };
        serde_json::from_str(&json).unwrap_or_default()
    }

    fn keep<T: Serialize>(&self, key: String, learnt: &T) {
        match serde_json::to_string(learnt) {
            Ok(json) => {
                let mut inner = self.lock();
                inner.unsaved.push((key, json));
                if inner.unsaved.len() >= UNSAVED {
                    inner.flush();
                }
            }
            Err(error) => log::info!("cache: {error}"),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Cache {
    fn drop(&mut self) {
        self.flush();
    }
}

impl Memory for Cache {
    fn recall(&self, bmc: SocketAddr) -> Learnt {
        self.row(&bmc.to_string())
    }

    fn remember(&self, bmc: SocketAddr, learnt: &Learnt) {
        self.keep(bmc.to_string(), learnt);
    }

    fn recall_redfish(&self, bmc: SocketAddr) -> redfish::Learnt {
        self.row(&redfish_key(bmc))
    }

    fn remember_redfish(&self, bmc: SocketAddr, learnt: &redfish::Learnt) {
        self.keep(redfish_key(bmc), learnt);
    }
}

/// IPMI and Redfish have different ports, but nothing keeps an operator from giving both the same number.
fn redfish_key(bmc: SocketAddr) -> String {
    format!("redfish {bmc}")
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache").finish_non_exhaustive()
    }
}

fn connect(file: &Path) -> rusqlite::Result<Connection> {
    let db = Connection::open(file)?;
    db.busy_timeout(BUSY)?;
    // A cache may lose its last writes: no fsync, no journal files beside it.
    db.pragma_update(None, "synchronous", "OFF")?;
    let _: String = db.pragma_update_and_check(None, "journal_mode", "MEMORY", |row| row.get(0))?;
    let version: i32 = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version != VERSION {
        db.execute_batch(&format!(
            "BEGIN IMMEDIATE;
             DROP TABLE IF EXISTS bmc;
             CREATE TABLE bmc (address TEXT PRIMARY KEY, learnt TEXT NOT NULL) STRICT, WITHOUT ROWID;
             PRAGMA user_version = {VERSION};
             COMMIT;"
        ))?;
    }
    Ok(db)
}

fn store(db: &mut Connection, rows: &[(String, String)]) -> rusqlite::Result<()> {
    let transaction = db.transaction()?;
    {
        let mut insert =
            transaction.prepare("INSERT OR REPLACE INTO bmc (address, learnt) VALUES (?1, ?2)")?;
        for (address, learnt) in rows {
            insert.execute(params![address, learnt])?;
        }
    }
    transaction.commit()
}

fn is_busy(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseBusy, DatabaseLocked};
    matches!(
        error.sqlite_error_code(),
        Some(DatabaseBusy | DatabaseLocked)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn learnt(suite: u8) -> Learnt {
        Learnt {
            suite: Some(suite),
            ..Learnt::default()
        }
    }

    #[test]
    fn remembers_across_openings() {
        let dir = tempfile::tempdir().unwrap();
        let bmc: SocketAddr = "10.0.0.1:623".parse().unwrap();
        let cache = Cache::open(dir.path()).unwrap();
        assert_eq!(cache.recall(bmc), Learnt::default());
        cache.remember(bmc, &learnt(3));
        cache.remember(bmc, &learnt(17));
        drop(cache);
        assert_eq!(Cache::open(dir.path()).unwrap().recall(bmc), learnt(17));
    }

    #[test]
    fn what_is_learnt_does_not_pile_up() {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::open(dir.path()).unwrap();
        for n in 0..10 * UNSAVED as u16 {
            cache.remember(SocketAddr::from(([10, 0, 0, 1], n)), &learnt(3));
            assert!(cache.lock().unsaved.len() < UNSAVED);
        }
        let other = Cache::open(dir.path()).unwrap();
        let first = SocketAddr::from(([10, 0, 0, 1], 0));
        assert_eq!(other.recall(first), learnt(3));
    }

    #[test]
    fn damaged_file_is_begun_anew() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("bmcs.sqlite"), vec![0x41; 5000]).unwrap();
        let bmc: SocketAddr = "[::1]:623".parse().unwrap();
        let cache = Cache::open(dir.path()).unwrap();
        cache.remember(bmc, &learnt(3));
        cache.flush();
        assert_eq!(cache.recall(bmc), learnt(3));
    }

    #[test]
    fn two_processes_share_it() {
        let dir = tempfile::tempdir().unwrap();
        let (one, two) = (
            Cache::open(dir.path()).unwrap(),
            Cache::open(dir.path()).unwrap(),
        );
        let (a, b): (SocketAddr, SocketAddr) = (
            "10.0.0.1:623".parse().unwrap(),
            "10.0.0.2:623".parse().unwrap(),
        );
        one.remember(a, &learnt(3));
        two.remember(b, &learnt(17));
        one.flush();
        two.flush();
        assert_eq!(one.recall(b), learnt(17));
        assert_eq!(two.recall(a), learnt(3));
    }
}
