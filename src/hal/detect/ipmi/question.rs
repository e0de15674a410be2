//! The questions that a BMC answers without a session, as datagrams.

use crate::hal::ipmi::Request;
use crate::hal::ipmi::cmd::app::{
    GetChannelAuthCapabilities, GetChannelCipherSuites, GetSystemGuid, PRESENT_CHANNEL,
};
use crate::hal::ipmi::cmd::{Command, Privilege};
use crate::hal::ipmi::crypto::CipherSuite;
use crate::hal::ipmi::wire::asf::Ping;
use crate::hal::ipmi::wire::rakp::OpenSessionRequest;
use crate::hal::ipmi::wire::v20::PayloadType;
use crate::hal::ipmi::wire::{BMC_ADDRESS, CONSOLE_ADDRESS, LanMessage, ipmi_datagram, v15, v20};

/// How a command without a session is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    V15,
    RmcpPlus,
}

/// Something to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Question {
    Ping,
    Capabilities { v2: bool, framing: Framing },
    Suites { framing: Framing, index: u8 },
    Guid,
    OpenSession(u8),
}

impl Question {
    /// The datagram that asks it. `console_id` is only used by Open Session.
    pub(super) fn datagram(self, seq: u8, console_id: u32) -> Vec<u8> {
        match self {
            Self::Ping => Ping { tag: seq }.datagram(),
            Self::Capabilities { v2, framing } => command(framing, seq, &capabilities(v2)),
            Self::Suites { framing, index } => command(framing, seq, &suites(index)),
            Self::Guid => command(Framing::V15, seq, &GetSystemGuid),
            Self::OpenSession(suite) => {
                let request = OpenSessionRequest {
                    tag: seq,
                    max_privilege: 2,
                    console_id,
                    algorithms: CipherSuite::by_id(suite)
                        .map(CipherSuite::algorithms)
                        .unwrap_or_default(),
                };
                let mut payload = Vec::with_capacity(32);
                request.emit(&mut payload);
                ipmi_datagram(|out| {
                    v20::Packet::sessionless(PayloadType::OpenSessionRequest, payload).emit(out);
                })
            }
        }
    }

    /// Is `cmd`, in a packet of `framing`, the answer to it?
    pub(super) fn fits(self, cmd: u8, framing: Framing) -> bool {
        match self {
            Self::Capabilities { framing: f, .. } => {
                cmd == GetChannelAuthCapabilities::CMD && f == framing
            }
            Self::Suites { framing: f, .. } => cmd == GetChannelCipherSuites::CMD && f == framing,
            Self::Guid => cmd == GetSystemGuid::CMD && framing == Framing::V15,
            Self::Ping | Self::OpenSession(_) => false,
        }
    }
}

/// Get Channel Authentication Capabilities of the channel that it comes in on; `extended` asks for IPMI 2.0.
pub(super) fn capabilities(extended: bool) -> GetChannelAuthCapabilities {
    GetChannelAuthCapabilities {
        channel: PRESENT_CHANNEL,
        extended,
        privilege: Privilege::Administrator.into(),
    }
}

/// One chunk of Get Channel Cipher Suites.
pub(super) fn suites(index: u8) -> GetChannelCipherSuites {
    GetChannelCipherSuites {
        channel: PRESENT_CHANNEL,
        payload: 0,
        by_suite: true,
        index,
    }
}

/// A command outside of any session.
fn command<C: Command>(framing: Framing, seq: u8, command: &C) -> Vec<u8> {
    let request = Request::of(command);
    let message = LanMessage {
        to: BMC_ADDRESS,
        netfn: request.netfn,
        to_lun: request.lun,
        from: CONSOLE_ADDRESS,
        seq,
        from_lun: 0,
        cmd: request.cmd,
        data: request.data,
    }
    .to_vec();
    ipmi_datagram(|out| match framing {
        Framing::V15 => v15::Packet::sessionless(message).emit(out),
        Framing::RmcpPlus => v20::Packet::sessionless(PayloadType::Ipmi, message).emit(out),
    })
}
