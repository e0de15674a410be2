//! The System Event Log.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::chunk::{self, shorter};
use super::{reading, sdr_repo};
use crate::hal::caps;
use crate::hal::error::{Error, Kind, Result};
use crate::hal::ipmi::cmd::storage::{
    ClearSel, EraseAction, EraseProgress, FIRST_RECORD, GetSelEntry, GetSelEntryReply, GetSelInfo,
    LAST_RECORD, ReserveSel,
};
use crate::hal::ipmi::cmd::{Command, CompletionCode, CompletionError, Privilege};
use crate::hal::ipmi::exchange::{finish, run};
use crate::hal::ipmi::sdr::Sensor;
use crate::hal::ipmi::sel::{RECORD_LEN, SystemEvent, log_entry};
use crate::hal::ipmi::{Exchange, Request};
use crate::hal::model::event::LogEntry;
use crate::hal::model::{BoxFuture, Cx, Reading};

/// How often one entry is begun again because others took the reservation away.
const MAX_LOST: u8 = 8;
/// Erase in progress (§31.4, §31.5).
const ERASING: CompletionCode = CompletionCode(0x81);
/// How long to wait between two questions how far the erase is.
const POLL: Duration = Duration::from_millis(200);

/// Reads and clears the SEL over IPMI.
pub struct EventLog {
    exchange: Arc<dyn Exchange>,
}

impl EventLog {
    /// The SEL of the BMC behind `exchange`.
    pub fn new(exchange: Arc<dyn Exchange>) -> Self {
        Self { exchange }
    }
}

impl std::fmt::Debug for EventLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EventLog").finish_non_exhaustive()
    }
}

impl caps::EventLog for EventLog {
    fn entries<'a>(&'a self, cx: &'a Cx) -> BoxFuture<'a, Result<Reading<Vec<LogEntry>>>> {
        Box::pin(async move {
            let started = Instant::now();
            let bmc = self.exchange.as_ref();
            let raw = Walk::new(bmc, cx).all().await?;
            let sensors = if raw.is_empty() {
                Vec::new()
            } else {
                sensors(bmc, cx).await?
            };
            let index = Index::new(&sensors);
            let entries = raw
                .iter()
                .map(|record| log_entry(record, |event| index.find(event)))
                .collect();
            Ok(reading(started, GetSelEntry::NAME, entries))
        })
    }

    fn clear<'a>(&'a self, cx: &'a Cx) -> BoxFuture<'a, Result<Reading<()>>> {
        Box::pin(async move {
            let started = Instant::now();
            self.exchange.expect(Privilege::Operator);
            clear(self.exchange.as_ref(), cx, POLL).await?;
            Ok(reading(started, ClearSel::NAME, ()))
        })
    }
}

/// Names help, but the log is worth having without them: a BMC that refuses its SDRs still shows its events.
async fn sensors(bmc: &dyn Exchange, cx: &Cx) -> Result<Vec<Sensor>> {
    match sdr_repo::records(bmc, cx).await {
        Ok(records) => Ok(sdr_repo::sensors(&records)),
        Err(error) if CompletionError::find(&error).is_some() => {
            log::debug!("events without sensor names: {}", error.chain());
            Ok(Vec::new())
        }
        Err(error) => Err(error),
    }
}

/// Sensors by owner, LUN and number.
struct Index<'a>(HashMap<(u8, u8, u8), &'a Sensor>);

impl<'a> Index<'a> {
    fn new(sensors: &'a [Sensor]) -> Self {
        let mut map = HashMap::new();
        for sensor in sensors {
            let owner = sensor.owner;
            map.entry((owner.id, owner.lun, owner.number))
                .or_insert(sensor);
        }
        Self(map)
    }

    /// The sensor of an event: that of the generator, or the BMC's of this number and type (events that firmware
    /// of the host reports for the BMC's sensors).
    fn find(&self, event: &SystemEvent) -> Option<&'a Sensor> {
        let [owner, lun] = event.generator;
        let exact = self.0.get(&(owner, lun & 0x03, event.sensor));
        let of_bmc = || {
            let sensor = self.0.get(&(0x20, 0, event.sensor))?;
            (sensor.sensor_type == event.sensor_type).then_some(sensor)
        };
        exact.or_else(of_bmc).copied()
    }
}

/// One pass over the entries.
struct Walk<'a> {
    bmc: &'a dyn Exchange,
    cx: &'a Cx,
    reservation: Option<u16>,
    /// Bytes per read; 255 = whole records.
    chunk: u8,
}

impl<'a> Walk<'a> {
    fn new(bmc: &'a dyn Exchange, cx: &'a Cx) -> Self {
        Self {
            bmc,
            cx,
            reservation: None,
            chunk: bmc.learnt().snapshot().chunks.sel.unwrap_or(u8::MAX),
        }
    }

    /// All records, oldest first, each as the BMC sent it. Lists that turn back on themselves end there.
    async fn all(&mut self) -> Result<Vec<Vec<u8>>> {
        let info = run(self.bmc, self.cx, &GetSelInfo).await?;
        let mut records = Vec::new();
        if info.entries == 0 {
            return Ok(records);
        }
        let mut asked = HashSet::new();
        let mut id = FIRST_RECORD;
        while asked.insert(id) {
            let (mut next, data) = match self.entry(id).await {
                Ok(read) => read,
                Err(error) => match CompletionError::find(&error) {
                    // Gone since it was named, or the log was cleared meanwhile.
                    Some(CompletionCode::NOT_PRESENT) => break,
                    _ => return Err(error),
                },
            };
            if next == FIRST_RECORD && records.len() + 1 < usize::from(info.entries) {
                // Some BMCs name no next entry at random: once more.
                next = self.entry(id).await?.0;
            }
            if id == FIRST_RECORD
                && let Some(own) = data.first_chunk::<2>()
            {
                asked.insert(u16::from_le_bytes(*own));
            }
            records.push(data);
            if matches!(next, FIRST_RECORD | LAST_RECORD) {
                break;
            }
            id = next;
        }
        Ok(records)
    }

    /// One record and the id of the next one.
    async fn entry(&mut self, id: u16) -> Result<(u16, Vec<u8>)> {
        for _ in 0..MAX_LOST {
            match self.try_entry(id).await? {
                Some(read) => return Ok(read),
                None => self.reservation = Some(reserve(self.bmc, self.cx).await?),
            }
        }
        Err(Error::new(Kind::Busy, GetSelEntry::NAME)
            .with_hint("other programs read the event log of this BMC at the same time"))
    }

    /// `None`: the reservation was lost.
    async fn try_entry(&mut self, id: u16) -> Result<Option<(u16, Vec<u8>)>> {
        let mut chunk = self.chunk;
        let mut data: Vec<u8> = Vec::new();
        let mut next = LAST_RECORD;
        while data.len() < RECORD_LEN {
            let offset = data.len() as u8;
            let count = match chunk {
                u8::MAX => u8::MAX,
                chunk => chunk.min(RECORD_LEN as u8 - offset),
            };
            let partial = offset > 0 || usize::from(count) < RECORD_LEN;
            if partial && self.reservation.is_none() {
                self.reservation = Some(reserve(self.bmc, self.cx).await?);
            }
            match self.get(id, offset, count).await? {
                Ok(reply) if reply.data.is_empty() => break,
                Ok(reply) => {
                    next = reply.next;
                    data.extend(reply.data.iter().take(RECORD_LEN - data.len()));
                }
                Err(code) if chunk::reservation_lost(code) => {
                    self.chunk = chunk;
                    return Ok(None);
                }
                Err(code) if code.wants_smaller_read() => {
                    let most = chunk.min(RECORD_LEN as u8 * 2);
                    chunk = shorter(most).ok_or_else(|| code.to_error(GetSelEntry::NAME))?;
                }
                Err(ERASING) => {
                    return Err(Error::new(Kind::Busy, GetSelEntry::NAME)
                        .with_source(CompletionError { code: ERASING })
                        .with_hint("the event log is being erased"));
                }
                Err(code) => return Err(code.to_error(GetSelEntry::NAME)),
            }
            if chunk == u8::MAX && data.len() < RECORD_LEN {
                chunk = data.len().max(1) as u8;
            }
        }
        self.chunk = chunk;
        if self.bmc.learnt().snapshot().chunks.sel.unwrap_or(u8::MAX) != chunk {
            chunk::learn(self.bmc, |chunks| chunks.sel = Some(chunk));
        }
        Ok(Some((next, data)))
    }

    async fn get(
        &self,
        record: u16,
        offset: u8,
        count: u8,
    ) -> Result<Result<GetSelEntryReply, CompletionCode>> {
        let command = GetSelEntry {
            reservation: self.reservation.unwrap_or(0),
            record,
            offset,
            count,
        };
        let response = self.bmc.exchange(self.cx, Request::of(&command)).await?;
        if !response.code.is_ok() {
            return Ok(Err(response.code));
        }
        finish(&command, &response).map(Ok)
    }
}

/// Takes a reservation; 0 where the BMC refuses one (Supermicro H8QME wants Operator for it).
async fn reserve(bmc: &dyn Exchange, cx: &Cx) -> Result<u16> {
    match run(bmc, cx, &ReserveSel).await {
        Ok(id) => Ok(id),
        Err(error) if CompletionError::find(&error).is_some() => Ok(0),
        Err(error) => Err(error),
    }
}

/// Erases all records, waits for the end, and looks whether they are gone.
async fn clear(bmc: &dyn Exchange, cx: &Cx, poll: Duration) -> Result<()> {
    let before = run(bmc, cx, &GetSelInfo).await?;
    let mut reservation = reserve(bmc, cx).await?;
    let mut action = EraseAction::Initiate;
    let mut lost = 0;
    loop {
        let step = ClearSel {
            reservation,
            action,
        };
        match run(bmc, cx, &step).await {
            Ok(EraseProgress::Completed) => break,
            Ok(EraseProgress::InProgress) => action = EraseAction::Status,
            Err(error) => match CompletionError::find(&error) {
                Some(CompletionCode::RESERVATION) if lost < MAX_LOST => {
                    lost += 1;
                    reservation = reserve(bmc, cx).await?;
                    continue;
                }
                Some(ERASING | CompletionCode::NODE_BUSY) => action = EraseAction::Status,
                _ => return Err(error),
            },
        }
        if Instant::now() + poll >= cx.deadline {
            return Err(Error::new(
                Kind::Timeout,
                format!("{}: the erase has not come to its end", ClearSel::NAME),
            ));
        }
        tokio::select! {
            () = tokio::time::sleep(poll) => {}
            () = cx.cancel.cancelled() => {
                return Err(Error::new(Kind::Cancelled, ClearSel::NAME));
            }
        }
    }
    let after = run(bmc, cx, &GetSelInfo).await?;
    // Many BMCs log the clearing itself.
    if after.entries > 1 && after.entries >= before.entries && after.erase == before.erase {
        return Err(Error::new(
            Kind::Refused,
            format!(
                "{}: the BMC says done, but {} entries are still there",
                ClearSel::NAME,
                after.entries
            ),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
