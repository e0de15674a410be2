//! IPMI from a recording.

use std::time::Instant;

use super::Replay;
use crate::hal::ipmi::cmd::{CompletionCode, NetFn};
use crate::hal::ipmi::responder::{Answer, Caller};
use crate::hal::ipmi::wire::LanMessage;
use crate::hal::sim::handlers::{self, Order};
use crate::hal::sim::state::Server;

/// Commands that answer from the state once one of them wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Group {
    /// Chassis status and restart cause.
    Chassis,
    /// Boot options.
    Boot,
    /// Event log.
    Log,
    /// Users.
    Users,
    /// LAN parameters.
    Lan,
    /// Channel access.
    Channel,
}

impl Replay {
    pub(super) fn touch_power(&mut self) {
        self.touched.insert(Group::Chassis);
    }

    pub(super) fn touch_boot(&mut self) {
        self.touched.insert(Group::Boot);
    }

    pub(super) fn touch_log(&mut self) {
        self.touched.insert(Group::Log);
    }

    pub(super) fn touch_users(&mut self) {
        self.touched.insert(Group::Users);
    }

    /// The recorded answer; the next one, where there are several.
    fn replied(
        &mut self,
        bridged: Option<(u8, u8)>,
        netfn: u8,
        (lun, cmd): (u8, u8),
        data: &[u8],
    ) -> Option<Answer> {
        let exact = (bridged, lun, netfn, cmd, data.to_vec());
        let bare =
            without_reservation(netfn, cmd, data).map(|data| (bridged, lun, netfn, cmd, data));
        let key = [Some(exact), bare]
            .into_iter()
            .flatten()
            .find(|key| self.index.ipmi.contains_key(key))?;
        let answers = self.index.ipmi.get(&key)?;
        let asked = self.asked.entry(key).or_insert(0);
        let answer = answers.get(*asked % answers.len().max(1))?;
        *asked += 1;
        Some(Answer::Reply(
            CompletionCode(answer.code),
            answer.reply.clone(),
        ))
    }
}

/// Send Message (§22.7): the controller behind the BMC answers as recorded, inside the answer of the BMC.
fn relay(state: &mut Replay, data: &[u8]) -> Answer {
    let Some((channel, inner)) = data
        .split_first()
        .and_then(|(channel, inner)| Some((channel & 0x0f, LanMessage::parse(inner).ok()?)))
    else {
        return Answer::code(CompletionCode::INVALID_FIELD);
    };
    let to = Some((channel, inner.to));
    match state.replied(to, inner.netfn.0, (inner.to_lun, inner.cmd), &inner.data) {
        Some(Answer::Reply(code, data)) => {
            Answer::Reply(CompletionCode::OK, inner.response(code, &data).to_vec())
        }
        // NAK on write: nobody is there.
        _ => Answer::code(CompletionCode(0x83)),
    }
}

/// The request without the reservation that it carries: reservations of a replay are others.
pub(super) fn without_reservation(netfn: u8, cmd: u8, data: &[u8]) -> Option<Vec<u8>> {
    // Get SDR, Get Device SDR, Get SEL Entry.
    if !matches!((netfn, cmd), (0x0a, 0x23 | 0x43) | (0x04, 0x21)) {
        return None;
    }
    let mut bare = data.to_vec();
    bare.get_mut(..2)?.fill(0);
    Some(bare)
}

/// What a command belongs to, and whether it writes.
fn group(netfn: NetFn, cmd: u8) -> Option<(Group, bool)> {
    Some(match (netfn, cmd) {
        (NetFn::CHASSIS, 0x02..=0x04 | 0x06 | 0x0a) => (Group::Chassis, true),
        (NetFn::CHASSIS, 0x01 | 0x07) => (Group::Chassis, false),
        (NetFn::CHASSIS, 0x08) => (Group::Boot, true),
        (NetFn::CHASSIS, 0x09) => (Group::Boot, false),
        (NetFn::STORAGE, 0x44..=0x47 | 0x49) => (Group::Log, true),
        (NetFn::STORAGE, 0x40 | 0x41 | 0x43 | 0x48) => (Group::Log, false),
        (NetFn::APP, 0x43 | 0x45 | 0x47 | 0x4c) => (Group::Users, true),
        (NetFn::APP, 0x44 | 0x46 | 0x4d) => (Group::Users, false),
        (NetFn::APP, 0x40) => (Group::Channel, true),
        (NetFn::APP, 0x41) => (Group::Channel, false),
        (NetFn::TRANSPORT, 0x01) => (Group::Lan, true),
        (NetFn::TRANSPORT, 0x02) => (Group::Lan, false),
        _ => return None,
    })
}

/// Executes a command.
pub fn execute(server: &mut Server, now: Instant, caller: &Caller, order: Order<'_>) -> Answer {
    let Order {
        netfn,
        lun,
        cmd,
        data,
    } = order;
    let Some(state) = server.replay.as_deref_mut() else {
        return Answer::code(CompletionCode::INVALID_COMMAND);
    };
    if (netfn, cmd) == (NetFn::APP, 0x34) {
        return relay(state, data);
    }
    // Resets of the BMC, reservations, sessions and the watchdog are always those of this BMC.
    let own = matches!(
        (netfn, cmd),
        (NetFn::APP, 0x02 | 0x03 | 0x22 | 0x24 | 0x25 | 0x3b..=0x3d)
            | (NetFn::STORAGE, 0x22 | 0x42)
    );
    let group = group(netfn, cmd);
    let by_state = match group {
        Some((group, writes)) => {
            if writes {
                state.touched.insert(group);
            }
            state.touched.contains(&group)
        }
        None => own,
    };
    if !by_state {
        let answer = state.replied(None, netfn.0, (lun, cmd), data);
        return answer.unwrap_or(Answer::code(CompletionCode::INVALID_COMMAND));
    }
    let is_status = (netfn, cmd) == (NetFn::CHASSIS, 0x01);
    let template = is_status
        .then(|| state.replied(None, netfn.0, (lun, cmd), data))
        .flatten();
    let answer = handlers::by_state(server, now, caller, order);
    match (template, answer) {
        // Of the chassis status only power and identify are ours.
        (Some(Answer::Reply(code, mut recorded)), Answer::Reply(_, present)) if code.is_ok() => {
            for (index, mask) in [(0, 0x01), (2, 0x30)] {
                if let (Some(old), Some(new)) = (recorded.get_mut(index), present.get(index)) {
                    *old = *old & !mask | new & mask;
                }
            }
            Answer::Reply(code, recorded)
        }
        // A LAN parameter that the state does not know is as recorded.
        (_, Answer::Reply(code, _))
            if !code.is_ok() && matches!(group, Some((Group::Lan, false))) =>
        {
            let state = server.replay.as_deref_mut();
            let recorded = state.and_then(|state| state.replied(None, netfn.0, (lun, cmd), data));
            recorded.unwrap_or(Answer::code(code))
        }
        (_, answer) => answer,
    }
}
