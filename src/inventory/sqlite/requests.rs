//! Requests in the file: what was asked and what came of it, sealed, as passwords may be part of the one and what a BMC
//! says part of the other.

use rusqlite::{Connection, OptionalExtension, params};

use crate::hal::{Error, Kind, Result};

use super::super::requests::{KEPT, Kept, LONGEST, MOST, RequestKey};
use super::super::seal::{Sealed, Sealer};
use super::sql;

/// What an envelope is bound to.
fn words(key: &RequestKey) -> String {
    format!("request {} of {}", key.id, key.caller)
}

/// What is kept of a request.
pub(super) fn find(db: &Connection, sealer: &Sealer, key: &RequestKey) -> Result<Option<Kept>> {
    let failed = sql("reading a request");
    let found = db
        .prepare_cached("SELECT key, sealed, outcome FROM request WHERE caller = ?1 AND id = ?2")
        .and_then(|mut select| {
            select
                .query_row(params![key.caller, key.id], |row| {
                    let envelope = Sealed {
                        key: row.get::<_, Vec<u8>>(0)?.try_into().unwrap_or_default(),
                        bytes: row.get(1)?,
                    };
                    Ok((envelope, row.get::<_, bool>(2)?))
                })
                .optional()
        })
        .map_err(&failed)?;
    let Some((envelope, settled)) = found else {
        return Ok(None);
    };
    let plain = sealer.open_as(&words(key), &envelope)?;
    let (digest, outcome) = plain
        .split_first_chunk::<32>()
        .ok_or_else(|| Error::new(Kind::Other, "a kept request is too short"))?;
    Ok(Some(Kept {
        digest: *digest,
        outcome: settled.then(|| outcome.to_vec()),
    }))
}

/// Keeps that a request begins; forgets what is older than a day.
pub(super) fn intend(
    db: &Connection,
    sealer: &Sealer,
    key: &RequestKey,
    digest: [u8; 32],
    now: u64,
) -> Result<()> {
    let failed = sql("keeping a request");
    let oldest = now.saturating_sub(KEPT);
    db.prepare_cached("DELETE FROM request WHERE at < ?1")
        .and_then(|mut delete| delete.execute([oldest.cast_signed()]))
        .map_err(&failed)?;
    let envelope = sealer.seal_as(&words(key), &digest)?;
    let new = db
        .prepare_cached(
            "INSERT OR IGNORE INTO request (caller, id, at, key, sealed) VALUES (?1, ?2, ?3, ?4, ?5)",
        )
        .and_then(|mut insert| {
            insert.execute(params![
                key.caller,
                key.id,
                now.cast_signed(),
                envelope.key.as_slice(),
                envelope.bytes
            ])
        })
        .map_err(&failed)?;
    if new == 0 {
        return Err(Error::new(
            Kind::Config,
            format!("request {} is kept already", key.id),
        ));
    }
    let surplus = db.last_insert_rowid().saturating_sub(MOST.cast_signed());
    db.prepare_cached("DELETE FROM request WHERE number <= ?1")
        .and_then(|mut delete| delete.execute([surplus]))
        .map(drop)
        .map_err(&failed)
}

/// Keeps what came of a request, or forgets it.
pub(super) fn settle(
    db: &Connection,
    sealer: &Sealer,
    key: &RequestKey,
    outcome: Option<&[u8]>,
) -> Result<()> {
    let failed = sql("keeping what came of a request");
    let Some(outcome) = outcome else {
        return db
            .prepare_cached("DELETE FROM request WHERE caller = ?1 AND id = ?2")
            .and_then(|mut delete| delete.execute(params![key.caller, key.id]))
            .map(drop)
            .map_err(&failed);
    };
    if outcome.len() > LONGEST {
        return Err(Error::new(
            Kind::Other,
            format!("what came of request {} is too long to be kept", key.id),
        ));
    }
    let Some(kept) = find(db, sealer, key)? else {
        return Err(Error::new(
            Kind::Other,
            format!("request {} is not kept any more", key.id),
        ));
    };
    let plain = [&kept.digest, outcome].concat();
    let envelope = sealer.seal_as(&words(key), &plain)?;
    db.prepare_cached(
        "UPDATE request SET key = ?3, sealed = ?4, outcome = 1 WHERE caller = ?1 AND id = ?2",
    )
    .and_then(|mut update| {
        update.execute(params![
            key.caller,
            key.id,
            envelope.key.as_slice(),
            envelope.bytes
        ])
    })
    .map(drop)
    .map_err(&failed)
}
