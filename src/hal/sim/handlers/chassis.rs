//! Chassis (§28).

use std::time::{Duration, Instant};

use super::{Reply, UNKNOWN, exact, padded};
use crate::hal::ipmi::cmd::CompletionCode;
use crate::hal::sim::state::{Identify, Server};

/// Identify without a duration.
const IDENTIFY_DEFAULT: u8 = 15;

pub(super) fn handle(server: &mut Server, now: Instant, cmd: u8, data: &[u8]) -> Reply {
    match cmd {
        // Capabilities: intrusion and front panel; FRU, SDR, SEL, system management at 0x20; no bridge.
        0x00 => exact::<0>(data).map(|_| vec![0x03, 0x20, 0x20, 0x20, 0x20, 0x20]),
        0x01 => exact::<0>(data).map(|_| status(server)),
        0x02 => {
            let [action] = exact(data)?;
            let timing = server.profile.timing;
            server.power.control(now, action & 0x0f, &timing)?;
            server.tick(now);
            Ok(Vec::new())
        }
        0x03 => {
            exact::<0>(data)?;
            let timing = server.profile.timing;
            server.power.control(now, 3, &timing)?;
            server.tick(now);
            Ok(Vec::new())
        }
        0x04 => identify(server, now, data),
        0x05 => padded::<6>(data, 5).map(|_| Vec::new()),
        0x06 => {
            let [policy] = exact(data)?;
            match policy & 7 {
                // 3: only tell what is supported.
                3 => {}
                0..=2 => server.power.policy = policy & 7,
                _ => return Err(CompletionCode::INVALID_FIELD),
            }
            Ok(vec![0x07])
        }
        0x07 => exact::<0>(data).map(|_| vec![server.power.restart_cause, 0]),
        0x08 => {
            let [parameter, rest @ ..] = data else {
                return Err(CompletionCode::LENGTH_INVALID);
            };
            server.boot.set(now, *parameter, rest)?;
            Ok(Vec::new())
        }
        0x09 => {
            let [parameter, set, block] = exact(data)?;
            server.boot.get(parameter, set, block)
        }
        0x0a => {
            server.power.buttons_disabled = exact::<1>(data)?[0] & 0x0f;
            Ok(Vec::new())
        }
        0x0b => {
            server.power.interval = exact::<1>(data)?[0];
            Ok(Vec::new())
        }
        0x0f => {
            exact::<0>(data)?;
            // Sixty minutes per count.
            let hours = u32::try_from(server.power.minutes(now) / 60).unwrap_or(u32::MAX);
            let mut out = vec![60];
            out.extend(hours.to_le_bytes());
            Ok(out)
        }
        _ => Err(UNKNOWN),
    }
}

fn status(server: &Server) -> Vec<u8> {
    let power = &server.power;
    let identify = match server.identify {
        Identify::Off => 0x00,
        Identify::Until(_) => 0x10,
        Identify::Forever => 0x20,
    };
    let intrusion = u8::from(
        server
            .sensors
            .change(0x42)
            .states
            .is_some_and(|s| s & 1 != 0),
    );
    vec![
        u8::from(power.on) | power.policy << 5,
        power.last_event,
        0x40 | identify | intrusion,
        0xf0 | power.buttons_disabled,
    ]
}

/// Chassis Identify: seconds, and "for ever".
fn identify(server: &mut Server, now: Instant, data: &[u8]) -> Reply {
    let (seconds, forever) = match data {
        [] => (IDENTIFY_DEFAULT, false),
        [seconds] => (*seconds, false),
        [seconds, force] => (*seconds, force & 1 != 0),
        _ => return Err(CompletionCode::LENGTH_INVALID),
    };
    server.identify = if forever {
        Identify::Forever
    } else if seconds == 0 {
        Identify::Off
    } else {
        Identify::Until(now + Duration::from_secs(seconds.into()))
    };
    Ok(Vec::new())
}
