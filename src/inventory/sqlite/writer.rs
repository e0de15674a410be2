//! The one thread that writes. Changes that wait are committed together; each is acknowledged after the commit.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError, mpsc};
use std::thread::{Builder, JoinHandle};

use rusqlite::{Connection, Transaction, params};
use tokio::sync::oneshot;

use crate::hal::model::{MacAddr, Secret};
use crate::hal::{Error, Kind, Result};

use super::super::record::Record;
use super::super::requests::RequestKey;
use super::super::seal::Sealer;
use super::super::store::{Change, Event, Field};
use super::{Shared, TOMBSTONES, requests, sql};

/// Changes per commit, at most.
const BATCH: usize = 256;

/// What the writer is told.
pub(super) enum Job {
    Update {
        mac: MacAddr,
        change: Change,
        reply: oneshot::Sender<Result<Arc<Record>>>,
    },
    Remove {
        mac: MacAddr,
        reply: oneshot::Sender<Result<bool>>,
    },
    Intend {
        key: RequestKey,
        digest: [u8; 32],
        now: u64,
        reply: oneshot::Sender<Result<()>>,
    },
    Settle {
        key: RequestKey,
        outcome: Option<Vec<u8>>,
        reply: oneshot::Sender<Result<()>>,
    },
}

/// Starts the thread; it ends when all senders of the queue are gone.
pub(super) fn spawn(
    shared: Arc<Shared>,
    mut db: Connection,
    queue: mpsc::Receiver<Job>,
) -> std::io::Result<JoinHandle<()>> {
    Builder::new().name("table".to_owned()).spawn(move || {
        while let Ok(first) = queue.recv() {
            let mut batch = vec![first];
            batch.extend(queue.try_iter().take(BATCH - 1));
            run(&shared, &mut db, batch);
        }
    })
}

/// An answer that is sent when the batch is on disk.
enum Answer {
    Row(oneshot::Sender<Result<Arc<Record>>>, Result<Arc<Record>>),
    Removed(oneshot::Sender<Result<bool>>, Result<bool>),
    Done(oneshot::Sender<Result<()>>, Result<()>),
}

impl Answer {
    fn send(self, commit: Option<&Error>) {
        match self {
            Self::Row(to, result) => drop(to.send(committed(result, commit))),
            Self::Removed(to, result) => drop(to.send(committed(result, commit))),
            Self::Done(to, result) => drop(to.send(committed(result, commit))),
        }
    }
}

/// The result of one change, unless the commit of all failed.
fn committed<T>(result: Result<T>, commit: Option<&Error>) -> Result<T> {
    match commit {
        Some(e) if result.is_ok() => Err(Error::new(e.kind(), e.chain())),
        _ => result,
    }
}

/// The state while a batch is made: what readers see, with the batch's changes laid over it.
struct Batch<'a> {
    shared: &'a Shared,
    transaction: Transaction<'a>,
    changed: BTreeMap<MacAddr, Option<Arc<Record>>>,
    events: Vec<Event>,
    revision: u64,
}

fn run(shared: &Shared, db: &mut Connection, jobs: Vec<Job>) {
    let revision = shared
        .view
        .read()
        .unwrap_or_else(PoisonError::into_inner)
        .revision;
    let transaction = match db.transaction() {
        Ok(transaction) => transaction,
        Err(e) => {
            let error = sql("writing the table")(e);
            for job in jobs {
                refuse(job, &error);
            }
            return;
        }
    };
    let mut batch = Batch {
        shared,
        transaction,
        changed: BTreeMap::new(),
        events: Vec::new(),
        revision,
    };
    let mut answers = Vec::with_capacity(jobs.len());
    for job in jobs {
        answers.push(match job {
            Job::Update { mac, change, reply } => Answer::Row(reply, batch.update(mac, change)),
            Job::Remove { mac, reply } => Answer::Removed(reply, batch.remove(mac)),
            Job::Intend {
                key,
                digest,
                now,
                reply,
            } => Answer::Done(
                reply,
                requests::intend(&batch.transaction, &shared.sealer, &key, digest, now),
            ),
            Job::Settle {
                key,
                outcome,
                reply,
            } => Answer::Done(
                reply,
                requests::settle(&batch.transaction, &shared.sealer, &key, outcome.as_deref()),
            ),
        });
    }
    let failed = batch.commit().err();
    if let Some(error) = &failed {
        log::error!("{}", error.chain());
    }
    for answer in answers {
        answer.send(failed.as_ref());
    }
}

fn refuse(job: Job, error: &Error) {
    let error = Error::new(error.kind(), error.chain());
    match job {
        Job::Update { reply, .. } => Answer::Row(reply, Err(error)).send(None),
        Job::Remove { reply, .. } => Answer::Removed(reply, Err(error)).send(None),
        Job::Intend { reply, .. } | Job::Settle { reply, .. } => {
            Answer::Done(reply, Err(error)).send(None);
        }
    }
}

impl Batch<'_> {
    fn now(&self, mac: MacAddr) -> Option<Arc<Record>> {
        if let Some(row) = self.changed.get(&mac) {
            return row.clone();
        }
        let view = self
            .shared
            .view
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        view.rows.get(&mac).cloned()
    }

    fn update(&mut self, mac: MacAddr, change: Change) -> Result<Arc<Record>> {
        let before = self.now(mac);
        let mut row = match &before {
            Some(row) => (**row).clone(),
            None if change.create => Record {
                created_at: change.now,
                ..Record::new(mac)
            },
            None => {
                return Err(Error::new(Kind::Config, format!("there is no BMC {mac}"))
                    .with_hint("halbox bmc ls --all shows all of them"));
            }
        };
        let edit = change.edit;
        // A panic in a change must not end the only writer.
        catch_unwind(AssertUnwindSafe(|| edit(&mut row))).unwrap_or_else(|_| {
            Err(Error::new(
                Kind::Other,
                format!("the change of {mac} failed inside"),
            ))
        })?;
        row.mac = mac;
        let same = before.as_ref().is_some_and(|b| b.same_content(&row));
        if same
            && change.secrets.is_empty()
            && let Some(before) = &before
            && **before == row
        {
            return Ok(Arc::clone(before));
        }
        if !same {
            row.changed_at = change.now;
            row.revision = self.revision + 1;
        }
        let json = serde_json::to_string(&row)
            .map_err(|e| Error::new(Kind::Other, format!("the row of {mac}")).with_source(e))?;
        let failed = sql("writing a row");
        // All of one change or nothing of it, whatever else the batch holds.
        let savepoint = self.transaction.savepoint().map_err(&failed)?;
        savepoint
            .prepare_cached(
                "INSERT OR REPLACE INTO bmc (mac, revision, address, machine_id, record) VALUES (?1, ?2, ?3, ?4, ?5)",
            )
            .and_then(|mut insert| {
                insert.execute(params![
                    mac.to_string(),
                    row.revision.cast_signed(),
                    row.address.map(|a| a.to_string()),
                    row.machine_id,
                    json
                ])
            })
            .map_err(&failed)?;
        for (field, secret) in &change.secrets {
            match secret {
                Some(secret) => {
                    put_secret(&savepoint, &self.shared.sealer, mac, *field, secret)?;
                }
                None => {
                    savepoint
                        .execute(
                            "DELETE FROM secret WHERE mac = ?1 AND field = ?2",
                            params![mac.to_string(), field.as_str()],
                        )
                        .map_err(&failed)?;
                }
            }
        }
        savepoint.commit().map_err(&failed)?;
        let row = Arc::new(row);
        if !same {
            self.revision = row.revision;
            self.events.push(Event {
                revision: row.revision,
                mac,
                record: Some(Arc::clone(&row)),
            });
        }
        self.changed.insert(mac, Some(Arc::clone(&row)));
        Ok(row)
    }

    fn remove(&mut self, mac: MacAddr) -> Result<bool> {
        if self.now(mac).is_none() {
            return Ok(false);
        }
        let failed = sql("removing a row");
        let text = mac.to_string();
        let revision = self.revision + 1;
        let savepoint = self.transaction.savepoint().map_err(&failed)?;
        for table in ["bmc", "secret"] {
            savepoint
                .execute(&format!("DELETE FROM {table} WHERE mac = ?1"), [&text])
                .map_err(&failed)?;
        }
        savepoint
            .execute(
                "INSERT INTO gone VALUES (?1, ?2)",
                params![revision.cast_signed(), text],
            )
            .map_err(&failed)?;
        savepoint.commit().map_err(&failed)?;
        self.revision = revision;
        self.changed.insert(mac, None);
        self.events.push(Event {
            revision,
            mac,
            record: None,
        });
        Ok(true)
    }

    /// Makes it last, then lets readers and watchers see it.
    fn commit(self) -> Result<()> {
        let failed = sql("writing the table");
        let mut forgotten = Vec::new();
        let mut oldest = None;
        {
            let view = self
                .shared
                .view
                .read()
                .unwrap_or_else(PoisonError::into_inner);
            let removals = self.events.iter().filter(|e| e.record.is_none()).count();
            let surplus = (view.gone.len() + removals).saturating_sub(TOMBSTONES);
            forgotten.extend(view.gone.keys().take(surplus).copied());
            oldest = forgotten.last().copied().or(oldest);
        }
        let set = |name: &str, value: u64| {
            self.transaction
                .execute(
                    "UPDATE meta SET value = ?2 WHERE name = ?1",
                    params![name, value.cast_signed()],
                )
                .map_err(&failed)
        };
        if !self.events.is_empty() {
            set("revision", self.revision)?;
        }
        if let Some(oldest) = oldest {
            set("oldest", oldest)?;
            self.transaction
                .execute(
                    "DELETE FROM gone WHERE revision <= ?1",
                    [oldest.cast_signed()],
                )
                .map_err(&failed)?;
        }
        self.transaction.commit().map_err(&failed)?;
        let mut view = self
            .shared
            .view
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        for (mac, row) in self.changed {
            match row {
                Some(row) => view.rows.insert(mac, row),
                None => view.rows.remove(&mac),
            };
        }
        view.revision = self.revision;
        for revision in forgotten {
            view.gone.remove(&revision);
        }
        view.oldest = oldest.unwrap_or(view.oldest);
        for event in self.events {
            if event.record.is_none() {
                view.gone.insert(event.revision, event.mac);
            }
            // No watcher is no error.
            let _ = self.shared.events.send(event);
        }
        Ok(())
    }
}

/// Seals and stores one secret.
pub(super) fn put_secret(
    db: &Connection,
    sealer: &Sealer,
    mac: MacAddr,
    field: Field,
    secret: &Secret,
) -> Result<()> {
    let envelope = sealer.seal(mac, field, secret)?;
    db.prepare_cached(
        "INSERT OR REPLACE INTO secret (mac, field, key, sealed) VALUES (?1, ?2, ?3, ?4)",
    )
    .and_then(|mut insert| {
        insert.execute(params![
            mac.to_string(),
            field.as_str(),
            envelope.key.as_slice(),
            envelope.bytes
        ])
    })
    .map(drop)
    .map_err(sql("storing a secret"))
}
