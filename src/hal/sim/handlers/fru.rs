//! Storage: FRU devices (§34).

use std::sync::Arc;

use super::{Reply, UNKNOWN, typed};
use crate::hal::ipmi::cmd::CompletionCode;
use crate::hal::ipmi::cmd::storage::{
    FruInventoryArea, GetFruInventoryAreaInfo, ReadFruData, ReadFruDataReply, WriteFruData,
};
use crate::hal::sim::state::Server;

pub(super) fn handle(server: &mut Server, cmd: u8, data: &[u8]) -> Reply {
    match cmd {
        0x10 => typed(data, |c: GetFruInventoryAreaInfo| {
            let image = server
                .frus
                .get(usize::from(c.device))
                .ok_or(CompletionCode::NOT_PRESENT)?;
            Ok(FruInventoryArea {
                size: image.len() as u16,
                words: false,
            })
        }),
        0x11 => typed(data, |c: ReadFruData| read(server, c)),
        0x12 => typed(data, |c: WriteFruData| {
            let image = server
                .frus
                .get_mut(usize::from(c.device))
                .ok_or(CompletionCode::NOT_PRESENT)?;
            let start = usize::from(c.offset);
            let target = Arc::make_mut(image)
                .get_mut(start..start + c.data.len())
                .ok_or(CompletionCode::OUT_OF_RANGE)?;
            target.copy_from_slice(&c.data);
            Ok(c.data.len() as u8)
        }),
        _ => Err(UNKNOWN),
    }
}

fn read(server: &Server, c: ReadFruData) -> Result<ReadFruDataReply, CompletionCode> {
    let image = server
        .frus
        .get(usize::from(c.device))
        .ok_or(CompletionCode::NOT_PRESENT)?;
    let (most, refusal) = server.profile.fru_read;
    if c.count > most {
        return Err(refusal);
    }
    let rest = image
        .get(usize::from(c.offset)..)
        .filter(|rest| !rest.is_empty())
        .ok_or(CompletionCode::OUT_OF_RANGE)?;
    let piece: Vec<u8> = rest.iter().copied().take(c.count.into()).collect();
    let lie = u8::from(server.profile.faulty.fru_count_lies && c.offset >= 64);
    Ok(ReadFruDataReply {
        count: (piece.len() as u8).saturating_add(lie),
        data: piece,
    })
}
