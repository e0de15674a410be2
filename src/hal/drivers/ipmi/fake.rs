//! A BMC in memory, with faults, that counts what it is asked.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::hal::error::Result;
use crate::hal::ipmi::cmd::sensor::{
    GetDeviceSdr, GetDeviceSdrInfo, GetSensorReading, GetSensorReadingFactors, GetSensorThresholds,
    ReserveDeviceSdrRepository,
};
use crate::hal::ipmi::cmd::storage::{
    ClearSel, EraseAction, GetFruInventoryAreaInfo, GetSdr, GetSdrRepositoryInfo, GetSelEntry,
    GetSelInfo, ReadFruData, ReserveSdrRepository, ReserveSel,
};
use crate::hal::ipmi::cmd::{Command, CompletionCode};
use crate::hal::ipmi::learnt::LearntCell;
use crate::hal::ipmi::sdr::{Body, Full, IdString, Sdr};
use crate::hal::ipmi::{Exchange, Reader, Request, Response, Target};
use crate::hal::model::{BoxFuture, Cx};

/// State and faults. Records are in the order of the list; a record's id is its own.
#[derive(Debug, Default)]
pub(super) struct Fake {
    pub sdrs: Vec<Vec<u8>>,
    pub sel: Vec<[u8; 16]>,
    pub frus: HashMap<u8, Vec<u8>>,
    /// Replies of Get Sensor Reading.
    pub readings: HashMap<u8, Vec<u8>>,
    /// Replies of Get Sensor Thresholds.
    pub thresholds: HashMap<u8, Vec<u8>>,
    /// Replies of Get Sensor Reading Factors.
    pub factors: HashMap<u8, Vec<u8>>,
    /// Longest data of a read; more is refused with `refusal`.
    pub limit: Option<usize>,
    pub refusal: u8,
    /// FRU reads that go beyond the device are refused (0xc9) instead of cut.
    pub strict_fru: bool,
    /// Device that counts in words.
    pub words: bool,
    /// Commands that are answered by a code only.
    pub refuse: HashMap<(u8, u8), u8>,
    /// Every n-th read of a record loses its reservation.
    pub lose_every: Option<u32>,
    /// Next ids that lie: record -> next.
    pub next: HashMap<u16, u16>,
    /// The first answer to Get SEL Entry of this record names 0 as the next.
    pub forgets_next: Option<u16>,
    /// Records whose read is answered by a code.
    pub broken: HashMap<u16, u8>,
    /// Answers carry this record id instead of the right one.
    pub wrong_id: Option<u16>,
    /// Get SDR returns at most this many bytes, without an error.
    pub cut: Option<usize>,
    /// Bytes behind each record.
    pub excess: usize,
    /// Count of Get SDR Repository Info, if it lies.
    pub count: Option<u16>,
    pub addition: u32,
    /// Questions how far the erase is until it is done; `None` = for ever.
    pub erase_steps: Option<u32>,
    /// The erase does nothing.
    pub erase_lies: bool,
    /// The sensors' owner does not answer; only the BMC does.
    pub bridge_fails: bool,
    pub reads: u32,
    pub reservation: u16,
    pub log: Vec<(u8, u8)>,
}

/// The fake behind the door that drivers use.
pub(super) struct FakeExchange {
    pub state: Mutex<Fake>,
    learnt: LearntCell,
}

/// A context with time enough.
pub(super) fn cx() -> Cx {
    Cx::until(Instant::now() + Duration::from_mins(1))
}

/// A threshold sensor in degrees C with thresholds 85/90/95 and 5/3/1.
pub(super) fn sensor_record(number: u8, name: &str) -> Sdr {
    let mut full = Full {
        thresholds: [5, 3, 1, 85, 90, 95],
        id: IdString::latin1(name),
        ..Full::default()
    };
    full.common.owner.number = number;
    full.common.sensor_type = 1;
    full.common.reading_mask = 0x3f3f;
    full.common.units.base = 1;
    Sdr::new(u16::from(number), Body::Full(Box::new(full)))
}

impl Fake {
    pub fn into_exchange(self) -> Arc<FakeExchange> {
        Arc::new(FakeExchange {
            state: Mutex::new(self),
            learnt: LearntCell::default(),
        })
    }

    fn lost(&mut self, reservation: u16, offset: u8, count: u8) -> bool {
        self.reads += 1;
        let partial = offset != 0 || count != 0xff;
        if self
            .lose_every
            .is_some_and(|n| self.reads.is_multiple_of(n))
        {
            self.reservation += 1;
            return true;
        }
        partial && offset != 0 && reservation != self.reservation
    }

    /// Cuts `offset..offset + count` out of a record as a BMC does.
    fn slice(&self, record: &[u8], offset: u8, count: u8) -> Result<Vec<u8>, u8> {
        let rest = record.get(offset.into()..).ok_or(0xc9)?;
        let wanted = match count {
            0xff => rest.len(),
            n => usize::from(n).min(rest.len()),
        };
        match self.limit {
            Some(limit) if wanted > limit => Err(self.refusal),
            _ => Ok(rest[..wanted].to_vec()),
        }
    }

    fn record(records: &[Vec<u8>], id: u16) -> Option<(usize, u16)> {
        let own = |r: &[u8]| u16::from_le_bytes([r[0], r[1]]);
        let index = match id {
            0 => 0,
            id => records.iter().position(|r| own(r) == id)?,
        };
        records.get(index).map(|r| (index, own(r)))
    }

    fn get_sdr(&mut self, get: GetSdr) -> Result<Vec<u8>, u8> {
        if self.lost(get.reservation, get.offset, get.count) {
            return Err(0xc5);
        }
        let (index, own) = Self::record(&self.sdrs, get.record).ok_or(0xcb)?;
        if let Some(code) = self.broken.get(&own) {
            return Err(*code);
        }
        let next = self
            .sdrs
            .get(index + 1)
            .map_or(0xffff, |r| u16::from_le_bytes([r[0], r[1]]));
        let next = self.next.get(&own).copied().unwrap_or(next);
        let mut record = self.sdrs[index].clone();
        if let Some(wrong) = self.wrong_id {
            record[..2].copy_from_slice(&wrong.to_le_bytes());
        }
        record.extend(vec![0xee; self.excess]);
        let mut data = self.slice(&record, get.offset, get.count)?;
        data.truncate(self.cut.unwrap_or(usize::MAX));
        let mut out = next.to_le_bytes().to_vec();
        out.extend(data);
        Ok(out)
    }

    fn get_sel(&mut self, get: GetSelEntry) -> Result<Vec<u8>, u8> {
        if self.lost(get.reservation, get.offset, get.count) {
            return Err(0xc5);
        }
        let records: Vec<Vec<u8>> = self.sel.iter().map(|r| r.to_vec()).collect();
        let (index, own) = Self::record(&records, get.record).ok_or(0xcb)?;
        let next = records
            .get(index + 1)
            .map_or(0xffff, |r| u16::from_le_bytes([r[0], r[1]]));
        let mut next = self.next.get(&own).copied().unwrap_or(next);
        if self.forgets_next == Some(own) {
            self.forgets_next = None;
            next = 0;
        }
        let mut out = next.to_le_bytes().to_vec();
        out.extend(self.slice(&records[index], get.offset, get.count)?);
        Ok(out)
    }

    fn read_fru(&self, read: ReadFruData) -> Result<Vec<u8>, u8> {
        let data = self.frus.get(&read.device).ok_or(0xcb)?;
        let unit = if self.words { 2 } else { 1 };
        let start = usize::from(read.offset) * unit;
        let rest = data.get(start..).ok_or(0xc9)?;
        let wanted = usize::from(read.count) * unit;
        if self.limit.is_some_and(|limit| wanted > limit) {
            return Err(self.refusal);
        }
        if wanted > rest.len() && self.strict_fru {
            return Err(0xc9);
        }
        let got = &rest[..wanted.min(rest.len())];
        let mut out = vec![(got.len() / unit) as u8];
        out.extend(got);
        Ok(out)
    }

    fn clear(&mut self, clear: ClearSel) -> Result<Vec<u8>, u8> {
        if clear.reservation != self.reservation {
            return Err(0xc5);
        }
        if clear.action == EraseAction::Initiate && !self.erase_lies {
            self.sel.clear();
        }
        let done = match &mut self.erase_steps {
            None => false,
            Some(0) => true,
            Some(n) => {
                *n -= 1;
                false
            }
        };
        Ok(vec![u8::from(done)])
    }

    fn answer(&mut self, request: &Request) -> Result<Vec<u8>, u8> {
        fn decode<C: Command>(request: &Request) -> C {
            C::decode(&mut Reader::new(&request.data)).unwrap()
        }
        let key = (request.netfn.0, request.cmd);
        self.log.push(key);
        if let Some(code) = self.refuse.get(&key) {
            return Err(*code);
        }
        if self.bridge_fails && request.target != Target::Bmc {
            return Err(0xd3);
        }
        let info = |version: u8, count: usize, addition: u32| {
            let mut out = vec![version];
            out.extend((count as u16).to_le_bytes());
            out.extend([0xff, 0xff]);
            out.extend(addition.to_le_bytes());
            out.extend([0, 0, 0, 0, 0x02]);
            out
        };
        let canned = |map: &HashMap<u8, Vec<u8>>, sensor: u8| map.get(&sensor).cloned().ok_or(0xcb);
        match key {
            (0x0a, GetSdrRepositoryInfo::CMD) => {
                let count = self.count.map_or(self.sdrs.len(), usize::from);
                Ok(info(0x51, count, self.addition))
            }
            (0x0a, ReserveSdrRepository::CMD | ReserveSel::CMD)
            | (0x04, ReserveDeviceSdrRepository::CMD) => {
                self.reservation += 1;
                Ok(self.reservation.to_le_bytes().to_vec())
            }
            (0x0a, GetSdr::CMD) => self.get_sdr(decode(request)),
            (0x04, GetDeviceSdr::CMD) => self.get_sdr(decode::<GetDeviceSdr>(request).0),
            (0x04, GetDeviceSdrInfo::CMD) => Ok(vec![self.sdrs.len() as u8, 0x01]),
            (0x0a, GetSelInfo::CMD) => Ok(info(0x51, self.sel.len(), 0)),
            (0x0a, GetSelEntry::CMD) => self.get_sel(decode(request)),
            (0x0a, ClearSel::CMD) => self.clear(decode(request)),
            (0x0a, GetFruInventoryAreaInfo::CMD) => {
                let device = decode::<GetFruInventoryAreaInfo>(request).device;
                let size = self.frus.get(&device).ok_or(0xcb)?.len() as u16;
                let [low, high] = size.to_le_bytes();
                Ok(vec![low, high, u8::from(self.words)])
            }
            (0x0a, ReadFruData::CMD) => self.read_fru(decode(request)),
            (0x04, GetSensorReading::CMD) => {
                canned(&self.readings, decode::<GetSensorReading>(request).sensor)
            }
            (0x04, GetSensorThresholds::CMD) => canned(
                &self.thresholds,
                decode::<GetSensorThresholds>(request).sensor,
            ),
            (0x04, GetSensorReadingFactors::CMD) => canned(
                &self.factors,
                decode::<GetSensorReadingFactors>(request).sensor,
            ),
            _ => Err(0xc1),
        }
    }
}

impl FakeExchange {
    /// Round trips so far; starts to count anew.
    pub fn take_count(&self) -> usize {
        std::mem::take(&mut self.state.lock().unwrap().log).len()
    }
}

impl Exchange for FakeExchange {
    fn exchange<'a>(&'a self, _cx: &'a Cx, request: Request) -> BoxFuture<'a, Result<Response>> {
        Box::pin(async move {
            Ok(match self.state.lock().unwrap().answer(&request) {
                Ok(data) => Response {
                    code: CompletionCode::OK,
                    data,
                },
                Err(code) => Response {
                    code: CompletionCode(code),
                    data: Vec::new(),
                },
            })
        })
    }

    fn learnt(&self) -> &LearntCell {
        &self.learnt
    }
}
