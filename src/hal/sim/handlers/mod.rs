//! What the simulated BMC does with commands.
//!
//! Storage and Sensor commands are decoded and encoded by the same typed commands as the client's; App, Chassis,
//! Transport and DCMI are read and written byte by byte from the specification, so that a misunderstanding in the
//! client's codecs shows up as a difference.

mod app;
mod channel;
mod chassis;
mod console;
mod dcmi;
mod fru;
mod sdr;
mod sel;
mod sensor;
#[cfg(test)]
mod tests;
mod transport;
mod users;

use std::time::Instant;

use super::state::Server;
use crate::hal::ipmi::cmd::{Command, CompletionCode, NetFn, redfish};
use crate::hal::ipmi::codec::{DecodeError, Reader, hex};
use crate::hal::ipmi::responder::{Answer, Caller};
use crate::hal::model::Secret;

/// Data after the completion code, or the completion code of a failure.
pub(super) type Reply = Result<Vec<u8>, CompletionCode>;

const UNKNOWN: CompletionCode = CompletionCode::INVALID_COMMAND;

/// A command as handlers see it.
#[derive(Debug, Clone, Copy)]
pub struct Order<'a> {
    /// Network function of the request.
    pub netfn: NetFn,
    /// Logical unit.
    pub lun: u8,
    /// Command number.
    pub cmd: u8,
    /// Request data.
    pub data: &'a [u8],
}

/// Executes a command: from the recording, where one is replayed.
pub fn execute(server: &mut Server, now: Instant, caller: &Caller, order: Order<'_>) -> Answer {
    if server.replay.is_some() {
        server.tick(now);
        server.executed += 1;
        return super::replay::execute(server, now, caller, order);
    }
    by_state(server, now, caller, order)
}

/// Executes a command by the state.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "as in BmcSide::execute")]
pub(super) fn by_state(
    server: &mut Server,
    now: Instant,
    caller: &Caller,
    order: Order<'_>,
) -> Answer {
    server.tick(now);
    server.executed += 1;
    if let Some((left, code)) = server.refuse_next {
        server.refuse_next = (left > 1).then_some((left - 1, code));
        return Answer::code(code);
    }
    let every = u64::from(server.profile.faulty.busy_every);
    if every != 0 && server.executed.is_multiple_of(every) {
        return Answer::code(CompletionCode::NODE_BUSY);
    }
    if order.lun != 0 {
        return Answer::code(CompletionCode::INVALID_FOR_LUN);
    }
    let Order {
        netfn, cmd, data, ..
    } = order;
    let reply = match netfn {
        NetFn::CHASSIS => chassis::handle(server, now, cmd, data),
        NetFn::APP => app::handle(server, now, *caller, cmd, data),
        NetFn::SENSOR_EVENT => sensor::handle(server, now, cmd, data),
        NetFn::STORAGE => match cmd {
            0x10..=0x12 => fru::handle(server, cmd, data),
            0x20..=0x2c => sdr::handle(server, now, cmd, data),
            _ => sel::handle(server, now, cmd, data),
        },
        NetFn::TRANSPORT => transport::handle(server, cmd, data),
        NetFn::GROUP
            if cmd == 0x03 && data.first() == Some(&dcmi::GROUP) && server.profile.dcmi =>
        {
            return dcmi::power_limit(server);
        }
        NetFn::GROUP if data.first() == Some(&redfish::GROUP_ID) => {
            bootstrap(server, *caller, cmd, data)
        }
        NetFn::GROUP => dcmi::handle(server, now, cmd, data),
        _ => Err(UNKNOWN),
    };
    match reply {
        Ok(data) => Answer::Reply(CompletionCode::OK, data),
        Err(code) => Answer::code(code),
    }
}

/// Credentials for the Redfish host interface: for the host alone, until they are disabled.
fn bootstrap(server: &mut Server, caller: Caller, cmd: u8, data: &[u8]) -> Reply {
    const SYSTEM: u8 = 0x0f;
    if caller.channel != SYSTEM || cmd != redfish::GetBootstrapCredentials::CMD {
        return Err(UNKNOWN);
    }
    typed(data, |command: redfish::GetBootstrapCredentials| {
        if !server.bootstrap {
            return Err(redfish::BOOTSTRAP_DISABLED);
        }
        server.bootstrap = command.keep;
        let mut password = hex(&server.guid);
        password.truncate(16);
        let account = redfish::BootstrapCredentials {
            user: "hostinterface".to_owned(),
            password: Secret::new(password),
        };
        server.web.host = Some((account.user.clone(), account.password.clone()));
        Ok(account)
    })
}

/// Runs a typed command: decode, do, encode.
fn typed<C: Command>(
    data: &[u8],
    run: impl FnOnce(C) -> Result<C::Reply, CompletionCode>,
) -> Reply {
    let mut reader = Reader::new(data);
    let command = C::decode(&mut reader).map_err(|e| match e {
        DecodeError::Short { .. } => CompletionCode::LENGTH_INVALID,
        DecodeError::Invalid { .. } | DecodeError::Checksum { .. } => CompletionCode::INVALID_FIELD,
    })?;
    if !reader.is_empty() {
        return Err(CompletionCode::LENGTH_INVALID);
    }
    let reply = run(command)?;
    let mut out = Vec::new();
    C::encode_reply(&reply, &mut out);
    Ok(out)
}

/// Request data of exactly `N` bytes.
fn exact<const N: usize>(data: &[u8]) -> Result<[u8; N], CompletionCode> {
    data.try_into().map_err(|_| CompletionCode::LENGTH_INVALID)
}

/// Request data of `N` bytes; missing ones are 0.
fn padded<const N: usize>(data: &[u8], least: usize) -> Result<[u8; N], CompletionCode> {
    if data.len() < least || data.len() > N {
        return Err(CompletionCode::LENGTH_INVALID);
    }
    let mut out = [0; N];
    for (to, from) in out.iter_mut().zip(data) {
        *to = *from;
    }
    Ok(out)
}
