//! App: device, GUID, watchdog, system information, payloads (§20, §22.14a, §24, §27).

use std::time::Instant;

use super::{Reply, UNKNOWN, channel, exact, padded, users};
use crate::hal::ipmi::cmd::CompletionCode;
use crate::hal::ipmi::responder::Caller;
use crate::hal::sim::state::Server;

pub(super) fn handle(
    server: &mut Server,
    now: Instant,
    caller: Caller,
    cmd: u8,
    data: &[u8],
) -> Reply {
    match cmd {
        0x01 => exact::<0>(data).map(|_| device_id(server)),
        // Cold and warm reset.
        0x02 => {
            exact::<0>(data)?;
            server.cold_reset = true;
            Ok(Vec::new())
        }
        0x03 => exact::<0>(data).map(|_| Vec::new()),
        0x04 => exact::<0>(data).map(|_| vec![0x55, 0x00]),
        0x06 => exact::<2>(data).map(|_| Vec::new()),
        0x07 => exact::<0>(data).map(|_| vec![if server.power.on { 0 } else { 5 }, 0]),
        // Device GUID, System GUID.
        0x08 | 0x37 => exact::<0>(data).map(|_| server.guid.to_vec()),
        0x22 => {
            exact::<0>(data)?;
            // 0x80: the timer was never set.
            if server.watchdog.reset(now) {
                Ok(Vec::new())
            } else {
                Err(CompletionCode(0x80))
            }
        }
        0x24 => {
            server.watchdog.set(now, exact(data)?);
            Ok(Vec::new())
        }
        0x25 => exact::<0>(data).map(|_| server.watchdog.get(now).to_vec()),
        0x2e => {
            server.enables = exact::<1>(data)?[0];
            Ok(Vec::new())
        }
        0x2f => exact::<0>(data).map(|_| vec![server.enables]),
        0x31 => exact::<0>(data).map(|_| vec![0]),
        // Over a system interface; sessions answer it themselves.
        0x38 => exact::<2>(data).map(|_| vec![caller.channel, 0, 0, 0, 0, 0, 0, 0]),
        0x3b => exact::<1>(data).map(|[level]| vec![if level == 0 { 4 } else { level }]),
        0x3d => Ok(vec![
            0,
            server.profile.sessions.max_sessions.min(63) as u8,
            0,
        ]),
        0x40..=0x42 | 0x4d | 0x4e => channel::handle(server, cmd, data),
        0x43..=0x47 | 0x4c | 0x52 => users::handle(server, cmd, data),
        0x48..=0x4b => super::console::handle(server, caller, cmd, data),
        0x4f => {
            let [_, kind] = exact(data)?;
            match kind {
                0 | 1 => Ok(vec![0x10]),
                // 0x80: the payload type is not available.
                _ => Err(CompletionCode(0x80)),
            }
        }
        0x59 => system_info(server, data),
        _ => Err(UNKNOWN),
    }
}

fn device_id(server: &Server) -> Vec<u8> {
    let p = &server.profile;
    let [m0, m1, m2, _] = p.manufacturer.to_le_bytes();
    let [p0, p1] = p.product.to_le_bytes();
    let (major, minor) = p.firmware;
    let mut out = vec![
        p.device_id,
        0x80 | p.revision & 0x0f,
        major & 0x7f,
        minor,
        0x02, // IPMI 2.0, low digit first
        // Chassis, IPMB event generator off; SEL, SDR, FRU, sensors.
        0x8f,
        m0,
        m1,
        m2,
        p0,
        p1,
    ];
    out.extend(p.aux);
    out
}

/// Get System Info Parameters (§22.14b).
fn system_info(server: &Server, data: &[u8]) -> Reply {
    let [select, parameter, set, _block] = padded::<4>(data, 4)?;
    if select & 0x80 != 0 {
        return Ok(vec![0x11]);
    }
    let text = match parameter {
        0 => return Ok(vec![0x11, 0]),
        1 => "3.6",
        2 => "simulated",
        3 | 4 => "Linux",
        _ => return Err(CompletionCode(0x80)),
    };
    let _ = server;
    let mut out = vec![0x11, set];
    let mut block = [0; 16];
    let source: Vec<u8> = match set {
        0 => [0, text.len() as u8]
            .into_iter()
            .chain(text.bytes())
            .collect(),
        _ => text.bytes().skip(14).collect(),
    };
    for (to, from) in block.iter_mut().zip(source) {
        *to = from;
    }
    out.extend(block);
    Ok(out)
}
