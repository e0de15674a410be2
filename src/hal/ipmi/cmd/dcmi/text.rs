//! Asset tag (§6.4.2, §6.4.3) and management controller identifier string (§6.4.6): texts of 64 bytes, moved in pieces
//! of 16.

use super::{GROUP_ID, group};
use crate::hal::ipmi::cmd::{Command, Effect, NetFn, Privilege};
use crate::hal::ipmi::codec::{DecodeError, Reader};

/// Bytes of an asset tag or identifier string.
pub const LENGTH: usize = 64;
/// Most bytes in one command.
pub const CHUNK: usize = 16;

/// A piece of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextPart {
    /// Length of the whole text.
    pub total: u8,
    /// The piece.
    pub data: Vec<u8>,
}

/// All [`LENGTH`] bytes of `text`, zero-padded, as (offset, piece): boards keep the tail of an older, longer text when
/// it is not overwritten. What is longer is cut.
fn pieces(text: &[u8]) -> impl Iterator<Item = (u8, Vec<u8>)> {
    let mut whole: Vec<u8> = text.iter().copied().take(LENGTH).collect();
    whole.resize(LENGTH, 0);
    let offsets = (0..LENGTH as u8).step_by(CHUNK);
    let pieces: Vec<Vec<u8>> = whole.chunks(CHUNK).map(<[u8]>::to_vec).collect();
    offsets.zip(pieces)
}

macro_rules! get {
    ($(#[$doc:meta])* impl Command for $name:ident = $cmd:literal $title:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $name {
            /// First byte.
            pub offset: u8,
            /// Bytes, at most [`CHUNK`].
            pub count: u8,
        }

        impl Command for $name {
            type Reply = TextPart;
            const NETFN: NetFn = NetFn::GROUP;
            const CMD: u8 = $cmd;
            const NAME: &'static str = $title;
            const PRIVILEGE: Privilege = Privilege::User;
            const EFFECT: Effect = Effect::Read;

            fn encode(&self, out: &mut Vec<u8>) {
                out.extend([GROUP_ID, self.offset, self.count]);
            }

            fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
                group(r)?;
                Ok(Self {
                    offset: r.u8("offset to read")?,
                    count: r.u8("number of bytes to read")?,
                })
            }

            fn encode_reply(reply: &Self::Reply, out: &mut Vec<u8>) {
                out.extend([GROUP_ID, reply.total]);
                out.extend(&reply.data);
            }

            fn decode_reply(&self, r: &mut Reader<'_>) -> Result<Self::Reply, DecodeError> {
                group(r)?;
                Ok(TextPart {
                    total: r.u8("total length")?,
                    data: r.rest().to_vec(),
                })
            }
        }
    };
}

macro_rules! set {
    ($(#[$doc:meta])* impl Command for $name:ident = $cmd:literal $title:literal $privilege:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name {
            /// First byte.
            pub offset: u8,
            /// The piece, at most [`CHUNK`] bytes (more do not fit and are not sent).
            pub data: Vec<u8>,
        }

        impl $name {
            /// The commands that write the whole text, all [`LENGTH`] bytes.
            pub fn whole(text: &[u8]) -> Vec<Self> {
                pieces(text).map(|(offset, data)| Self { offset, data }).collect()
            }
        }

        impl Command for $name {
            /// Length of the whole text now; some boards do not send it.
            type Reply = Option<u8>;
            const NETFN: NetFn = NetFn::GROUP;
            const CMD: u8 = $cmd;
            const NAME: &'static str = $title;
            const PRIVILEGE: Privilege = Privilege::$privilege;
            const EFFECT: Effect = Effect::Idempotent;

            fn encode(&self, out: &mut Vec<u8>) {
                let count = self.data.len().min(CHUNK);
                out.extend([GROUP_ID, self.offset, count as u8]);
                out.extend(self.data.iter().take(count));
            }

            fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
                group(r)?;
                let offset = r.u8("offset to write")?;
                let count = r.u8("number of bytes to write")?;
                Ok(Self {
                    offset,
                    data: r.bytes("bytes to write", count.into())?.to_vec(),
                })
            }

            fn encode_reply(reply: &Self::Reply, out: &mut Vec<u8>) {
                out.push(GROUP_ID);
                out.extend(*reply);
            }

            fn decode_reply(&self, r: &mut Reader<'_>) -> Result<Self::Reply, DecodeError> {
                group(r)?;
                Ok(r.opt_u8())
            }
        }
    };
}

get! {
    /// Get Asset Tag (§6.4.2).
    impl Command for GetAssetTag = 0x06 "Get Asset Tag"
}
set! {
    /// Set Asset Tag (§6.4.3). Supermicro boards send no length.
    impl Command for SetAssetTag = 0x08 "Set Asset Tag" Operator
}
get! {
    /// Get Management Controller Identifier String (§6.4.6.1).
    impl Command for GetManagementControllerIdentifier = 0x09 "Get Management Controller Identifier String"
}
set! {
    /// Set Management Controller Identifier String (§6.4.6.2).
    impl Command for SetManagementControllerIdentifier = 0x0a "Set Management Controller Identifier String" Administrator
}
