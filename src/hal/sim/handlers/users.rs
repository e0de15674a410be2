//! Accounts (§22.26 to §22.31, §24.6, §24.7).

use super::{Reply, UNKNOWN, channel, exact};
use crate::hal::ipmi::cmd::CompletionCode;
use crate::hal::sim::profile::ProfileName;
use crate::hal::sim::state::Server;

pub(super) fn handle(server: &mut Server, cmd: u8, data: &[u8]) -> Reply {
    match cmd {
        0x43 => set_access(server, data),
        0x44 => get_access(server, exact(data)?),
        0x45 => {
            let [id, name @ ..] = exact::<17>(data)?;
            let rules = server.profile.users;
            let before = server.users.get(id).map(|user| user.name);
            server.users.rename(&rules, id & 0x3f, name)?;
            if server.profile.name == ProfileName::Dell && before != Some(name) {
                server.web.no_role.insert(id & 0x3f);
            }
            Ok(Vec::new())
        }
        0x46 => {
            let [id] = exact(data)?;
            let user = server.users.get(id).ok_or(CompletionCode::OUT_OF_RANGE)?;
            match server.profile.users.empty_name {
                CompletionCode::OK => {}
                code if user.trimmed().is_empty() => return Err(code),
                _ => {}
            }
            Ok(user.name.to_vec())
        }
        0x47 => {
            let [id, operation, field @ ..] = data else {
                return Err(CompletionCode::LENGTH_INVALID);
            };
            let rules = server.profile.users;
            let long = id & 0x80 != 0;
            server
                .users
                .password(&rules, id & 0x3f, long, operation & 3, field)?;
            Ok(Vec::new())
        }
        0x4c => set_payload_access(server, exact(data)?),
        0x4d => {
            let [number, id] = exact(data)?;
            on_lan(server, number)?;
            let user = server.users.get(id).ok_or(CompletionCode::OUT_OF_RANGE)?;
            Ok(user.payloads.to_vec())
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

/// Set User Access: channel and change bits, user id, limit, optionally a session limit.
fn set_access(server: &mut Server, data: &[u8]) -> Reply {
    let (bits, id, limit, sessions) = match data {
        [bits, id, limit] => (*bits, *id, *limit, 0),
        [bits, id, limit, sessions] => (*bits, *id, *limit, *sessions),
        _ => return Err(CompletionCode::LENGTH_INVALID),
    };
    on_lan(server, bits)?;
    let rules = server.profile.users;
    let limit = limit & 0x0f;
    if !matches!(limit, 1..=5 | 0x0f) || (rules.no_session_limit && sessions != 0) {
        return Err(CompletionCode::INVALID_FIELD);
    }
    let user = server
        .users
        .get_mut(id)
        .ok_or(CompletionCode::OUT_OF_RANGE)?;
    if rules.name_before_access && user.trimmed().is_empty() && id & 0x3f != 1 {
        return Err(CompletionCode::INVALID_FIELD);
    }
    if bits & 0x80 != 0 {
        user.access = bits & 0x70;
    }
    user.limit = limit;
    user.sessions = sessions;
    Ok(Vec::new())
}

fn get_access(server: &Server, [number, id]: [u8; 2]) -> Reply {
    on_lan(server, number)?;
    let user = server.users.get(id).ok_or(CompletionCode::OUT_OF_RANGE)?;
    let fixed = server.profile.users.fixed;
    // Bits 7..6 of the second byte: 1 = enabled, 2 = disabled by Set User Password.
    let status = if user.enabled { 0x40 } else { 0x80 };
    Ok(vec![
        server.users.slots(),
        status | server.users.enabled() & 0x3f,
        fixed,
        user.access | user.limit,
    ])
}

fn set_payload_access(server: &mut Server, data: [u8; 6]) -> Reply {
    let [number, id, payloads @ ..] = data;
    on_lan(server, number)?;
    let user = server
        .users
        .get_mut(id)
        .ok_or(CompletionCode::OUT_OF_RANGE)?;
    for (have, bits) in user.payloads.iter_mut().zip(payloads) {
        if id & 0x40 == 0 {
            *have |= bits;
        } else {
            *have &= !bits;
        }
    }
    Ok(Vec::new())
}
