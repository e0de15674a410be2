//! Sessions (§22.16 to §22.20): the log-in of IPMI 1.5, privilege and end of both versions.

use std::net::Ipv4Addr;

use crate::hal::ipmi::cmd::{Command, Effect, NetFn, Privilege};
use crate::hal::ipmi::codec::{DecodeError, Reader};
use crate::hal::model::MacAddr;

use super::PrivilegeLevel;

/// Get Session Challenge (§22.16), IPMI 1.5. Completion codes 0x81: unknown user; 0x82: null user disabled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetSessionChallenge {
    /// Authentication type, 0 none, 1 MD2, 2 MD5, 4 password, 5 OEM.
    pub auth_type: u8,
    /// User name, padded with zeroes.
    pub user: [u8; 16],
}

/// What the log-in has to be computed from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionChallenge {
    /// Temporary session id, for Activate Session only.
    pub session: u32,
    /// The challenge.
    pub challenge: [u8; 16],
}

impl Command for GetSessionChallenge {
    type Reply = SessionChallenge;
    const NETFN: NetFn = NetFn::APP;
    const CMD: u8 = 0x39;
    const NAME: &'static str = "Get Session Challenge";
    const PRIVILEGE: Privilege = Privilege::None;
    const EFFECT: Effect = Effect::Idempotent;

    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.auth_type & 0x0f);
        out.extend(self.user);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            auth_type: r.u8("authentication type")? & 0x0f,
            user: r.array("user name")?,
        })
    }

    fn encode_reply(reply: &Self::Reply, out: &mut Vec<u8>) {
        out.extend(reply.session.to_le_bytes());
        out.extend(reply.challenge);
    }

    fn decode_reply(&self, r: &mut Reader<'_>) -> Result<Self::Reply, DecodeError> {
        Ok(SessionChallenge {
            session: r.u32("temporary session ID")?,
            challenge: r.array("challenge string")?,
        })
    }
}

/// Activate Session (§22.17), IPMI 1.5. Completion codes 0x81: no slot; 0x82: no slot for this user;
/// 0x83: none at this privilege; 0x84: sequence number; 0x85: session id; 0x86: privilege exceeds a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ActivateSession {
    /// Authentication type of the session.
    pub auth_type: u8,
    /// Highest privilege that the session may reach.
    pub privilege: PrivilegeLevel,
    /// The BMC's challenge; for the OEM type the manufacturer's data.
    pub challenge: [u8; 16],
    /// Sequence number with which the BMC starts; never 0.
    pub outbound_sequence: u32,
}

/// The session that was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ActiveSession {
    /// Authentication type of the messages from now on.
    pub auth_type: u8,
    /// Session id.
    pub session: u32,
    /// Sequence number with which the console starts.
    pub inbound_sequence: u32,
    /// Highest privilege that the session can reach.
    pub privilege: PrivilegeLevel,
}

impl Command for ActivateSession {
    type Reply = ActiveSession;
    const NETFN: NetFn = NetFn::APP;
    const CMD: u8 = 0x3a;
    const NAME: &'static str = "Activate Session";
    const PRIVILEGE: Privilege = Privilege::None;
    const EFFECT: Effect = Effect::Once;

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend([self.auth_type & 0x0f, self.privilege.0 & 0x0f]);
        out.extend(self.challenge);
        out.extend(self.outbound_sequence.to_le_bytes());
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            auth_type: r.u8("authentication type")? & 0x0f,
            privilege: PrivilegeLevel::of(r.u8("requested maximum privilege level")?),
            challenge: r.array("challenge string")?,
            outbound_sequence: r.u32("initial outbound sequence number")?,
        })
    }

    fn encode_reply(reply: &Self::Reply, out: &mut Vec<u8>) {
        out.push(reply.auth_type & 0x0f);
        out.extend(reply.session.to_le_bytes());
        out.extend(reply.inbound_sequence.to_le_bytes());
        out.push(reply.privilege.0 & 0x0f);
    }

    fn decode_reply(&self, r: &mut Reader<'_>) -> Result<Self::Reply, DecodeError> {
        Ok(ActiveSession {
            auth_type: r.u8("authentication type")? & 0x0f,
            session: r.u32("session ID")?,
            inbound_sequence: r.u32("initial inbound sequence number")?,
            privilege: PrivilegeLevel::of(r.u8("maximum privilege level")?),
        })
    }
}

/// Set Session Privilege Level (§22.18). Completion codes 0x80: not available for this user; 0x81: exceeds the
/// user's or the channel's limit; 0x82: cannot disable user level authentication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetSessionPrivilegeLevel {
    /// The level; 0 only asks for the present one.
    pub privilege: PrivilegeLevel,
}

impl Command for SetSessionPrivilegeLevel {
    /// The level from now on.
    type Reply = PrivilegeLevel;
    const NETFN: NetFn = NetFn::APP;
    const CMD: u8 = 0x3b;
    const NAME: &'static str = "Set Session Privilege Level";
    const PRIVILEGE: Privilege = Privilege::User;
    const EFFECT: Effect = Effect::Idempotent;

    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.privilege.0 & 0x0f);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            privilege: PrivilegeLevel::of(r.u8("requested privilege level")?),
        })
    }

    fn encode_reply(reply: &Self::Reply, out: &mut Vec<u8>) {
        out.push(reply.0 & 0x0f);
    }

    fn decode_reply(&self, r: &mut Reader<'_>) -> Result<Self::Reply, DecodeError> {
        r.u8("new privilege level").map(PrivilegeLevel::of)
    }
}

/// Close Session (§22.19). Completion codes 0x87: unknown session id; 0x88: unknown handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CloseSession {
    /// Id of the session; 0 = the one with `handle`.
    pub session: u32,
    /// Handle of the session; only sent when `session` is 0.
    pub handle: Option<u8>,
}

impl Command for CloseSession {
    type Reply = ();
    const NETFN: NetFn = NetFn::APP;
    const CMD: u8 = 0x3c;
    const NAME: &'static str = "Close Session";
    const PRIVILEGE: Privilege = Privilege::Callback;
    const EFFECT: Effect = Effect::Idempotent;

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend(self.session.to_le_bytes());
        if self.session == 0 {
            out.extend(self.handle);
        }
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let session = r.u32("session ID")?;
        Ok(Self {
            session,
            handle: if session == 0 { r.opt_u8() } else { None },
        })
    }

    no_reply_data!();
}

/// Which session Get Session Info is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionSelector {
    /// The one that asks.
    Present,
    /// The n-th active one, 1..=0xFD.
    Nth(u8),
    /// The one with this handle.
    Handle(u8),
    /// The one with this id.
    Id(u32),
}

/// Get Session Info (§22.20).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetSessionInfo {
    /// Which session.
    pub session: SessionSelector,
}

/// Sessions of the BMC and the one that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SessionInfo {
    /// Handle; 0 = no such session.
    pub handle: u8,
    /// Sessions that the BMC can have at once, 0..63.
    pub possible: u8,
    /// Sessions there are, 0..63.
    pub active: u8,
    /// The session, if there is one.
    pub entry: Option<SessionEntry>,
}

/// One session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionEntry {
    /// Slot of the user, 0..63.
    pub user: u8,
    /// Present privilege.
    pub privilege: PrivilegeLevel,
    /// 0 = IPMI 1.5, 1 = IPMI 2.0.
    pub protocol: u8,
    /// Channel that it came by.
    pub channel: u8,
    /// Who is at the other end of a LAN session.
    pub peer: Option<LanPeer>,
}

/// The other end of a LAN session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LanPeer {
    /// Address.
    pub ip: Ipv4Addr,
    /// MAC, often that of the router.
    pub mac: MacAddr,
    /// UDP port.
    pub port: u16,
}

impl LanPeer {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            ip: r.array::<4>("remote console IP address")?.into(),
            mac: r.array("remote console MAC address").map(MacAddr)?,
            port: r.u16("remote console port")?,
        })
    }
}

impl SessionEntry {
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let user = r.u8("user ID")? & 0x3f;
        let privilege = PrivilegeLevel::of(r.u8("operating privilege level")?);
        let channel = r.u8("session protocol and channel number")?;
        Ok(Self {
            user,
            privilege,
            protocol: channel >> 4,
            channel: channel & 0x0f,
            peer: LanPeer::decode(r).ok(),
        })
    }
}

impl Command for GetSessionInfo {
    type Reply = SessionInfo;
    const NETFN: NetFn = NetFn::APP;
    const CMD: u8 = 0x3d;
    const NAME: &'static str = "Get Session Info";
    const PRIVILEGE: Privilege = Privilege::User;
    const EFFECT: Effect = Effect::Read;

    fn encode(&self, out: &mut Vec<u8>) {
        match self.session {
            SessionSelector::Present => out.push(0),
            SessionSelector::Nth(n) => out.push(n),
            SessionSelector::Handle(handle) => out.extend([0xfe, handle]),
            SessionSelector::Id(id) => {
                out.push(0xff);
                out.extend(id.to_le_bytes());
            }
        }
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let session = match r.u8("session index")? {
            0 => SessionSelector::Present,
            0xfe => SessionSelector::Handle(r.u8("session handle")?),
            0xff => SessionSelector::Id(r.u32("session ID")?),
            n => SessionSelector::Nth(n),
        };
        Ok(Self { session })
    }

    fn encode_reply(reply: &Self::Reply, out: &mut Vec<u8>) {
        out.extend([reply.handle, reply.possible & 0x3f, reply.active & 0x3f]);
        if let Some(entry) = &reply.entry {
            out.extend([entry.user & 0x3f, entry.privilege.0 & 0x0f]);
            out.push(entry.protocol << 4 | entry.channel & 0x0f);
            if let Some(peer) = &entry.peer {
                out.extend(peer.ip.octets());
                out.extend(peer.mac.0);
                out.extend(peer.port.to_le_bytes());
            }
        }
    }

    fn decode_reply(&self, r: &mut Reader<'_>) -> Result<Self::Reply, DecodeError> {
        Ok(SessionInfo {
            handle: r.u8("session handle")?,
            possible: r.u8("number of possible active sessions")? & 0x3f,
            active: r.u8("number of active sessions")? & 0x3f,
            entry: SessionEntry::decode(r).ok(),
        })
    }
}
