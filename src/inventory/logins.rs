//! The memory of logins ([`GateMemory`]): one small SQLite file in the cache of the CLI, in the state directory of the
//! daemon. What is to be known before an attempt is durable before it. No passwords: a salted hash of them, cut to four
//! bytes.

use std::fmt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};

use crate::hal::gate::{Attempt, DAY, End, GateMemory, Salt};
use crate::hal::{Error, Kind, Result};

/// Another halbox may be writing: it is waited for, as no login may be made unseen.
const BUSY: Duration = Duration::from_secs(5);

/// BMCs go, too: what worked is forgotten after a year.
const YEAR: u64 = 366 * DAY;

/// The file.
pub struct Logins {
    db: Mutex<Connection>,
    salt: Salt,
}

impl Logins {
    /// Opens (or makes) `logins.sqlite` in `dir`, and drops what is too old at `now`. `salt`: a secret that is kept
    /// elsewhere; without one it stands in the file.
    pub fn open(dir: &Path, now: u64, salt: Option<[u8; 16]>) -> Result<Self> {
        let file = dir.join("logins.sqlite");
        let failed = |e: &dyn fmt::Display| {
            Error::new(Kind::Other, format!("memory of logins {}", file.display()))
                .with_source(e.to_string())
        };
        std::fs::create_dir_all(dir).map_err(|e| failed(&e))?;
        let db = Connection::open(&file).map_err(|e| failed(&e))?;
        let _ = std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600));
        let kept = prepare(&db, now).map_err(|e| failed(&e))?;
        Ok(Self {
            db: Mutex::new(db),
            salt: Salt {
                bytes: salt.unwrap_or(kept),
                secret: salt.is_some(),
            },
        })
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.db.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn prepare(db: &Connection, now: u64) -> rusqlite::Result<[u8; 16]> {
    db.busy_timeout(BUSY)?;
    db.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    db.execute_batch(
        "BEGIN IMMEDIATE;
         CREATE TABLE IF NOT EXISTS salt (one INTEGER PRIMARY KEY CHECK (one = 1), salt BLOB NOT NULL) STRICT;
         CREATE TABLE IF NOT EXISTS login (
             bmc TEXT NOT NULL, user TEXT NOT NULL, credential TEXT NOT NULL, at INTEGER NOT NULL, seen INTEGER NOT NULL,
             ended INTEGER NOT NULL, operator INTEGER NOT NULL,
             PRIMARY KEY (bmc, user, credential)) STRICT, WITHOUT ROWID;
         INSERT OR IGNORE INTO salt (one, salt) VALUES (1, randomblob(16));
         COMMIT;",
    )?;
    db.execute(
        "DELETE FROM login WHERE at < ?1 AND (ended <> ?2 OR at < ?3)",
        params![
            stored(now.saturating_sub(DAY)),
            number(End::Worked),
            stored(now.saturating_sub(YEAR))
        ],
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

fn number(end: End) -> i64 {
    match end {
        End::Begun => 0,
        End::Failed => 1,
        End::Worked => 2,
    }
}

fn failed(error: rusqlite::Error) -> Error {
    Error::new(Kind::Other, "memory of logins").with_source(error)
}

impl GateMemory for Logins {
    fn salt(&self) -> Salt {
        self.salt
    }

    fn attempts(&self, bmc: &str, since: u64) -> Result<Vec<Attempt>> {
        let db = self.lock();
        let mut select = db
            .prepare_cached(
                "SELECT user, credential, at, seen, ended, operator FROM login
                 WHERE bmc = ?1 AND (at >= ?2 OR ended = ?3)",
            )
            .map_err(failed)?;
        let rows = select
            .query_map(params![bmc, stored(since), number(End::Worked)], |row| {
                Ok(Attempt {
                    bmc: bmc.to_owned(),
                    user: row.get(0)?,
                    credential: row.get(1)?,
                    at: row.get::<_, i64>(2)?.unsigned_abs(),
                    seen: row.get(3)?,
                    end: match row.get::<_, i64>(4)? {
                        0 => End::Begun,
                        2 => End::Worked,
                        _ => End::Failed,
                    },
                    operator: row.get(5)?,
                })
            })
            .map_err(failed)?;
        rows.collect::<rusqlite::Result<_>>().map_err(failed)
    }

    fn keep(&self, attempt: &Attempt, durable: bool) -> Result<()> {
        let Attempt {
            bmc,
            user,
            credential,
            at,
            seen,
            end,
            operator,
        } = attempt;
        let db = self.lock();
        // A commit that is durable makes all before it so.
        let level = if durable { "FULL" } else { "NORMAL" };
        db.pragma_update(None, "synchronous", level)
            .map_err(failed)?;
        db.prepare_cached(
            "INSERT OR REPLACE INTO login (bmc, user, credential, at, seen, ended, operator)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )
        .and_then(|mut insert| {
            insert.execute(params![
                bmc,
                user,
                credential,
                stored(*at),
                seen,
                number(*end),
                operator
            ])
        })
        .map(drop)
        .map_err(failed)
    }

    fn strike(&self, attempt: &Attempt) -> Result<()> {
        let db = self.lock();
        db.pragma_update(None, "synchronous", "NORMAL")
            .map_err(failed)?;
        db.execute(
            "DELETE FROM login WHERE bmc = ?1 AND user = ?2 AND credential = ?3",
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
    use crate::hal::gate::{Gate, Pass, Rule, Who};
    use crate::hal::model::Secret;

    const NOW: u64 = 1_800_000_000;

    fn enter(dir: &Path, salt: Option<[u8; 16]>, now: u64) -> Result<Pass> {
        let gate = Arc::new(Gate::new(Arc::new(Logins::open(dir, now, salt).unwrap())));
        let password = Secret::new("pw-marker");
        let who = Who {
            rule: Rule::Automatic,
            bmc: "10.0.0.1",
            user: "admin",
            password: &password,
            counts: true,
        };
        gate.enter(&who, now)
    }

    #[test]
    fn a_failed_login_is_known_to_the_next_process() {
        for salt in [None, Some([7; 16])] {
            let dir = tempfile::tempdir().unwrap();
            let enter = |now| enter(dir.path(), salt, now);
            drop(enter(NOW).unwrap());
            assert_eq!(enter(NOW + 60).unwrap_err().kind(), Kind::Auth);
            enter(NOW + DAY + 1).unwrap().clear();
            // What worked is no failure when it is interrupted the next time.
            enter(NOW + DAY + 2).unwrap().worked();
            drop(enter(NOW + 3 * DAY).unwrap());
            enter(NOW + 3 * DAY).unwrap().failed();
            assert!(enter(NOW + 3 * DAY).is_err());
            for file in std::fs::read_dir(dir.path()).unwrap() {
                let path = file.unwrap().path();
                let bytes = std::fs::read(&path).unwrap();
                assert!(!bytes.windows(9).any(|w| w == b"pw-marker"));
                let mode = std::fs::metadata(&path).unwrap().permissions().mode();
                assert_eq!(mode & 0o077, 0, "{}", path.display());
            }
        }
    }
}
