//! Channels: 0 IPMB, the LAN channel of the profile, 15 the system interface (§22.22 to §22.24, §24.8).

use super::{Reply, UNKNOWN, exact};
use crate::hal::ipmi::cmd::CompletionCode;
use crate::hal::sim::state::Server;

/// What a channel number means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Ipmb,
    Lan,
    System,
}

/// The kind of a channel, 0x0e being the LAN channel.
fn kind(server: &Server, number: u8) -> Result<(u8, Kind), CompletionCode> {
    let lan = server.profile.sessions.channel;
    match number & 0x0f {
        0 => Ok((0, Kind::Ipmb)),
        0x0e => Ok((lan, Kind::Lan)),
        0x0f => Ok((0x0f, Kind::System)),
        n if n == lan => Ok((lan, Kind::Lan)),
        _ => Err(CompletionCode::NOT_PRESENT),
    }
}

/// Is it the LAN channel?
pub(super) fn is_lan(server: &Server, number: u8) -> bool {
    matches!(kind(server, number), Ok((_, Kind::Lan)))
}

pub(super) fn handle(server: &mut Server, cmd: u8, data: &[u8]) -> Reply {
    match cmd {
        0x40 => set_access(server, exact(data)?),
        0x41 => get_access(server, exact(data)?),
        0x42 => info(server, exact(data)?),
        // Get User Payload Access is a user's command; Get Channel Payload Support is here.
        0x4e => {
            let [number] = exact(data)?;
            match kind(server, number)?.1 {
                // IPMI message, SOL; Open Session, RAKP 1 to 4.
                Kind::Lan => Ok(vec![0x03, 0, 0x3f, 0, 0, 0, 0, 0]),
                _ => Err(CompletionCode::INVALID_FIELD),
            }
        }
        0x4d => super::users::handle(server, cmd, data),
        _ => Err(UNKNOWN),
    }
}

fn set_access(server: &mut Server, [number, flags, limit]: [u8; 3]) -> Reply {
    // 0x82: set not supported on this channel.
    if kind(server, number)?.1 != Kind::Lan {
        return Err(CompletionCode(0x82));
    }
    match flags >> 6 {
        0 => {}
        1 | 2 => server.channel.flags = flags & 0x3f,
        _ => return Err(CompletionCode::INVALID_FIELD),
    }
    match (limit >> 6, limit & 0x0f) {
        (0, _) => {}
        (1 | 2, level @ 1..=5) => server.channel.limit = level,
        _ => return Err(CompletionCode::INVALID_FIELD),
    }
    Ok(Vec::new())
}

fn get_access(server: &Server, [number, which]: [u8; 2]) -> Reply {
    if !matches!(which >> 6, 1 | 2) {
        return Err(CompletionCode::INVALID_FIELD);
    }
    match kind(server, number)?.1 {
        Kind::Lan => Ok(vec![server.channel.flags, server.channel.limit]),
        // 0x82: the channel has no sessions.
        _ => Err(CompletionCode(0x82)),
    }
}

fn info(server: &Server, [number]: [u8; 1]) -> Reply {
    let (number, kind) = kind(server, number)?;
    let (medium, protocol, sessions) = match kind {
        Kind::Ipmb => (0x01, 0x01, 0x00),
        Kind::Lan => (0x04, 0x01, 0x80),
        Kind::System => (0x0c, 0x05, 0x00),
    };
    // The vendor is the IPMI forum unless the protocol is the vendor's.
    Ok(vec![
        number, medium, protocol, sessions, 0xf2, 0x1b, 0, 0, 0,
    ])
}
