//! Credentials for the Redfish host interface (DSP0270 1.3, §9): a machine asks its own BMC for an account. The group
//! extension id 0x52 is the first byte of request and reply; it is written and checked here.

use super::{Command, CompletionCode, Effect, NetFn, Privilege};
use crate::hal::ipmi::codec::{DecodeError, Reader};
use crate::hal::model::Secret;

/// The group extension id of the Redfish host interface.
pub const GROUP_ID: u8 = 0x52;
/// Completion code: bootstrapping is disabled in the BMC.
pub const BOOTSTRAP_DISABLED: CompletionCode = CompletionCode(0x80);
/// Keeps bootstrapping enabled; anything else ends it until the BMC's setting is reset.
const KEEP: u8 = 0xa5;

/// Get Bootstrap Account Credentials: over the system interface only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetBootstrapCredentials {
    /// Bootstrapping stays enabled for the next who asks.
    pub keep: bool,
}

/// An account that lasts until the BMC or the host starts anew, over the host interface only.
#[derive(Debug, Clone)]
pub struct BootstrapCredentials {
    /// User name, at most 16 bytes.
    pub user: String,
    /// Password, at most 16 bytes.
    pub password: Secret,
}

fn group(r: &mut Reader<'_>) -> Result<(), DecodeError> {
    match r.u8("group extension ID")? {
        GROUP_ID => Ok(()),
        other => Err(DecodeError::Invalid {
            field: "group extension ID",
            value: other.into(),
            expected: "0x52 (Redfish)",
        }),
    }
}

/// Sixteen bytes, filled up with zeroes.
fn field(bytes: &[u8]) -> impl Iterator<Item = u8> + '_ {
    bytes.iter().copied().chain(std::iter::repeat(0)).take(16)
}

fn text(bytes: [u8; 16]) -> Vec<u8> {
    bytes.into_iter().take_while(|byte| *byte != 0).collect()
}

impl Command for GetBootstrapCredentials {
    type Reply = BootstrapCredentials;
    const NETFN: NetFn = NetFn::GROUP;
    const CMD: u8 = 0x02;
    const NAME: &'static str = "Get Bootstrap Account Credentials";
    const PRIVILEGE: Privilege = Privilege::Administrator;
    // Each makes another account.
    const EFFECT: Effect = Effect::Once;

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend([GROUP_ID, if self.keep { KEEP } else { 0 }]);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        group(r)?;
        Ok(Self {
            keep: r.u8("disable credential bootstrapping control")? == KEEP,
        })
    }

    fn encode_reply(reply: &Self::Reply, out: &mut Vec<u8>) {
        out.push(GROUP_ID);
        out.extend(field(reply.user.as_bytes()));
        out.extend(field(reply.password.expose()));
    }

    fn decode_reply(&self, r: &mut Reader<'_>) -> Result<Self::Reply, DecodeError> {
        group(r)?;
        let user = text(r.array("user name")?);
        let password = text(r.array("password")?);
        Ok(BootstrapCredentials {
            user: String::from_utf8_lossy(&user).into_owned(),
            password: Secret::new(password),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_directions() {
        let command = GetBootstrapCredentials { keep: true };
        let mut bytes = Vec::new();
        command.encode(&mut bytes);
        assert_eq!(bytes, [0x52, 0xa5]);
        let decode = |bytes| GetBootstrapCredentials::decode(&mut Reader::new(bytes));
        assert_eq!(decode(&bytes).unwrap(), command);
        assert!(!decode(&[0x52, 0]).unwrap().keep && decode(&[0xdc, 0xa5]).is_err());
        let reply = BootstrapCredentials {
            user: "obmcHost1".to_owned(),
            password: Secret::new("0123456789abcdef"),
        };
        let mut bytes = Vec::new();
        GetBootstrapCredentials::encode_reply(&reply, &mut bytes);
        assert_eq!((bytes.len(), &bytes[..4]), (33, &b"\x52obm"[..]));
        let back = command.decode_reply(&mut Reader::new(&bytes)).unwrap();
        assert_eq!(back.user, reply.user);
        assert_eq!(back.password.expose(), reply.password.expose());
        for end in 0..bytes.len() {
            assert!(
                command
                    .decode_reply(&mut Reader::new(&bytes[..end]))
                    .is_err()
            );
        }
        assert!(!format!("{reply:?}").contains("012345"));
    }
}
