//! Payload activation: the serial console (§24.1 to §24.5).

use super::{Reply, UNKNOWN, typed};
use crate::hal::ipmi::cmd::CompletionCode;
use crate::hal::ipmi::cmd::app::{
    ActivatePayload, DeactivatePayload, GetPayloadActivationStatus, GetPayloadInstanceInfo,
    PAYLOAD_SOL, PayloadActivationStatus, PayloadInstanceInfo,
};
use crate::hal::ipmi::responder::Caller;
use crate::hal::sim::state::{Console, Server};

/// Bit of SOL in the payloads that a user may use.
const SOL: u8 = 0x02;
/// SOL parameter 1: enabled.
const ENABLE: usize = 1;

pub(super) fn handle(server: &mut Server, caller: Caller, cmd: u8, data: &[u8]) -> Reply {
    match cmd {
        0x48 => typed(data, |command: ActivatePayload| {
            one(command.payload, command.instance)?;
            let user = server.users.get(caller.user);
            if user.is_some_and(|user| user.payloads.first().is_none_or(|b| b & SOL == 0)) {
                return Err(CompletionCode::INSUFFICIENT_PRIVILEGE);
            }
            let values = server.sol.values.get(ENABLE);
            let enabled = values.is_some_and(|value| value.first().is_some_and(|b| b & 1 == 1));
            let (starts, port) = (server.power.starts, server.port);
            let console = server
                .console
                .get_or_insert_with(|| Box::new(Console::new(starts)));
            let [auxiliary, ..] = command.auxiliary;
            console.activate(caller.session, auxiliary, enabled, port)
        }),
        0x49 => typed(data, |command: DeactivatePayload| {
            one(command.payload, command.instance)?;
            // 0x80: it is not active.
            let console = server.console.as_mut().ok_or(CompletionCode(0x80))?;
            console.deactivate(caller.session)
        }),
        0x4a => typed(data, |command: GetPayloadActivationStatus| {
            one(command.payload, 1)?;
            Ok(PayloadActivationStatus {
                capacity: 1,
                active: u16::from(holder(server).is_some()),
            })
        }),
        0x4b => typed(data, |command: GetPayloadInstanceInfo| {
            one(command.payload, command.instance)?;
            Ok(PayloadInstanceInfo {
                // The handle stands for the id, which only the sessions know.
                session: holder(server).map_or(0, u32::from),
                specific: [0; 8],
            })
        }),
        _ => Err(UNKNOWN),
    }
}

fn holder(server: &Server) -> Option<u8> {
    server.console.as_ref()?.holder()
}

/// There is one payload of one kind.
fn one(payload: u8, instance: u8) -> Result<(), CompletionCode> {
    if payload == PAYLOAD_SOL && instance == 1 {
        Ok(())
    } else {
        Err(CompletionCode::INVALID_FIELD)
    }
}
