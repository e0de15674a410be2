//! The embedded store: one SQLite file. Rows are read from memory; one thread writes, many changes per commit.

mod requests;
mod schema;
mod writer;

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock, mpsc};

use rusqlite::{Connection, OptionalExtension, params};
use tokio::sync::{broadcast, oneshot};

use crate::hal::model::order::Order;
use crate::hal::model::{BoxFuture, MacAddr, Secret};
use crate::hal::{Error, Kind, Result};

use super::record::Record;
use super::requests::{Kept, RequestKey};
use super::seal::{Sealed, Sealer};
use super::store::{Change, Event, Field, Store, Watch};
use writer::Job;

/// Removed rows that watchers can still learn of.
const TOMBSTONES: usize = 10_000;

/// Changes that a slow watcher may lag behind before he has to watch again. Each keeps a row as it once was in memory.
const LAG: usize = 1024;

/// What readers see: everything that is committed.
struct View {
    rows: BTreeMap<MacAddr, Arc<Record>>,
    /// Removed rows by the revision at which they went.
    gone: BTreeMap<u64, MacAddr>,
    revision: u64,
    /// Removals before this one are forgotten.
    oldest: u64,
}

struct Shared {
    view: RwLock<View>,
    events: broadcast::Sender<Event>,
    sealer: Sealer,
}

/// The table in a SQLite file.
pub struct Sqlite {
    shared: Arc<Shared>,
    jobs: Mutex<Option<mpsc::Sender<Job>>>,
    secrets: Mutex<Connection>,
    writer: Option<std::thread::JoinHandle<()>>,
    /// Held as long as the store is open: one daemon per table.
    _lock: File,
}

impl fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sqlite").finish_non_exhaustive()
    }
}

pub(super) fn sql(what: &'static str) -> impl Fn(rusqlite::Error) -> Error {
    move |e| Error::new(Kind::Other, what).with_source(e)
}

impl Sqlite {
    /// Opens (or makes) `halbox.sqlite` in `dir`. Refused when another process has it open, or when a newer halbox
    /// wrote it.
    pub fn open(dir: &Path, sealer: Sealer) -> Result<Self> {
        let lock = lock(dir)?;
        let file = dir.join("halbox.sqlite");
        let mut db = schema::open(&file)?;
        let view = load(&db)?;
        reseal(&mut db, &sealer)?;
        let secrets = schema::open(&file)?;
        let shared = Arc::new(Shared {
            view: RwLock::new(view),
            events: broadcast::Sender::new(LAG),
            sealer,
        });
        let (jobs, queue) = mpsc::channel();
        let writer = writer::spawn(Arc::clone(&shared), db, queue).map_err(|e| {
            Error::new(Kind::Other, "cannot start the writer of the table").with_source(e)
        })?;
        Ok(Self {
            shared,
            jobs: Mutex::new(Some(jobs)),
            secrets: Mutex::new(secrets),
            writer: Some(writer),
            _lock: lock,
        })
    }

    async fn submit<T>(&self, make: impl FnOnce(oneshot::Sender<Result<T>>) -> Job) -> Result<T> {
        let (reply, answer) = oneshot::channel();
        if let Some(jobs) = &*self.jobs.lock().unwrap_or_else(PoisonError::into_inner) {
            // A writer that is gone drops the job, and with it `reply`.
            let _ = jobs.send(make(reply));
        }
        answer
            .await
            .unwrap_or_else(|_| Err(Error::new(Kind::Other, "the table is closed")))
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        // The writer ends when its queue is empty and closed.
        drop(
            self.jobs
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

impl Store for Sqlite {
    fn get(&self, mac: MacAddr) -> BoxFuture<'_, Result<Option<Arc<Record>>>> {
        let view = self
            .shared
            .view
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let row = view.rows.get(&mac).cloned();
        Box::pin(async move { Ok(row) })
    }

    fn all(&self) -> BoxFuture<'_, Result<Vec<Arc<Record>>>> {
        let view = self
            .shared
            .view
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let rows = view.rows.values().cloned().collect();
        Box::pin(async move { Ok(rows) })
    }

    fn update(&self, mac: MacAddr, change: Change) -> BoxFuture<'_, Result<Arc<Record>>> {
        Box::pin(self.submit(move |reply| Job::Update { mac, change, reply }))
    }

    fn remove(&self, mac: MacAddr) -> BoxFuture<'_, Result<bool>> {
        Box::pin(self.submit(move |reply| Job::Remove { mac, reply }))
    }

    fn secret(&self, mac: MacAddr, field: Field) -> BoxFuture<'_, Result<Option<Secret>>> {
        let sealed = {
            let db = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
            db.prepare_cached("SELECT key, sealed FROM secret WHERE mac = ?1 AND field = ?2")
                .and_then(|mut select| {
                    select
                        .query_row(params![mac.to_string(), field.as_str()], |row| {
                            Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, Vec<u8>>(1)?))
                        })
                        .optional()
                })
        };
        let secret = match sealed {
            Err(e) => Err(sql("reading a secret")(e)),
            Ok(None) => Ok(None),
            Ok(Some((key, bytes))) => {
                let key = key.try_into().unwrap_or_default();
                let sealed = Sealed { key, bytes };
                self.shared.sealer.open(mac, field, &sealed).map(Some)
            }
        };
        Box::pin(async move { secret })
    }

    fn watch(&self, revision: u64) -> BoxFuture<'_, Result<Watch>> {
        let view = self
            .shared
            .view
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        // Under the lock: the writer publishes and sends under it as well, so nothing comes twice or is missed.
        let events = self.shared.events.subscribe();
        let watch = if revision != 0 && revision < view.oldest {
            Err(
                Error::new(Kind::Config, format!("revision {revision} is too long ago"))
                    .with_hint("list anew and watch from the revision of the list"),
            )
        } else {
            let rows = view.rows.values().filter(|r| r.revision > revision);
            let mut backlog: Vec<Event> = rows
                .map(|r| Event {
                    revision: r.revision,
                    mac: r.mac,
                    record: Some(Arc::clone(r)),
                })
                .collect();
            if revision > 0 {
                let gone = view.gone.range(revision + 1..);
                backlog.extend(gone.map(|(at, mac)| Event {
                    revision: *at,
                    mac: *mac,
                    record: None,
                }));
            }
            backlog.order_by_key(|e| e.revision);
            Ok(Watch {
                backlog,
                revision: view.revision,
                events,
            })
        };
        Box::pin(async move { watch })
    }

    fn request(&self, key: &RequestKey) -> BoxFuture<'_, Result<Option<Kept>>> {
        let kept = {
            let db = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
            requests::find(&db, &self.shared.sealer, key)
        };
        Box::pin(async move { kept })
    }

    fn intend(&self, key: RequestKey, digest: [u8; 32], now: u64) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.submit(move |reply| Job::Intend {
            key,
            digest,
            now,
            reply,
        }))
    }

    fn settle(&self, key: RequestKey, outcome: Option<Vec<u8>>) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.submit(move |reply| Job::Settle {
            key,
            outcome,
            reply,
        }))
    }
}

fn lock(dir: &Path) -> Result<File> {
    let path = dir.join("halbox.lock");
    let failed =
        |e: std::io::Error| Error::new(Kind::Config, format!("{}", path.display())).with_source(e);
    let file = File::options()
        .create(true)
        .append(true)
        .open(&path)
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::new(
            Kind::Config,
            format!("another halbox serve uses {}", dir.display()),
        )
        .with_hint("stop it first, or use another --state-dir")),
        Err(TryLockError::Error(e)) => Err(failed(e)),
    }
}

fn load(db: &Connection) -> Result<View> {
    let failed = sql("reading the table");
    let number = |name: &str| -> Result<u64> {
        db.query_row("SELECT value FROM meta WHERE name = ?1", [name], |row| {
            row.get::<_, i64>(0)
        })
        .map(i64::cast_unsigned)
        .map_err(&failed)
    };
    let mut view = View {
        rows: BTreeMap::new(),
        gone: BTreeMap::new(),
        revision: number("revision")?,
        oldest: number("oldest")?,
    };
    let mut select = db.prepare("SELECT mac, record FROM bmc").map_err(&failed)?;
    let rows = select
        .query_map([], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
        })
        .map_err(&failed)?;
    for row in rows {
        let (mac, json) = row.map_err(&failed)?;
        let record: Record = serde_json::from_str(&json).map_err(|e| {
            Error::new(Kind::Other, format!("the row of {mac} cannot be read")).with_source(e)
        })?;
        view.rows.insert(record.mac, Arc::new(record));
    }
    let mut select = db
        .prepare("SELECT revision, mac FROM gone")
        .map_err(&failed)?;
    let rows = select
        .query_map([], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))
        })
        .map_err(&failed)?;
    for row in rows {
        let (revision, mac) = row.map_err(&failed)?;
        if let Ok(mac) = mac.parse() {
            view.gone.insert(revision.cast_unsigned(), mac);
        }
    }
    Ok(view)
}

/// Seals again what an older key has sealed.
fn reseal(db: &mut Connection, sealer: &Sealer) -> Result<()> {
    let failed = sql("changing the key of secrets");
    let transaction = db.transaction().map_err(&failed)?;
    let mut old = Vec::new();
    {
        let mut select = transaction
            .prepare("SELECT mac, field, key, sealed FROM secret")
            .map_err(&failed)?;
        let rows = select
            .query_map([], |row| {
                let envelope = Sealed {
                    key: row.get::<_, Vec<u8>>(2)?.try_into().unwrap_or_default(),
                    bytes: row.get(3)?,
                };
                Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, envelope))
            })
            .map_err(&failed)?;
        for row in rows {
            let (mac, field, envelope) = row.map_err(&failed)?;
            let field = Field::ALL.into_iter().find(|f| f.as_str() == field);
            if let (Ok(mac), Some(field)) = (mac.parse::<MacAddr>(), field)
                && sealer.is_old(&envelope)
            {
                old.push((mac, field, envelope));
            }
        }
    }
    for (mac, field, envelope) in old {
        // A key that is missing is named when the secret is needed.
        if let Ok(secret) = sealer.open(mac, field, &envelope) {
            writer::put_secret(&transaction, sealer, mac, field, &secret)?;
        }
    }
    transaction.commit().map_err(&failed)
}

#[cfg(test)]
mod tests;
