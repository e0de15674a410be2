//! Send Message (§22.7): a request for a controller behind the BMC, wrapped in one to the BMC.

use crate::hal::ipmi::cmd::NetFn;
use crate::hal::ipmi::wire::{BMC_ADDRESS, CONSOLE_ADDRESS, LanMessage};

const SEND_MESSAGE: u8 = 0x34;
/// The BMC remembers where the answer belongs.
const TRACK_REQUEST: u8 = 0x40;

/// The message to the BMC that carries `inner` to `channel`. Both have the same rqSeq, as BMCs differ in which of
/// the two they repeat in the answer.
pub(super) fn wrap(channel: u8, mut inner: LanMessage) -> LanMessage {
    inner.from = BMC_ADDRESS;
    let mut data = vec![TRACK_REQUEST | (channel & 0x0f)];
    inner.emit(&mut data);
    LanMessage {
        to: BMC_ADDRESS,
        netfn: NetFn::APP,
        to_lun: 0,
        from: CONSOLE_ADDRESS,
        seq: inner.seq,
        from_lun: 0,
        cmd: SEND_MESSAGE,
        data,
    }
}

/// Is it the BMC's own answer to Send Message?
pub(super) fn is_acknowledgement(message: &LanMessage) -> bool {
    message.netfn == NetFn::APP.response()
        && message.cmd == SEND_MESSAGE
        && message.from == BMC_ADDRESS
}

/// Some BMCs put the answer of the other controller into their own: the message after the completion code.
pub(super) fn embedded(acknowledgement: &LanMessage) -> Option<LanMessage> {
    let (_, data) = acknowledgement.completion()?;
    LanMessage::parse(data).ok()
}
