//! DCMI 1.5 (group extension 0xDC).

use std::time::Instant;

use super::{Reply, UNKNOWN};
use crate::hal::ipmi::cmd::CompletionCode;
use crate::hal::ipmi::responder::Answer;
use crate::hal::sim::content::Kind;
use crate::hal::sim::state::Server;
use crate::hal::sim::state::dcmi::PowerLimit;

pub(super) const GROUP: u8 = 0xdc;
/// Bytes of a name in one request.
const CHUNK: usize = 16;
/// Longest name: 63 bytes and a zero.
const NAME: usize = 64;

pub(super) fn handle(server: &mut Server, now: Instant, cmd: u8, data: &[u8]) -> Reply {
    let [group, rest @ ..] = data else {
        return Err(CompletionCode::LENGTH_INVALID);
    };
    if *group != GROUP || !server.profile.dcmi {
        return Err(UNKNOWN);
    }
    let reply = match cmd {
        0x01 => capabilities(server, rest),
        0x02 => power_reading(server, now, rest),
        0x04 => set_power_limit(server, rest),
        0x05 => activate_limit(server, rest),
        0x06 => read_name(&server.dcmi.asset_tag, rest),
        0x07 => sensor_info(server, rest),
        0x08 => write_name(&mut server.dcmi.asset_tag, rest),
        0x09 => read_name(&server.dcmi.controller_id, rest),
        0x0a => write_name(&mut server.dcmi.controller_id, rest),
        0x10 => temperatures(server, rest),
        0x12 => set_configuration(server, rest),
        0x13 => configuration(server, rest),
        _ => return Err(UNKNOWN),
    }?;
    let mut out = vec![GROUP];
    out.extend(reply);
    Ok(out)
}

/// DCMI 1.5, parameter revision 2.
const CONFORMANCE: [u8; 3] = [1, 5, 2];

fn capabilities(server: &Server, data: &[u8]) -> Reply {
    let channel = server.profile.sessions.channel;
    let parameter: &[u8] = match data {
        // Power management; in-band KCS.
        [1] => &[0x00, 0x01, 0x01],
        // 512 entries in the event log; a temperature reading per second.
        [2] => &[0x00, 0x02, 0x00, 0x00, 0x01],
        [3] => &[0x20, 0x00],
        [4] => &[channel, 0xff, 0xff],
        // Enhanced statistics: one averaging period of five minutes.
        [5] => &[0x01, 0x45],
        [_] => return Err(CompletionCode::INVALID_FIELD),
        _ => return Err(CompletionCode::LENGTH_INVALID),
    };
    let mut out = CONFORMANCE.to_vec();
    out.extend(parameter);
    Ok(out)
}

fn power_reading(server: &Server, now: Instant, data: &[u8]) -> Reply {
    let [mode, attributes, _reserved] = data else {
        return Err(CompletionCode::LENGTH_INVALID);
    };
    if !matches!((mode, attributes), (1, 0) | (2, 0x45)) {
        return Err(CompletionCode::INVALID_FIELD);
    }
    let dcmi = &server.dcmi;
    let (lowest, highest, average) = dcmi.statistics;
    let watts = if server.power.on { dcmi.watts } else { 12 };
    let period: u32 = if *mode == 1 { 60_000 } else { 300_000 };
    let mut out = Vec::with_capacity(17);
    for value in [watts, lowest, highest, average] {
        out.extend(value.to_le_bytes());
    }
    out.extend(server.sel_time(now).to_le_bytes());
    out.extend(period.to_le_bytes());
    out.push(0x40); // measured now
    Ok(out)
}

/// Get Power Limit: the data comes in any case; the code 0x80 says that no limit is active.
pub(super) fn power_limit(server: &Server) -> Answer {
    let none = PowerLimit {
        exception: 0,
        watts: 0,
        correction: 0,
        sampling: 0,
        active: false,
    };
    let limit = server.dcmi.limit.unwrap_or(none);
    let mut out = vec![GROUP, 0, 0, limit.exception];
    out.extend(limit.watts.to_le_bytes());
    out.extend(limit.correction.to_le_bytes());
    out.extend([0, 0]);
    out.extend(limit.sampling.to_le_bytes());
    let code = CompletionCode(if limit.active { 0 } else { 0x80 });
    Answer::Reply(code, out)
}

fn set_power_limit(server: &mut Server, data: &[u8]) -> Reply {
    let [_, _, _, exception, w0, w1, c0, c1, c2, c3, _, _, s0, s1] = data else {
        return Err(CompletionCode::LENGTH_INVALID);
    };
    let watts = u16::from_le_bytes([*w0, *w1]);
    if watts < 100 {
        // 0x84: the limit is out of range.
        return Err(CompletionCode(0x84));
    }
    server.dcmi.limit = Some(PowerLimit {
        exception: *exception,
        watts,
        correction: u32::from_le_bytes([*c0, *c1, *c2, *c3]),
        sampling: u16::from_le_bytes([*s0, *s1]),
        active: server.dcmi.limit.is_some_and(|l| l.active),
    });
    Ok(Vec::new())
}

fn activate_limit(server: &mut Server, data: &[u8]) -> Reply {
    let [action, _, _] = data else {
        return Err(CompletionCode::LENGTH_INVALID);
    };
    match server.dcmi.limit.as_mut() {
        Some(limit) => limit.active = action & 1 != 0,
        None => return Err(CompletionCode(0x80)),
    }
    Ok(Vec::new())
}

/// Get Asset Tag, Get Management Controller Identifier String: total length and a piece.
fn read_name(name: &[u8], data: &[u8]) -> Reply {
    let [offset, count] = data else {
        return Err(CompletionCode::LENGTH_INVALID);
    };
    let (offset, count) = (usize::from(*offset), usize::from(*count));
    if count > CHUNK || offset + count > NAME {
        return Err(CompletionCode::OUT_OF_RANGE);
    }
    let mut out = vec![name.len() as u8];
    out.extend(name.iter().skip(offset).take(count));
    Ok(out)
}

/// Set Asset Tag, Set Management Controller Identifier String: the piece ends the name unless more follows.
fn write_name(name: &mut Vec<u8>, data: &[u8]) -> Reply {
    let [offset, count, piece @ ..] = data else {
        return Err(CompletionCode::LENGTH_INVALID);
    };
    let (offset, count) = (usize::from(*offset), usize::from(*count));
    if count != piece.len() {
        return Err(CompletionCode::LENGTH_INVALID);
    }
    if count > CHUNK || offset + count > NAME || offset > name.len().max(NAME) {
        return Err(CompletionCode::OUT_OF_RANGE);
    }
    name.resize(offset, 0);
    name.extend(piece);
    if let Some(end) = name.iter().position(|b| *b == 0) {
        name.truncate(end);
    }
    Ok(vec![name.len() as u8])
}

/// The SDR record ids of the temperature sensors of an entity: 0x40 inlet, 0x41 CPU, 0x42 baseboard.
fn entity_sensors(server: &Server, entity: u8) -> Vec<(u8, u16)> {
    let wanted = match entity {
        0x37 | 0x40 => 0x37,
        0x03 | 0x41 => 0x03,
        0x07 | 0x42 => 0x07,
        other => other,
    };
    server
        .profile
        .sensors
        .iter()
        .zip(1u16..)
        .filter(|(s, _)| s.sensor_type == 1 && s.entity.0 == wanted)
        .map(|(s, record)| (s.number, record))
        .collect()
}

fn sensor_info(server: &Server, data: &[u8]) -> Reply {
    let [kind, entity, instance, start] = data else {
        return Err(CompletionCode::LENGTH_INVALID);
    };
    if *kind != 1 {
        return Err(CompletionCode::INVALID_FIELD);
    }
    let all = entity_sensors(server, *entity);
    let chosen: Vec<u16> = all
        .iter()
        .zip(1u8..)
        .filter(|(_, i)| {
            if *instance == 0 {
                *i >= (*start).max(1)
            } else {
                i == instance
            }
        })
        .map(|((_, record), _)| *record)
        .take(8)
        .collect();
    let mut out = vec![all.len() as u8, chosen.len() as u8];
    out.extend(chosen.iter().flat_map(|record| record.to_le_bytes()));
    Ok(out)
}

/// Get Temperature Readings (DCMI 1.5 §6.7.3).
fn temperatures(server: &Server, data: &[u8]) -> Reply {
    let [kind, entity, _instance, start] = data else {
        return Err(CompletionCode::LENGTH_INVALID);
    };
    if *kind != 1 {
        return Err(CompletionCode::INVALID_FIELD);
    }
    let all = entity_sensors(server, *entity);
    let chosen: Vec<[u8; 2]> = all
        .iter()
        .zip(1u8..)
        .filter(|(_, i)| *i >= (*start).max(1))
        .filter_map(|((number, _), i)| {
            let spec = server
                .profile
                .sensors
                .iter()
                .find(|s| s.number == *number)?;
            let Kind::Analog { .. } = spec.kind else {
                return None;
            };
            let degrees = server.sensors.state(spec).0;
            // Sign and magnitude.
            let byte = match degrees.cast_signed() {
                d if d < 0 => 0x80 | d.unsigned_abs() & 0x7f,
                d => d.unsigned_abs(),
            };
            Some([byte, i])
        })
        .take(8)
        .collect();
    let mut out = vec![all.len() as u8, chosen.len() as u8];
    out.extend(chosen.concat());
    Ok(out)
}

/// Parameters 1 to 5: activate DHCP, discovery options, timing 1 to 3.
fn configuration(server: &Server, data: &[u8]) -> Reply {
    let [parameter, _set] = data else {
        return Err(CompletionCode::LENGTH_INVALID);
    };
    let [discovery, timeout, contact, interval] = server.dcmi.dhcp;
    let mut out = CONFORMANCE.to_vec();
    match parameter {
        1 => out.push(0),
        2 => out.push(discovery as u8),
        3 => out.push(timeout as u8),
        4 => out.extend(contact.to_le_bytes()),
        5 => out.extend(interval.to_le_bytes()),
        _ => return Err(CompletionCode::INVALID_FIELD),
    }
    Ok(out)
}

fn set_configuration(server: &mut Server, data: &[u8]) -> Reply {
    let [discovery, timeout, contact, interval] = &mut server.dcmi.dhcp;
    match data {
        [1, _set, 1] => {}
        [2, _set, value] => *discovery = (*value).into(),
        [3, _set, value] => *timeout = (*value).into(),
        [4, _set, low, high] => *contact = u16::from_le_bytes([*low, *high]),
        [5, _set, low, high] => *interval = u16::from_le_bytes([*low, *high]),
        [1..=5, ..] => return Err(CompletionCode::LENGTH_INVALID),
        _ => return Err(CompletionCode::INVALID_FIELD),
    }
    Ok(Vec::new())
}
