//! A user that IPMI makes has no Redfish role on iRMC; an OEM command in-band gives it one (go-hal PR 85, tested there on
//! iRMC S6): the settings "role" and "Redfish enabled" of the user are written, one command each.

use crate::hal::error::Result;
use crate::hal::ipmi::Exchange;
use crate::hal::ipmi::cmd::{Command, Effect, NetFn, Privilege};
use crate::hal::ipmi::codec::{DecodeError, Reader};
use crate::hal::ipmi::exchange::run;
use crate::hal::model::Cx;

/// IANA number 10368, low byte first.
const IANA: [u8; 3] = [0x80, 0x28, 0x00];
/// Writes a setting.
const WRITE: u8 = 0x02;
const ENABLED: u16 = 0x1d80;
const ROLE: u16 = 0x1d81;
const ADMINISTRATOR: u8 = 0x02;

/// Writes one byte of a setting that each user has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct SetUserSetting {
    /// Slot of the user, from 1.
    user: u8,
    setting: u16,
    value: u8,
}

impl Command for SetUserSetting {
    type Reply = ();
    const NETFN: NetFn = NetFn(0x2e);
    const CMD: u8 = 0xe0;
    const NAME: &'static str = "Fujitsu Set User Setting";
    const PRIVILEGE: Privilege = Privilege::Administrator;
    const EFFECT: Effect = Effect::Idempotent;

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend(IANA);
        // Their users count from 0.
        out.extend([WRITE, self.user.saturating_sub(1)]);
        out.extend(self.setting.to_le_bytes());
        out.extend([1, self.value]);
    }

    fn decode(r: &mut Reader<'_>) -> std::result::Result<Self, DecodeError> {
        r.bytes("IANA number and operation", 4)?;
        let user = r.u8("user")?.saturating_add(1);
        let setting = r.u16("setting")?;
        r.u8("length")?;
        Ok(Self {
            user,
            setting,
            value: r.u8("value")?,
        })
    }

    fn encode_reply((): &Self::Reply, out: &mut Vec<u8>) {
        out.extend(IANA);
    }

    fn decode_reply(&self, r: &mut Reader<'_>) -> std::result::Result<Self::Reply, DecodeError> {
        // The IANA number, and whatever follows.
        r.rest();
        Ok(())
    }
}

/// Makes the user in this slot an administrator of Redfish.
pub(in crate::hal::vendors) async fn grant(bmc: &dyn Exchange, cx: &Cx, user: u8) -> Result<()> {
    for (setting, value) in [(ROLE, ADMINISTRATOR), (ENABLED, 1)] {
        let set = SetUserSetting {
            user,
            setting,
            value,
        };
        run(bmc, cx, &set).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_are_those_that_were_tried() {
        let set = SetUserSetting {
            user: 3,
            setting: ROLE,
            value: ADMINISTRATOR,
        };
        let mut bytes = Vec::new();
        set.encode(&mut bytes);
        assert_eq!(bytes, [0x80, 0x28, 0x00, 0x02, 0x02, 0x81, 0x1d, 0x01, 0x02]);
        assert_eq!(SetUserSetting::decode(&mut Reader::new(&bytes)).unwrap(), set);
    }
}
