//! FRU devices: those of the BMC and of the controllers behind it.
//!
//! Only the bytes that areas take are read, in the largest reads that the BMC bears: one round trip for most devices.

use std::sync::Arc;
use std::time::Instant;

use super::chunk::{self, LARGE, shorter};
use super::{reading, sdr_repo};
use crate::hal::caps;
use crate::hal::error::{Error, Kind, Result};
use crate::hal::ipmi::cmd::storage::{FruInventoryArea, GetFruInventoryAreaInfo, ReadFruData};
use crate::hal::ipmi::cmd::{Command, CompletionCode, CompletionError};
use crate::hal::ipmi::exchange::finish;
use crate::hal::ipmi::fru::{Fru, needed};
use crate::hal::ipmi::learnt::SdrCache;
use crate::hal::ipmi::sdr::{Body, Entity};
use crate::hal::ipmi::{Exchange, Request, Target};
use crate::hal::model::fru::{FruDevice, FruSummary};
use crate::hal::model::{BoxFuture, Cx, Reading};

/// Slave address of the BMC.
const BMC: u8 = 0x20;
/// Name of device 0 where no record names it.
const BUILTIN: &str = "Builtin FRU Device";
/// What is read at most of one device: offsets of areas reach this far, and multirecords a little further.
const MOST: usize = 4096;
/// FRU device busy (§34.2).
const BUSY: CompletionCode = CompletionCode(0x81);

/// Reads FRU devices over IPMI.
pub struct Inventory {
    exchange: Arc<dyn Exchange>,
}

impl Inventory {
    /// FRU devices of the BMC behind `exchange`.
    pub fn new(exchange: Arc<dyn Exchange>) -> Self {
        Self { exchange }
    }
}

impl std::fmt::Debug for Inventory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inventory").finish_non_exhaustive()
    }
}

impl caps::Inventory for Inventory {
    fn fru<'a>(
        &'a self,
        cx: &'a Cx,
        id: Option<u8>,
    ) -> BoxFuture<'a, Result<Reading<Vec<FruDevice>>>> {
        Box::pin(async move {
            let started = Instant::now();
            let bmc = self.exchange.as_ref();
            let devices = match id {
                Some(id) => vec![one(bmc, cx, id).await?],
                None => all(bmc, cx).await?,
            };
            Ok(reading(started, ReadFruData::NAME, devices))
        })
    }
}

/// One FRU device as the records name it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Device {
    id: u8,
    name: String,
    target: Target,
    lun: u8,
    entity: Entity,
    /// A DIMM's memory id: no FRU data in there.
    spd: bool,
}

impl Device {
    fn builtin() -> Self {
        Self {
            id: 0,
            name: BUILTIN.to_owned(),
            target: Target::Bmc,
            lun: 0,
            entity: Entity::default(),
            spd: false,
        }
    }

    fn request<C: Command>(&self, command: &C) -> Request {
        let mut request = Request::of(command).to(self.target);
        request.lun = self.lun;
        request
    }
}

/// Device 0, and what FRU and controller locators name. Physical devices (reached by Master Write-Read) are left out.
fn devices(records: &SdrCache) -> Vec<Device> {
    let mut out = vec![Device::builtin()];
    let target = |address: u8, channel| match address {
        BMC | 0 => Target::Bmc,
        address => Target::Bridged { channel, address },
    };
    for sdr in sdr_repo::decoded(records) {
        let device = match sdr.body {
            Body::FruLocator(fru) if fru.logical => Device {
                id: fru.device,
                name: fru.id.to_string(),
                target: target(fru.access_address, fru.channel),
                lun: fru.lun,
                entity: fru.entity,
                spd: fru.device_type == 0x10 && fru.modifier == 1,
            },
            // Bit 3: the controller has a FRU inventory of its own, device 0.
            Body::McLocator(mc) if mc.capabilities & 0x08 != 0 && mc.address != BMC => Device {
                id: 0,
                name: mc.id.to_string(),
                target: target(mc.address, mc.channel),
                lun: 0,
                entity: mc.entity,
                spd: false,
            },
            _ => continue,
        };
        let known = out
            .iter_mut()
            .find(|d| d.id == device.id && d.target == device.target && d.lun == device.lun);
        match known {
            Some(known) if known.name == BUILTIN && !device.name.is_empty() => *known = device,
            Some(_) => {}
            None => out.push(device),
        }
    }
    out
}

/// The device `id` of the BMC. Its name comes from records that are at hand; they are not read for it.
async fn one(bmc: &dyn Exchange, cx: &Cx, id: u8) -> Result<FruDevice> {
    let cached = bmc.learnt().snapshot().sdrs.unwrap_or_default();
    let device = devices(&cached)
        .into_iter()
        .find(|d| d.id == id && d.target == Target::Bmc)
        .unwrap_or_else(|| Device {
            id,
            name: format!("FRU {id}"),
            ..Device::builtin()
        });
    match read(bmc, cx, &device).await? {
        Content::Data(data) => Ok(decode(&device, &data)),
        Content::Absent(code) => Err(code
            .to_error(ReadFruData::NAME)
            .context(format!("FRU device {id} is not there"))),
    }
}

/// All devices that are there.
async fn all(bmc: &dyn Exchange, cx: &Cx) -> Result<Vec<FruDevice>> {
    let records = match sdr_repo::records(bmc, cx).await {
        Ok(records) => records,
        // Without records there is still device 0.
        Err(error) if CompletionError::find(&error).is_some() => Arc::default(),
        Err(error) => return Err(error),
    };
    let mut out = Vec::new();
    let mut refused = None;
    for device in devices(&records) {
        if device.spd {
            out.push(FruDevice {
                id: device.id,
                name: device.name,
                warnings: vec!["memory id (SPD) of a DIMM: not decoded".to_owned()],
                ..FruDevice::default()
            });
            continue;
        }
        match read(bmc, cx, &device).await {
            Ok(Content::Data(data)) => out.push(decode(&device, &data)),
            Ok(Content::Absent(code)) => {
                refused.get_or_insert(code);
            }
            // A controller behind the BMC may be silent without the BMC being so.
            Err(error) if device.target != Target::Bmc && error.kind() == Kind::Timeout => {
                log::debug!("FRU of {}: {}", device.name, error.chain());
            }
            Err(error) => return Err(error),
        }
    }
    match (out.is_empty(), refused) {
        (true, Some(code)) => Err(code.to_error(ReadFruData::NAME)),
        _ => Ok(out),
    }
}

/// Data without a usable header is told as such, with the device.
fn decode(device: &Device, data: &[u8]) -> FruDevice {
    match Fru::parse(data) {
        Ok(fru) => fru.device(device.id, device.name.clone()),
        Err(error) => FruDevice {
            id: device.id,
            name: device.name.clone(),
            warnings: vec![error.to_string()],
            ..FruDevice::default()
        },
    }
}

/// What the FRU devices say of the machine as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Machine {
    /// The eight fields of metal-stack: from device 0, gaps filled from devices of the board and the chassis.
    pub summary: FruSummary,
    /// Product name of device 0; its board's where it has none.
    pub model: Option<String>,
}

/// Reads what the FRU devices say of the machine as a whole. SDRs and other devices are read only for gaps.
pub async fn machine(bmc: &dyn Exchange, cx: &Cx) -> Result<Machine> {
    let mut machine = Machine::default();
    if let Content::Data(data) = read(bmc, cx, &Device::builtin()).await? {
        match Fru::parse(&data) {
            Ok(fru) => {
                machine.summary = fru.summary();
                machine.model = fru.model();
            }
            Err(error) => log::debug!("FRU 0: {error}"),
        }
    }
    let out = &mut machine.summary;
    if complete(out) {
        return Ok(machine);
    }
    let records = match sdr_repo::records(bmc, cx).await {
        Ok(records) => records,
        Err(error) => {
            log::debug!("gaps of FRU 0 stay: {}", error.chain());
            return Ok(machine);
        }
    };
    for device in devices(&records) {
        if (device.id == 0 && device.target == Target::Bmc)
            || device.spd
            || !of_machine(device.entity)
        {
            continue;
        }
        if let Ok(Content::Data(data)) = read(bmc, cx, &device).await
            && let Ok(fru) = Fru::parse(&data)
        {
            fill(out, fru.summary());
        }
        if complete(out) {
            break;
        }
    }
    Ok(machine)
}

/// Entities whose serial numbers are the machine's (table 43-13): management module, system board, other system
/// board, processor board, system chassis, sub-chassis. Not power supplies, drives or DIMMs.
fn of_machine(entity: Entity) -> bool {
    matches!(entity.id, 0x06 | 0x07 | 0x11 | 0x12 | 0x17 | 0x18)
}

fn slots(summary: &mut FruSummary) -> [&mut Option<String>; 8] {
    [
        &mut summary.chassis_part_number,
        &mut summary.chassis_part_serial,
        &mut summary.board_mfg,
        &mut summary.board_mfg_serial,
        &mut summary.board_part_number,
        &mut summary.product_manufacturer,
        &mut summary.product_part_number,
        &mut summary.product_serial,
    ]
}

fn complete(summary: &FruSummary) -> bool {
    slots(&mut summary.clone())
        .iter()
        .all(|slot| slot.is_some())
}

fn fill(into: &mut FruSummary, mut from: FruSummary) {
    for (to, from) in slots(into).into_iter().zip(slots(&mut from)) {
        if to.is_none() {
            *to = from.take();
        }
    }
}

enum Content {
    Data(Vec<u8>),
    /// There is no such device, or nothing in it.
    Absent(CompletionCode),
}

/// What BMCs say of a device that is not there.
fn is_absent(code: CompletionCode) -> bool {
    matches!(
        code,
        CompletionCode::NOT_PRESENT
            | CompletionCode::OUT_OF_RANGE
            | CompletionCode::TIMEOUT
            | CompletionCode::INVALID_FIELD
            | CompletionCode::ILLEGAL
            | CompletionCode::NO_RESPONSE
            | CompletionCode::DESTINATION_UNAVAILABLE
            | CompletionCode::NOT_IN_PRESENT_STATE
            | CompletionCode::UNSPECIFIED
            | BUSY
    )
}

/// The bytes that the device's areas take.
async fn read(bmc: &dyn Exchange, cx: &Cx, device: &Device) -> Result<Content> {
    let mut reader = DeviceReader {
        bmc,
        cx,
        device,
        area: None,
        data: Vec::new(),
    };
    // The first read goes without asking for the size: an answer in full says all that is needed.
    let first = bmc.learnt().snapshot().chunks.fru.unwrap_or(LARGE);
    let mut chunk = first;
    match reader.get(0, first).await? {
        Ok(data) => {
            let words = data.len() == usize::from(first) * 2;
            reader.data = data;
            if words || reader.data.len() < usize::from(first) {
                // All of a small device came, or its units are words: then its size must be known.
                if words || needed(&reader.data, MOST) > reader.data.len() {
                    match reader.info().await? {
                        Ok(area) => reader.area = Some(area),
                        Err(_) => return Ok(Content::Data(reader.data)),
                    }
                }
            }
        }
        Err(refused) => match reader.info().await? {
            Ok(FruInventoryArea { size: 0, .. }) => {
                return Ok(Content::Absent(CompletionCode::NOT_PRESENT));
            }
            Ok(area) => {
                // The device is as long as the read: it was the length that the BMC did not bear.
                if refused.wants_smaller_read() && usize::from(area.size) >= usize::from(first) {
                    chunk = shorter(first).unwrap_or(first);
                }
                reader.area = Some(area);
            }
            Err(code) if is_absent(code) => return Ok(Content::Absent(code)),
            Err(code) => return Err(code.to_error(GetFruInventoryAreaInfo::NAME)),
        },
    }
    match reader.rest(chunk).await? {
        Some(code) if reader.data.is_empty() && is_absent(code) => Ok(Content::Absent(code)),
        Some(code) if reader.data.is_empty() => Err(code.to_error(ReadFruData::NAME)),
        _ => Ok(Content::Data(reader.data)),
    }
}

struct DeviceReader<'a> {
    bmc: &'a dyn Exchange,
    cx: &'a Cx,
    device: &'a Device,
    /// Size and units, when they had to be asked for.
    area: Option<FruInventoryArea>,
    data: Vec<u8>,
}

impl DeviceReader<'_> {
    fn size(&self) -> usize {
        self.area.map_or(MOST, |area| area.size.into()).min(MOST)
    }

    /// Reads on until all areas are there. A code that ends it before is handed back; what was read stays.
    async fn rest(&mut self, first: u8) -> Result<Option<CompletionCode>> {
        let mut chunk = first;
        let mut whole = false;
        loop {
            let size = self.size();
            let need = if whole {
                size
            } else {
                needed(&self.data, size)
            };
            if self.data.len() >= need {
                // Lying lengths: fields may go on behind what the areas admit to.
                if whole || self.data.len() >= size || !self.fields_are_cut() {
                    return Ok(None);
                }
                whole = true;
                continue;
            }
            // With nothing known yet the read may be as long as the device.
            let left = if self.data.is_empty() {
                size
            } else {
                need - self.data.len()
            };
            let words = self.area.is_some_and(|area| area.words);
            let unit = if words { 2 } else { 1 };
            let count = left.min(chunk.into()).div_ceil(unit);
            let offset = u16::try_from(self.data.len() / unit).unwrap_or(u16::MAX);
            match self.get(offset, count as u8).await? {
                Ok(data) if data.is_empty() => return Ok(Some(CompletionCode::CANNOT_RETURN)),
                Ok(data) => self.data.extend(data.iter().take(count * unit)),
                Err(code) if code.wants_smaller_read() || code == BUSY => {
                    match shorter((count * unit).try_into().unwrap_or(chunk)) {
                        Some(next) => chunk = next,
                        None => return Ok(Some(code)),
                    }
                    continue;
                }
                Err(code) => return Ok(Some(code)),
            }
            // Learnt from what was refused and then borne, not from devices that end early.
            if chunk != self.bmc.learnt().snapshot().chunks.fru.unwrap_or(LARGE) {
                chunk::learn(self.bmc, |chunks| chunks.fru = Some(chunk));
            }
        }
    }

    fn fields_are_cut(&self) -> bool {
        use crate::hal::ipmi::fru::Warning;
        Fru::parse(&self.data).is_ok_and(|fru| {
            fru.warnings
                .iter()
                .any(|w| matches!(w, Warning::NoEndMarker { .. } | Warning::BeyondEnd { .. }))
        })
    }

    async fn get(&self, offset: u16, count: u8) -> Result<Result<Vec<u8>, CompletionCode>> {
        let command = ReadFruData {
            device: self.device.id,
            offset,
            count,
        };
        let request = self.device.request(&command);
        let response = self.bmc.exchange(self.cx, request).await?;
        if !response.code.is_ok() {
            return Ok(Err(response.code));
        }
        Ok(Ok(finish(&command, &response)?.data))
    }

    async fn info(&self) -> Result<Result<FruInventoryArea, CompletionCode>> {
        let command = GetFruInventoryAreaInfo {
            device: self.device.id,
        };
        let request = self.device.request(&command);
        let response = self.bmc.exchange(self.cx, request).await?;
        if !response.code.is_ok() {
            return Ok(Err(response.code));
        }
        finish(&command, &response)
            .map(Ok)
            .map_err(|e: Error| e.context(format!("FRU device {}", self.device.id)))
    }
}

#[cfg(test)]
mod tests;
