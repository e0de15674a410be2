//! Storage: the event log (§31).

use std::time::Instant;

use super::{Reply, UNKNOWN, exact, typed};
use crate::hal::ipmi::cmd::CompletionCode;
use crate::hal::ipmi::cmd::storage::{
    AddSelEntry, AllocationInfo, ClearSel, DeleteSelEntry, EraseAction, EraseProgress,
    GetSelAllocationInfo, GetSelEntry, GetSelEntryReply, GetSelInfo, GetSelTime, LAST_RECORD,
    ReserveSel, SelInfo, SetSelTime,
};
use crate::hal::sim::state::Server;

pub(super) fn handle(server: &mut Server, now: Instant, cmd: u8, data: &[u8]) -> Reply {
    let time = server.sel_time(now);
    match cmd {
        0x40 => typed(data, |GetSelInfo| {
            let sel = &server.sel;
            Ok(SelInfo {
                version: 0x51,
                entries: sel.entries().len() as u16,
                free: sel.free(),
                addition: sel.added,
                erase: sel.erased,
                // Delete, reserve, allocation information; bit 7: overflow.
                operations: 0x0b | u8::from(sel.overflow) << 7,
            })
        }),
        0x41 => typed(data, |GetSelAllocationInfo| {
            let free = server.sel.free() / 16;
            Ok(AllocationInfo {
                units: free + server.sel.entries().len() as u16,
                unit_size: 16,
                free_units: free,
                largest_free_block: free,
                max_record_size: 1,
            })
        }),
        0x42 => typed(data, |ReserveSel| Ok(server.sel.reserve())),
        0x43 => typed(data, |c: GetSelEntry| read(server, c)),
        0x44 => typed(data, |c: AddSelEntry| server.sel.add(c.record, time)),
        0x46 => typed(data, |c: DeleteSelEntry| {
            server.sel.check(c.reservation)?;
            server.sel.delete(c.record, time)
        }),
        0x47 => typed(data, |c: ClearSel| {
            server.sel.check(c.reservation)?;
            if c.action == EraseAction::Initiate {
                server.sel.clear(time);
            }
            Ok(EraseProgress::Completed)
        }),
        0x48 => typed(data, |GetSelTime| Ok(time)),
        0x49 => typed(data, |c: SetSelTime| {
            let clock = server.clock.seconds(now);
            server.sel.set_time(clock, c.time);
            Ok(())
        }),
        0x5c => exact::<0>(data).map(|_| server.sel.utc_offset.to_le_bytes().to_vec()),
        0x5d => {
            let bytes = exact::<2>(data)?;
            server.sel.utc_offset = i16::from_le_bytes(bytes);
            Ok(Vec::new())
        }
        _ => Err(UNKNOWN),
    }
}

fn read(server: &Server, c: GetSelEntry) -> Result<GetSelEntryReply, CompletionCode> {
    let sel = &server.sel;
    if c.offset != 0 {
        sel.check(c.reservation)?;
    }
    let (entry, next) = sel.get(c.record).ok_or(CompletionCode::NOT_PRESENT)?;
    let rest = entry
        .get(usize::from(c.offset)..)
        .ok_or(CompletionCode::OUT_OF_RANGE)?;
    let count = if c.count == 0xff {
        rest.len()
    } else {
        usize::from(c.count)
    };
    let next = if next == LAST_RECORD && server.profile.faulty.sel_loop {
        sel.entries()
            .first()
            .map_or(next, |e| u16::from_le_bytes([e[0], e[1]]))
    } else {
        next
    };
    Ok(GetSelEntryReply {
        next,
        data: rest.iter().copied().take(count).collect(),
    })
}
