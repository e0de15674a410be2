//! Storage commands (§33 SDR repository, §31 SEL, §34 FRU). Only what goes over the wire: what FRU data,
//! SDRs and SEL records mean is in [`fru`](crate::hal::ipmi::fru), [`sdr`](crate::hal::ipmi::sdr) and
//! [`sel`](crate::hal::ipmi::sel).

mod fru;
mod sdr;
mod sel;

pub use fru::{
    FruInventoryArea, GetFruInventoryAreaInfo, ReadFruData, ReadFruDataReply, WriteFruData,
};
pub use sdr::{
    GetSdr, GetSdrReply, GetSdrRepositoryAllocationInfo, GetSdrRepositoryInfo,
    GetSdrRepositoryTime, ReserveSdrRepository, SdrRepositoryInfo, SetSdrRepositoryTime,
};
pub use sel::{
    AddSelEntry, ClearSel, DeleteSelEntry, EraseAction, EraseProgress, GetSelAllocationInfo,
    GetSelEntry, GetSelEntryReply, GetSelInfo, GetSelTime, GetSelTimeUtcOffset, ReserveSel,
    SelInfo, SetSelTime, SetSelTimeUtcOffset, UTC_OFFSET_UNSPECIFIED,
};

use crate::hal::ipmi::codec::{DecodeError, Reader};

/// The first record of a repository or log.
pub const FIRST_RECORD: u16 = 0x0000;
/// As a next record id: there is none after this. As a requested id of the SEL: the last record.
pub const LAST_RECORD: u16 = 0xffff;

/// Allocation of the SDR repository (§33.10) or the SEL (§31.3); 0 units = not said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AllocationInfo {
    /// Allocation units there are.
    pub units: u16,
    /// Bytes per unit; 0 = not said.
    pub unit_size: u16,
    /// Units that are free.
    pub free_units: u16,
    /// Largest free block, in units.
    pub largest_free_block: u16,
    /// Largest record, in units.
    pub max_record_size: u8,
}

impl AllocationInfo {
    fn encode(self, out: &mut Vec<u8>) {
        out.extend(self.units.to_le_bytes());
        out.extend(self.unit_size.to_le_bytes());
        out.extend(self.free_units.to_le_bytes());
        out.extend(self.largest_free_block.to_le_bytes());
        out.push(self.max_record_size);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            units: r.u16("number of possible allocation units")?,
            unit_size: r.u16("allocation unit size")?,
            free_units: r.u16("number of free allocation units")?,
            largest_free_block: r.u16("largest free block")?,
            max_record_size: r.u8("maximum record size")?,
        })
    }
}

#[cfg(test)]
mod tests;
