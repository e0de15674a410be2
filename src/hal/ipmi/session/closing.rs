//! Close Session for a link that is no longer wanted: acknowledged, and tried a few times in the background.

use std::time::Instant;

use super::core::Ctx;
use super::link::Link;
use super::retry::Transmission;
use crate::hal::ipmi::cmd::NetFn;
use crate::hal::ipmi::wire::Datagram;

const CLOSE_SESSION: u8 = 0x3c;

/// Sessions that may be closing at once; each login attempt leaves at most one.
const MOST: usize = 8;

/// A link that is being closed.
#[derive(Debug)]
pub(super) struct Closer {
    link: Box<Link>,
    seq: u8,
    tx: Transmission,
}

/// All links that are being closed.
#[derive(Debug, Default)]
pub(super) struct Closers(Vec<Closer>);

impl Closers {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn next_timeout(&self) -> Option<Instant> {
        self.0.iter().map(|closer| closer.tx.due).min()
    }

    /// Sends Close Session for `link`.
    pub fn begin(&mut self, ctx: &mut Ctx<'_>, mut link: Box<Link>) {
        let seq = link.take_seq(|_| false);
        let id = link.managed_id().to_le_bytes().to_vec();
        let message = Link::message(seq, NetFn::APP, 0, CLOSE_SESSION, id);
        let datagram = link.seal(ctx.entropy, &message);
        ctx.send(datagram.clone());
        let tx = Transmission::new(ctx.now, datagram, ctx.first_wait());
        if self.0.len() == MOST {
            self.0.remove(0);
        }
        self.0.push(Closer { link, seq, tx });
    }

    /// Was the datagram the acknowledgement of one of them?
    pub fn handle(&mut self, bytes: &[u8], datagram: &Datagram) -> bool {
        let done = self.0.iter_mut().position(|closer| {
            closer.link.open(bytes, datagram).is_some_and(|message| {
                message.seq == closer.seq
                    && message.cmd == CLOSE_SESSION
                    && message.netfn == NetFn::APP.response()
            })
        });
        if let Some(at) = done {
            self.0.remove(at);
        }
        done.is_some()
    }

    pub fn handle_timeout(&mut self, ctx: &mut Ctx<'_>) {
        let tries = u32::from(ctx.config.timers.close_tries.max(1));
        self.0
            .retain(|closer| closer.tx.due > ctx.now || closer.tx.sends < tries);
        for closer in &mut self.0 {
            if closer.tx.due <= ctx.now {
                let datagram = closer.tx.again(ctx.now, &ctx.config.timers, ctx.entropy);
                ctx.send(datagram);
            }
        }
    }
}
