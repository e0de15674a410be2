//! Storage: the SDR repository (§33).

use std::time::Instant;

use super::{Reply, UNKNOWN, exact, typed};
use crate::hal::ipmi::cmd::CompletionCode;
use crate::hal::ipmi::cmd::storage::{
    AllocationInfo, GetSdr, GetSdrReply, GetSdrRepositoryAllocationInfo, GetSdrRepositoryInfo,
    GetSdrRepositoryTime, LAST_RECORD, ReserveSdrRepository, SdrRepositoryInfo,
    SetSdrRepositoryTime,
};
use crate::hal::sim::state::Server;

/// Bytes of the repository.
const SIZE: u16 = 0x4000;

pub(super) fn handle(server: &mut Server, now: Instant, cmd: u8, data: &[u8]) -> Reply {
    match cmd {
        0x20 => typed(data, |GetSdrRepositoryInfo| {
            if server.profile.faulty.no_sdr_info {
                return Err(UNKNOWN);
            }
            let used: usize = server.sdrs.iter().map(Vec::len).sum();
            Ok(SdrRepositoryInfo {
                version: 0x51,
                count: server.sdrs.len() as u16,
                free: SIZE.saturating_sub(used as u16),
                addition: server.sdr_times.0,
                erase: server.sdr_times.1,
                // Modal and non-modal update are told as unspecified; reservations.
                operations: 0x02,
            })
        }),
        0x21 => typed(data, |GetSdrRepositoryAllocationInfo| {
            Ok(AllocationInfo {
                units: SIZE / 64,
                unit_size: 64,
                free_units: SIZE / 128,
                largest_free_block: SIZE / 128,
                max_record_size: 1,
            })
        }),
        0x22 => typed(data, |ReserveSdrRepository| {
            server.sdr_reservation = server.sdr_reservation.wrapping_add(1).max(1);
            Ok(server.sdr_reservation)
        }),
        0x23 => typed(data, |c: GetSdr| read(server, c)),
        0x28 => typed(data, |GetSdrRepositoryTime| Ok(server.sel_time(now))),
        0x29 => typed(data, |c: SetSdrRepositoryTime| {
            let clock = server.clock.seconds(now);
            server.sel.set_time(clock, c.time);
            Ok(())
        }),
        // Run Initialization Agent: done.
        0x2c => exact::<1>(data).map(|_| vec![0x01]),
        _ => Err(UNKNOWN),
    }
}

/// Get SDR, also for Get Device SDR.
pub(super) fn read(server: &mut Server, c: GetSdr) -> Result<GetSdrReply, CompletionCode> {
    let faulty = server.profile.faulty;
    // Reads from within a record need a reservation.
    if c.offset != 0 && c.reservation != server.sdr_reservation {
        return Err(CompletionCode::RESERVATION);
    }
    if c.offset != 0 && faulty.reservations_vanish && server.executed.is_multiple_of(11) {
        server.sdr_reservation = server.sdr_reservation.wrapping_add(1).max(1);
        return Err(CompletionCode::RESERVATION);
    }
    let last = server.sdrs.len().saturating_sub(1);
    let index = match c.record {
        0 => 0,
        LAST_RECORD => last,
        id => server
            .sdrs
            .iter()
            .position(|r| r.get(..2) == Some(&id.to_le_bytes()))
            .ok_or(CompletionCode::NOT_PRESENT)?,
    };
    let record = server.sdrs.get(index).ok_or(CompletionCode::NOT_PRESENT)?;
    if faulty.last_sdr_timeout && index == last {
        return Err(CompletionCode::TIMEOUT);
    }
    let (most, refusal) = server.profile.sdr_read;
    let rest = record
        .get(usize::from(c.offset)..)
        .ok_or(CompletionCode::OUT_OF_RANGE)?;
    let whole = c.count == 0xff;
    let count = if whole {
        rest.len()
    } else {
        usize::from(c.count)
    };
    if count > usize::from(most) {
        return Err(refusal);
    }
    let next = match server.sdrs.get(index + 1) {
        Some(next) => u16::from_le_bytes([
            next.first().copied().unwrap_or(0),
            next.get(1).copied().unwrap_or(0),
        ]),
        None if faulty.sdr_loop => u16::try_from(index + 1).unwrap_or(LAST_RECORD),
        None => LAST_RECORD,
    };
    Ok(GetSdrReply {
        next,
        data: rest.iter().copied().take(count).collect(),
    })
}
