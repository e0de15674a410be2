//! The CLI's memory of failed logins ([`GateMemory`]): one small SQLite file, durable before each attempt. No passwords:
//! a slow, salted hash of them, cut to four bytes.

use std::fmt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};

use crate::hal::gate::{Attempt, DAY, GateMemory};
use crate::hal::{Error, Kind, Result};

/// Another halbox may be writing: it is waited for, as no login may be made unseen.
const BUSY: Duration = Duration::from_secs(5);

/// The file.
pub struct Logins {
    db: Mutex<Connection>,
    salt: [u8; 16],
}

impl Logins {
    /// Opens (or makes) `logins.sqlite` in `dir`, and drops what is older than a day before `now`.
    pub fn open(dir: &Path, now: u64) -> Result<Self> {
        let file = dir.join("logins.sqlite");
        let failed = |e: &dyn fmt::Display| {
            Error::new(Kind::Other, format!("memory of logins {}", file.display()))
                .with_source(e.to_string())
        };
        std::fs::create_dir_all(dir).map_err(|e| failed(&e))?;
        let db = Connection::open(&file).map_err(|e| failed(&e))?;
        let _ = std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600));
        let salt = prepare(&db, now).map_err(|e| failed(&e))?;
        Ok(Self {
            db: Mutex::new(db),
            salt,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.db.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn prepare(db: &Connection, now: u64) -> rusqlite::Result<[u8; 16]> {
    db.busy_timeout(BUSY)?;
    db.pragma_update(None, "synchronous", "FULL")?;
    db.execute_batch(
        "BEGIN IMMEDIATE;
         CREATE TABLE IF NOT EXISTS salt (one INTEGER PRIMARY KEY CHECK (one = 1), salt BLOB NOT NULL) STRICT;
         CREATE TABLE IF NOT EXISTS attempt (
             bmc TEXT NOT NULL, user TEXT NOT NULL, credential TEXT NOT NULL, at INTEGER NOT NULL, seen INTEGER NOT NULL,
             PRIMARY KEY (bmc, user, credential)) STRICT, WITHOUT ROWID;
         INSERT OR IGNORE INTO salt (one, salt) VALUES (1, randomblob(16));
         COMMIT;",
    )?;
    db.execute(
        "DELETE FROM attempt WHERE at < ?1",
        [stored(now.saturating_sub(DAY))],
    )?;
    let salt: Option<Vec<u8>> = db
        .query_row("SELECT salt FROM salt", [], |row| row.get(0))
        .optional()?;
    Ok(salt.and_then(|s| s.try_into().ok()).unwrap_or_default())
}

/// SQLite's integers are signed.
fn stored(time: u64) -> i64 {
    i64::try_from(time).unwrap_or(i64::MAX)
}

fn failed(error: rusqlite::Error) -> Error {
    Error::new(Kind::Other, "memory of logins").with_source(error)
}

impl GateMemory for Logins {
    fn salt(&self) -> [u8; 16] {
        self.salt
    }

    fn attempts(&self, bmc: &str, since: u64) -> Result<Vec<Attempt>> {
        let db = self.lock();
        let mut select = db
            .prepare_cached(
                "SELECT user, credential, at, seen FROM attempt WHERE bmc = ?1 AND at >= ?2",
            )
            .map_err(failed)?;
        let rows = select
            .query_map(params![bmc, stored(since)], |row| {
                Ok(Attempt {
                    bmc: bmc.to_owned(),
                    user: row.get(0)?,
                    credential: row.get(1)?,
                    at: row.get::<_, i64>(2)?.unsigned_abs(),
                    seen: row.get(3)?,
                })
            })
            .map_err(failed)?;
        rows.collect::<rusqlite::Result<_>>().map_err(failed)
    }

    fn keep(&self, attempt: &Attempt) -> Result<()> {
        let Attempt {
            bmc,
            user,
            credential,
            at,
            seen,
        } = attempt;
        self.lock()
            .execute(
                "INSERT OR REPLACE INTO attempt (bmc, user, credential, at, seen) VALUES (?1, ?2, ?3, ?4, ?5)",
                params![bmc, user, credential, stored(*at), seen],
            )
            .map(drop)
            .map_err(failed)
    }

    fn strike(&self, attempt: &Attempt) -> Result<()> {
        self.lock()
            .execute(
                "DELETE FROM attempt WHERE bmc = ?1 AND user = ?2 AND credential = ?3",
                params![attempt.bmc, attempt.user, attempt.credential],
            )
            .map(drop)
            .map_err(failed)
    }
}

impl fmt::Debug for Logins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Logins").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::hal::gate::{Gate, Rule};
    use crate::hal::model::Secret;

    const NOW: u64 = 1_800_000_000;

    fn gate(dir: &Path, now: u64) -> Gate {
        Gate::new(Arc::new(Logins::open(dir, now).unwrap()))
    }

    #[test]
    fn a_failed_login_is_known_to_the_next_process() {
        let dir = tempfile::tempdir().unwrap();
        let enter = |now| {
            let gate = gate(dir.path(), now);
            gate.enter(
                Rule::Automatic,
                "10.0.0.1",
                "admin",
                &Secret::new("pw-marker"),
                now,
            )
        };
        drop(enter(NOW).unwrap());
        assert_eq!(enter(NOW + 60).unwrap_err().kind(), Kind::Refused);
        enter(NOW + DAY + 1).unwrap().clear();
        assert!(enter(NOW + DAY + 2).is_ok());
        let bytes = std::fs::read(dir.path().join("logins.sqlite")).unwrap();
        assert!(!bytes.windows(9).any(|w| w == b"pw-marker"));
        let mode = std::fs::metadata(dir.path().join("logins.sqlite"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
