//! Transport: LAN and SOL configuration (§23, §26).

use super::{Reply, UNKNOWN, channel, exact};
use crate::hal::ipmi::cmd::CompletionCode;
use crate::hal::sim::state::Server;

const REVISION: u8 = 0x11;

pub(super) fn handle(server: &mut Server, cmd: u8, data: &[u8]) -> Reply {
    match cmd {
        0x01 => {
            let [number, parameter, rest @ ..] = data else {
                return Err(CompletionCode::LENGTH_INVALID);
            };
            on_lan(server, *number)?;
            server.lan.set(*parameter, rest)?;
            Ok(Vec::new())
        }
        0x02 => {
            let [number, parameter, set, _block] = exact(data)?;
            on_lan(server, number)?;
            let mut out = vec![REVISION];
            if number & 0x80 == 0 {
                out.extend(server.lan.get(parameter, set)?);
            }
            Ok(out)
        }
        // Get IP/UDP/RMCP Statistics.
        0x04 => exact::<2>(data).map(|_| vec![0; 18]),
        0x21 => set_sol(server, data),
        0x22 => {
            let [number, parameter, _set, _block] = exact(data)?;
            on_lan(server, number)?;
            let mut out = vec![REVISION];
            if number & 0x80 == 0 {
                out.extend(get_sol(server, parameter)?);
            }
            Ok(out)
        }
        _ => Err(UNKNOWN),
    }
}

fn on_lan(server: &Server, number: u8) -> Result<(), CompletionCode> {
    if channel::is_lan(server, number) {
        Ok(())
    } else {
        Err(CompletionCode::INVALID_FIELD)
    }
}

/// Bytes of each SOL parameter, by number.
const SOL_LENGTHS: [usize; 9] = [1, 1, 1, 2, 2, 1, 1, 1, 2];

fn get_sol(server: &Server, parameter: u8) -> Reply {
    let index = usize::from(parameter);
    let (Some(length), Some(value)) = (SOL_LENGTHS.get(index), server.sol.values.get(index)) else {
        return Err(CompletionCode(0x80));
    };
    Ok(value.iter().copied().take(*length).collect())
}

fn set_sol(server: &mut Server, data: &[u8]) -> Reply {
    let [number, parameter, rest @ ..] = data else {
        return Err(CompletionCode::LENGTH_INVALID);
    };
    on_lan(server, *number)?;
    let index = usize::from(*parameter);
    let (Some(length), Some(value)) = (SOL_LENGTHS.get(index), server.sol.values.get_mut(index))
    else {
        return Err(CompletionCode(0x80));
    };
    // The payload channel is read-only.
    if index == 7 {
        return Err(CompletionCode(0x82));
    }
    if rest.len() != *length {
        return Err(CompletionCode::LENGTH_INVALID);
    }
    for (to, from) in value.iter_mut().zip(rest) {
        *to = *from;
    }
    Ok(Vec::new())
}
