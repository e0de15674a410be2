//! Authentication codes of IPMI 1.5 (§22.17.1): over password, session id, message and sequence number.

use super::hash::{md5, same};
use super::md2::md2;
use crate::hal::ipmi::wire;
use crate::hal::ipmi::wire::v15::{AuthType, Packet};
use crate::hal::model::Secret;

/// The 16-byte code; `None` for no authentication and for the OEM's own.
pub fn v15_code(
    auth_type: AuthType,
    password: &Secret,
    session_id: u32,
    sequence: u32,
    payload: &[u8],
) -> Option<[u8; 16]> {
    let key = password.padded::<16>();
    let session_id = session_id.to_le_bytes();
    let sequence = sequence.to_le_bytes();
    let parts: [&[u8]; 5] = [&*key, &session_id, payload, &sequence, &*key];
    match auth_type {
        AuthType::None | AuthType::Oem => None,
        AuthType::Straight => Some(*key),
        AuthType::Md2 => Some(md2(&parts)),
        AuthType::Md5 => Some(md5(&parts)),
    }
}

/// A whole datagram with its code.
pub fn v15_datagram(
    auth_type: AuthType,
    password: &Secret,
    session_id: u32,
    sequence: u32,
    payload: Vec<u8>,
) -> Vec<u8> {
    let packet = Packet {
        auth_type,
        sequence,
        session_id,
        auth_code: v15_code(auth_type, password, session_id, sequence, &payload),
        payload,
    };
    wire::ipmi_datagram(|out| packet.emit(out))
}

/// Is the packet's code right? A packet without authentication has none to be right.
pub fn v15_verify(packet: &Packet, password: &Secret) -> bool {
    let need = v15_code(
        packet.auth_type,
        password,
        packet.session_id,
        packet.sequence,
        &packet.payload,
    );
    match (need, packet.auth_code) {
        (Some(need), Some(have)) => same(&need, &have),
        _ => false,
    }
}
