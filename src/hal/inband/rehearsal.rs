//! A BMC of the mind: takes the writes of a rehearsal, and answers the reads that follow as if it had kept them. What was
//! not written is asked of the real one.

use std::collections::HashMap;

use super::journal::is_test;
use crate::hal::ipmi::cmd::{CompletionCode, NetFn};
use crate::hal::ipmi::exchange::{Request, Response};

/// What was written, by command and object.
#[derive(Debug, Default)]
pub(super) struct Rehearsal {
    names: HashMap<u8, Vec<u8>>,
    /// Bits 6..4 and the limit, of Set User Access.
    access: HashMap<u8, u8>,
    /// Status bits of Get User Access.
    status: HashMap<u8, u8>,
    /// Size and bytes of passwords; the memory is wiped with the process.
    passwords: HashMap<u8, (bool, crate::hal::model::Secret)>,
    /// (channel, copy) → settings and limit.
    channels: HashMap<(u8, u8), [u8; 2]>,
    /// (command, channel, parameter) → data, of LAN and SOL configuration.
    parameters: HashMap<(u8, u8, u8), Vec<u8>>,
    /// Slots that got SOL.
    console: HashMap<u8, u8>,
}

fn ok(data: Vec<u8>) -> Response {
    Response {
        code: CompletionCode::OK,
        data,
    }
}

impl Rehearsal {
    /// The answer to a request that concerns only what was written here.
    pub(super) fn play(&self, request: &Request) -> Option<Response> {
        let data = request.data.as_slice();
        match (request.netfn, request.cmd, data) {
            (NetFn::APP, 0x46, [id, ..]) => self.names.get(id).map(|name| ok(name.clone())),
            (NetFn::APP, 0x41, [channel, copy, ..]) => self
                .channels
                .get(&(*channel, *copy))
                .map(|c| ok(c.to_vec())),
            (NetFn::APP, 0x47, [id, _, password @ ..]) if is_test(request) => {
                let (twenty, kept) = self.passwords.get(&(id & 0x3f))?;
                let same = (*twenty, kept.expose()) == (id & 0x80 != 0, password);
                Some(Response {
                    code: CompletionCode(if same { 0 } else { 0x80 }),
                    data: Vec::new(),
                })
            }
            (NetFn::TRANSPORT, cmd @ (0x02 | 0x22), [channel, selector, ..]) => {
                let kept = self.parameters.get(&(cmd - 1, *channel, *selector))?;
                Some(ok(std::iter::once(0x11)
                    .chain(kept.iter().copied())
                    .collect()))
            }
            _ => None,
        }
    }

    /// Takes a write.
    pub(super) fn write(&mut self, request: &Request) -> Response {
        match (request.netfn, request.cmd, request.data.as_slice()) {
            (NetFn::APP, 0x45, [id, name @ ..]) => {
                self.names.insert(*id, name.to_vec());
            }
            (NetFn::APP, 0x43, [bits, id, limit, ..]) => {
                self.access.insert(*id, bits & 0x70 | limit & 0x0f);
            }
            (NetFn::APP, 0x47, [id, operation, password @ ..]) => match operation & 3 {
                2 => {
                    let kept = crate::hal::model::Secret::new(password);
                    self.passwords.insert(id & 0x3f, (id & 0x80 != 0, kept));
                }
                enable => {
                    self.status
                        .insert(id & 0x3f, if enable == 1 { 0x40 } else { 0x80 });
                }
            },
            (NetFn::APP, 0x40, [channel, settings, limit]) => {
                let kept = [settings & 0x3f, limit & 0x0f];
                self.channels.insert((*channel, settings & 0xc0), kept);
            }
            (NetFn::APP, 0x4c, [_, id, types, ..]) => {
                self.console.insert(id & 0x3f, *types);
            }
            (NetFn::TRANSPORT, cmd @ (0x01 | 0x21), [channel, selector, data @ ..]) => {
                self.parameters
                    .insert((cmd, *channel, *selector), data.to_vec());
            }
            _ => {}
        }
        ok(Vec::new())
    }

    /// The real answer to a read, with what was written put in.
    pub(super) fn read(&self, request: &Request, mut real: Response) -> Response {
        match (request.netfn, request.cmd, request.data.as_slice()) {
            (NetFn::APP, 0x44, [_, id]) => {
                if let [_, enabled, _, access, ..] = real.data.as_mut_slice() {
                    if let Some(status) = self.status.get(id) {
                        *enabled = *enabled & 0x3f | status;
                    }
                    if let Some(kept) = self.access.get(id) {
                        *access = *kept;
                    }
                }
            }
            (NetFn::APP, 0x4d, [_, id]) => {
                if let (Some(types), Some(first)) = (self.console.get(id), real.data.first_mut()) {
                    *first |= types;
                }
            }
            _ => {}
        }
        real
    }
}
