//! What speaks for each change over IPMI: the read that belongs to it works, and the account has the privilege.

use std::sync::Arc;
use std::time::Instant;

use super::reading;
use crate::hal::caps::Evidence;
use crate::hal::error::{Error, Kind, Result};
use crate::hal::ipmi::Exchange;
use crate::hal::ipmi::cmd::app::{ColdReset, GetDeviceId, GetUserAccess, SetUserAccess};
use crate::hal::ipmi::cmd::chassis::{
    BootOption, ChassisControl, ChassisIdentify, GetChassisStatus, GetSystemBootOptions,
    SetSystemBootOptions, boot_selector,
};
use crate::hal::ipmi::cmd::storage::{ClearSel, GetSelInfo};
use crate::hal::ipmi::cmd::{Command, Privilege};
use crate::hal::ipmi::exchange::{Request, finish, run};
use crate::hal::model::write::Write;
use crate::hal::model::{BoxFuture, Cx, Reading};

/// "The channel that this comes over" (§6.3).
const PRESENT_CHANNEL: u8 = 0x0e;

/// Evidence over IPMI.
pub(crate) struct IpmiEvidence(pub(crate) Arc<dyn Exchange>);

impl IpmiEvidence {
    /// A harmless read in a session that may do `privilege`.
    async fn granted(&self, cx: &Cx, privilege: Privilege) -> Result<()> {
        let mut request = Request::of(&GetDeviceId);
        request.privilege = privilege;
        let response = self.0.exchange(cx, request).await?;
        finish(&GetDeviceId, &response).map(drop)
    }

    async fn judge(&self, cx: &Cx, write: Write) -> Result<(&'static str, String)> {
        let (at, privilege, words) = match write {
            Write::PowerOn
            | Write::PowerOff
            | Write::PowerReset
            | Write::PowerCycle
            | Write::PowerSoft => {
                run(&*self.0, cx, &GetChassisStatus).await?;
                (
                    GetChassisStatus::NAME,
                    ChassisControl::PRIVILEGE,
                    "answered",
                )
            }
            Write::BootPxe | Write::BootDisk | Write::BootBios => {
                let get = GetSystemBootOptions::of(boot_selector::FLAGS);
                let reply = run(&*self.0, cx, &get).await?;
                if !matches!(reply.option, BootOption::Flags(_)) {
                    return Err(Error::new(Kind::Unsupported, "boot flags"));
                }
                (
                    GetSystemBootOptions::NAME,
                    SetSystemBootOptions::PRIVILEGE,
                    "has boot flags",
                )
            }
            Write::LedOn | Write::LedOff => {
                let status = run(&*self.0, cx, &GetChassisStatus).await?;
                let words = if status.identify().is_some() {
                    "tells the identify state"
                } else {
                    "does not tell the identify state"
                };
                (GetChassisStatus::NAME, ChassisIdentify::PRIVILEGE, words)
            }
            Write::SelClear => {
                run(&*self.0, cx, &GetSelInfo).await?;
                (GetSelInfo::NAME, ClearSel::PRIVILEGE, "answered")
            }
            Write::UserCreate
            | Write::UserSetPassword
            | Write::UserEnable
            | Write::UserDisable
            | Write::UserDelete => {
                let get = GetUserAccess {
                    channel: PRESENT_CHANNEL,
                    user: 1,
                };
                run(&*self.0, cx, &get).await?;
                (GetUserAccess::NAME, SetUserAccess::PRIVILEGE, "answered")
            }
            Write::BmcReset => (GetDeviceId::NAME, ColdReset::PRIVILEGE, "answered"),
        };
        self.granted(cx, privilege).await?;
        Ok((at, format!("{at} {words}; {privilege} granted")))
    }
}

impl Evidence for IpmiEvidence {
    fn evidence<'a>(&'a self, cx: &'a Cx, write: Write) -> BoxFuture<'a, Result<Reading<String>>> {
        Box::pin(async move {
            let start = Instant::now();
            let (at, words) = self.judge(cx, write).await?;
            Ok(reading(start, at, words))
        })
    }
}
