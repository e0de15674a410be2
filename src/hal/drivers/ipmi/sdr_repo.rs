//! Reads the SDR repository, or the device SDRs of a controller that has none, and keeps them.
//!
//! What is unchanged since the last read (timestamps and count) costs one round trip. Lists that never end, turn
//! back on themselves or break off give what could be read.

use std::collections::HashSet;
use std::sync::Arc;

use super::chunk::{self, SMALL, shorter};
use crate::hal::error::{Error, Kind, Result};
use crate::hal::ipmi::cmd::sensor::{GetDeviceSdr, GetDeviceSdrInfo, ReserveDeviceSdrRepository};
use crate::hal::ipmi::cmd::storage::{
    FIRST_RECORD, GetSdr, GetSdrReply, GetSdrRepositoryInfo, LAST_RECORD, ReserveSdrRepository,
};
use crate::hal::ipmi::cmd::{Command, CompletionCode, CompletionError};
use crate::hal::ipmi::exchange::{finish, run};
use crate::hal::ipmi::learnt::SdrCache;
use crate::hal::ipmi::sdr::{HEADER_LEN, Header, Sdr, Sensor};
use crate::hal::ipmi::{Exchange, Request};
use crate::hal::model::Cx;

/// More records than any repository has.
const MAX_RECORDS: usize = 4096;
/// How often one record is begun again because others took the reservation away.
const MAX_LOST: u8 = 8;
/// Stands in the place of the erase time for device SDRs, which have none.
const DEVICE_MARK: u32 = 0xd5d5_d5d5;

/// The raw records: from the cache if the repository has not changed, else read and cached.
pub async fn records(bmc: &dyn Exchange, cx: &Cx) -> Result<Arc<SdrCache>> {
    match run(bmc, cx, &GetSdrRepositoryInfo).await {
        Ok(info) if info.count == 0 => match device_records(bmc, cx).await {
            Err(error) if CompletionError::find(&error).is_some() => Ok(Arc::default()),
            other => other,
        },
        Ok(info) => {
            let key = (info.addition, info.erase, info.count);
            if let Some(cache) = cached(bmc, key) {
                return Ok(cache);
            }
            let mut walk = Walk::new(bmc, cx, Store::Repository);
            match walk.all(Some(info.count)).await {
                Ok(records) => Ok(walk.keep(key, records).await),
                Err(error) if no_such_command(&error) => device_records(bmc, cx).await,
                Err(error) => Err(error),
            }
        }
        // Artesyn ATCA-7367 has Get SDR but not this, Wiwynn Windmill refuses it at any privilege.
        Err(error) if CompletionError::find(&error).is_some() => {
            let mut walk = Walk::new(bmc, cx, Store::Repository);
            match walk.all(None).await {
                Ok(records) => Ok(Arc::new(SdrCache {
                    records,
                    ..SdrCache::default()
                })),
                Err(second) if CompletionError::find(&second).is_some() => device_records(bmc, cx)
                    .await
                    .map_err(|third| match CompletionError::find(&third) {
                        Some(_) => error,
                        None => third,
                    }),
                Err(second) => Err(second),
            }
        }
        Err(error) => Err(error),
    }
}

/// The sensors that the records describe, in their order. Records that cannot be decoded are left out.
pub fn sensors(cache: &SdrCache) -> Vec<Sensor> {
    decoded(cache).flat_map(|sdr| sdr.sensors()).collect()
}

/// The records that can be decoded.
pub fn decoded(cache: &SdrCache) -> impl Iterator<Item = Sdr> + '_ {
    cache
        .records
        .iter()
        .filter_map(|raw| match Sdr::parse(raw) {
            Ok(sdr) => Some(sdr),
            Err(error) => {
                log::debug!("SDR left out: {error}");
                None
            }
        })
}

fn cached(bmc: &dyn Exchange, (addition, erase, count): (u32, u32, u16)) -> Option<Arc<SdrCache>> {
    let cache = bmc.learnt().snapshot().sdrs?;
    let same = cache.addition == addition && cache.erase == erase && cache.count == count;
    same.then_some(cache)
}

fn no_such_command(error: &Error) -> bool {
    matches!(
        CompletionError::find(error),
        Some(CompletionCode::INVALID_COMMAND | CompletionCode::INVALID_FOR_LUN)
    )
}

async fn device_records(bmc: &dyn Exchange, cx: &Cx) -> Result<Arc<SdrCache>> {
    let key = match run(bmc, cx, &GetDeviceSdrInfo { count_sdrs: true }).await {
        Ok(info) => Some((info.change.unwrap_or(0), DEVICE_MARK, u16::from(info.count))),
        Err(error) if CompletionError::find(&error).is_some() => None,
        Err(error) => return Err(error),
    };
    if let Some(cache) = key.and_then(|key| cached(bmc, key)) {
        return Ok(cache);
    }
    let mut walk = Walk::new(bmc, cx, Store::Device);
    let records = walk.all(None).await?;
    Ok(match key {
        Some(key) => walk.keep(key, records).await,
        None => Arc::new(SdrCache {
            records,
            ..SdrCache::default()
        }),
    })
}

#[derive(Debug, Clone, Copy)]
enum Store {
    Repository,
    Device,
}

/// One pass over the records.
struct Walk<'a> {
    bmc: &'a dyn Exchange,
    cx: &'a Cx,
    store: Store,
    reservation: Option<u16>,
    /// Bytes per read; 255 = whole records.
    chunk: u8,
    /// A reservation was lost: the records may have changed while they were read.
    disturbed: bool,
    /// The list broke off before its end.
    incomplete: bool,
}

/// What came of one Get SDR.
enum Got {
    Reply(GetSdrReply),
    /// The reservation is gone.
    Lost,
    Refused(CompletionCode),
}

impl<'a> Walk<'a> {
    fn new(bmc: &'a dyn Exchange, cx: &'a Cx, store: Store) -> Self {
        Self {
            bmc,
            cx,
            store,
            reservation: None,
            chunk: bmc.learnt().snapshot().chunks.sdr.unwrap_or(u8::MAX),
            disturbed: false,
            incomplete: false,
        }
    }

    /// Caches `records` under `key`, unless they may belong to another state of the repository.
    async fn keep(&self, key: (u32, u32, u16), records: Vec<Vec<u8>>) -> Arc<SdrCache> {
        let (addition, erase, count) = key;
        let cache = Arc::new(SdrCache {
            addition,
            erase,
            count,
            records,
        });
        let mut sound = !self.incomplete;
        if self.disturbed && sound {
            sound = match self.store {
                Store::Repository => match run(self.bmc, self.cx, &GetSdrRepositoryInfo).await {
                    Ok(now) => key == (now.addition, now.erase, now.count),
                    Err(_) => false,
                },
                Store::Device => false,
            };
        }
        if sound {
            self.bmc
                .learnt()
                .update(|learnt| learnt.sdrs = Some(Arc::clone(&cache)));
        }
        cache
    }

    /// All records from the first one on. `count` is what the BMC says there are; it may be wrong.
    async fn all(&mut self, count: Option<u16>) -> Result<Vec<Vec<u8>>> {
        let expected = count.map_or(usize::MAX, usize::from);
        let mut records: Vec<Vec<u8>> = Vec::new();
        let mut asked = HashSet::new();
        let mut bodies = HashSet::new();
        let mut id = FIRST_RECORD;
        while asked.insert(id) && records.len() < MAX_RECORDS {
            let (next, mut data) = match self.record(id).await {
                Ok(read) => read,
                Err(error) if records.is_empty() => return Err(error),
                Err(error) if CompletionError::find(&error).is_none() => return Err(error),
                Err(error) => {
                    // Dell FC830 never gives its last record.
                    self.incomplete = records.len().saturating_add(1) < expected;
                    log::debug!("SDR {id:#06x} skipped: {}", error.chain());
                    break;
                }
            };
            let body = data.get(2..).unwrap_or_default().to_vec();
            if !bodies.insert(body) && records.len() >= expected {
                break;
            }
            match (data.first_chunk_mut::<2>(), id) {
                (Some(own), FIRST_RECORD) => {
                    asked.insert(u16::from_le_bytes(*own));
                }
                // Supermicro X6DHR-1G answers with another id than it was asked for.
                (Some(own), _) => *own = id.to_le_bytes(),
                (None, _) => {}
            }
            if data.len() >= HEADER_LEN {
                records.push(data);
            }
            if next == LAST_RECORD {
                break;
            }
            id = next;
        }
        Ok(records)
    }

    /// One record and the id of the next one.
    async fn record(&mut self, id: u16) -> Result<(u16, Vec<u8>)> {
        let mut again_after_timeout = true;
        for _ in 0..MAX_LOST {
            match self.try_record(id).await {
                Ok(Some(read)) => return Ok(read),
                Ok(None) => {
                    self.disturbed = true;
                    self.reserve().await?;
                }
                Err(error)
                    if again_after_timeout
                        && CompletionError::find(&error) == Some(CompletionCode::TIMEOUT) =>
                {
                    again_after_timeout = false;
                }
                Err(error) => return Err(error),
            }
        }
        Err(Error::new(Kind::Busy, GetSdr::NAME)
            .with_hint("other programs read the SDRs of this BMC at the same time"))
    }

    /// `None`: the reservation was lost on the way.
    async fn try_record(&mut self, id: u16) -> Result<Option<(u16, Vec<u8>)>> {
        let mut chunk = self.chunk;
        let (next, mut data) = loop {
            match self.get(id, 0, chunk).await? {
                Got::Reply(reply) => break (reply.next, reply.data),
                Got::Lost => return Ok(None),
                Got::Refused(code) if code.wants_smaller_read() => {
                    // Too much for the BMC, or more than the record has? Its header tells.
                    if chunk != u8::MAX
                        && let Got::Reply(head) = self.get(id, 0, HEADER_LEN as u8).await?
                        && Header::parse(&head.data).is_ok_and(|h| h.total() < chunk.into())
                    {
                        break (head.next, head.data);
                    }
                    chunk = shorter(chunk).ok_or_else(|| code.to_error(GetSdr::NAME))?;
                }
                Got::Refused(code) => return Err(code.to_error(GetSdr::NAME)),
            }
        };
        let total = |data: &[u8]| Header::parse(data).map_or(HEADER_LEN, Header::total);
        if chunk != u8::MAX {
            data.truncate(chunk.into());
        } else if data.len() < total(&data) {
            // Xyratex gives fewer bytes than the whole record: that many at a time, then.
            chunk = u8::try_from(data.len())
                .unwrap_or(SMALL)
                .max(HEADER_LEN as u8);
        }
        while data.len() < total(&data) {
            let Ok(offset) = u8::try_from(data.len()) else {
                break;
            };
            let left = total(&data) - data.len();
            let count = u8::try_from(left).unwrap_or(u8::MAX).min(chunk);
            if self.reservation.is_none() {
                self.reserve().await?;
            }
            match self.get(id, offset, count).await? {
                Got::Reply(reply) if reply.data.is_empty() => break,
                Got::Reply(reply) => data.extend(reply.data.iter().take(count.into())),
                Got::Lost => {
                    self.chunk = chunk;
                    return Ok(None);
                }
                Got::Refused(code) if code.wants_smaller_read() => {
                    chunk = shorter(count).ok_or_else(|| code.to_error(GetSdr::NAME))?;
                }
                Got::Refused(code) => return Err(code.to_error(GetSdr::NAME)),
            }
        }
        // A short record says nothing of what the BMC bears: only what was refused or cut is remembered.
        self.chunk = chunk;
        if self.bmc.learnt().snapshot().chunks.sdr.unwrap_or(u8::MAX) != chunk {
            chunk::learn(self.bmc, |chunks| chunks.sdr = Some(chunk));
        }
        data.truncate(total(&data));
        Ok(Some((next, data)))
    }

    async fn get(&self, record: u16, offset: u8, count: u8) -> Result<Got> {
        let command = GetSdr {
            reservation: self.reservation.unwrap_or(0),
            record,
            offset,
            count,
        };
        let request = match self.store {
            Store::Repository => Request::of(&command),
            Store::Device => Request::of(&GetDeviceSdr(command)),
        };
        let response = self.bmc.exchange(self.cx, request).await?;
        Ok(if chunk::reservation_lost(response.code) {
            Got::Lost
        } else if response.code.is_ok() {
            Got::Reply(finish(&command, &response)?)
        } else {
            Got::Refused(response.code)
        })
    }

    /// Takes a reservation; a BMC that knows none is read without (Artesyn ATCA-7367).
    async fn reserve(&mut self) -> Result<()> {
        let reserved = match self.store {
            Store::Repository => run(self.bmc, self.cx, &ReserveSdrRepository).await,
            Store::Device => run(self.bmc, self.cx, &ReserveDeviceSdrRepository).await,
        };
        self.reservation = Some(match reserved {
            Ok(id) => id,
            Err(error) if CompletionError::find(&error).is_some() => 0,
            Err(error) => return Err(error),
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests;
