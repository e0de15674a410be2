//! The file: pragmas, tables, versions.

use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;

use crate::hal::{Error, Kind, Result};

use super::sql;

/// Each step makes the next version of the tables; steps that were released are never changed.
const STEPS: &[&str] = &[
    "
    CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    INSERT INTO meta VALUES ('revision', 0), ('oldest', 0);
    CREATE TABLE bmc (
        mac TEXT PRIMARY KEY,
        revision INTEGER NOT NULL,
        address TEXT,
        machine_id TEXT,
        record TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE gone (revision INTEGER PRIMARY KEY, mac TEXT NOT NULL) STRICT;
    CREATE TABLE secret (
        mac TEXT NOT NULL,
        field TEXT NOT NULL,
        key BLOB NOT NULL,
        sealed BLOB NOT NULL,
        PRIMARY KEY (mac, field)
    ) STRICT, WITHOUT ROWID;
",
    "
    CREATE TABLE request (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        caller TEXT NOT NULL,
        id TEXT NOT NULL,
        at INTEGER NOT NULL,
        key BLOB NOT NULL,
        sealed BLOB NOT NULL,
        outcome INTEGER NOT NULL DEFAULT 0,
        UNIQUE (caller, id)
    ) STRICT;
    CREATE INDEX request_at ON request (at);
",
];

/// Marks the file as ours (`halb`).
const APPLICATION: i32 = 0x6861_6c62;

/// Opens the file and brings its tables to the present version.
pub(super) fn open(file: &Path) -> Result<Connection> {
    let failed = sql("opening the table");
    let mut db = Connection::open(file)
        .map_err(&failed)
        .map_err(|e| e.context(format!("{}", file.display())))?;
    db.busy_timeout(Duration::from_secs(10)).map_err(&failed)?;
    let foreign = |e: rusqlite::Error| {
        Error::new(
            Kind::Config,
            format!("{} is no table of halbox", file.display()),
        )
        .with_source(e)
    };
    let version: usize = db
        .pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0))
        .map_err(foreign)?
        .try_into()
        .unwrap_or(usize::MAX);
    if version > STEPS.len() {
        return Err(Error::new(
            Kind::Config,
            format!(
                "{} has schema {version}; this halbox knows up to {}",
                file.display(),
                STEPS.len()
            ),
        )
        .with_hint("use the halbox that wrote it, or a newer one; nothing was changed"));
    }
    let mode: String = db
        .pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))
        .map_err(foreign)?;
    if !mode.eq_ignore_ascii_case("wal") {
        log::warn!("{}: journal mode {mode} instead of WAL", file.display());
    }
    db.pragma_update(None, "synchronous", "FULL")
        .map_err(&failed)?;
    for (step, number) in STEPS.iter().zip(1i64..).skip(version) {
        let transaction = db.transaction().map_err(&failed)?;
        transaction.execute_batch(step).map_err(&failed)?;
        transaction
            .pragma_update(None, "user_version", number)
            .map_err(&failed)?;
        transaction
            .pragma_update(None, "application_id", APPLICATION)
            .map_err(&failed)?;
        transaction.commit().map_err(&failed)?;
    }
    Ok(db)
}
