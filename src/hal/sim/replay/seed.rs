//! A BMC's state at the start of a replay: what the recording says of power, users, event log, LAN and GUID.

use std::sync::Arc;

use super::{Index, Replay};
use crate::hal::ipmi::responder::Config;
use crate::hal::model::order::Order;
use crate::hal::recording::{LanFacts, Recording};
use crate::hal::sim::profile::{Profile, ProfileName};
use crate::hal::sim::state::Server;

/// Slot of the user that logs in: the last one, which hardly any BMC has.
pub const LOGIN_SLOT: u8 = 63;

/// The kind of BMC that replays `recording`.
pub fn profile(recording: &Recording) -> Profile {
    let mut profile = Profile::new(ProfileName::Generic);
    profile.users.slots = LOGIN_SLOT;
    profile.users.admin = LOGIN_SLOT;
    profile.users.fixed = 0;
    let lan = recording.heading.lan.clone().unwrap_or_default();
    let LanFacts {
        cipher_suites,
        auth_types,
        ipmi_1_5,
        rmcp_presence,
        channel,
    } = lan;
    // A recording without any IPMI is of a BMC that has none.
    let has_ipmi = !recording.ipmi.is_empty();
    profile.sessions = Arc::new(Config {
        suites: cipher_suites,
        auth_types,
        v15: ipmi_1_5 && has_ipmi,
        presence: rmcp_presence && has_ipmi,
        channel,
        v20: has_ipmi,
        ..(*profile.sessions).clone()
    });
    profile
}

/// Makes `server` what was recorded.
pub fn seed(server: &mut Server, index: &Arc<Index>) {
    let by_redfish = index.power_state().map(|state| state == "On");
    let by_ipmi = find(index, 0x00, 0x01, &[]).and_then(|reply| reply.first().map(|b| b & 1 != 0));
    let on = by_ipmi.or(by_redfish).unwrap_or(true);
    if !on {
        server.power.set(false, server.clock.origin);
    }
    if let Some(guid) = find(index, 0x06, 0x37, &[]).and_then(|reply| reply.try_into().ok()) {
        server.guid = guid;
    }
    if let Some([_, _, flags @ ..]) = find(index, 0x00, 0x09, &[5, 0, 0])
        && let Ok(flags) = flags.try_into()
    {
        server.boot.put(flags);
    }
    lan(server, index);
    users(server, index);
    log(server, index);
    server.replay = Some(Box::new(Replay::new(Arc::clone(index), on)));
}

/// The data of the first successful answer.
fn find<'a>(index: &'a Index, netfn: u8, cmd: u8, data: &[u8]) -> Option<&'a [u8]> {
    let answers = index.ipmi.get(&(None, 0, netfn, cmd, data.to_vec()))?;
    let answer = answers.iter().find(|answer| answer.code == 0)?;
    Some(&answer.reply)
}

fn lan(server: &mut Server, index: &Index) {
    let channel = server.profile.sessions.channel;
    let get = |parameter: u8| find(index, 0x0c, 0x02, &[channel, parameter, 0, 0])?.get(1..);
    if let Some(mac) = get(5).and_then(|data| data.try_into().ok()) {
        server.lan.mac = mac;
    }
    if let Some(address) = get(3).and_then(|data| data.try_into().ok()) {
        server.lan.address = address;
    }
    if let Some(mask) = get(6).and_then(|data| data.try_into().ok()) {
        server.lan.netmask = mask;
    }
    if let Some(gateway) = get(12).and_then(|data| data.try_into().ok()) {
        server.lan.gateway = gateway;
    }
}

/// Names and access of the recorded users. Their passwords are in no recording, so that nobody logs in by them.
fn users(server: &mut Server, index: &Index) {
    let channel = server.profile.sessions.channel;
    for id in 1..LOGIN_SLOT {
        let name = find(index, 0x06, 0x46, &[id]);
        let access = find(index, 0x06, 0x44, &[channel, id]);
        let Some(user) = server.users.get(id) else {
            continue;
        };
        if name.is_none() && access.is_none() && user.trimmed().is_empty() {
            continue;
        }
        let Some(user) = server.users.get_mut(id) else {
            continue;
        };
        if let Some(name) = name {
            user.name = [0; 16];
            for (to, from) in user.name.iter_mut().zip(name) {
                *to = *from;
            }
        }
        if let Some([_, enabled, _, bits]) = access {
            user.enabled = enabled & 0xc0 == 0x40;
            user.access = bits & 0x70;
            user.limit = bits & 0x0f;
        }
    }
}

fn log(server: &mut Server, index: &Index) {
    let mut entries: Vec<(u16, [u8; 16])> = index
        .ipmi
        .iter()
        .filter(|((bridged, _, netfn, cmd, _), _)| {
            bridged.is_none() && (*netfn, *cmd) == (0x0a, 0x43)
        })
        .flat_map(|(_, answers)| answers)
        .filter(|answer| answer.code == 0)
        .filter_map(|answer| answer.reply.get(2..18)?.try_into().ok())
        .map(|entry: [u8; 16]| (u16::from_le_bytes([entry[0], entry[1]]), entry))
        .collect();
    entries.order_by_key(|(id, _)| *id);
    entries.dedup_by_key(|(id, _)| *id);
    server
        .sel
        .restore(entries.into_iter().map(|(_, entry)| entry).collect());
}
