//! What the transport needs of the kernel's device: tests put a fake in its place.

use std::io;

use crate::hal::model::BoxFuture;

/// `IPMI_MAX_MSG_LENGTH`.
pub(super) const MAX_MESSAGE: usize = 272;

/// `IPMI_RESPONSE_RECV_TYPE`; the others are events, and commands of other controllers.
pub(super) const RESPONSE: i32 = 1;

/// Whom a message is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Address {
    /// The BMC.
    Bmc {
        /// Logical unit.
        lun: u8,
    },
    /// A controller behind it.
    Ipmb {
        /// Channel.
        channel: u8,
        /// 8-bit slave address.
        slave: u8,
        /// Logical unit.
        lun: u8,
    },
}

/// A command for the kernel to send.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outgoing<'a> {
    /// Comes back in the reply.
    pub(super) id: i64,
    pub(super) to: Address,
    pub(super) netfn: u8,
    pub(super) cmd: u8,
    pub(super) data: &'a [u8],
}

/// A message from the kernel's queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Incoming {
    /// Receive type.
    pub(super) kind: i32,
    pub(super) id: i64,
    pub(super) netfn: u8,
    pub(super) cmd: u8,
    /// Completion code and data.
    pub(super) data: Vec<u8>,
    /// There was more.
    pub(super) truncated: bool,
}

/// An IPMI device. None of its calls blocks.
pub(super) trait Device: Send + Sync {
    /// Hands a command to the kernel.
    fn send(&self, message: &Outgoing<'_>) -> io::Result<()>;
    /// Takes the next message; `WouldBlock` when there is none.
    fn receive(&self) -> io::Result<Incoming>;
    /// Ends when there may be a message.
    fn readable(&self) -> BoxFuture<'_, io::Result<()>>;
}
